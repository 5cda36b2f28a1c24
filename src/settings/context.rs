//! What one reading of the settings gathers: the sources that were read and the complaints about them.

use std::cell::RefCell;

use jiff::civil::Date;

use super::complaint::{Complaint, Severity, Snippet};
use super::tree::{self, Place, Table};

/// Longest line shown, in characters: of a longer one only this much, so that a terminal stays readable.
const LONGEST_LINE: usize = 160;

/// One text that settings are read from.
struct Source {
    /// The file as it was named, or the variable.
    name: String,
    text: String,
    is_file: bool,
}

/// A complaint whose line and column are not looked up yet: that is done once at the end, and only if there are any.
struct Raw {
    severity: Severity,
    place: Place,
    message: String,
    suggestion: Option<String>,
    /// A word before the second place, and the place.
    also: Option<(&'static str, Place)>,
    /// The value must not be shown: it is a secret.
    hide_value: bool,
}

/// The state of one reading.
pub(super) struct Context {
    sources: RefCell<Vec<Source>>,
    complaints: RefCell<Vec<Raw>>,
    /// Whether secrets' files are looked at too (`check`).
    pub(super) thorough: bool,
    /// The day by which contacts have left or not.
    pub(super) today: Date,
}

impl Context {
    pub(super) fn new(thorough: bool, today: Date) -> Self {
        Self { sources: RefCell::default(), complaints: RefCell::default(), thorough, today }
    }

    /// Takes in the text of a file.
    pub(super) fn file(&self, name: String, text: String) -> usize {
        self.source(Source { name, text, is_file: true })
    }

    /// Takes in an environment variable, by its name.
    pub(super) fn variable(&self, name: &str) -> usize {
        self.source(Source { name: format!("environment variable {name}"), text: String::new(), is_file: false })
    }

    fn source(&self, source: Source) -> usize {
        let mut sources = self.sources.borrow_mut();
        sources.push(source);
        sources.len() - 1
    }

    /// Reads a source as TOML; complains and gives nothing where that fails.
    pub(super) fn parse(&self, source: usize) -> Option<Table> {
        let parsed = {
            let sources = self.sources.borrow();
            tree::parse(source, sources.get(source).map_or("", |source| source.text.as_str()))
        };
        match parsed {
            Ok(table) => Some(table),
            Err(mistakes) => {
                for mistake in mistakes {
                    let suggestion = (mistake.message == tree::DOUBLED)
                        .then(|| "It stands in the same table already: remove one of the two.".to_owned());
                    self.mistake(mistake.place, format!("this is not valid TOML: {}", mistake.message.replace('\n', "; ")), suggestion);
                }
                None
            }
        }
    }

    /// The settings cannot be used.
    pub(super) fn mistake(&self, place: Place, message: impl Into<String>, suggestion: Option<String>) {
        self.add(Severity::Mistake, place, message.into(), suggestion, None, false);
    }

    /// The settings cannot be used, and a second place has to do with it.
    pub(super) fn mistake_between(
        &self,
        place: Place,
        message: impl Into<String>,
        word: &'static str,
        also: Place,
        suggestion: Option<String>,
    ) {
        self.add(Severity::Mistake, place, message.into(), suggestion, Some((word, also)), false);
    }

    /// A mistake on a line whose value is a secret.
    pub(super) fn mistake_hiding_value(&self, place: Place, message: impl Into<String>, suggestion: Option<String>) {
        self.add(Severity::Mistake, place, message.into(), suggestion, None, true);
    }

    /// Something is doubtful.
    pub(super) fn warning(&self, place: Place, message: impl Into<String>, suggestion: Option<String>) {
        self.add(Severity::Warning, place, message.into(), suggestion, None, false);
    }

    /// Something is doubtful, and a second place has to do with it.
    pub(super) fn warning_between(
        &self,
        place: Place,
        message: impl Into<String>,
        word: &'static str,
        also: Place,
        suggestion: Option<String>,
    ) {
        self.add(Severity::Warning, place, message.into(), suggestion, Some((word, also)), false);
    }

    fn add(
        &self,
        severity: Severity,
        place: Place,
        message: String,
        suggestion: Option<String>,
        also: Option<(&'static str, Place)>,
        hide_value: bool,
    ) {
        self.complaints.borrow_mut().push(Raw { severity, place, message, suggestion, also, hide_value });
    }

    /// The text of a source.
    pub(super) fn text(&self, source: usize) -> String {
        self.sources.borrow().get(source).map(|source| source.text.clone()).unwrap_or_default()
    }

    /// The place of a line of a file, where another reader counted it.
    pub(super) fn line(&self, source: usize, line: usize) -> Place {
        let sources = self.sources.borrow();
        let text = sources.get(source).map_or("", |source| source.text.as_str());
        let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
        let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, |line| line.trim_end().len());
        Place { source, start, end: start + length }
    }

    /// All complaints, in the order of the sources and of the lines in them.
    pub(super) fn finish(self) -> Vec<Complaint> {
        let sources = self.sources.into_inner();
        let mut raw = self.complaints.into_inner();
        raw.sort_by_key(|raw| (raw.place.source, raw.place.start));
        raw.into_iter().map(|raw| locate(&sources, raw)).collect()
    }
}

fn locate(sources: &[Source], raw: Raw) -> Complaint {
    let source = sources.get(raw.place.source);
    let mut message = raw.message;
    if let Some((word, also)) = raw.also {
        let other = sources.get(also.source);
        let name = other.map_or("", |source| source.name.as_str());
        match other.and_then(|source| position(source, also)) {
            Some(at) => message.push_str(&format!(" ({word} {name}:{}:{})", at.line, at.column)),
            None => message.push_str(&format!(" ({word} {name})")),
        }
    }
    let at = source.and_then(|source| position(source, raw.place));
    // Where something is missing from a file as a whole, its first line has nothing to show.
    let is_whole = raw.place.start == 0 && raw.place.end == 0;
    let snippet =
        at.as_ref().filter(|_| !is_whole).map(|at| snippet(at, raw.place.end - raw.place.start.min(raw.place.end), raw.hide_value));
    Complaint {
        severity: raw.severity,
        file: source.map(|source| source.name.clone()).unwrap_or_default(),
        line: at.as_ref().map(|at| at.line),
        column: at.as_ref().map(|at| at.column),
        message,
        suggestion: raw.suggestion,
        snippet,
    }
}

/// A line of a file, and where on it something begins.
struct Position<'a> {
    line: usize,
    column: usize,
    before: &'a str,
    after: &'a str,
}

fn position(source: &Source, place: Place) -> Option<Position<'_>> {
    if !source.is_file {
        return None;
    }
    let mut start = place.start.min(source.text.len());
    while !source.text.is_char_boundary(start) {
        start -= 1;
    }
    let (above, after) = source.text.split_at_checked(start)?;
    let before = above.rsplit('\n').next().unwrap_or_default();
    let line = above.matches('\n').count() + 1;
    // A byte order mark is no column.
    let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
    Some(Position { line, column, before, after: after.split(['\n', '\r']).next().unwrap_or_default() })
}

fn snippet(at: &Position<'_>, length: usize, hide_value: bool) -> Snippet {
    // One tab is one column, so that the caret stands where it should.
    let visible = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let before = visible(at.before.trim_start_matches('\u{feff}'));
    let mut end = length.min(at.after.len());
    while !at.after.is_char_boundary(end) {
        end -= 1;
    }
    let meant = visible(at.after.get(..end).unwrap_or_default());
    let rest = if hide_value { " = …".to_owned() } else { visible(at.after.get(end..).unwrap_or_default()) };
    let columns = before.chars().count();
    let width = LONGEST_LINE.max(columns + 1);
    let line: String = format!("{before}{meant}{rest}").chars().take(width).collect();
    Snippet { line: line.trim_end().to_owned(), before: columns, underlined: meant.trim_end().chars().count().min(width - columns) }
}
