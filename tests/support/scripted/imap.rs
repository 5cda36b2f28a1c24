//! An IMAP server that keeps its mails in memory: as much of RFC 9051, UIDPLUS, MOVE and IDLE as postkamer speaks.

use super::{Listener, Reaction, lock};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Looks at each command (`GREETING` is the first of a connection, and tags are left out) and at all mailboxes before it is obeyed.
pub type Interfere = Box<dyn FnMut(&str, &mut Accounts) -> Reaction + Send>;

/// The server; dropping it ends it.
pub struct Imap {
    listener: Listener,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    accounts: Accounts,
    interfere: Interfere,
}

/// What lies on the server.
#[derive(Clone)]
pub struct Accounts {
    /// What the server says that it can do, beside IMAP4rev1.
    pub capabilities: String,
    /// The folders of each user, by name. Users are made when they first sign in or get mail.
    pub users: BTreeMap<String, BTreeMap<String, Folder>>,
    /// UIDs that left a folder by a client's doing, in order: user, folder, UID.
    pub removed: Vec<(String, String, u32)>,
}

#[derive(Clone)]
pub struct Folder {
    pub validity: u32,
    pub next_uid: u32,
    pub messages: Vec<Message>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub uid: u32,
    pub raw: Vec<u8>,
    pub arrived: Timestamp,
    pub deleted: bool,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { capabilities: "UIDPLUS MOVE IDLE".to_owned(), users: BTreeMap::new(), removed: Vec::new() }
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self { validity: 7, next_uid: 1, messages: Vec::new() }
    }
}

impl Accounts {
    pub fn folder(&mut self, user: &str, name: &str) -> &mut Folder {
        let folders = self.users.entry(user.to_owned()).or_insert_with(|| BTreeMap::from([("INBOX".to_owned(), Folder::default())]));
        folders.entry(name.to_owned()).or_default()
    }

    /// Puts a mail into INBOX; returns its UID.
    pub fn deliver(&mut self, user: &str, raw: &[u8], arrived: Timestamp) -> u32 {
        self.folder(user, "INBOX").append(raw.to_vec(), arrived)
    }
}

impl Folder {
    pub fn append(&mut self, raw: Vec<u8>, arrived: Timestamp) -> u32 {
        let uid = self.next_uid;
        self.next_uid += 1;
        self.messages.push(Message { uid, raw, arrived, deleted: false });
        uid
    }

    pub fn uids(&self) -> Vec<u32> {
        self.messages.iter().map(|message| message.uid).collect()
    }

    /// Removes messages; what a server says of each.
    fn expunge(&mut self, gone: impl Fn(&Message) -> bool) -> (String, Vec<Message>) {
        let (mut said, mut removed, mut at) = (String::new(), Vec::new(), 0);
        while let Some(message) = self.messages.get(at) {
            if gone(message) {
                said += &format!("* {} EXPUNGE\r\n", at + 1);
                removed.push(self.messages.remove(at));
            } else {
                at += 1;
            }
        }
        (said, removed)
    }
}

impl Imap {
    pub fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared { accounts: Accounts::default(), interfere: Box::new(|_, _| Reaction::Obey) }));
        let theirs = shared.clone();
        Self { listener: Listener::start(move |stream| talk(stream, &theirs)), shared }
    }

    pub fn port(&self) -> u16 {
        self.listener.port
    }

    /// Begins anew with these mailboxes.
    pub fn reset(&self, accounts: Accounts) {
        lock(&self.shared).accounts = accounts;
    }

    /// From now on each command is shown to this one first.
    pub fn interfere(&self, interfere: impl FnMut(&str, &mut Accounts) -> Reaction + Send + 'static) {
        lock(&self.shared).interfere = Box::new(interfere);
    }

    /// Everything is obeyed again.
    pub fn repair(&self) {
        self.interfere(|_, _| Reaction::Obey);
    }

    /// Looks at the mailboxes, or changes them as another client would.
    pub fn with<T>(&self, look: impl FnOnce(&mut Accounts) -> T) -> T {
        look(&mut lock(&self.shared).accounts)
    }
}

fn talk(mut stream: TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut session = Session::default();
    let (mut tag, mut command) = ("*".to_owned(), "GREETING".to_owned());
    loop {
        let (reaction, answer) = {
            let Shared { accounts, interfere } = &mut *lock(shared);
            let reaction = interfere(&command, accounts);
            let done = matches!(reaction, Reaction::Obey | Reaction::CutAfter | Reaction::CutInside);
            (reaction, if done { session.obey(&tag, &command, accounts) } else { Vec::new() })
        };
        match reaction {
            Reaction::Obey => stream.write_all(&answer)?,
            Reaction::CutBefore | Reaction::CutAfter => return Ok(()),
            Reaction::CutInside => return stream.write_all(&answer[..answer.len() / 2]),
            Reaction::Refuse(with) => stream.write_all(format!("{tag} {with}\r\n").as_bytes())?,
            Reaction::Silence => return io::copy(&mut lines, &mut io::sink()).map(drop),
        }
        if command == "IDLE" && reaction == Reaction::Obey {
            session.idle(&mut stream, &mut lines, &tag, shared)?;
        }
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (its_tag, rest) = line.trim_end().split_once(' ').unwrap_or(("*", ""));
        (tag, command) = (its_tag.to_owned(), rest.to_owned());
    }
}

#[derive(Default)]
struct Session {
    user: String,
    selected: String,
}

impl Session {
    fn folder<'a>(&self, accounts: &'a mut Accounts) -> &'a mut Folder {
        accounts.folder(&self.user, &self.selected)
    }

    /// Does what it is told; the whole answer.
    fn obey(&mut self, tag: &str, command: &str, accounts: &mut Accounts) -> Vec<u8> {
        let ok = |said: String| format!("{said}{tag} OK done\r\n").into_bytes();
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let capabilities = accounts.capabilities.clone();
        match verb {
            "GREETING" => b"* OK hello\r\n".to_vec(),
            "CAPABILITY" => ok(format!("* CAPABILITY IMAP4rev1 {capabilities}\r\n")),
            "LOGIN" => {
                self.user = words(rest).swap_remove(0);
                ok(String::new())
            }
            "LIST" => {
                let name = words(rest).pop().unwrap_or_default();
                let there = accounts.users.get(&self.user).is_some_and(|folders| folders.contains_key(&name));
                ok(if name.is_empty() || there { format!("* LIST () \".\" \"{name}\"\r\n") } else { String::new() })
            }
            "CREATE" => {
                accounts.folder(&self.user, &words(rest).swap_remove(0));
                ok(String::new())
            }
            "SELECT" => {
                self.selected = words(rest).swap_remove(0);
                let folder = self.folder(accounts);
                let (count, validity, next) = (folder.messages.len(), folder.validity, folder.next_uid);
                ok(format!("* {count} EXISTS\r\n* OK [UIDVALIDITY {validity}] x\r\n* OK [UIDNEXT {next}] x\r\n"))
            }
            "NOOP" => ok(format!("* {} EXISTS\r\n", self.folder(accounts).messages.len())),
            "EXPUNGE" => ok(self.expunge(accounts, |message| message.deleted)),
            "UID" => {
                let mut parts = rest.splitn(3, ' ');
                let (verb, set, rest) = (parts.next().unwrap(), Set::of(parts.next().unwrap()), parts.next().unwrap_or_default());
                match verb {
                    "FETCH" => [self.fetch(&set, rest, accounts), ok(String::new())].concat(),
                    "STORE" => {
                        let marked = self.folder(accounts).messages.iter_mut().filter(|message| set.holds(message.uid));
                        marked.for_each(|message| message.deleted = true);
                        ok(String::new())
                    }
                    "EXPUNGE" => ok(self.expunge(accounts, |message| message.deleted && set.holds(message.uid))),
                    "COPY" | "MOVE" => {
                        let copied = self.copy(&set, &words(rest).swap_remove(0), accounts);
                        let told = if capabilities.contains("UIDPLUS") { copied } else { String::new() };
                        let gone = if verb == "MOVE" { self.expunge(accounts, |message| set.holds(message.uid)) } else { String::new() };
                        ok(format!("{told}{gone}"))
                    }
                    _ => format!("{tag} BAD what?\r\n").into_bytes(),
                }
            }
            "SUBSCRIBE" => ok(String::new()),
            "IDLE" => b"+ idling\r\n".to_vec(),
            "LOGOUT" => ok("* BYE\r\n".to_owned()),
            _ => format!("{tag} BAD what?\r\n").into_bytes(),
        }
    }

    fn fetch(&self, set: &Set, items: &str, accounts: &mut Accounts) -> Vec<u8> {
        let mut said = Vec::new();
        for (place, message) in self.folder(accounts).messages.iter().enumerate().filter(|(_, message)| set.holds(message.uid)) {
            let (uid, size) = (message.uid, message.raw.len());
            let (place, flags) = (place + 1, if message.deleted { "\\Deleted" } else { "" });
            if let Some((_, part)) = items.split_once("BODY.PEEK[]") {
                let (from, ask) = part
                    .trim_start_matches('<')
                    .split_once('.')
                    .map_or((0, size), |(from, ask)| (from.parse().unwrap(), ask.trim_end_matches([')', '>']).parse().unwrap()));
                let bytes = &message.raw[from.min(size)..from.saturating_add(ask).min(size)];
                let origin = if part.starts_with('<') { format!("<{from}>") } else { String::new() };
                said.extend(format!("* {place} FETCH (UID {uid} BODY[]{origin} {{{}}}\r\n", bytes.len()).into_bytes());
                said.extend(bytes);
                said.extend(b")\r\n");
            } else {
                let arrived = message.arrived.strftime("%d-%b-%Y %H:%M:%S +0000");
                let line = format!("* {place} FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE \"{arrived}\" FLAGS ({flags}))\r\n");
                said.extend(line.into_bytes());
            }
        }
        said
    }

    fn expunge(&self, accounts: &mut Accounts, gone: impl Fn(&Message) -> bool) -> String {
        let (said, removed) = self.folder(accounts).expunge(gone);
        accounts.removed.extend(removed.into_iter().map(|message| (self.user.clone(), self.selected.clone(), message.uid)));
        said
    }

    fn copy(&self, set: &Set, to: &str, accounts: &mut Accounts) -> String {
        let mut messages = self.folder(accounts).messages.clone();
        messages.retain(|message| set.holds(message.uid));
        let target = accounts.folder(&self.user, to);
        let mut pairs: (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for message in messages {
            pairs.0.push(message.uid.to_string());
            pairs.1.push(target.append(message.raw, message.arrived).to_string());
        }
        if pairs.0.is_empty() {
            return String::new();
        }
        format!("* OK [COPYUID {} {} {}] copied\r\n", target.validity, pairs.0.join(","), pairs.1.join(","))
    }

    /// Tells of mails as they arrive, until DONE.
    fn idle(&self, stream: &mut TcpStream, lines: &mut impl BufRead, tag: &str, shared: &Mutex<Shared>) -> io::Result<()> {
        let count = || self.folder(&mut lock(shared).accounts).messages.len();
        let (mut told, mut line) = (count(), String::new());
        stream.set_read_timeout(Some(Duration::from_millis(10)))?;
        while !line.ends_with('\n') {
            match lines.read_line(&mut line) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
            let now = count();
            if now != told {
                told = now;
                stream.write_all(format!("* {now} EXISTS\r\n").as_bytes())?;
            }
        }
        stream.set_read_timeout(None)?;
        stream.write_all(format!("{tag} OK done\r\n").as_bytes())
    }
}

/// Whether a command asks for the bytes of the mail with this UID.
pub fn fetches(command: &str, uid: u32) -> bool {
    let set = command.strip_prefix("UID FETCH ").filter(|rest| rest.contains("BODY.PEEK[]")).and_then(|rest| rest.split(' ').next());
    set.is_some_and(|set| Set::of(set).holds(uid))
}

/// A sequence set of UIDs.
struct Set(Vec<(u32, u32)>);

impl Set {
    fn of(text: &str) -> Self {
        let number = |text: &str| if text == "*" { u32::MAX } else { text.parse().unwrap() };
        let range = |text: &str| text.split_once(':').map_or_else(|| (number(text), number(text)), |(from, to)| (number(from), number(to)));
        Self(text.split(',').map(range).collect())
    }

    fn holds(&self, uid: u32) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&uid))
    }
}

/// Quoted strings and atoms.
fn words(text: &str) -> Vec<String> {
    text.split(' ').map(|word| word.trim_matches('"').to_owned()).collect()
}
