//! Attacks that happened to help desks, one test each under its number in the table of threats: what comes in, and what must
//! come of it. Through the commands, on Maildirs with replies as files, unless a server is the attacker.

mod content;
mod identity;
mod sending;
mod servers;
mod tickets;

use crate::support::world::World;
use mail_parser::MessageParser;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use toml_edit::DocumentMut;

/// What time it is at the gate.
pub const NOW: &str = "2026-11-21T10:15:00+01:00";

pub const CONTACT: &str = "a.devries@waterwolde.example";
pub const STRANGER: &str = "x@evil.example";
pub const SUPPORT: &str = "support@zaakwijs.example";

/// One installation and the mail that is thrown at it.
pub struct Gate {
    pub world: World,
    delivered: AtomicUsize,
    read: std::cell::RefCell<BTreeSet<PathBuf>>,
}

impl Gate {
    pub fn new() -> Self {
        let world = World::new();
        for desk in ["support", "ict", "open", "closed", "nordic"] {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(world.dir.join("mail").join(desk).join(part)).unwrap();
            }
        }
        Self { world, delivered: AtomicUsize::new(0), read: std::cell::RefCell::default() }
    }

    /// With other settings.
    pub fn with(change: impl FnOnce(&mut DocumentMut)) -> Self {
        let gate = Self::new();
        gate.world.edit(change);
        gate
    }

    /// What `explain --json` says of each mail at the support desk.
    #[track_caller]
    pub fn explain(&self, mails: &[Vec<u8>]) -> Vec<Value> {
        self.explain_at("support", mails)
    }

    #[track_caller]
    pub fn explain_at(&self, desk: &str, mails: &[Vec<u8>]) -> Vec<Value> {
        let files: Vec<String> = mails
            .iter()
            .map(|raw| {
                let file = self.world.dir.join(format!("{}.eml", self.delivered.fetch_add(1, Ordering::Relaxed)));
                fs::write(&file, raw).unwrap();
                file.to_str().unwrap().to_owned()
            })
            .collect();
        let arguments: Vec<&str> = ["explain", "--json", "--desk", desk].into_iter().chain(files.iter().map(String::as_str)).collect();
        let told = self.world.run_at(NOW, &arguments).ok().json();
        assert_eq!(told.len(), mails.len());
        told
    }

    /// Puts a mail into the support desk's Maildir, as arrived now.
    pub fn deliver(&self, raw: &[u8]) {
        self.deliver_to("support", raw);
    }

    pub fn deliver_to(&self, desk: &str, raw: &[u8]) {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let path = self.world.dir.join(format!("mail/{desk}/new/{number:06}.mail"));
        fs::write(&path, raw).unwrap();
        let now: jiff::Timestamp = NOW.parse().unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(now.into()).unwrap();
    }

    /// Works off all that lies there, and gives the letters that were sent.
    #[track_caller]
    pub fn work(&self) -> Vec<Letter> {
        self.world.run_at(NOW, &["run", "--once"]).ok();
        self.letters()
    }

    /// The same for these mails.
    #[track_caller]
    pub fn live(&self, mails: &[Vec<u8>]) -> Vec<Letter> {
        for raw in mails {
            self.deliver(raw);
        }
        self.work()
    }

    /// Letters that were sent since the last look, in order.
    pub fn letters(&self) -> Vec<Letter> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.world.dir.join("replies-sent"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        files.sort_by_key(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.split('.').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or_default()
        });
        let mut read = self.read.borrow_mut();
        files.into_iter().filter(|file| read.insert(file.clone())).map(|file| Letter { raw: fs::read(file).unwrap() }).collect()
    }

    #[track_caller]
    pub fn tickets(&self) -> Vec<Value> {
        self.world.run(&["tickets", "list", "--json"]).ok().json()
    }

    #[track_caller]
    pub fn ticket(&self, number: &str) -> Value {
        self.world.run(&["tickets", "show", number, "--json"]).ok().json().remove(0)
    }

    /// A ticket of a general contact and the Message-ID of the answer to it, which is the token that leads there.
    #[track_caller]
    pub fn ticket_of_contact(&self) -> String {
        let letters = self.live(&[authentic(CONTACT, "Message-ID: <first@waterwolde.example>\nSubject: Vraag\n", "Hoe werkt de export?")]);
        assert_eq!(letters.len(), 1);
        letters[0].header("Message-ID").unwrap()
    }
}

/// A letter of ours as it was sent.
pub struct Letter {
    pub raw: Vec<u8>,
}

impl Letter {
    pub fn text(&self) -> String {
        MessageParser::default().parse(&self.raw).unwrap().body_text(0).unwrap_or_default().into_owned()
    }

    fn head(&self) -> String {
        let raw = String::from_utf8(self.raw.clone()).expect("a letter is plain ASCII");
        raw.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ")
    }

    /// The names of all header fields, in order.
    pub fn fields(&self) -> Vec<String> {
        self.head().lines().map(|line| line.split(':').next().unwrap().to_owned()).collect()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.head().lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    pub fn to(&self) -> String {
        self.header("To").unwrap_or_default()
    }

    /// Everybody whom it goes to.
    pub fn recipients(&self) -> BTreeSet<String> {
        let cc = self.header("Cc").unwrap_or_default();
        std::iter::once(self.to()).chain(cc.split(',').map(|one| one.trim().to_owned())).filter(|one| !one.is_empty()).collect()
    }
}

/// What our own server writes on top of a mail whose domain it could vouch for.
pub fn vouched(domain: &str) -> String {
    format!(
        "Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from={domain}\n\
         Received: from mail.{domain} (mail.{domain} [192.0.2.7]) by mx.zaakwijs.example; Sat, 21 Nov 2026 10:14:00 +0100\n"
    )
}

/// A mail of somebody whose domain is vouched for. `fields` are further header lines.
pub fn authentic(from: &str, fields: &str, body: &str) -> Vec<u8> {
    let domain = from.rsplit_once('@').unwrap().1.trim_end_matches('>');
    raw(&vouched(domain), &format!("From: {from}\n"), fields, body)
}

/// A mail from these parts.
pub fn raw(trace: &str, from: &str, fields: &str, body: &str) -> Vec<u8> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let has = |name: &str| fields.to_lowercase().lines().any(|line| line.starts_with(name));
    let mut head = format!("{trace}{from}");
    for (name, line) in [
        ("to:", format!("To: {SUPPORT}\n")),
        ("subject:", "Subject: Vraag\n".to_owned()),
        ("message-id:", format!("Message-ID: <{number}@sender.example>\n")),
        ("date:", "Date: Sat, 21 Nov 2026 10:13:00 +0100\n".to_owned()),
    ] {
        if !has(name) {
            head += &line;
        }
    }
    format!("{head}{fields}\n{body}\n").into_bytes()
}

/// A mail of a general contact with files attached.
pub fn with_files(files: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let parts: String = files
        .iter()
        .map(|(kind, name, bytes)| {
            let encoded = base64(bytes);
            format!(
                "--b\nContent-Type: {kind}\nContent-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{encoded}\n"
            )
        })
        .collect();
    let fields = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\nSubject: Bestanden\n";
    authentic(CONTACT, fields, &format!("--b\nContent-Type: text/plain\n\nZie bijlage.\n{parts}--b--"))
}

pub fn base64(bytes: &[u8]) -> String {
    use lettre::message::{Body, header::ContentTransferEncoding};
    let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64).expect("any bytes fit");
    String::from_utf8(body.into_vec()).unwrap().replace("\r\n", "\n")
}

/// Whether nobody is answered or brought in.
pub fn is_silent(told: &Value) -> bool {
    told["replies"].as_array().is_some_and(Vec::is_empty)
}
