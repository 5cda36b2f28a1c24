//! What can go wrong with the store. The texts hold our own words and codes, never a value: a database's own message
//! can show the value of a violated key (THREATS §3 row 10).

use std::io;
use std::path::{Path, PathBuf};

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// A failure of the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The `url` of the database cannot be used.
    #[error("the database's url cannot be used: {0}")]
    Url(&'static str),
    /// The database was made by a newer postkamer.
    #[error(
        "this database was made by a newer version of postkamer; please run that version, or restore a backup from before its first start"
    )]
    Newer,
    /// Another daemon has the database, or some of the mailboxes.
    #[error("another postkamer is running on this database, and it did not end within {0} seconds")]
    Owned(u64),
    /// Our lease on a mailbox was taken over: nothing was booked.
    #[error("another postkamer has taken over this mailbox, so nothing was booked")]
    LeaseLost,
    /// The database is out of reach or busy.
    #[error("the database is out of reach while {doing}: {code}")]
    Unreachable {
        /// What we were about.
        doing: &'static str,
        /// An `SQLSTATE`, an SQLite code, or words of ours.
        code: String,
    },
    /// The database refused a statement.
    #[error("the database refused, while {doing}, with code {code}")]
    Refused {
        /// What we were about.
        doing: &'static str,
        /// An `SQLSTATE`, an SQLite code, or a word of ours.
        code: String,
    },
    /// A constraint of the schema was violated: nothing was written.
    #[error("the database would not hold what was to be written, while {doing}, with code {code}")]
    Constraint {
        /// What we were about.
        doing: &'static str,
        /// An `SQLSTATE` or an SQLite code.
        code: String,
    },
    /// A row holds something that we cannot have written.
    #[error("a row of {0} cannot be read: it was not written by this version of postkamer")]
    BadRow(&'static str),
    /// A file or directory could not be used.
    #[error("{doing} failed at {}: {kind}", place.display())]
    Files {
        /// What we were about.
        doing: &'static str,
        /// Which one: of the settings, never one that is named after what it holds.
        place: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// What an agent asked for does not exist.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// What an agent asked for cannot be done in the state that things are in.
    #[error("{0}")]
    NotNow(&'static str),
}

impl StoreError {
    /// True when the same may succeed later without anybody changing anything (exit status 75).
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Files { .. } | Self::Owned(_) | Self::LeaseLost => true,
            Self::Url(_) | Self::Newer | Self::Constraint { .. } | Self::BadRow(_) | Self::Unknown(_) | Self::NotNow(_) => false,
        }
    }

    pub(super) fn database(doing: &'static str, error: &DbErr) -> Self {
        let runtime = match error {
            DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime) => runtime,
            DbErr::ConnectionAcquire(_) => return Self::Unreachable { doing, code: "no connection".to_owned() },
            DbErr::Type(_) | DbErr::TryIntoErr { .. } | DbErr::Json(_) => return Self::BadRow("a table"),
            _ => return Self::Refused { doing, code: "statement".to_owned() },
        };
        let RuntimeErr::SqlxError(error) = runtime else { return Self::Refused { doing, code: "statement".to_owned() } };
        match error.as_ref() {
            sqlx::Error::Database(said) => Self::coded(doing, said.code().map(Into::into).unwrap_or_default()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::BadRow("a table"),
            sqlx::Error::Io(said) => {
                let code = insecure(said).map_or_else(|| said.kind().to_string(), str::to_owned);
                Self::Unreachable { doing, code }
            }
            sqlx::Error::Tls(_) => Self::Unreachable { doing, code: "no secure connection".to_owned() },
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => {
                Self::Unreachable { doing, code: "no connection".to_owned() }
            }
            _ => Self::Refused { doing, code: "statement".to_owned() },
        }
    }

    /// Sorts a code: SQLSTATE has five characters and its class in the first two (PostgreSQL, appendix A); SQLite's
    /// extended result codes are numbers with the class in the low byte (sqlite.org/rescode.html).
    fn coded(doing: &'static str, code: String) -> Self {
        match code.parse::<u32>() {
            Ok(number) if code.len() < 5 => match number & 0xff {
                // A constraint; too big, of the wrong type, out of range.
                19 | 18 | 20 | 25 => Self::Constraint { doing, code },
                5 | 6 | 10 | 13 | 14 => Self::Unreachable { doing, code },
                _ => Self::Refused { doing, code },
            },
            // Integrity constraint violation; data exception.
            _ if code.starts_with("23") || code.starts_with("22") => Self::Constraint { doing, code },
            _ if ["08", "53", "57", "40", "55"].iter().any(|class| code.starts_with(class)) => Self::Unreachable { doing, code },
            _ => Self::Refused { doing, code },
        }
    }

    pub(super) fn files(doing: &'static str, place: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Files { doing, place: place.to_owned(), kind: error.kind() }
    }
}

/// Puts what we were about to an error of the database.
pub(super) trait While<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> While<T> for Result<T, DbErr> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::database(doing, &error))
    }
}

/// What is wrong with the certificate that a database shows, and the way out; none where it is something else.
fn insecure(said: &io::Error) -> Option<&'static str> {
    use rustls::{CertificateError as C, Error};
    let Error::InvalidCertificate(fault) = said.get_ref()?.downcast_ref()? else { return Some("no secure connection") };
    Some(match fault {
        // The driver has a list of public authorities of its own and does not ask the system's; two authorities may share a name.
        C::UnknownIssuer | C::BadSignature => {
            "no secure connection, because the server's certificate is self-signed, or signed by an authority that is none of the public ones; \
             sslrootcert=FILE in the database's url names a file with the authority's certificate"
        }
        // The verifier's own error type is not exported; its Debug text is the variant's name.
        C::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "no secure connection, because the server shows a self-signed certificate that calls itself a certificate authority (CA:TRUE); it needs a \
             server certificate signed by that authority"
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            "no secure connection, because the server's certificate was not issued for the host name in the database's url (only subjectAltName counts)"
        }
        C::Expired | C::ExpiredContext { .. } => "no secure connection, because the server's certificate has expired",
        C::NotValidYet | C::NotValidYetContext { .. } => {
            "no secure connection, because the server's certificate is not valid yet; is this machine's clock right?"
        }
        C::Revoked => "no secure connection, because the server's certificate was revoked",
        _ => "no secure connection, because the server's certificate is not valid",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_into_passing_and_lasting() {
        for (code, passing) in [
            ("2067", false),
            ("787", false),
            ("5", true),
            ("517", true),
            ("13", true),
            ("23505", false),
            ("22021", false),
            ("57P01", true),
            ("40001", true),
            ("53300", true),
        ] {
            assert_eq!(StoreError::coded("testing", code.to_owned()).is_passing(), passing, "{code}");
        }
    }
}
