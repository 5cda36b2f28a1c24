//! Yes or no, in the first lines of an answer (POLICY rows 9a and 9b).

use super::facts::codes;

/// How many lines with words are looked at: a greeting, and then the answer.
const FIRST_LINES: usize = 4;

/// Words that say yes when a line begins with them, unless what follows takes it back at once ("klopt niet").
const YES: &[&str] = &[
    "ja",
    "jawel",
    "jazeker",
    "jep",
    "jo",
    "klopt",
    "juist",
    "correct",
    "akkoord",
    "inderdaad",
    "yes",
    "japp",
    "ok",
    "oke",
    "okay",
    "yep",
    "yeah",
    "confirmed",
    "stemmer",
    "javisst",
    "stammer",
    "bekreftet",
    "bekraeftet",
    "bekraftat",
    "stimmt",
    "jawohl",
    "genau",
    "richtig",
    "bestaetigt",
    "bestatigt",
];

/// Words that say no when a line begins with them.
const NO: &[&str] = &["nee", "neen", "nej", "nei", "no", "nope", "nein", "n"];

/// What follows a "no" that means yes: "no problem".
const NO_MATTER: &[&str] = &["problem", "problems", "worries", "probleem", "issue", "doubt", "stress"];

/// Words of denial and of suspicion. Where a line holds one and does not begin with a yes, nobody has confirmed anything.
const DOUBT: &[&str] = &[
    "niet",
    "nooit",
    "geen",
    "onbekend",
    "niemand",
    "iemand",
    "misbruik",
    "oplichting",
    "nep",
    "vals",
    "pas",
    "ikke",
    "aldrig",
    "aldri",
    "ingen",
    "falsk",
    "svindel",
    "ukendt",
    "ukjent",
    "inte",
    "ej",
    "inget",
    "bluff",
    "bedrageri",
    "okand",
    "nicht",
    "nie",
    "niemals",
    "kein",
    "keine",
    "keinen",
    "betrug",
    "falschung",
    "unbekannt",
    "jemand",
    "not",
    "never",
    "nobody",
    "somebody",
    "someone",
    "didn't",
    "wasn't",
    "isn't",
    "don't",
    "unknown",
    "fake",
    "fraud",
    "phishing",
    "spam",
    "scam",
    "hoax",
    "bedrog",
    "fout",
    "wrong",
    "feil",
    "forkert",
    "fel",
];

/// Phrases that say yes wherever they stand, unless a word of denial stands directly before or behind.
const MINE: &[&[&str]] = &[
    &["dat", "was", "ik"],
    &["dit", "was", "ik"],
    &["dat", "ben", "ik"],
    &["ik", "was", "het"],
    &["ik", "ben", "het"],
    &["van", "mij"],
    &["door", "mij"],
    &["that", "was", "me"],
    &["it", "was", "me"],
    &["that", "is", "me"],
    &["this", "is", "me"],
    &["that's", "me"],
    &["it's", "me"],
    &["from", "me"],
    &["is", "mine"],
    &["det", "var", "mig"],
    &["det", "var", "meg"],
    &["det", "var", "jeg"],
    &["det", "er", "mig"],
    &["det", "er", "meg"],
    &["fra", "mig"],
    &["fra", "meg"],
    &["det", "var", "jag"],
    &["det", "ar", "jag"],
    &["fran", "mig"],
    &["das", "war", "ich"],
    &["das", "bin", "ich"],
    &["von", "mir"],
];

/// Whether somebody who was asked "is this mail yours?" says no (POLICY row 9a). A yes at the beginning of a line settles it;
/// otherwise a word of denial or suspicion in the first lines is a no: taking on an impostor's mail is the worse mistake, and the
/// contact can always write themself.
#[must_use]
pub fn says_no(written: &str) -> bool {
    for line in written.lines().map(fold).filter(|line| line.chars().any(char::is_alphanumeric)).take(FIRST_LINES) {
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
        let doubts = |words: &[&str]| words.iter().any(|word| DOUBT.contains(word));
        let mine = MINE.iter().any(|phrase| says(&words, phrase));
        match words.split_first() {
            // "Klopt niet", "Stimmt gar nicht": what follows directly takes it back.
            Some((first, rest)) if YES.contains(first) => {
                return doubts(rest.get(..2.min(rest.len())).unwrap_or_default()) && !takes_up_again(&line);
            }
            Some((first, rest)) if NO.contains(first) => return !rest.first().is_some_and(|next| NO_MATTER.contains(next)),
            _ if mine => return false,
            _ if doubts(&words) => return true,
            _ => {}
        }
    }
    false
}

codes! {
    /// What the first lines of an answer to a request for approval say (row 9b).
    Approval {
        /// Approved.
        Yes = "yes",
        /// Not approved.
        No = "no",
        /// Neither, both, a question or a condition: kept, and does not count.
        Unclear = "unclear",
    }
}

/// Beginnings of words that approve; without a denial beside them.
const APPROVE: &[&str] = &[
    "akkoord",
    "goedgekeurd",
    "goedkeur",
    "goedkeuring",
    "toestemming",
    "approve",
    "approved",
    "approval",
    "agree",
    "agreed",
    "accepted",
    "godkend",
    "godkjen",
    "godkann",
    "godkant",
    "godtag",
    "godta",
    "accepter",
    "aksepter",
    "indforstaet",
    "innforstatt",
    "genehmig",
    "einverstanden",
    "zugestimmt",
    "zustimm",
    "freigegeben",
    "freigabe",
    "bewilligt",
];

/// Beginnings of words that decline by themselves.
const DECLINE: &[&str] = &[
    "afgekeurd",
    "afgewezen",
    "geweigerd",
    "weiger",
    "rejected",
    "reject",
    "declined",
    "decline",
    "refuse",
    "disapprove",
    "disagree",
    "afvis",
    "avvis",
    "avslag",
    "avsla",
    "afslag",
    "afslar",
    "avboj",
    "nekar",
    "nekad",
    "ablehn",
    "abgelehnt",
    "verweiger",
];

/// Words that make a yes a condition, a doubt or a matter for later.
const CONDITION: &[&str] = &[
    "mits",
    "indien",
    "tenzij",
    "maar",
    "als",
    "zodra",
    "wanneer",
    "if",
    "but",
    "provided",
    "unless",
    "once",
    "when",
    "hvis",
    "dersom",
    "safremt",
    "medmindre",
    "men",
    "nar",
    "om",
    "under",
    "forudsat",
    "forutsatt",
    "forutsatt",
    "sofern",
    "wenn",
    "aber",
    "falls",
    "vorausgesetzt",
    "sobald",
    "except",
    "behalve",
    "bortset",
    "bortsett",
    "misschien",
    "maybe",
    "perhaps",
    "maske",
    "kanskje",
    "kanske",
    "vielleicht",
    "waarschijnlijk",
    "probably",
];

/// "Under" and "om" are conditions in some languages and harmless words in others; "akkoord om te beginnen" is a yes.
const HARMLESS: &[&[&str]] = &[&["om", "te"], &["om", "at"], &["om", "att"], &["om", "a"]];

/// What somebody who was asked for approval answers (POLICY row 9b). Only a plain yes or a plain no in the first lines is one.
#[must_use]
pub fn approval(written: &str) -> Approval {
    let mut found = None;
    for line in written.lines().map(fold).filter(|line| line.chars().any(char::is_alphanumeric)).take(FIRST_LINES) {
        match (line_says(&line), found) {
            (Some(said), None) => found = Some(said),
            (Some(said), Some(before)) if said != before => return Approval::Unclear,
            _ => {}
        }
    }
    found.unwrap_or(Approval::Unclear)
}

/// What one line says; nothing where it speaks of something else.
fn line_says(line: &str) -> Option<Approval> {
    let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
    let begins = |list: &[&str]| words.iter().any(|word| list.iter().any(|beginning| word.starts_with(beginning)));
    let first = words.first()?;
    let (yes, no) = (YES.contains(first), NO.contains(first));
    let (approves, declines) = (begins(APPROVE), begins(DECLINE));
    if !(yes || no || approves || declines) {
        return None;
    }
    let denied = words.iter().any(|word| DOUBT.contains(word) || NO.contains(word) && word != first);
    let conditional = words.iter().enumerate().any(|(at, word)| {
        let harmless = HARMLESS.iter().any(|phrase| words.get(at..at + phrase.len()).is_some_and(|found| found == *phrase));
        CONDITION.contains(word) && !harmless
    });
    Some(match () {
        () if line.contains('?') => Approval::Unclear,
        () if no && words.get(1).is_some_and(|next| NO_MATTER.contains(next)) => Approval::Unclear,
        () if no && approves && !denied => Approval::Unclear,
        () if no => Approval::No,
        () if conditional => Approval::Unclear,
        () if yes && (denied || declines) => Approval::Unclear,
        () if yes => Approval::Yes,
        () if declines && !denied && !approves => Approval::No,
        () if approves && denied => Approval::No,
        () if approves && !declines => Approval::Yes,
        () => Approval::Unclear,
    })
}

/// The phrase stands there, and no denial touches it: "dat was ik", not "dat was ik niet".
fn says(words: &[&str], phrase: &[&str]) -> bool {
    let denies = |words: Option<&[&str]>| words.is_some_and(|words| words.iter().any(|word| DOUBT.contains(word)));
    words.windows(phrase.len()).enumerate().any(|(at, found)| {
        let behind = at + phrase.len();
        // "geen bericht van mij": a denial may stand two words before.
        found == phrase && !denies(words.get(at.saturating_sub(2)..at)) && !denies(words.get(behind..words.len().min(behind + 1)))
    })
}

/// "Ja, niet schrikken": a comma or full stop after the yes ends it, so that what follows is another matter.
fn takes_up_again(line: &str) -> bool {
    let yes = line.split_whitespace().next().unwrap_or_default();
    yes.ends_with([',', '.', '!', ';', ':'])
}

/// Lower case, without accents, apostrophes made one.
fn fold(line: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let folded = line.replace('\u{2019}', "'");
    folded
        .nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Approval, approval, says_no};

    #[test]
    fn an_approval_is_a_plain_yes_or_no_in_every_language() {
        for text in [
            "Ja",
            "Ja, akkoord.",
            "Akkoord met de offerte.",
            "Goedemorgen,\n\nHierbij geven wij ons akkoord.",
            "Goedgekeurd!",
            "Yes, go ahead.",
            "Hello,\n\nApproved.\n\nKind regards\nEmma",
            "Ja tak",
            "Hej\n\nVi godkender tilbuddet.",
            "Tilbuddet er godkendt",
            "Ja, det er i orden",
            "Hei!\n\nGodkjent.",
            "Vi godkänner offerten",
            "Ja, kör på",
            "Ja, bitte",
            "Hiermit genehmigt.",
            "Wir sind einverstanden.",
            "Akkoord om te beginnen",
            "OK",
        ] {
            assert_eq!(approval(text), Approval::Yes, "{text:?}");
        }
        for text in [
            "Nee",
            "Nee, te duur.",
            "Wij gaan niet akkoord.",
            "Niet akkoord",
            "No, thank you",
            "We do not approve this.",
            "Not approved.",
            "Nej",
            "Nej tak",
            "Det kan vi ikke godkende",
            "Ikke godkendt",
            "Nei, dessverre",
            "Ikke godkjent",
            "Nej, tyvärr",
            "Inte godkänt",
            "Nein",
            "Nein, leider nicht.",
            "Das ist nicht genehmigt.",
            "Abgelehnt.",
            "Afgewezen",
            "Hei\n\nVi avviser tilbudet.",
        ] {
            assert_eq!(approval(text), Approval::No, "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_no_approval() {
        for text in [
            "",
            "Dank u wel, ik kijk ernaar.",
            "Ja, mits het voor 1 januari klaar is.",
            "Akkoord?",
            "Is dit akkoord voor jullie?",
            "Yes, but only the first item.",
            "Ja\nNee",
            "Ja, men vi vil gerne have rabat",
            "Hvad koster det?",
            "Ja, wenn der Preis stimmt.",
            "I will ask my manager.",
            "No problem",
            "Ik stuur dit door aan mijn collega.",
            "Ja, aber nur Punkt 1",
            "Godkänner ni detta?",
            "Beste collega,\n\nKun je dit bekijken?\n\nGroet\nJan\nJa",
        ] {
            assert_eq!(approval(text), Approval::Unclear, "{text:?}");
        }
    }

    #[test]
    fn a_no_in_the_first_lines_is_a_no_in_every_language() {
        for text in [
            "Nee, dit is niet van mij.",
            "Hallo,\n\nNee.\n\nGroet",
            "nej",
            "Nei, det var ikke jeg",
            "Nein!",
            "NO - we don't know this person",
            "Goedemorgen,\nDat was ik niet.",
            "Hej\n\nDet är inte från mig",
            "Hello,\nThat wasn\u{2019}t me.",
            "Klopt niet, ik heb niets gestuurd!",
            "Stimmt nicht, das bin ich nicht",
            "Dat klopt niet.",
            "Beste,\n\nDeze mail heb ik nooit gestuurd.",
            "Dit is geen bericht van mij",
            "Geen idee wat dit is.",
            "Dat was iemand anders.",
            "I never sent it",
            "Phishing!",
            "Det har jag inte skickat.",
            "Jeg kjenner ikke til denne",
            "Ich habe das nicht geschickt.",
        ] {
            assert!(says_no(text), "{text:?}");
        }
    }

    #[test]
    fn anything_else_counts_as_a_yes() {
        for text in [
            "Ja, dat klopt",
            "Hoi,\n\nJa hoor, no worries",
            "Yes",
            "No problem, that was me",
            "Ja, das bin ich. Nein, weitere Fragen habe ich nicht.",
            "",
            "Jazeker!",
            "Ja, dat was ik. Was niet op kantoor.",
            "Klopt, ik kan niet bij mijn werkmail.",
            "Dat was ik inderdaad, ik kon niet bij mijn werkmail.",
            "Det var mig, jeg kunne ikke komme på min arbejdsmail",
            "Hi,\n\nIt was me. Could not log in at work.",
        ] {
            assert!(!says_no(text), "{text:?}");
        }
    }
}
