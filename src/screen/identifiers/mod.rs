//! Identity numbers, one file each, and the list of them.
//!
//! To add one: a file with its [`Identifier`], a line in [`ALL`], and vectors in `fixtures/identifiers/<file>.toml`.

mod be_rrn;
mod de_steuer_id;
mod dk_cpr;
mod fi_hetu;
mod gb_nhs;
mod gb_nino;
mod ie_ppsn;
mod nl_anummer;
mod nl_bsn;
mod no_fnr;
mod se_personnummer;

use crate::words::Country;

/// A kind of identity number: how it looks, how it is checked, and what people call it.
#[derive(Debug)]
pub struct Identifier {
    /// The code in findings, such as `bsn`.
    pub kind: &'static str,
    /// Whose number it is.
    pub country: Country,
    /// What it is, for people.
    pub about: &'static str,
    /// What it is called: a pattern over folded text ([`fold`](super::fold)).
    pub names: &'static str,
    /// How it may be written: a pattern over folded text; neighbours are checked by the detector.
    pub form: &'static str,
    /// Judges what `form` matched.
    pub judge: fn(&str) -> Option<Judged>,
}

/// A number that passes its own checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The number without separators.
    pub value: String,
    /// Points (0 to 100) for the form alone, without any context: how seldom something else looks like this.
    pub points: u8,
    /// The kind, where one file serves two.
    pub kind: &'static str,
}

/// All of them, in the order in which a value that could be two kinds is told apart.
pub const ALL: &[Identifier] = &[
    nl_bsn::BSN,
    nl_anummer::A_NUMMER,
    dk_cpr::CPR,
    no_fnr::FODSELSNUMMER,
    se_personnummer::PERSONNUMMER,
    fi_hetu::HENKILOTUNNUS,
    be_rrn::RIJKSREGISTERNUMMER,
    de_steuer_id::STEUER_ID,
    gb_nino::NINO,
    gb_nhs::NHS,
    ie_ppsn::PPSN,
];

/// The digits of a text, in order.
fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

fn joined(digits: &[u32]) -> String {
    digits.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect()
}

/// The number that a few digits write.
fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(*digit))
}

/// The sum of digit times weight; digits beyond the weights do not count.
fn weighted(digits: &[u32], weights: &[i64]) -> i64 {
    digits.iter().zip(weights).map(|(digit, weight)| i64::from(*digit) * weight).sum()
}

/// Whether a day exists in that month, in some year of those two digits.
fn is_date(year: u64, month: u64, day: u64) -> bool {
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// Whether a number of ten digits reads as a stamp of day and time.
#[must_use]
pub fn reads_as_stamp(value: &str) -> bool {
    let digits = digits(value);
    matches!((digits.get(..6), digits.get(6..)), (Some(first), Some(second)) if second.len() == 4 && is_stamp(first, second))
}

/// Whether six and four digits read as `YYMMDD-HHMM`, as in file names and build numbers, in the years that such stamps are from.
fn is_stamp(first: &[u32], second: &[u32]) -> bool {
    let (date, time) = (number(first), number(second));
    (15..=40).contains(&(date / 10_000)) && is_date(date / 10_000, date / 100 % 100, date % 100) && time / 100 < 24 && time % 100 < 60
}
