//! Steuer-Identifikationsnummer (DE): eleven digits, the first not 0; among the first ten one digit stands twice or thrice and
//! the others once at most; check digit by ISO 7064 MOD 11,10 [BZSt].
//!
//! 0.33 % of random numbers of eleven digits pass.

use super::{Identifier, Judged, digits, joined};
use crate::words::Country;

/// Steuer-Identifikationsnummer.
pub const STEUER_ID: Identifier = Identifier {
    kind: "steuer-id",
    country: Country::De,
    about: "Steuer-Identifikationsnummer",
    names: r"steuer ?-?(?:id|ident)|steuerliche|identifikations ?-?(?:nr|num)|\bid ?-?nr\b|\bst\.?-?id",
    form: r"[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{3}|[0-9]{11}",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let digits = digits(written);
    let (ten, check) = (digits.get(..10)?, *digits.get(10)?);
    let counts: Vec<usize> = (0..10).map(|value| ten.iter().filter(|digit| **digit == value).count()).collect();
    let repeated: Vec<usize> = counts.into_iter().filter(|count| *count > 1).collect();
    let product = ten.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    let passes = digits.len() == 11 && ten.first() != Some(&0) && matches!(repeated.as_slice(), [2 | 3]) && (11 - product) % 10 == check;
    passes.then(|| Judged { value: joined(&digits), points: if written.len() == 11 { 35 } else { 45 }, kind: "steuer-id" })
}
