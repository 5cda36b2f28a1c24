//! A house whose desks have Maildirs: mail is laid in them by hand, and the clock is moved from command to command.

use super::database::sql;
use super::postgres::Postgres;
use super::world::{Outcome, World};
use postkamer::mailbox::maildir;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// A customer's mail.
#[derive(Clone, Default)]
pub struct Letter {
    pub from: String,
    pub name: String,
    pub subject: String,
    pub text: String,
    /// A file's name and its text.
    pub file: Option<(String, String)>,
    /// The Message-ID that it answers.
    pub answers: Option<String>,
    /// More header lines, each ending in CRLF.
    pub header: String,
}

impl Letter {
    /// A question of somebody whose domain vouches for them.
    pub fn from(from: &str, name: &str, subject: &str) -> Self {
        let text =
            format!("Goedemorgen,\r\n\r\nHoe stellen wij de termijn van een zaaktype in?\r\n\r\nMet vriendelijke groet,\r\n{name}\r\n");
        Self { from: from.to_owned(), name: name.to_owned(), subject: subject.to_owned(), text, ..Self::default() }
    }

    pub fn with_file(mut self, name: &str, text: &str) -> Self {
        self.file = Some((name.to_owned(), text.to_owned()));
        self
    }

    fn raw(&self, desk: &str, at: &str, number: u32) -> Vec<u8> {
        let domain = self.from.split('@').nth(1).unwrap();
        let date = at.parse::<jiff::Timestamp>().unwrap().strftime("%a, %d %b %Y %H:%M:%S +0000");
        let answers = self.answers.as_ref().map(|id| format!("In-Reply-To: {id}\r\n")).unwrap_or_default();
        let head = format!(
            "Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from={domain}\r\n\
             Received: from mx.{domain} by mx.zaakwijs.example; {date}\r\nFrom: {} <{}>\r\nTo: {desk}\r\nSubject: {}\r\n\
             Message-ID: <{number}@{domain}>\r\nDate: {date}\r\n{answers}{}MIME-Version: 1.0\r\n",
            self.name, self.from, self.subject, self.header
        );
        let body = match &self.file {
            None => format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}", self.text),
            Some((name, content)) => format!(
                "Content-Type: multipart/mixed; boundary=\"deel\"\r\n\r\n--deel\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n\
                 --deel\r\nContent-Type: text/csv; charset=utf-8; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n\
                 {content}\r\n--deel--\r\n",
                self.text
            ),
        };
        (head + &body).into_bytes()
    }
}

/// One installation on Maildirs.
pub struct House {
    pub world: World,
    letters: u32,
}

impl House {
    pub fn new() -> Self {
        Self::of(World::new())
    }

    pub fn on_postgres(name: &str) -> Self {
        Self::of(World::new().with_database(&Postgres::shared().database(name)))
    }

    /// The same house on both databases.
    pub fn both(name: &str) -> [Self; 2] {
        [Self::new(), Self::on_postgres(name)]
    }

    fn of(world: World) -> Self {
        for desk in ["support", "ict", "open", "closed", "nordic"] {
            maildir::create(&world.dir.join("mail").join(desk)).unwrap();
        }
        Self { world, letters: 0 }
    }

    /// Lays a mail into a desk's mailbox at that moment; it is taken in with the next [`House::work`].
    pub fn lay(&mut self, desk: &str, at: &str, letter: &Letter) {
        self.letters += 1;
        let raw = letter.raw(&self.world.desk(desk), at, self.letters);
        maildir::deliver(&self.world.dir.join("mail").join(desk), &raw, at.parse().unwrap()).unwrap();
    }

    /// Works off all mailboxes.
    #[track_caller]
    pub fn work(&self, at: &str) {
        self.world.run_at(at, &["run", "--once"]).ok();
    }

    /// A mail that arrives and is taken in at once.
    #[track_caller]
    pub fn receive(&mut self, desk: &str, at: &str, letter: &Letter) {
        self.lay(desk, at, letter);
        self.work(at);
    }

    /// A command, its words parted by spaces, at that moment.
    #[track_caller]
    pub fn at(&self, at: &str, command: &str) -> Outcome {
        self.world.run_at(at, &command.split_whitespace().collect::<Vec<_>>()).ok()
    }

    /// Removes what is due at that moment; the report.
    #[track_caller]
    pub fn forget(&self, at: &str) -> Value {
        self.at(at, "retention run --json").json().remove(0)
    }

    /// One field of every ticket, in the order opened.
    #[track_caller]
    pub fn tickets(&self, field: &str) -> Vec<Value> {
        self.world.run(&["tickets", "list", "--json"]).ok().json().iter().map(|ticket| ticket[field].clone()).collect()
    }

    /// How many originals lie in a desk's `done` folder.
    pub fn originals(&self, desk: &str) -> usize {
        let folder = self.world.dir.join("mail").join(desk).join(".Verwerkt/cur");
        fs::read_dir(folder).map(Iterator::count).unwrap_or_default()
    }

    /// The files of stored attachments.
    pub fn blobs(&self) -> Vec<PathBuf> {
        let Ok(parts) = fs::read_dir(self.world.state_dir().join("attachments")) else { return Vec::new() };
        parts.flat_map(|part| fs::read_dir(part.unwrap().path()).unwrap()).map(|file| file.unwrap().path()).collect()
    }

    /// Everything that any text column of the database says, in one text.
    pub fn whole_database(&self) -> String {
        const TEXTS: &[(&str, &[&str])] = &[
            ("ticket", &["requester", "cc", "organisation"]),
            ("entry", &["author", "author_name", "subject", "written", "quoted", "message_id"]),
            ("participant", &["address"]),
            ("attachment", &["name"]),
            ("outbox", &["to_address", "cc", "remaining", "message_id"]),
            ("identity_check", &["contact"]),
            ("profile", &["address", "name", "organisation", "phone", "mobile"]),
            ("portal_access", &["address", "name"]),
            ("erasure_due", &["request"]),
            ("audit", &["payload"]),
        ];
        let mut all = String::new();
        for (table, columns) in TEXTS {
            for column in *columns {
                all += &sql(&self.world, &format!("SELECT COALESCE({column}, '') FROM {table}")).unwrap().join("\n");
                all.push('\n');
            }
        }
        all += &self.letters_sent();
        all
    }

    /// The final bytes of all letters in the outbox, as text.
    fn letters_sent(&self) -> String {
        let postgres = fs::read_to_string(&self.world.config_path).unwrap().contains("postgres://");
        let text = if postgres { "encode(message, 'escape')" } else { "CAST(message AS TEXT)" };
        sql(&self.world, &format!("SELECT {text} FROM outbox")).unwrap().join("\n")
    }
}
