//! What a file is, by its bytes alone.

use super::metafile;
use memchr::memmem;

/// The format, as far as the first bytes tell: a zip is looked into by its reader, and text is the empty word.
#[must_use]
pub fn sniff(bytes: &[u8]) -> &'static str {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    // A PDF may have a kilobyte of anything before its mark (ISO 32000-1, Annex H.3.4.1); a text that speaks of one has no objects.
    let start = bytes.get(..bytes.len().min(1024 + 5)).unwrap_or(bytes);
    if starts(b"%PDF-") || memmem::find(start, b"%PDF-").is_some() && memmem::find(bytes, b" obj").is_some() {
        return "pdf";
    }
    match bytes {
        _ if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") || starts(b"PK\x07\x08") => "zip",
        _ if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => "ole",
        _ if starts(b"{\\rt") => "rtf",
        _ if starts(b"7z\xbc\xaf\x27\x1c") => "7z",
        _ if starts(b"\x1f\x8b") => "gz",
        _ if starts(b"BZh") && bytes.get(3).is_some_and(u8::is_ascii_digit) => "bz2",
        _ if starts(b"\xfd7zXZ\0") => "xz",
        _ if at(257, b"ustar") => "tar",
        _ if starts(b"\x89PNG\r\n\x1a\n") => "png",
        _ if starts(b"\xff\xd8\xff") => "jpg",
        _ if starts(b"GIF87a") || starts(b"GIF89a") => "gif",
        _ if starts(b"BM") && bytes.len() > 26 && at(6, b"\0\0\0\0") => "bmp",
        _ if starts(b"II*\0") || starts(b"MM\0*") => "tiff",
        _ if metafile::is_enhanced(bytes) => "emf",
        _ if metafile::is_plain(bytes) => "wmf",
        _ if metafile::is_starview(bytes) => "svm",
        _ if starts(b"RIFF") && at(8, b"WEBP") => "webp",
        _ if at(4, b"ftyphei") || at(4, b"ftypmif1") || at(4, b"ftypavif") => "heic",
        _ if starts(b"Rar!\x1a\x07") => "rar",
        _ if starts(b"\x28\xb5\x2f\xfd") => "zst",
        _ if starts(b"\x78\x9f\x3e\x22") => "tnef",
        _ if starts(b"MZ") && bytes.contains(&0) => "exe",
        _ if starts(b"\x7fELF") => "elf",
        _ if starts(b"SQLite format 3\0") => "sqlite",
        _ if starts(b"PAR1") => "parquet",
        _ if starts(b"\0\x01\0\0Standard ") => "mdb",
        _ => "",
    }
}
