//! Settings: what is taken, what is refused, and where the complaint points.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use postkamer::clock::Clock;
use postkamer::settings::{self, Complaint, Mistakes, Settings, Severity};

fn clock() -> Clock {
    Clock::fixed("2026-11-21T10:00:00Z".parse().unwrap())
}

fn load(path: &Path) -> Result<Settings, Mistakes> {
    settings::load_with(path, &BTreeMap::new(), false, &clock())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Settings in a directory of their own, one text a file.
struct Files(tempfile::TempDir);

const SOUND: &str = r#"portal = "https://portal.zaakwijs.example"
state_dir = "var"
organisations = "organisations"
[database]
url = "sqlite://postkamer.db"
[authentication]
mode = "trusted-header"
authserv_id = "mx.zaakwijs.example"
[smtp]
kind = "directory"
path = "replies-sent"
[[desk]]
name = "support"
address = "support@zaakwijs.example"
display_name = "Zaakwijs Support"
[desk.mailbox]
kind = "maildir"
path = "mail"
"#;

const WATERWOLDE: &str = r#"name = "Gemeente Waterwolde"
domains = ["waterwolde.example"]
language = "nl"
approved_contacts_only = true
[[contact]]
name = "Ineke Bakker"
email = "i.bakker@waterwolde.example"
kind = "general"
"#;

impl Files {
    fn new(main: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(files.0.path().join("organisations")).unwrap();
        files.with("postkamer.toml", main)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn main(&self) -> PathBuf {
        self.0.path().join("postkamer.toml")
    }

    fn load(&self) -> Result<Settings, Mistakes> {
        load(&self.main())
    }

    /// All complaints, whether they are mistakes or warnings only.
    fn complaints(&self) -> Vec<Complaint> {
        match self.load() {
            Ok(settings) => settings.warnings,
            Err(mistakes) => mistakes.list().to_vec(),
        }
    }
}

#[test]
fn the_sample_and_the_world_of_the_fixtures_have_no_mistakes() {
    for path in ["config/postkamer.toml", "fixtures/world/postkamer.toml"] {
        let settings = load(&root().join(path)).unwrap_or_else(|mistakes| panic!("{path}:\n{mistakes}"));
        let warnings: Vec<String> = settings.warnings.iter().map(Complaint::sentence).collect();
        assert!(warnings.is_empty(), "{path}: {warnings:#?}");
    }
}

/// One thing that is wrong, and what must be said of it: `file:line:column`, a part of the message, a part of the suggestion.
struct Case {
    about: &'static str,
    /// What stands in the sound file, and what takes its place.
    main: &'static [(&'static str, &'static str)],
    organisation: &'static [(&'static str, &'static str)],
    says: (&'static str, &'static str, &'static str),
}

const fn main(
    about: &'static str,
    edit: &'static [(&'static str, &'static str)],
    says: (&'static str, &'static str, &'static str),
) -> Case {
    Case { about, main: edit, organisation: &[], says }
}

const fn organisation(
    about: &'static str,
    edit: &'static [(&'static str, &'static str)],
    says: (&'static str, &'static str, &'static str),
) -> Case {
    Case { about, main: &[], organisation: edit, says }
}

const MISTAKES: &[Case] = &[
    main(
        "a slip of the pen in a key",
        &[("portal =", "portaal =")],
        ("postkamer.toml:1:1", "unknown key `portaal`", "Did you mean `portal`?"),
    ),
    main("the key that is missing then", &[("portal =", "portaal =")], ("postkamer.toml:1:1", "`portal` is missing", "Add a line such as")),
    main(
        "a key of another table",
        &[("[smtp]\n", "[smtp]\npoll = \"60 s\"\n")],
        ("postkamer.toml:10:1", "unknown key `poll`", "It is a key of [desk.mailbox]"),
    ),
    main("an unknown table", &[("[smtp]", "[stmp]\nx = 1\n[smtp]")], ("postkamer.toml:9:2", "unknown key `stmp`", "Did you mean `smtp`?")),
    main(
        "a portal without TLS",
        &[("https://", "http://")],
        ("postkamer.toml:1:10", "`portal` must begin with https://", "https://portal"),
    ),
    main("a portal that is no address", &[("https://", "")], ("postkamer.toml:1:10", "`portal` must", "https://")),
    main(
        "text where a number belongs",
        &[("[database]", "reopen_days = \"14\"\n[database]")],
        ("postkamer.toml:4:15", "`reopen_days` must be a whole number", "without quotes"),
    ),
    main("too many days", &[("[database]", "reopen_days = 99999\n[database]")], ("postkamer.toml:4:15", "from 0 to 3650", "")),
    main(
        "a language by its country",
        &[("[database]", "language = \"no\"\n[database]")],
        ("postkamer.toml:4:12", "`language` is not a language", "Did you mean \"nb\"?"),
    ),
    main(
        "a time zone with a slip",
        &[("[database]", "timezone = \"Europe/Amsterdm\"\n[database]")],
        ("postkamer.toml:4:12", "time zone", "Europe/Amsterdam"),
    ),
    main(
        "a time zone by its city",
        &[("[database]", "timezone = \"Oslo\"\n[database]")],
        ("postkamer.toml:4:12", "time zone", "Europe/Oslo"),
    ),
    main(
        "no database",
        &[("[database]\nurl = \"sqlite://postkamer.db\"\n", "")],
        ("postkamer.toml:1:1", "`database` is missing", "[database]"),
    ),
    main(
        "a database of an unknown kind",
        &[("sqlite://", "mysql://")],
        ("postkamer.toml:5:7", "sqlite:// or postgres://", "sqlite://postkamer.db"),
    ),
    main("a database in memory", &[("sqlite://postkamer.db", "sqlite::memory:")], ("postkamer.toml:5:7", "must name a file", "")),
    main(
        "object storage",
        &[("[authentication]", "[attachments]\nstore = \"s3://bucket/x\"\n[authentication]")],
        ("postkamer.toml:7:9", "not built yet", "Name a directory"),
    ),
    main(
        "a size without a unit",
        &[("[authentication]", "[attachments]\nmax_mail = 50\n[authentication]")],
        ("postkamer.toml:7:12", "`max_mail` needs a unit", "\"50 MB\""),
    ),
    main(
        "a size with a strange unit",
        &[("[authentication]", "[attachments]\nmax_mail = \"50 Mbit\"\n[authentication]")],
        ("postkamer.toml:7:12", "none of B, kB, MB", "50 MB"),
    ),
    main(
        "a size beyond all bounds",
        &[("[authentication]", "[attachments]\nmax_mail = \"9 GB\"\n[authentication]")],
        ("postkamer.toml:7:12", "500 MB", ""),
    ),
    main(
        "a DNS server without a port",
        &[("authserv_id = \"mx.zaakwijs.example\"", "authserv_id = \"mx.zaakwijs.example\"\ndns_server = \"192.0.2.1\"")],
        ("postkamer.toml:9:14", "`dns_server` must be an address and a port", "127.0.0.1:53"),
    ),
    main(
        "an unknown mode",
        &[("trusted-header", "trusted-headers")],
        ("postkamer.toml:7:8", "must be one of", "Did you mean \"trusted-header\"?"),
    ),
    main(
        "nobody to trust",
        &[("authserv_id = \"mx.zaakwijs.example\"\n", "")],
        ("postkamer.toml:6:1", "`authserv_id` is missing", "Authentication-Results"),
    ),
    main("two to trust", &[("[smtp]", "preset = \"microsoft365\"\n[smtp]")], ("postkamer.toml:8:15", "exclude each other", "Remove one")),
    main("no hops", &[("[smtp]", "own_hops = 0\n[smtp]")], ("postkamer.toml:9:12", "from 1 to 50", "")),
    main("a negative limit", &[("[smtp]", "[limits]\nintake_per_sender_hour = -1\n[smtp]")], ("postkamer.toml:10:26", "whole number", "")),
    main(
        "an smtp server of an unknown kind",
        &[("\"directory\"", "\"sendmail\"")],
        ("postkamer.toml:10:8", "`kind` must be one of \"smtp\", \"directory\"", ""),
    ),
    main(
        "a key without meaning for this kind",
        &[("path = \"replies-sent\"", "path = \"replies-sent\"\nhost = \"x.example\"")],
        ("postkamer.toml:12:1", "unknown key `host` in [smtp] with kind = \"directory\"", ""),
    ),
    main(
        "plain SMTP across the network",
        &[("kind = \"directory\"\npath = \"replies-sent\"", "host = \"smtp.example\"\nport = 25\ntls = \"none\"")],
        ("postkamer.toml:12:7", "not on this machine", "starttls"),
    ),
    main(
        "a password in the settings",
        &[(
            "kind = \"directory\"\npath = \"replies-sent\"",
            "host = \"smtp.example\"\nport = 465\ntls = \"implicit\"\nusername = \"desk\"\npassword = \"hunter2\"",
        )],
        ("postkamer.toml:14:1", "a password does not belong in the settings", "password_file"),
    ),
    main(
        "a user without a secret",
        &[(
            "kind = \"directory\"\npath = \"replies-sent\"",
            "host = \"smtp.example\"\nport = 465\ntls = \"implicit\"\nusername = \"desk\"",
        )],
        ("postkamer.toml:13:12", "without a secret", "password_file"),
    ),
    main(
        "two secrets",
        &[(
            "kind = \"directory\"\npath = \"replies-sent\"",
            "host = \"smtp.example\"\nport = 465\ntls = \"implicit\"\nusername = \"desk\"\npassword_file = \"a\"\npassword_env = \"B\"",
        )],
        ("postkamer.toml:15:16", "`password_env` and `password_file` exclude each other", ""),
    ),
    main(
        "a host with a scheme",
        &[("kind = \"directory\"\npath = \"replies-sent\"", "host = \"smtps://smtp.example\"\nport = 465\ntls = \"implicit\"")],
        ("postkamer.toml:10:8", "bare host name", "Leave out the scheme"),
    ),
    main(
        "a listener that is no address",
        &[("[[desk]]", "[health]\nlisten = \"9310\"\n[[desk]]")],
        ("postkamer.toml:13:10", "`listen` must be an address and a port", "127.0.0.1:9310"),
    ),
    main(
        "a desk's address with a name",
        &[("\"support@zaakwijs.example\"", "\"Support <support@zaakwijs.example>\"")],
        ("postkamer.toml:14:11", "bare address", "angle brackets"),
    ),
    main(
        "no address at all",
        &[("support@zaakwijs.example", "support")],
        ("postkamer.toml:14:11", "`address` is not an e-mail address", "name@domain"),
    ),
    main("a desk of one bracket", &[("[[desk]]", "[desk]")], ("postkamer.toml:12:1", "list of tables", "two brackets")),
    main(
        "an unknown country",
        &[("[desk.mailbox]", "countries = [\"nl\", \"uk\"]\n[desk.mailbox]")],
        ("postkamer.toml:16:20", "not a country", "Did you mean \"gb\"?"),
    ),
    main(
        "a mailbox without a kind",
        &[("kind = \"maildir\"\n", "")],
        ("postkamer.toml:16:1", "`kind` is missing in [desk.mailbox]", "kind = \"imap\""),
    ),
    main(
        "a poll without a unit",
        &[("path = \"mail\"", "path = \"mail\"\npoll = 60")],
        ("postkamer.toml:19:8", "`poll` needs a unit", "\"60 s\""),
    ),
    main(
        "a folder that smuggles a command",
        &[("path = \"mail\"", "path = \"mail\"\ndone = \"x\\r\\nA1 DELETE y\"")],
        ("postkamer.toml:19:8", "control character", ""),
    ),
    main(
        "filing into the inbox",
        &[("path = \"mail\"", "path = \"mail\"\ndone = \"inbox\"")],
        ("postkamer.toml:19:8", "would come in again", "Verwerkt"),
    ),
    main(
        "an IMAP mailbox without a secret",
        &[(
            "kind = \"maildir\"\npath = \"mail\"",
            "kind = \"imap\"\nhost = \"i.example\"\nport = 993\ntls = \"implicit\"\nusername = \"x\"",
        )],
        ("postkamer.toml:16:1", "no secret", "password_file"),
    ),
    main(
        "a second desk at the same address",
        &[(
            "[[desk]]\n",
            "[[desk]]\nname = \"other\"\naddress = \"SUPPORT@zaakwijs.example\"\ndisplay_name = \"x\"\n[desk.mailbox]\nkind = \"maildir\"\npath = \"m\"\n[[desk]]\n",
        )],
        ("postkamer.toml:21:11", "a desk's already (first ", ""),
    ),
    main(
        "a second desk of the same name",
        &[(
            "[[desk]]\n",
            "[[desk]]\nname = \"support\"\naddress = \"x@zaakwijs.example\"\ndisplay_name = \"x\"\n[desk.mailbox]\nkind = \"maildir\"\npath = \"m\"\n[[desk]]\n",
        )],
        ("postkamer.toml:20:8", "the name `support` is that of a desk already", ""),
    ),
    main(
        "a duty contact that is the desk",
        &[("[desk.mailbox]", "duty_contact = \"support@zaakwijs.example\"\n[desk.mailbox]")],
        ("postkamer.toml:16:16", "own address", ""),
    ),
    main(
        "an agent at an unknown desk",
        &[("path = \"mail\"", "path = \"mail\"\n[[agent]]\nname = \"ineke\"\ndesks = [\"suport\"]")],
        ("postkamer.toml:21:10", "no desk `suport`", "Did you mean \"support\"?"),
    ),
    main("not TOML", &[("[database]", "[database")], ("postkamer.toml:4:10", "not valid TOML", "")),
    main("a key twice", &[("[database]", "portal = \"x\"\n[database]")], ("postkamer.toml:4:1", "duplicate key", "")),
    organisation(
        "a slip of the pen in a key",
        &[("email =", "emial =")],
        ("organisations/waterwolde.toml:7:1", "unknown key `emial` in [[contact]]", "Did you mean `email`?"),
    ),
    organisation(
        "the key that is missing then",
        &[("email =", "emial =")],
        ("organisations/waterwolde.toml:5:1", "`email` is missing in [[contact]]", ""),
    ),
    organisation(
        "a public mail provider",
        &[("\"waterwolde.example\"", "\"waterwolde.example\", \"gmail.com\"")],
        ("organisations/waterwolde.toml:2:34", "public mail provider", "[[contact]]"),
    ),
    organisation(
        "a wildcard",
        &[("\"waterwolde.example\"", "\"*.waterwolde.example\"")],
        ("organisations/waterwolde.toml:2:12", "wildcard", "full name"),
    ),
    organisation(
        "a public suffix",
        &[("\"waterwolde.example\"", "\"gov.uk\"")],
        ("organisations/waterwolde.toml:2:12", "public suffix", ""),
    ),
    organisation(
        "an address for a domain",
        &[("\"waterwolde.example\"", "\"info@waterwolde.example\"")],
        ("organisations/waterwolde.toml:2:12", "an address, not a domain", "after the @"),
    ),
    organisation(
        "a role for a contact",
        &[("i.bakker@", "helpdesk@")],
        ("organisations/waterwolde.toml:7:9", "role", "personal business address"),
    ),
    organisation(
        "an unknown kind",
        &[("\"general\"", "\"generl\"")],
        ("organisations/waterwolde.toml:8:8", "`kind` must be one of", "Did you mean \"general\"?"),
    ),
    organisation(
        "nobody who can approve",
        &[("\"general\"", "\"ict\"")],
        ("organisations/waterwolde.toml:4:26", "no general contact", "kind = \"general\""),
    ),
    organisation(
        "a date in quotes",
        &[("language", "contract_until = \"2029-12-31\"\nlanguage")],
        ("organisations/waterwolde.toml:3:18", "must be a day", "without quotes"),
    ),
    organisation(
        "a date with a time",
        &[("language", "contract_until = 2029-12-31T12:00:00\nlanguage")],
        ("organisations/waterwolde.toml:3:18", "without a time", ""),
    ),
    organisation(
        "an absence the wrong way round",
        &[("kind = \"general\"", "kind = \"general\"\nabsent = [{ from = 2027-01-04, until = 2026-12-20 }]")],
        ("organisations/waterwolde.toml:9:20", "begins (2027-01-04) after it ends (2026-12-20)", ""),
    ),
    organisation(
        "an absence without an end",
        &[("kind = \"general\"", "kind = \"general\"\nabsent = [{ from = 2027-01-04 }]")],
        ("organisations/waterwolde.toml:9:11", "`until` is missing", ""),
    ),
    organisation(
        "the desk as a contact",
        &[("i.bakker@waterwolde.example", "support@zaakwijs.example")],
        ("organisations/waterwolde.toml:7:9", "one of our desks (it stands in ", ""),
    ),
    organisation(
        "one person twice",
        &[(
            "kind = \"general\"\n",
            "kind = \"general\"\n[[contact]]\nname = \"I. Bakker\"\nemail = \"I.Bakker@waterwolde.example\"\nkind = \"ict\"\n",
        )],
        ("organisations/waterwolde.toml:11:9", "on the list already (first ", "`left`"),
    ),
];

fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} does not stand in the sound file");
        text.replacen(from, to, 1)
    })
}

fn place(files: &Files, complaint: &Complaint) -> String {
    let file =
        complaint.file.strip_prefix(files.0.path().to_str().unwrap()).map_or(complaint.file.as_str(), |name| name.trim_start_matches('/'));
    match (complaint.line, complaint.column) {
        (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        _ => file.to_owned(),
    }
}

#[test]
fn the_sound_files_are_sound() {
    let files = Files::new(SOUND).with("organisations/waterwolde.toml", WATERWOLDE);
    assert_eq!(files.complaints(), []);
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_way_out() {
    let mut wrong = Vec::new();
    for case in MISTAKES {
        let files = Files::new(&edited(SOUND, case.main)).with("organisations/waterwolde.toml", &edited(WATERWOLDE, case.organisation));
        let (at, message, suggestion) = case.says;
        let complaints = files.load().map_or_else(|mistakes| mistakes.list().to_vec(), |_| Vec::new());
        let said = complaints.iter().any(|complaint| {
            complaint.severity == Severity::Mistake
                && place(&files, complaint) == at
                && complaint.message.contains(message)
                && complaint.suggestion.as_deref().unwrap_or_default().contains(suggestion)
        });
        if !said {
            let said: Vec<String> = complaints.iter().map(|c| format!("{} {:?} {:?}", place(&files, c), c.message, c.suggestion)).collect();
            wrong.push(format!("{}: expected {:?}, got {said:#?}", case.about, case.says));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_run_shows_all_mistakes_of_all_files_in_their_order() {
    let files = Files::new(&edited(SOUND, &[("https://", "http://"), ("display_name", "displayname"), ("\"maildir\"", "\"pop3\"")]))
        .with("organisations/a.toml", &edited(WATERWOLDE, &[("\"nl\"", "\"xx\""), ("name = \"Ineke", "nmae = \"Ineke")]))
        .with("organisations/b.toml", "name = ");
    let places: Vec<String> = files.complaints().iter().map(|complaint| place(&files, complaint)).collect();
    assert_eq!(
        places,
        [
            "postkamer.toml:1:10",
            "postkamer.toml:12:1",
            "postkamer.toml:15:1",
            "postkamer.toml:17:8",
            "organisations/a.toml:3:12",
            "organisations/a.toml:5:1",
            "organisations/a.toml:6:1",
            "organisations/b.toml:1:8",
        ]
    );
}

#[test]
fn a_header_that_is_not_closed_is_one_mistake() {
    let broken = Files::new(&SOUND.replace("[smtp]", "[smtp"));
    let places: Vec<String> = broken.complaints().iter().map(|complaint| place(&broken, complaint)).collect();
    assert_eq!(places, ["postkamer.toml:9:6"]);
    let doubled = Files::new(&SOUND.replace("state_dir = \"var\"\n", "state_dir = \"var\"\nstate_dir = \"var\"\n"));
    let complaints = doubled.complaints();
    assert!(matches!(complaints.as_slice(), [one] if one.suggestion.as_deref().is_some_and(|way_out| way_out.contains("remove one"))));
}

#[test]
fn two_desks_watch_no_folder_of_the_same_mailbox_into_which_either_files() {
    let second = |mailbox: &str| {
        let desk = SOUND.split_once("[[desk]]").map(|(_, desk)| desk.replace("support", "ict")).unwrap();
        let desk = desk.replace("path = \"mail\"", mailbox);
        Files::new(&format!("{SOUND}[[desk]]{desk}")).with("organisations/waterwolde.toml", WATERWOLDE)
    };
    for (mailbox, said) in [
        ("path = \"mail\"", Some("this mailbox is a desk's already")),
        ("path = \"./mail\"", Some("this mailbox is a desk's already")),
        ("path = \"mail\"\nfolder = \"Verwerkt\"\ndone = \"delete\"", Some("into which the other files")),
        ("path = \"mail\"\nfolder = \"ICT\"", None),
        ("path = \"mail-ict\"", None),
    ] {
        let files = second(mailbox);
        let complaints = files.complaints();
        match said {
            None => assert_eq!(complaints, [], "{mailbox}"),
            Some(said) => {
                let sentences: Vec<String> = complaints.iter().map(Complaint::sentence).collect();
                assert!(matches!(sentences.as_slice(), [one] if one.contains(said) && one.contains(":16:1")), "{mailbox}: {sentences:#?}");
            }
        }
    }
}

#[test]
fn a_domain_that_is_refused_is_not_told_of_as_missing_too() {
    let files =
        Files::new(SOUND).with("organisations/a.toml", &WATERWOLDE.replace("[\"waterwolde.example\"]", "[\"*.waterwolde.example\"]"));
    let sentences: Vec<String> = files.complaints().iter().map(Complaint::sentence).collect();
    assert!(!sentences.iter().any(|sentence| sentence.contains("`domains` is empty")), "{sentences:#?}");
}

#[test]
fn what_two_files_claim_is_told_with_both_places() {
    let files = Files::new(SOUND)
        .with("organisations/a.toml", &WATERWOLDE.replace("i.bakker", "j.bakker"))
        .with("organisations/b.toml", &WATERWOLDE.replace("\"nl\"", "\"da\"").replace("i.bakker", "j.bakker"));
    let sentences: Vec<String> = files.complaints().iter().map(Complaint::sentence).collect();
    let both = |message: &str, here: &str, there: &str| {
        sentences.iter().any(|sentence| sentence.contains(message) && sentence.contains(here) && sentence.contains(there))
    };
    assert!(both("`waterwolde.example` belongs to another organisation already", "b.toml:2:12", "a.toml:2:12"), "{sentences:#?}");
    assert!(both("on the list of another organisation", "b.toml:7:9", "a.toml:7:9"), "{sentences:#?}");
}

#[test]
fn who_left_and_came_back_is_listed() {
    let again = "kind = \"general\"\nleft = 2026-01-01\n[[contact]]\nname = \"Ineke Bakker\"\nemail = \"i.bakker@waterwolde.example\"\nkind = \"general\"\n";
    let files = Files::new(SOUND).with("organisations/waterwolde.toml", &edited(WATERWOLDE, &[("kind = \"general\"\n", again)]));
    assert_eq!(files.complaints(), []);
}

#[test]
fn what_is_doubtful_is_a_warning_and_the_settings_hold() {
    for (main, organisation, at, message) in [
        (&[("trusted-header", "off")][..], &[][..], "postkamer.toml:7:8", "anybody on the internet"),
        (&[("[[desk]]", "[health]\nlisten = \"0.0.0.0:9310\"\n[[desk]]")], &[], "postkamer.toml:13:10", "open to the network"),
        (&[("[database]", "replies = \"nowhere\"\n[database]")], &[], "postkamer.toml:4:11", "cannot be read"),
        (
            &[],
            &[("i.bakker@waterwolde.example", "i.bakker@elsewhere.example")],
            "organisations/waterwolde.toml:7:9",
            "outside the organisation's domains",
        ),
        (
            &[],
            &[("kind = \"general\"", "kind = \"general\"\nleft = 2026-11-21")],
            "organisations/waterwolde.toml:4:26",
            "all its general contacts have left",
        ),
        (
            &[],
            &[(
                "kind = \"general\"",
                "kind = \"general\"\n[[contact]]\nname = \"INEKE BAKKER\"\nemail = \"ib@waterwolde.example\"\nkind = \"ict\"",
            )],
            "organisations/waterwolde.toml:11:9",
            "two contacts have one name",
        ),
    ] {
        let files = Files::new(&edited(SOUND, main)).with("organisations/waterwolde.toml", &edited(WATERWOLDE, organisation));
        let settings = files.load().unwrap_or_else(|mistakes| panic!("{message}: {mistakes}"));
        let said: Vec<(String, &str)> =
            settings.warnings.iter().map(|warning| (place(&files, warning), warning.message.as_str())).collect();
        assert!(said.len() == 1 && said[0].0 == at && said[0].1.contains(message), "{message}: {said:?}");
    }
}

#[test]
fn domains_that_look_alike_are_told_of() {
    let files = Files::new(SOUND)
        .with("organisations/a.toml", WATERWOLDE)
        .with("organisations/b.toml", &WATERWOLDE.replace("waterwolde.example", "waterwo1de.example"));
    let warnings = files.load().unwrap().warnings;
    assert!(warnings.iter().any(|w| w.message.contains("looks like `waterwolde.example`")), "{warnings:?}");
}

#[test]
fn a_complaint_on_a_terminal_shows_the_line_and_underlines_what_is_meant() {
    let files =
        Files::new(&SOUND.replace("own_hops", "")).with("organisations/waterwolde.toml", &edited(WATERWOLDE, &[("email =", "emial =")]));
    let shown = files.load().unwrap_err().to_string();
    assert!(shown.contains("waterwolde.toml:7:1: unknown key `emial` in [[contact]]. Did you mean `email`?\n  7| emial = \"i.bakker@waterwolde.example\"\n   | ^^^^^\n"), "{shown}");
    assert!(shown.ends_with("There are 2 mistakes in the settings."), "{shown}");
}

#[test]
fn no_secret_and_no_person_gets_into_a_log() {
    let server = "host = \"smtp.example\"\nport = 465\ntls = \"implicit\"\nusername = \"desk\"\npassword = \"hunter2\"";
    let files = Files::new(&edited(SOUND, &[("kind = \"directory\"\npath = \"replies-sent\"", server)]))
        .with(
            "organisations/waterwolde.toml",
            &edited(WATERWOLDE, &[("\"i.bakker@waterwolde.example\"", "\"Ineke <helpdesk@waterwolde.example>\"")]),
        )
        .with("organisations/b.toml", &WATERWOLDE.replace("i.bakker@", "ineke@@"));
    let mistakes = files.load().unwrap_err();
    assert!(!mistakes.to_string().contains("hunter2"), "{mistakes}");
    for complaint in mistakes.list() {
        let logged = format!("{} {:?} {}", complaint.sentence(), complaint, complaint.to_json());
        for personal in ["hunter2", "Ineke", "ineke@", "helpdesk@"] {
            assert!(!logged.contains(personal), "{logged}");
        }
    }
}

#[test]
fn variables_of_the_environment_override_keys() {
    let files = Files::new(SOUND);
    let with = |pairs: &[(&str, &str)]| {
        let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        settings::load_with(&files.main(), &environment, false, &clock())
    };
    let settings = with(&[
        ("POSTKAMER__PORTAL", "https://other.example"),
        ("POSTKAMER__REOPEN_DAYS", "3"),
        ("POSTKAMER__LIMITS__REPLIES_PER_RECIPIENT_HOUR", "0"),
        ("POSTKAMER__DESK__0__ADDRESS", "x@zaakwijs.example"),
        ("POSTKAMER__DESK__0__ALIASES", "y@zaakwijs.example, z@zaakwijs.example"),
        ("POSTKAMER_LOG", "debug"),
        ("HOME", "/"),
    ])
    .unwrap();
    assert_eq!((settings.portal.as_str(), settings.reopen_days), ("https://other.example", 3));
    assert_eq!(settings.limits.replies_per_recipient_hour, None);
    assert_eq!(
        settings.desks[0].addresses().map(|a| a.reveal()).collect::<Vec<_>>(),
        ["x@zaakwijs.example", "y@zaakwijs.example", "z@zaakwijs.example"]
    );
    assert_ne!(settings.fingerprint, files.load().unwrap().fingerprint);

    let mistakes =
        with(&[("POSTKAMER__SMTP__HOOST", "x"), ("POSTKAMER__REOPEN_DAYS", "many"), ("POSTKAMER__DESK__7__NAME", "x")]).unwrap_err();
    let sentences: Vec<String> = mistakes.list().iter().map(Complaint::sentence).collect();
    for expected in [
        "environment variable POSTKAMER__SMTP__HOOST: unknown key `hoost`",
        "environment variable POSTKAMER__REOPEN_DAYS: `reopen_days` must be a whole number",
        "environment variable POSTKAMER__DESK__7__NAME: names no key",
    ] {
        assert!(sentences.iter().any(|sentence| sentence.starts_with(expected)), "{expected}: {sentences:#?}");
    }
}

#[test]
fn paths_are_relative_to_the_file_and_the_database_to_the_state() {
    let files = Files::new(SOUND);
    let base = files.0.path();
    let settings = files.load().unwrap();
    assert_eq!(settings.state_dir, base.join("var"));
    assert_eq!(settings.database, settings::Database::Sqlite(base.join("var/postkamer.db")));
    assert_eq!(settings.attachments.store, base.join("var/attachments"));
    assert_eq!(settings.smtp, settings::Smtp::Directory(base.join("replies-sent")));
    let absolute = Files::new(&edited(SOUND, &[("sqlite://postkamer.db", "sqlite:///srv/p.db")])).load().unwrap();
    assert_eq!(absolute.database, settings::Database::Sqlite("/srv/p.db".into()));
}

#[test]
fn only_check_asks_for_secrets() {
    let server = "host = \"127.0.0.1\"\nport = 2525\ntls = \"none\"\nusername = \"desk\"\npassword_file = \"secret\"";
    let files = Files::new(&edited(SOUND, &[("kind = \"directory\"\npath = \"replies-sent\"", server)]));
    assert!(files.load().is_ok());
    let check = || settings::load_with(&files.main(), &BTreeMap::new(), true, &clock());
    let mistakes = check().unwrap_err();
    assert!(mistakes.list()[0].message.contains("`password_file` cannot be read"), "{mistakes}");
    let secret = files.0.path().join("secret");
    std::fs::write(&secret, "x\n").unwrap();
    let readable_for = |mode| std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    readable_for(0o644);
    assert!(check().unwrap().warnings[0].message.contains("every user of this machine"));
    readable_for(0o600);
    assert_eq!(check().unwrap().warnings, []);
}

#[test]
fn a_mistake_in_a_wording_is_told_with_its_line() {
    let files = Files::new(SOUND)
        .with("replies/nl.toml", "[received]\nsubject = \"Goed\"\nbody = \"\"\"\nHallo\n{{ numer }}\n\"\"\"\n")
        .with("words/nl.toml", "[urgent]\n\nnonsense = [1]\n")
        .with("words/da.toml", "[answer]\nno = [\"nix\"]\n\nja = [\"jups\"]\n")
        .with("replies/fr.toml", "");
    let complaints = files.complaints();
    let said: Vec<String> = complaints.iter().map(|complaint| format!("{} {}", place(&files, complaint), complaint.message)).collect();
    assert!(said.iter().any(|line| line.starts_with("replies/fr.toml") && line.contains("not that of a language")), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("words/da.toml:4") && line.contains("no list `ja` in [answer]")), "{said:?}");
    for file in ["replies/nl.toml", "words/nl.toml"] {
        assert!(complaints.iter().any(|c| c.file.ends_with(file) && c.line.is_some_and(|line| line > 1)), "{file}: {said:?}");
    }
}

#[test]
fn a_missing_file_or_directory_is_told_in_a_sentence() {
    let mistakes = load(Path::new("/nonexistent/postkamer.toml")).unwrap_err();
    assert!(mistakes.to_string().starts_with("/nonexistent/postkamer.toml:1:1: there is no such file"), "{mistakes}");
    let files = Files::new(&edited(SOUND, &[("\"organisations\"", "\"customers\"")]));
    let mistakes = files.load().unwrap_err();
    assert!(mistakes.list()[0].message.contains("`organisations` names a directory that cannot be read"), "{mistakes}");
}

#[test]
fn ten_thousand_organisations_are_read() {
    let files = Files::new(SOUND);
    for nth in 0..10_000 {
        let text = (0..4).fold(
            format!("name = \"Gemeente {nth}\"\ndomains = [\"g{nth}.example\"]\nlanguage = \"nl\"\napproved_contacts_only = true\n"),
            |text, person| {
                format!(
                    "{text}[[contact]]\nname = \"Jan {person} van {nth}\"\nemail = \"jan.{person}x@g{nth}.example\"\nkind = \"general\"\n"
                )
            },
        );
        std::fs::write(files.0.path().join(format!("organisations/g{nth}.toml")), text).unwrap();
    }
    let settings = files.load().unwrap_or_else(|mistakes| panic!("{}", mistakes.sentence()));
    let today = "2026-11-21".parse().unwrap();
    let sender = settings.organisations.identify(Some((&"jan.3x@g9999.example".parse().unwrap(), "")), today);
    assert_eq!(sender.organisation.map(|o| o.name.as_str()), Some("Gemeente 9999"));
    assert_eq!(settings.organisations.organisations().len(), 10_000);
}

/// Waits until something holds, and says what it waited for when it never does.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn changed_files_take_effect_and_a_mistake_leaves_the_last_good_ones_in_force() {
    let files = Files::new(SOUND).with("organisations/waterwolde.toml", WATERWOLDE);
    let live = settings::Live::new(&files.main(), settings::load(&files.main()).unwrap());
    let stop = tokio_util::sync::CancellationToken::new();
    let following = {
        let (live, stop) = (live.clone(), stop.clone());
        tokio::spawn(async move { live.follow(&stop).await })
    };
    let known = |id: &str| live.current().organisations.organisation(id).is_some();

    let files = files.with("organisations/brookham.toml", &WATERWOLDE.replace("waterwolde", "brookham"));
    until("the new organisation is known", || known("brookham")).await;
    assert_eq!(live.complaint(), None);

    let files = files.with("organisations/waterwolde.toml", &WATERWOLDE.replace("email", "emial"));
    until("the mistake is complained of", || live.complaint().is_some()).await;
    let complaint = live.complaint().unwrap();
    assert!(complaint.contains("waterwolde.toml:5:1") && !complaint.contains("bakker"), "{complaint}");
    assert!(known("waterwolde"), "the last good settings stay in force");

    // As editors save: another file is renamed over the old one.
    let other = files.0.path().join("organisations/.waterwolde.toml.new");
    std::fs::write(&other, WATERWOLDE.replace("Gemeente", "Stad")).unwrap();
    std::fs::rename(&other, files.0.path().join("organisations/waterwolde.toml")).unwrap();
    until("the mended file is in force", || {
        live.complaint().is_none() && live.current().organisations.organisation("waterwolde").is_some_and(|o| o.name.starts_with("Stad"))
    })
    .await;

    stop.cancel();
    following.await.unwrap();
}

/// Whatever stands where: a complaint, never a panic.
#[test]
fn no_value_of_any_kind_in_any_place_makes_reading_fail() {
    const VALUES: &[&str] = &[
        "1",
        "-1",
        "1.5",
        "true",
        "\"x\"",
        "\"\"",
        "[]",
        "[1, \"a\", {}]",
        "{}",
        "{ a = 1 }",
        "2026-01-01",
        "[[]]",
        "\"\\u0000\"",
        "99999999999999999999",
        "\"é€😀\"",
        "",
    ];
    let sample = |name: &str| std::fs::read_to_string(root().join("config").join(name)).unwrap();
    let (main, organisation) = (sample("postkamer.toml"), sample("organisations/voorbeeldstad.toml"));
    let variants = |text: &str| {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty()).collect();
        let mut variants = Vec::new();
        for (nth, line) in lines.iter().enumerate() {
            let with = |replacement: String| {
                let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                lines[nth] = replacement;
                lines.join("\n")
            };
            variants.push(with(String::new()));
            variants.push(with(format!("{line}\n{line}")));
            if let Some((key, _)) = line.split_once('=') {
                variants.extend(VALUES.iter().map(|value| with(format!("{key}= {value}"))));
            }
        }
        variants
    };
    let files = Files::new(&main).with("organisations/voorbeeldstad.toml", &organisation);
    for (name, text) in [("postkamer.toml", &main), ("organisations/voorbeeldstad.toml", &organisation)] {
        for variant in variants(text) {
            std::fs::write(files.0.path().join(name), &variant).unwrap();
            let complaints = files.complaints();
            let _shown: String = complaints.iter().map(ToString::to_string).collect();
        }
        std::fs::write(files.0.path().join(name), text).unwrap();
    }
    assert!(files.load().is_ok());
}

#[test]
fn files_of_other_systems_are_read_too() {
    let dos = format!("\u{feff}{}", SOUND.replace('\n', "\r\n"));
    assert_eq!(Files::new(&dos).complaints(), []);
    let complaints = Files::new(&dos.replace("portal =", "portl =")).complaints();
    assert!(complaints.iter().any(|c| (c.line, c.column) == (Some(1), Some(1)) && c.message.contains("`portl`")), "{complaints:?}");
    let latin = Files::new(SOUND);
    std::fs::write(latin.0.path().join("organisations/b.toml"), b"name = \"x\"\nlanguage = \"B\xf8\"\n").unwrap();
    let complaints = latin.complaints();
    assert!(
        matches!(complaints.as_slice(), [only] if (only.line, only.column) == (Some(2), Some(14)) && only.message.contains("UTF-8")),
        "{complaints:?}"
    );
}
