//! Personal text that must not reach a log.

use std::fmt;

/// Holds personal text (an address, a name, a subject, a file name, a passage). Debug prints a fixed word in every
/// build; there is no Display and no Serialize. Whoever needs the value writes [`Redacted::reveal`], which a test
/// allows in few files only.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Takes a value out of sight.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: for the database, a reply or a comparison, never for a log or an error.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself, owned.
    pub fn into_revealed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Redacted<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let name = Redacted::new("Jan Jansen".to_owned());
        assert_eq!(format!("{name:?} {:#?}", Some(&name)), "[redacted] Some(\n    [redacted],\n)");
    }
}
