//! A person goes out of texts that stay: address, names, phones and signature, also where others quote them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

/// What looks like a phone number in a signature.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\+?\d[\d\s()./-]{6,}\d").ok());

/// What stands where something of a person was.
pub(super) const REMOVED: &str = "[removed]";

/// Words between given names and surnames: alone they name nobody.
const PARTICLES: &[&str] = &[
    "van", "de", "der", "den", "het", "ter", "ten", "te", "von", "zu", "zum", "zur", "af", "av", "la", "le", "el", "al", "da", "di", "dos",
    "und", "og", "och", "the",
];

/// How people begin to sign off in six languages, at the beginning of a line, in lower case.
const SIGN_OFFS: &[&str] = &[
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "vriendelijke groet",
    "vriendelijke groeten",
    "hartelijke groet",
    "hartelijke groeten",
    "groet",
    "groeten",
    "groetjes",
    "mvg",
    "m.v.g.",
    "hoogachtend",
    "med venlig hilsen",
    "venlig hilsen",
    "de bedste hilsner",
    "mvh",
    "med vennlig hilsen",
    "vennlig hilsen",
    "beste hilsen",
    "hilsen",
    "med vänlig hälsning",
    "med vänliga hälsningar",
    "vänliga hälsningar",
    "vänlig hälsning",
    "hälsningar",
    "kind regards",
    "best regards",
    "warm regards",
    "regards",
    "yours sincerely",
    "yours faithfully",
    "sincerely",
    "best wishes",
    "many thanks",
    "mit freundlichen grüßen",
    "mit freundlichen grüssen",
    "freundliche grüße",
    "viele grüße",
    "beste grüße",
    "mfg",
];

/// The longest signature, in lines: below a sign-off may stand another letter.
const SIGNATURE: usize = 12;

/// Whom to take out.
pub(super) struct Person {
    /// Address and phones, wherever they stand.
    sure: Vec<Regex>,
    /// Full names, wherever they stand.
    names: Vec<Regex>,
    /// Parts of names, where it is known to be about this person.
    parts: Vec<Regex>,
    /// Lines of signatures.
    lines: BTreeSet<String>,
}

impl Person {
    /// Somebody with this address, these names and phones.
    pub(super) fn new(address: &str, names: &BTreeSet<String>, phones: &BTreeSet<String>) -> Self {
        let word = |pattern: String| RegexBuilder::new(&pattern).case_insensitive(true).build().ok();
        // A part of a longer address is another address.
        let address = word(format!(r"\b{}\b", regex::escape(address)));
        let phones = phones.iter().filter_map(|phone| word(phone_pattern(phone)?));
        let names: BTreeSet<Vec<&str>> =
            names.iter().map(|name| name.split([' ', ',', '\t']).filter(|part| !part.is_empty()).collect()).collect();
        let full = names.iter().filter(|parts| parts.len() > 1).flat_map(|parts| [in_order(parts), surname_first(parts)]);
        let particles = PARTICLES.join("|");
        let single: BTreeSet<&str> = names.iter().flatten().copied().filter(|part| tells(part)).collect();
        let single = single.into_iter().map(|part| format!(r"\b(?:(?:{particles})[\s>]+)*{}\b", regex::escape(part)));
        Self {
            sure: address.into_iter().chain(phones).collect(),
            names: full.filter_map(word).collect(),
            parts: single.filter_map(word).collect(),
            lines: BTreeSet::new(),
        }
    }

    /// Whether the other is told in texts by the same.
    pub(super) fn is_told_as(&self, other: &Self) -> bool {
        let patterns = |of: &Self| -> Vec<String> {
            [&of.sure, &of.names, &of.parts].into_iter().flat_map(|patterns| patterns.iter().map(ToString::to_string)).collect()
        };
        patterns(self) == patterns(other) && self.lines == other.lines
    }

    /// Learns how this person signs from a text of theirs, so that the same lines go where they are quoted.
    pub(super) fn learn(&mut self, own: &str) {
        let lines: Vec<&str> = own.lines().collect();
        let Some(start) = signature(&lines) else { return };
        for line in lines.iter().skip(start).take(SIGNATURE) {
            let phones = PHONE.as_ref().into_iter().flat_map(|phone| phone.find_iter(line));
            let patterns = phones.filter_map(|found| Regex::new(&phone_pattern(found.as_str())?).ok());
            self.sure.extend(patterns);
        }
        self.lines.extend(lines.into_iter().skip(start).map(bare).filter(|line| line.chars().count() > 3).map(str::to_lowercase));
    }

    /// Whether the text holds something that can be nobody else's.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.sure.iter().chain(&self.names).any(|pattern| pattern.is_match(text))
    }

    /// A text of somebody else, on a ticket that this person had to do with.
    pub(super) fn out_of(&self, text: &str) -> String {
        let kept = text.lines().map(|line| if self.lines.contains(&bare(line).to_lowercase()) { REMOVED } else { line });
        let mut text = with_line_end(kept.collect::<Vec<_>>().join("\n"), text);
        for pattern in self.sure.iter().chain(&self.names).chain(&self.parts) {
            text = pattern.replace_all(&text, REMOVED).into_owned();
        }
        text
    }

    /// A text on a ticket that has nothing to do with this person: only what is certain goes.
    pub(super) fn certainly_out_of(&self, text: &str) -> String {
        let patterns = self.sure.iter().chain(&self.names);
        patterns.fold(text.to_owned(), |text, pattern| pattern.replace_all(&text, REMOVED).into_owned())
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

/// A line without the marks of quotation before it.
fn bare(line: &str) -> &str {
    line.trim_start_matches(['>', ' ', '\t', '|']).trim_end()
}

/// Whether a part of a name alone tells who is meant.
fn tells(part: &str) -> bool {
    part.chars().filter(|c| c.is_alphabetic()).count() > 1 && !part.contains('.') && !PARTICLES.contains(&part.to_lowercase().as_str())
}

fn in_order(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| regex::escape(part)).collect();
    format!(r"\b{}\b", parts.join(r"[\s>]+"))
}

/// As lists write it: `Vries, Annelies de`.
fn surname_first(parts: &[&str]) -> String {
    let (last, first) = parts.split_last().map_or((&"", parts), |(last, first)| (last, first));
    format!(r"\b{},\s*{}", regex::escape(last), first.iter().map(|part| regex::escape(part)).collect::<Vec<_>>().join(r"[\s>]+"))
}

/// A phone number however its digits are parted; with the country's code also as it is dialled at home.
fn phone_pattern(phone: &str) -> Option<String> {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    // The last nine digits are the number itself; what stands before them differs (+31, 0031, 0).
    let own: Vec<String> = digits.iter().skip(digits.len().saturating_sub(9)).map(char::to_string).collect();
    (own.len() > 5).then(|| format!(r"\+?[\d\s()./-]{{0,8}}{}\b", own.join(r"[\s()./-]{0,3}")))
}

/// Where the signature of a text begins: below a line of two dashes, or below the last sign-off.
fn signature(lines: &[&str]) -> Option<usize> {
    let is_sign_off = |line: &str| {
        let line = bare(line).trim_end_matches([',', '.', '!']).to_lowercase();
        SIGN_OFFS.iter().any(|words| {
            line == *words
                || line.strip_prefix(words).is_some_and(|rest| rest.starts_with([',', ' ']) && rest.split_whitespace().count() < 5)
        })
    };
    let dashes = lines.iter().position(|line| line.trim_end() == "--" || *line == "-- ");
    let sign_off = lines.iter().rposition(|line| is_sign_off(line));
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
        assert_eq!(left, "Goedemorgen,\n\nIk, [removed], vraag iets over [removed]-drogerij.\n\n[removed]\n");
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
