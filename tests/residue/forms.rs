//! Finding a planted token again, whatever form it was kept in: as it is, encoded, folded over lines, or packed.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A text of its own that stands in one place of one mail, and nowhere else in the world.
#[derive(Clone, Debug)]
pub struct Token {
    /// Where it was planted, in words.
    pub place: String,
    pub text: String,
}

/// One of the tokens in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Where the token was planted.
    pub planted: String,
    /// In which form it was found.
    pub form: &'static str,
    pub file: PathBuf,
}

/// Looks for many tokens in all their forms at once. Letters count in either case.
pub struct Search {
    finder: AhoCorasick,
    /// The token and the form of each pattern.
    meanings: Vec<(usize, &'static str)>,
    tokens: Vec<Token>,
    packed: AhoCorasick,
}

/// How each packed stream begins: zlib at four levels (RFC 1950), gzip (RFC 1952), a member of a zip.
const PACKED: [&[u8]; 6] = [b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08", b"PK\x03\x04"];
/// How deep streams in streams are opened.
const DEPTH: u32 = 4;
/// How much of a stream is looked at.
const UNPACKED: u64 = 8 << 20;
/// Base64 of fewer bytes packs nothing.
const BLOCK: usize = 32;

impl Search {
    pub fn new(tokens: &[Token]) -> Self {
        let (mut patterns, mut meanings) = (Vec::new(), Vec::new());
        for (number, token) in tokens.iter().enumerate() {
            for (form, pattern) in forms(&token.text) {
                patterns.push(pattern);
                meanings.push((number, form));
            }
        }
        let finder = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(patterns).unwrap();
        Self { finder, meanings, tokens: tokens.to_vec(), packed: AhoCorasick::new(PACKED).unwrap() }
    }

    /// Every token in every file below these places, each form once a file.
    pub fn below(&self, places: &[PathBuf]) -> Found {
        let mut found = Found::default();
        for place in places {
            self.walk(place, &mut found);
        }
        found
    }

    fn walk(&self, place: &Path, found: &mut Found) {
        // A file's own name and a symbolic link's target could tell something, too.
        let mut seen = BTreeSet::new();
        self.look(place.as_os_str().as_encoded_bytes(), 0, &mut seen);
        match fs::symlink_metadata(place) {
            Ok(about) if about.is_dir() => {
                for entry in fs::read_dir(place).into_iter().flatten().flatten() {
                    self.walk(&entry.path(), found);
                }
            }
            Ok(about) if about.is_file() => {
                let bytes = fs::read(place).unwrap_or_default();
                found.files += 1;
                found.bytes += bytes.len() as u64;
                self.look(&bytes, 0, &mut seen);
            }
            // A socket holds nothing; what is gone meanwhile holds nothing either.
            _ => {}
        }
        found.hits.extend(seen.into_iter().map(|(token, form)| Hit {
            planted: self.tokens[token].place.clone(),
            form,
            file: place.to_owned(),
        }));
    }

    fn look(&self, bytes: &[u8], depth: u32, seen: &mut BTreeSet<(usize, &'static str)>) {
        let unfolded = unfolded(bytes);
        for view in [bytes, &unfolded] {
            for hit in self.finder.find_overlapping_iter(view) {
                let (token, form) = self.meanings[hit.pattern().as_usize()];
                seen.insert((token, if depth == 0 { form } else { "inside" }));
            }
        }
        if depth == DEPTH {
            return;
        }
        for hit in self.packed.find_iter(bytes) {
            if let Some(inside) = unpacked(&bytes[hit.start()..]) {
                self.look(&inside, depth + 1, seen);
            }
        }
        for block in base64_blocks(bytes) {
            self.look(&block, depth + 1, seen);
        }
    }
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    pub files: u64,
    pub bytes: u64,
    pub hits: Vec<Hit>,
}

impl Found {
    /// Where the tokens that were found had been planted.
    pub fn planted(&self) -> BTreeSet<&str> {
        self.hits.iter().map(|hit| hit.planted.as_str()).collect()
    }
}

/// Every form of a text in which it could have been kept.
pub fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let each = |write: &dyn Fn(&mut String, u32)| {
        let mut all = String::new();
        text.chars().for_each(|c| write(&mut all, u32::from(c)));
        all.into_bytes()
    };
    let mut forms = vec![
        ("raw", text.as_bytes().to_vec()),
        ("quoted-printable", each(&|all, c| write!(all, "={c:02X}").unwrap())),
        ("hexadecimal", each(&|all, c| write!(all, "{c:02x}").unwrap())),
        ("hexadecimal escapes", each(&|all, c| write!(all, "\\x{c:02x}").unwrap())),
        ("UTF-16 LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16 BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("percent", each(&|all, c| write!(all, "%{c:02X}").unwrap())),
        ("HTML, decimal", each(&|all, c| write!(all, "&#{c};").unwrap())),
        ("HTML, hexadecimal", each(&|all, c| write!(all, "&#x{c:x};").unwrap())),
        ("JSON", each(&|all, c| write!(all, "\\u{c:04x}").unwrap())),
    ];
    for (form, before) in [("base64, offset 0", 0), ("base64, offset 1", 1), ("base64, offset 2", 2)] {
        let bytes = [vec![0; before], text.as_bytes().to_vec()].concat();
        // Characters that also hold bits of what stands before or after the text are left out.
        let (first, last) = ((8 * before).div_ceil(6), 8 * bytes.len() / 6);
        let mut written = BTreeSet::new();
        for engine in [STANDARD, URL_SAFE] {
            written.insert(engine.encode(&bytes).into_bytes()[first..last].to_vec());
        }
        forms.extend(written.into_iter().map(|pattern| (form, pattern)));
    }
    forms
}

/// Without line ends, and without the soft ones of quoted-printable.
fn unfolded(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\r' => {}
            b'\n' if all.last() == Some(&b'=') => drop(all.pop()),
            b'\n' => {}
            _ => all.push(byte),
        }
    }
    all
}

/// What the stream at the beginning of these bytes holds, as far as it can be read.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let stream: Box<dyn Read + '_> = match bytes {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::GzDecoder::new(bytes)),
        [0x78, ..] => Box::new(flate2::read::ZlibDecoder::new(bytes)),
        // APPNOTE.TXT 4.3.7: the method at 8, the lengths of name and extra field at 26 and 28.
        _ => {
            let number = |at: usize| Some(usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
            let content = bytes.get(30 + number(26)? + number(28)?..)?;
            (number(8)? == 8).then(|| Box::new(flate2::read::DeflateDecoder::new(content)))?
        }
    };
    let mut inside = Vec::new();
    // What could be read before an error counts.
    let _ = stream.take(UNPACKED).read_to_end(&mut inside);
    (inside.len() >= 16).then_some(inside)
}

/// Whole lines of base64 that follow each other, and long runs of it within a line, decoded.
fn base64_blocks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() && line.iter().all(is_base64) {
            texts.last_mut().unwrap().extend_from_slice(line);
            continue;
        }
        texts.extend(line.split(|byte| !is_base64(byte)).filter(|run| run.len() >= BLOCK).map(<[u8]>::to_vec));
        texts.push(Vec::new());
    }
    let lenient = base64::engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    let decoded = |text: Vec<u8>| {
        let unpadded: Vec<u8> = text.into_iter().filter(|byte| *byte != b'=').collect();
        let whole = unpadded.len() - usize::from(unpadded.len() % 4 == 1);
        engine.decode(&unpadded[..whole]).ok().filter(|bytes| bytes.len() >= BLOCK)
    };
    texts.into_iter().filter_map(decoded).collect()
}
