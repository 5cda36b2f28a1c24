//! A story lived through: real mailboxes, the real binary, real replies in the mailboxes of those who wrote.

use super::script::{Mail, Reply, Story};
use crate::support::dovecot::{Dovecot, Store};
use crate::support::postgres::Postgres;
use crate::support::smtp::Smtp;
use crate::support::world::World;
use crate::support::{DEADLINE, field};
use jiff::Timestamp;
use mail_parser::MessageParser;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use toml_edit::{Item, Table, value};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Stories lived through side by side; each lane has servers of its own.
const LANES: usize = 2;

/// Lives through all of them, and panics with everything that came otherwise than written.
pub fn live(stories: &[&Story], database: Database) {
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..LANES.min(stories.len()) {
            scope.spawn(|| {
                let dovecot = Dovecot::start(Store::Maildir);
                let smtp = Smtp::start(&dovecot);
                while let Some(story) = stories.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let life = AssertUnwindSafe(|| Life::begin(story, &dovecot, &smtp, database).live_to_the_end());
                    let mut found = catch_unwind(life).unwrap_or_else(|cause| vec![said(&*cause)]);
                    found.iter_mut().for_each(|complaint| *complaint = format!("{}: {complaint}", story.name));
                    complaints.lock().unwrap().append(&mut found);
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{} things came otherwise than told:\n{}", complaints.len(), complaints.join("\n"));
}

fn said(cause: &(dyn std::any::Any + Send)) -> String {
    cause.downcast_ref::<String>().cloned().or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default()
}

/// Where the redirect replies point in fixtures/world.
const PORTAL: &str = "https://portaal.zaakwijs.example";

/// A story on its way.
struct Life<'a> {
    story: &'a Story,
    dovecot: &'a Dovecot,
    smtp: &'a Smtp,
    world: World,
    /// Files of customers' mail that were there before.
    old: BTreeSet<PathBuf>,
    /// The replies to each mail so far, by template.
    sent: Vec<Vec<(String, Letter)>>,
    /// The letters of agents so far, by template.
    letters: Vec<(String, Letter)>,
    /// Mails that lie in each desk's folders by now.
    waiting: BTreeMap<String, usize>,
    filed: BTreeMap<String, usize>,
    complaints: Vec<String>,
}

/// A reply of ours, as it reached those it was sent to.
#[derive(Clone)]
struct Letter {
    raw: String,
    message_id: String,
    subject: String,
    text: String,
    mailboxes: BTreeSet<String>,
}

impl<'a> Life<'a> {
    fn begin(story: &'a Story, dovecot: &'a Dovecot, smtp: &'a Smtp, database: Database) -> Self {
        let mut world = World::on(dovecot, smtp);
        if database == Database::Postgres {
            world = world.with_database(&Postgres::shared().database("story"));
        }
        story.adapt(&world);
        // Each story has mailboxes of its own; a desk that gets no mail in it needs none.
        let desks: BTreeSet<&str> = story.mail.iter().map(|mail| mail.desk.as_str()).collect();
        let world_dir = world.dir.clone();
        world.edit(|config| {
            for desk in config["desk"].as_array_of_tables_mut().unwrap().iter_mut() {
                let name = desk["name"].as_str().unwrap().to_owned();
                if desks.contains(name.as_str()) {
                    let user = mailbox(story, &name);
                    dovecot.add_user(&user, &format!("mailbox-of-{name}"));
                    desk["mailbox"]["username"] = value(user);
                } else {
                    for part in ["cur", "new", "tmp"] {
                        fs::create_dir_all(world_dir.join("mail").join(&name).join(part)).unwrap();
                    }
                    let mut maildir = Table::new();
                    maildir["kind"] = value("maildir");
                    maildir["path"] = value(format!("mail/{name}"));
                    desk["mailbox"] = Item::Table(maildir);
                }
            }
        });
        let old = customers_mail(dovecot).into_iter().collect();
        Self {
            story,
            dovecot,
            smtp,
            world,
            old,
            sent: Vec::new(),
            letters: Vec::new(),
            waiting: BTreeMap::new(),
            filed: BTreeMap::new(),
            complaints: Vec::new(),
        }
    }

    fn live_to_the_end(mut self) -> Vec<String> {
        for (number, mail) in self.story.mail.iter().enumerate() {
            for command in &mail.before {
                self.give(command, &mail.now);
            }
            self.read_the_letters(number, mail);
            self.deliver(mail);
            let outcome = self.world.run_at(&mail.now, &["run", "--once"]);
            if outcome.status != Some(0) {
                self.complaints.push(format!("mail {}: {outcome:?}", number + 1));
                return self.complaints;
            }
            let told = format!("verdict={:?} reasons={:?} ", mail.verdict, mail.reasons.join(","));
            let judged = outcome.stderr.lines().rev().find(|line| line.contains(" verdict=")).unwrap_or("no verdict");
            if !judged.contains(&told) {
                self.complaints.push(format!("mail {}: told {told}\n  came {judged}", number + 1));
            }
            self.look_at_the_mailbox(number, mail);
            self.read_the_replies(number, mail);
            if !self.complaints.is_empty() {
                // What follows would only echo it.
                return self.complaints;
            }
        }
        self.look_at_the_tickets();
        self.look_at_the_outbox();
        self.complaints
    }

    /// A command of the story's agents: `at TIME command …`; tickets are counted within the story.
    fn give(&mut self, command: &str, now: &str) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (at, words) = match words.as_slice() {
            ["at", at, words @ ..] => (*at, words),
            words => (now, words),
        };
        let words: Vec<String> =
            words.iter().map(|word| if word.starts_with("PK-") { self.real_number(word) } else { (*word).to_owned() }).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.world.run_at(at, &words).ok();
    }

    fn tickets(&self) -> Vec<Value> {
        let mut tickets = self.world.run(&["tickets", "list", "--json"]).ok().json();
        tickets.sort_by_key(|ticket| ticket["id"].as_i64());
        tickets
    }

    /// The number of the story's n-th ticket; the sequence of numbers may have gaps.
    fn real_number(&self, number: &str) -> String {
        let nth: usize = number.trim_start_matches("PK-").parse().expect("a ticket number such as PK-00001");
        let tickets = self.tickets();
        let ticket = tickets.get(nth - 1).unwrap_or_else(|| panic!("there is no {number}, only {} tickets", tickets.len()));
        ticket["number"].as_str().expect("a number").to_owned()
    }

    fn deliver(&self, mail: &Mail) {
        let arrived: Timestamp = mail.received.as_ref().unwrap_or(&mail.now).parse().expect("an RFC 3339 time");
        let mut raw = mail.raw();
        for (number, letters) in self.sent.iter().enumerate() {
            let number = number + 1;
            if let Some((_, first)) = letters.first() {
                raw = replaced(&raw, &format!("{{{{reply:{number}}}}}"), &first.message_id);
                raw = replaced(&raw, &format!("{{{{loop:{number}}}}}"), &field(&first.raw, "X-Postkamer-Loop").unwrap_or_default());
            }
            for (template, letter) in letters {
                raw = replaced(&raw, &format!("{{{{reply:{number}:{template}}}}}"), &letter.message_id);
            }
        }
        for (template, letter) in &self.letters {
            raw = replaced(&raw, &format!("{{{{letter:{template}}}}}"), &letter.message_id);
        }
        assert!(!contains(&raw, b"{{letter:"), "{} speaks of a letter that was never sent", mail.file);
        assert!(!contains(&raw, b"{{reply:") && !contains(&raw, b"{{loop:"), "{} speaks of a reply that was never sent", mail.file);
        self.dovecot.append(&mailbox(self.story, &mail.desk), "INBOX", &raw, Some(arrived));
    }

    /// Whether the mail was filed, deleted or kept, and all others are where they were.
    fn look_at_the_mailbox(&mut self, number: usize, mail: &Mail) {
        match mail.server.as_str() {
            "file" => *self.filed.entry(mail.desk.clone()).or_default() += 1,
            "keep" => *self.waiting.entry(mail.desk.clone()).or_default() += 1,
            _ => {}
        }
        let user = mailbox(self.story, &mail.desk);
        for (folder, due) in [("INBOX", self.waiting.get(&mail.desk)), ("Verwerkt", self.filed.get(&mail.desk))] {
            let due = due.copied().unwrap_or_default();
            let came = self.dovecot.count(&user, folder) as usize;
            if came != due {
                self.complaints.push(format!("mail {}, {}: {came} mails in {folder}, not {due}", number + 1, mail.server));
            }
        }
    }

    /// The letters that agents sent before the mail arrives.
    fn read_the_letters(&mut self, number: usize, mail: &Mail) {
        if mail.letters.is_empty() {
            return;
        }
        self.world.run_at(&mail.now, &["run", "--once"]).ok();
        let Some(arrived) = self.new_letters(number, mail.letters.iter().map(|letter| 1 + letter.cc.len()).sum()) else { return };
        for (told, letter) in mail.letters.iter().zip(arrived) {
            let wrong = letter.otherwise_than(told, self);
            self.complaints.extend(wrong.into_iter().map(|what| format!("mail {}: {}: {what}", number + 1, told.template)));
            self.letters.push((told.template.clone(), letter));
        }
    }

    fn read_the_replies(&mut self, number: usize, mail: &Mail) {
        let copies: usize = mail.replies.iter().map(|reply| 1 + reply.cc.len()).sum();
        let Some(mut letters) = self.new_letters(number, copies) else { return };
        let sender = sender(&mail.raw());
        let mut sent = Vec::new();
        for reply in &mail.replies {
            let to_sender = reply.to == "sender";
            let found = letters.iter().position(|letter| letter.to().eq_ignore_ascii_case(&sender) == to_sender);
            let Some(found) = found else {
                self.complaints.push(format!("mail {}: {} to {} did not arrive", number + 1, reply.template, reply.to));
                continue;
            };
            let letter = letters.swap_remove(found);
            self.complaints.extend(
                letter.otherwise_than(reply, self).into_iter().map(|what| format!("mail {}: {}: {what}", number + 1, reply.template)),
            );
            sent.push((reply.template.clone(), letter));
        }
        for letter in letters {
            self.complaints.push(format!("mail {}: nobody told of this reply to {:?}: {}", number + 1, letter.mailboxes, letter.subject));
        }
        // Those to the sender first, so that `{{reply:1}}` is the one that the sender can answer.
        sent.sort_by_key(|(template, _)| template == "verify-identity");
        self.sent.push(sent);
    }

    /// All letters that arrived since the last look: at least so many copies.
    fn new_letters(&mut self, number: usize, copies: usize) -> Option<Vec<Letter>> {
        let new = || -> Vec<PathBuf> { customers_mail(self.dovecot).into_iter().filter(|file| !self.old.contains(file)).collect() };
        // The run has handed everything over when it ends; the mail server may still be at it.
        let start = Instant::now();
        while new().len() < copies && start.elapsed() < DEADLINE {
            std::thread::sleep(Duration::from_millis(15));
        }
        let new = new();
        if new.len() < copies {
            self.complaints.push(format!(
                "mail {}: {} of {copies} copies of replies arrived; the mail server says:\n{}",
                number + 1,
                new.len(),
                self.smtp.logs()
            ));
            return None;
        }
        self.old.extend(new.iter().cloned());
        let mut letters: BTreeMap<String, Letter> = BTreeMap::new();
        for file in new {
            let letter = Letter::read(&file);
            letters.entry(letter.message_id.clone()).and_modify(|known| known.mailboxes.extend(letter.mailboxes.clone())).or_insert(letter);
        }
        Some(letters.into_values().collect())
    }

    fn look_at_the_tickets(&mut self) {
        let tickets = self.tickets();
        if tickets.len() != self.story.ticket.len() {
            self.complaints.push(format!("{} tickets, not {}: {tickets:?}", tickets.len(), self.story.ticket.len()));
        }
        for (ticket, told) in tickets.iter().zip(&self.story.ticket) {
            let real = ticket["number"].as_str().unwrap_or_default().to_owned();
            for (field, due) in told.listed(&real) {
                if ticket[field] != due {
                    self.complaints.push(format!("{}: {field} is {}, not {due}", told.number, ticket[field]));
                }
            }
        }
    }
}

impl Life<'_> {
    /// Every letter that was written is one that arrived, and is the one that was told.
    fn look_at_the_outbox(&mut self) {
        let outbox = self.world.run(&["outbox", "list", "--all", "--json"]).ok().json();
        let mut written: BTreeMap<String, String> = BTreeMap::new();
        for letter in &outbox {
            if letter["state"] != "sent" {
                self.complaints.push(format!("a letter is not sent: {letter}"));
            }
            written.insert(letter["id"].to_string(), letter["template"].as_str().unwrap_or_default().to_owned());
        }
        // The Message-ID begins with the letter's number.
        let arrived: BTreeMap<String, String> = self
            .sent
            .iter()
            .flatten()
            .chain(&self.letters)
            .map(|(template, letter)| {
                (letter.message_id.trim_start_matches('<').split('.').next().unwrap_or_default().to_owned(), template.clone())
            })
            .collect();
        if written != arrived {
            self.complaints.push(format!("letters written {written:?}, told and arrived {arrived:?}"));
        }
    }
}

impl Letter {
    /// Reads one copy; the mailbox is the directory that it lies in.
    fn read(file: &Path) -> Self {
        let raw = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: a reply is UTF-8: {error}", file.display()));
        let message = MessageParser::default().parse(raw.as_bytes()).expect("a reply is a mail");
        let owner = file.ancestors().nth(3).and_then(Path::file_name).expect("MAILBOX/Maildir/new/FILE");
        Self {
            message_id: field(&raw, "Message-ID").expect("a reply has a Message-ID"),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            mailboxes: BTreeSet::from([owner.to_string_lossy().into_owned()]),
            raw,
        }
    }

    /// The bare address in To.
    fn to(&self) -> String {
        bare(&field(&self.raw, "To").unwrap_or_default())
    }

    fn otherwise_than(&self, due: &Reply, life: &Life<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        let cc: BTreeSet<String> = field(&self.raw, "Cc").iter().flat_map(|cc| cc.split(',')).map(bare).collect();
        if cc.len() != due.cc.len() {
            wrong.push(format!("Cc {cc:?}, told {:?}", due.cc));
        }
        if let Some(addresses) = &due.cc_addresses
            && cc != addresses.iter().cloned().collect()
        {
            wrong.push(format!("Cc {cc:?}, not {addresses:?}"));
        }
        let reached: BTreeSet<String> = cc.into_iter().chain([self.to()]).map(|address| address.to_lowercase()).collect();
        if self.mailboxes.iter().map(|owner| owner.to_lowercase()).collect::<BTreeSet<_>>() != reached {
            wrong.push(format!("reached {:?}, not {reached:?}", self.mailboxes));
        }
        if let Some(language) = &due.language
            && field(&self.raw, "Content-Language").as_ref() != Some(language)
        {
            wrong.push(format!("language {:?}, not {language}", field(&self.raw, "Content-Language")));
        }
        let redirects = ["message-rejected", "attachments-rejected", "attachment-unreadable"].contains(&due.template.as_str());
        if redirects && !self.text.lines().any(|line| line.trim() == PORTAL) {
            wrong.push(format!("the portal is not on a line of its own:\n{}", self.text));
        }
        let shown = format!("{}\n{}", self.subject, self.text).to_lowercase();
        for phrase in &due.says {
            let phrase = if phrase.starts_with("PK-") { life.real_number(phrase) } else { phrase.clone() };
            if !shown.contains(&phrase.to_lowercase()) {
                wrong.push(format!("does not say {phrase:?}:\n{shown}"));
            }
        }
        for phrase in &due.never {
            if shown.contains(&phrase.to_lowercase()) {
                wrong.push(format!("says {phrase:?}:\n{shown}"));
            }
        }
        wrong
    }
}

/// How the users begin whose mailboxes are desks; all other mailboxes are customers'.
const DESKS: &str = "desk.";

/// The user whose mailbox is that desk's in this story.
fn mailbox(story: &Story, desk: &str) -> String {
    format!("{DESKS}{desk}.{}@zaakwijs.example", story.name)
}

/// The files of all mail that lies in mailboxes of customers and of the desks' duty contacts.
fn customers_mail(dovecot: &Dovecot) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for owner in fs::read_dir(dovecot.files()).unwrap().map(Result::unwrap) {
        if owner.file_name().to_string_lossy().starts_with(DESKS) {
            continue;
        }
        for folder in ["new", "cur"] {
            let Ok(entries) = fs::read_dir(owner.path().join("Maildir").join(folder)) else { continue };
            files.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
    files
}

/// The address between the last angle brackets, or all but a comment.
fn bare(mailbox: &str) -> String {
    let inside = mailbox.rsplit_once('<').map_or(mailbox, |(_, rest)| rest.split('>').next().unwrap_or(rest));
    inside.split('(').next().unwrap_or(inside).trim().to_owned()
}

fn sender(raw: &[u8]) -> String {
    bare(&field(&String::from_utf8_lossy(raw), "From").unwrap_or_default()).to_lowercase()
}

fn contains(raw: &[u8], what: &[u8]) -> bool {
    raw.windows(what.len()).any(|window| window == what)
}

pub fn replaced(raw: &[u8], what: &str, by: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(by.as_bytes());
        rest = &rest[at + what.len()..];
    }
    out.extend_from_slice(rest);
    out
}
