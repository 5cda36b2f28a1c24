//! An SMTP server that keeps what it was given.

use super::{Listener, Reaction, lock};
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

/// Looks at each step before it is obeyed: `GREETING`, the commands as they came, and `MESSAGE` after the final dot.
pub type Interfere = Box<dyn FnMut(&str) -> Reaction + Send>;

/// The server; dropping it ends it.
pub struct Smtp {
    listener: Listener,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    letters: Vec<Letter>,
    interfere: Interfere,
}

/// A message that the server took, whether or not its client learned of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// With its angle brackets.
    pub message_id: String,
    /// Envelope sender; empty for automatic mail.
    pub from: String,
    pub recipients: Vec<String>,
    pub raw: String,
}

impl Smtp {
    pub fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared { letters: Vec::new(), interfere: Box::new(|_| Reaction::Obey) }));
        let theirs = shared.clone();
        Self { listener: Listener::start(move |stream| talk(stream, &theirs)), shared }
    }

    pub fn port(&self) -> u16 {
        self.listener.port
    }

    /// Begins anew, without letters.
    pub fn reset(&self) {
        lock(&self.shared).letters.clear();
    }

    /// From now on each step is shown to this one first.
    pub fn interfere(&self, interfere: impl FnMut(&str) -> Reaction + Send + 'static) {
        lock(&self.shared).interfere = Box::new(interfere);
    }

    /// Everything is obeyed again.
    pub fn repair(&self) {
        self.interfere(|_| Reaction::Obey);
    }

    /// All that was taken, in order.
    pub fn letters(&self) -> Vec<Letter> {
        lock(&self.shared).letters.clone()
    }
}

fn talk(mut stream: TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let (mut step, mut from, mut recipients, mut raw) = ("GREETING".to_owned(), String::new(), Vec::new(), String::new());
    loop {
        let reaction = (lock(shared).interfere)(&step);
        if matches!(reaction, Reaction::Obey | Reaction::CutAfter | Reaction::CutInside) {
            match step.split([' ', ':']).next().unwrap_or_default() {
                "MAIL" => (from, recipients) = (address(&step), Vec::new()),
                "RCPT" => recipients.push(address(&step)),
                "MESSAGE" => {
                    let message_id = raw.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default().to_owned();
                    let letter = Letter { message_id, from: from.clone(), recipients: recipients.clone(), raw: std::mem::take(&mut raw) };
                    lock(shared).letters.push(letter);
                }
                _ => {}
            }
        }
        let answer = match step.as_str() {
            "GREETING" => "220 mx.customer.example",
            "DATA" => "354 go ahead",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        match reaction {
            Reaction::Obey => stream.write_all(format!("{answer}\r\n").as_bytes())?,
            Reaction::CutBefore | Reaction::CutAfter => return Ok(()),
            Reaction::CutInside => return stream.write_all(&answer.as_bytes()[..2]),
            Reaction::Refuse(with) => stream.write_all(format!("{with}\r\n").as_bytes())?,
            Reaction::Silence => return io::copy(&mut lines, &mut io::sink()).map(drop),
        }
        if step == "DATA" && reaction == Reaction::Obey {
            raw = read_message(&mut lines)?;
            step = "MESSAGE".to_owned();
            continue;
        }
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        step = line.trim_end().to_owned();
    }
}

/// Up to the dot.
fn read_message(lines: &mut impl BufRead) -> io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(message);
        }
        message += line.strip_prefix('.').unwrap_or(&line);
    }
}

/// What stands between the angle brackets.
fn address(command: &str) -> String {
    command.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or_else(String::new, |(address, _)| address.to_owned())
}
