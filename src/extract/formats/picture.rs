//! Pictures: their size first, then their pixels, decoded here and enlarged for tesseract; and what is written beside the pixels.

mod ending;
mod tiff;

use super::{Reader, text};
use crate::extract::protocol::Tool;
use crate::parse::document::Unreadable;
use flate2::read::ZlibDecoder;
use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{AnimationDecoder, DynamicImage, Frames, GrayImage, ImageDecoder, ImageReader, imageops::FilterType};
use memchr::memmem;
use std::io::{Cursor, Read};

/// More pixels than this are not decoded (THREATS §1 row 27).
const MOST_PIXELS: u64 = 50_000_000;
/// Up to this size a picture is enlarged twice: small type is what screenshots have, and what tesseract fails on.
const ENLARGED_BELOW: u64 = 5_000_000;
/// How many different frames an animation may have; a recording of a screen has more than anybody can read here.
const MOST_FRAMES: usize = 20;
/// Bytes that decoding may take.
const MOST_MEMORY: u64 = 600 * 1024 * 1024;

/// Reads one picture, and what stands behind its end: programs append there, and nobody sees it.
pub fn read(reader: &mut Reader, bytes: &[u8]) {
    let (picture, behind) = bytes.split_at_checked(ending::end(bytes).unwrap_or(bytes.len())).unwrap_or((bytes, &[]));
    picture_itself(reader, picture);
    reader.appended(behind);
}

fn picture_itself(reader: &mut Reader, bytes: &[u8]) {
    reader.lines("metadata", 1, words_beside(bytes));
    let sized = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok().and_then(|image| image.into_dimensions().ok());
    let Some((width, height)) = sized else { return reader.fail(Unreadable::Damaged) };
    if reader.path.is_empty() {
        reader.pixels = Some((width, height));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS {
        return reader.fail(Unreadable::TooLarge);
    }
    if pixels < 10_000 || height < 20 {
        return;
    }
    if let Some(frames) = frames(bytes) {
        return animation(reader, frames);
    }
    if tiff::pages(bytes) > 1 {
        // tesseract reads all the pages of a TIFF; the decoder here only the first.
        return reader.task(Tool::Ocr, "picture", bytes.to_vec());
    }
    match decoded(bytes) {
        Ok(_) if is_cut_off(bytes) => reader.fail(Unreadable::Damaged),
        Ok(image) => reader.task(Tool::Ocr, "picture", graymap(&image)),
        Err(_) => reader.fail(Unreadable::Damaged),
    }
}

/// Whether a JPEG ends before its end mark (ITU-T T.81, B.1.1.3): the decoder paints what is missing grey. Within the pixels no byte 0xff
/// is followed by either mark, and a small picture among the properties ends before the pixels begin.
fn is_cut_off(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8") && memmem::rfind(bytes, b"\xff\xd9") <= memmem::rfind(bytes, b"\xff\xda")
}

/// The pixels the right way up: a telephone held upright writes them lying, and says so in a tag.
fn decoded(bytes: &[u8]) -> image::ImageResult<DynamicImage> {
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    let mut picture = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    picture.limits(limits);
    let mut decoder = picture.into_decoder()?;
    let turned = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(turned);
    Ok(image)
}

/// The pictures of an animation, in any format that has them; `None` for a picture that stands still.
fn frames(bytes: &[u8]) -> Option<Frames<'_>> {
    if bytes.starts_with(b"GIF8") {
        return GifDecoder::new(Cursor::new(bytes)).ok().map(AnimationDecoder::into_frames);
    }
    if bytes.starts_with(b"RIFF") {
        return WebPDecoder::new(Cursor::new(bytes)).ok().filter(WebPDecoder::has_animation).map(AnimationDecoder::into_frames);
    }
    let png = PngDecoder::new(Cursor::new(bytes)).ok().filter(|_| bytes.starts_with(b"\x89PNG"))?;
    let animated = png.is_apng().ok()?;
    if animated { png.apng().ok().map(AnimationDecoder::into_frames) } else { None }
}

/// Every picture that differs from the one before it.
fn animation(reader: &mut Reader, frames: Frames<'_>) {
    let mut before: Option<Vec<u8>> = None;
    let mut different = 0;
    for (number, frame) in frames.enumerate() {
        let Ok(frame) = frame else { return reader.fail(Unreadable::Damaged) };
        let pixels = frame.into_buffer();
        if before.as_ref() == Some(pixels.as_raw()) {
            continue;
        }
        different += 1;
        if different > MOST_FRAMES || number > MOST_FRAMES * 50 {
            return reader.fail(Unreadable::TooLarge);
        }
        before = Some(pixels.as_raw().clone());
        reader.task(Tool::Ocr, "picture", graymap(&DynamicImage::ImageRgba8(pixels)));
    }
    if different == 0 {
        reader.fail(Unreadable::Damaged);
    }
}

/// Gray on white, as netpbm PGM: the simplest picture there is, for a program that shall not meet a stranger's file.
fn graymap(image: &DynamicImage) -> Vec<u8> {
    let (width, height) = (image.width(), image.height());
    let mut flat = DynamicImage::ImageRgba8(image.to_rgba8());
    if let DynamicImage::ImageRgba8(pixels) = &mut flat {
        // What is transparent shows the paper.
        for pixel in pixels.pixels_mut() {
            let alpha = u32::from(pixel.0[3]);
            for channel in pixel.0.iter_mut().take(3) {
                *channel = u8::try_from((u32::from(*channel) * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
            }
        }
    }
    let mut gray = flat.to_luma8();
    if is_dithered(&gray) {
        gray = image::imageops::filter3x3(&gray, &[1.0 / 9.0; 9]);
    }
    if u64::from(width) * u64::from(height) < ENLARGED_BELOW {
        gray = image::imageops::resize(&gray, width * 2, height * 2, FilterType::CatmullRom);
    }
    let mut bytes = format!("P5\n{} {}\n255\n", gray.width(), gray.height()).into_bytes();
    bytes.extend_from_slice(gray.as_raw());
    bytes
}

/// Whether gray is made of black dots on white, as a fax does it: one black dot in ten has no black one above, below or beside it. tesseract
/// finds no letters among them before they are gray again.
fn is_dithered(gray: &GrayImage) -> bool {
    let black = |x: u32, y: u32| gray.get_pixel_checked(x, y).is_some_and(|pixel| pixel.0 == [0]);
    let (mut dots, mut alone) = (0_u64, 0_u64);
    for (x, y, pixel) in gray.enumerate_pixels() {
        match pixel.0 {
            [0] => {
                dots += 1;
                let beside = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
                alone += u64::from(!beside.into_iter().any(|(x, y)| black(x, y)));
            }
            [255] => {}
            _ => return false,
        }
    }
    alone * 10 > dots
}

/// Comments, EXIF and XMP: what is written beside the pixels.
fn words_beside(bytes: &[u8]) -> Vec<String> {
    let mut words = match bytes {
        [0xff, 0xd8, ..] => beside_jpeg(bytes),
        [0x89, b'P', b'N', b'G', ..] => beside_png(bytes),
        [b'R', b'I', b'F', b'F', ..] => beside_webp(bytes),
        // The words of a TIFF stand among its numbers, those of a GIF behind a mark.
        _ => memmem::find_iter(bytes, b"\x21\xfe")
            .take(20)
            .flat_map(|at| text::runs(bytes.get(at..(at + 2_000).min(bytes.len())).unwrap_or(&[])))
            .collect(),
    };
    words.extend(tiff::words(bytes));
    // XMP is the same packet of XML in every format.
    if let Some(packet) = memmem::find(bytes, b"<x:xmpmeta").and_then(|start| bytes.get(start..)) {
        let end = memmem::find(packet, b"</x:xmpmeta>").unwrap_or(packet.len());
        words.extend(String::from_utf8_lossy(packet.get(..end).unwrap_or(&[])).split(['<', '>']).map(str::to_owned));
    }
    words
}

fn beside_jpeg(bytes: &[u8]) -> Vec<String> {
    let mut words = Vec::new();
    // Where it is cut off, what came before counts.
    let _ = ending::jpeg(bytes, |kind, content| {
        if matches!(kind, 0xe1..=0xef | 0xfe) {
            words.extend(text::runs(content));
        }
    });
    words
}

fn beside_png(bytes: &[u8]) -> Vec<String> {
    const MOST: u64 = 256 * 1024;
    let (mut words, mut at) = (Vec::new(), 8);
    while let Some(length) = bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()).map(u32::from_be_bytes) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let content = bytes.get(at + 8..(at + 8).saturating_add(length).min(bytes.len())).unwrap_or(&[]);
        match bytes.get(at + 4..at + 8) {
            // Pixels, colours and profiles. Chunks that only their own program knows are read like texts.
            None | Some(b"IHDR" | b"PLTE" | b"IDAT" | b"fdAT" | b"iCCP") => {}
            Some(b"iTXt" | b"zTXt") => {
                words.extend(text::runs(content));
                // It may be compressed, behind its key and language.
                for start in memmem::find_iter(content, b"x").take(10) {
                    let mut unpacked = Vec::new();
                    let _ = ZlibDecoder::new(content.get(start..).unwrap_or(&[])).take(MOST).read_to_end(&mut unpacked);
                    words.extend(text::decode(&unpacked).into_iter().flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()));
                }
            }
            _ => words.extend(text::runs(content)),
        }
        at = at.saturating_add(12).saturating_add(length);
    }
    words
}

/// Everything but pixels, colours and how they are put together (RFC 9649 §2.3).
fn beside_webp(bytes: &[u8]) -> Vec<String> {
    let (mut words, mut at) = (Vec::new(), 12);
    while let (Some(kind), Some(size)) = (bytes.get(at..at + 4), ending::little(bytes, at + 4, 4)) {
        if !matches!(kind, b"VP8 " | b"VP8L" | b"VP8X" | b"ALPH" | b"ANIM" | b"ANMF" | b"ICCP") {
            words.extend(text::runs(bytes.get(at + 8..(at + 8).saturating_add(size).min(bytes.len())).unwrap_or(&[])));
        }
        at = at.saturating_add(8).saturating_add(size + size % 2);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_a_jpeg_are_read_before_and_behind_its_pixels() {
        let mut picture = Cursor::new(Vec::new());
        image::GrayImage::from_pixel(96, 96, image::Luma([200])).write_to(&mut picture, image::ImageFormat::Jpeg).unwrap();
        let picture = picture.into_inner();
        let comment = b"\xff\xfe\x00\x0fBSN 123456782";
        for at in [2, picture.len() - 2] {
            let (before, behind) = picture.split_at(at);
            let words = words_beside(&[before, comment, behind].concat());
            assert!(words.iter().any(|words| words.contains("BSN 123456782")), "at {at}: {words:?}");
        }
    }
}
