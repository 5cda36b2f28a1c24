//! What passes between the extractor and its worker: length-prefixed frames on pipes.
//!
//! A request is a JSON [`Request`] and the file's bytes; an answer its number, a JSON [`Answer`] and the bytes of every [`Task`] in it.

use crate::parse::document::{Document, Place};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// The longest frame that is believed.
pub const LONGEST: u32 = 512 * 1024 * 1024;

/// The most bytes of all [`Task`]s of one document together: they are in the memory of the one who asks.
pub const MOST_PIECES: usize = 512 * 1024 * 1024;

/// What is asked of a worker, before the bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Request {
    /// The declared media type: a hint for text formats only.
    pub declared: Option<String>,
    /// The file's name: a hint for text formats only.
    pub name: Option<String>,
    /// The how-manieth document of this worker it is. The answer begins with the same number, so that none is taken for another's.
    pub turn: u64,
}

/// What a worker read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    /// What the file says.
    pub document: Document,
    /// What other programs must still read, each followed by a frame with its bytes.
    pub tasks: Vec<Task>,
}

/// Something found in a file that the worker cannot read itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What it is.
    pub tool: Tool,
    /// Where in the file it stands.
    pub place: Place,
    /// Its bytes; they travel in a frame of their own.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// Which program reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tool {
    /// Pages of a PDF.
    Pdf {
        /// Whether a page may show a picture; where surely none does, nobody has to look for one.
        pictures: bool,
    },
    /// A picture, already decoded into a portable graymap (netpbm PGM).
    Ocr,
}

/// Writes one frame.
pub fn write_frame(mut to: impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= LONGEST).ok_or(io::ErrorKind::InvalidInput)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)
}

/// Reads one frame; `None` at the end of the stream.
pub fn read_frame(mut from: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}
