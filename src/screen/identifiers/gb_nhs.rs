//! NHS number (GB): ten digits, the last 11 minus the weighted sum (10 to 2) modulo 11.
//!
//! 9 % of random numbers of ten digits pass: never without its name beside it.

use super::{Identifier, Judged, digits, joined, weighted};
use crate::words::Country;

/// NHS number.
pub const NHS: Identifier = Identifier {
    kind: "nhs",
    country: Country::Gb,
    about: "NHS number",
    names: r"\bnhs",
    form: r"[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}|[0-9]{10}",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let digits = digits(written);
    let passes =
        digits.len() == 10 && digits.iter().any(|digit| *digit != 0) && weighted(&digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0;
    passes.then(|| Judged { value: joined(&digits), points: 5, kind: "nhs" })
}
