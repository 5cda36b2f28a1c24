//! What a conversation is about: the steps of IMAP and PostgreSQL by their names, as somebody reads them who sees the bytes pass.

use super::wire::{Moment, Server, Step};
use std::collections::BTreeMap;

/// One connection.
#[derive(Debug)]
pub struct Talk {
    server: Server,
    /// What was asked last.
    last: String,
    /// What is not a whole line or message yet.
    rest: Vec<u8>,
    /// Messages have a type from the second one on.
    is_typed: bool,
    prepared: BTreeMap<Vec<u8>, String>,
}

impl Talk {
    pub fn with(server: Server) -> Self {
        Self { server, last: "greeting".to_owned(), rest: Vec::new(), is_typed: false, prepared: BTreeMap::new() }
    }

    /// The step that these bytes complete; none when nothing is asked by them yet.
    pub fn step(&mut self, moment: Moment, bytes: &[u8]) -> Option<Step> {
        if moment == Moment::Asked {
            self.rest.extend_from_slice(bytes);
            self.last = if self.server == Server::Imap { self.imap() } else { self.postgres() }?;
        }
        Some(Step { server: self.server, what: self.last.clone(), moment })
    }

    /// The last command, once its line is whole.
    fn imap(&mut self) -> Option<String> {
        let line = self.rest.strip_suffix(b"\r\n")?.to_vec();
        self.rest.clear();
        imap(line.rsplit(|byte| *byte == b'\n').next()?)
    }

    /// The last statement in a frontend's messages (PostgreSQL documentation, "Message Formats").
    fn postgres(&mut self) -> Option<String> {
        const TLS: &[u8] = &80_877_103_u32.to_be_bytes();
        let mut asked = None;
        loop {
            let skip = usize::from(self.is_typed);
            let Some(length) = self.rest.get(skip..skip + 4) else { return asked };
            let end = skip + u32::from_be_bytes(length.try_into().unwrap()) as usize;
            if self.rest.len() < end {
                return asked;
            }
            let message: Vec<u8> = self.rest.drain(..end).collect();
            let body = &message[skip + 4..];
            if !self.is_typed {
                self.is_typed = body != TLS;
                asked = Some("connecting".to_owned());
                continue;
            }
            let text = |from: usize| body.get(from..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
            let second = text(text(0).len() + 1);
            match message[0] {
                b'p' => asked = Some("signing in".to_owned()),
                b'Q' => asked = Some(statement(&String::from_utf8_lossy(text(0)))),
                b'P' => {
                    self.prepared.insert(text(0).to_vec(), statement(&String::from_utf8_lossy(second)));
                    asked.get_or_insert_with(|| "preparing a statement".to_owned());
                }
                b'B' => asked = self.prepared.get(second).cloned().or(asked),
                b'X' => asked = Some("parting".to_owned()),
                _ => {}
            }
        }
    }
}

/// A command without tag and arguments; of FETCH what it is for.
pub fn imap(bytes: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(bytes);
    let mut words = line.split_whitespace();
    let (tag, command) = (words.next()?, words.next());
    match command {
        None if tag == "DONE" => Some("DONE".to_owned()),
        // An answer to a challenge.
        None => None,
        Some("UID") => Some(match words.next()? {
            "FETCH" if line.contains("BODY.PEEK") => "UID FETCH of mails".to_owned(),
            "FETCH" if line.contains("RFC822.SIZE") => "UID FETCH of the list".to_owned(),
            "FETCH" => "UID FETCH to see whether they are gone".to_owned(),
            other => format!("UID {other}"),
        }),
        Some(command) => Some(command.to_uppercase()),
    }
}

/// A call that changes a file, by its name and what file that is: `fsync /postkamer.db-wal`.
pub fn file(call: &str) -> Option<String> {
    let (call, path) = call.split_once(' ')?;
    let what = match path.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["attachments", _, _] => "an attachment",
        ["attachments", ..] => "a directory of attachments",
        [] | [""] => "the state directory",
        _ => path.trim_start_matches('/'),
    };
    Some(format!("{call} of {what}"))
}

/// A statement by its verb and its table.
pub fn statement(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let name = |word: &&str| word.trim_matches(['"', '(', ')', ';', ',']).to_lowercase();
    let verb = words.first().map(|word| word.trim_end_matches(';').to_uppercase()).unwrap_or_default();
    // EXTRACT(EPOCH FROM clock_timestamp()) names no table.
    let after = |word: &str| words.windows(2).find(|pair| pair[0] == word && !pair[1].contains("()")).map(|pair| name(&pair[1]));
    let table = match verb.as_str() {
        "SELECT" | "DELETE" => after("FROM"),
        "INSERT" => after("INTO"),
        "UPDATE" => after("UPDATE"),
        _ => None,
    };
    match table {
        Some(table) => format!("{verb} {table}"),
        None if verb == "SELECT" => {
            words.get(1).map_or(verb.clone(), |what| format!("{verb} {}", what.split('(').next().unwrap_or_default()))
        }
        None => verb,
    }
}
