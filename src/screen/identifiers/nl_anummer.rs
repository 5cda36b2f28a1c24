//! A-nummer (NL), the administration number of the BRP: ten digits, not beginning with 0, no two equal neighbours, digit sum
//! 0 or 5 modulo 11, and the sum of digit times 2^position divisible by 11 [Logisch Ontwerp BRP, element 01.10].
//!
//! A random number of ten digits passes in 0.6 % of cases; old bank account numbers have ten digits too.

use super::{Identifier, Judged, digits, joined};
use crate::words::Country;

/// A-nummer. `0110010` is its element in LO3 messages.
pub const A_NUMMER: Identifier = Identifier {
    kind: "a-nummer",
    country: Country::Nl,
    about: "administratienummer in de BRP",
    names: r"\ba ?-?(?:nr|nummer)\b|\banr\b|\banummer|administratie ?nummer|inp\.a-nummer",
    form: r"0110010[0-9]{10}|[0-9]{10}",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let element = written.len() == 17;
    let digits = digits(written.strip_prefix("0110010").filter(|_| element).unwrap_or(written));
    if digits.len() != 10 || digits.first() == Some(&0) {
        return None;
    }
    let neighbours_differ = digits.windows(2).all(|pair| pair.first() != pair.last());
    let sum: u32 = digits.iter().sum();
    let powers: u32 = digits.iter().enumerate().map(|(position, digit)| digit << position).sum();
    let passes = neighbours_differ && matches!(sum % 11, 0 | 5) && powers.is_multiple_of(11);
    passes.then(|| Judged { value: joined(&digits), points: if element { 90 } else { 25 }, kind: "a-nummer" })
}
