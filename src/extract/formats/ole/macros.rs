//! The source of macros (MS-OVBA): every module's text lies packed in a stream, behind compiled code.

use super::{Ole, ansi, stream, streams_in, text};
use crate::extract::formats::Reader;
use crate::parse::document::Unreadable;
use memchr::memmem;
use std::path::Path;

/// How many bytes all modules may have together: code that people write is far less.
const MOST_SOURCE: usize = 16 * 1024 * 1024;

/// Reads the modules, and the words of forms, in a storage.
pub fn read(reader: &mut Reader, ole: &mut Ole<'_>, storage: &Path) {
    let mut left = MOST_SOURCE;
    for (path, number) in streams_in(ole, storage).into_iter().zip(1..) {
        let content = stream(ole, &path).unwrap_or_default();
        for packed in modules(&content) {
            match unpacked(packed, left) {
                Some(source) => {
                    left -= source.len();
                    reader.lines("macro", number, ansi(&source).lines().map(str::to_owned).collect());
                }
                None => reader.fail(Unreadable::Damaged),
            }
        }
        reader.lines("macro", number, text::runs(&content));
    }
}

/// Every packed module: its text begins with `Attribute VB_Name`, of which the packer leaves the first eight letters as they are, behind a
/// mark, the length of the first piece and a byte of flags.
fn modules(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    memmem::find_iter(content, b"\0Attribut").filter_map(|at| content.get(at.checked_sub(3)?..)).filter(|packed| packed.first() == Some(&1))
}

/// Unpacks a container (MS-OVBA 2.4.1): pieces of 4,096 bytes, each plain or with copies of what stood before. `None` when it is broken or
/// longer than `most`.
fn unpacked(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut source = Vec::new();
    let mut rest = packed.get(1..)?;
    while let Some((header, body)) = rest.split_first_chunk() {
        let header = u16::from_le_bytes(*header);
        // Bits 12 to 14 are the mark of a piece; without it the container has ended.
        if header >> 12 & 7 != 3 {
            break;
        }
        let (piece, after) = body.split_at(usize::from(header & 0xfff).saturating_add(1).min(body.len()));
        if header >> 15 == 1 {
            expand(piece, &mut source)?;
        } else {
            source.extend_from_slice(piece);
        }
        if source.len() > most {
            return None;
        }
        rest = after;
    }
    Some(source)
}

/// Tokens in eights, each eight behind a byte of flags: a letter, or a copy of `length` bytes from `back` before.
fn expand(piece: &[u8], source: &mut Vec<u8>) -> Option<()> {
    let start = source.len();
    let mut bytes = piece.iter().copied();
    while let Some(flags) = bytes.next() {
        for bit in 0..8 {
            let Some(byte) = bytes.next() else { break };
            if flags >> bit & 1 == 0 {
                source.push(byte);
                continue;
            }
            let token = u16::from_le_bytes([byte, bytes.next()?]);
            // The farther into the piece, the more bits tell how far back.
            let bits = (source.len() - start).next_power_of_two().trailing_zeros().clamp(4, 12);
            let (length, back) = (usize::from(token & (0xffff >> bits)) + 3, usize::from(token >> (16 - bits)) + 1);
            for _ in 0..length {
                let copied = *source.get(source.len().checked_sub(back)?)?;
                source.push(copied);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_unpacked() {
        // MS-OVBA 3.2.2.
        let packed = b"\x01\x2f\xb0\x00\x23\x61\x61\x61\x62\x63\x64\x65\x82\x66\x00\x70\x61\x67\x68\x69\x6a\x01\x38\x08\x61\x6b\x6c\x00\x30\x6d\x6e\x6f\x70\x06\x71\x02\x70\x04\x10\x72\x73\x74\x75\x76\x10\x77\x78\x79\x7a\x00\x3c";
        assert_eq!(unpacked(packed, 1_000).unwrap(), b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa");
        assert!(unpacked(packed, 10).is_none());
        assert!(unpacked(b"\x01\x05\xb0\x01\x00\x10\x00\x00\x00", 1_000).is_none());
    }
}
