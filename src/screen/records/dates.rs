//! Dates in text, and which of them can be a day of birth.

use regex::Regex;
use std::sync::LazyLock;

/// Names of months in nine languages, folded; the shortest form that tells them apart.
const MONTHS: [&str; 12] = [
    "jan|tammi",
    "feb|fev|helmi",
    "mar|maa?rt|maerz|maliskuu|maalis",
    "apr|avr|huhti",
    "may|mei|maj|mai|touko",
    "jun|juin|kesa",
    "jul|juil|heina",
    "aug|aout|elo",
    "sep|syys",
    "okt|oct|loka",
    "nov|marras",
    "dec|des|dez|joulu",
];

/// A day in folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Four digits.
    pub year: u32,
}

impl Day {
    /// Whether somebody may have been born on it: a day of a hundred and ten years. Today is not known here; who is younger
    /// than a few years is found by the word "born".
    pub fn may_be_birth(self) -> bool {
        (1905..=2035).contains(&self.year)
    }

    /// Whether it lies behind whoever writes now: dates of plans do not.
    pub fn is_past(self) -> bool {
        self.year <= 2024
    }

    /// Whether it is a generation ago: older than most papers that people still send, so that one name beside it is enough.
    pub fn is_generation_ago(self) -> bool {
        (1915..=2006).contains(&self.year)
    }

    /// Whether it is years ago: beside a whole name in brackets, or behind the word that says whom a mail is about, it is a child's day of
    /// birth more likely than the day of a paper.
    pub fn is_years_ago(self) -> bool {
        (1915..=2019).contains(&self.year)
    }

    /// Whether it is long ago enough that several names beside such days are a list of people, and no appointments.
    pub fn is_long_ago(self) -> bool {
        (1915..=2012).contains(&self.year)
    }
}

static NUMERIC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // `12-03-1961`, `12. 3. 1961`, `12/3 1961`; `1961-03-12`.
    Regex::new(r"(?:(?P<d>[0-3]?[0-9]) ?[-./] ?(?P<m>[01]?[0-9])(?: ?[-./] ?| )(?P<y>(?:19|20)[0-9]{2}))|(?:(?P<y2>(?:19|20)[0-9]{2})[-./](?P<m2>[01]?[0-9])[-./](?P<d2>[0-3]?[0-9]))").ok()
});
static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let months: Vec<&str> = MONTHS.to_vec();
    let month = months.join("|");
    Regex::new(&format!(
        r"(?:(?P<d>[0-3]?[0-9])(?:st|nd|rd|th|\.)? ?(?:of )?(?:{month})[a-z]*\.?,? ?(?P<y>(?:19|20)[0-9]{{2}}))|(?:(?:{month})[a-z]* (?P<d2>[0-3]?[0-9])(?:st|nd|rd|th)?,? (?P<y2>(?:19|20)[0-9]{{2}}))"
    ))
    .ok()
});
static COMPACT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?P<y>(?:19|20)[0-9]{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12][0-9]|3[01])|(?P<d2>0[1-9]|[12][0-9]|3[01])(?P<m2>0[1-9]|1[0-2])(?P<y2>(?:19|20)[0-9]{2})").ok()
});
/// `12-03-61`, `12 03 61`, `61-03-12`.
static SHORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?P<d>[0-3]?[0-9]) ?[-./ ] ?(?P<m>[01]?[0-9]) ?[-./ ] ?'?(?P<y>[0-9]{2})|(?P<y2>[0-9]{2}) ?[-./ ] ?(?P<m2>[01]?[0-9]) ?[-./ ] ?(?P<d2>[0-3]?[0-9])").ok()
});
/// `120361`, `610312`.
static SIX: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?P<d>0[1-9]|[12][0-9]|3[01])(?P<m>0[1-9]|1[0-2])(?P<y>[0-9]{2})|(?P<y2>[0-9]{2})(?P<m2>0[1-9]|1[0-2])(?P<d2>0[1-9]|[12][0-9]|3[01])").ok()
});

/// Days in folded text, in order. `labelled`: what stands before says that it is a date, so that `19610312`, `12-03-61` and `120361`
/// count too.
pub fn days(folded: &str, labelled: bool) -> Vec<Day> {
    if !labelled && !has_year(folded) {
        return Vec::new();
    }
    let (patterns, digits): (&[&LazyLock<Option<Regex>>], usize) =
        if labelled { (&[&NUMERIC, &WORDS, &COMPACT, &SHORT, &SIX], 4) } else { (&[&NUMERIC, &WORDS], 5) };
    of_patterns(patterns, folded, digits)
}

/// Days written as eight digits in one run.
pub fn undivided(folded: &str) -> Vec<Day> {
    if has_year(folded) { of_patterns(&[&COMPACT], folded, 8) } else { Vec::new() }
}

/// Whether four digits of a year stand anywhere, which most lines with digits lack.
fn has_year(folded: &str) -> bool {
    folded
        .as_bytes()
        .windows(4)
        .any(|four| matches!(four, [b'1', b'9', c, d] | [b'2', b'0', c, d] if c.is_ascii_digit() && d.is_ascii_digit()))
}

fn of_patterns(patterns: &[&LazyLock<Option<Regex>>], folded: &str, least_digits: usize) -> Vec<Day> {
    if folded.bytes().filter(u8::is_ascii_digit).take(least_digits).count() < least_digits {
        return Vec::new();
    }
    let mut days = Vec::new();
    for pattern in patterns {
        let Some(pattern) = pattern.as_ref() else { continue };
        for found in pattern.captures_iter(folded) {
            let number = |name: &str| found.name(name).and_then(|part| part.as_str().parse::<u32>().ok());
            let Some(whole) = found.get(0) else { continue };
            let alone = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_digit());
            if !alone(folded.get(..whole.start()).and_then(|before| before.chars().next_back()))
                || !alone(folded.get(whole.end()..).and_then(|after| after.chars().next()))
            {
                continue;
            }
            let year = number("y").or(number("y2")).map(|year| {
                if year < 30 {
                    2000 + year
                } else if year < 100 {
                    1900 + year
                } else {
                    year
                }
            });
            let day = number("d").or(number("d2")).unwrap_or(1);
            let month = number("m").or(number("m2")).unwrap_or(1);
            let exists = (1..=31).contains(&day) && (1..=12).contains(&month) || (1..=12).contains(&day) && (1..=31).contains(&month);
            if let Some(year) = year.filter(|_| exists) {
                days.push(Day { start: whole.start(), end: whole.end(), year });
            }
        }
    }
    days.sort_by_key(|day| day.start);
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_found_however_they_are_written() {
        for text in [
            "12-03-1961",
            "1961-03-12",
            "12.3.1961",
            "12/03/1961",
            "12 maart 1961",
            "12. mars 1961",
            "march 12, 1961",
            "12th of march 1961",
            "12 maerz 1961",
            "12 maaliskuuta 1961",
            "12/3 1961",
            "12 juin 1961",
            "12. 3. 1961",
        ] {
            assert_eq!(days(text, false).first().map(|day| day.year), Some(1961), "{text}");
        }
        assert_eq!(days("19610312", true).first().map(|day| day.year), Some(1961));
        for text in ["12-03-61", "12 03 61", "12/3/61", "61-03-12", "120361", "610312"] {
            assert!(days(text, true).iter().any(|day| day.year == 1961) && days(text, false).is_empty(), "{text}");
        }
        assert!(days("19610312", false).is_empty() && days("99-99-1961", false).is_empty() && days("versie 12.3.19612", false).is_empty());
    }
}
