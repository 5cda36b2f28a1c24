//! CPR-nummer (DK): DDMMYY-SSSS. The modulus 11 check is *not* required: numbers without it are issued since 2007, and the
//! register asks systems to drop it.
//!
//! "P-nr." is a production unit of the business register, ten digits too; it is no name of this one.
//!
//! 3.6 % of random ten-digit numbers have a date in front, 0.33 % pass modulus 11 as well. Every `YYMMDD-HHMM` stamp of 2024 to 2026
//! and whole months of epoch seconds look like one.

use super::{Identifier, Judged, digits, is_date, is_stamp, joined, number, weighted};
use crate::words::Country;

/// CPR-nummer.
pub const CPR: Identifier = Identifier {
    kind: "cpr",
    country: Country::Dk,
    about: "CPR-nummer",
    names: r"\bcpr|cpr\b|person ?civil ?registration|\bperson ?-?(?:nr|nummer)|\bpnr\b",
    form: r"[0-9]{6} ?- ?[0-9]{4}|[0-9]{6} [0-9]{4}|[0-9]{2}[.-][0-9]{2}[.-][0-9]{2}-[0-9]{4}|[0-9]{10}",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let digits = digits(written);
    let [d1, d2, m1, m2, y1, y2, serial @ ..] = digits.as_slice() else { return None };
    if !is_date(number(&[*y1, *y2]), number(&[*m1, *m2]), number(&[*d1, *d2])) || serial.len() != 4 || number(serial) == 0 {
        return None;
    }
    let checked = weighted(&digits, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0;
    let stamp = is_stamp(digits.get(..6)?, serial);
    let points = match written.chars().find(|c| !c.is_ascii_digit()) {
        Some(_) if stamp => 30,
        Some('-' | '.') => {
            if checked {
                75
            } else {
                60
            }
        }
        Some(_) => {
            if checked {
                60
            } else {
                35
            }
        }
        // Mobile telephones of other countries have ten digits that begin like this, and stand beside names.
        None if written.starts_with(['0']) && matches!(written.get(1..2), Some("4" | "5" | "6" | "7")) => 15,
        None => {
            if checked {
                40
            } else {
                15
            }
        }
    };
    Some(Judged { value: joined(&digits), points, kind: "cpr" })
}
