//! What a file says: cells and lines with their headers, never flat text.
//!
//! [`extract`](crate::extract) makes these from bytes, [`screen`](crate::screen) judges them; both go through a pipe
//! between processes as JSON.

use serde::{Deserialize, Serialize};

/// A file as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Sniffed format, a lower-case file extension such as `csv`, `xlsx`, `pdf`, `png`, `txt`; `unknown` otherwise. Never the
    /// declared one.
    pub format: String,
    /// What it says, in reading order.
    pub pieces: Vec<Piece>,
    /// Set when not everything could be read: not screened is not clean (POLICY row 7).
    pub unreadable: Option<Unreadable>,
    /// Width and height in pixels, for pictures.
    pub pixels: Option<(u32, u32)>,
}

impl Document {
    /// A file of which nothing could be read.
    #[must_use]
    pub fn unreadable(format: &str, reason: Unreadable) -> Self {
        Self { format: format.to_owned(), unreadable: Some(reason), ..Self::default() }
    }

    /// A picture under 10,000 pixels or 20 pixels high, such as a logo or a tracking dot: no attachment in the sense of POLICY
    /// rows 6 and 7, since no legible text fits in it.
    #[must_use]
    pub fn is_tiny_picture(&self) -> bool {
        self.pixels.is_some_and(|(width, height)| u64::from(width) * u64::from(height) < 10_000 || height < 20)
    }
}

/// A stretch of content with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Where in the file: kind of place and number, never a name from the file.
    pub place: Place,
    /// What stands there.
    pub content: Content,
}

/// A place inside a file. Numbers count from 1; 0 is "does not apply".
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// `sheet`, `page`, `comment`, `member-name`, `header`, `metadata`, `picture`, `text`, …
    pub part: String,
    /// Which one of its kind.
    pub number: u32,
    /// The member indexes that lead into nested containers, outermost first, from 1.
    pub path: Vec<u32>,
}

/// Text keeps its lines, tables keep rows and columns, so that a header binds to what stands below or beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Lines of running text.
    Lines(Vec<String>),
    /// Rows of cells; the first row may or may not be a header. Ragged rows are allowed.
    Table(Vec<Vec<String>>),
}

/// Why a file could not be read (POLICY fact 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unreadable {
    /// Needs a password or key.
    Encrypted,
    /// Broken, or the reader crashed, hung or ran out of its limits.
    Damaged,
    /// Containers within containers beyond the limit.
    TooDeep,
    /// More bytes, members, cells or pixels than the limit.
    TooLarge,
    /// Reading it took longer than the files of one mail may take together.
    TooSlow,
    /// No reader for this format.
    UnknownFormat,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Encrypted => "needs a password",
            Self::Damaged => "is damaged",
            Self::TooDeep => "is packed too deep",
            Self::TooLarge => "is too large",
            Self::TooSlow => "takes too long to read",
            Self::UnknownFormat => "is, or holds, something that cannot be read",
        })
    }
}
