//! Automatic replies: who gets none and who gets one, each rule in both directions; how many; and that whatever comes in, an
//! answer goes to its sender or to whom the rules name. What an answer may not contain: tests/attacks/sending.rs.

use crate::attacks::{CONTACT, Gate, Letter, NOW, STRANGER, SUPPORT, authentic, raw, vouched, with_files};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use toml_edit::value;

/// The answers to mails that differ in one thing only.
#[track_caller]
fn answers(gate: &Gate, mails: &[Vec<u8>]) -> Vec<usize> {
    gate.explain(mails).iter().map(|told| told["replies"].as_array().unwrap().len()).collect()
}

/// Header lines of a machine, and beside each a twin that a person's mail may have.
const PAIRS: &[(&str, &str)] = &[
    ("Return-Path: <>", "Return-Path: <a.devries@waterwolde.example>"),
    ("X-Failed-Recipients: b@c.example", "X-Recipients: b@c.example"),
    ("Auto-Submitted: auto-replied", "Auto-Submitted: no"),
    ("Auto-Submitted: Auto-Generated", "Auto-Submitted: No"),
    ("auto-submitted: auto-notified; owner=x", "auto-submitted: no; by a person"),
    ("Auto-Submitted: auto-generated; x", "Auto-Submitted: (auto-replied) no"),
    ("Auto-Submitted: (no) auto-replied (no)", "Auto-Submitted:\n NO"),
    ("Auto-Submitted: no\nAuto-Submitted: auto-replied", "Auto-Submitted: no\nAuto-Submitted: no"),
    ("Auto-Submitted: yes", "X-Auto-Submitted: no"),
    ("Precedence: bulk", "Precedence: first-class"),
    ("Precedence: Bulk", "Precedence: normal"),
    ("precedence: JUNK", "precedence: urgent"),
    ("Precedence: list", "Precedence: special-delivery"),
    ("Precedence: auto_reply", "Priority: bulk"),
    ("X-Precedence: bulk", "X-Precedence: normal"),
    ("List-Id: <x.lists.example>", "X-List-Id: <x.lists.example>"),
    ("List-Owner: <mailto:x@y.example>", "Lists-Owner: x"),
    ("List-Subscribe: <mailto:x@y.example>", "X-Subscribe: x"),
    ("List-Post: NO", "X-Post: x"),
    ("List-Unsubscribe: <mailto:x@y.example>", "Unsubscribe: x"),
    ("List-Help: <mailto:x@y.example>", "X-Help: x"),
    ("List-Archive: <http://y.example>", "X-Archive: x"),
    ("X-Loop: other", "X-Loops: other"),
    ("X-Autoreply: yes", "X-Autoreply: no"),
    ("X-Autorespond: 1", "X-Autoresponder-Off: 1"),
    ("X-Auto-Response-Suppress: All", "X-Auto-Response-Suppress: None"),
    ("X-Auto-Response-Suppress: DR, RN, OOF", "X-Auto-Response-Suppress: DR, RN, NRN"),
    ("X-Auto-Response-Suppress: dr,autoreply", "X-Auto-Response-Suppress: autoreplying"),
    ("X-Postkamer-Loop: 7; 00112233", "X-Postkamer: 7"),
    ("Message-ID: <1@zaakwijs.example>", "Message-ID: <1@waterwolde.example>"),
    ("To: b@c.example", "To: b@c.example\nCc: Helpdesk <HELPDESK@zaakwijs.example>"),
    ("To: undisclosed-recipients:;", "To: team: support@zaakwijs.example;"),
];

/// Rules 1 to 4, 6 and 7: what the header says.
#[test]
fn a_machines_mail_is_not_answered_and_a_persons_is() {
    let gate = Gate::new();
    let mail = |fields: &str| authentic(CONTACT, &format!("{fields}\n"), "Hoe stellen wij de termijn in?");
    let silent: Vec<Vec<u8>> = PAIRS.iter().map(|(machine, _)| mail(machine)).collect();
    let answered: Vec<Vec<u8>> = PAIRS.iter().map(|(_, person)| mail(person)).collect();
    let (silent, answered) = (answers(&gate, &silent), answers(&gate, &answered));
    let wrong: Vec<String> = PAIRS
        .iter()
        .zip(silent.iter().zip(&answered))
        .filter(|(_, counts)| *counts != (&0, &1))
        .map(|(pair, counts)| format!("{pair:?}: {counts:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Rule 1: reports are known by their form.
#[test]
fn reports_are_not_answered() {
    let gate = Gate::new();
    let report = |kind: &str| {
        let fields = format!("MIME-Version: 1.0\nContent-Type: multipart/report; report-type={kind}; boundary=b\n");
        authentic(CONTACT, &fields, "--b\nContent-Type: text/plain\n\nBericht.\n--b--")
    };
    let mixed = authentic(
        CONTACT,
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; report-type=x; boundary=b\n",
        "--b\nContent-Type: text/plain\n\nBericht.\n--b--",
    );
    let mails = [report("delivery-status"), report("disposition-notification"), report("feedback-report"), mixed];
    assert_eq!(answers(&gate, &mails), [0, 0, 0, 1]);
}

/// Rules 5 and 6: who wrote.
#[test]
fn machines_names_are_not_answered_and_names_like_them_are() {
    let gate = Gate::new();
    let silent = [
        "mailer-daemon",
        "MAILER-DAEMON+x",
        "listserv",
        "majordomo",
        "majordomo-owner",
        "news-request",
        "owner-news",
        "postmaster",
        "abuse",
        "root",
        "noreply",
        "NoReply",
        "no-reply",
        "no-reply+7",
        "do-not-reply",
        "bounce",
        "bounces-7",
        "bounce+a=b",
    ];
    let answered =
        ["mailer", "request", "requests", "owner", "postmasters", "abuser", "roots", "nora.reply", "reply", "a.bouncer", "de.root"];
    let mail = |local: &&str| authentic(&format!("{local}@shop.example"), "", "Wie kan mij helpen?");
    assert_eq!(answers(&gate, &silent.iter().map(mail).collect::<Vec<_>>()), [0; 18]);
    assert_eq!(answers(&gate, &answered.iter().map(mail).collect::<Vec<_>>()), [1; 11]);
    let own = [SUPPORT, "helpdesk@zaakwijs.example", "ict@zaakwijs.example", "Vragen@Zaakwijs.example"];
    assert_eq!(answers(&gate, &own.map(|from| authentic(from, "", "Vraag."))), [0; 4]);
    assert_eq!(
        answers(&gate, &[authentic("sales@zaakwijs.example", "", "Vraag."), authentic("monitor@ict.waterwolde.example", "", "Disk 91 %")]),
        [1, 0]
    );
}

/// Rule 6: two machines that quote each other are known by how often.
#[test]
fn more_than_three_of_our_ids_are_a_conversation_of_machines() {
    let gate = Gate::new();
    let references = |count: usize, domain: &str| {
        let ids: Vec<String> = (1..=count).map(|n| format!("<{n}.{n:032x}@{domain}>")).collect();
        authentic(CONTACT, &format!("References: {}\n", ids.join(" ")), "Vraag.")
    };
    let mails = [references(3, "zaakwijs.example"), references(4, "zaakwijs.example"), references(9, "other.example")];
    assert_eq!(answers(&gate, &mails), [1, 0, 1]);
}

/// Rule 8 has its rows in tests/attacks/identity.rs. Rule 9: an old mail gets the redirect and nothing else.
#[test]
fn old_mail_is_only_redirected() {
    let gate = Gate::new();
    let citizen = authentic(CONTACT, "", "BSN van de aanvrager: 111222333");
    let plain = authentic(CONTACT, "", "Hoe stellen wij de termijn in?");
    let now: jiff::Timestamp = NOW.parse().unwrap();
    for (days, due) in [(6, vec!["message-rejected", "received"]), (8, vec!["message-rejected"])] {
        for (n, mail) in [&citizen, &plain].into_iter().enumerate() {
            gate.deliver(&[mail.as_slice(), format!("{days}\n").as_bytes()].concat());
            let file = newest(&gate);
            let arrived = now - jiff::SignedDuration::from_hours(24 * days + n as i64);
            fs::File::options().write(true).open(file).unwrap().set_modified(arrived.into()).unwrap();
        }
        gate.work();
        let outbox = gate.world.run(&["outbox", "list", "--all", "--json"]).ok().json();
        let mut templates: Vec<&str> =
            outbox.iter().skip(if days == 6 { 0 } else { 2 }).map(|row| row["template"].as_str().unwrap()).collect();
        templates.sort_unstable();
        assert_eq!(templates, due, "{days} days old");
    }
}

fn newest(gate: &Gate) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(gate.world.dir.join("mail/support/new")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.pop().unwrap()
}

/// At each moment these mails come in, in a process of its own: only the database can remember.
#[track_caller]
fn letters_at(gate: &Gate, now: &str, mails: &[Vec<u8>]) -> Vec<Letter> {
    mails.iter().for_each(|raw| gate.deliver(raw));
    gate.world.run_at(now, &["run", "--once"]).ok();
    gate.letters()
}

/// Rule 10 for anybody: one letter of a kind in 24 hours.
#[test]
fn limits_for_strangers_live_in_the_database() {
    let gate = Gate::new();
    let ask = |body: &str| authentic(STRANGER, "", body);
    let rejected = "BSN van de aanvrager: 111222333";
    assert_eq!(letters_at(&gate, "2026-11-21T10:15:00+01:00", &[ask("Vraag 1"), ask("Vraag 2")]).len(), 1);
    assert_eq!(letters_at(&gate, "2026-11-22T10:14:00+01:00", &[ask("Vraag 3")]).len(), 0, "the day is not over");
    assert_eq!(letters_at(&gate, "2026-11-22T10:14:30+01:00", &[ask(rejected), ask("Nog eens BSN 111222333")]).len(), 1, "another kind");
    assert_eq!(letters_at(&gate, "2026-11-22T10:16:00+01:00", &[ask("Vraag 4")]).len(), 1, "the next day");
    assert_eq!(
        letters_at(&gate, "2026-11-22T10:17:00+01:00", &[ask("Vraag 5"), authentic("y@evil.example", "", "Vraag")]).len(),
        1,
        "another person"
    );
}

/// Rule 10 for anybody: four letters in any 24 hours, however many kinds there are.
#[test]
fn strangers_get_four_letters_a_day() {
    let gate = Gate::new();
    let ask = |body: &str| authentic(STRANGER, "", body);
    let send = |kind: &str, name: &str, bytes: &[u8]| {
        let mail = String::from_utf8(with_files(&[(kind, name, bytes)])).unwrap();
        mail.replace(CONTACT, STRANGER).replace("waterwolde.example", "evil.example").into_bytes()
    };
    let locked = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/locked/aes.zip")).unwrap();
    let (rejected, urgent) = ("BSN van de aanvrager: 111222333", "Niemand kan meer inloggen, alles ligt plat.");
    let files = [send("text/csv", "lijst.csv", b"naam;nummer\nx;BSN 111222333\n"), send("application/zip", "slot.zip", &locked)];
    assert_eq!(letters_at(&gate, "2026-11-21T10:15:00+01:00", &[ask(rejected)]).len(), 1);
    assert_eq!(letters_at(&gate, "2026-11-21T10:20:00+01:00", &[&files[..], &[ask(urgent)]].concat()).len(), 3, "each of another kind");
    assert_eq!(letters_at(&gate, "2026-11-21T10:25:00+01:00", &[ask("Vraag 1")]).len(), 0, "a fifth kind, and a fifth letter");
    assert_eq!(letters_at(&gate, "2026-11-22T10:14:00+01:00", &[ask("Vraag 2")]).len(), 0, "the day is not over");
    assert_eq!(letters_at(&gate, "2026-11-22T10:16:00+01:00", &[ask("Vraag 3")]).len(), 1, "the first is a day ago, the others are not");
    assert_eq!(letters_at(&gate, "2026-11-22T10:17:00+01:00", &[ask(rejected)]).len(), 0, "four again");
    let outbox = gate.world.run(&["outbox", "list", "--all", "--json"]).ok().json();
    let mut templates: Vec<&str> = outbox.iter().map(|row| row["template"].as_str().unwrap()).collect();
    templates.sort_unstable();
    let five = ["attachment-unreadable", "attachments-rejected", "message-rejected", "received-urgent", "unknown-sender"];
    assert_eq!(templates, five);
}

/// Rule 10 for people of known organisations: by the settings, by hour, across restarts; what is over is told in the log.
#[test]
fn limits_for_organisations_live_in_the_database() {
    let gate = Gate::with(|config| {
        config["limits"]["replies_per_recipient_hour"] = value(3);
        config["limits"]["replies_per_organisation_hour"] = value(5);
    });
    let ask = |from: &str, n: usize| authentic(from, "", &format!("Vraag {n}"));
    let other = "i.bakker@waterwolde.example";
    assert_eq!(letters_at(&gate, "2026-11-21T10:15:00+01:00", &[ask(CONTACT, 1), ask(CONTACT, 2)]).len(), 2);
    for raw in [ask(CONTACT, 3), ask(CONTACT, 4)] {
        gate.deliver(&raw);
    }
    let run = gate.world.run_at("2026-11-21T10:30:00+01:00", &["run", "--once"]).ok();
    assert_eq!((gate.letters().len(), run.stderr.matches("the limit on replies is reached").count()), (1, 1), "{}", run.stderr);
    assert_eq!(
        letters_at(&gate, "2026-11-21T10:40:00+01:00", &[ask(other, 5), ask(other, 6), ask(other, 7)]).len(),
        2,
        "five for all of them"
    );
    assert_eq!(letters_at(&gate, "2026-11-21T10:41:00+01:00", &[authentic("emma.clarke@brookham.example", "", "Question")]).len(), 1);
    assert_eq!(letters_at(&gate, "2026-11-21T11:16:00+01:00", &[ask(CONTACT, 8)]).len(), 1, "the first two are an hour ago");
    assert_eq!(gate.tickets().len(), 9, "a ticket is made whether it is answered or not");
}

/// A gate behind which a mail server of few words says this of every recipient, and takes all the rest.
fn gate_with_server(of_recipients: &'static [u8]) -> Gate {
    use std::io::{BufRead, BufReader, Write};
    let port = crate::support::free_port();
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                let _ = writer.write_all(b"220 hello\r\n");
                let mut in_message = false;
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let answer: &[u8] = match line.as_str() {
                        "." => b"250 taken\r\n",
                        _ if in_message => continue,
                        "DATA" => b"354 go on\r\n",
                        line if line.starts_with("RCPT") => of_recipients,
                        _ => b"250 fine\r\n",
                    };
                    in_message = line == "DATA";
                    let _ = writer.write_all(answer);
                }
            });
        }
    });
    Gate::with(|config| {
        let mut smtp = toml_edit::Table::new();
        smtp["host"] = value("127.0.0.1");
        smtp["port"] = value(i64::from(port));
        smtp["tls"] = value("none");
        config["smtp"] = toml_edit::Item::Table(smtp);
    })
}

/// Somebody whose mail cannot be delivered to is written to once; the ticket says so.
#[test]
fn a_reply_that_is_refused_is_dead_and_noted() {
    let gate = gate_with_server(b"550 5.1.1 nobody\r\n");
    for _ in 0..2 {
        gate.deliver(&authentic(CONTACT, "Message-ID: <1@waterwolde.example>\n", "Vraag."));
        gate.work();
    }
    let outbox = gate.world.run(&["outbox", "list", "--all", "--json"]).ok().json();
    assert_eq!((outbox.len(), &outbox[0]["state"]), (1, &"dead".into()), "{outbox:#?}");
    let history = gate.ticket("PK-00001")["history"].as_array().unwrap().clone();
    assert!(history.iter().any(|entry| entry["kind"] == "undeliverable"), "{history:#?}");
}

/// A reply that no server could take is that reply's own end: the others go out, and agents are told of it.
#[test]
fn a_reply_that_cannot_be_sent_keeps_no_other_back() {
    let gate = gate_with_server(b"250 fine\r\n");
    for number in 1..=3 {
        let mut deliver = gate.world.command(&["deliver", "--desk", "support"]);
        deliver.env("POSTKAMER_NOW", NOW);
        let mail = authentic(CONTACT, &format!("Message-ID: <{number}@waterwolde.example>\n"), &format!("Vraag {number}."));
        gate.world.finish(deliver, &mail).ok();
    }
    crate::support::database::sql(
        &gate.world,
        "UPDATE outbox SET message = CAST('Subject: x' || char(10) || char(10) AS BLOB) WHERE id = 1",
    )
    .unwrap();
    gate.world.run_at(NOW, &["run", "--once"]).ok();
    let outbox = gate.world.run(&["outbox", "list", "--all", "--json"]).ok().json();
    let states: Vec<&serde_json::Value> = outbox.iter().map(|reply| &reply["state"]).collect();
    assert_eq!(states, ["dead", "sent", "sent"], "{outbox:#?}");
    assert_eq!(outbox[0]["last_code"], "unsendable");
    let listed = gate.world.run(&["outbox", "list", "--json"]).ok().json();
    assert_eq!(listed.len(), 1, "agents are told of it: {listed:?}");
    assert_eq!(gate.world.run(&["status", "--json"]).ok().json()[0]["outbox"]["dead"], 1);
    let history = gate.ticket("PK-00001")["history"].as_array().unwrap().clone();
    assert!(history.iter().any(|entry| entry["kind"] == "undeliverable"), "{history:#?}");
}

/// A second installation, whose desk writes from another address.
fn other_postkamer() -> Gate {
    Gate::with(|config| {
        let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap();
        desk["address"] = value("hulp@anders.example");
        desk["aliases"] = value(toml_edit::Array::new());
    })
}

/// What the other side receives: our letter behind its server's trace lines. `strip`: somebody in between loses every mark of a
/// machine and every id.
fn carried(letter: &Letter, from: &str, strip: bool, number: usize) -> Vec<u8> {
    let text = String::from_utf8(letter.raw.clone()).unwrap();
    let kept: String = text
        .replace("\r\n", "\n")
        .lines()
        .filter(|line| {
            let marks = ["Auto-Submitted:", "Precedence:", "X-Auto", "X-Postkamer", "Message-ID:", "In-Reply-To:", "References:"];
            !strip || !marks.iter().any(|mark| line.starts_with(mark))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let id = if strip { format!("Message-ID: <{number}@gateway.example>\n") } else { String::new() };
    (vouched(from) + &id + &kept).into_bytes()
}

/// Two postkamers that write to each other stop at once; where every mark is lost on the way, they stop at the limits.
#[test]
fn two_postkamers_do_not_talk_to_each_other_for_long() {
    for (strip, most) in [(false, 1), (true, 4)] {
        let (here, there) = (Gate::new(), other_postkamer());
        // Somebody at the other desk writes by hand, under the desk's own address.
        here.deliver(&authentic("hulp@anders.example", "", "Kunnen jullie ons helpen?"));
        let (mut of_here, mut of_there) = (0, 0);
        for round in 0..12 {
            let letters = here.work();
            of_here += letters.len();
            letters.iter().for_each(|letter| there.deliver(&carried(letter, "zaakwijs.example", strip, round)));
            let letters = there.work();
            of_there += letters.len();
            letters.iter().for_each(|letter| here.deliver(&carried(letter, "anders.example", strip, 100 + round)));
        }
        assert!(of_here <= most && of_there <= most, "stripped: {strip}; {of_here} and {of_there} answers");
        assert!(of_here >= 1, "the first mail is a person's");
        assert!(here.tickets().len() <= 2 && there.tickets().len() <= 2, "stripped: {strip}");
    }
}

/// A small generator with a seed (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from[(self.0 % from.len() as u64) as usize]
    }
}

const FROMS: &[&str] = &[
    CONTACT,
    "i.bakker@waterwolde.example",
    "j.vandam@waterwolde.example",
    "p.mulder@waterwolde.example",
    "p.jansen@waterwolde.example",
    "\"Ineke Bakker\" <ineke@thuis.example>",
    "\"Mette Sørensen\" <mette@hjem.example>",
    "s@nordhavn.example",
    "b@heidetal.example",
    STRANGER,
    "ann@shop.example",
    "no-reply@shop.example",
    SUPPORT,
];

/// Whatever a mail says, its answer goes to its From alone, with nobody in CC but a contact whom the rules name; and nobody else is
/// written to but a listed contact who is asked whether they wrote.
#[test]
fn no_input_chooses_a_recipient() {
    let gate = Gate::with(|config| {
        for limit in
            ["intake_per_sender_hour", "intake_unauthenticated_desk_hour", "replies_per_recipient_hour", "replies_per_organisation_hour"]
        {
            config["limits"][limit] = value(0);
        }
    });
    let token = gate.ticket_of_contact();
    let with_token = format!("In-Reply-To: {token}\nReferences: {token}\n");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut authors: BTreeMap<String, String> = BTreeMap::new();
    for n in 0..400 {
        let from = dice.pick(FROMS);
        let domain = from.rsplit_once('@').unwrap().1.trim_end_matches('>');
        let trace = match dice.pick(&["pass", "pass", "pass", "fail", "none"]) {
            "pass" => vouched(domain),
            "fail" => vouched(domain).replace("pass", "fail"),
            _ => String::new(),
        };
        let mut fields = format!("Message-ID: <{n}@mail.example>\n");
        for choice in [
            &["", "Reply-To: victim@x.test\n", "Reply-To: a.devries@waterwolde.example, victim@x.test\n"][..],
            &["", "Sender: victim@x.test\n", "Resent-From: victim@x.test\nResent-To: victim@x.test\n"],
            &["", "Cc: victim@x.test, lars.holm@nordhavn.example\n", "Cc: a.devries@waterwolde.example\n", "Bcc: victim@x.test\n"],
            &["", "Return-Path: <victim@x.test>\n", "Errors-To: victim@x.test\nReturn-Receipt-To: victim@x.test\n"],
            &["", "Disposition-Notification-To: victim@x.test\n", "Mail-Followup-To: victim@x.test\nMail-Reply-To: victim@x.test\n"],
            &["", "X-Original-To: victim@x.test\nDelivered-To: victim@x.test\n", "X-Forwarded-To: victim@x.test\n"],
            &["", "", with_token.as_str()],
            &[
                "Subject: Vraag\n",
                "Subject: Storing: alles ligt plat\n",
                "Subject: Re: [PK-00001] victim@x.test\n",
                "Subject: =?utf-8?q?a=0D=0ATo:_victim@x.test?=\n",
            ],
        ] {
            fields += dice.pick(choice);
        }
        let body = dice.pick(&[
            "Hoe werkt de export?",
            "Niemand kan meer inloggen, alles ligt plat.",
            "BSN van de aanvrager: 111222333",
            "Ja, dat was ik.",
            "Zet victim@x.test op de lijst.",
        ]);
        authors.insert(
            format!("<{n}@mail.example>"),
            from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end_matches('>')).to_lowercase(),
        );
        gate.deliver(&raw(&trace, &format!("From: {from}\n"), &fields, &format!("{body} {n}")));
    }
    let letters = gate.work();
    assert!(letters.len() > 100, "only {} answers", letters.len());
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let contacts = of(&[
        "a.devries@waterwolde.example",
        "i.bakker@waterwolde.example",
        "mette.soerensen@nordhavn.example",
        "juergen.weiss@heidetal.example",
    ]);
    let duty = of(&["wacht@zaakwijs.example"]);
    let mut answered = BTreeSet::new();
    for letter in &letters {
        let to = letter.to();
        let cc: BTreeSet<String> = letter.recipients().into_iter().filter(|one| *one != to).collect();
        assert!(cc.len() <= 1 && (cc.is_subset(&contacts) || cc.is_subset(&duty)), "{cc:?}");
        match letter.header("In-Reply-To") {
            Some(id) => {
                assert_eq!(Some(&to), authors.get(&id), "an answer goes to the author");
                assert!(answered.insert(id.clone()), "one answer a mail: {id}");
            }
            None => assert!(contacts.contains(&to) && cc.is_empty(), "only a listed contact is asked: {to}"),
        }
    }
    let outbox: Vec<Value> = gate.world.run(&["outbox", "list", "--all", "--json"]).ok().json();
    let asked = outbox.iter().filter(|row| row["template"] == "verify-identity").count();
    assert_eq!(asked, letters.iter().filter(|letter| letter.header("In-Reply-To").is_none()).count());
    assert!((1..=6).contains(&asked), "three questions a day to each of two contacts: {asked}");
}
