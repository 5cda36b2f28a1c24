//! Pictures between other records (MS-ODRAW 2.2.23): PNG and JPEG as they are, metafiles compressed, bitmaps without their head.

use super::u16_at;
use crate::extract::formats::{Reader, metafile};
use aho_corasick::AhoCorasick;
use flate2::read::ZlibDecoder;
use std::sync::LazyLock;

/// How a picture begins: two that are files, then the records of EMF, WMF and DIB with one and with two digests.
const BEGINNINGS: [&[u8]; 8] = [
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"\x40\x3d\x1a\xf0",
    b"\x50\x3d\x1a\xf0",
    b"\x60\x21\x1b\xf0",
    b"\x70\x21\x1b\xf0",
    b"\x80\x7a\x1f\xf0",
    b"\x90\x7a\x1f\xf0",
];

static BEGINNING: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(BEGINNINGS).ok());

/// Reads every picture in the bytes like a member.
pub fn read(reader: &mut Reader, bytes: &[u8]) {
    let Some(beginnings) = BEGINNING.as_ref() else { return };
    let (mut number, mut read_to) = (0, 0);
    for found in beginnings.find_iter(bytes).collect::<Vec<_>>() {
        let Some(rest) = bytes.get(found.start()..).filter(|_| found.start() >= read_to) else { continue };
        let which = found.pattern().as_usize();
        let picture = match which {
            // The decoder stops at the picture's end, whatever follows.
            0 => Some(rest.to_vec()),
            1 => {
                let length = jpeg_length(rest);
                read_to = found.start() + length;
                rest.get(..length).map(<[u8]>::to_vec)
            }
            _ => in_record(reader, rest, which),
        };
        if let Some(picture) = picture {
            number += 1;
            reader.member(number, None, &picture);
        }
    }
}

/// The content of a record whose length stands after its kind, behind its digests.
fn in_record(reader: &mut Reader, record: &[u8], which: usize) -> Option<Vec<u8>> {
    let length = usize::try_from(u32::from(u16_at(record, 4)?) | u32::from(u16_at(record, 6)?) << 16).ok()?;
    let content = record.get(8..8_usize.checked_add(length)?)?;
    let content = content.get(if which.is_multiple_of(2) { 16 } else { 32 }..)?;
    if which >= 6 {
        return metafile::bitmap(content.get(1..)?);
    }
    // Sizes and bounds, then whether it is compressed (0) or not (254).
    let (compressed, metafile) = (*content.get(32)? == 0, content.get(34..)?);
    if compressed { reader.unpack(u64::try_from(metafile.len()).ok()?, ZlibDecoder::new(metafile)) } else { Some(metafile.to_vec()) }
}

/// Up to the end mark of a JPEG: a small picture of the picture may lie in its header, with an end mark of its own.
fn jpeg_length(bytes: &[u8]) -> usize {
    let mut at = 2;
    while let Some(&[0xff, kind, high, low]) = bytes.get(at..at + 4).and_then(|four| <&[u8; 4]>::try_from(four).ok()) {
        if kind == 0xd9 {
            return at + 2;
        }
        at += 2 + (usize::from(high) << 8 | usize::from(low));
        if kind == 0xda {
            // Pixels: a mark in them is followed by a zero or is a restart.
            let pixels = bytes.get(at..).unwrap_or(&[]);
            at += pixels
                .windows(2)
                .position(|two| matches!(two, [0xff, kind] if !matches!(kind, 0 | 0xd0..=0xd7 | 0xff)))
                .unwrap_or(pixels.len());
        }
    }
    // An end mark that ends the bytes has no length behind it.
    (at + 2).min(bytes.len())
}
