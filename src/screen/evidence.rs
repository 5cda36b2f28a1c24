//! What stands around a number, in points.
//!
//! A number brings the points of its own form and checks (`Identifier::judge`). The nearest label before it says what it is:
//! its own name lifts it over every threshold, the name of another number (order, invoice, RSIN, account) takes it out. Without a
//! label, words about people, a name or a birth date beside it, or a whole column of passing numbers speak for it.

use super::identifiers::{ALL, Identifier, Judged};
use regex::Regex;
use std::sync::LazyLock;

/// How many bytes before a number are searched for its label.
pub const REACH: usize = 110;

/// Points for the number's own name beside it.
const OWN: u8 = 75;
/// Points for "identity number" and the like, which name no kind.
const GENERIC: u8 = 50;
/// Points for words about citizens.
const PERSON: u8 = 35;
/// Points for a name, or a date of birth, in the same line or row.
const BESIDE: u8 = 35;
/// Points for a column or list of several different passing numbers.
pub const GROUP: u8 = 60;
/// Points off where most numbers of that form fail its checks.
pub const CHANCE: u8 = 25;
/// Points of a form that nothing else has.
pub const SURE: u8 = 85;
/// Points of a number of birth that is written as its register writes it and passes its checks. A word of business takes nothing
/// from it: cases ("sag", "ärende") are about people, and hardly any number of a case has that form.
const CHECKED: u8 = 75;
/// Points off for a word of business such as "ticket" before it.
const NOUN: u8 = 40;

/// Names of numbers that are no citizen data, over folded text. The nearest label wins, so these must be names, not mere nouns.
const OTHER_NUMBERS: &str = concat!(
    r"\btva\b|\bbce\b|\bsire[nt]\b|(?:numero|n[°o]\.?) (?:de |du )?(?:client|facture|commande|compte|dossier|contrat)|\brsin\b|\bbtw\b|\bvat\b|\bmoms|\bmva\b|\bust-?id|\bkvk|\bcvr\b|\bse-nr|\bkbo\b|\bhandelsreg|\bvestigings?(?:nr|num)",
    r"|\borg(?:anisa[a-z]*)?[ .-]{0,2}(?:nr|num)|\bforetaks?(?:nr|num)|\by-tunnus|\biban\b|\bbic\b|\bkonto|\bkto\b|bankrek|\brekening|\baccount ?n|\bbank ?account",
    r"|\bsort code|\bbank ?giro|\bplus ?giro|\bgironu|\bkid\b|betalingskenmerk|\bean\b|\bgtin\b|\bisbn\b|\bimei\b|\bicao\b",
    r"|(?:factu(?:ur|re)|faktura|invoice|rechnungs?|order|ordre|bestel|bestellungs?|bestillings?|klant|kunde[ns]?|kund|customer|debiteur|crediteur|leverancier|lieferanten",
    r"|melding|meldings|saks|sags|sak|sag|arende|ticket|case|zaak|dossier|artikel|article|vare|serie|serial|versie|version|contract|kontrakts?|project|projekt|offerte|polis",
    r"|inkoop|po|licentie|licen[cs]e|incident|change|wijziging|call|diarie|journal|reference|referentie|referens|referanse|batch|lot|transactie|transaction|process|bericht|message|tracking)",
    r"s?[ ._#-]{0,2}(?:nr\b|nrs\b|no\b|num|id\b|ids\b|code|kenmerk|ref\b|referentie|#)",
    r"|\bsagsnr|\bsaksnr|aktenzeichen|\baz\b|\bdnr\b|kenmerk|\bts\b|timestamp|time ?stamp|tidsstempel|\bepoch|unix|\bbuild\b|\bserial\b|\bs/n\b|\bsn\b",
    r"|(?:request|correlation|trace|session|sessie|record|object|row|user|account|device|event|thread|zaaktype|gemeente|node)[ ._-]?id\b|\bpid\b|\buuid|\bguid|\bhash\b|\bchecksum|\bcrc",
    r"|\btel(?:\b|ef[oa]|nr)|\bphone|\bpuhelin|\bmobi[el]|\bmobil|\bmob\b|\bgsm\b|\bfax|\btlf\b|\btlf\.|\bmob\.|\bt:|\bm:|\bkenteken|\bkennzeichen|\bpostbus|\bpostfach",
    r"|\blat\b|\blon\b|\blng\b|latitude|longitude|\bcoord|\brd-?[xy]\b|\bbag-?id|\bnummeraanduiding|verblijfsobject|perceel|kadastr|\bport\b|\bbytes\b|\bms\b",
);

/// `meternummer`, `kaartnr`: what a noun is bound to is that noun's number, unless the noun is one of people.
const COMPOUND: &str = r"\b[a-z]{3,}-?(?:nummers?|nrs?|numre|numbers?)\b|\b(?:meter|asset|tag|part|registration|permit|policy|application|property|claim|cheque|card|line|page) (?:no\b|number|ref)";

/// Nouns whose numbers are people's.
const OF_PEOPLE: &str = r"^(?:person|burger|borger|client|klient|patient|pasient|inwoner|innbygger|invanar|identi|nation|nasjon|soci|soz|sofi|leerling|elev|kind|barn|asiakas|einwohner)";

/// A Danish production unit, ten digits in one run.
const PRODUCTION_UNIT: &str = r"\bp-nummer|\bp-nr\b";

/// Nouns of business: they speak against a number unless its own name stands before it too.
const BUSINESS_NOUNS: &str = concat!(
    r"\b(?:factu(?:ur|re)|faktura|invoice|rechnung|order|ordre|bestelling|bestilling|bestellung|klant|kunde|kund|customer|melding|sak|sag|arende|ticket|case|zaak|dossier|artikel|article|vare",
    r"|tilaus|lasku|virhe[a-z]*|fejlkode|feilkode|felkod|foutcode|fehlercode|error|kode|koodi|auftrag|vorgang|lieferung|sending|forsendelse|leverans|levering|zending|pakke|paket|pakket|meter|asset|bug|issue|pull request|commit|version|versie|contract|project|projekt|offerte|polis|licentie|license|incident|change|call|referentie|reference|batch|transactie|transaction|release|firmware|server|log|request|session|message|job|thread|process|exec|pid|task|event",
    r"|bedrag|totaal|total|aantal|antal|amount|sum|prijs|price|pris|eur|euro|dkk|nok|sek)\b",
);

/// Identity number, without saying which.
const GENERIC_NAMES: &str = concat!(
    r"\b(?:person(?:al)?|persons|identi(?:ty|teits|tets)|national|nationaal|nasjonal|burger|borger|citizen|social security|sociale? ?verzekerings?)[ -]?(?:id\b|id-?n|nr\b|nummer|number|no\b|code)",
    r"|\bpersoons?(?:nr|num)|\bperson ?id|\bssn\b|\bnatid|\bid ?-?(?:nr|nummer)\b|identiteitsnummer|\bpersoons? ?gebonden",
);

/// Words about the people whom a municipality serves.
const PEOPLE: &str = concat!(
    r"\b(?:burgers?|inwoners?|inwoonster|borgere?n?s?|innbygger(?:e|en|ens)?|invanare[ns]?|medborgare|citizens?|residents?|burgerin|einwohner(?:in)?s?|asukas|kuntalainen|persoon|personen",
    r"|person|personer|personen|clients?|clienten?|patient(?:en)?|pasient(?:en)?|leerling(?:en)?|elev(?:en|er)?|kind|kinderen|barn|barnet|aanvrager|ansoger|soker|soknad|antragsteller(?:in)?|applicant",
    r"|mevrouw|mevr|mw|dhr|de heer|herr|frau|fru|mr|mrs|ms|partner|echtgeno[o]?te?|ouders?|vader|moeder|zoon|dochter|weduwe|weduwnaar|gehuwd|gezin|casus|voogdij|verzorger|overleden|overledene|geboren|geb|fodt|fodd|born|partij|betrokkene|uitkering|bijstand|jeugdwet|wmo",
    r"|datter|sonn?|mor|mamma|enke|enkemand|gift|foraeldre|foreldre|foresatte?|foralder|vardnadshavare|bruker(?:en)?|brukare[ns]?|afdod|avdod|avliden|lapsi|lapsen|aiti|isa|puoliso|asiakas|asiakkaan|hakija|vainaja",
    r"|tochter|sohn|mutter|vater|witwer?|verheiratet|ehefrau|ehemann|eltern|kinder|verstorben|daughter|son|mother|father|widow|widower|husband|wife|child|children|pupil|claimant|tenant|deceased|parent)\b",
);

/// What an identifier's name belongs to when it is a part of the software: "BSN-koppeling".
const PARTS: &str = concat!(
    r"^[ -]?(?:koppeling|validatie|validering|module|modul|veld|velden|felt|feld|field|kolom|column|controle|kontrol+e?|check|service|toets|toetsing|bevraging|opslag|lookup",
    r"|validation|integration|integratie|interface|component|functie|function|tabel|table|api|nummerservice)\b"
);

struct Known {
    own: Vec<Regex>,
    other: Regex,
    compound: Regex,
    of_people: Regex,
    production_unit: Regex,
    noun: Regex,
    only_noun: Regex,
    generic: Regex,
    people: Regex,
    parts: Regex,
}

static KNOWN: LazyLock<Option<Known>> = LazyLock::new(|| {
    Some(Known {
        own: ALL.iter().map(|identifier| pattern(identifier.names)).collect::<Option<_>>()?,
        other: pattern(OTHER_NUMBERS)?,
        compound: pattern(COMPOUND)?,
        of_people: pattern(OF_PEOPLE)?,
        production_unit: pattern(PRODUCTION_UNIT)?,
        noun: pattern(BUSINESS_NOUNS)?,
        only_noun: pattern(&format!(r"^[^a-z]*{BUSINESS_NOUNS}[^a-z]*$"))?,
        generic: pattern(GENERIC_NAMES)?,
        people: pattern(PEOPLE)?,
        parts: pattern(PARTS)?,
    })
});

/// A pattern of ours; a test compiles them all.
pub fn pattern(source: &str) -> Option<Regex> {
    Regex::new(source).ok()
}

/// What stands around one number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// Folded text before it: header or label, then the line up to it.
    pub before: &'a str,
    /// Folded text after it in the same line.
    pub after: &'a str,
    /// A person's name in the same line or row.
    pub name: bool,
    /// The same number's own name was bound to the number just before it in the same list.
    pub inherited: bool,
}

/// Points of a number with its surroundings, and whether its own name was beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Points {
    /// 0 to 100.
    pub points: u8,
    /// Its own name was beside it.
    pub named: bool,
    /// It stands under another number's name.
    pub other: bool,
}

/// Adds up the points of the `which`-th identifier. `at_home`: its country is one of the desk's.
pub fn points(which: usize, judged: &Judged, around: Around<'_>, at_home: bool) -> Points {
    let nothing = Points { points: 0, named: false, other: false };
    let Some((known, own)) = KNOWN.as_ref().and_then(|known| Some((known, known.own.get(which)?))) else { return nothing };
    let before = tail(around.before, REACH);
    // "De BSN-koppeling met order 123456782": the name belongs to a thing, and the number to the order.
    let a_part = |text: &str, name_end: usize| known.parts.is_match(text.get(name_end..).unwrap_or(""));
    let own_at = own
        .find_iter(before)
        .map(|found| found.end())
        .filter(|end| !a_part(before, *end) || !known.noun.is_match(before.get(*end..).unwrap_or("")))
        .last();
    let generic_at = generic_at(known, before);
    let other_at = other_at(known, own, before, judged);
    let other = other_at.is_some() && other_at > own_at && other_at > generic_at;
    let own_after = own.find(head(around.after, 30)).is_some_and(|found| {
        let of_an_order = a_part(around.after, found.end()) && known.noun.is_match(before);
        let between = around.after.get(..found.start()).unwrap_or("");
        !of_an_order && !between.contains(|c: char| c.is_ascii_digit() || c == ',' || c == ';')
    });
    if !other && (own_at.is_some() || own_after) || around.inherited && other_at.is_none() {
        return Points { points: judged.points.saturating_add(OWN).min(100), named: true, other: false };
    }
    if other {
        // A form that nothing else has (a Finnish number, an element of a register message) is what it is, whatever the label.
        return Points { points: if judged.points >= SURE { judged.points } else { 0 }, named: false, other: true };
    }
    if !at_home && generic_at.is_none() {
        return nothing;
    }
    let mut points = judged.points;
    if generic_at.is_some() {
        points = points.saturating_add(GENERIC);
    }
    if judged.points < CHECKED && known.noun.is_match(before) {
        points = points.saturating_sub(NOUN);
    }
    if known.people.is_match(before) {
        points = points.saturating_add(PERSON);
    }
    if around.name {
        points = points.saturating_add(BESIDE);
    }
    Points { points: points.min(100), named: false, other: false }
}

/// Where the last "identity number" ends; what another name runs into or joins ("USt-IdNr.", "btw-id nummer") is that one's.
fn generic_at(known: &Known, before: &str) -> Option<usize> {
    let others: Vec<(usize, usize)> = known.other.find_iter(before).map(|other| (other.start(), other.end())).collect();
    let joined = |generic: &regex::Match<'_>| {
        others.iter().any(|(start, end)| {
            *start < generic.start() && (*end >= generic.start() || matches!(before.get(*end..generic.start()), Some("-" | " ")))
        })
    };
    known.generic.find_iter(before).filter(|generic| !joined(generic)).last().map(|generic| generic.end())
}

/// Points of a CPR number that is written with its hyphen, at least.
const HYPHENATED: u8 = 60;

/// Where the last name of another number ends.
fn other_at(known: &Known, own: &Regex, before: &str, judged: &Judged) -> Option<usize> {
    let end = |found: regex::Match<'_>| found.end();
    let listed = known.other.find_iter(before).last().map(end);
    // `burgerservicenummer`, `national insurance number`: its own name reaches into the word.
    let own_ends: Vec<usize> = own.find_iter(before).chain(known.generic.find_iter(before)).map(end).collect();
    let mine = |found: &regex::Match<'_>| {
        own_ends.iter().any(|end| (found.start()..=found.end()).contains(end)) || known.of_people.is_match(found.as_str())
    };
    let compound = known.compound.find_iter(before).filter(|found| !mine(found)).last().map(end);
    let unit = known.production_unit.find_iter(before).last().map(end).filter(|_| judged.points < HYPHENATED);
    let only_noun = known.only_noun.find(before).map(end).filter(|_| judged.points < CHECKED);
    let issue = before.ends_with('#').then_some(before.len());
    [listed, compound, unit, only_noun, issue].into_iter().flatten().max()
}

/// Whether folded text speaks of the people whom a municipality serves.
pub fn speaks_of_people(folded: &str) -> bool {
    KNOWN.as_ref().is_some_and(|known| known.people.is_match(folded))
}

/// Whether folded text names a number, ours or another.
pub fn is_label(folded: &str) -> bool {
    KNOWN.as_ref().is_some_and(|known| {
        [&known.other, &known.compound, &known.generic, &known.only_noun].into_iter().chain(&known.own).any(|name| name.is_match(folded))
    })
}

/// The last `bytes` of a text, cut at a character.
pub fn tail(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or("")
}

/// The first `bytes` of a text, cut at a character.
pub fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// Where numbers of a kind stand in folded text, with their neighbours checked.
pub fn candidates(which: usize, identifier: &Identifier, folded: &str, mut each: impl FnMut(usize, usize, Option<Judged>)) {
    static FORMS: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| ALL.iter().map(|identifier| pattern(identifier.form)).collect());
    let Some(Some(form)) = FORMS.get(which) else { return };
    let mut at = 0;
    while let Some(found) = form.find_at(folded, at) {
        if stands_alone(which, folded, found.start(), found.end()) {
            each(found.start(), found.end(), (identifier.judge)(found.as_str()));
            at = found.end();
        } else {
            // Inside a longer run of digits: on to the next character, but not through the whole run again and again.
            at = found.start() + 1;
            if folded.as_bytes().get(found.start()).is_some_and(u8::is_ascii_digit) {
                at += folded.as_bytes().iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count();
            }
        }
    }
    // Elements of LO3 messages stand in one run of digits with what comes before and after: element number, length, value.
    static ELEMENTS: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| [pattern("0120009[0-9]{9}"), pattern("0110010[0-9]{10}")]);
    let element = match identifier.kind {
        "bsn" => ELEMENTS.first(),
        "a-nummer" => ELEMENTS.last(),
        _ => None,
    };
    let Some(Some(element)) = element else { return };
    let mut at = 0;
    while let Some(found) = element.find_at(folded, at) {
        let digits_after = folded.as_bytes().iter().skip(found.end()).take(7).take_while(|byte| byte.is_ascii_digit()).count();
        let judged = (identifier.judge)(found.as_str()).filter(|_| matches!(digits_after, 0 | 7));
        if judged.is_some() {
            each(found.start(), found.end(), judged);
        }
        at = found.start() + 1;
    }
}

fn stands_alone(which: usize, text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or("");
    let mut back = before.chars().rev();
    let mut forth = text.get(end..).unwrap_or("").chars();
    let before_ok = match (back.next(), back.next()) {
        (None, _) => true,
        (Some(c), _) if c.is_alphabetic() => is_own_name(which, before),
        (Some(c), _) if c.is_alphanumeric() || matches!(c, '*' | '+' | '€' | '$' | '£' | '%' | '\\') => false,
        (Some('.' | ',' | '-' | '/' | ':'), Some(c)) => !c.is_ascii_digit() || list_before(before),
        _ => true,
    };
    let after_ok = match (forth.next(), forth.next()) {
        (None, _) => true,
        // The cells of a form that was pasted: "BSN: 123456782Naam: …".
        (Some(c), _) if c.is_alphabetic() => is_own_name(which, before.trim_end_matches([':', '=', ' ', '\t', '.', '"', '\''])),
        (Some(c), _) if c.is_alphanumeric() || matches!(c, '*' | '%') => false,
        (Some('-' | '/'), Some(c)) => !c.is_ascii_digit(),
        (Some('.' | ',' | ':'), Some(c)) if c.is_ascii_digit() => 1 + forth.take_while(char::is_ascii_digit).count() >= 6,
        _ => true,
    };
    before_ok && after_ok
}

/// `bsn123456782`: the letters at the end are the number's own name.
fn is_own_name(which: usize, before: &str) -> bool {
    let letters = before.chars().rev().take_while(|c| c.is_alphabetic()).count();
    let Some((start, _)) = before.char_indices().rev().take(letters).last() else { return false };
    let word = before.get(start..).unwrap_or("");
    KNOWN.as_ref().and_then(|known| known.own.get(which)).is_some_and(|own| own.is_match(word))
}

/// `111222333,123456782`: a comma between two long numbers separates a list; between short ones it is a decimal sign.
fn list_before(before: &str) -> bool {
    before.ends_with(',') && before.trim_end_matches(',').chars().rev().take_while(char::is_ascii_digit).count() >= 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(KNOWN.is_some());
        for identifier in ALL {
            assert!(pattern(identifier.form).is_some() && pattern(identifier.names).is_some(), "{}", identifier.kind);
        }
    }

    fn found(which: usize, text: &str) -> Vec<String> {
        let mut values = Vec::new();
        let Some(identifier) = ALL.get(which) else { return values };
        candidates(which, identifier, text, |_, _, judged| values.extend(judged.map(|judged| judged.value)));
        values
    }

    #[test]
    fn elements_of_register_messages_are_found_in_a_run_of_digits() {
        for text in [
            "000930108801100104013526785012000912345678202100040anna",
            "01200091234567820210004anna",
            "melding 01200091234567820210004anna",
        ] {
            assert_eq!(found(0, text), ["123456782"], "{text}");
        }
        // Fails the eleven-test; or what follows is no element.
        assert!(found(0, "01200091234567830210004anna").is_empty());
        assert!(found(0, "0120009123456782021").is_empty());
    }

    #[test]
    fn what_is_written_on_right_behind_a_number_hides_it_only_where_nothing_names_it() {
        for text in ["bsn: 123456782naam: p. jansen", "naam: p. jansenbsn: 123456782geboren: 1961", "burgerservicenummer=\"123456782x"] {
            assert_eq!(found(0, text), ["123456782"], "{text}");
        }
        for text in ["order 123456782a", "123456782abc", "bsn 1234567821naam"] {
            assert!(found(0, text).is_empty(), "{text}");
        }
    }

    fn named(text: &str, number: &str) -> bool {
        let Some((before, after)) = text.split_once(number) else { return false };
        let Some(judged) = ALL.first().and_then(|bsn| (bsn.judge)(number)) else { return false };
        points(0, &judged, Around { before, after, ..Around::default() }, true).named
    }

    #[test]
    fn the_name_of_a_part_of_software_is_no_label_of_an_order() {
        for text in [
            "de bsn-koppeling met order 123456782 is geleverd",
            "bsn-controle: melding 123456782 in de log",
            "order 123456782 voor de bsn-module",
        ] {
            assert!(!named(text, "123456782"), "{text}");
        }
        for text in
            ["bsn-veld: 123456782", "bsn-controle 123456782 faalt", "b.s.n. 123456782", "order van bsn 123456782", "123456782 (bsn)"]
        {
            assert!(named(text, "123456782"), "{text}");
        }
    }

    #[test]
    fn a_danish_production_unit_is_no_person() {
        let judged = Judged { value: "1012345678".to_owned(), points: 15, kind: "cpr" };
        let at = |before| points(2, &judged, Around { before, ..Around::default() }, true);
        assert_eq!(ALL[2].kind, "cpr");
        assert!(at("p-nr. ").other && !at("p-nr. ").named && at("pnr. ").named && at("cpr-nr. ").named);
    }
}
