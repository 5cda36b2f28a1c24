//! Where somebody lives: a name, a street with its number and a postcode that stand together, in one line, in the lines of a letter's
//! head or in the cells of a row. What each of them is, their neighbours say, so that neither the name nor the street must be known.

use super::Record;
use super::attributes;
use super::names::{self, Grade};
use crate::screen::evidence::speaks_of_people;
use crate::screen::fold::fold;
use regex::Regex;
use std::cell::OnceCell;
use std::sync::LazyLock;

/// Street and number: `Kerkstraat 12a`, `Am Anger 4`, `14 Orchard Rise`.
static STREET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:[\p{Lu}'][\p{L}'.’-]*\.?(?: [\p{L}'.’-]+){0,4} ?[0-9]{1,4} ?-?[A-Za-z]{0,3}[0-9]{0,2}",
        r"|[0-9]{1,4}[a-zA-Z]? (?:\p{Lu}[\p{L}'’-]+)(?: \p{Lu}[\p{L}'’-]+){0,3}",
        r"|(?i:rue|avenue|chemin|place|boulevard|route|allée|impasse|quai|clos) [\p{L}'’ -]{2,40},? ?[0-9]{1,4} ?[A-Za-z]?",
        r"|[0-9]{1,4}[a-z]?,? (?i:rue|avenue|chemin|place|boulevard|route|allée|impasse|quai|clos) [\p{L}'’ -]{2,40})\.?$"
    ))
    .ok()
});

/// A street's ending or word, over folded text: one that stands without a postcode must have it.
static STREET_WORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"[a-z][.' -]{0,3}(?:straat|laan|weg|plein|gracht|kade|singel|dijk|hof|pad|steeg|dreef|vej|vejen|gade|gaden|alle|gata|gatan|grand|backen|stigen|bakken|tunet|vaenget|stien|toften|brinken|polku|raitti|vagen|veien|vei|vegen|gate|stien|strasse|str\.|allee|platz|gasse|katu|tie|kuja",
        r"| street| road| lane| avenue| close| drive| way| crescent| gardens) ?[0-9]{1,4} ?[a-z]?\b|\b[0-9]{1,4}[a-z]?,? [a-z]+ (?:street|road|lane|avenue|close|drive|way|crescent|gardens|terrace|place|rise)\b"
    ))
    .ok()
});

/// A postcode with or without its place and what goes on behind it, over folded text that begins with it.
static POSTCODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let place = r"[a-z][a-z' .-]{1,30}";
    Regex::new(&format!(
        r"^(?:(?:nl-|d-|dk-|no-|n-|s-|se-|fi-|be-|b-)?(?:[1-9][0-9]{{3}} ?[a-z]{{2}}(?: +{place}.*)?|[0-9]{{3}} [0-9]{{2}}(?: +{place}.*)?|[0-9]{{4,5}} +{place}.*)|(?:{place} )?(?:[a-z]{{1,2}}[0-9][0-9a-z]? ?[0-9][a-z]{{2}}|[a-z][0-9][0-9w] ?[0-9a-z]{{4}})(?: [a-z].*)?)$"
    ))
    .ok()
});

/// The same at the end of a street that no comma parts from it: `Iepenlaan 14 3991 AB Waterwolde`.
static AFTER_STREET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(.{3,40}? [0-9]{1,4} ?[a-z]?) ((?:[1-9][0-9]{3} ?[a-z]{2}|[0-9]{3} [0-9]{2}|[0-9]{4,5})(?: +[a-z].{1,30})?)$").ok()
});

/// Words that say that somebody lives there, then a name and a number: no street must be known.
static LIVES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?i:woont|wonende?|woonachtig|woonadres|verhuisd|b[ou]r (?:på|i)|bosat|bosatt|bopæl|wohnhaft|wohnt|lives at|living at|residing at|asuu)\b",
        r"[^0-9.;]{0,30}(?:\p{Lu}[\p{L}'. -]{2,40} ?[0-9]{1,4} ?[a-zA-Z]?\b|\b[0-9]{1,4}[a-z]? \p{Lu})"
    ))
    .ok()
});

/// The same words in folded text: where none of them stands, nobody is said to live anywhere.
static LIVING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"woont|wonend|woonachtig|woonadres|verhuisd|b[ou]r (?:pa|i)|bosat|bopael|wohnhaft|wohnt|(?:lives|living|residing) at|asuu")
        .ok()
});

/// "De verhuizing van … naar Iepenlaan 14": who moves, and where to.
static MOVES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?i:verhuizing|verhuist|umzug|umgezogen|flytning(?:en)?|flytting(?:a|en)?|flytten|flytter|flyttar|move|muutto|déménagement)\b",
        r"(?: (?:van|von|af|av|of|de|du))? (?P<who>[^;:]{3,60}?),? (?:naar|til|till|nach|to|à|vers) ",
        r"[^;:0-9]{0,40}?(?:\p{Lu}[\p{L}'. -]{2,40} ?[0-9]{1,4}\b|[0-9]{1,4}[a-z]? \p{Lu})"
    ))
    .ok()
});

/// "Achterom 93 in Oud-Kessel": a number, and the town in which it stands.
static IN_TOWN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{L} [0-9]{1,4} ?[A-Za-z]? (?:in|te|i|à) \p{Lu}\p{Ll}").ok());

/// The same in folded text.
static MOVING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"verhui[zs]|umzug|umgezogen|flytning|flytti|flytte|flyttar|\bmove\b|muutto|demenagement").ok());

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

/// Whether folded text holds a street, known by its ending, with a number.
pub fn is_known_street(folded: &str) -> bool {
    matches(&STREET_WORD, folded)
}

/// Whether folded text begins with a postcode, or with a town and its postcode.
fn is_postcode(folded: &str) -> bool {
    matches(&POSTCODE, folded.trim_end_matches('.'))
}

/// Whether the words around an address say that it is one of business.
fn is_business(folded: &str) -> bool {
    names::is_organisation(folded) || names::is_office(folded) || matches(&VISIT, folded)
}

/// Lines between a name and a street.
static EXTRA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?:c/o|p/a|flat|app?\.?|apt\.?|lgh|leil|lejlighed|wohnung|whg|bus|etage|postboks|[0-9]{1,3}\.? ?(?:tv|th|mf|sal|etg)?\.?$)",
    )
    .ok()
});

/// "Dear team" greets whom a mail is for, and says nothing of the names below.
static GREETING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^[> ]*(?:hi|hello|dear|good (?:morning|afternoon)|hej|hei|hallo|kaere|god (?:dag|morgon|morgen)|godmorgen|beste|geachte|goede|dag|moin|guten|sehr geehrte|liebe|arvoisa|hyvaa)\b").ok()
});

/// A stretch of a line between commas and the like.
struct Part<'a> {
    text: &'a str,
    row: usize,
    /// A digit stands in its line.
    beside_digits: bool,
    /// A colon stands before it.
    explains: bool,
    folded: OnceCell<String>,
}

impl Part<'_> {
    /// Most parts stand in no address, and nobody asks.
    fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold(self.text))
    }
}

/// How many lines above a name may say that it is there on business.
const ABOVE: usize = 2;

/// Lines longer than this, in bytes, are no part of an address.
const LONGEST_LINE: usize = 1_000;

/// Points of a name with a street and a postcode.
const POINTS: u8 = 70;

/// Names with their address in running text. `own` tells the rows of a sender's signature.
pub fn in_lines(lines: &[&str], folded: &[String], own: &dyn Fn(usize) -> bool) -> Vec<Record> {
    let mut records = Vec::new();
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (row, line) in lines.iter().enumerate() {
        // Pages put a blank line between paragraphs; two end an address, and so does a line that is too long to be a part of one.
        if line.trim().is_empty() && lines.get(row + 1).is_some_and(|next| !next.trim().is_empty()) {
            continue;
        }
        if line.trim().is_empty() || line.len() > LONGEST_LINE || own(row) {
            records.extend(in_parts(&parts, folded));
            parts.clear();
            continue;
        }
        let beside_digits = folded.get(row).is_some_and(|folded| has_digit(folded));
        let line = line.trim_start_matches(['>', ' ', '\t', '-', '*', '•']);
        for (section, text) in line.split(':').enumerate() {
            let split = text.split([',', ';', '\t', '|', '(', ')']).flat_map(|part| part.split("  ")).map(str::trim);
            for (nth, text) in split.filter(|part| !part.is_empty()).enumerate() {
                parts.push(Part { text, row, beside_digits, explains: section > 0 && nth == 0, folded: OnceCell::new() });
            }
        }
    }
    records.extend(in_parts(&parts, folded));
    records
}

fn has_digit(folded: &str) -> bool {
    folded.contains(|c: char| c.is_ascii_digit())
}

fn in_parts(parts: &[Part<'_>], folded: &[String]) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if !part.beside_digits || !has_digit(part.folded()) {
            continue;
        }
        let get = |back: usize| at.checked_sub(back).and_then(|index| parts.get(index));
        // Where the street stands: in the part before, in the one before a town's name, or in front of the postcode itself.
        let joined = AFTER_STREET.as_ref().and_then(|pattern| pattern.captures(part.folded())).is_some();
        let street = if joined {
            Some(0)
        } else if is_postcode(part.folded()) {
            (1..=2).find(|back| get(*back).is_some_and(|street| is_street(street.text) || ends_with_street(street.text)))
        } else {
            None
        };
        let Some(street) = street else { continue };
        // Between a name and the street may stand who it is in care of, or which flat.
        let is_extra =
            |part: &Part<'_>| matches(&EXTRA, part.folded()) || attributes::of_label(part.folded()) == Some(attributes::Attribute::Address);
        let extra = get(street + 1).is_some_and(is_extra);
        let named_before = get(street + 1 + usize::from(extra)).filter(|name| is_named(name)).map(|name| name.row);
        // "14 Orchard Rise, BR3 5QT: Edna Thistlewood".
        let named_after =
            || parts.get(at + 1).filter(|name| name.explains && names::grade(name.text) >= Grade::Shaped).map(|name| name.row);
        // "Op het adres Iepenlaan 14, 3991 AB Waterwolde staat Aaltje Oudshoorn nog".
        let named_behind = || is_named_behind(part.text).then_some(part.row);
        let Some(row) = named_before.or_else(named_after).or_else(named_behind) else { continue };
        // An organisation right above the name, or below the place.
        let above = folded.get(..row).unwrap_or(&[]).iter().rev().take(ABOVE).take_while(|line| !line.trim().is_empty());
        let mut around = above.chain(folded.get(row..(part.row + 2).min(folded.len())).unwrap_or(&[]));
        if !around.any(|line| speaks_of_business(line) && !matches(&GREETING, line))
            && records.last().is_none_or(|last| last.row != row + 1)
        {
            records.push(Record { points: POINTS, row: row + 1 });
        }
    }
    records
}

/// Whether the last words are a street with its number: "Op het adres Iepenlaan 14", perhaps behind another sentence.
fn ends_with_street(text: &str) -> bool {
    const MOST_BEFORE: usize = 4;
    let ends = |text: &str| {
        let starts = text.match_indices(' ').map(|(at, _)| at + 1).take(MOST_BEFORE);
        text.len() <= 90 && starts.filter_map(|at| text.get(at..)).any(is_street)
    };
    ends(text) || last_sentence(text).is_some_and(|last| is_street(last) || ends(last))
}

/// What stands behind the last end of a sentence, if there is one.
fn last_sentence(text: &str) -> Option<&str> {
    let before = SENTENCE.as_ref().and_then(|before| before.find(text))?;
    text.get(before.end()..)
}

/// Whether somebody is named behind a postcode and its place, in the same sentence.
fn is_named_behind(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let small = words.iter().position(|word| word.chars().count() > 1 && word.chars().all(char::is_lowercase));
    let behind = small.and_then(|at| words.get(at + 1..)).unwrap_or(&[]).join(" ");
    names::perhaps_in_text(&behind)
}

/// Whether a line near an address says that it is one of business. Roles that a sentence speaks of ("flera handläggare ser samma sak") say
/// nothing of it.
fn speaks_of_business(folded: &str) -> bool {
    let sentence = folded.trim_end().ends_with(['.', '?', '!']) && folded.split_whitespace().count() > 3;
    names::is_organisation(folded) || matches(&VISIT, folded) || names::is_office(folded) && (!sentence || names::is_town_hall(folded))
}

/// Sentences that end before a name begins: initials end with a point too.
static SENTENCE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^.*\p{Ll}{3}[.?!] +").ok());

/// Whether a part is a name or ends with one.
fn is_named(part: &Part<'_>) -> bool {
    let text = last_sentence(part.text).unwrap_or(part.text);
    let grade = names::grade(text);
    // A label may have the form of a name: "Vollständiger Name".
    grade == Grade::Sure
        || names::at_end(text)
        || matches!(attributes::of_label(part.folded()), None | Some(attributes::Attribute::Person))
            && (grade == Grade::Shaped || names::perhaps_at_end(text))
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
    let lives = || LIVES.as_ref().and_then(|pattern| pattern.find(line)).and_then(|found| line.get(..found.start()));
    let moves = || MOVES.as_ref().and_then(|pattern| pattern.captures(line)).and_then(|found| found.name("who"));
    let moved = || {
        moves()
            .map(|who| names::grade(who.as_str()))
            .is_some_and(|who| who == Grade::Sure || who == Grade::Shaped && (matches(&STREET_WORD, folded) || matches(&IN_TOWN, line)))
    };
    // What is cheap is asked first: nearly every line with a digit comes by here.
    let named = || {
        matches(&LIVING, folded)
            && lives().is_some_and(|before| names::perhaps_in_text(before) || near.iter().any(|line| names::in_text(line)))
            || speaks_of_people(folded) && matches(&STREET_WORD, folded) && names::in_text(line)
            || matches(&MOVING, folded) && moved()
    };
    line.len() <= LONGEST_LINE && named() && !folded_near.iter().any(|line| speaks_of_business(line))
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
            "rue des Tilleuls 14",
            "14, avenue du Moulin",
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
            "k87 w8e5 kilbrannoch",
        ] {
            assert!(is_postcode(postcode), "{postcode}");
        }
        assert!(!is_postcode("12 maart") && !is_postcode("2026") && !is_postcode("versie 3991"));
    }
}
