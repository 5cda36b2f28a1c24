//! Every letter in every language, as it really goes out: six organisations, each at a desk of another language, to whom everything happens that
//! makes postkamer write; and what they answer is understood in their language.

use crate::support::database::sql;
use crate::support::postgres::Postgres;
use crate::support::world::World;
use mail_parser::MessageParser;
use postkamer::mailbox::maildir;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use toml_edit::{ArrayOfTables, Item, Table, value};

const LANGUAGES: [&str; 6] = ["nl", "da", "nb", "sv", "en", "de"];
const NOW: &str = "2026-11-20T10:00:00+01:00";
const LATER: &str = "2026-11-20T15:00:00+01:00";
/// In every mail, and in no letter.
const MARK: &str = "kenmerk 7731";

#[derive(Deserialize)]
struct Wording {
    greeting: String,
    closing: String,
    yes: String,
    no: String,
    says: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Requests {
    addition: Vec<String>,
    portal: Vec<String>,
}

#[derive(Deserialize)]
struct Sentence {
    subject: String,
    written: String,
    urgent: bool,
}

fn next(language: &str) -> &'static str {
    let at = LANGUAGES.iter().position(|known| *known == language).unwrap();
    LANGUAGES[(at + 1) % LANGUAGES.len()]
}

/// The fixtures' vendor with a desk and an organisation for each language.
fn in_six_languages(world: World) -> World {
    let organisations = world.dir.join("organisations");
    fs::remove_dir_all(&organisations).unwrap();
    fs::create_dir(&organisations).unwrap();
    let mut desks = ArrayOfTables::new();
    for language in LANGUAGES {
        let mailbox = world.dir.join("mail").join(language);
        maildir::create(&mailbox).unwrap();
        let mut desk = Table::new();
        for (key, text) in [
            ("name", language.to_owned()),
            ("address", format!("{language}@zaakwijs.example")),
            ("display_name", format!("Zaakwijs {language}")),
            ("language", language.to_owned()),
            ("notify", format!("leider-{language}@zaakwijs.example")),
        ] {
            desk[key] = value(text);
        }
        let mut source = Table::new();
        (source["kind"], source["path"]) = (value("maildir"), value(format!("mail/{language}")));
        desk["mailbox"] = Item::Table(source);
        desks.push(desk);
        let contact = |name: &str, kind: &str| {
            format!("[[contact]]\nname = \"{}\"\nemail = \"{name}@{language}stad.example\"\nkind = \"{kind}\"\n", named(name, language))
        };
        let organisation = format!(
            "name = \"{language}stad\"\ndomains = [\"{language}stad.example\"]\nlanguage = \"{language}\"\napproved_contacts_only = true\n\
             privacy_contact = \"p.cramer@{language}stad.example\"\nprivacy_notices = true\n{}{}{}",
            contact("a.holm", "general"),
            contact("r.stone", "general"),
            contact("k.lind", "ict")
        );
        fs::write(organisations.join(format!("{language}stad.toml")), organisation).unwrap();
    }
    world.edit(|config| config["desk"] = Item::ArrayOfTables(desks));
    world
}

/// One person's name in each organisation is nobody's in another.
fn named(local: &str, language: &str) -> String {
    let (initial, surname) = local.split_once('.').unwrap();
    format!("{}. {surname} {}", initial.to_uppercase(), language.to_uppercase())
}

/// A letter that went out.
#[derive(Clone, Debug)]
struct Sent {
    template: String,
    to: String,
    desk: String,
    id: String,
    language: String,
    subject: String,
    text: String,
}

struct Play {
    world: World,
    mails: u64,
}

impl Play {
    /// Lays a mail into the mailbox of a desk; `more` are header lines, `body` is all behind the header's end but its own fields.
    fn lay(&mut self, desk: &str, now: &str, from: (&str, &str), subject: &str, answers: &str, body: &str) {
        self.mails += 1;
        let (name, address) = from;
        let domain = address.split('@').nth(1).unwrap();
        let answers = if answers.is_empty() { String::new() } else { format!("In-Reply-To: {answers}\r\n") };
        let raw = format!(
            "Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from={domain}\r\n\
             Received: from mx.{domain} by mx.zaakwijs.example; Fri, 20 Nov 2026 09:59:00 +0100\r\nFrom: \"{name}\" <{address}>\r\n\
             To: {desk}@zaakwijs.example\r\nSubject: {subject}\r\nMessage-ID: <{}@{domain}>\r\nDate: Fri, 20 Nov 2026 09:59:00 +0100\r\n\
             {answers}MIME-Version: 1.0\r\n{body}\r\n{MARK}\r\n",
            self.mails
        );
        let raw = if body.contains("--b\r\n") { raw + "--b--\r\n" } else { raw };
        maildir::deliver(&self.world.dir.join("mail").join(desk), raw.as_bytes(), now.parse().unwrap()).unwrap();
    }

    fn work(&self, now: &str) {
        self.world.run_at(now, &["run", "--once"]).ok();
    }

    /// The number of the ticket that the only entry with this subject is on.
    fn ticket(&self, subject: &str) -> String {
        let found = sql(&self.world, &format!("SELECT CAST(ticket_id AS TEXT) FROM entry WHERE subject = '{subject}'")).unwrap();
        assert_eq!(found.len(), 1, "{subject}: {found:?}");
        found[0].clone()
    }

    fn sent(&self) -> Vec<Sent> {
        let rows = "SELECT message_id || ' ' || template || ' ' || to_address FROM outbox WHERE state = 'sent'";
        let known: BTreeMap<String, (String, String)> = sql(&self.world, rows)
            .unwrap()
            .iter()
            .map(|row| row.split(' ').collect::<Vec<_>>())
            .map(|row| (row[0].trim_matches(['<', '>']).to_owned(), (row[1].to_owned(), row[2].to_owned())))
            .collect();
        let letters = fs::read_dir(self.world.dir.join("replies-sent")).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        letters
            .map(|raw| {
                let mail = MessageParser::default().parse(&raw).unwrap();
                let (template, to) = known[mail.message_id().unwrap()].clone();
                let text = String::from_utf8_lossy(&raw);
                let language = text.lines().find_map(|line| line.strip_prefix("Content-Language: ")).unwrap().trim().to_owned();
                Sent {
                    template,
                    to,
                    desk: mail.from().unwrap().first().unwrap().address().unwrap().to_owned(),
                    id: format!("<{}>", mail.message_id().unwrap()),
                    language,
                    subject: mail.subject().unwrap().to_owned(),
                    text: mail.body_text(0).unwrap().replace("\r\n", "\n").trim_end().to_owned(),
                }
            })
            .collect()
    }
}

fn text(words: &str) -> String {
    format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}", words.replace('\n', "\r\n"))
}

fn with_file(name: &str, kind: &str, content: &str) -> String {
    format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b\r\nContent-Type: {kind}\r\n\
         Content-Disposition: attachment; filename={name}\r\n\r\n{content}"
    )
}

/// Everything that makes postkamer write, once at each organisation.
fn everything_happens(play: &mut Play, requests: &BTreeMap<String, Requests>, sentences: &BTreeMap<String, Vec<Sentence>>) {
    for language in LANGUAGES {
        let (desk, domain) = (next(language), format!("{language}stad.example"));
        let (general, colleague) = (format!("a.holm@{domain}"), format!("b.nyman@{domain}"));
        let outage = sentences[language].iter().find(|sentence| sentence.urgent).unwrap();
        let (general, colleague) = (("A. Holm", general.as_str()), ("B. Nyman", colleague.as_str()));
        for (from, subject, body) in [
            (general, "vraag", text("1")),
            (colleague, "storing", text(&format!("{}\n\n{}", outage.subject, outage.written))),
            (colleague, "aan", text("1")),
            (colleague, "af", text("2")),
            (colleague, "wacht", text("3")),
            (general, "nummer", text("BSN 123456782")),
            (general, "bijlage", with_file("a.csv", "text/csv", "naam;bsn;geboortedatum\r\nJan Jansen;123456782;01-02-1980\r\n")),
            (general, "kapot", with_file("a.zip", "application/zip", "PK\u{3}\u{4}xxxx")),
            (general, "later", with_file("b.csv", "text/csv", "laag;aantal\r\nwegen;12\r\n")),
            (general, "lijst", text(&requests[language].addition[0])),
            (general, "portaal", text(&requests[language].portal[0])),
        ] {
            play.lay(desk, NOW, from, &format!("{language} {subject}"), "", &body);
        }
        for (subject, from) in [("ja", "x1"), ("nee", "x2"), ("stil", "x3")] {
            let from = (named("r.stone", language), format!("{from}@elders-{language}.example"));
            play.lay(desk, NOW, (&from.0, &from.1), &format!("{language} {subject}"), "", &text("1"));
        }
        play.lay(language, NOW, ("Jan Verweg", &format!("{language}@verweg.example")), &format!("{language} vreemd"), "", &text("1"));
    }
    play.work(NOW);
    for waiting in ["contacts", "portal"] {
        assert_eq!(play.world.run_at(NOW, &[waiting, "requests", "--json"]).ok().json().len(), LANGUAGES.len(), "{waiting}");
    }
    for language in LANGUAGES {
        let on = |subject: &str| play.ticket(&format!("{language} {subject}"));
        for command in [
            &["tickets", "reply", &on("vraag"), "Zo doet u dat."][..],
            &["tickets", "ask-approval", &on("vraag"), "12"],
            &["tickets", "needs-data", &on("vraag"), "13"],
            &["tickets", "purge", &on("later"), "--attachment", "1", "--redirect"],
        ] {
            play.world.run_at(NOW, command).ok();
        }
    }
    for (decision, subject) in [("release", "aan"), ("refuse", "af")] {
        let tickets = LANGUAGES.map(|language| play.ticket(&format!("{language} {subject}")));
        let tickets: Vec<&str> = tickets.iter().map(String::as_str).collect();
        play.world.run_at(NOW, &[&["queue", decision, "--reason", "14"], &tickets[..]].concat()).ok();
    }
    play.work(NOW);
}

/// What people answer in the words that the letter asked for.
fn they_answer(play: &mut Play, wording: &BTreeMap<String, Wording>) {
    let letters = play.sent();
    for language in LANGUAGES {
        let (desk, words) = (next(language), &wording[language]);
        let to = |local: &str| format!("{local}@{language}stad.example");
        let request = letters.iter().find(|letter| letter.template == "approval-request" && letter.to == to("a.holm")).unwrap();
        play.lay(desk, LATER, ("A. Holm", &to("a.holm")), "Re: 1", &request.id, &text(&format!("{}\n\n1", words.yes)));
        play.lay(desk, LATER, ("R. Stone", &to("r.stone")), "Re: 2", &request.id, &text(&format!("{}\n\n2", words.no)));
        for (sender, answer) in [("x1", &words.yes), ("x2", &words.no)] {
            let sender = format!("{sender}@elders-{language}.example");
            let asked =
                |letter: &&Sent| letter.template == "verify-identity" && letter.to == to("r.stone") && letter.text.contains(&sender);
            let question = letters.iter().find(asked).unwrap_or_else(|| panic!("{language}: {sender}"));
            play.lay(desk, LATER, ("R. Stone", &to("r.stone")), "Re: 3", &question.id, &text(&format!("{answer}\n\n{sender}")));
        }
    }
    play.work(LATER);
    let tickets = play.world.run_at(LATER, &["tickets", "list", "--json"]).ok().json();
    for language in LANGUAGES {
        let state = |subject: &str| {
            let id: i64 = play.ticket(&format!("{language} {subject}")).parse().unwrap();
            tickets.iter().find(|ticket| ticket["id"] == id).unwrap()["status"].clone()
        };
        assert_eq!([state("ja"), state("nee"), state("stil")], ["open", "closed", "queued"], "{language}");
        let number = play.ticket(&format!("{language} vraag"));
        let approvals = play.world.run_at(LATER, &["tickets", "approvals", &number, "--json"]).ok().json();
        let told: Vec<_> = approvals.iter().map(|approval| json!([approval["answer"], approval["counts"]])).collect();
        assert_eq!(told, [json!(["yes", true]), json!(["no", true])], "{language}");
    }
    for now in ["2026-11-26T10:00:00+01:00", "2026-11-28T10:00:00+01:00"] {
        play.work(now);
    }
}

fn played(world: World) {
    let wording: BTreeMap<String, Wording> = toml::from_str(include_str!("../fixtures/wording/letters.toml")).unwrap();
    let requests: BTreeMap<String, Requests> = toml::from_str(include_str!("../fixtures/wording/requests.toml")).unwrap();
    let sentences: BTreeMap<String, Vec<Sentence>> = toml::from_str(include_str!("../fixtures/wording/sentences.toml")).unwrap();
    let mut play = Play { world: in_six_languages(world), mails: 0 };
    play.world.run(&["check"]).ok();
    everything_happens(&mut play, &requests, &sentences);
    they_answer(&mut play, &wording);

    let letters = play.sent();
    let mut seen: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for letter in &letters {
        // Those of an organisation are written to in its language, everybody else in the desk's.
        let of_organisation = letter.to.split_once("stad.example").and_then(|(to, _)| to.split_once('@')).map(|(_, language)| language);
        let language = of_organisation.unwrap_or_else(|| letter.desk.split('@').next().unwrap());
        wrong.extend(what_is_wrong(letter, language, &wording).map(|what| format!("{what}: {letter:?}")));
        *seen.entry(letter.template.clone()).or_default().entry(language.to_owned()).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), letters.len(), wrong.join("\n"));
    for (template, number) in [
        ("received", 4),
        ("received-urgent", 1),
        ("referral", 3),
        // Three senders, and one reminder of the one who got no answer.
        ("verify-identity", 4),
        ("verifying", 3),
        ("unknown-sender", 1),
        ("message-rejected", 1),
        // One when it came, one when an agent found it.
        ("attachments-rejected", 2),
        ("attachment-unreadable", 1),
        ("released", 1),
        ("refused", 1),
        ("approval-request", 1),
        ("agent-reply", 1),
        ("third-party-data", 1),
        ("queue-reminder", 3),
        // One was refused, of one the question will lapse, and has lapsed.
        ("identity-notice", 3),
        ("privacy-notice", 1),
    ] {
        let expected = LANGUAGES.iter().map(|language| ((*language).to_owned(), number)).collect();
        assert_eq!(seen.remove(template), Some(expected), "{template}");
    }
    assert!(seen.is_empty(), "{seen:?}");
}

/// Templates that have the address of the portal on a line of its own.
const TO_THE_PORTAL: [&str; 6] =
    ["message-rejected", "attachments-rejected", "attachment-unreadable", "unknown-sender", "verifying", "third-party-data"];

/// What is not as it should be in a letter of that language.
fn what_is_wrong(letter: &Sent, language: &str, wording: &BTreeMap<String, Wording>) -> impl Iterator<Item = String> {
    let Sent { template, desk, subject, text, .. } = letter;
    let words = &wording[language];
    let lines: Vec<&str> = text.lines().collect();
    let says = words.says.get(template);
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| wrong.extend((!holds).then(|| what.to_owned()));
    must(letter.language == language, "Content-Language");
    must(lines[0] == words.greeting, "greeting");
    must(lines[lines.len() - 2..] == [words.closing.clone(), format!("Zaakwijs {}", desk.split('@').next().unwrap())], "closing");
    must(says.is_none_or(|says| text.contains(says.as_str())), "what it must say");
    for other in LANGUAGES.iter().filter_map(|other| wording[*other].says.get(template)).filter(|other| Some(*other) != says) {
        // A word such as "borgere" alone may stand in more than one language.
        must(!other.contains(' ') || !text.contains(other.as_str()), other);
    }
    for never in ["{", "}", "%", "None", "none", "undefined", MARK, "Verweg", "123456782"] {
        must(!text.contains(never) && !subject.contains(never), never);
    }
    let portal = lines.iter().filter(|line| **line == "https://portaal.zaakwijs.example").count();
    must(portal == usize::from(TO_THE_PORTAL.contains(&template.as_str())), "the portal's address");
    let numbered = !["message-rejected", "privacy-notice"].contains(&template.as_str());
    must(subject.starts_with("[PK-0") == numbered, "the ticket's number");
    wrong.into_iter()
}

#[test]
fn every_letter_goes_out_in_every_language_and_every_answer_is_understood() {
    played(World::new());
}

#[test]
fn every_letter_goes_out_in_every_language_and_every_answer_is_understood_on_postgresql() {
    played(World::new().with_database(&Postgres::shared().database("letters")));
}
