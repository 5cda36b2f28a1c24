//! Metafiles of Windows (MS-EMF, MS-WMF) and LibreOffice: the text that they draw, and the pictures in them.

use super::{Reader, text};
use memchr::memmem;

/// Reads an enhanced or a plain metafile.
pub fn read(reader: &mut Reader, bytes: &[u8]) {
    let (lines, pictures) = match bytes {
        _ if is_enhanced(bytes) => enhanced(bytes),
        _ if is_starview(bytes) => (text::runs(bytes), bitmaps(bytes)),
        _ => plain(bytes),
    };
    reader.lines("picture", 1, lines);
    for (picture, number) in pictures.into_iter().zip(1..) {
        reader.member(number, None, &picture);
    }
}

/// MS-EMF 2.3.4.2: the header record with its signature.
pub fn is_enhanced(bytes: &[u8]) -> bool {
    bytes.starts_with(&[1, 0, 0, 0]) && bytes.get(40..44) == Some(b" EMF")
}

/// MS-WMF 2.3.2: with the placeable header, or the plain one.
pub fn is_plain(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xd7, 0xcd, 0xc6, 0x9a]) || bytes.starts_with(&[1, 0, 9, 0, 0, 3])
}

/// LibreOffice's own metafile, which it keeps as the preview of a table or chart.
pub fn is_starview(bytes: &[u8]) -> bool {
    bytes.starts_with(b"VCLMTF")
}

/// BMP files between other bytes: the mark, the length, and the head of 40 bytes.
fn bitmaps(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts =
        memmem::find_iter(bytes, b"BM").filter(|at| bytes.get(at + 6..at + 10) == Some(&[0; 4]) && word(bytes, at + 14) == Some(40));
    starts.filter_map(|at| bytes.get(at..at.checked_add(word(bytes, at + 2)?)?).map(<[u8]>::to_vec)).collect()
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes).and_then(|value| usize::try_from(value).ok())
}

fn half(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes).map(usize::from)
}

fn enhanced(bytes: &[u8]) -> (Vec<String>, Vec<Vec<u8>>) {
    let (mut lines, mut pictures, mut at) = (Vec::new(), Vec::new(), 0);
    while let (Some(kind), Some(size)) = (word(bytes, at), word(bytes, at + 4).filter(|size| *size >= 8)) {
        let record = bytes.get(at..at.saturating_add(size)).unwrap_or(&[]);
        match kind {
            // EMR_EXTTEXTOUTW: how many characters, and where.
            84 => lines
                .extend(word(record, 44).zip(word(record, 48)).map(|(count, offset)| utf16(record.get(offset..).unwrap_or(&[]), count))),
            // EMR_EXTTEXTOUTA, EMR_SMALLTEXTOUT.
            83 | 108 => lines.extend(text::runs(record)),
            // EMR_SETDIBITSTODEVICE, EMR_STRETCHDIBITS; then the block transfers.
            80 | 81 => pictures.extend(dib(record, 48)),
            76 | 77 | 114 | 116 => pictures.extend(dib(record, 84)),
            // EMF+ keeps pictures as files.
            70 => pictures.extend(file(record)),
            _ => {}
        }
        at = at.saturating_add(size);
    }
    (lines, pictures)
}

fn utf16(bytes: &[u8], count: usize) -> String {
    encoding_rs::UTF_16LE.decode_without_bom_handling(bytes.get(..count.saturating_mul(2).min(bytes.len())).unwrap_or(&[])).0.into_owned()
}

/// A bitmap of which a record says where its head and its pixels lie, as a BMP file.
fn dib(record: &[u8], at: usize) -> Option<Vec<u8>> {
    let (head, head_size, pixels, pixels_size) = (word(record, at)?, word(record, at + 4)?, word(record, at + 8)?, word(record, at + 12)?);
    let head = record.get(head..head.checked_add(head_size)?).filter(|head| head.len() >= 40)?;
    let pixels = record.get(pixels..pixels.checked_add(pixels_size)?)?;
    Some(bmp(head, pixels))
}

fn bmp(head: &[u8], pixels: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    [b"BM", &length(14 + head.len() + pixels.len())[..], &[0; 4], &length(14 + head.len()), head, pixels].concat()
}

/// A bitmap whose pixels follow its head and colours (a packed DIB), as a BMP file.
pub fn bitmap(packed: &[u8]) -> Option<Vec<u8>> {
    let (bits, used) = (half(packed, 14)?, word(packed, 32)?);
    let colours = if used > 0 {
        used
    } else if bits <= 8 {
        1 << bits
    } else {
        0
    };
    let head = word(packed, 0)?.checked_add(colours.checked_mul(4)?)?;
    Some(bmp(packed.get(..head)?, packed.get(head..)?))
}

fn file(record: &[u8]) -> Option<Vec<u8>> {
    let at = record.windows(8).position(|window| window == b"\x89PNG\r\n\x1a\n" || window.starts_with(b"\xff\xd8\xff"))?;
    record.get(at..).map(<[u8]>::to_vec)
}

fn plain(bytes: &[u8]) -> (Vec<String>, Vec<Vec<u8>>) {
    let (mut lines, mut pictures) = (Vec::new(), Vec::new());
    let mut at = if bytes.starts_with(&[0xd7, 0xcd]) { 40 } else { 18 };
    while let (Some(size), Some(kind)) = (word(bytes, at).filter(|size| *size >= 3), half(bytes, at + 4)) {
        let end = at.saturating_add(size.saturating_mul(2));
        let record = bytes.get(at + 6..end).unwrap_or(&[]);
        match kind {
            // META_TEXTOUT, META_EXTTEXTOUT.
            0x0521 | 0x0a32 => lines.extend(text::runs(record)),
            // META_DIBBITBLT, META_DIBSTRETCHBLT, META_STRETCHDIB: the head of a bitmap is 40 bytes long and says so.
            0x0940 | 0x0b41 | 0x0f43 => {
                let head = record.windows(4).position(|window| window == [40, 0, 0, 0]);
                pictures.extend(head.and_then(|head| bitmap(record.get(head..)?)));
            }
            _ => {}
        }
        at = end;
    }
    (lines, pictures)
}
