//! A small blocking IMAP client for the tests' own view of a mailbox. It shares nothing with postkamer's IMAP code, so
//! that a mistake there cannot hide itself; it panics on whatever it does not expect.

use super::certificates::trusting;
use jiff::Timestamp;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tokio_rustls::rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    Plain,
    StartTls,
    Implicit,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A signed-in connection.
pub struct Imap {
    stream: BufReader<Box<dyn Stream>>,
    tag: u32,
}

/// One untagged response: its line with literals cut out (`{n}` stays in the line), and the literals.
pub struct Response {
    pub line: String,
    pub literals: Vec<Vec<u8>>,
}

impl Imap {
    /// Connects to 127.0.0.1; `ca_file` is used where there is TLS.
    pub fn connect(port: u16, security: Security, ca_file: &str) -> Self {
        let tcp = TcpStream::connect(("127.0.0.1", port)).expect("the IMAP server takes the connection");
        tcp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        tcp.set_nodelay(true).unwrap();
        match security {
            Security::Plain => {
                let mut imap = Self { stream: BufReader::new(Box::new(tcp)), tag: 0 };
                imap.greeting();
                imap
            }
            Security::Implicit => {
                let mut imap = Self { stream: BufReader::new(Box::new(over_tls(tcp, ca_file))), tag: 0 };
                imap.greeting();
                imap
            }
            Security::StartTls => {
                let mut clear = Self { stream: BufReader::new(Box::new(tcp.try_clone().unwrap())), tag: 0 };
                clear.greeting();
                clear.command("STARTTLS");
                Self { stream: BufReader::new(Box::new(over_tls(tcp, ca_file))), tag: 0 }
            }
        }
    }

    fn greeting(&mut self) {
        let greeting = self.response();
        assert!(greeting.line.starts_with("* OK"), "greeting: {}", greeting.line);
    }

    /// Signs in with a password.
    pub fn login(&mut self, user: &str, password: &str) {
        self.command(&format!("LOGIN {} {}", quoted(user), quoted(password)));
    }

    /// Sends a command, and gives the untagged responses; panics unless it is answered by OK.
    pub fn command(&mut self, command: &str) -> Vec<Response> {
        let (responses, end) = self.try_command(command);
        assert!(end.starts_with("OK"), "{command}: {end}");
        responses
    }

    /// Sends a command; gives the untagged responses and the tagged answer without its tag.
    pub fn try_command(&mut self, command: &str) -> (Vec<Response>, String) {
        let tag = self.send(command);
        self.answer(&tag)
    }

    fn send(&mut self, command: &str) -> String {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        let stream = self.stream.get_mut();
        stream.write_all(format!("{tag} {command}\r\n").as_bytes()).unwrap();
        stream.flush().unwrap();
        tag
    }

    fn answer(&mut self, tag: &str) -> (Vec<Response>, String) {
        let mut responses = Vec::new();
        loop {
            let response = self.response();
            if let Some(end) = response.line.strip_prefix(&format!("{tag} ")) {
                return (responses, end.to_owned());
            }
            responses.push(response);
        }
    }

    fn response(&mut self) -> Response {
        let mut response = Response { line: String::new(), literals: Vec::new() };
        loop {
            let mut bytes = Vec::new();
            self.stream.read_until(b'\n', &mut bytes).expect("the IMAP server answers in time");
            assert!(bytes.ends_with(b"\r\n"), "the IMAP server closed the connection");
            let line = String::from_utf8_lossy(&bytes[..bytes.len() - 2]).into_owned();
            let literal =
                line.strip_suffix('}').and_then(|rest| rest.rsplit_once('{')).and_then(|(_, length)| length.parse::<usize>().ok());
            response.line.push_str(&line);
            match literal {
                Some(length) => {
                    let mut literal = vec![0; length];
                    self.stream.read_exact(&mut literal).unwrap();
                    response.literals.push(literal);
                }
                None => return response,
            }
        }
    }

    /// Appends a mail; flags as in `\Seen \Flagged`. Answers its UID (UIDPLUS).
    pub fn append(&mut self, folder: &str, raw: &[u8], flags: &str, internal_date: Option<Timestamp>) -> u32 {
        let date = internal_date.map(|date| format!("\"{}\" ", date.strftime("%d-%b-%Y %H:%M:%S +0000"))).unwrap_or_default();
        let mut command = format!("APPEND {} ({flags}) {date}{{{}+}}\r\n", quoted(folder), raw.len()).into_bytes();
        command.extend_from_slice(raw);
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        let stream = self.stream.get_mut();
        stream.write_all(format!("{tag} ").as_bytes()).unwrap();
        stream.write_all(&command).unwrap();
        stream.write_all(b"\r\n").unwrap();
        stream.flush().unwrap();
        let (_, end) = self.answer(&tag);
        assert!(end.starts_with("OK"), "APPEND: {end}");
        // OK [APPENDUID <validity> <uid>] …
        end.split(']')
            .next()
            .and_then(|code| code.rsplit(' ').next())
            .and_then(|uid| uid.parse().ok())
            .unwrap_or_else(|| panic!("APPEND without UIDPLUS: {end}"))
    }

    /// Raw mails of a folder in order of UID, with their UIDs; none when the folder does not exist. Sets no flag.
    pub fn messages(&mut self, folder: &str) -> Vec<(u32, Vec<u8>)> {
        if !self.try_command(&format!("EXAMINE {}", quoted(folder))).1.starts_with("OK") {
            return Vec::new();
        }
        let mut mails: Vec<(u32, Vec<u8>)> = self
            .command("UID FETCH 1:* (UID BODY.PEEK[])")
            .into_iter()
            .filter_map(|mut response| Some((number_after(&response.line, "UID ")?, response.literals.pop()?)))
            .collect();
        self.command("UNSELECT");
        mails.sort_by_key(|(uid, _)| *uid);
        mails
    }

    /// How many mails a folder holds; none when it does not exist.
    pub fn count(&mut self, folder: &str) -> u32 {
        self.status(folder, "MESSAGES").unwrap_or(0)
    }

    /// One item of STATUS, such as UIDVALIDITY; nothing when the folder does not exist.
    pub fn status(&mut self, folder: &str, item: &str) -> Option<u32> {
        let (responses, end) = self.try_command(&format!("STATUS {} ({item})", quoted(folder)));
        if !end.starts_with("OK") {
            return None;
        }
        responses.iter().find_map(|response| number_after(&response.line, &format!("({item} ")))
    }
}

fn over_tls(tcp: TcpStream, ca_file: &str) -> impl Stream + use<> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    StreamOwned::new(ClientConnection::new(trusting(ca_file), name).unwrap(), tcp)
}

/// A quoted string (RFC 9051 §4.3); the tests use no quotes, backslashes or line ends in names.
pub fn quoted(text: &str) -> String {
    assert!(!text.contains(['"', '\\', '\r', '\n']), "not to be quoted so: {text}");
    format!("\"{text}\"")
}

fn number_after(line: &str, mark: &str) -> Option<u32> {
    let rest = line.split_once(mark)?.1;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
