//! Pictures: their size first, then their pixels, decoded here and enlarged for tesseract; and what is written beside the pixels.

use super::Reader;
use crate::extract::protocol::Tool;
use crate::parse::document::Unreadable;
use image::{AnimationDecoder, DynamicImage, ImageReader, imageops::FilterType};
use std::io::Cursor;

/// More pixels than this are not decoded (THREATS §1 row 27).
const MOST_PIXELS: u64 = 50_000_000;
/// Up to this size a picture is enlarged twice: small type is what screenshots have, and what tesseract fails on.
const ENLARGED_BELOW: u64 = 5_000_000;
/// How many frames of an animation are looked at.
const FRAMES: usize = 6;

/// Reads one picture.
pub fn read(reader: &mut Reader, bytes: &[u8]) {
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
    if bytes.starts_with(b"GIF8") {
        return animation(reader, bytes);
    }
    if tiff_pages(bytes) > 1 {
        // tesseract reads all the pages of a TIFF; the decoder here only the first.
        return reader.task(Tool::Ocr, "picture", bytes.to_vec());
    }
    let mut decoder = ImageReader::new(Cursor::new(bytes));
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(600 * 1024 * 1024);
    decoder.limits(limits);
    match decoder.with_guessed_format().map(ImageReader::decode) {
        Ok(Ok(image)) => reader.task(Tool::Ocr, "picture", graymap(&image)),
        _ => reader.fail(Unreadable::Damaged),
    }
}

fn animation(reader: &mut Reader, bytes: &[u8]) {
    let Ok(decoder) = image::codecs::gif::GifDecoder::new(Cursor::new(bytes)) else { return reader.fail(Unreadable::Damaged) };
    let mut last = None;
    for (number, frame) in decoder.into_frames().enumerate() {
        match frame {
            Ok(frame) if number < FRAMES => reader.task(Tool::Ocr, "picture", graymap(&DynamicImage::ImageRgba8(frame.into_buffer()))),
            Ok(frame) => last = Some(frame),
            Err(_) => return reader.fail(Unreadable::Damaged),
        }
        if number > 500 {
            return reader.fail(Unreadable::TooLarge);
        }
    }
    if let Some(frame) = last {
        reader.task(Tool::Ocr, "picture", graymap(&DynamicImage::ImageRgba8(frame.into_buffer())));
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
    if u64::from(width) * u64::from(height) < ENLARGED_BELOW {
        gray = image::imageops::resize(&gray, width * 2, height * 2, FilterType::CatmullRom);
    }
    let mut bytes = format!("P5\n{} {}\n255\n", gray.width(), gray.height()).into_bytes();
    bytes.extend_from_slice(gray.as_raw());
    bytes
}

/// How many images a TIFF holds; 1 for what is none. BigTIFF is not sniffed as a picture at all.
fn tiff_pages(bytes: &[u8]) -> usize {
    let little = match bytes.get(..4) {
        Some(b"II*\0") => true,
        Some(b"MM\0*") => false,
        _ => return 1,
    };
    let number = |at: usize, length: usize| {
        let field = bytes.get(at..at + length)?;
        let folded = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
        Some(if little { field.iter().rev().fold(0, folded) } else { field.iter().fold(0, folded) })
    };
    let mut pages = 0;
    let mut at = number(4, 4).unwrap_or(0);
    while at != 0 && pages < 1000 {
        pages += 1;
        at = number(at, 2).and_then(|entries| number(at + 2 + entries * 12, 4)).unwrap_or(0);
    }
    pages
}

/// Comments, EXIF and XMP: runs of readable characters before the pixels begin.
fn words_beside(bytes: &[u8]) -> Vec<String> {
    const LONGEST: usize = 256 * 1024;
    let mut words = Vec::new();
    if bytes.starts_with(b"\xff\xd8") {
        let mut at = 2;
        while let Some(&[0xff, kind, high, low]) = bytes.get(at..at + 4).and_then(|four| <&[u8; 4]>::try_from(four).ok()) {
            let length = usize::from(high) << 8 | usize::from(low);
            if kind == 0xda || length < 2 {
                break;
            }
            if matches!(kind, 0xe1..=0xef | 0xfe) {
                words.extend(runs(bytes.get(at + 4..at + 2 + length).unwrap_or(&[])));
            }
            at += 2 + length;
        }
    } else if bytes.starts_with(b"\x89PNG") {
        let mut at = 8;
        while let Some(length) = bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()).map(u32::from_be_bytes) {
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(LONGEST);
            let kind = bytes.get(at + 4..at + 8).unwrap_or(&[]);
            if matches!(kind, b"tEXt" | b"iTXt" | b"eXIf") {
                words.extend(runs(bytes.get(at + 8..at + 8 + length).unwrap_or(&[])));
            }
            at += 12 + length;
        }
    }
    words
}

fn runs(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes)
        .split(|c: char| c.is_control() || c == '\u{fffd}')
        .filter(|run| run.chars().count() >= 6)
        .map(str::to_owned)
        .collect()
}
