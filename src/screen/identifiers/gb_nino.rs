//! National Insurance number (GB): two letters, six digits, a letter A to D. No check digit.
//!
//! Neither letter is D, F, I, Q, U or V, the second is not O, and BG, GB, KN, NK, NT, TN and ZZ are not used [HMRC NIM39110]. `QQ` is
//! the documented example prefix and no number. Of random things of that shape (two letters, six digits, a letter) 8.5 % pass; part
//! numbers look alike: only the spaced form speaks for itself.

use super::{Identifier, Judged};
use crate::words::Country;

/// National Insurance number.
pub const NINO: Identifier = Identifier {
    kind: "nino",
    country: Country::Gb,
    about: "National Insurance number",
    names: r"nat(?:ional|\.)? ?ins(?:urance|\b)|\bnino?s?\b|\bni ?-?(?:no|nr|num)",
    form: r"[a-ceghj-prstw-z][a-ceghj-nprstw-z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let value: String = written.chars().filter(|c| *c != ' ').collect();
    let unused = ["bg", "gb", "kn", "nk", "nt", "tn", "zz"].iter().any(|prefix| value.starts_with(prefix));
    let points = if written.len() - value.len() == 4 { 65 } else { 35 };
    (!unused).then_some(Judged { value, points, kind: "nino" })
}
