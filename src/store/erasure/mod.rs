//! A person goes out of texts that stay: address, names, phones and signature, also where others quote them.

mod names;
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use self::names::{Name, Written};
use self::places::{Kind, Others, REMOVED, Told};
use crate::decide::signature::{self, bare};

/// What looks like a phone number in a signature.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\+?\d[\d\s()./-]{6,}\d").ok());

/// The longest signature, in lines: below a sign-off may stand another letter.
const SIGNATURE: usize = 12;

/// How near a text is to a person, from the nearest: the nearer, the less must speak for a word to be about them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Near {
    /// They wrote it.
    Own,
    /// An agent wrote it on a ticket that they asked for: to them or about them.
    Answer,
    /// The name of a file on a ticket that they had to do with.
    FileName,
    /// Somebody else wrote it, on a ticket that they had to do with.
    Ticket,
    /// It names them in full, and has nothing to do with them otherwise.
    Named,
    /// Nothing speaks for it.
    Elsewhere,
}

impl Near {
    /// Whether a word that may be another's name, or none, is likely to be theirs.
    const fn is_about_them(self) -> bool {
        matches!(self, Self::Own | Self::Answer | Self::FileName)
    }
}

/// How a person is known.
#[derive(Default)]
pub(super) struct Known {
    /// Their names.
    pub names: BTreeSet<String>,
    /// Their phones.
    pub phones: BTreeSet<String>,
    /// Names of their colleagues: what is told by the same word may be about one of those.
    pub others: BTreeSet<String>,
}

/// Whom to take out.
pub(super) struct Person {
    /// Address, phones and full names, wherever they stand.
    certain: Vec<Told>,
    /// Given names or initials with a surname, and surnames behind a title, where the text is near to this person.
    likely: Vec<Told>,
    /// Parts of names, on tickets that they had to do with.
    parts: Vec<Told>,
    others: Others,
    /// Lines of their own, in lower case, and what stays of them where others quote them: nothing of a signature.
    lines: BTreeMap<String, String>,
}

impl Person {
    /// Somebody with this address.
    pub(super) fn new(address: &str, known: &Known) -> Self {
        let read = |names: &BTreeSet<String>| names.iter().filter_map(|name| Name::read(name)).collect::<Vec<_>>();
        let (own, mut others) = (read(&known.names), read(&known.others));
        others.retain(|other| !own.iter().any(|own| own.may_be(other)));
        let told_by: BTreeSet<String> = others.iter().flat_map(Name::told_by).collect();
        let tell = |written: Vec<Written>, kind: Kind| -> Vec<Told> {
            let doubtful = |written: &Written| written.by.as_ref().is_some_and(|by| told_by.contains(by));
            let told = |written: Written| Some(Told::new(&written.pattern, kind)?.but_doubtful(doubtful(&written)));
            written.into_iter().filter_map(told).collect()
        };
        let phones = known.phones.iter().filter_map(|phone| phone_pattern(phone));
        let full = own.iter().flat_map(Name::full);
        let certain = Told::new(&regex::escape(address), Kind::Address).into_iter();
        Self {
            certain: certain.chain(phones.chain(full).filter_map(|pattern| Told::new(&pattern, Kind::Words))).collect(),
            likely: own
                .iter()
                .flat_map(|name| {
                    [tell(name.likely(true), Kind::Name), tell(name.as_one_word(), Kind::OneWord), tell(name.bare(), Kind::Titled)]
                })
                .flatten()
                .collect(),
            parts: own.iter().flat_map(|name| [tell(name.parts(), Kind::Part), tell(name.bare_halves(), Kind::Half)]).flatten().collect(),
            others: of_others(&own, &others),
            lines: BTreeMap::new(),
        }
    }

    /// Whether the other is told in texts by the same.
    pub(super) fn is_told_as(&self, other: &Self) -> bool {
        let patterns = |of: &Self| -> Vec<(String, bool)> {
            let all = [&of.certain, &of.likely, &of.parts, &of.others.names].into_iter().flatten();
            all.map(|told| (told.pattern().to_owned(), told.doubtful)).collect()
        };
        patterns(self) == patterns(other) && self.lines == other.lines
    }

    /// Learns from a text of theirs how this person signs and speaks of themself, so that the same lines go where they are quoted.
    pub(super) fn learn(&mut self, own: &str) {
        let lines: Vec<&str> = own.lines().collect();
        let start = signature(&lines).unwrap_or(lines.len());
        let (above, below) = lines.split_at(start);
        for line in below.iter().take(SIGNATURE) {
            let phones = PHONE.as_ref().into_iter().flat_map(|phone| phone.find_iter(line));
            let patterns = phones.filter_map(|found| Told::new(&phone_pattern(found.as_str())?, Kind::Words));
            self.certain.extend(patterns);
        }
        let letter = above.join("\n");
        // What goes by itself wherever it is quoted need not be known by its line.
        let more = self.out_of(&letter, Near::Own) != self.out_of(&letter, Near::Ticket);
        let of_themself = above.iter().filter(|_| more).map(|line| (bare(line), self.out_of(bare(line), Near::Own)));
        let of_signature = below.iter().map(|line| (bare(line), REMOVED.to_owned()));
        let learnt = of_themself.filter(|(line, left)| line != left).chain(of_signature).filter(|(line, _)| line.chars().count() > 3);
        let learnt: Vec<(String, String)> = learnt.map(|(line, left)| (line.to_lowercase(), left)).collect();
        self.lines.extend(learnt);
    }

    /// Whether the text holds something that can be nobody else's.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.certain.iter().any(|told| told.is_in(text))
    }

    /// A text without this person: what is certain goes wherever it stands, and the more the nearer the text is. Of what may be another's, only what
    /// stands in texts of theirs and in agents' answers.
    pub(super) fn out_of(&self, text: &str, near: Near) -> String {
        let known = near <= Near::Ticket;
        let text = if known && near != Near::FileName { self.without_their_lines(text) } else { text.to_owned() };
        let likely = self.likely.iter().filter(|_| near <= Near::Named);
        let parts = self.parts.iter().filter(|_| known);
        let told = likely.chain(parts).filter(|told| near.is_about_them() || !told.doubtful);
        self.certain.iter().chain(told).fold(text, |text, told| told.out_of(&text, near, &self.others))
    }

    fn without_their_lines(&self, text: &str) -> String {
        let left = |line: &str| self.lines.get(&bare(line).to_lowercase());
        if !text.lines().any(|line| left(line).is_some()) {
            return text.to_owned();
        }
        let quoted = |line: &str, left: &str| match line.find(bare(line)) {
            Some(start) if left != REMOVED => format!("{}{left}", line.get(..start).unwrap_or_default()),
            _ => left.to_owned(),
        };
        let kept = text.lines().map(|line| left(line).map_or_else(|| line.to_owned(), |left| quoted(line, left)));
        with_line_end(kept.collect::<Vec<_>>().join("\n"), text)
    }

    /// A text of this person: the signature goes, too.
    pub(super) fn out_of_own(&self, text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        match signature(&lines) {
            None => self.out_of(text, Near::Own),
            Some(start) => {
                let after = lines.get(start + SIGNATURE..).unwrap_or_default();
                let kept = lines.iter().take(start).copied().chain([REMOVED]).chain(after.iter().copied());
                self.out_of(&with_line_end(kept.collect::<Vec<_>>().join("\n"), text), Near::Own)
            }
        }
    }
}

/// The names of others that share a word with this person's: in full, and with initials where those are not this person's as well.
fn of_others(own: &[Name], others: &[Name]) -> Others {
    let own_initials: BTreeSet<char> = own.iter().filter_map(Name::initial).collect();
    let words: BTreeSet<String> = own.iter().flat_map(Name::words).collect();
    let names = others.iter().filter(|other| other.words().iter().any(|word| words.contains(word))).flat_map(|other| {
        let apart = other.initial().is_some_and(|initial| !own_initials.contains(&initial));
        let likely = other.likely(apart).into_iter().filter(|written| apart || written.by.is_none());
        let patterns = other.full().into_iter().chain(likely.map(|written| written.pattern));
        patterns.filter_map(|pattern| Told::new(&pattern, Kind::Words)).collect::<Vec<_>>()
    });
    Others { names: names.collect(), own_initials }
}

fn with_line_end(mut new: String, old: &str) -> String {
    if old.ends_with('\n') {
        new.push('\n');
    }
    new
}

/// A phone number however its digits are parted; with the country's code also as it is dialled at home.
fn phone_pattern(phone: &str) -> Option<String> {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    // The last nine digits are the number itself; what stands before them differs (+31, 0031, 0).
    let own: Vec<String> = digits.iter().skip(digits.len().saturating_sub(9)).map(char::to_string).collect();
    (own.len() > 5).then(|| format!(r"(?:[+(\d][\d\s()./-]{{0,8}})?{}", own.join(r"[\s()./-]{0,3}")))
}

/// Where the signature of a text begins: below a line of two dashes, or below the last sign-off.
fn signature(lines: &[&str]) -> Option<usize> {
    let dashes = lines.iter().position(|line| signature::is_dashes(line));
    let sign_off = lines.iter().rposition(|line| signature::signs_off(line));
    dashes.into_iter().chain(sign_off).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(names: &[&str], others: &[&str]) -> Known {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Known { names: set(names), others: set(others), ..Known::default() }
    }

    fn person(address: &str, names: &[&str], others: &[&str]) -> Person {
        Person::new(address, &known(names, others))
    }

    fn annelies() -> Person {
        let known = Known { phones: ["+31 30 123 4567".to_owned()].into(), ..known(&["A. de Vries", "Annelies de Vries"], &[]) };
        let mut person = Person::new("a.devries@waterwolde.example", &known);
        person.learn("Hoi,\n\nEen vraag.\n\nMet vriendelijke groet,\nAnnelies\nSenior adviseur belastingen\nkamer 3.14\n");
        person
    }

    #[test]
    fn a_person_goes_out_of_their_own_text_with_the_signature() {
        let own =
            "Goedemorgen,\n\nIk, Annelies de Vries, vraag iets over de vries-drogerij.\n\nMet vriendelijke groet,\nAnnelies\n030-1234567\n";
        let left = annelies().out_of_own(own);
        assert_eq!(left, "Goedemorgen,\n\nIk, [removed], vraag iets over de vries-drogerij.\n\n[removed]\n");
    }

    #[test]
    fn what_only_looks_like_the_name_or_the_address_stays() {
        let known = Known { phones: ["+31 30 123 4567".to_owned()].into(), ..known(&["Jan de Bakker", "Jantje B."], &[]) };
        let jan = Person::new("jan.debakker@molendijk.example", &known);
        for stays in [
            "In januari, jan. 2026 en op 5 Jan 2026 wil de bakker op de hoek met Janneke en Jansen in de Bakkerstraat iets bespreken.",
            "De bakker op de hoek van de straat heeft vandaag weer brood.",
            "vanjan.debakker@molendijk.example van-jan.debakker@molendijk.example jan.debakkerij@molendijk.example",
            "In deze straat zijn een bakkerij, drie bakkers en 2030-123456.",
        ] {
            assert_eq!(jan.out_of(stays, Near::Ticket), stays);
        }
        for (text, left) in [
            ("ik neem het over van Jan, en De Bakker weet het", "ik neem het over van [removed], en [removed] weet het"),
            ("collega J. de Bakker en J.P. de Bakker en JAN DE BAKKER", "collega [removed] en [removed] en [removed]"),
            ("vraag het aan Jantje B. of aan Jan.", "vraag het aan [removed] of aan [removed]."),
            ("bel +31 30 123 4567 of 030-1234567 of (030) 123 45 67!", "bel [removed] of [removed] of [removed]!"),
            ("mail jan.debakker@molendijk.example. Of <JAN.deBakker@molendijk.example>", "mail [removed]. Of <[removed]>"),
            ("of jan.debakker@elders.example, J.de_Bakker@elders.example", "of [removed]@elders.example, [removed]@elders.example"),
            ("Jans vraag ligt bij Bakkers team", "[removed] vraag ligt bij [removed] team"),
            ("hoi jan,\n\ngroet, de bakker", "hoi [removed],\n\ngroet, [removed]"),
        ] {
            assert_eq!(jan.out_of(text, Near::Ticket), left);
        }
        let olivia = person("o.oneill@westham.example", &["Olivia O'Neill"], &[]);
        assert_eq!(olivia.out_of("Olivia O\u{2019}Neill, and ONeill's desk", Near::Ticket), "[removed], and [removed]'s desk");
    }

    #[test]
    fn a_person_goes_out_of_what_others_quote() {
        let quoted = "> Van: Vries, Annelies de <A.deVries@Waterwolde.example>\n> Bel mij: +31 (0)30 123 45 67.\n> Groet, \n> Senior adviseur \
                      belastingen\n>> Annelies de\n>> Vries\n> met ons Anneliesje en 030 765 4321\n";
        let left = annelies().out_of(quoted, Near::Ticket);
        for word in ["Vries", "Annelies ", "waterwolde", "4567", "45 67", "adviseur"] {
            assert!(!left.to_lowercase().contains(&word.to_lowercase()), "{word}: {left}");
        }
        assert!(left.contains("Anneliesje") && left.contains("765 4321") && left.contains("> Bel mij: "), "{left}");
    }

    #[test]
    fn elsewhere_only_what_is_certain_goes() {
        let person = annelies();
        assert_eq!(person.out_of("Annelies en Annelies de Vries", Near::Elsewhere), "Annelies en [removed]");
        assert!(
            person.is_in("mail a.devries@waterwolde.example!")
                && !person.is_in("Annelies")
                && !person.is_in("xa.devries@waterwolde.example")
        );
    }

    /// What each way to write a name becomes on a ticket that the person had to do with, in a text of somebody else.
    fn on_their_ticket(whose: &Person, cases: &[(&str, &str)]) {
        for (text, left) in cases {
            assert_eq!(whose.out_of(text, Near::Ticket), *left, "{text}");
        }
    }

    #[test]
    fn one_half_of_a_double_surname_goes_where_it_is_a_name() {
        let karin = person("karin.ml@heidetal.example", &["Karin Müller-Lüdenscheidt"], &[]);
        on_their_ticket(
            &karin,
            &[
                ("Frau Müller hat angerufen, Herr MÜLLER auch.", "Frau [removed] hat angerufen, Herr [removed] auch."),
                ("Sehr geehrte Frau Dr. Mueller, und frau lüdenscheidt", "Sehr geehrte Frau Dr. [removed], und frau [removed]"),
                ("mit Karin Müller, K. Mueller und K.Lüdenscheidt sprechen", "mit [removed], [removed] und [removed] sprechen"),
                ("Müller, Karin; Müller-Lüdenscheidt, K.; Müller, K.", "[removed]; [removed]; [removed]"),
                ("Frau Müllers Anfrage und Müller-Lüdenscheidts Antwort", "Frau [removed] Anfrage und [removed] Antwort"),
                ("an Frau Müller-\n> Lüdenscheidt und Karin\n> Mu\u{308}ller", "an Frau [removed] und [removed]"),
                ("Lüdenscheidt-Müller und KARIN LUEDENSCHEIDT - MUELLER", "[removed] und [removed]"),
                (
                    "k.mueller-luedenscheidt@privat.example, <karin.mueller@privat.example>",
                    "[removed]@privat.example, <[removed]@privat.example>",
                ),
                ("hallo Müller,\n\nGruß, K.M.-L.", "hallo [removed],\n\nGruß, [removed]"),
                ("gezeichnet K.M.-L. und weiter nichts mehr dazu", "gezeichnet [removed] und weiter nichts mehr dazu"),
            ],
        );
        for stays in [
            "Der Müller an der Müllerstraße und die Müllerin mahlen bei Familien.",
            "Bitte auch Peter Müller und P. Müller informieren, und p.mueller@heidetal.example.",
            "Der Müller-Vertrag liegt am Müller-Platz, und Muller-Bau baut dort.",
            "Die Karinstraße, K. in M. und der Lüdenscheidter Platz",
        ] {
            assert_eq!(karin.out_of(stays, Near::Ticket), stays);
        }
        let text = "Dann hat Müller angerufen, und der Müller kam.";
        assert_eq!(karin.out_of(text, Near::Ticket), "Dann hat [removed] angerufen, und der Müller kam.");
        assert_eq!(karin.out_of("Brief_Mueller.pdf", Near::FileName), "Brief_[removed].pdf");
        assert_eq!(
            karin.out_of("K.Mueller-Luedenscheidt 2026 Angebot von uns.docx", Near::FileName),
            "[removed] 2026 Angebot von uns.docx"
        );
        let anna = person("a.jansen@waterwolde.example", &["A. Jansen-de Boer"], &[]);
        on_their_ticket(
            &anna,
            &[
                ("mevrouw Jansen, mevr. De Boer en mw. Jansen - de Boer", "mevrouw [removed], mevr. [removed] en mw. [removed]"),
                ("A. Jansen, A.B. de Boer, Boer, A. de en Jansen-de Boer, A.", "[removed], [removed], [removed] en [removed]"),
                (
                    "De boer op de hoek heet B. Jansen of Piet Jansen, zegt men.",
                    "De boer op de hoek heet B. Jansen of Piet Jansen, zegt men.",
                ),
                ("A. Jansen-\nde Boer belt, t.a.v. mevrouw jansen", "[removed] belt, t.a.v. mevrouw [removed]"),
            ],
        );
        let karl = person("kh@heidetal.example", &["Freiherr Karl-Heinz von und zu Stein-Weiß"], &[]);
        on_their_ticket(
            &karl,
            &[
                ("Herr von Stein, Karl Stein, Karlheinz Weiss und K.-H. Stein-Weiß", "Herr [removed], [removed], [removed] und [removed]"),
                (
                    "Der Stein ist weiß, sagt kstein@privat.example uns allen hier.",
                    "Der Stein ist weiß, sagt [removed]@privat.example uns allen hier.",
                ),
            ],
        );
        let vera = person("v@waterwolde.example", &["Vera de Vries-Bakker", "Dr. V. van den Berg (Zaken)"], &[]);
        on_their_ticket(
            &vera,
            &[
                ("mevrouw De Vries, Vera Bakker en V. de Vries", "mevrouw [removed], [removed] en [removed]"),
                (
                    "mevrouw v.d. Berg, Berg, V. van den en vera.devries@elders.example",
                    "mevrouw [removed], [removed] en [removed]@elders.example",
                ),
                ("mevrouw van den Broek en drs. De Vriesman", "mevrouw van den Broek en drs. De Vriesman"),
            ],
        );
        let asa = person("a@nordhavn.example", &["Åse Sørensen-Kjær"], &[]);
        on_their_ticket(
            &asa,
            &[
                (
                    "fru Soerensen, hr. Kjaer, Aase Kjær, ase.sorensen@privat.example",
                    "fru [removed], hr. [removed], [removed], [removed]@privat.example",
                ),
                ("Kære Sørensen, tak. Fru Kjærs mail", "Kære [removed], tak. Fru [removed] mail"),
            ],
        );
    }

    #[test]
    fn what_only_runs_together_to_the_name_is_another_word() {
        let jo = person("jo@westham.example", &["Jo An", "K. Oster"], &[]);
        let stays = "Joan und Herr Koster und joan@privat.example.org.example";
        assert_eq!(jo.out_of(stays, Near::Elsewhere), stays);
        let text = "Frau Koster, K.Oster, koster@privat.example und JoAn schreiben uns.";
        assert_eq!(jo.out_of(text, Near::Ticket), "Frau Koster, [removed], [removed]@privat.example und JoAn schreiben uns.");
    }

    #[test]
    fn what_may_be_a_colleagues_stays_in_texts_of_others() {
        let colleagues = ["Peter Müller", "Müller-Lüdenscheidt, Karin", "Ineke Bakker"];
        let karin = person("karin.ml@heidetal.example", &["Karin Müller-Lüdenscheidt"], &colleagues);
        for (near, left) in
            [(Near::Ticket, "Frau Müller, Frau [removed], Peter Müller"), (Near::Answer, "Frau [removed], Frau [removed], Peter Müller")]
        {
            assert_eq!(karin.out_of("Frau Müller, Frau Lüdenscheidt, Peter Müller", near), left);
        }
        assert_eq!(
            karin.out_of("Karin Müller und Müller, Peter, p.mueller@heidetal.example", Near::Own),
            "[removed] und Müller, Peter, p.mueller@heidetal.example"
        );
        let jan = person("j@molendijk.example", &["Jan de Bakker"], &colleagues);
        assert_eq!(
            jan.out_of("Ineke Bakker en I. Bakker, of Jan Bakker, J. Bakker", Near::Ticket),
            "Ineke Bakker en I. Bakker, of [removed], [removed]"
        );
    }

    #[test]
    fn a_text_that_names_them_in_full_is_about_them_behind_a_title_as_well() {
        let karin = person("karin.ml@heidetal.example", &["Karin Müller-Lüdenscheidt"], &[]);
        let text = "Frau Müller ruft Karin an, sagt K. Müller. Müller-Lüdenscheidt?";
        assert_eq!(karin.out_of(text, Near::Named), "Frau [removed] ruft Karin an, sagt [removed]. [removed]?");
        assert_eq!(karin.out_of(text, Near::Elsewhere), text);
    }

    #[test]
    fn sign_offs_are_known_in_six_languages() {
        for words in [
            "Groeten van Jan",
            "Med venlig hilsen",
            "Vennlig hilsen",
            "Vänliga hälsningar",
            "Kind regards,",
            "Mit freundlichen Grüßen",
            "-- ",
        ] {
            assert_eq!(signature(&["text", words, "name"]), Some(1), "{words}");
        }
        assert_eq!(signature(&["Groetenboek laden lukt niet", "The regards page is empty and nobody can open it at all"]), None);
    }
}
