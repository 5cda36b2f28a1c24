//! Fødselsnummer (NO) with D-, H- and test numbers: DDMMYY, three digits, two check digits.
//!
//! Weights 3,7,6,1,8,9,4,5,2,1 and 5,4,3,2,7,6,5,4,3,2,1, both sums divisible by 11; from 1 January 2032 the first may leave 0, 1, 2
//! or 3 [skatteetaten.no, pid]. D-number: day + 40; H-number: month + 40; test numbers: month + 65 or + 80. 0.24 % of random
//! numbers of eleven digits pass (2032: 1 %), 2.4 % of bank accounts.

use super::{Identifier, Judged, digits, is_date, joined, number, weighted};
use crate::words::Country;

/// Fødselsnummer and its sisters.
pub const FODSELSNUMMER: Identifier = Identifier {
    kind: "fodselsnummer",
    country: Country::No,
    about: "fødselsnummer, D-nummer, H-nummer",
    names: r"\bfo?e?dsels? ?-?(?:nr|num)|fodselsnummer|fodselsnr|fo?edsels ?eller ?d|\bfnr\b|\bd-?(?:nr|nummer)\b|\bh-?nummer\b|\bperson ?-?(?:nr|nummer)|folkeregister ?ident",
    form: r"[0-9]{6} ?[0-9]{5}|[0-9]{6}-[0-9]{5}|[0-9]{2}\.[0-9]{2}\.[0-9]{2} [0-9]{5}|[0-9]{6} [0-9]{3} [0-9]{2}",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let digits = digits(written);
    let [d1, d2, m1, m2, y1, y2, rest @ ..] = digits.as_slice() else { return None };
    if rest.len() != 5 {
        return None;
    }
    let (day, month) = (number(&[*d1, *d2]), number(&[*m1, *m2]));
    let day = if day > 40 { day - 40 } else { day };
    let months = [0, 40, 65, 80].map(|more| month.saturating_sub(more));
    if !months.iter().any(|month| is_date(number(&[*y1, *y2]), *month, day))
        || weighted(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 != 0
    {
        return None;
    }
    let points = match weighted(&digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 {
        0 => {
            if written.len() == 11 {
                65
            } else {
                75
            }
        }
        1..=3 => 25,
        _ => return None,
    };
    Some(Judged { value: joined(&digits), points, kind: "fodselsnummer" })
}
