//! The promises of THREATS §4, checked by somebody who knows none of postkamer's code: its database by plain SQL, its files, and
//! what the servers saw.
//!
//! | | promise | checked |
//! |---|---|---|
//! | I1 | a mail removed or moved has exactly one committed result | always |
//! | I2 | at most one ticket entry for a mail and for a content | always |
//! | I3 | nothing happens on a server before the result is committed | always: see I1, looked at while work goes on |
//! | I4 | every reply ends; one copy for each Message-ID, more only where an answer was lost | always; the end when settled |
//! | I5 | nothing of what was rejected is left | where forbidden words are given |
//! | I7 | the epochs of a mailbox never go back | always |
//! | I8 | one audit record for each decision, in one unbroken chain | always |
//! | I10 | nobody gets a copy whom the reply does not name | always |
//!
//! And when everything is settled: each mail offered has one fate, nothing is in hand, nothing is owed, and the attachments
//! are exactly those that tickets have. Where it is known what the policy says of each mail ([`Wanted`]), each has that fate, lies in the
//! done folder or nowhere, stands on a ticket once, and is answered once or not at all. I6 (one bad mail holds up no other) and I9
//! (memory, files, time) have tests of their own.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// A mail by its place: mailbox (the desk's name), UIDVALIDITY, UID.
pub type Key = (String, u32, u32);

/// What was seen on the servers, whatever postkamer believes.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Mails that were put into mailboxes.
    pub offered: Vec<Key>,
    /// Those that still lie where they were put.
    pub waiting: BTreeSet<Key>,
    /// Copies that SMTP servers took, whether or not their answers arrived.
    pub sent: Vec<SentCopy>,
    /// What must come of each mail, where somebody knows it.
    pub wanted: BTreeMap<Key, Wanted>,
    /// What lies in done folders: mailbox and Message-ID. Only looked at for mails of which is known what must come of them.
    pub filed: Vec<(String, String)>,
    /// Words that must not be left anywhere in the database, the state directory and these.
    pub forbidden: Vec<String>,
    pub places: Vec<PathBuf>,
}

/// A copy of a reply. Ids are without brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SentCopy {
    pub message_id: String,
    pub recipient: String,
    /// Which mail it answers, where that is looked at.
    pub in_reply_to: String,
}

impl SentCopy {
    /// With or without brackets.
    pub fn of(message_id: &str, recipient: &str) -> Self {
        let message_id = message_id.trim_matches(['<', '>']).to_owned();
        Self { message_id, recipient: recipient.to_owned(), in_reply_to: String::new() }
    }
}

/// What must come of a mail.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Without brackets; mails that are equal to the letter share it, and then any of them may have come first.
    pub message_id: String,
    /// Outcomes, or states of mails without one, that are right.
    pub fates: &'static [&'static str],
    /// Whether it goes into the done folder, or for good.
    pub is_filed: bool,
    pub is_answered: bool,
    /// Whether it stands on a ticket.
    pub makes_entry: bool,
}

/// What comes of a promise that was not kept: the figures that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    MailLost,
    MailDoubled,
    MailUnexpected,
    ReplyLost,
    ReplyDoubled,
    ReplyUnasked,
    Residue,
    NotVerified,
    /// The record, an epoch, an attachment, work without an end.
    Disorder,
}

impl Harm {
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::MailLost, "mails lost"),
        (Self::MailDoubled, "mails doubled"),
        (Self::MailUnexpected, "mails with an unexpected result"),
        (Self::ReplyLost, "replies lost"),
        (Self::ReplyDoubled, "replies doubled"),
        (Self::ReplyUnasked, "replies nobody asked for"),
        (Self::Residue, "places where a rejected identity number is left"),
        (Self::NotVerified, "server actions not verified"),
        (Self::Disorder, "other promises broken (record, leases, attachments)"),
    ];
}

/// A promise that was not kept, in a sentence.
#[derive(Clone)]
pub struct Broken {
    pub harm: Harm,
    what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.harm, self.what)
    }
}

/// What was found so far.
#[derive(Default)]
struct Findings(Vec<Broken>);

impl Findings {
    fn add(&mut self, harm: Harm, what: impl Into<String>) {
        self.0.push(Broken { harm, what: what.into() });
    }
}

/// Where postkamer keeps what it remembers.
#[derive(Clone, Debug)]
pub struct Books {
    /// As [`postkamer::store::Store::open`] takes it, but an SQLite path is whole.
    pub url: String,
    pub state_dir: PathBuf,
    pub attachments: PathBuf,
}

/// How many mails had which fate.
pub type Fates = BTreeMap<String, usize>;

impl Books {
    /// The usual places of an installation on SQLite.
    pub fn sqlite(state_dir: &Path) -> Self {
        Self {
            url: format!("sqlite://{}", state_dir.join("postkamer.db").display()),
            state_dir: state_dir.to_owned(),
            attachments: state_dir.join("attachments"),
        }
    }

    /// Rows as texts, columns parted by `|`.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        Reader::open(&self.url).rows(sql)
    }

    /// Changes them behind postkamer's back, as time or a misfortune would.
    pub fn change(&self, sql: &str) {
        let books = Reader::open(&self.url);
        books.runtime.block_on(books.database.execute_unprepared(sql)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// What holds at any moment between two steps: all promises that were broken.
    pub fn broken(&self, outside: &Outside) -> Vec<Broken> {
        let books = Reader::open(&self.url);
        let mut broken = Findings::default();
        one_result(&books, outside, &mut broken);
        one_entry(&books, &mut broken);
        one_copy(&books, outside, &mut broken);
        one_chain(&books, &mut broken);
        self.nothing_forbidden(&books, outside, &mut broken);
        broken.0
    }

    /// What holds beside that once everything has come to rest.
    pub fn unsettled(&self, outside: &Outside) -> Vec<Broken> {
        let books = Reader::open(&self.url);
        let mut broken = Findings::default();
        let fates = fates(&books, outside);
        for (key, fate) in fates.iter().filter(|(_, fate)| fate.len() != 1) {
            let harm = if fate.is_empty() { Harm::MailLost } else { Harm::MailDoubled };
            broken.add(harm, format!("{key:?} has {} fates: {fate:?}", fate.len()));
        }
        for (harm, what, rows) in [
            (
                Harm::Disorder,
                "a mail is still in hand",
                "SELECT mailbox || '|' || uid || '|' || state FROM arrival WHERE state NOT IN ('deferred', 'stuck')",
            ),
            (
                Harm::NotVerified,
                "something is still to be done on a server",
                "SELECT mailbox || '|' || uid || '|' || server_action FROM mail WHERE action_state = 'due'",
            ),
            (Harm::Disorder, "I4: a reply has not ended", "SELECT id || '|' || state FROM outbox WHERE state NOT IN ('sent', 'dead')"),
        ] {
            books.rows(rows).iter().for_each(|row| broken.add(harm, format!("{what}: {row}")));
        }
        let done = "SELECT mailbox || '|' || validity || '|' || uid FROM mail WHERE action_state = 'done'";
        for key in books.rows(done).iter().map(|row| key(row)).filter(|key| outside.waiting.contains(key)) {
            broken.add(Harm::NotVerified, format!("{key:?} is said to be filed or deleted, and still lies there"));
        }
        as_wanted(&books, outside, &fates, &mut broken);
        answered_as_wanted(outside, &mut broken);
        self.exactly_the_attachments(&books, &mut broken);
        broken.0
    }

    /// How many of the mails offered had which fate: the sum is the number offered when none is lost.
    pub fn fates(&self, outside: &Outside) -> Fates {
        let mut counts = Fates::new();
        for (_, fate) in fates(&Reader::open(&self.url), outside) {
            *counts.entry(fate.into_iter().next().unwrap_or_else(|| "lost".to_owned())).or_default() += 1;
        }
        counts
    }

    /// Copies of replies beyond the first.
    pub fn repeated(outside: &Outside) -> usize {
        outside.sent.len() - outside.sent.iter().collect::<BTreeSet<_>>().len()
    }

    fn nothing_forbidden(&self, books: &Reader, outside: &Outside, broken: &mut Findings) {
        if outside.forbidden.is_empty() {
            return;
        }
        for file in std::iter::once(&self.state_dir).chain(&outside.places).flat_map(|place| files_below(place)) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            for (place, word) in outside.forbidden.iter().enumerate() {
                if bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes())) {
                    broken.add(Harm::Residue, format!("I5: {} holds forbidden word {place}", file.display()));
                }
            }
        }
        if self.url.starts_with("sqlite") {
            return;
        }
        for table in books.rows("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'") {
            for (place, word) in outside.forbidden.iter().enumerate() {
                let rows = books.rows(&format!("SELECT 'row' FROM \"{table}\" AS it WHERE strpos(lower(it::text), lower('{word}')) > 0"));
                rows.iter().for_each(|_| broken.add(Harm::Residue, format!("I5: a row of {table} holds forbidden word {place}")));
            }
        }
    }

    fn exactly_the_attachments(&self, books: &Reader, broken: &mut Findings) {
        let mut named: BTreeSet<String> = books.rows("SELECT DISTINCT sha256 FROM attachment").into_iter().collect();
        for file in files_below(&self.attachments) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let content: String =
                Sha256::digest(std::fs::read(&file).unwrap_or_default()).iter().map(|byte| format!("{byte:02x}")).collect();
            if !named.remove(&name) {
                broken.add(Harm::Disorder, format!("an attachment that no ticket has: {name}"));
            } else if content != name {
                broken.add(Harm::Disorder, format!("an attachment that is not what it was: {name}"));
            }
        }
        named.iter().for_each(|name| broken.add(Harm::Disorder, format!("an attachment that is gone: {name}")));
    }
}

/// Where it is known what must come of mails: their fates, where they lie, and what stands on tickets.
fn as_wanted(books: &Reader, outside: &Outside, fates: &BTreeMap<Key, Vec<String>>, broken: &mut Findings) {
    if outside.wanted.is_empty() {
        return;
    }
    let mut alike: BTreeMap<(&str, &str), Vec<(&Key, &Wanted)>> = BTreeMap::new();
    for (key, wanted) in &outside.wanted {
        alike.entry((&key.0, &wanted.message_id)).or_default().push((key, wanted));
    }
    let mut filed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    outside.filed.iter().for_each(|(mailbox, id)| *filed.entry((mailbox, id)).or_default() += 1);
    let mut entries: BTreeMap<String, usize> = BTreeMap::new();
    for id in books.rows("SELECT message_id FROM entry WHERE kind = 'mail'") {
        *entries.entry(id.trim_matches(['<', '>']).to_owned()).or_default() += 1;
    }
    let amount = |found: usize, due: usize| if found < due { Harm::MailLost } else { Harm::MailDoubled };
    for (group, mails) in &alike {
        let gone = mails.iter().filter(|(key, _)| !outside.waiting.contains(*key)).count();
        for (key, _) in mails {
            for fate in fates.get(*key).into_iter().flatten() {
                if !mails.iter().any(|(_, wanted)| wanted.fates.contains(&fate.as_str())) {
                    broken.add(Harm::MailUnexpected, format!("{key:?} came to {fate} in place of {:?}", mails[0].1.fates));
                }
            }
        }
        let (found, due) = (filed.remove(group).unwrap_or_default(), if mails[0].1.is_filed { gone } else { 0 });
        if found != due {
            broken.add(amount(found, due), format!("{found} copies of {group:?} are filed in place of {due}"));
        }
        let due = usize::from(gone > 0 && mails.iter().any(|(_, wanted)| wanted.makes_entry));
        let found = entries.remove(group.1).unwrap_or_default();
        if found != due {
            broken.add(amount(found, due), format!("{found} entries of {group:?} in place of {due}"));
        }
    }
    filed.keys().for_each(|group| broken.add(Harm::MailUnexpected, format!("{group:?} is filed and was never offered")));
    entries.keys().for_each(|id| broken.add(Harm::MailUnexpected, format!("an entry of {id}, which was never offered")));
}

/// And who is answered: once, by one reply, or not at all.
fn answered_as_wanted(outside: &Outside, broken: &mut Findings) {
    if outside.wanted.is_empty() {
        return;
    }
    let mut replies: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for copy in &outside.sent {
        replies.entry(&copy.in_reply_to).or_default().insert(&copy.message_id);
    }
    for id in outside.answerable() {
        match replies.remove(id).map_or(0, |replies| replies.len()) {
            0 => broken.add(Harm::ReplyLost, format!("nobody answered {id}")),
            1 => {}
            more => broken.add(Harm::ReplyDoubled, format!("{more} different answers to {id}")),
        }
    }
    replies.iter().for_each(|(id, replies)| broken.add(Harm::ReplyUnasked, format!("{replies:?} answer {id}, which wants no answer")));
}

impl Outside {
    /// Mails that must be answered, by Message-ID: those that were dealt with.
    pub fn answerable(&self) -> BTreeSet<&str> {
        let dealt_with = |(key, wanted): &(&Key, &Wanted)| wanted.is_answered && !self.waiting.contains(*key);
        self.wanted.iter().filter(dealt_with).map(|(_, wanted)| wanted.message_id.as_str()).collect()
    }
}

/// I1, and with it I3.
fn one_result(books: &Reader, outside: &Outside, broken: &mut Findings) {
    let mut results: BTreeMap<Key, usize> = BTreeMap::new();
    for row in books.rows("SELECT mailbox || '|' || validity || '|' || uid FROM mail") {
        *results.entry(key(&row)).or_default() += 1;
    }
    for key in &outside.offered {
        let count = results.get(key).copied().unwrap_or_default();
        if count > 1 || (count == 0 && !outside.waiting.contains(key)) {
            let harm = if count > 1 { Harm::MailDoubled } else { Harm::MailLost };
            let place = if outside.waiting.contains(key) { "is" } else { "is not" };
            broken.add(harm, format!("I1: {key:?} has {count} results and {place} there"));
        }
    }
}

/// I2.
fn one_entry(books: &Reader, broken: &mut Findings) {
    for column in ["digest", "mail_id"] {
        let twice = format!("SELECT {column} || '' FROM entry WHERE kind = 'mail' GROUP BY {column} HAVING COUNT(*) > 1");
        books.rows(&twice).iter().for_each(|row| broken.add(Harm::MailDoubled, format!("I2: two entries of one {column}: {row}")));
    }
}

/// I4 and I10.
fn one_copy(books: &Reader, outside: &Outside, broken: &mut Findings) {
    let mut copies: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for copy in &outside.sent {
        *copies.entry(&copy.message_id).or_default().entry(&copy.recipient).or_default() += 1;
    }
    let all = "SELECT message_id || '|' || to_address || '|' || cc || '|' || state || '|' || unclear FROM outbox";
    for row in books.rows(all) {
        let columns: Vec<&str> = row.split('|').collect();
        let [message_id, to, cc, state, unclear] = columns[..] else { panic!("{row}") };
        let named: BTreeSet<String> = serde_json::from_str::<Vec<String>>(cc).unwrap().into_iter().chain([to.to_owned()]).collect();
        // While it is claimed, nobody knows yet whether it went out.
        let doubts: i64 = unclear.parse::<i64>().unwrap() + i64::from(state == "claimed");
        let arrived = copies.remove(message_id.trim_matches(['<', '>'])).unwrap_or_default();
        for (recipient, count) in &arrived {
            if !named.contains(*recipient) {
                broken.add(Harm::ReplyUnasked, format!("I10: reply {message_id} went to somebody whom it does not name"));
            }
            if *count > 1 + doubts {
                broken.add(Harm::ReplyDoubled, format!("I4: {count} copies of reply {message_id}, with {unclear} answers lost"));
            }
        }
        if state == "sent" && arrived.is_empty() {
            broken.add(Harm::ReplyLost, format!("I4: reply {message_id} is said to be sent, and nobody has it"));
        }
    }
    copies.keys().for_each(|message_id| broken.add(Harm::ReplyUnasked, format!("I4: {message_id} was sent, and nothing is known of it")));
}

/// I7 and I8.
fn one_chain(books: &Reader, broken: &mut Findings) {
    let mut previous = "0".repeat(64);
    let mut epochs: BTreeMap<String, i64> = BTreeMap::new();
    let (mut decided, mut deleted): (Vec<Key>, Vec<Key>) = (Vec::new(), Vec::new());
    let rows = books.rows("SELECT seq || '|' || at || '|' || prev_hash || '|' || hash || '|' || payload FROM audit ORDER BY seq");
    for (place, row) in rows.iter().enumerate() {
        let columns: Vec<&str> = row.splitn(5, '|').collect();
        let [seq, at, prev_hash, hash, payload] = columns[..] else { panic!("{row}") };
        let link: String = Sha256::digest(format!("{previous}\n{seq}\n{at}\n{payload}")).iter().map(|byte| format!("{byte:02x}")).collect();
        if seq != (place + 1).to_string() || prev_hash != previous || hash != link {
            broken.add(Harm::Disorder, format!("I8: the audit record is broken at {seq}"));
        }
        previous = hash.to_owned();
        let record: Value = serde_json::from_str(payload).unwrap();
        let number = |name: &str| u32::try_from(record[name].as_u64().unwrap()).unwrap();
        let key = || (record["mailbox"].as_str().unwrap().to_owned(), number("validity"), number("uid"));
        match record["what"].as_str() {
            Some("mail") => {
                let (epoch, last) = (record["epoch"].as_i64().unwrap(), epochs.entry(key().0).or_default());
                if epoch < *last {
                    broken.add(Harm::Disorder, format!("I7: epoch {epoch} after {last}"));
                }
                *last = epoch;
                decided.push(key());
            }
            Some("deleted") => deleted.push(key()),
            _ => {}
        }
    }
    let mut of = |what: &str, mut recorded: Vec<Key>, sql: &str| {
        let mut booked: Vec<Key> = books.rows(sql).iter().map(|row| key(row)).collect();
        booked.sort();
        recorded.sort();
        if booked != recorded {
            broken.add(Harm::Disorder, format!("I8: {what}: booked {booked:?}, on record {recorded:?}"));
        }
    };
    of("decisions", decided, "SELECT mailbox || '|' || validity || '|' || uid FROM mail");
    let gone = "SELECT mailbox || '|' || validity || '|' || uid FROM mail WHERE server_action = 'delete' AND action_state = 'done'";
    of("deletions", deleted, gone);
}

/// What became of each mail that was offered.
fn fates(books: &Reader, outside: &Outside) -> BTreeMap<Key, Vec<String>> {
    let mut fates: BTreeMap<Key, Vec<String>> = outside.offered.iter().map(|key| (key.clone(), Vec::new())).collect();
    let results = "SELECT mailbox || '|' || validity || '|' || uid || '|' || outcome FROM mail";
    let without = "SELECT mailbox || '|' || validity || '|' || uid || '|' || state FROM arrival";
    for row in [books.rows(results), books.rows(without)].concat() {
        if let Some(fate) = fates.get_mut(&key(&row)) {
            fate.push(row.rsplit('|').next().unwrap().to_owned());
        }
    }
    fates
}

fn key(row: &str) -> Key {
    let mut columns = row.split('|');
    let mut next = || columns.next().unwrap();
    (next().to_owned(), next().parse().unwrap(), next().parse().unwrap())
}

/// All files in a directory, in order.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() { waiting.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.sort();
    files
}

/// One connection, which only reads.
struct Reader {
    runtime: tokio::runtime::Runtime,
    database: DatabaseConnection,
}

impl Reader {
    fn open(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut options = sea_orm::ConnectOptions::new(if url.starts_with("sqlite") { format!("{url}?mode=ro") } else { url.to_owned() });
        options.max_connections(1).sqlx_logging(false);
        let database = runtime.block_on(Database::connect(options)).expect("the checker reaches the database");
        Self { runtime, database }
    }

    /// Rows of one text column.
    fn rows(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(self.database.get_database_backend(), sql);
        let rows = self.runtime.block_on(self.database.query_all_raw(statement)).unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(|row| row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default()).collect()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.database.close_by_ref());
    }
}
