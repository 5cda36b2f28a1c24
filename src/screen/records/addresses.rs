//! Where somebody lives: a name, a street with its number and a postcode that stand together, in one line, in the lines of a letter's
//! head or in the cells of a row. What each of them is, their neighbours say, so that neither the name nor the street must be known.

use super::Record;
use super::attributes;
use super::names::{self, Grade};
use crate::screen::evidence::speaks_of_people;
use crate::screen::fold::fold;
use regex::Regex;
use std::sync::LazyLock;

/// Street and number: `Kerkstraat 12a`, `Am Anger 4`, `14 Orchard Rise`.
static STREET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:[\p{Lu}'][\p{L}'.’-]*\.?(?: [\p{L}'.’-]+){0,4} ?[0-9]{1,4} ?-?[A-Za-z]{0,3}[0-9]{0,2}",
        r"|[0-9]{1,4}[a-zA-Z]? (?:\p{Lu}[\p{L}'’-]+)(?: \p{Lu}[\p{L}'’-]+){0,3})\.?$"
    ))
    .ok()
});

/// A street's ending or word, over folded text: one that stands without a postcode must have it.
static STREET_WORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b[a-z][a-z.' -]{0,30}(?:straat|laan|weg|plein|gracht|kade|singel|dijk|hof|pad|steeg|dreef|vej|vejen|gade|gaden|alle|gata|gatan|vagen|veien|vei|vegen|gate|stien|strasse|str\.|allee|platz|gasse|katu|tie|kuja",
        r"| street| road| lane| avenue| close| drive| way| crescent| gardens) ?[0-9]{1,4} ?[a-z]?\b|\b[0-9]{1,4}[a-z]?,? [a-z]+ (?:street|road|lane|avenue|close|drive|way|crescent|gardens|terrace|place|rise)\b"
    ))
    .ok()
});

/// A postcode with or without its place, over folded text that holds nothing else.
static POSTCODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let place = r"[a-z][a-z' .-]{1,30}";
    Regex::new(&format!(
        r"^(?:(?:nl-|d-|dk-|no-|n-|s-|se-|fi-|be-|b-)?(?:[1-9][0-9]{{3}} ?[a-z]{{2}}(?: +{place})?|[0-9]{{3}} [0-9]{{2}}(?: +{place})?|[0-9]{{4,5}} +{place})|(?:{place} )?[a-z]{{1,2}}[0-9][0-9a-z]? ?[0-9][a-z]{{2}})$"
    ))
    .ok()
});

/// The same at the end of a street that no comma parts from it: `Iepenlaan 14 3991 AB Waterwolde`.
static AFTER_STREET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(.{3,40}? [0-9]{1,4} ?[a-z]?) ((?:[1-9][0-9]{3} ?[a-z]{2}|[0-9]{3} [0-9]{2}|[0-9]{4,5})(?: +[a-z].{1,30})?)$").ok()
});

/// Words that say that somebody lives there.
static LIVES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:woont|wonende?|woonachtig|woonadres|verhuisd|bor (?:pa|i)|bosat|bosatt|bopael|wohnhaft|wohnt|lives at|living at|residing|asuu)\b").ok()
});

/// Words of a visit, a delivery, a sale or a meeting: the address is one of work.
static VISIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:contact|contactpersoon|locatie|vestiging|filiaal|lever|levering|geleverd|leverantie|afleveradres|bezoek|bezoekadres|vergadering|training|cursus|meeting|venue|visit|delivery|office",
        r"|mode|motet|mote|moter|besok|lokation|sted|besprechung|schulung|lieferung|standort|ontvangst|parkeren|factuur|faktura|invoice|rechnung|deltakere|deltagare|deltagere|deelnemers|teilnehmer|to stede)\b"
    ))
    .ok()
});

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// Whether text is a street with its number and nothing else.
fn is_street(text: &str) -> bool {
    let folded = fold(text);
    text.len() <= 60 && matches(&STREET, text) && !is_postcode(&folded) && !names::is_office(&folded)
}

/// Whether folded text is a postcode, with its place and perhaps the next sentence behind it.
fn is_postcode(folded: &str) -> bool {
    let folded = folded.split_once(". ").map_or(folded, |(first, _)| first).trim_end_matches('.');
    folded.len() <= 50 && matches(&POSTCODE, folded)
}

/// Whether the words around an address say that it is one of business.
fn is_business(folded: &str) -> bool {
    names::is_organisation(folded) || names::is_office(folded) || matches(&VISIT, folded)
}

/// A stretch of a line between commas and the like.
struct Part<'a> {
    text: &'a str,
    folded: String,
    row: usize,
    /// Nothing else stands in its line.
    whole: bool,
}

/// Lines longer than this, in bytes, are no part of an address.
const LONGEST_LINE: usize = 1_000;

/// Points of a name with a street and a postcode.
const POINTS: u8 = 70;

/// Names with their address in running text. `own` tells the rows of a sender's signature.
pub fn in_lines(lines: &[&str], folded: &[String], own: &dyn Fn(usize) -> bool) -> Vec<Record> {
    let mut records = Vec::new();
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (row, line) in lines.iter().enumerate() {
        // A blank line ends an address, and so does a line that is too long to be a part of one.
        if line.trim().is_empty() || line.len() > LONGEST_LINE || own(row) {
            records.extend(in_parts(&parts, lines, folded));
            parts.clear();
            continue;
        }
        let line = line.trim_start_matches(['>', ' ', '\t', '-', '*', '•']);
        let split: Vec<&str> = line
            .split([',', ';', '\t', '|', '(', ')', ':'])
            .flat_map(|part| part.split("  "))
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        let whole = split.len() == 1;
        parts.extend(split.into_iter().map(|text| Part { text, folded: fold(text), row, whole }));
    }
    records.extend(in_parts(&parts, lines, folded));
    records
}

fn in_parts(parts: &[Part<'_>], lines: &[&str], folded: &[String]) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if !part.folded.contains(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let get = |back: usize| at.checked_sub(back).and_then(|index| parts.get(index));
        // Where the street stands: in the part before, in the one before a town's name, or in front of the postcode itself.
        let joined = AFTER_STREET.as_ref().and_then(|pattern| pattern.captures(&part.folded)).is_some();
        let street = if joined {
            Some(0)
        } else if is_postcode(&part.folded) {
            (1..=2).find(|back| get(*back).is_some_and(|street| is_street(street.text) && part.row - street.row <= 2))
        } else {
            None
        };
        let Some(street) = street else { continue };
        let street_row = get(street).map_or(part.row, |street| street.row);
        let named_before = (street + 1..=street + 2).find_map(|back| {
            let name = get(back)?;
            let near = street_row - name.row <= 2 && (back == street + 1 || name.whole);
            (near && is_named(name)).then_some(name.row)
        });
        let named_after = || {
            let after = parts.get(at + 1).filter(|after| after.row == part.row)?;
            let next = parts.get(at + 2).filter(|next| next.row == part.row);
            [Some(after), next].into_iter().flatten().any(|name| names::grade(name.text) >= Grade::Shaped).then_some(part.row)
        };
        let Some(row) = named_before.or_else(named_after) else { continue };
        let above =
            lines.get(..row).and_then(|before| before.iter().rposition(|line| !line.trim().is_empty())).filter(|above| row - above <= 1);
        let around = above.into_iter().chain(row..=part.row + 1).filter_map(|row| folded.get(row));
        if !around.into_iter().any(|line| is_business(line)) && records.last().is_none_or(|last| last.row != row + 1) {
            records.push(Record { points: POINTS, row: row + 1 });
        }
    }
    records
}

/// Whether a part is a name or ends with one.
fn is_named(part: &Part<'_>) -> bool {
    attributes::of_label(&part.folded).is_none()
        && (names::grade(part.text) >= Grade::Shaped || names::at_end(part.text) || names::perhaps_at_end(part.text))
}

/// Whether the cells of a row, which no header explains, are a name with its address.
pub fn in_cells(cells: &[String]) -> bool {
    let street = cells.iter().any(|cell| is_street(cell.trim()));
    street
        && cells.iter().any(|cell| is_postcode(&fold(cell.trim())))
        && cells.iter().any(|cell| !is_street(cell.trim()) && names::grade(cell) >= Grade::Shaped)
        && !cells.iter().any(|cell| is_business(&fold(cell)))
}

/// Whether a street in this line is said to be where the person named in the line, or right before it, lives: no postcode is needed then.
pub fn lives_there(line: &str, folded: &str, near: &[&str], folded_near: &[String]) -> bool {
    folded.contains(|c: char| c.is_ascii_digit())
        && matches(&STREET_WORD, folded)
        && !folded_near.iter().any(|line| is_business(line))
        && (matches(&LIVES, folded) && near.iter().any(|line| names::in_text(line)) || speaks_of_people(folded) && names::in_text(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streets_and_postcodes_of_every_country() {
        for street in [
            "Iepenlaan 14",
            "Am Anger 4",
            "Engvænget 12",
            "14 Orchard Rise",
            "Schulstr. 12a",
            "Ängsvägen 3 B",
            "'s-Gravenweg 8",
            "Kirkevegen 11",
        ] {
            assert!(is_street(street), "{street}");
        }
        for other in ["Raadhuisplein 1", "versie 12", "12 maart 2026", "3991 AB Waterwolde", "Rådhusvegen 1"] {
            assert!(!is_street(other), "{other}");
        }
        for postcode in [
            "3991 ab waterwolde",
            "3991ab",
            "8464 galten",
            "615 30 strandkoping",
            "31134 heidetal",
            "br3 5qt",
            "brookham br3 5qt",
            "91100 ii",
        ] {
            assert!(is_postcode(postcode), "{postcode}");
        }
        assert!(!is_postcode("12 maart") && !is_postcode("2026") && !is_postcode("versie 3991"));
    }
}
