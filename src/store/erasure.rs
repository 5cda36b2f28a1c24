//! A person goes out of texts that stay: address, names, phones and signature, also where others quote them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use crate::decide::signature::{self, bare};

/// What looks like a phone number in a signature.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\+?\d[\d\s()./-]{6,}\d").ok());

/// What stands where something of a person was.
pub(super) const REMOVED: &str = "[removed]";

/// Words between given names and surnames: alone they name nobody.
const PARTICLES: &[&str] = &[
    "van", "de", "der", "den", "het", "ter", "ten", "te", "von", "zu", "zum", "zur", "af", "av", "la", "le", "el", "al", "da", "di", "dos",
    "und", "og", "och", "the",
];

/// The longest signature, in lines: below a sign-off may stand another letter.
const SIGNATURE: usize = 12;

/// Names that are months, too: "5 Jan 2026" names nobody.
const MONTHS: &[&str] = &["jan", "mar", "apr", "april", "mai", "may", "jun", "june", "aug", "august", "julius"];

/// A line of so few words is a greeting or a signature, in which a name may stand in lower case.
const SHORT_LINE: usize = 4;

/// Something by which a person is told.
struct Told {
    pattern: Regex,
    kind: Kind,
}

/// What it is: that says how it must stand in a text to be theirs.
#[derive(Clone, Copy)]
enum Kind {
    Address,
    /// A phone number or a full name.
    Words,
    PartOfName,
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

    /// A part of a longer word is another word.
    fn as_words(&self) -> bool {
        let letter = |c: char| c.is_alphanumeric() || c == '_';
        let open = |end: Option<char>, next: Option<char>| !(end.is_some_and(letter) && next.is_some_and(letter));
        open(self.found.chars().next(), self.before.chars().next_back()) && open(self.found.chars().next_back(), self.behind.chars().next())
    }

    /// Many a name is a word as well: "Bakker" is a name, "de bakker" is not; in a greeting or a signature it is one all the same.
    fn as_name(&self) -> bool {
        let name = self.found.rsplit([' ', '>', '\n', '\t', '\r']).next().unwrap_or(self.found);
        let capital = name.starts_with(|c: char| !c.is_lowercase());
        let line = [self.before.rsplit('\n').next(), Some(self.found), self.behind.split('\n').next()];
        let short = line.into_iter().flatten().flat_map(|piece| bare(piece).split_whitespace()).count() <= SHORT_LINE;
        self.as_words() && (capital || short) && !self.is_a_date(name) && !self.is_in_an_address()
    }

    fn is_in_an_address(&self) -> bool {
        let parts = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '(' | ')' | '[' | ']' | ':');
        [self.before.rsplit(parts).next(), self.behind.split(parts).next()].into_iter().flatten().any(|piece| piece.contains('@'))
    }

    fn is_a_date(&self, name: &str) -> bool {
        let number_before = self.before.trim_end_matches(['.', ' ', '-']).ends_with(|c: char| c.is_ascii_digit());
        let number_behind = self.behind.trim_start_matches(['.', ' ', '-']).starts_with(|c: char| c.is_ascii_digit());
        MONTHS.contains(&name.to_lowercase().as_str()) && (number_before || number_behind)
    }
}

impl Told {
    /// Nothing where the pattern is none.
    fn new(pattern: &str, kind: Kind) -> Option<Self> {
        Some(Self { pattern: RegexBuilder::new(pattern).case_insensitive(true).build().ok()?, kind })
    }

    fn places<'a>(&self, text: &'a str) -> impl Iterator<Item = regex::Match<'a>> {
        self.pattern.find_iter(text).filter(|found| {
            let (before, behind) = (text.get(..found.start()).unwrap_or_default(), text.get(found.end()..).unwrap_or_default());
            let around = Around { before, found: found.as_str(), behind };
            match self.kind {
                Kind::Address => around.as_address(),
                Kind::Words => around.as_words(),
                Kind::PartOfName => around.as_name(),
            }
        })
    }

    fn is_in(&self, text: &str) -> bool {
        self.places(text).next().is_some()
    }

    fn out_of(&self, text: &str) -> String {
        let mut left = String::with_capacity(text.len());
        let mut end = 0;
        for found in self.places(text) {
            left.push_str(text.get(end..found.start()).unwrap_or_default());
            left.push_str(REMOVED);
            end = found.end();
        }
        left + text.get(end..).unwrap_or_default()
    }
}

/// Whom to take out.
pub(super) struct Person {
    /// Address and phones, wherever they stand.
    sure: Vec<Told>,
    /// Full names, wherever they stand.
    names: Vec<Told>,
    /// Parts of names, where it is known to be about this person.
    parts: Vec<Told>,
    /// Lines of signatures.
    lines: BTreeSet<String>,
}

impl Person {
    /// Somebody with this address, these names and phones.
    pub(super) fn new(address: &str, names: &BTreeSet<String>, phones: &BTreeSet<String>) -> Self {
        let address = Told::new(&regex::escape(address), Kind::Address);
        let phones = phones.iter().filter_map(|phone| phone_pattern(phone)).filter_map(|pattern| Told::new(&pattern, Kind::Words));
        let names: BTreeSet<Vec<&str>> =
            names.iter().map(|name| name.split([' ', ',', '\t']).filter(|part| !part.is_empty()).collect()).collect();
        let full = names.iter().filter(|parts| parts.len() > 1).flat_map(|parts| [in_order(parts), surname_first(parts)]);
        let with_initials = names.iter().filter_map(|parts| with_initials(parts));
        let single: BTreeSet<String> = names.iter().flat_map(|parts| single_parts(parts)).collect();
        Self {
            sure: address.into_iter().chain(phones).collect(),
            names: full.filter_map(|pattern| Told::new(&pattern, Kind::Words)).collect(),
            parts: with_initials.chain(single).filter_map(|pattern| Told::new(&pattern, Kind::PartOfName)).collect(),
            lines: BTreeSet::new(),
        }
    }

    /// Whether the other is told in texts by the same.
    pub(super) fn is_told_as(&self, other: &Self) -> bool {
        let patterns = |of: &Self| -> Vec<String> {
            [&of.sure, &of.names, &of.parts].into_iter().flat_map(|patterns| patterns.iter().map(|told| told.pattern.to_string())).collect()
        };
        patterns(self) == patterns(other) && self.lines == other.lines
    }

    /// Learns how this person signs from a text of theirs, so that the same lines go where they are quoted.
    pub(super) fn learn(&mut self, own: &str) {
        let lines: Vec<&str> = own.lines().collect();
        let Some(start) = signature(&lines) else { return };
        for line in lines.iter().skip(start).take(SIGNATURE) {
            let phones = PHONE.as_ref().into_iter().flat_map(|phone| phone.find_iter(line));
            let patterns = phones.filter_map(|found| Told::new(&phone_pattern(found.as_str())?, Kind::Words));
            self.sure.extend(patterns);
        }
        self.lines.extend(lines.into_iter().skip(start).map(bare).filter(|line| line.chars().count() > 3).map(str::to_lowercase));
    }

    /// Whether the text holds something that can be nobody else's.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.sure.iter().chain(&self.names).any(|told| told.is_in(text))
    }

    /// A text of somebody else, on a ticket that this person had to do with.
    pub(super) fn out_of(&self, text: &str) -> String {
        let kept = text.lines().map(|line| if self.lines.contains(&bare(line).to_lowercase()) { REMOVED } else { line });
        let text = with_line_end(kept.collect::<Vec<_>>().join("\n"), text);
        self.sure.iter().chain(&self.names).chain(&self.parts).fold(text, |text, told| told.out_of(&text))
    }

    /// A text on a ticket that has nothing to do with this person: only what is certain goes.
    pub(super) fn certainly_out_of(&self, text: &str) -> String {
        self.sure.iter().chain(&self.names).fold(text.to_owned(), |text, told| told.out_of(&text))
    }

    /// A text of this person: the signature goes, too.
    pub(super) fn out_of_own(&self, text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        match signature(&lines) {
            None => self.out_of(text),
            Some(start) => {
                let after = lines.get(start + SIGNATURE..).unwrap_or_default();
                let kept = lines.iter().take(start).copied().chain([REMOVED]).chain(after.iter().copied());
                self.out_of(&with_line_end(kept.collect::<Vec<_>>().join("\n"), text))
            }
        }
    }
}

fn with_line_end(mut new: String, old: &str) -> String {
    if old.ends_with('\n') {
        new.push('\n');
    }
    new
}

/// Whether a part of a name alone tells who is meant.
fn tells(part: &str) -> bool {
    part.chars().filter(|c| c.is_alphabetic()).count() > 1 && !part.contains('.') && !PARTICLES.contains(&part.to_lowercase().as_str())
}

/// A part of a name as it stands, with whichever sign its writer takes for an apostrophe.
fn literal(part: &str) -> String {
    regex::escape(part).replace(['\'', '\u{2019}', '`'], "['\u{2019}`]")
}

fn in_order(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| literal(part)).collect();
    parts.join(r"[\s>]+")
}

/// As `J. de Bakker`, where the name on record is `Jan de Bakker`.
fn with_initials(parts: &[&str]) -> Option<String> {
    let (given, rest) = parts.split_first()?;
    let initial = given.chars().next().filter(|c| tells(given) && c.is_alphabetic())?;
    rest.iter().any(|part| tells(part)).then(|| format!(r"{initial}\.?[\s>]*(?:[[:alpha:]]\.[\s>]*)*{}", in_order(rest)))
}

/// Each part that alone tells who is meant, with the words that stand before it in this name: `Bakker`, `de Bakker`.
fn single_parts(parts: &[&str]) -> Vec<String> {
    let told = parts.iter().enumerate().filter(|(_, part)| tells(part));
    told.map(|(at, part)| {
        let before = parts.iter().take(at).rev().take_while(|word| PARTICLES.contains(&word.to_lowercase().as_str()));
        // "Jörgs Auto", "Åkessons bil": in most of these languages an owner is told by an s.
        let own = format!("{}s?", literal(part));
        before.fold(own, |pattern, word| format!(r"(?:{}[\s>]+)?{pattern}", literal(word)))
    })
    .collect()
}

/// As lists write it: `Vries, Annelies de`.
fn surname_first(parts: &[&str]) -> String {
    let (last, first) = parts.split_last().map_or((&"", parts), |(last, first)| (last, first));
    format!(r"{},\s*{}", literal(last), first.iter().map(|part| literal(part)).collect::<Vec<_>>().join(r"[\s>]+"))
}

/// A phone number however its digits are parted; with the country's code also as it is dialled at home.
fn phone_pattern(phone: &str) -> Option<String> {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    // The last nine digits are the number itself; what stands before them differs (+31, 0031, 0).
    let own: Vec<String> = digits.iter().skip(digits.len().saturating_sub(9)).map(char::to_string).collect();
    (own.len() > 5).then(|| format!(r"(?:[+(\d][\d\s()./-]{{0,8}})?{}", own.join(r"[\s()./-]{0,3}")))
}

/// Where the signature of a text begins: below a line of two dashes, or below the last sign-off.
fn signature(lines: &[&str]) -> Option<usize> {
    let dashes = lines.iter().position(|line| signature::is_dashes(line));
    let sign_off = lines.iter().rposition(|line| signature::signs_off(line));
    dashes.into_iter().chain(sign_off).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annelies() -> Person {
        let names = ["A. de Vries", "Annelies de Vries"].map(str::to_owned).into();
        let mut person = Person::new("a.devries@waterwolde.example", &names, &["+31 30 123 4567".to_owned()].into());
        person.learn("Hoi,\n\nEen vraag.\n\nMet vriendelijke groet,\nAnnelies\nSenior adviseur belastingen\nkamer 3.14\n");
        person
    }

    #[test]
    fn a_person_goes_out_of_their_own_text_with_the_signature() {
        let own =
            "Goedemorgen,\n\nIk, Annelies de Vries, vraag iets over de vries-drogerij.\n\nMet vriendelijke groet,\nAnnelies\n030-1234567\n";
        let left = annelies().out_of_own(own);
        assert_eq!(left, "Goedemorgen,\n\nIk, [removed], vraag iets over de vries-drogerij.\n\n[removed]\n");
    }

    #[test]
    fn what_only_looks_like_the_name_or_the_address_stays() {
        let names = ["Jan de Bakker".to_owned(), "Jantje B.".to_owned()].into();
        let person = Person::new("jan.debakker@molendijk.example", &names, &["+31 30 123 4567".to_owned()].into());
        for stays in [
            "In januari, jan. 2026 en op 5 Jan 2026 wil de bakker op de hoek met Janneke en Jansen in de Bakkerstraat iets bespreken.",
            "De bakker op de hoek van de straat heeft vandaag weer brood.",
            "jan.debakker@molendijk.example.org vanjan.debakker@molendijk.example van-jan.debakker@molendijk.example",
            "In deze straat zijn een bakkerij, drie bakkers en 2030-123456.",
        ] {
            assert_eq!(person.out_of(stays), stays);
        }
        for (text, left) in [
            ("ik neem het over van Jan, en De Bakker weet het", "ik neem het over van [removed], en [removed] weet het"),
            ("collega J. de Bakker en J.P. de Bakker en JAN DE BAKKER", "collega [removed] en [removed] en [removed]"),
            ("vraag het aan Jantje B. of aan Jan.", "vraag het aan [removed] of aan [removed]."),
            ("bel +31 30 123 4567 of 030-1234567 of (030) 123 45 67!", "bel [removed] of [removed] of [removed]!"),
            ("mail jan.debakker@molendijk.example. Of <JAN.deBakker@molendijk.example>", "mail [removed]. Of <[removed]>"),
            ("Jans vraag ligt bij Bakkers team", "[removed] vraag ligt bij [removed] team"),
            ("hoi jan,\n\ngroet, de bakker", "hoi [removed],\n\ngroet, [removed]"),
        ] {
            assert_eq!(person.out_of(text), left);
        }
        let olivia = Person::new("o.oneill@westham.example", &["Olivia O'Neill".to_owned()].into(), &BTreeSet::new());
        assert_eq!(olivia.out_of("Olivia O\u{2019}Neill, and O\u{2019}Neill's desk"), "[removed], and [removed]'s desk");
    }

    #[test]
    fn a_person_goes_out_of_what_others_quote() {
        let quoted = "> Van: Vries, Annelies de <A.deVries@Waterwolde.example>\n> Bel mij: +31 (0)30 123 45 67.\n> Groet, \n> Senior adviseur \
                      belastingen\n>> Annelies de\n>> Vries\n> met ons Anneliesje en 030 765 4321\n";
        let left = annelies().out_of(quoted);
        for word in ["Vries", "Annelies ", "waterwolde", "4567", "45 67", "adviseur"] {
            assert!(!left.to_lowercase().contains(&word.to_lowercase()), "{word}: {left}");
        }
        assert!(left.contains("Anneliesje") && left.contains("765 4321") && left.contains("> Bel mij: "), "{left}");
    }

    #[test]
    fn elsewhere_only_what_is_certain_goes() {
        let person = annelies();
        assert_eq!(person.certainly_out_of("Annelies en Annelies de Vries"), "Annelies en [removed]");
        assert!(
            person.is_in("mail a.devries@waterwolde.example!")
                && !person.is_in("Annelies")
                && !person.is_in("xa.devries@waterwolde.example")
        );
    }

    #[test]
    fn sign_offs_are_known_in_six_languages() {
        for words in [
            "Groeten van Jan",
            "Med venlig hilsen",
            "Vennlig hilsen",
            "Vänliga hälsningar",
            "Kind regards,",
            "Mit freundlichen Grüßen",
            "-- ",
        ] {
            assert_eq!(signature(&["text", words, "name"]), Some(1), "{words}");
        }
        assert_eq!(signature(&["Groetenboek laden lukt niet", "The regards page is empty and nobody can open it at all"]), None);
    }
}
