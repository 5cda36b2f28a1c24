//! Yes or no, in the first lines of an answer (POLICY row 9a).

/// How many lines with words are looked at: a greeting, and then the answer.
const FIRST_LINES: usize = 4;

/// Words that say no when an answer begins with them.
const NO: &[&str] = &["nee", "neen", "nej", "nei", "no", "nein", "nope"];

/// Words that say yes when an answer begins with them: what follows on the line no longer matters.
const YES: &[&str] =
    &["ja", "jawel", "jo", "yes", "klopt", "stemmer", "stammer", "stimmt", "juist", "correct", "akkoord", "jazeker", "javisst", "jep"];

/// What follows a "no" that means yes.
const NO_MATTER: &[&str] = &["problem", "problems", "worries", "probleem", "issue", "doubt"];

/// Phrases that deny wherever they stand in the first lines.
const DENIALS: &[&str] = &[
    "niet van mij",
    "dat was ik niet",
    "dit was ik niet",
    "ben ik niet",
    "niet door mij",
    "heb ik niet gestuurd",
    "ken ik niet",
    "ken deze persoon niet",
    "ikke fra mig",
    "ikke mig",
    "ikke fra meg",
    "ikke meg",
    "ikke sendt av meg",
    "ikke sendt af mig",
    "det var ikke jeg",
    "ikke min",
    "har ikke sendt",
    "inte fran mig",
    "inte jag",
    "inte min",
    "inte mitt",
    "har inte skickat",
    "not me",
    "not mine",
    "not from me",
    "wasn't me",
    "was not me",
    "did not send",
    "didn't send",
    "not sent by me",
    "isn't mine",
    "do not know this",
    "nicht von mir",
    "nicht ich",
    "war ich nicht",
    "nicht meine",
    "habe ich nicht geschickt",
    "habe ich nicht gesendet",
    "habe ich nicht geschrieben",
    "kenne ich nicht",
];

/// Whether somebody who was asked "is this mail yours?" says no. Anything that is not a no counts as a yes: the listed
/// contact answered from the listed address (POLICY row 9a).
#[must_use]
pub fn says_no(written: &str) -> bool {
    for line in written.lines().map(fold).filter(|line| !line.is_empty()).take(FIRST_LINES) {
        if DENIALS.iter().any(|denial| line.contains(denial)) {
            return true;
        }
        let mut words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        match words.next() {
            Some(first) if YES.contains(&first) => return false,
            Some(first) if NO.contains(&first) => return !words.next().is_some_and(|next| NO_MATTER.contains(&next)),
            _ => {}
        }
    }
    false
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
    use super::says_no;

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
        ] {
            assert!(!says_no(text), "{text:?}");
        }
    }
}
