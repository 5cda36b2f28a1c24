//! Where mail comes from and where it goes, in words for the record of decisions.

use std::fmt;

use super::{Settings, Smtp};
use crate::mailbox::{Kind, Tls};

impl Settings {
    /// Each desk's source and the way that replies take, without users and secrets. Whoever changes one of them may lead mail astray (THREATS §1
    /// row 38).
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        let source = |kind: &Kind| match kind {
            Kind::Imap(server) => Server("imap", &server.host, server.port, server.tls).to_string(),
            Kind::Maildir { path } => format!("maildir {}", path.display()),
        };
        let replies = match &self.smtp {
            Smtp::Server(server) => Server("smtp", &server.host, server.port, server.tls).to_string(),
            Smtp::Directory(path) => format!("directory {}", path.display()),
        };
        let desks = self.desks.iter().map(|desk| format!("{}: {}", desk.name, source(&desk.mailbox.kind)));
        desks.chain([format!("replies: {replies}")]).collect()
    }
}

/// A protocol, a host, a port, and how it is spoken to.
struct Server<'a>(&'static str, &'a str, u16, Tls);

impl fmt::Display for Server<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(protocol, host, port, tls) = self;
        let tls = match tls {
            Tls::Implicit => "tls",
            Tls::StartTls => "starttls",
            Tls::None => "plain",
        };
        write!(f, "{protocol} {host}:{port} {tls}")
    }
}
