//! Where mail comes from, or where replies go.

use super::Redacted;

/// One source of mail, or the way that replies take, as the settings have it. Whoever changes it may lead mail astray (THREATS §1 row 38).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The desk, or `replies`.
    pub of: String,
    /// Protocol, host, port, and how it is spoken to.
    pub place: String,
    /// What else decides where mail goes: user, folders, token endpoint, path. It may name a person, and goes on no record but as a digest.
    pub details: Redacted<String>,
}
