//! Containers: zip, 7z, tar and packed streams, with their members' names.

use super::{Hint, Reader, text};
use crate::parse::document::Unreadable;
use memchr::memmem;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Whether the bytes end as a zip does, whatever they begin with: self-extracting and polyglot files.
pub fn ends_as_zip(bytes: &[u8]) -> bool {
    let start = bytes.len().saturating_sub(65_557);
    bytes.get(start..).is_some_and(|end| end.windows(4).any(|window| window == b"PK\x05\x06"))
}

/// A zip whose members are files of their own.
pub fn zip(reader: &mut Reader, bytes: &[u8]) {
    match ZipArchive::new(Cursor::new(bytes)) {
        Ok(mut zip) => zip_members(reader, &mut zip),
        Err(_) => reader.fail(Unreadable::Damaged),
    }
}

/// Whether bytes of a zip belong to none of its members and not to its directory: there another program finds what this one does not, such
/// as a member that the directory leaves out. Up to 24 bytes are a member's own sizes behind it; zeroes are padding.
pub fn hides_bytes(zip: &mut ZipArchive<Cursor<&[u8]>>, bytes: &[u8]) -> bool {
    const SIZES: usize = 24;
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let mut taken: Vec<(usize, usize)> = (0..zip.len())
        .filter_map(|index| {
            let member = zip.by_index_raw(index).ok()?;
            Some((place(member.header_start()), place(member.data_start()?.saturating_add(member.compressed_size()))))
        })
        .collect();
    let end = memmem::rfind(bytes, b"PK\x05\x06").unwrap_or(bytes.len());
    taken.push((place(zip.central_directory_start()), end + 22 + zip.comment().len()));
    taken.push((bytes.len(), bytes.len()));
    taken.sort_unstable();
    let mut known = 0;
    taken.into_iter().any(|(start, end)| {
        let gap = bytes.get(known..start).unwrap_or(&[]);
        known = known.max(end);
        gap.len() > SIZES && gap.iter().any(|byte| *byte != 0)
    })
}

/// Reads every member of an opened zip.
pub fn zip_members(reader: &mut Reader, zip: &mut ZipArchive<Cursor<&[u8]>>) {
    if zip.has_duplicate_names() || zip.has_overlapping_entries().unwrap_or(true) {
        // Two programs would see two different files, or one stretch of bytes many times over (THREATS §1 row 24).
        reader.fail(Unreadable::Damaged);
    }
    let own = String::from_utf8_lossy(zip.comment()).into_owned();
    let of_members: Vec<String> = (0..zip.len()).filter_map(|index| Some(zip.by_index_raw(index).ok()?.comment().to_owned())).collect();
    let comments = [own].into_iter().chain(of_members).flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    reader.lines("comment", 0, comments.collect());
    for index in 0..zip.len() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let Some((name, directory, bytes)) = zip_member(reader, zip, index) else {
            if index > super::MOST_MEMBERS {
                return;
            }
            continue;
        };
        if directory {
            reader.lines("member-name", number, vec![name]);
        } else if let Some(bytes) = bytes {
            reader.member(number, Some(&name), &bytes);
        } else {
            reader.lines("member-name", number, vec![name]);
        }
    }
}

/// One member: its name, whether it is a folder, and its bytes unless they cannot be had.
fn zip_member(reader: &mut Reader, zip: &mut ZipArchive<Cursor<&[u8]>>, index: usize) -> Option<(String, bool, Option<Vec<u8>>)> {
    let shown = zip.by_index_raw(index).ok().map(|member| {
        (
            member.name().map_or_else(|_| String::from_utf8_lossy(member.name_raw()).into_owned(), |name| name.into_owned()),
            member.is_dir(),
            member.encrypted(),
            member.compressed_size(),
        )
    });
    let Some((name, directory, encrypted, packed)) = shown else {
        reader.fail(Unreadable::Damaged);
        return None;
    };
    if encrypted {
        reader.fail(Unreadable::Encrypted);
        return Some((name, directory, None));
    }
    let bytes = match zip.by_index(index) {
        Ok(member) => reader.unpack(packed, member),
        Err(zip::result::ZipError::UnsupportedArchive(_)) => {
            reader.fail(Unreadable::UnknownFormat);
            None
        }
        Err(_) => {
            reader.fail(Unreadable::Damaged);
            None
        }
    };
    Some((name, directory, bytes))
}

/// A 7z archive.
pub fn seven(reader: &mut Reader, bytes: &[u8]) {
    reader.appended(seven_end(bytes).and_then(|end| bytes.get(end..)).unwrap_or(&[]));
    let opened = sevenz_rust2::ArchiveReader::new(Cursor::new(bytes), sevenz_rust2::Password::empty());
    let mut archive = match opened {
        Ok(archive) => archive,
        Err(error) => return reader.fail(seven_reason(&error)),
    };
    // The worker may not start threads.
    archive.set_thread_count(1);
    let packed = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut number = 0;
    let read = archive.for_each_entries(|entry, content| {
        number += 1;
        let name = entry.name().to_owned();
        if entry.is_directory() {
            reader.lines("member-name", number, vec![name]);
        } else {
            match reader.unpack(packed, content) {
                Some(bytes) => reader.member(number, Some(&name), &bytes),
                None => {
                    reader.lines("member-name", number, vec![name]);
                    return Ok(false);
                }
            }
        }
        Ok(reader.members <= super::MOST_MEMBERS)
    });
    if let Err(error) = read {
        reader.fail(seven_reason(&error));
    }
}

/// Behind the last header, of which the first says where it lies and how long it is (7zFormat.txt, "SignatureHeader").
fn seven_end(bytes: &[u8]) -> Option<usize> {
    let number = |at: usize| usize::try_from(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?)).ok();
    number(12)?.checked_add(number(20)?)?.checked_add(32)
}

fn seven_reason(error: &sevenz_rust2::Error) -> Unreadable {
    match error {
        sevenz_rust2::Error::PasswordRequired | sevenz_rust2::Error::MaybeBadPassword(_) => Unreadable::Encrypted,
        // Encryption is not built in, so that its method is one that is not known.
        sevenz_rust2::Error::UnsupportedCompressionMethod(method) if method.to_ascii_lowercase().contains("aes") => Unreadable::Encrypted,
        sevenz_rust2::Error::UnsupportedCompressionMethod(_) => Unreadable::UnknownFormat,
        _ => Unreadable::Damaged,
    }
}

/// A tar archive (POSIX ustar and GNU long names): blocks of 512 bytes, a header before each member.
pub fn tar(reader: &mut Reader, bytes: &[u8]) {
    let mut rest = bytes;
    let mut long_name = None;
    let mut number = 0;
    while let Some(header) = rest.get(..512).filter(|header| header.iter().any(|byte| *byte != 0)) {
        let field = |from: usize, length: usize| {
            header.get(from..from + length).map(|field| field.split(|byte| *byte == 0).next().unwrap_or(&[])).unwrap_or(&[])
        };
        let size = std::str::from_utf8(field(124, 12)).ok().and_then(|octal| usize::from_str_radix(octal.trim(), 8).ok());
        let kind = header.get(156).copied().unwrap_or(0);
        let Some(content) = size.and_then(|size| rest.get(512..)?.get(..size)) else { return reader.fail(Unreadable::Damaged) };
        let prefix = String::from_utf8_lossy(field(345, 155)).into_owned();
        let name = String::from_utf8_lossy(field(0, 100)).into_owned();
        match kind {
            b'L' => long_name = Some(String::from_utf8_lossy(content).trim_end_matches('\0').to_owned()),
            b'x' | b'g' => reader.lines("metadata", number, String::from_utf8_lossy(content).lines().map(str::to_owned).collect()),
            _ => {
                number += 1;
                let name = long_name.take().unwrap_or_else(|| if prefix.is_empty() { name } else { format!("{prefix}/{name}") });
                if matches!(kind, 0 | b'0' | b'7') {
                    reader.member(number, Some(&name), content);
                } else {
                    reader.lines("member-name", number, vec![name]);
                }
            }
        }
        let end = 512 + content.len().div_ceil(512) * 512;
        reader.lines("metadata", number, text::runs(rest.get(512 + content.len()..end).unwrap_or(&[])));
        rest = rest.get(end..).unwrap_or(&[]);
    }
    // Behind the empty block that ends the archive.
    reader.appended(rest);
    if number == 0 {
        reader.fail(Unreadable::Damaged);
    }
}

/// One packed stream: gzip with its stored name, bzip2, xz. What is inside may be a container again.
pub fn stream(reader: &mut Reader, bytes: &[u8], format: &str) {
    let packed = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let (name, unpacked) = match format {
        "gz" => {
            let decoder = flate2::read::MultiGzDecoder::new(bytes);
            let words = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let name = decoder.header().and_then(|header| words(header.filename()));
            let comment = decoder.header().and_then(|header| words(header.comment()));
            reader.lines("comment", 0, comment.into_iter().collect());
            (name, reader.unpack(packed, decoder))
        }
        "bz2" => (None, reader.unpack(packed, bzip2::read::MultiBzDecoder::new(bytes))),
        _ => {
            // The dictionary's size stands in the stream: a bound keeps it from taking all memory.
            let decoder: Box<dyn Read> = Box::new(lzma_rust2::XzReader::new_mem_limit(bytes, true, 256 * 1024));
            (None, reader.unpack(packed, decoder))
        }
    };
    if let Some(unpacked) = unpacked {
        match name {
            Some(name) => reader.member(1, Some(&name), &unpacked),
            None if reader.enter(1).is_some() => {
                reader.read(&unpacked, Hint::default());
                reader.path.pop();
            }
            None => {}
        }
    }
}
