//! A person's name taken apart, and the ways in which it is written: initials, surname first, one half of a double surname, without accents.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::places::is_title;
use crate::identify::fold_name;

/// Words between given names and surnames: alone they name nobody.
const PARTICLES: &[&str] = &[
    "van", "de", "der", "den", "het", "'t", "ter", "ten", "te", "op", "in", "von", "vom", "zu", "zum", "zur", "af", "av", "la", "le", "el",
    "al", "da", "di", "do", "dos", "du", "und", "og", "och", "the",
];

/// What may stand between two words of a name: blanks, a line end in quoted history, or the sign that joins them in an address or a file name.
const GAP: &str = r"(?:[\s>|]+|[._-])?";
/// The same between a given name and a surname: without anything between them they are another word.
const APART: &str = r"(?:[\s>|]+|[._-])";
/// What stands between surname and given name in lists.
const COMMA: &str = r"(?:,[\s>|]*|[\s>|]+|[._-])";
/// An owner is told by an s in most of these languages: "Jörgs Auto", "Müllers", "Lenzens", "Åkessons bil".
const ENDING: &str = "(?:e?n?s)?";
/// Further initials.
const INITIALS: &str = r"(?:[\s>|-]*\p{L}\.)*";

/// A name as people write it.
pub(super) struct Name {
    /// `Karin`, `A.`; empty where only one word is known.
    given: Vec<String>,
    /// `de Vries-Bakker`, word by word.
    surname: Vec<String>,
    /// `de Vries` and `Bakker`; none where the surname is a single one.
    halves: Vec<Vec<String>>,
}

/// One way in which a name is written.
pub(super) struct Written {
    /// The regular expression for it.
    pub pattern: String,
    /// By what it is told, for comparison with others' ([`Name::told_by`]); none where a given name stands beside the surname.
    pub by: Option<String>,
}

impl Written {
    /// A way that tells of one person.
    const fn of_one(pattern: String) -> Self {
        Self { pattern, by: None }
    }
}

impl Name {
    /// Takes a display name apart. None: it names nobody.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text: String = text.nfc().map(|c| if matches!(c, '\u{2010}' | '\u{2011}' | '\u{2013}') { '-' } else { c }).collect();
        // Behind these stands where somebody works.
        let text = [" - ", "|", " / ", "(", "@"].iter().fold(text.as_str(), |text, cut| text.split(cut).next().unwrap_or(text));
        let (given, surname) = match text.split_once(',') {
            Some((last, first)) if !words(first).is_empty() => surname_first(words(last), words(first)),
            Some((only, _)) => in_order(words(only)),
            None => in_order(words(text)),
        };
        let whole = surname.join(" ");
        let halves: Vec<Vec<String>> = whole.split('-').map(words).collect();
        let double = halves.len() > 1 && halves.iter().all(|half| half.iter().any(|word| tells(word)));
        (!surname.is_empty()).then_some(Self { given, surname, halves: if double { halves } else { Vec::new() } })
    }

    /// The first letter of the given name, as it is compared.
    pub(super) fn initial(&self) -> Option<char> {
        fold_name(self.given.first()?).chars().find(|c| c.is_alphabetic())
    }

    /// Whether this may be another's way to write the same name: the same surname and given name, or its initial.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let given = |name: &Self| name.given.first().filter(|word| tells(word)).map(|word| fold_name(word));
        let same_given = match (given(self), given(other)) {
            (Some(one), Some(two)) => one == two,
            _ => self.initial() == other.initial(),
        };
        same_given && key(&self.surname) == key(&other.surname)
    }

    /// The surname and its halves as they are compared, without particles and accents; alone, and behind the initial.
    pub(super) fn told_by(&self) -> BTreeSet<String> {
        let with_initial = self.surnames().into_iter().filter_map(|surname| Some(format!("{}. {surname}", self.initial()?)));
        self.surnames().into_iter().chain(with_initial).collect()
    }

    fn surnames(&self) -> BTreeSet<String> {
        std::iter::once(&self.surname).chain(&self.halves).map(|words| key(words)).collect()
    }

    /// The words that tell who is meant, as they are compared.
    pub(super) fn words(&self) -> BTreeSet<String> {
        let given = self.given.iter().filter(|word| tells(word)).map(|word| key(std::slice::from_ref(word)));
        self.surnames().into_iter().chain(given).collect()
    }

    /// The full name: in order, surname first, the halves of a double surname either way round.
    pub(super) fn full(&self) -> Vec<String> {
        if self.given.is_empty() {
            return Vec::new();
        }
        let given = self.given.iter().map(|word| given_name(word)).collect::<Vec<_>>().join(GAP);
        // What begins with an initial is certain only with all of its words.
        let surname: fn(&[String]) -> String = if self.given.first().is_some_and(|word| tells(word)) { loosely } else { strictly };
        let apart = if self.given.last().is_some_and(|word| word.ends_with('.')) { GAP } else { APART };
        let in_order =
            std::iter::once(surname(&self.surname)).chain(self.turned(surname)).map(|surname| format!("{given}{apart}{surname}{ENDING}"));
        in_order.chain([surname_before(&self.surname, &format!("{COMMA}{given}"))]).collect()
    }

    /// What is likely to be this person: one of the given names or the initials with the surname or one half of it, and a double surname alone.
    /// Without `initials` only with a given name.
    pub(super) fn likely(&self, initials: bool) -> Vec<Written> {
        let given = self.given.first().into_iter().flat_map(|word| word.split('-').chain([word.as_str()])).filter(|word| tells(word));
        let given: BTreeSet<String> = given.map(spelled).collect();
        let initial = self.initial().filter(|_| initials);
        let (mut written, mut surname_first) = (Vec::new(), Vec::new());
        for (surname, half) in self.variants() {
            for given in &given {
                let between = format!(r"(?:[\s>|]+\p{{L}}\.)*{APART}");
                written.push(Written::of_one(format!("{given}{between}{}{ENDING}", loosely(surname))));
                surname_first.push(Written::of_one(surname_before(surname, &format!("{COMMA}{given}"))));
            }
            if let Some(initial) = initial {
                let by = format!("{initial}. {}", key(surname));
                let (initial, blank) = (spelled(&initial.to_string()), if half { "" } else { r"|[\s>|]+" });
                let before = format!(r"{initial}(?:\.{INITIALS}[\s>|]*{blank}|[_-]){}{ENDING}", loosely(surname));
                let behind = surname_before(surname, &format!(r"(?:,?[\s>|]*{initial}\.{INITIALS}|[._-]{initial})"));
                written.push(Written { pattern: before, by: Some(by.clone()) });
                surname_first.push(Written { pattern: behind, by: Some(by) });
            }
        }
        // "De Vries, Vera Bakker" may be two people of whom the second is told in order.
        written.append(&mut surname_first);
        if !self.halves.is_empty() {
            let either_way = std::iter::once(loosely(&self.surname)).chain(self.turned(loosely));
            written.extend(either_way.map(|surname| Written { pattern: format!("{surname}{ENDING}"), by: Some(key(&self.surname)) }));
            written.extend(self.all_initials().filter(|_| initials).map(Written::of_one));
        }
        written
    }

    /// As one word, which is a name only in an address: `karinmueller`, `kmueller`.
    pub(super) fn as_one_word(&self) -> Vec<Written> {
        let given = self.given.first().filter(|word| tells(word)).map(|word| (spelled(word), None));
        let initial = self.initial().map(|initial| (spelled(&initial.to_string()), Some(initial)));
        let before: Vec<(String, Option<char>)> = given.into_iter().chain(initial).collect();
        let joined = |surname: &Vec<String>| -> Vec<Written> {
            let by = |initial: &Option<char>| initial.map(|initial| format!("{initial}. {}", key(surname)));
            before.iter().map(|(word, initial)| Written { pattern: format!("{word}{}", loosely(surname)), by: by(initial) }).collect()
        };
        self.variants().flat_map(|(surname, _)| joined(surname)).collect()
    }

    /// The surname and its halves alone: they are this person's behind a salutation.
    pub(super) fn bare(&self) -> Vec<Written> {
        let bare = |words: &Vec<String>| Written { pattern: format!("{}{ENDING}", loosely(words)), by: Some(key(words)) };
        self.variants().map(|(words, _)| bare(words)).collect()
    }

    /// The halves of a double surname alone.
    pub(super) fn bare_halves(&self) -> Vec<Written> {
        self.bare().into_iter().skip(1).collect()
    }

    /// Each word that alone tells who is meant, with the words that stand before it in this name: `Bakker`, `de Bakker`. Of a double surname none.
    pub(super) fn parts(&self) -> Vec<Written> {
        let part = |(words, surname): (&[String], bool)| {
            let last = words.last().filter(|word| tells(word))?;
            let pattern = format!("{}{ENDING}", loosely(words));
            Some(Written { pattern, by: surname.then(|| key(std::slice::from_ref(last))) })
        };
        let up_to_each = |words: &'_ [String]| -> Vec<Vec<String>> {
            let before = |at: usize| words.iter().take(at).rev().take_while(|word| is_particle(word)).count();
            (0..words.len()).map(|at| words.iter().skip(at - before(at)).take(before(at) + 1).cloned().collect()).collect()
        };
        let given = up_to_each(&self.given).into_iter().map(|words| (words, false));
        let single = self.halves.is_empty();
        let surname = up_to_each(&self.surname).into_iter().filter(|_| single).map(|words| (words, true));
        given.chain(surname).filter_map(|(words, surname)| part((&words, surname))).collect()
    }

    /// The surname, and whether it is one half of it only; as far as it tells who is meant.
    fn variants(&self) -> impl Iterator<Item = (&Vec<String>, bool)> {
        let all = std::iter::once((&self.surname, false)).chain(self.halves.iter().map(|half| (half, true)));
        all.filter(|(words, _)| words.iter().any(|word| tells(word)))
    }

    /// The halves of a double surname the other way round.
    fn turned(&self, written: fn(&[String]) -> String) -> Option<String> {
        let turned: Vec<String> = self.halves.iter().rev().map(|half| written(half)).collect();
        (turned.len() > 1).then(|| turned.join(&spelled("-")))
    }

    /// `K.M.-L.`, with its dots.
    fn all_initials(&self) -> Option<String> {
        let first = |half: &Vec<String>| half.iter().find(|word| tells(word)).and_then(|word| word.chars().next());
        let halves: Vec<String> = self.halves.iter().filter_map(first).map(|letter| spelled(&letter.to_string())).collect();
        Some(format!(r"{}\.\s?{}\.?", spelled(&self.initial()?.to_string()), halves.join(r"\.\s?-\s?")))
    }
}

/// Whether a part of a name alone tells who is meant.
fn tells(part: &str) -> bool {
    part.chars().filter(|c| c.is_alphabetic()).count() > 1 && !part.contains('.') && !is_particle(part)
}

fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&fold_name(word).as_str())
}

fn words(text: &str) -> Vec<String> {
    let sound = |word: &&str| word.chars().any(char::is_alphabetic);
    text.split_whitespace().map(|word| word.trim_matches(['"', ';', ':'])).filter(sound).map(str::to_owned).collect()
}

/// `Dr. Karin Müller-Lüdenscheidt`, `Annelies de Vries`, `A. Jansen-de Boer`: the surname begins with a particle, with a word that is joined to one,
/// or is the last word.
fn in_order(words: Vec<String>) -> (Vec<String>, Vec<String>) {
    let titles = words.iter().take(words.len().saturating_sub(1)).take_while(|word| is_title(word)).count();
    let words: Vec<String> = words.into_iter().skip(titles).collect();
    let begins = |word: &String| word.rsplit('-').next().is_some_and(is_particle);
    let at = words.iter().skip(1).position(begins).map_or(words.len().saturating_sub(1), |at| at + 1);
    let at = at.min(words.len().saturating_sub(1));
    let (given, surname) = (words.iter().take(at).cloned().collect(), words.into_iter().skip(at).collect());
    (given, surname)
}

/// `Vries, Annelies de`.
fn surname_first(last: Vec<String>, first: Vec<String>) -> (Vec<String>, Vec<String>) {
    let particles = first.iter().rev().take_while(|word| is_particle(word)).count();
    let given: Vec<String> = first.iter().take(first.len() - particles).cloned().collect();
    let surname = first.into_iter().skip(given.len()).chain(last).collect();
    (given.into_iter().skip_while(|word| is_title(word)).collect(), surname)
}

/// A surname as it is compared.
fn key(words: &[String]) -> String {
    let telling: Vec<String> = words.iter().filter(|word| !is_particle(word)).map(|word| fold_name(word)).collect();
    ["ae", "oe", "ue"].iter().fold(telling.join("-"), |key, pair| key.replace(pair, pair.get(..1).unwrap_or_default()))
}

/// Word by word.
fn strictly(words: &[String]) -> String {
    words.iter().map(|word| spelled(word)).collect::<Vec<_>>().join(GAP)
}

/// With the particles before it, shortened ones, or none.
fn loosely(words: &[String]) -> String {
    let (particles, own) = words.split_at(words.iter().take_while(|word| is_particle(word)).count());
    if particles.is_empty() || own.is_empty() {
        return strictly(words);
    }
    let each: String = particles.iter().map(|word| format!("(?:{}{GAP})?", spelled(word))).collect();
    format!(r"(?:v\.?[\s/]*d\.?[nr]?\.?[\s>|]*|{each}){}", strictly(own))
}

/// A surname before what stands behind it, particles last: `Vries, Annelies de`.
fn surname_before(surname: &[String], behind: &str) -> String {
    let (particles, own) = surname.split_at(surname.iter().take_while(|word| is_particle(word)).count());
    let last = if particles.is_empty() { String::new() } else { format!("(?:{GAP}{})?", strictly(particles)) };
    format!("{}{behind}{last}", if own.is_empty() { strictly(surname) } else { loosely(surname) })
}

/// A given name, or initials: `J.P.` is `J. P.`, too.
fn given_name(word: &str) -> String {
    let initials: Vec<String> = word.split('.').filter(|letters| !letters.is_empty()).map(spelled).collect();
    match word.contains('.') {
        true => initials.iter().map(|initial| format!(r"{initial}\.")).collect::<Vec<_>>().join(r"[\s>|-]*"),
        false => spelled(word),
    }
}

/// A word however it is spelled: with accents or without, umlauts as two letters, whichever sign its writer takes for an apostrophe or a hyphen,
/// and whether or not a line ends at the hyphen.
fn spelled(word: &str) -> String {
    let mut pattern = String::new();
    let mut letters = word.chars().flat_map(char::to_lowercase).peekable();
    while let Some(letter) = letters.next() {
        match letters.peek().and_then(|next| two_for_one(letter, *next)) {
            Some(either) => {
                letters.next();
                pattern.push_str(either);
            }
            None => pattern.push_str(&one(letter)),
        }
    }
    pattern
}

/// Two letters that may stand for one with an umlaut, a stroke or a ring.
fn two_for_one(letter: char, next: char) -> Option<&'static str> {
    Some(match (letter, next) {
        ('a', 'e') => r"(?:ae|[äæ]|a\u{308})",
        ('o', 'e') => r"(?:oe|[öøœ]|o\u{308})",
        ('u', 'e') => r"(?:ue|ü|u\u{308})",
        ('a', 'a') => r"(?:aa|å|a\u{30a})",
        ('s', 's') => "(?:ss|ß)",
        _ => return None,
    })
}

fn one(letter: char) -> String {
    match letter {
        'ä' | 'æ' => format!("(?:ae|æ|{})", plain('a')),
        'ö' | 'ø' | 'œ' => format!("(?:oe|œ|{})", plain('o')),
        'ü' => format!("(?:ue|{})", plain('u')),
        'å' => format!("(?:aa|{})", plain('a')),
        'ß' => "(?:ss?|ß)".to_owned(),
        '-' => r"(?:[\s>|]*[-\u{2010}\u{2011}\u{2013}][\s>|]*|[\s>|_.]*)".to_owned(),
        '\'' | '\u{2019}' | '\u{2018}' | '`' | '´' | 'ʼ' => "['\u{2019}\u{2018}`´ʼ]?".to_owned(),
        letter => match fold_name(&letter.to_string()).chars().next() {
            Some(base) if letter.is_alphabetic() => plain(base),
            _ => regex::escape(&letter.to_string()),
        },
    }
}

/// A letter with or without accents, also where these are characters of their own.
fn plain(letter: char) -> String {
    let accented = match letter {
        'a' => "àáâãäåāăą",
        'c' => "çćč",
        'd' => "đð",
        'e' => "èéêëēėęě",
        'g' => "ğģ",
        'i' => "ìíîïīįı",
        'l' => "łľ",
        'n' => "ñńň",
        'o' => "òóôõöøōő",
        'r' => "řŕ",
        's' => "śšşș",
        't' => "ťțţ",
        'u' => "ùúûüūůű",
        'y' => "ýÿ",
        'z' => "žźż",
        letter => return regex::escape(&letter.to_string()),
    };
    format!(r"[{letter}{accented}][\u{{300}}-\u{{36f}}]*")
}
