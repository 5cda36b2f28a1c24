//! Rijksregisternummer / numéro national (BE): YY.MM.DD-NNN.CC, where CC is 97 minus the first nine digits modulo 97, with a 2
//! before them for people born from 2000 on. BIS numbers: month + 20 or + 40; unknown birth dates have month or day 0.
//!
//! 0.25 % of random numbers of eleven digits pass.

use super::{Identifier, Judged, digits, joined, number};
use crate::words::Country;

/// Rijksregisternummer and BIS number.
pub const RIJKSREGISTERNUMMER: Identifier = Identifier {
    kind: "rijksregisternummer",
    country: Country::Be,
    about: "rijksregisternummer, BIS-nummer",
    names: r"rijks ?register|registre national|\brrn?r?\b|\binsz|\bniss\b|\bssin\b|nationaal nummer|numero national|\bn[°o]?\.? ?national|\bbis-?nummer",
    form: r"[0-9]{2}[./-][0-9]{2}[./-][0-9]{2}[ -][0-9]{3}[. -][0-9]{2}|[0-9]{6}[ -][0-9]{3}[. -][0-9]{2}|[0-9]{11}",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let digits = digits(written);
    let (nine, check) = (number(digits.get(..9)?), number(digits.get(9..11)?));
    let (month, day) = (number(digits.get(2..4)?), number(digits.get(4..6)?));
    let month = match month {
        40.. => month - 40,
        20..40 => month - 20,
        _ => month,
    };
    let passes = digits.len() == 11 && month <= 12 && day <= 31 && (97 - nine % 97 == check || 97 - (nine + 2_000_000_000) % 97 == check);
    let points = match written.chars().filter(|c| !c.is_ascii_digit()).count() {
        4.. => 85,
        1..4 => 70,
        0 => 45,
    };
    passes.then(|| Judged { value: joined(&digits), points, kind: "rijksregisternummer" })
}
