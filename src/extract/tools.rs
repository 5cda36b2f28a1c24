//! What other programs read: the pages of a PDF (poppler) and pictures (tesseract), each in a locked process on pipes.

use super::protocol::{Answer, Task, Tool};
use super::{Languages, Limits, child};
use crate::parse::document::{Content, Document, Piece, Place, Unreadable};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A page with fewer letters than this may be a scan with a thin text layer: it is looked at as a picture too.
const FEW_LETTERS: usize = 150;
/// Resolution at which pages become pictures: 150 dpi enlarged twice, as measured in SCREENING.md.
const DPI: &str = "300";
/// More dots than this, a page of A4 at 300 dpi, are not shown to tesseract at once: with all languages and small type it takes more for them than it
/// may have (measured: SECURITY.md).
const MOST_DOTS: usize = 9_000_000;
/// Rows of dots that two parts of a large picture share, so that no line of text is cut in both.
const SHARED_ROWS: usize = 150;
/// The most bytes that a tool may answer with.
const LONGEST_ANSWER: u64 = 256 * 1024 * 1024;

/// What poppler says when it leaves something out of a broken file, though it ends well (poppler/XRef.cc, Catalog.cc, Stream.cc).
const LOST: [&str; 11] = [
    "Kid object",
    "End of file inside",
    "not found but needed",
    "in flate stream",
    "Failed to parse XRef entry",
    "Couldn't find trailer dictionary",
    "Unknown filter",
    "Dictionary key must be a name object",
    "No font in show",
    "Bogus memory allocation size",
    "Out of memory",
];

/// What a tool said. Its complaints may quote the document: they are looked through, and never shown.
#[derive(Default)]
struct Said {
    output: Vec<u8>,
    complaints: Vec<u8>,
}

impl Said {
    /// It left something out of what it was given.
    fn lost_something(&self) -> bool {
        LOST.iter().any(|complaint| contains(&self.complaints, complaint.as_bytes()))
    }

    /// It met a mistake and has no letter to show: what stood there may have gone with it.
    fn found_only_mistakes(&self) -> bool {
        contains(&self.complaints, b"Syntax Error") && !self.output.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
    }
}

/// How the picture begins that pdftoppm makes of a page too large to be drawn: one dot.
const SPECK: &[u8] = b"P5\n1 1\n";

struct Tools<'a> {
    program: &'a Path,
    limits: &'a Limits,
    languages: &'a Languages,
    pictures_left: usize,
}

/// Does what the parser left to do, until then, and adds it to the document.
pub async fn finish(program: &Path, limits: &Limits, languages: &Languages, answer: Answer, end: Instant) -> Document {
    let Answer { mut document, tasks } = answer;
    let mut tools = Tools { program, limits, languages, pictures_left: limits.pictures };
    let whole = async {
        for task in tasks {
            let read = match task.tool {
                Tool::Pdf { pictures } => tools.pdf(&task, pictures, &mut document.pieces).await,
                Tool::Ocr => tools.picture(&task.bytes, &task.place, &mut document.pieces).await,
            };
            if let Err(reason) = read {
                document.unreadable.get_or_insert(reason);
            }
        }
    };
    if tokio::time::timeout_at(end.into(), whole).await.is_err() {
        document.unreadable.get_or_insert(Unreadable::TooSlow);
    }
    document
}

impl Tools<'_> {
    async fn pdf(&mut self, task: &Task, pictures: bool, pieces: &mut Vec<Piece>) -> Result<(), Unreadable> {
        let locked = contains(&task.bytes, b"/Encrypt");
        let failed = if locked { Unreadable::Encrypted } else { Unreadable::Damaged };
        let list = async { if pictures { self.run(&["pdfimages", "-list", "-"], &task.bytes).await } else { Ok(Said::default()) } };
        let (text, images) = tokio::join!(self.run(&["pdftotext", "-layout", "-enc", "UTF-8", "-", "-"], &task.bytes), list);
        let (text, images) = (text.map_err(|_| failed)?, images.map_err(|_| Unreadable::Damaged)?);
        let lost = text.lost_something() || text.found_only_mistakes();
        let (text, images) = (text.output, images.output);
        if locked {
            // It opens without its password; its title and the like were locked to the parser all the same.
            let properties = self.run(&["pdfinfo", "-enc", "UTF-8", "-"], &task.bytes).await.map_err(|_| Unreadable::Encrypted)?;
            let place = Place { part: "metadata".to_owned(), number: 1, path: task.place.path.clone() };
            let lines = String::from_utf8_lossy(&properties.output).lines().map(str::to_owned).collect();
            pieces.push(Piece { place, content: Content::Lines(lines) });
        }
        let text = String::from_utf8_lossy(&text);
        // Every page ends with a form feed, the last one too.
        let pages: Vec<&str> = text.strip_suffix('\u{c}').unwrap_or(&text).split('\u{c}').collect();
        let pictured: BTreeSet<u32> = pages_with_pictures(&String::from_utf8_lossy(&images));
        let mut to_look_at = Vec::new();
        for (page, number) in pages.into_iter().zip(1_u32..) {
            let lines = page.lines().map(str::to_owned).collect();
            let place = Place { part: "page".to_owned(), number, path: task.place.path.clone() };
            pieces.push(Piece { place, content: Content::Lines(lines) });
            if page.chars().filter(|c| c.is_alphanumeric()).count() < FEW_LETTERS || pictured.contains(&number) {
                to_look_at.push(number);
            }
        }
        if to_look_at.len() > self.pictures_left {
            // It will not be read to the end: then no minutes are spent on its beginning.
            return Err(Unreadable::TooLarge);
        }
        for number in to_look_at {
            let page = number.to_string();
            let drawn = self
                .run(&["pdftoppm", "-gray", "-r", DPI, "-scale-to-x", "-1", "-f", &page, "-l", &page, "-"], &task.bytes)
                .await
                .map_err(|_| Unreadable::Damaged)?;
            if drawn.lost_something() || drawn.output.starts_with(SPECK) {
                return Err(Unreadable::Damaged);
            }
            let place = Place { part: "picture".to_owned(), number, path: task.place.path.clone() };
            self.picture(&drawn.output, &place, pieces).await?;
        }
        if lost { Err(Unreadable::Damaged) } else { Ok(()) }
    }

    async fn picture(&mut self, graymap: &[u8], place: &Place, pieces: &mut Vec<Piece>) -> Result<(), Unreadable> {
        self.pictures_left = self.pictures_left.checked_sub(1).ok_or(Unreadable::TooLarge)?;
        for part in parts(graymap) {
            let words = self
                .run(&["tesseract", "stdin", "stdout", "-l", self.languages.as_str(), "--psm", "3", "tsv"], &part)
                .await
                .map_err(|error| match error.kind() {
                    // tesseract is not installed: nobody here reads pictures.
                    io::ErrorKind::NotFound => Unreadable::UnknownFormat,
                    _ => Unreadable::Damaged,
                })?;
            let lines = laid_out(&String::from_utf8_lossy(&words.output));
            pieces.push(Piece { place: place.clone(), content: Content::Lines(lines) });
        }
        Ok(())
    }

    /// Runs a tool with `input` on its standard input and gives back what it says.
    async fn run(&self, command: &[&str], input: &[u8]) -> io::Result<Said> {
        let mut child = child(self.program, command, Stdio::piped())?;
        let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let stderr = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let talk = async {
            let mut said = Said::default();
            let write = async move {
                // A tool that has seen enough closes its input: what it says by its exit status counts.
                let _ = stdin.write_all(input).await;
                drop(stdin);
            };
            let (mut limited, mut complaints) = (stdout.take(LONGEST_ANSWER), stderr.take(LONGEST_ANSWER));
            let (_, read, _) = tokio::join!(write, limited.read_to_end(&mut said.output), complaints.read_to_end(&mut said.complaints));
            read?;
            if limited.limit() == 0 || complaints.limit() == 0 {
                // It says more than is kept, and would wait for ever to be heard.
                return Err(io::ErrorKind::InvalidData.into());
            }
            Ok::<_, io::Error>((said, child.wait().await?))
        };
        let (said, status) =
            tokio::time::timeout(self.limits.deadline, talk).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        match status.code() {
            Some(0) => Ok(said),
            Some(code) if code == i32::from(super::worker::NO_SUCH_TOOL) => Err(io::ErrorKind::NotFound.into()),
            code => {
                let (tool, signal) = (command.first().copied().unwrap_or_default(), status.signal());
                tracing::info!(tool, code, signal, "a program that reads files ended badly; what it was given counts as unreadable");
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }
}

/// A picture in parts of at most [`MOST_DOTS`], from top to bottom; whole, where it is small enough, or no graymap as the parser and poppler make it.
fn parts(picture: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let Some((width, height, dots)) = graymap(picture).filter(|(width, height, _)| width * height > MOST_DOTS) else {
        return vec![Cow::Borrowed(picture)];
    };
    let rows = (MOST_DOTS / width).max(4 * SHARED_ROWS);
    let tops = (0..height.saturating_sub(SHARED_ROWS)).step_by(rows - SHARED_ROWS);
    tops.map(|top| {
        let rows = rows.min(height - top);
        let header = format!("P5\n{width} {rows}\n255\n");
        let dots = dots.get(top * width..(top + rows) * width).unwrap_or_default();
        Cow::Owned([header.as_bytes(), dots].concat())
    })
    .collect()
}

/// Width, height and dots of a graymap (netpbm PGM).
fn graymap(picture: &[u8]) -> Option<(usize, usize, &[u8])> {
    let mut lines = picture.splitn(4, |byte| *byte == b'\n');
    let ("P5", size, "255") = (text(lines.next()?)?, text(lines.next()?)?, text(lines.next()?)?) else { return None };
    let (width, height) = size.split_once(' ')?;
    let (width, height, dots) = (width.parse().ok()?, height.parse().ok()?, lines.next()?);
    (usize::checked_mul(width, height)? == dots.len()).then_some((width, height, dots))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What a tool says of a picture is believed up to here, in pixels: no picture that is read is larger, and sums stay far from their bounds.
const MOST_PIXELS: u32 = 1_000_000;
/// The widest gap between two words of a line, in spaces.
const WIDEST_GAP: u32 = 200;

/// A word on a picture, in pixels.
struct Word<'a> {
    page: u32,
    left: u32,
    right: u32,
    middle: u32,
    height: u32,
    text: &'a str,
}

impl Word<'_> {
    /// A rule, or the gap between two columns that tesseract took for a dash.
    fn is_rule(&self) -> bool {
        self.text.chars().all(|c| matches!(c, '—' | '–'))
    }
}

/// How wide a character is on a picture, in pixels: in the middle one of its words. Heights tell less, since a word is as high as its highest letter.
fn character(words: &[Word<'_>]) -> u32 {
    let mut widths: Vec<u32> =
        words.iter().filter_map(|word| (word.right - word.left).checked_div(u32::try_from(word.text.chars().count()).ok()?)).collect();
    widths.sort_unstable();
    widths.get(widths.len() / 2).copied().unwrap_or_default().max(4)
}

/// Lines as the eye reads them, from tesseract's table of words: it reads a table column by column, and a name must stay beside its
/// date of birth. Wide gaps stay wide, so that columns stay columns.
fn laid_out(tsv: &str) -> Vec<String> {
    let mut words: Vec<Word<'_>> = tsv.lines().filter_map(word).filter(|word| !word.is_rule()).collect();
    let character = character(&words);
    words.sort_by_key(|word| (word.page, word.middle));
    let mut rows: Vec<Vec<Word<'_>>> = Vec::new();
    for word in words {
        let same = rows
            .last()
            .and_then(|row| row.last())
            .is_some_and(|last| last.page == word.page && word.middle.abs_diff(last.middle) * 2 <= last.height.min(word.height));
        match rows.last_mut() {
            Some(row) if same => row.push(word),
            _ => rows.push(vec![word]),
        }
    }
    rows.into_iter()
        .map(|mut row| {
            row.sort_by_key(|word| word.left);
            let (mut line, mut length, mut right) = (String::new(), 0_u32, 0_u32);
            for word in row {
                let column = word.left / character;
                // Too close for a space: tesseract has parted a number.
                let one_number = word.left < right + word.height / 6
                    && line.ends_with(|c: char| c.is_ascii_digit())
                    && word.text.starts_with(|c: char| c.is_ascii_digit());
                if length > 0 && !one_number {
                    let gap = if word.left.saturating_sub(right) > character * 2 {
                        column.saturating_sub(length).clamp(2, WIDEST_GAP)
                    } else {
                        1
                    };
                    (0..gap).for_each(|_| line.push(' '));
                    length += gap;
                }
                line.push_str(word.text);
                length += u32::try_from(word.text.chars().count()).unwrap_or(0);
                right = word.right;
            }
            line
        })
        .collect()
}

/// One line of tesseract's table: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
fn word(line: &str) -> Option<Word<'_>> {
    let mut fields = line.splitn(12, '\t');
    let level: u32 = fields.next()?.parse().ok()?;
    let page = fields.next()?.parse().ok()?;
    let mut number = |skip: usize| Some(fields.nth(skip)?.parse::<u32>().ok()?.min(MOST_PIXELS));
    let (left, top, width, height) = (number(4)?, number(0)?, number(0)?, number(0)?);
    let text = fields.nth(1)?.trim();
    (level == 5 && !text.is_empty()).then_some(Word { page, left, right: left + width, middle: top + height / 2, height, text })
}

/// Pages on which `pdfimages -list` shows a picture large enough for text, from 1.
fn pages_with_pictures(list: &str) -> BTreeSet<u32> {
    list.lines()
        .skip(2)
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            let (page, _number, kind) = (columns.next()?.parse().ok()?, columns.next()?, columns.next()?);
            let (width, height): (u64, u64) = (columns.next()?.parse().ok()?, columns.next()?.parse().ok()?);
            (kind == "image" && height >= 60 && width.saturating_mul(height) >= 60_000).then_some(page)
        })
        .collect()
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(bytes, what).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_picture_comes_in_parts_that_share_rows() {
        let picture = |width: usize, height: usize| {
            let rows: Vec<Vec<u8>> = (0..height).map(|row| vec![u8::try_from(row % 251).unwrap(); width]).collect();
            [format!("P5\n{width} {height}\n255\n").into_bytes(), rows.concat()].concat()
        };
        for (width, height, many) in [(5_000, 1_800, 1), (5_000, 1_801, 2), (5_000, 5_000, 3), (100_000, 300, 1), (100_000, 601, 2)] {
            let whole = picture(width, height);
            let parts = parts(&whole);
            assert_eq!(parts.len(), many, "{width} x {height}");
            let first_rows: Vec<u8> = parts.iter().map(|part| graymap(part).unwrap().2[0]).collect();
            let heights: Vec<usize> = parts.iter().map(|part| graymap(part).unwrap().1).collect();
            let mut top = 0;
            for (first, rows) in first_rows.iter().zip(&heights) {
                assert_eq!(usize::from(*first), top % 251, "{width} x {height}");
                top += rows - SHARED_ROWS;
            }
            assert_eq!(top + SHARED_ROWS, height, "nothing is left out");
        }
        assert_eq!(parts(b"II*\0"), [b"II*\0".as_slice()]);
    }

    #[test]
    fn numbers_without_sense_are_no_harm() {
        let word = |left: &str, top: &str, width: &str, height: &str, text: &str| {
            format!("5\t1\t1\t1\t1\t1\t{left}\t{top}\t{width}\t{height}\t0\t{text}\n")
        };
        let most = "4294967295";
        let lines = laid_out(&[word("0", "0", "1", "0", "a"), word(most, "0", most, "0", "b"), word(most, most, most, most, "c")].concat());
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with('a') && lines[0].ends_with('b') && lines[0].len() < 1_000, "{} characters", lines[0].len());
        assert_eq!(pages_with_pictures(&format!("\n\n1 0 image {0} {0}\n", u64::MAX)), [1].into());
    }

    #[test]
    fn a_number_that_was_parted_is_whole_again() {
        let word = |left: u32, width: u32, text: &str| format!("5\t1\t1\t1\t1\t1\t{left}\t20\t{width}\t22\t0\t{text}\n");
        let lines = laid_out(&[word(42, 67, "BSN:"), word(123, 168, "46143641"), word(275, 20, "3"), word(310, 20, "7")].concat());
        assert_eq!(lines, ["BSN: 461436413 7"]);
    }

    #[test]
    fn a_header_of_two_words_stays_one_and_a_dash_between_columns_is_none() {
        let word = |(left, width, height, text): (u32, u32, u32, &str)| {
            format!("5\t1\t1\t1\t1\t1\t{left}\t{}\t{width}\t{height}\t0\t{text}\n", 50 - height / 2)
        };
        // "DATE_OF_BIRTH": the lower lines are too thin to be seen.
        let words = [
            (28, 178, 33, "FORENAME"),
            (210, 40, 51, "—"),
            (256, 90, 28, "Family"),
            (356, 80, 16, "name"),
            (632, 72, 22, "DATE"),
            (730, 34, 22, "OF"),
            (792, 84, 18, "BIRTH"),
        ];
        let line = laid_out(&words.map(word).concat()).join("|");
        let columns: Vec<&str> = line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
        assert_eq!(columns, ["FORENAME", "Family name", "DATE OF BIRTH"]);
    }

    #[test]
    fn a_table_on_a_picture_keeps_its_rows() {
        let header = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext";
        let words = [(0, 0, "Naam"), (400, 0, "Geboortedatum"), (0, 40, "P."), (30, 40, "Jansen"), (400, 42, "12-03-1961")];
        let mut tsv = format!("{header}\n1\t1\t0\t0\t0\t0\t0\t0\t800\t100\t-1\t\n");
        // Column by column, as tesseract reads it.
        for (left, top, text) in [words[0], words[2], words[3], words[1], words[4]] {
            tsv += &format!("5\t1\t1\t1\t1\t1\t{left}\t{top}\t{}\t20\t96.1\t{text}\n", text.len() * 10);
        }
        let lines = laid_out(&tsv);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("Naam   ") && lines[1].starts_with("P. Jansen   ") && lines[1].ends_with("12-03-1961"), "{lines:?}");
    }
}
