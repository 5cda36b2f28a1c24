//! Where mail comes from and where it goes, for the record of decisions.

use std::fmt;

use super::{Settings, Smtp};
use crate::mailbox::{Kind, Secret, Tls};
use crate::words::{Endpoint, Redacted};

impl Settings {
    /// Each desk's source, and the way that replies take.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let desks = self.desks.iter().map(|desk| {
            let (mailbox, shelf) = (&desk.mailbox, desk.mailbox.shelf());
            let (place, token) = match &mailbox.kind {
                Kind::Imap(server) => (Server("imap", &server.host, server.port, server.tls).to_string(), token_endpoint(&server.secret)),
                Kind::Maildir { .. } => ("maildir".to_owned(), ""),
            };
            let details = [&shelf.account, mailbox.folder.as_str(), &shelf.folder.unwrap_or_default(), token].join("\n");
            Endpoint { of: desk.name.clone(), place, details: Redacted::new(details) }
        });
        let (place, details) = match &self.smtp {
            Smtp::Server(server) => {
                let credentials = server.credentials.as_ref();
                let details = credentials.map(|(user, secret)| [user.reveal(), token_endpoint(secret)].join("\n"));
                (Server("smtp", &server.host, server.port, server.tls).to_string(), details.unwrap_or_default())
            }
            Smtp::Directory(path) => ("directory".to_owned(), path.display().to_string()),
        };
        desks.chain([Endpoint { of: "replies".to_owned(), place, details: Redacted::new(details) }]).collect()
    }
}

/// Who is told the secrets that tokens are fetched with.
fn token_endpoint(secret: &Secret) -> &str {
    match secret {
        Secret::OAuth(source) => source.endpoint(),
        Secret::Password(_) => "",
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
