//! Burgerservicenummer (NL): nine digits that pass the eleven-test; eight when a spreadsheet has eaten a leading zero.
//!
//! Weights 9,8,7,6,5,4,3,2,-1; the sum is divisible by 11 and the number is not 0 [Logisch Ontwerp BSN]. A random number of nine digits
//! passes in 9.1 % of cases, and every RSIN passes, so that the number alone is never enough.

use super::{Identifier, Judged, digits, is_date, joined, number, weighted};
use crate::words::Country;

/// Burgerservicenummer. `0120009` is its element in LO3 messages (group 01, element 20, nine characters), written without any space.
pub const BSN: Identifier = Identifier {
    kind: "bsn",
    country: Country::Nl,
    about: "burgerservicenummer",
    names: r"\bbsn|bsn\b|\bb[. ]s[. ]n\b|burger ?-?service|\bsofi\b|\bsofi ?-?(?:nr|num)|citizen service n",
    form: r"0120009[0-9]{9}|[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{3}|[0-9]{4}[ .-][0-9]{2}[ .-][0-9]{3}|[0-9]{2}[ .][0-9]{2}[ .][0-9]{2}[ .][0-9]{3}|[0-9]{9}|[0-9]{8}",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let element = written.len() == 16;
    let mut digits = digits(written.strip_prefix("0120009").filter(|_| element).unwrap_or(written));
    let short = digits.len() == 8;
    if short {
        digits.insert(0, 0);
    }
    let passes = digits.len() == 9 && digits.iter().any(|digit| *digit != 0) && weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 == 0;
    let pair = |at: usize| digits.get(at..at + 2).map_or(0, number);
    // Eight digits that are a day (12031961, 19610312) are one; and no number with two leading zeros was issued.
    let day = is_date(pair(7), pair(3), pair(1)) && matches!(pair(5), 19 | 20)
        || is_date(pair(3), pair(5), pair(7)) && matches!(pair(1), 19 | 20);
    let plausible = !(short && (day || digits.get(1) == Some(&0)));
    let points = if element {
        90
    } else if short {
        10
    } else {
        25
    };
    (passes && plausible).then(|| Judged { value: joined(&digits), points, kind: "bsn" })
}
