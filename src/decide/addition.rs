//! Does a mail ask to put somebody on the list of contacts (POLICY row 10, `addition-request`), or to let somebody into the portal?
//!
//! Only a hint for an agent: the ticket is opened all the same. A sentence counts that names the list or its people and
//! a word for adding, and none for taking away.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Parts of words for the people on the list, and the list, in six languages; folded.
const LIST: &[&str] = &[
    "contactperso",
    "contact perso",
    "contactlijst",
    "contactenlijst",
    "lijst van goedgekeurde",
    "ict contact",
    "ict-contact",
    "ict-kontakt",
    "ikt-kontakt",
    "it-kontakt",
    "general contact",
    "listen over kontakt",
    "listan med kontakt",
    "lijst van contact",
    "lijst met contact",
    "approved contact",
    "contact list",
    "list of contact",
    "authorised contact",
    "authorized contact",
    "kontaktperson",
    "kontaktlist",
    "liste over kontakt",
    "listan over kontakt",
    "godkendt kontakt",
    "godkjent kontakt",
    "godkand kontakt",
    "ansprechpartner",
    "ansprechperson",
    "kontaktliste",
    "liste der kontakt",
    "as a contact ",
    "as contact for",
    "als contact voor",
    "som kontakt for",
    "als kontakt fur",
];

static LISTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(LIST).ok());

/// Parts of words for adding; those of few letters begin and end with a blank.
const ADD: &[&str] = &[
    "toevoeg",
    "toe te voegen",
    " zetten",
    " zet ",
    "te zetten",
    " put ",
    "saette",
    " saet ",
    "sette ",
    " sett ",
    "laggs till",
    "lagga upp",
    "foje ",
    "fore opp",
    "opvoer",
    "op te voeren",
    "plaatsen",
    "aanmerk",
    "aangemerkt",
    "set up",
    "hinterleg",
    "anleg",
    "satta ",
    "erganz",
    " setzen",
    " voeg ",
    " voegt ",
    "lagg garna till",
    "legg gjerne til",
    "voegen ",
    "aanmeld",
    "aan te melden",
    "opnemen",
    "op te nemen",
    "registrer",
    " add ",
    " added",
    " adding",
    "addition",
    "register",
    "include",
    "tilfoj",
    "tilfoje",
    "tilføj",
    "legge til",
    "legg til",
    "leggast",
    "laegge til",
    "lagg till",
    "lagga till",
    "lagg in",
    "lagga in",
    "oprett",
    "opprett",
    "hinzufug",
    "hinzuzufug",
    "aufnehm",
    "aufzunehm",
    "eintrag",
    "einzutrag",
    "anmal",
    "anmeld",
    "contactpersoon maken",
    "contactpersoon te maken",
    " should be on ",
    " should also be on ",
];

/// Words for making somebody one of the list, the second somewhere behind the first.
const MAKE: &[(&str, &str)] = &[
    (" gore ", " til kontakt"),
    (" gjore ", " til kontakt"),
    (" gora ", " till kontakt"),
    (" make ", " an approved contact"),
    (" make ", " a contact person"),
    (" make ", " our contact"),
    (" zum ansprech", " machen"),
    (" zur ansprech", " machen"),
    (" zur kontakt", " machen"),
    (" wordt ", " onze contactpersoon."),
    (" bliver ", " vores kontaktperson."),
    (" blir ", " var kontaktperson."),
    (" becomes ", " our contact person."),
    (" wird ", " unser ansprechpartner."),
    (" wird ", " unsere ansprechpartnerin."),
];

/// What says "new", where it stands directly before one of the list.
const NEW: &[&str] = &["nieuwe", "new", "ny", "nye", "nya", "neue", "neuer", "neuen"];

/// How many signs may stand between "new" and who is new.
const NEAR: usize = 12;

/// With a wish, what makes somebody one of the list.
const AS: &[&str] = &[
    " als ",
    " as a",
    " som ",
    " to be ",
    " be made ",
    " one of ",
    " op de lijst ",
    " pa listan ",
    " pa listen ",
    " auf die liste ",
    " satt opp ",
    " satt upp ",
    "contactpersoon worden",
    " blive kontakt",
    " bli kontakt",
    " become a",
    " become one",
    "ansprechpartner werden",
    "ansprechpartnerin werden",
    "ansprechperson werden",
];

/// Those with us, or with somebody else who sells, are on no list.
const OURS: &[&str] = &[
    "bij jullie is",
    "bij u is",
    "at your end",
    "on your side",
    "hos jer er",
    "hos dere er",
    "hos er ar",
    "bei ihnen ist",
    "leveranc",
    "supplier",
    "leverandor",
    "leverantor",
    "lieferant",
];

/// What is added to these is no person.
const THINGS: &[&str] = &[
    " veld",
    "formulier",
    " felt",
    "feltet",
    "skjema",
    "blankett",
    " falt",
    "faltet",
    "formular",
    " field",
    " form ",
    " feld",
    "website",
    "webseite",
    "webbplats",
    "nettside",
    "hjemmeside",
    "homepage",
];

/// Who writes so tells of a mistake of the program.
const BREAKS: &[&str] = &[
    "foutmelding",
    "fejlmeddelelse",
    "feilmelding",
    "felmeddelande",
    "fehler",
    "error",
    "crash",
    "sturzt",
    "loopt vast",
    "verdwijn",
    "forsvind",
    "forsvinn",
    "disappear",
    "verschwind",
];

/// Words for adding that are written apart, the second at the end of its clause: "nehmen Sie … auf", "zet … erbij"; folded.
const APART: &[(&str, &str)] = &[
    ("nehmen", "auf"),
    ("nimm", "auf"),
    ("nehmt", "auf"),
    ("tragen", "ein"),
    ("trag", "ein"),
    ("tragt", "ein"),
    ("fugen", "hinzu"),
    ("fug", "hinzu"),
    ("fuhren", "auf"),
    ("neem", "op"),
    ("nemen", "op"),
    ("zet", "erbij"),
    ("meld", "aan"),
    ("melden", "aan"),
    ("sett", "opp"),
    ("for", "opp"),
    ("skriv", "pa"),
    ("skriv", "opp"),
    ("satt", "upp"),
    ("for", "upp"),
    ("skriv", "upp"),
    ("legen", "an"),
    ("legt", "an"),
    ("richten", "ein"),
    ("richtet", "ein"),
];

/// Parts of words for taking away: such a sentence is about a leaver.
const REMOVE: &[&str] = &[
    "verwijder",
    "van de lijst",
    " off ",
    "from the list",
    "from the contact list",
    "von der liste",
    "niet toevoeg",
    "not add",
    "not put",
    "don't add",
    "ikke tilfoj",
    "ikke legg",
    "inte lagg",
    "nicht hinzu",
    "nicht auf",
    "schrap",
    "remove",
    "delete",
    "fjern",
    "slett",
    "slet ",
    "ta bort",
    "entfern",
    "losch",
    "streich",
    "niet meer",
    "no longer",
    "ikke laengere",
    "ikke lenger",
    "inte langre",
    "nicht mehr",
];

/// "som" and "new" also stand beside a contact person who merely is one; these say that nothing is asked.
const MERELY: &[&str] = &[
    "ik ben contact",
    "ik ben de ",
    "ik ben een ",
    "ik ben zelf",
    "i am a ",
    "i am an ",
    "i am the ",
    "i am your ",
    "i am one ",
    "jeg er kontakt",
    "jeg er en ",
    "jeg er den ",
    "jeg er selv",
    "jag ar kontakt",
    "jag ar en ",
    "jag ar den ",
    "jag ar sjalv",
    "ich bin ansprech",
    "ich bin kontakt",
    "ich bin ein",
    "ich bin der ",
    "ich bin die ",
    "ich bin selbst",
    "wie is",
    "who is",
    "who should",
    "hvem er",
    "hvem som",
    "vem ar",
    "vem som",
    "wer ist",
    "when i add",
    "when we add",
    "nar jeg opret",
    "nar vi opret",
    "nar jeg legger til",
    "nar vi legger til",
    "nar jag lagger till",
    "nar vi lagger till",
];

/// Whether the subject or what was written now asks for an addition to the list.
#[must_use]
pub fn asks_for_addition(subject: &str, written: &str) -> bool {
    let text = format!("{subject}\n\n{written}");
    // Most mails name no list at all.
    if !LISTS.as_ref().is_some_and(|lists| lists.is_match(&fold(&text))) {
        return false;
    }
    sentences(&text).iter().map(|sentence| format!(" {} ", fold(sentence))).any(|sentence| {
        let has = |parts: &[&str]| parts.iter().any(|part| sentence.contains(part));
        let makes = MAKE.iter().any(|(make, one)| sentence.split_once(make).is_some_and(|(_, behind)| behind.contains(one)));
        let adds = has(ADD) || makes || apart(&sentence) || has(WISH) && has(AS) || names_somebody_new(&sentence);
        has(LIST) && adds && ![REMOVE, MERELY, OURS, THINGS, BREAKS].into_iter().any(has)
    })
}

/// "Our new contact person".
fn names_somebody_new(sentence: &str) -> bool {
    NEW.iter().any(|new| {
        let new = format!(" {new} ");
        sentence.split(&new).skip(1).any(|behind| LIST.iter().any(|list| behind.find(list).is_some_and(|at| at < NEAR)))
    })
}

/// Whether a folded sentence has a word for adding in two pieces, the second of which ends a clause: elsewhere it is a preposition.
fn apart(sentence: &str) -> bool {
    let mut begun: Vec<&str> = Vec::new();
    for clause in sentence.split_inclusive([',', '.', ';', ':', '?', '!']) {
        let mut words = clause.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
        while let Some(word) = words.next() {
            let ends = words.peek().is_none_or(|next| matches!(*next, "und" | "en" | "og" | "och" | "als" | "som"));
            if ends && APART.iter().any(|(verb, piece)| *piece == word && begun.contains(verb)) {
                return true;
            }
            begun.push(word);
        }
    }
    false
}

/// Parts of words for the portal, in six languages; folded.
const PORTAL: &[&str] = &["portaal", "portal", "klantomgeving", "kundeside", "kundsida", "selvbetjening", "self-service"];

static PORTALS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(PORTAL).ok());

/// Whose portal it is where it is not ours: what citizens sign in to is a matter like any other.
const OF_CITIZENS: &[&str] =
    &["burger", "inwoner", "borger", "innbygger", "invanar", "medborgar", "citizen", "resident", "einwohner", "planning portal"];

/// Parts of words for being let in; those of few letters begin and end with a blank.
const LET_IN: &[&str] = &[
    "toegang",
    "autoris",
    "uitnodig",
    "access",
    "sign up",
    "invit",
    "adgang",
    "tilgang",
    "atkomst",
    "tillgang",
    "behorighet",
    "bjud in",
    "inviter",
    "zugang",
    "zugriff",
    "einlad",
    "freischalt",
    "frei schalten",
    "aanmelden voor",
    "aan te melden voor",
    "registrier",
];

/// Parts of words for what one signs in with. Whoever asks for one says so by a word of [`TO_GET`].
const ACCOUNT: &[&str] =
    &["account", "inlog", "rechten", "log in", "login", "bruger", "bruker", "konto", "inlogg", "innlogg", "anvandare", "benutzer"];

/// Parts of words for making, giving, getting and needing.
const TO_GET: &[&str] = &[
    "aanmak",
    "maken",
    "maak",
    "krijg",
    "geven",
    "geef",
    "graag een",
    "nodig",
    "aanvra",
    " set ",
    "create",
    " give",
    " get ",
    "have a",
    "need a",
    "needs a",
    "like a",
    "opret",
    "opprett",
    " fa ",
    " give ",
    " gi ",
    " bruge ",
    " bruke et",
    "trenger",
    "skapa",
    "lagga upp",
    "lagg upp",
    " ge ",
    "behover",
    "behov",
    "einricht",
    "anleg",
    "bekomm",
    "erstell",
    "benotig",
    "brauch",
    "request",
    " mangler ",
    " saknar ",
];

/// What makes a sentence a wish.
const WISH: &[&str] = &[
    " kan ",
    " kunnen ",
    " mag ",
    " can ",
    " could ",
    " may ",
    " like ",
    " ma ",
    " skal ",
    " ska ",
    " soll ",
    " kann ",
    "wilt u",
    "willen jullie",
    "wil je",
    "kunt u",
    "kunnen jullie",
    "kun je",
    "graag",
    "verzoek",
    "aanvra",
    "aanvraag",
    "nodig",
    "could you",
    "can you",
    "would you",
    "please",
    "request",
    "would like",
    "need",
    "vil i",
    "kan i",
    "kan du",
    "vil du",
    "venligst",
    "gerne",
    "anmod",
    "onsker",
    "kan dere",
    "vil dere",
    "vennligst",
    "gjerne",
    "trenger",
    "kan ni",
    "vill ni",
    "vanligen",
    "garna",
    "onskar",
    "behover",
    "behov",
    "konnen sie",
    "konnten sie",
    "bitte",
    "beantrag",
    "benotig",
    "brauch",
    " freischalten",
    "mochte",
    "skulle vilja",
    " should get ",
    " should have ",
    "vill ha ",
    "hatte gern",
    "hatten gern",
    " mangler ",
    " saknar ",
];

/// What somebody writes who has access and cannot use it.
const TROUBLE: &[&str] = &[
    "kan niet",
    "kunnen niet",
    "niemand kan",
    "nobody can",
    "no one can",
    "ingen kan",
    "niemand kann",
    "onbereikbaar",
    "niet inlog",
    "lukt",
    "werkt",
    "foutmelding",
    "cannot",
    "can't",
    "unable",
    "error",
    "kan ikke",
    "fejl",
    "feil",
    "kan inte",
    "fungera",
    "virker",
    "kann mich",
    "kann nicht",
    "konnen nicht",
    "konnen uns nicht",
    "fehler",
];

/// Whether the subject or what was written now asks to let somebody into the customer portal (POLICY "Portal access"). Only a hint for an agent.
#[must_use]
pub fn asks_for_portal_access(subject: &str, written: &str) -> bool {
    let text = format!("{subject}\n\n{written}");
    // Most mails name no portal at all.
    if !PORTALS.as_ref().is_some_and(|portals| portals.is_match(&fold(&text))) {
        return false;
    }
    let sentences: Vec<String> = sentences(&text).iter().map(|sentence| format!(" {} ", fold(sentence))).collect();
    // "Karin is not in the portal yet. Could you make her an account?"
    let alone = sentences.iter().map(|sentence| ("", sentence.as_str()));
    let with_before = sentences.iter().zip(sentences.iter().skip(1)).map(|(before, sentence)| (before.as_str(), sentence.as_str()));
    alone.chain(with_before).any(|(before, sentence)| {
        let has = |parts: &[&str]| parts.iter().any(|part| sentence.contains(part));
        let both = |parts: &[&str]| has(parts) || parts.iter().any(|part| before.contains(part));
        let asks = has(LET_IN) || (has(ACCOUNT) && (has(TO_GET) || apart(sentence))) || lets_in_apart(sentence);
        both(PORTAL) && asks && has(WISH) && ![REMOVE, TROUBLE, OF_CITIZENS].into_iter().any(both)
    })
}

/// "Schalten Sie … frei."
fn lets_in_apart(sentence: &str) -> bool {
    let words = || sentence.split(|c: char| !c.is_alphanumeric());
    words().any(|word| matches!(word, "schalten" | "schalte" | "schaltet")) && words().any(|word| word == "frei")
}

/// A sentence ends at a mark with a blank after it, or with its paragraph; the dots inside an address, or after an initial
/// ("A. de Vries"), end none.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut sentence = String::new();
        for word in paragraph.split_whitespace() {
            sentence.push_str(word);
            sentence.push(' ');
            let full_stop = word.ends_with('.') && word.trim_end_matches('.').chars().count() > 2;
            if full_stop || word.ends_with(['?', '!', ';']) {
                sentences.push(std::mem::take(&mut sentence));
            }
        }
        sentences.push(sentence);
    }
    sentences
}

/// Lower case, without accents, blanks made one.
fn fold(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let plain = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        let letters = text.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c));
        letters.flat_map(char::to_lowercase).collect::<String>().replace('ø', "o").replace('æ', "ae").replace('ß', "ss")
    };
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{asks_for_addition, asks_for_portal_access};

    #[test]
    fn a_request_for_the_portal_is_recognised_in_every_language() {
        for text in [
            "Wilt u Karin Smit toegang geven tot het klantportaal?",
            "Graag een account voor het portaal voor onze nieuwe collega.",
            "Could you give Helen access to the customer portal, please?",
            "Vil I give Hanne adgang til kundeportalen?",
            "Kan dere gi Siri tilgang til kundeportalen?",
            "Kan ni ge Eva åtkomst till kundportalen?",
            "Bitte richten Sie Frau Kurz einen Zugang zum Kundenportal ein.",
        ] {
            assert!(asks_for_portal_access("Vraag", text), "{text}");
        }
        for text in [
            "Het klantportaal is vandaag erg langzaam.",
            "Wilt u Jan verwijderen uit het portaal? Hij heeft geen toegang meer nodig.",
            "Kunt u een veld toevoegen aan het formulier?",
            "Ich habe die Datei über das Portal geschickt.",
        ] {
            assert!(!asks_for_portal_access("Vraag", text), "{text}");
        }
    }

    #[test]
    fn a_request_is_recognised_in_every_language() {
        for text in [
            "Wilt u Karin Smit toevoegen als contactpersoon?",
            "Graag onze nieuwe collega als contactpersoon voor ICT opnemen.",
            "Could you please add Jane Doe to our list of approved contacts?",
            "Vil I tilføje Hanne Bech som kontaktperson?",
            "Kan dere legge til Nina Dahl som kontaktperson?",
            "Vi vill lägga till Eva Lind som ny kontaktperson.",
            "Bitte nehmen Sie Frau Kurz als Ansprechpartnerin auf die Liste; wir möchten sie als Ansprechpartnerin hinzufügen.",
        ] {
            assert!(asks_for_addition("Vraag", text), "{text}");
        }
        for text in [
            "Please add Helen Marsh (h.marsh@westbridge.example) to our list of approved contacts.",
            "Would you put Dr. A. Lowe on the contact list?",
            "Kunnen jullie mevr. K. Smit (k.smit@dorp.example)\nop de contactenlijst zetten?",
            "Vil I sætte Hanne Bech på listen over kontaktpersoner?",
            "Kan Eva Lind läggas till, eller läggs till av er, som kontaktperson?",
            "Bitte ergänzen Sie die Liste der Kontaktpersonen um Frau Kurz.",
            "Bitte nehmen Sie Frau Timm (h.timm@heidetal.example) in die Liste unserer Ansprechpartner auf.",
            "Herr Brandt ist ab Mai auch Ansprechpartner, bitte tragen Sie ihn ein.",
            "Frau Timm soll als Ansprechpartnerin hinterlegt werden.",
            "Neem mevrouw Smit als contactpersoon op, graag.",
            "Neem mevrouw Smit graag op als contactpersoon.",
        ] {
            assert!(asks_for_addition("Vraag", text), "{text}");
        }
        assert!(asks_for_addition("Nieuwe contactpersoon", "Zie hieronder."));
    }

    #[test]
    fn other_mail_that_speaks_of_contacts_does_not() {
        for text in [
            "Ik ben contactpersoon bij de gemeente.",
            "Wilt u Jan verwijderen als contactpersoon?",
            "Please remove Tom from the contact list.",
            "Kunt u een veld toevoegen aan het formulier?",
            "Wie is onze contactpersoon bij jullie?",
            "Please do not add Helen to the contact list yet.",
            "Wir nehmen Bezug auf das Gespräch mit Ihrem Ansprechpartner.",
            "Unsere Ansprechpartnerin nehmen wir von der Liste.",
        ] {
            assert!(!asks_for_addition("Vraag", text), "{text}");
        }
    }
}
