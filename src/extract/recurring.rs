//! Pictures that come again and again, such as the logo under every mail of an organisation: each is read once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Languages;
use crate::parse::document::{Content, Document};

/// How many pictures are remembered.
const MOST: usize = 256;
/// What has more letters than this on it is no logo, and not remembered.
const MOST_LETTERS: usize = 200;

/// What was read from pictures lately, by the digest of their bytes. It stays in memory.
#[derive(Debug, Default)]
pub struct Recurring(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    documents: HashMap<[u8; 32], Document>,
    oldest_first: VecDeque<[u8; 32]>,
}

impl Recurring {
    /// The name of a file that may be a picture seen before, in the same languages; none for what is no picture.
    pub fn name(format: &str, bytes: &[u8], languages: &Languages) -> Option<[u8; 32]> {
        let digest = || Sha256::new().chain_update(languages.as_str()).chain_update(b"\0").chain_update(bytes).finalize().into();
        matches!(format, "png" | "jpg" | "gif" | "bmp" | "webp").then(digest)
    }

    /// What that picture said.
    pub fn recall(&self, name: &[u8; 32]) -> Option<Document> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).documents.get(name).cloned()
    }

    /// Remembers what a picture said, if it was read whole and says little.
    pub fn remember(&self, name: [u8; 32], document: &Document) {
        if document.unreadable.is_some() || document.pixels.is_none() || letters(document) > MOST_LETTERS {
            return;
        }
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.documents.insert(name, document.clone()).is_none() {
            remembered.oldest_first.push_back(name);
        }
        if remembered.oldest_first.len() > MOST
            && let Some(oldest) = remembered.oldest_first.pop_front()
        {
            remembered.documents.remove(&oldest);
        }
    }
}

fn letters(document: &Document) -> usize {
    let pieces = document.pieces.iter().map(|piece| match &piece.content {
        Content::Lines(lines) => lines.iter().map(String::len).sum::<usize>(),
        Content::Table(rows) => rows.iter().flatten().map(String::len).sum(),
    });
    pieces.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::document::{Piece, Place, Unreadable};

    fn picture(said: &str) -> Document {
        let piece = Piece { place: Place::default(), content: Content::Lines(vec![said.to_owned()]) };
        Document { format: "png".to_owned(), pieces: vec![piece], unreadable: None, pixels: Some((200, 80)) }
    }

    #[test]
    fn logos_are_remembered_and_nothing_else() {
        let recurring = Recurring::default();
        let name = |bytes: &[u8]| Recurring::name("png", bytes, &Languages::default()).unwrap();
        assert_eq!(Recurring::name("pdf", b"x", &Languages::default()), None);
        recurring.remember(name(b"logo"), &picture("Gemeente Waterwolde"));
        recurring.remember(name(b"screenshot"), &picture(&"woord ".repeat(100)));
        recurring.remember(name(b"broken"), &Document { unreadable: Some(Unreadable::Damaged), ..picture("x") });
        assert_eq!(recurring.recall(&name(b"logo")), Some(picture("Gemeente Waterwolde")));
        assert_eq!((recurring.recall(&name(b"screenshot")), recurring.recall(&name(b"broken"))), (None, None));
        for number in 0..MOST {
            recurring.remember(name(number.to_string().as_bytes()), &picture("x"));
        }
        assert_eq!(recurring.recall(&name(b"logo")), None);
    }
}
