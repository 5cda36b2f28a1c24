//! TIFF: tags that say where everything lies (TIFF 6.0 §2, §8), among them words, and stretches of bytes that no tag knows of.

use super::text;

/// More pictures than this in one file, more tags of one, and more stretches of pixels are not walked through.
const MOST_PAGES: usize = 1_000;
const MOST_TAGS: usize = 1_000;
const MOST_STRIPS: usize = 200_000;

/// A tag of a picture in the file.
struct Tag {
    name: usize,
    kind: usize,
    count: usize,
    /// Where its values stand.
    at: usize,
}

fn is_tiff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*")
}

/// A number in the byte order that the file says.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    let folded = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
    Some(if bytes.starts_with(b"II") { field.iter().rev().fold(0, folded) } else { field.iter().fold(0, folded) })
}

/// How long one value of a type is; types that nobody knows count as bytes.
fn width(kind: usize) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 => 8,
        _ => 1,
    }
}

/// Where the directories of the file's pictures lie: one after the other, and those that their tags lead to (reduced pictures, EXIF, GPS).
fn directories(bytes: &[u8]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    if !is_tiff(bytes) {
        return found;
    }
    let mut waiting: Vec<usize> = number(bytes, 4, 4).into_iter().collect();
    while let Some(at) = waiting.pop().filter(|_| found.len() < MOST_PAGES) {
        if at == 0 || at >= bytes.len() || found.contains(&at) {
            continue;
        }
        found.push(at);
        waiting.truncate(MOST_PAGES);
        for tag in tags(bytes, at).filter(|tag| matches!(tag.name, 330 | 34665 | 34853 | 40965)) {
            waiting.extend(values(bytes, &tag).take(MOST_PAGES));
        }
        waiting.extend(number(bytes, at, 2).and_then(|entries| number(bytes, at + 2 + entries * 12, 4)));
    }
    found
}

fn tags(bytes: &[u8], directory: usize) -> impl Iterator<Item = Tag> {
    (0..number(bytes, directory, 2).unwrap_or(0).min(MOST_TAGS)).map_while(move |entry| {
        let at = directory + 2 + entry * 12;
        let (name, kind, count) = (number(bytes, at, 2)?, number(bytes, at + 2, 2)?, number(bytes, at + 4, 4)?);
        let short = width(kind).saturating_mul(count) <= 4;
        Some(Tag { name, kind, count, at: if short { at + 8 } else { number(bytes, at + 8, 4)? } })
    })
}

fn values(bytes: &[u8], tag: &Tag) -> impl Iterator<Item = usize> {
    let (at, width) = (tag.at, width(tag.kind));
    (0..tag.count.min(MOST_STRIPS)).map_while(move |nth| number(bytes, at.checked_add(nth * width)?, width))
}

/// How many pictures a file holds one after the other; 1 for what is no TIFF. BigTIFF is not sniffed as a picture at all.
pub fn pages(bytes: &[u8]) -> usize {
    if !is_tiff(bytes) {
        return 1;
    }
    let (mut pages, mut at) = (0, number(bytes, 4, 4).unwrap_or(0));
    while at != 0 && pages < MOST_PAGES {
        pages += 1;
        at = number(bytes, at, 2).and_then(|entries| number(bytes, at + 2 + entries * 12, 4)).unwrap_or(0);
    }
    pages
}

/// Every stretch that the tags know of, in order.
fn known(bytes: &[u8]) -> Vec<(usize, usize)> {
    /// Where pixels lie, and the tag of how long they are: strips, tiles, a JPEG within.
    const PIXELS: [(usize, usize); 3] = [(273, 279), (324, 325), (513, 514)];
    let mut known = vec![(0, 8)];
    for directory in directories(bytes) {
        if known.len() > MOST_STRIPS {
            break;
        }
        let tags: Vec<Tag> = tags(bytes, directory).collect();
        known.push((directory, directory + 2 + tags.len() * 12 + 4));
        known.extend(tags.iter().map(|tag| (tag.at, tag.at.saturating_add(width(tag.kind).saturating_mul(tag.count)))));
        let tag = |name: usize| tags.iter().find(|tag| tag.name == name);
        for (starts, lengths) in PIXELS.into_iter().filter_map(|(starts, lengths)| Some((tag(starts)?, tag(lengths)?))) {
            known.extend(values(bytes, starts).zip(values(bytes, lengths)).map(|(start, length)| (start, start.saturating_add(length))));
        }
    }
    known.sort_unstable();
    known
}

/// Where the last of what the tags know ends.
pub fn end(bytes: &[u8]) -> Option<usize> {
    known(bytes).into_iter().map(|(_, end)| end).max().filter(|_| is_tiff(bytes))
}

/// What the file says in words: tags of the type ASCII or of bytes, such as name, description, artist and notes, and the stretches between that no tag
/// knows of, as programs leave them that write anew what they change. Nothing for what is no TIFF.
pub fn words(bytes: &[u8]) -> Vec<String> {
    if !is_tiff(bytes) {
        return Vec::new();
    }
    let mut words = Vec::new();
    /// Profiles of colours, and tables of a JPEG within.
    const NO_WORDS: [usize; 2] = [34675, 347];
    let tags = directories(bytes).into_iter().flat_map(|directory| tags(bytes, directory));
    for tag in tags.filter(|tag| matches!(tag.kind, 1 | 2 | 7) && !NO_WORDS.contains(&tag.name)) {
        words.extend(text::runs(bytes.get(tag.at..tag.at.saturating_add(tag.count).min(bytes.len())).unwrap_or(&[])));
    }
    let mut at = 0;
    for (start, end) in known(bytes) {
        words.extend(bytes.get(at..start).into_iter().flat_map(text::runs));
        at = at.max(end);
    }
    words
}
