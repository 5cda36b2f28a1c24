//! Where a picture ends by its own account. What stands behind is another file, and no program that shows the picture shows it.

use super::tiff;

/// How many bytes are the picture's; `None` where it does not tell, or is cut off.
pub fn end(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0xff, 0xd8, ..] => jpeg(bytes, |_, _| {}),
        [0x89, b'P', b'N', b'G', ..] => png(bytes),
        [b'G', b'I', b'F', ..] => gif(bytes),
        [b'B', b'M', ..] => bmp(bytes),
        [b'R', b'I', b'F', b'F', ..] => little(bytes, 4, 4)?.checked_add(8).map(|end| end + end % 2),
        _ => tiff::end(bytes),
    }
    .filter(|end| *end <= bytes.len())
}

/// A number with its lowest byte first.
pub fn little(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    Some(bytes.get(at..at.checked_add(length)?)?.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}

/// ITU-T T.81, B.1.1: segments with their lengths; behind the start of a scan the pixels, in which a byte 0xff is followed by 0 or a restart mark.
/// `see` is shown each segment, also those behind pixels.
pub fn jpeg(bytes: &[u8], mut see: impl FnMut(u8, &[u8])) -> Option<usize> {
    let mut at = 2;
    loop {
        let mark = at + bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        let kind = *bytes.get(mark + 1)?;
        at = match kind {
            0xd9 => return Some(mark + 2),
            0xff => mark + 1,
            0x00 | 0x01 | 0xd0..=0xd8 => mark + 2,
            _ => {
                let length = bytes.get(mark + 2..mark + 4)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                let end = mark + 2 + length.max(2);
                see(kind, bytes.get(mark + 4..end.min(bytes.len())).unwrap_or_default());
                end
            }
        };
    }
}

/// PNG, third edition, §5.3: chunks up to IEND.
fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8_usize;
    loop {
        let length = bytes.get(at..at.checked_add(4)?)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let kind = bytes.get(at + 4..at + 8)?;
        at = at.checked_add(12)?.checked_add(length)?;
        if kind == b"IEND" {
            return Some(at);
        }
    }
}

/// GIF89a §12 to §27: blocks up to the trailer.
fn gif(bytes: &[u8]) -> Option<usize> {
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + colours(*bytes.get(10)?);
    loop {
        at = match bytes.get(at)? {
            0x3b => return Some(at + 1),
            0x21 => sub_blocks(bytes, at + 2)?,
            // A picture: its head, its colours, and how long its codes are.
            0x2c => sub_blocks(bytes, at + 11 + colours(*bytes.get(at + 9)?))?,
            _ => return None,
        };
    }
}

/// Where the blocks that begin here have come to their empty one.
fn sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// What the head says of the pixels: the length of the file that stands there is wrong in many.
fn bmp(bytes: &[u8]) -> Option<usize> {
    const UNPACKED: [usize; 3] = [0, 3, 6];
    let start = little(bytes, 10, 4)?;
    let size = if little(bytes, 14, 4)? >= 40 && !UNPACKED.contains(&little(bytes, 30, 4)?) {
        little(bytes, 34, 4).filter(|size| *size > 0)?
    } else {
        let (width, height, bits) = if little(bytes, 14, 4)? >= 40 {
            let height = u32::try_from(little(bytes, 22, 4)?).ok()?.cast_signed().unsigned_abs();
            (little(bytes, 18, 4)?, usize::try_from(height).ok()?, little(bytes, 28, 2)?)
        } else {
            (little(bytes, 18, 2)?, little(bytes, 20, 2)?, little(bytes, 24, 2)?)
        };
        width.checked_mul(bits)?.div_ceil(32).checked_mul(4)?.checked_mul(height)?
    };
    start.checked_add(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage};
    use std::io::Cursor;

    #[test]
    fn every_picture_knows_its_end() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff] {
            let mut picture = Cursor::new(Vec::new());
            RgbImage::from_fn(101, 37, |x, y| image::Rgb([u8::try_from(x).unwrap(), u8::try_from(y * 5).unwrap(), 0xff]))
                .write_to(&mut picture, format)
                .unwrap();
            let picture = picture.into_inner();
            assert_eq!(end(&picture), Some(picture.len()), "{format:?}");
            // The same picture once more, and other bytes.
            assert_eq!(end(&[picture.as_slice(), &picture].concat()), Some(picture.len()), "{format:?}");
            assert_eq!(end(&[picture.as_slice(), b"naam;bsn\n"].concat()), Some(picture.len()), "{format:?}");
            for cut in [3, 20, picture.len() / 2, picture.len() - 3] {
                assert!(end(&picture[..cut]).is_none_or(|end| end <= cut), "{format:?}");
            }
        }
    }
}
