//! Henkilötunnus (FI): DDMMYY, a sign for the century, three digits and a check character.
//!
//! The check character is number 31 of DDMMYYNNN modulo 31 in `0123456789ABCDEFHJKLMNPRSTUVWXY`; signs since 2023: `+` 1800s, `-YXWVU` 1900s,
//! `ABCDEF` 2000s [dvv.fi/hetu-uudistus]. Chance hits are next to none, but one in thirty-one stamps of the form `YYMMDD-HHMM` passes.

use super::{Identifier, Judged, digits, is_date, is_stamp, number};
use crate::words::Country;

/// Henkilötunnus.
pub const HENKILOTUNNUS: Identifier = Identifier {
    kind: "henkilotunnus",
    country: Country::Fi,
    about: "henkilötunnus",
    names: r"henkilo ?tunnu|\bhetu|hetu\b|person ?beteckning|sosiaaliturvatunnu|finnish personal",
    form: r"[0-9]{6}[-+a-fu-y][0-9]{3}[0-9a-y]",
    judge,
};

fn judge(written: &str) -> Option<Judged> {
    let all = digits(written);
    let check = written.chars().last()?;
    let nine = all.get(..9)?;
    let [d1, d2, m1, m2, y1, y2, ..] = nine else { return None };
    let due = "0123456789abcdefhjklmnprstuvwxy".chars().nth(usize::try_from(number(nine) % 31).ok()?)?;
    let passes = check == due && is_date(number(&[*y1, *y2]), number(&[*m1, *m2]), number(&[*d1, *d2]));
    let stamp = all.len() == 10 && is_stamp(all.get(..6)?, all.get(6..)?);
    passes.then(|| Judged { value: written.to_owned(), points: if stamp { 30 } else { 90 }, kind: "henkilotunnus" })
}
