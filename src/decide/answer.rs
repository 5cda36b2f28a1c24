//! Yes or no, in the first lines of an answer (POLICY rows 9a and 9b).
//!
//! The words stand in `config/words/<lang>.toml`, table `[answer]`; here is how they are put together.

use super::facts::codes;
use super::lexicon::{GREETING, Hit, Lexicon, Line, Role};
use super::signature::ends_letter;

/// How many lines with words are looked at: a greeting, and then the answer.
const FIRST_LINES: usize = 4;

/// How far behind the first word who speaks may stand.
const NEAR: usize = 4;

/// How many words of a line are read; whoever writes more gives no plain answer.
const LONGEST: usize = 300;

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

/// What a mail says, should it be an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether somebody who was asked "is this mail yours?" says no (POLICY row 9a). A yes at the beginning of a line settles it;
    /// otherwise a word of denial or suspicion in the first lines is a no: taking on an impostor's mail is the worse mistake, and the
    /// contact can always write themself.
    pub says_no: bool,
    /// What somebody who was asked for approval answers (POLICY row 9b). Only a plain yes or a plain no in the first lines is one.
    pub approval: Approval,
}

impl Answer {
    /// Reads the first lines of what was written now.
    #[must_use]
    pub fn read(lexicon: &Lexicon, written: &str) -> Self {
        let lines = first_lines(lexicon, written);
        Self { says_no: lines.iter().find_map(denies).unwrap_or_default(), approval: approval(&lines) }
    }
}

/// Whether one line says that the mail is somebody else's; nothing where it does not say whose it is.
fn denies(line: &Line) -> Option<bool> {
    if let Some(yes) = line.first(Role::Yes).or_else(|| line.first(Role::Heard)) {
        // "Klopt niet", "Stimmt gar nicht": what follows directly takes it back. "Ja, niet schrikken" is another matter.
        let ends = line.ends.first() == Some(&yes.end);
        return Some(!ends && line.doubts().any(|doubt| (yes.end..yes.end + 2).contains(&doubt.start)));
    }
    if let Some(no) = line.first(Role::No) {
        return Some(!line.follows(no, Role::NoMatter));
    }
    // "Geen bericht van mij", "Das stimmt so leider nicht": a denial stands close to it, in the same clause.
    let near = |mine: &Hit, doubt: &Hit| {
        (mine.start.saturating_sub(2)..=mine.end + 2).contains(&doubt.start) && line.clause_of(mine) == line.clause_of(doubt)
    };
    if line.of(Role::Mine).any(|mine| !line.doubts().any(|doubt| near(mine, doubt))) {
        return Some(false);
    }
    line.doubts().next().map(|_| true)
}

/// What all lines together say to a request for approval.
fn approval(lines: &[Line]) -> Approval {
    let said: Vec<Approval> = lines.iter().filter_map(says).collect();
    let Some((first, rest)) = said.split_first() else { return Approval::Unclear };
    let taken_up = lines.iter().any(|line| line.first(Role::SecondThought).is_some());
    let weak = lines.iter().all(|line| says(line).is_none() || line.first(Role::Heard).is_some());
    let promises = lines.iter().any(|line| line.has(Role::Pending));
    let contradicts = rest.iter().any(|other| other != first);
    let endless = lines.iter().any(|line| line.words >= LONGEST);
    if contradicts || endless || (*first == Approval::Yes && (taken_up || (weak && promises))) {
        return Approval::Unclear;
    }
    *first
}

/// The first lines with words above the signature, which says nothing of the matter, or even "No, we do not print mails".
/// What goes on in lower case was only wrapped, but for what stands below a greeting.
fn first_lines(lexicon: &Lexicon, written: &str) -> Vec<Line> {
    let mut lines: Vec<First<'_>> = Vec::new();
    let (mut below_blank, mut answered) = (true, false);
    // What somebody else wrote is marked.
    for text in written.lines().map(str::trim).filter(|text| !text.starts_with('>')) {
        let wrapped = !std::mem::replace(&mut below_blank, text.is_empty()) && text.starts_with(char::is_lowercase);
        let chunks: Vec<&str> = text.split_whitespace().take(LONGEST).collect();
        let line = lexicon.line(&chunks.join(" "));
        let says_something = says(&line).is_some();
        let begun = lines.iter().any(|first| !first.greets);
        if !says_something && (begun && ends_letter(text) || answered && is_a_name(text, &line)) {
            break;
        }
        answered |= says_something;
        if wrapped && let Some(before) = lines.last_mut().filter(|first| !first.greets) {
            before.chunks.extend(chunks);
            before.chunks.truncate(LONGEST);
            before.line = None;
        } else if line.words > 0 && lines.len() == FIRST_LINES {
            break;
        } else if line.words > 0 {
            lines.push(First { chunks, greets: line.words <= GREETING && !says_something, line: Some(line) });
        }
    }
    lines.into_iter().map(|First { chunks, line, .. }| line.unwrap_or_else(|| lexicon.line(&chunks.join(" ")))).collect()
}

/// One of the first lines.
struct First<'a> {
    chunks: Vec<&'a str>,
    /// It has few words, and says nothing.
    greets: bool,
    /// As it was read; none of one that went on in the next.
    line: Option<Line>,
}

/// A line such as "Olivia O'Neill": few words, each of which begins with a capital, and none that makes a condition.
fn is_a_name(text: &str, line: &Line) -> bool {
    let words = || text.trim_start_matches(['/', '-', ' ']).split_whitespace();
    (1..=3).contains(&words().count())
        && words().all(|word| word.starts_with(char::is_uppercase))
        && !text.contains(['?', ':'])
        && ![Role::Condition, Role::SecondThought, Role::Denial, Role::Suspicion, Role::Pending].into_iter().any(|role| line.has(role))
}

/// What one line says; nothing where it speaks of something else.
fn says(line: &Line) -> Option<Approval> {
    let no = line.first(Role::No);
    let heard = line.first(Role::Heard).is_some();
    let yes = line.first(Role::Yes).is_some() || heard || line.surely() || line.names(Role::Yes) || line.names(Role::Heard);
    // "Thanks, but no."
    let no_after_all = !yes && line.of(Role::SecondThought).any(|but| line.follows(but, Role::No));
    let says_no = no.is_some() || no_after_all;
    let approves = line.has(Role::Approves) || line.has(Role::Approval);
    let agrees = line.agreements().next().is_some();
    let declines = line.has(Role::Declines) || line.names(Role::No);
    let denied = line.denials().next().is_some();
    let forgoes = denied && line.has(Role::Forgoes);
    if !(yes || says_no || agrees || declines || forgoes) {
        return None;
    }
    let awaits = line.of(Role::Pending).any(|pending| !line.covered(pending, Role::Harmless));
    let conditional = awaits || line.makes_a_condition(agrees);
    let no_matter = no.is_some_and(|no| line.follows(no, Role::NoMatter));
    // Danish "det tager vi op", German "das besprechen wir": who speaks may stand behind the verb.
    let speaks = line.of(Role::Speaker).any(|speaker| (1..=NEAR).contains(&speaker.start));
    let only_heard = heard && line.has(Role::Thanks);
    let left_to_others = line.still_to_be_approved();
    Some(match () {
        () if line.question || line.has(Role::NotYetSaid) => Approval::Unclear,
        () if says_no && no_matter && agrees && !denied && !conditional => Approval::Yes,
        () if says_no && (no_matter || awaits && !declines) => Approval::Unclear,
        () if says_no && agrees && !denied && !line.has(Role::Ourselves) => Approval::Unclear,
        () if says_no => Approval::No,
        () if declines && !yes && !approves && !line.makes_a_condition(agrees) => Approval::No,
        () if conditional || left_to_others => Approval::Unclear,
        () if yes && !agrees && (speaks || only_heard) => Approval::Unclear,
        () if yes && (denied || declines) => Approval::Unclear,
        () if yes => Approval::Yes,
        () if agrees && line.in_part() => Approval::Unclear,
        () if (agrees || forgoes) && denied => Approval::No,
        () if agrees && !declines && !line.approves_for_nobody() => Approval::Yes,
        () => Approval::Unclear,
    })
}

impl Line {
    fn of(&self, role: Role) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(move |hit| hit.role == role)
    }

    fn has(&self, role: Role) -> bool {
        self.of(role).next().is_some()
    }

    /// What it begins with.
    fn first(&self, role: Role) -> Option<&Hit> {
        self.of(role).find(|hit| hit.start == 0)
    }

    /// Whether a word of this role stands directly behind a hit.
    fn follows(&self, hit: &Hit, role: Role) -> bool {
        self.of(role).any(|next| next.start == hit.end)
    }

    /// Words by which nobody has confirmed anything.
    fn doubts(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(|hit| matches!(hit.role, Role::Denial | Role::Suspicion))
    }

    /// What agrees, but for a yes.
    fn agreements(&self) -> impl Iterator<Item = &Hit> {
        let agrees = |hit: &&Hit| matches!(hit.role, Role::Approves | Role::Approval | Role::GoAhead | Role::NoObjection);
        self.hits.iter().filter(agrees)
    }

    /// Whether a hit lies within one of this role.
    fn covered(&self, hit: &Hit, role: Role) -> bool {
        self.of(role).any(|over| over.start <= hit.start && hit.end <= over.end)
    }

    /// In which clause a hit begins.
    fn clause_of(&self, hit: &Hit) -> usize {
        self.ends.partition_point(|end| *end <= hit.start)
    }

    /// Words of denial that deny something: not "no problem", nor what "nothing against it" denies.
    fn denials(&self) -> impl Iterator<Item = &Hit> {
        let denial = |hit: &&Hit| hit.role == Role::Denial || hit.role == Role::No && hit.start > 0;
        let denies = |hit: &&Hit| !self.follows(hit, Role::NoMatter) && !self.covered(hit, Role::NoObjection);
        self.hits.iter().filter(denial).filter(denies)
    }

    /// "Zeker, ga je gang": in a longer clause such a word only stresses what it says.
    fn surely(&self) -> bool {
        self.of(Role::Surely).any(|hit| hit.start == 0 && self.ends.first() == Some(&hit.end))
    }

    /// Whether this answer is named as such: "the answer is no", "det bliver et nej".
    fn names(&self, answer: Role) -> bool {
        let ends = |hit: &Hit| self.ends.contains(&hit.end) || self.follows(hit, Role::From);
        self.of(Role::Is).any(|is| self.of(answer).any(|hit| hit.start == is.end && ends(hit)))
    }

    /// Whether a condition stands there, and nothing makes it harmless: "ga maar", "thanks, but".
    fn makes_a_condition(&self, agrees: bool) -> bool {
        let thanked = self.first(Role::Thanks).is_some() && !agrees;
        let harmless = |hit: &Hit| self.covered(hit, Role::Harmless) || thanked && self.covered(hit, Role::SecondThought);
        self.of(Role::Condition).any(|condition| !harmless(condition))
    }

    /// "Punt 1 akkoord, punt 2 niet."
    fn in_part(&self) -> bool {
        let clauses = || std::iter::once(0).chain(self.ends.iter().copied()).zip(self.ends.iter().copied());
        let inside = |hit: &Hit, (start, end): (usize, usize)| start <= hit.start && hit.end <= end;
        let agrees = |clause| self.agreements().any(|hit| inside(hit, clause));
        let denies = |clause| self.denials().any(|hit| inside(hit, clause));
        clauses().any(|clause| agrees(clause) && !denies(clause)) && clauses().any(|clause| denies(clause) && !agrees(clause))
    }

    /// "The board must approve", "I have asked Tom to approve". What is promised behind an approval is another matter:
    /// "Approved, the order will follow."
    fn still_to_be_approved(&self) -> bool {
        let approvals = || self.of(Role::Approves).chain(self.of(Role::Approval));
        let awaited = |ahead: &Hit| approvals().any(|approval| self.clause_of(ahead) <= self.clause_of(approval));
        let ahead = || self.of(Role::Ahead).filter(|ahead| !self.covered(ahead, Role::Harmless));
        self.has(Role::Must) && approvals().next().is_some() || ahead().any(awaited)
    }

    /// Whether nothing but the name of an approval approves, and it is neither the writer's own nor given:
    /// "Die Genehmigung erteilt der Stadtrat."
    fn approves_for_nobody(&self) -> bool {
        let names = |hit: &Hit| self.of(Role::Approval).any(|name| name.start == hit.start);
        let given = self.of(Role::Given).any(|hit| hit.end == self.words);
        self.agreements().all(names) && !given && !self.has(Role::Own)
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Approval};
    use crate::decide::lexicon::Lexicon;
    use std::sync::LazyLock;

    static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(&[]).unwrap());

    fn approval(written: &str) -> Approval {
        Answer::read(&LEXICON, written).approval
    }

    fn says_no(written: &str) -> bool {
        Answer::read(&LEXICON, written).says_no
    }

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
    fn any_answer_is_read_in_linear_time() {
        for text in ["maar ga ".repeat(100_000), "hoi\nja ".repeat(50_000), "ok nee ".repeat(100_000), "geen\n".repeat(100_000)] {
            assert_ne!(approval(&text), Approval::Yes);
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
