//! Where in a text a person stands: what is found counts by what stands around it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::Near;
use crate::decide::signature::bare;
use crate::identify::fold_name;

/// What stands where something of a person was.
pub(super) const REMOVED: &str = "[removed]";

/// Names that are months, too: "5 Jan 2026" names nobody.
const MONTHS: &[&str] = &["jan", "mar", "apr", "april", "mai", "may", "jun", "june", "aug", "august", "julius"];

/// A line of so few words is a greeting or a signature, in which a name may stand in lower case.
const SHORT_LINE: usize = 4;

/// So many characters before a find are looked at for titles and initials.
const BEFORE: usize = 80;

/// Salutations, titles and offices in six languages: what stands behind one is somebody's name.
const TITLES: &[&str] = &[
    "mevrouw mevr mw meneer mijnheer heer heren dhr juffrouw mej familie fam collega burgemeester wethouder raadslid griffier",
    "herr herrn frau fräulein hr hrn fr kollege kollegen kollegin bürgermeister bürgermeisterin oberbürgermeister oberbürgermeisterin",
    "fru frøken fröken frk herre kollega borgmester borgmästare ordfører rådmann kommunalråd",
    "mr mrs ms miss mx sir madam colleague mayor councillor cllr alderman",
    "dr drs ir ing prof professor doctor doktor mag dipl baron baronin freiherr graf gräfin jonkheer jonkvrouw",
    "geb geborene geboren født fødd född née born",
];

/// How letters begin and end: a name with a capital behind it is the name of who is greeted or greets.
const GREETINGS: &[&str] = &[
    "beste geachte lieve hallo hoi hey goedemorgen goedemiddag dag groet groeten groetjes gr mvg",
    "liebe lieber moin gruß gruss grüße mfg",
    "hi hei hej kære kjære kära käre bäste bästa hilsen mvh vh hälsningar",
    "dear hello regards",
];

/// Before these a word with a capital is a word: "der Müller", "im Sommer".
const ARTICLES: &[&str] = &[
    "der", "die", "das", "den", "dem", "des", "ein", "eine", "einem", "einen", "einer", "eines", "kein", "keine", "diesen", "dieser",
    "diese", "im", "am", "vom", "zum", "zur", "beim", "ins", "ans", "de", "het", "een", "det", "en", "et", "ei", "ett", "the", "a", "an",
];

static TITLE_BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| before(TITLES));
static GREETING_BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| before(GREETINGS));
/// Initials before a surname, the first of them apart.
static INITIALS_BEFORE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^\p{L}.])((\p{Lu})\.(?:[\s-]?\p{Lu}\.)*)[\s>|]*$").ok());

/// One or more of these words, at the end of what stands before a name.
fn before(words: &[&str]) -> Option<Regex> {
    let any = words.iter().flat_map(|words| words.split_whitespace()).collect::<Vec<_>>().join("|");
    Regex::new(&format!(r"(?i)(?:^|[^\p{{L}}\p{{N}}])(?:(?:{any})\.?[\s>|,]+)+$")).ok()
}

fn is_one_of(words: &[&str], word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase();
    words.iter().flat_map(|words| words.split_whitespace()).any(|known| known == word)
}

/// Whether a word is a title rather than a name.
pub(super) fn is_title(word: &str) -> bool {
    is_one_of(TITLES, word)
}

/// What it is by which a person is told: that says how it must stand in a text to be theirs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Address,
    /// A phone number or a full name.
    Words,
    /// A given name or initials with a surname, or a double surname.
    Name,
    /// The same in one word: in an address only.
    OneWord,
    /// A given name or a surname.
    Part,
    /// A surname or one half of it behind a title.
    Titled,
    /// One half of a double surname.
    Half,
}

/// Something by which a person is told.
pub(super) struct Told {
    pattern: Regex,
    kind: Kind,
    /// Whether somebody else is known who may be told by the same.
    pub doubtful: bool,
}

/// What must not be taken for this person.
#[derive(Default)]
pub(super) struct Others {
    /// Names of other people.
    pub names: Vec<Told>,
    /// How this person's own initials begin; nothing where no given name is known.
    pub own_initials: BTreeSet<char>,
}

/// Something that was found, with what stands around it.
struct Around<'a> {
    before: &'a str,
    found: &'a str,
    behind: &'a str,
}

impl Around<'_> {
    /// A part of a longer address is another address.
    fn as_address(&self) -> bool {
        let longer = |c: char| c.is_alphanumeric() || matches!(c, '_' | '+');
        let mut behind = self.behind.trim_start_matches(['.', '-']).chars();
        let joined = self.behind.starts_with(['.', '-']) || self.behind.starts_with(longer);
        let begins_before = self.before.ends_with(longer) || self.before.ends_with(['.', '-']);
        !(begins_before || (joined && behind.next().is_some_and(longer)))
    }

    /// A part of a longer word is another word, and a part of an address another address.
    fn as_words(&self) -> bool {
        let open =
            |end: Option<char>, next: Option<char>| !(end.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric));
        open(self.found.chars().next(), self.before.chars().next_back())
            && open(self.found.chars().next_back(), self.behind.chars().next())
            && (!self.is_in_an_address() || self.is_a_local_part())
    }

    /// Somebody's name: with a capital, in a short line, or joined as in an address or a file's name.
    fn as_name(&self, near: Near) -> bool {
        let joined = self.found.contains(['-', '_', '.']) && !self.found.contains(char::is_whitespace);
        let written_small = near == Near::FileName || joined || self.is_in_an_address() || self.is_in_a_short_line();
        self.as_words() && (written_small || self.has_a_capital())
    }

    /// A given name or initials and a surname, of which one has a capital.
    fn as_capitals(&self) -> bool {
        self.as_words() && self.found.split_whitespace().any(|word| word.starts_with(char::is_uppercase))
    }

    /// Many a name is a word as well: "Bakker" is a name, "de bakker" is not; in a greeting or a signature it is one all the same.
    fn as_part(&self, near: Near, others: &Others) -> bool {
        self.as_name(near) && !self.is_a_date() && !self.is_in_an_address() && !self.follows_initials_of_another(others)
    }

    fn as_titled(&self) -> bool {
        let before = self.just_before();
        let follows = |words: &LazyLock<Option<Regex>>| words.as_ref().is_some_and(|words| words.is_match(before));
        self.as_words() && !self.is_in_an_address() && (follows(&TITLE_BEFORE) || (follows(&GREETING_BEFORE) && self.has_a_capital()))
    }

    /// Half of a surname is often a word or another's whole surname: behind an article, behind a word that may be another's given name, or joined to
    /// another word it stays.
    fn as_half(&self, near: Near, others: &Others) -> bool {
        let word = self.before.split_whitespace().next_back().filter(|_| self.before.ends_with(char::is_whitespace)).unwrap_or_default();
        let given_name = word.starts_with(char::is_uppercase) && word.ends_with(char::is_alphabetic);
        let another = given_name && !is_title(word) && !is_one_of(GREETINGS, word);
        let joined = self.before.ends_with('-') || self.behind.starts_with('-');
        self.as_part(near, others) && (near == Near::FileName || !(another || joined || is_one_of(ARTICLES, word)))
    }

    fn has_a_capital(&self) -> bool {
        self.last_word().starts_with(|c: char| !c.is_lowercase())
    }

    fn last_word(&self) -> &str {
        self.found.rsplit([' ', '>', '|', '\n', '\t', '\r']).next().unwrap_or(self.found)
    }

    fn is_in_a_short_line(&self) -> bool {
        let line = [self.before.rsplit('\n').next(), Some(self.found), self.behind.split('\n').next()];
        line.into_iter().flatten().flat_map(|piece| bare(piece).split_whitespace()).count() <= SHORT_LINE
    }

    fn around_in_an_address(&self) -> (&str, &str) {
        let parts = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '(' | ')' | '[' | ']' | ':' | '/' | '|' | '"' | '=');
        (self.before.rsplit(parts).next().unwrap_or_default(), self.behind.split(parts).next().unwrap_or_default())
    }

    fn is_in_an_address(&self) -> bool {
        let (before, behind) = self.around_in_an_address();
        before.contains('@') || behind.contains('@')
    }

    /// All that stands before the at sign, but for a tag.
    fn is_a_local_part(&self) -> bool {
        let (before, behind) = self.around_in_an_address();
        before.is_empty() && behind.starts_with(['@', '+'])
    }

    fn is_a_date(&self) -> bool {
        let number_before = self.before.trim_end_matches(['.', ' ', '-']).ends_with(|c: char| c.is_ascii_digit());
        let number_behind = self.behind.trim_start_matches(['.', ' ', '-']).starts_with(|c: char| c.is_ascii_digit());
        MONTHS.contains(&self.last_word().to_lowercase().as_str()) && (number_before || number_behind)
    }

    fn just_before(&self) -> &str {
        let start = self.before.char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
        self.before.get(start..).unwrap_or_default()
    }

    /// "P. Müller" is not Karin; "i. A." and "z. B." are nobody's initials.
    fn follows_initials_of_another(&self, others: &Others) -> bool {
        let before = self.just_before();
        let Some(initials) = INITIALS_BEFORE.as_ref().and_then(|pattern| pattern.captures(before)) else { return false };
        let start = initials.get(1).map_or(0, |found| found.start());
        let words = before.get(..start).unwrap_or_default().trim_end();
        let first = initials.get(2).and_then(|first| fold_name(first.as_str()).chars().next());
        let own = first.is_none_or(|first| others.own_initials.is_empty() || others.own_initials.contains(&first));
        !own && !words.ends_with("i.") && !words.ends_with("z.")
    }
}

impl Told {
    /// Nothing where the pattern is none.
    pub(super) fn new(pattern: &str, kind: Kind) -> Option<Self> {
        Some(Self { pattern: RegexBuilder::new(pattern).case_insensitive(true).build().ok()?, kind, doubtful: false })
    }

    /// The same, where somebody else may be told by it.
    pub(super) const fn but_doubtful(mut self, doubtful: bool) -> Self {
        self.doubtful = doubtful;
        self
    }

    /// What it is looked for by.
    pub(super) fn pattern(&self) -> &str {
        self.pattern.as_str()
    }

    fn places<'a>(&'a self, text: &'a str, near: Near, others: &'a Others) -> impl Iterator<Item = Range<usize>> + 'a {
        let taken = LazyLock::new(move || others.spans(text));
        self.pattern.find_iter(text).map(|found| found.range()).filter(move |found| {
            let piece = |range: Range<usize>| text.get(range).unwrap_or_default();
            let around = Around { before: piece(0..found.start), found: piece(found.clone()), behind: piece(found.end..text.len()) };
            let theirs = match self.kind {
                Kind::Address => return around.as_address(),
                Kind::Words => return around.as_words(),
                Kind::Name => around.as_name(near) || around.as_capitals(),
                Kind::OneWord => around.as_words() && around.is_in_an_address(),
                Kind::Part => around.as_part(near, others),
                Kind::Titled => around.as_titled(),
                Kind::Half => around.as_half(near, others),
            };
            theirs && !taken.iter().any(|other| other.start < found.end && found.start < other.end)
        })
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        self.places(text, Near::Elsewhere, &Others::default()).next().is_some()
    }

    pub(super) fn out_of(&self, text: &str, near: Near, others: &Others) -> String {
        let mut left = String::with_capacity(text.len());
        let mut end = 0;
        for found in self.places(text, near, others) {
            left.push_str(text.get(end..found.start).unwrap_or_default());
            left.push_str(REMOVED);
            end = found.end;
        }
        left + text.get(end..).unwrap_or_default()
    }
}

impl Others {
    /// Where in a text other people are named.
    fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let nobody = Self::default();
        self.names.iter().flat_map(|told| told.places(text, Near::Elsewhere, &nobody).collect::<Vec<_>>()).collect()
    }
}
