//! Personnummer and samordningsnummer (SE): YYMMDD-NNNC or YYYYMMDDNNNC, Luhn over the last ten digits; "+" for people of 100 and
//! more; day + 60 in a samordningsnummer.
//!
//! 0.75 % of random ten-digit and 0.014 % of twelve-digit numbers pass. Organisation numbers pass Luhn too but have a "month" of
//! 20 and more.

use super::{Identifier, Judged, digits, is_date, is_stamp, joined, number};
use crate::words::Country;

/// Personnummer; judged values of a coordination number say `samordningsnummer`.
pub const PERSONNUMMER: Identifier = Identifier {
    kind: "personnummer",
    country: Country::Se,
    about: "personnummer, samordningsnummer",
    names: r"\bperson ?-?(?:nr|num)|\bp-?nr\b|samordnings ?-?(?:nr|num)|personal identity n|skydda[dt] person",
    form: r"(?:18|19|20)[0-9]{6} ?[-+]? ?[0-9]{4}|[0-9]{6} ?[-+] ?[0-9]{4}|[0-9]{6} [0-9]{4}|[0-9]{10}",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let all = digits(written);
    let ten = all.get(all.len().checked_sub(10)?..)?;
    let [y1, y2, m1, m2, d1, d2, serial @ ..] = ten else { return None };
    let (year, month, day) = (number(&[*y1, *y2]), number(&[*m1, *m2]), number(&[*d1, *d2]));
    let coordination = day > 60;
    if !is_date(year, month, if coordination { day - 60 } else { day }) || !luhn(ten) || number(serial) == 0 {
        return None;
    }
    let separated = written.chars().any(|c| !c.is_ascii_digit());
    let stamp = !coordination && is_stamp(ten.get(..6)?, serial) && all.len() == all.len().min(12) && number(all.get(..2)?) != 19;
    let points = match (all.len(), separated) {
        _ if stamp => 30,
        (12, _) => 80,
        (_, true) if written.contains(['-', '+']) => 75,
        (_, true) => 65,
        _ => 35,
    };
    Some(Judged { value: joined(ten), points, kind: if coordination { "samordningsnummer" } else { "personnummer" } })
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(i, digit)| if i % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { *digit }).sum();
    sum.is_multiple_of(10)
}
