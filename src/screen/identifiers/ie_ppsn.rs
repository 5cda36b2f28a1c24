//! Personal Public Service number (IE): seven digits and a letter, sum of digits times 8 to 2 modulo 23 (W for 0); a second letter
//! A, B, H or W counts with weight 9 (W is 0).
//!
//! About 4 % of things of that shape pass.

use super::{Identifier, Judged, digits, weighted};
use crate::words::Country;

/// Personal Public Service number.
pub const PPSN: Identifier = Identifier {
    kind: "ppsn",
    country: Country::Ie,
    about: "Personal Public Service number",
    names: r"\bppsn?\b|\bpps ?-?(?:no|num)|personal public service",
    form: r"[0-9]{7} ?[a-w][abhw]?",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let mut letters = written.chars().filter(char::is_ascii_lowercase);
    let check = letters.next()?;
    let second = match letters.next() {
        None | Some('w') => 0,
        Some(letter) => i64::from(u32::from(letter) - u32::from('a') + 1) * 9,
    };
    let remainder = (weighted(&digits(written), &[8, 7, 6, 5, 4, 3, 2]) + second) % 23;
    let due = if remainder == 0 { 'w' } else { char::from_u32(u32::try_from(remainder).ok()? + u32::from('a') - 1)? };
    (check == due).then(|| Judged { value: written.replace(' ', ""), points: 40, kind: "ppsn" })
}
