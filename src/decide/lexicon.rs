//! The words and phrases of `config/words/`, compiled once and matched against a mail in linear time.
//!
//! What is looked for in every mail and what is looked for in the first lines of an answer are compiled apart.
//! All six languages are matched at once: staff of a Danish municipality quote English error messages, and nobody
//! says which language a mail is in. Text and entries are folded alike: case, accents, apostrophes and hyphens go
//! ("back-up" is "backup"), and an entry with ä, ö, ü, å or ø also matches ae, oe, ue, aa and oe, as people type who
//! lack the key. The format of an entry is described at the top of `config/words/en.toml`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};
use toml::de::DeTable;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::words::Language;

/// The compiled-in lists, one file a language.
const COMPILED_IN: &[(Language, &str)] = &[
    (Language::Nl, include_str!("../../config/words/nl.toml")),
    (Language::Da, include_str!("../../config/words/da.toml")),
    (Language::Nb, include_str!("../../config/words/nb.toml")),
    (Language::Sv, include_str!("../../config/words/sv.toml")),
    (Language::En, include_str!("../../config/words/en.toml")),
    (Language::De, include_str!("../../config/words/de.toml")),
];

/// How many words `...` in an entry may stand for.
const GAP: usize = 4;

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $table:literal . $key:literal),+ $(,)?) => {
        /// What an entry stands for: one list of the files.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Role { $($(#[$doc])* $role),+ }

        /// Table and key of every list.
        const LISTS: &[(&str, &str, Role)] = &[$(($table, $key, Role::$role)),+];
    };
}

roles! {
    /// Says "not" or "no".
    Not = "grammar"."not",
    /// Ends the reach of a negation: a reason follows.
    Because = "grammar"."because",
    /// Ends the reach of a time: another statement follows.
    And = "grammar"."and",
    /// Begins a clause that stands against what went before.
    But = "grammar"."but",
    /// The same, but only as the first word of a clause.
    Now = "grammar"."now",
    /// Ends the letter: a signature follows.
    SignOff = "grammar"."sign_off",
    /// Takes up what the clause before spoke of.
    It = "grammar"."it",

    /// An outage by itself, as a noun.
    Outage = "urgent"."outage",
    /// A whole statement that work stands still.
    Standstill = "urgent"."standstill",
    /// A state that only a whole system can be in.
    Down = "urgent"."down",
    /// Something whose failure is an outage.
    System = "urgent"."system",
    /// What a system does when it is well; urgent only with a negation.
    Works = "urgent"."works",
    /// A state that is an outage for a system, but not for a button.
    Failing = "urgent"."failing",
    /// All people, or a whole department or counter.
    Everyone = "urgent"."everyone",
    /// No person at all.
    Nobody = "urgent"."nobody",
    /// The team of the sender.
    We = "urgent"."we",
    /// To be able to.
    Able = "urgent"."able",
    /// Not to be able to.
    Unable = "urgent"."unable",
    /// What people must be able to do to do their work at all.
    Work = "urgent"."work",
    /// To have no access.
    ShutOut = "urgent"."shut_out",
    /// What a screen says instead of working.
    Error = "urgent"."error",
    /// What may not be lost.
    Data = "urgent"."data",
    /// How it is being lost.
    Vanishing = "urgent"."vanishing",

    /// A part of a page or a function: its failure is an annoyance.
    Small = "unless"."small",
    /// It happens to one person only.
    OnlyMe = "unless"."only_me",
    /// The system does work, only not as one wishes.
    Mild = "unless"."mild",
    /// The sender says that there is no hurry.
    NotUrgent = "unless"."not_urgent",
    /// It is over.
    Resolved = "unless"."resolved",
    /// Makes "it is over" a wish or a promise.
    NotYet = "unless"."not_yet",
    /// It was then.
    Past = "unless"."past",
    /// Makes a past time a beginning: since last week.
    Since = "unless"."since",
    /// Makes a past time a comparison: as last week.
    Again = "unless"."again",
    /// It is announced or expected.
    Planned = "unless"."planned",
    /// Makes an announced event one that is over: after the maintenance.
    After = "unless"."after",
    /// A time to come, close to the sign.
    Later = "unless"."later",
    /// Refers to an announced time.
    Then = "unless"."then",
    /// It might happen.
    Hypothetical = "unless"."hypothetical",
    /// Asks for the end of something that goes on.
    HowLong = "unless"."how_long",
    /// Only looks like an outage.
    NoOutage = "unless"."ignore",

    /// ICT beyond doubt.
    IctCertain = "ict"."certain",
    /// ICT.
    IctLikely = "ict"."likely",
    /// ICT together with something else.
    IctHint = "ict"."hint",
    /// Mail as a thing that is delivered.
    Mail = "ict"."mail",
    /// What befalls mail under way.
    Delivery = "ict"."delivery",
    /// Only looks like ICT, or is mentioned in passing.
    NoIct = "ict"."ignore",
    /// "It is not about" what follows.
    NotAbout = "ict"."not_about",

    /// Content, texts, pictures, layout, forms.
    Content = "content"."likely",
    /// Content together with something else.
    ContentHint = "content"."hint",
    /// Only looks like content.
    NoContent = "content"."ignore",

    /// Says yes at the beginning of a line.
    Yes = "answer"."yes",
    /// Says yes likewise, but also to what is merely heard.
    Heard = "answer"."heard",
    /// Says yes as a whole clause.
    Surely = "answer"."surely",
    /// Says no at the beginning of a line.
    No = "answer"."no",
    /// Directly behind a "no" or "not", what denies nothing.
    NoMatter = "answer"."no_matter",
    /// Says "not".
    Denial = "answer"."denial",
    /// Says that something is wrong with a mail.
    Suspicion = "answer"."suspicion",
    /// Says that a mail is one's own.
    Mine = "answer"."mine",
    /// Approves.
    Approves = "answer"."approves",
    /// Tells us to begin, or that all is well.
    GoAhead = "answer"."go_ahead",
    /// Says that nothing stands against it.
    NoObjection = "answer"."no_objection",
    /// The name of an approval, whoever gives it.
    Approval = "answer"."approval",
    /// Makes it the writer's own.
    Own = "answer"."own",
    /// At the end of a line, says that it is given.
    Given = "answer"."given",
    /// Stands before a yes or no that is named as such.
    Is = "answer"."is",
    /// May stand behind it.
    From = "answer"."from",
    /// Declines.
    Declines = "answer"."declines",
    /// What is not done where it is declined.
    Forgoes = "answer"."forgoes",
    /// Who does it instead of us.
    Ourselves = "answer"."ourselves",
    /// Makes a yes a condition, a doubt or a matter for later.
    Condition = "answer"."condition",
    /// Covers a word of a condition that is none.
    Harmless = "answer"."harmless",
    /// Begins a second thought.
    SecondThought = "answer"."second_thought",
    /// What is only received, or what somebody still has to do.
    Pending = "answer"."pending",
    /// Still to come, not known, or somebody else's.
    NotYetSaid = "answer"."not_yet",
    /// What must be is not yet.
    Must = "answer"."must",
    /// Promised, or asked of somebody.
    Ahead = "answer"."ahead",
    /// Who speaks.
    Speaker = "answer"."speaker",
    /// Thanks.
    Thanks = "answer"."thanks",
    /// Greets, before a line says something.
    Greeting = "answer"."greeting",
}

impl Role {
    /// Would "not" inside turn its meaning round? "Er nede" must not be found in "er ikke nede".
    fn describes_a_state(self) -> bool {
        matches!(self, Self::Outage | Self::Standstill | Self::Down | Self::Failing | Self::Vanishing | Self::Resolved)
    }

    /// Does it belong to answers alone?
    fn is_for_answers(self) -> bool {
        LISTS.iter().any(|(table, _, role)| *role == self && *table == "answer")
    }
}

/// A list of words has a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LexiconError {
    /// Whose file it is.
    pub language: Language,
    /// Line in the file, counted from 1.
    pub line: usize,
    /// What is wrong, in a sentence.
    pub message: String,
}

impl fmt::Display for LexiconError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "word lists {}, line {}: {}", self.language, self.line, self.message)
    }
}

impl std::error::Error for LexiconError {}

/// The compiled lists of all languages.
pub struct Lexicon {
    /// What is looked for in a mail.
    mails: Phrases,
    /// What is looked for in the first lines of an answer.
    answers: Phrases,
}

/// Lists that are searched for together.
struct Phrases {
    automaton: AhoCorasick,
    phrases: Vec<Phrase>,
    /// For each pattern of the automaton, the phrases that it can begin.
    beginnings: Vec<Vec<usize>>,
}

/// A compiled entry.
struct Phrase {
    role: Role,
    steps: Vec<Step>,
}

/// One word of an entry: any of these patterns, after a gap or at once.
struct Step {
    gap: bool,
    patterns: Vec<usize>,
}

/// A phrase found: the words `start..end` of a clause.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) role: Role,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A part of a sentence, with what the lexicon finds in it.
#[derive(Debug)]
pub(super) struct Clause {
    /// The words, folded.
    pub(super) words: Vec<String>,
    /// Words that look like the name of a system: "DigiD", "BRP".
    pub(super) names: Vec<usize>,
    /// What was found, in the order of the words.
    pub(super) hits: Vec<Hit>,
    /// Counts sentences of the mail; the subject is sentence 0.
    pub(super) sentence: usize,
    /// Does the sentence end with a question mark?
    pub(super) question: bool,
    /// Does it stand against what went before ("but", "now")?
    pub(super) turns: bool,
    /// Does all of it stand in quotation marks?
    pub(super) quoted: bool,
}

impl Clause {
    /// The hits of one role.
    pub(super) fn of(&self, role: Role) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(move |hit| hit.role == role)
    }

    /// Is there a hit of this role?
    pub(super) fn has(&self, role: Role) -> bool {
        self.of(role).next().is_some()
    }

    /// Where the first hit of any of these roles begins.
    pub(super) fn first_of(&self, roles: &[Role]) -> Option<usize> {
        self.hits.iter().find(|hit| roles.contains(&hit.role)).map(|hit| hit.start)
    }

    /// Does it belong to the subject?
    pub(super) fn in_subject(&self) -> bool {
        self.sentence == 0
    }
}

/// A line of an answer behind its greeting, with what the lists of `[answer]` find in it.
#[derive(Debug)]
pub(super) struct Line {
    /// How many words it has.
    pub(super) words: usize,
    /// Before which word each of its clauses ends.
    pub(super) ends: Vec<usize>,
    /// What was found, in the order of the words.
    pub(super) hits: Vec<Hit>,
    /// Does it hold a question mark?
    pub(super) question: bool,
}

/// How many words a greeting has at most.
pub(super) const GREETING: usize = 4;

/// What a mail says, as far as the lexicon knows its words: clause by clause.
#[derive(Debug)]
pub struct Said(pub(super) Vec<Clause>);

/// The words of an entry: is there a gap before the word, and what patterns match it?
type Steps = Vec<(bool, Vec<String>)>;

/// Entries under their list.
type Lists = BTreeMap<(Role, String), Steps>;

impl Lexicon {
    /// The compiled-in lists with the admins' additions (contents of `words/<lang>.toml`).
    ///
    /// # Errors
    /// The first list or entry that is not as `config/words/en.toml` describes it.
    pub fn new(overrides: &[(Language, String)]) -> Result<Self, LexiconError> {
        let mut lists = Lists::new();
        for (language, source) in COMPILED_IN {
            read(*language, source, &mut lists)?;
        }
        for (language, source) in overrides {
            read(*language, source, &mut lists)?;
        }
        let (answers, mails): (Lists, Lists) = lists.into_iter().partition(|((role, _), _)| role.is_for_answers());
        Ok(Self { mails: compile(mails)?, answers: compile(answers)? })
    }

    /// Reads what a mail says, once for all that is asked of it.
    #[must_use]
    pub fn read(&self, subject: &str, written: &str) -> Said {
        Said(self.clauses(subject, written))
    }

    /// Takes a mail apart into clauses, subject first, and finds everything in them.
    fn clauses(&self, subject: &str, written: &str) -> Vec<Clause> {
        let mut clauses = Vec::new();
        let mut subject = sentences_of(subject).into_iter().take(MOST_PIECES).reduce(Sentence::join).unwrap_or_default();
        subject.pieces.truncate(MOST_PIECES);
        for (index, sentence) in std::iter::once(subject).chain(sentences_of(written)).enumerate() {
            let shouted = sentence.pieces.iter().flatten().all(|word| !word.lower);
            let first = clauses.len();
            for piece in sentence.pieces {
                self.divide(&piece, index, sentence.question, shouted, &mut clauses);
            }
            if index > 0 && clauses.get(first..).is_some_and(signs_off) {
                clauses.truncate(first);
                break;
            }
        }
        clauses
    }

    /// Divides a piece between two punctuation marks at words such as "but".
    fn divide(&self, piece: &[Word], sentence: usize, question: bool, shouted: bool, clauses: &mut Vec<Clause>) {
        let hits = self.mails.hits(&folded_words(piece));
        let mut cuts: Vec<usize> = hits.iter().filter(|hit| hit.role == Role::But).map(|hit| hit.start).collect();
        cuts.extend([0, piece.len()]);
        cuts.sort_unstable();
        cuts.dedup();
        for (start, end) in cuts.iter().copied().zip(cuts.iter().copied().skip(1)) {
            let inside: Vec<Hit> = hits
                .iter()
                .filter(|hit| hit.start >= start && hit.end <= end)
                .map(|hit| Hit { role: hit.role, start: hit.start - start, end: hit.end - start })
                .collect();
            let words = piece.get(start..end).unwrap_or_default();
            let names = |(_, word): &(usize, &Word)| word.name && !shouted;
            clauses.push(Clause {
                names: words.iter().enumerate().filter(names).map(|(at, _)| at).collect(),
                words: words.iter().map(|word| word.folded.clone()).collect(),
                quoted: words.iter().all(|word| word.quoted),
                turns: inside.iter().any(|hit| hit.start == 0 && matches!(hit.role, Role::But | Role::Now)),
                hits: inside,
                sentence,
                question,
            });
        }
    }

    /// Reads one line of an answer.
    pub(super) fn line(&self, text: &str) -> Line {
        let sentences = sentences_of(text);
        let question = sentences.iter().any(|sentence| sentence.question);
        let pieces: Vec<Vec<Word>> = sentences.into_iter().flat_map(|sentence| sentence.pieces).collect();
        self.line_of(&pieces, question)
    }

    fn line_of(&self, pieces: &[Vec<Word>], question: bool) -> Line {
        let words: Vec<&str> = pieces.iter().flat_map(|piece| folded_words(piece)).collect();
        let hits = self.answers.hits(&words);
        let greets = hits.iter().any(|hit| hit.role == Role::Greeting && hit.start == 0);
        match pieces.split_first() {
            Some((greeting, rest)) if greets && greeting.len() <= GREETING && !rest.is_empty() => self.line_of(rest, question),
            _ => {
                let mut end = 0;
                let ends = pieces.iter().map(|piece| {
                    end += piece.len();
                    end
                });
                Line { words: words.len(), ends: ends.collect(), hits, question }
            }
        }
    }
}

/// The words as they are searched.
fn folded_words(piece: &[Word]) -> Vec<&str> {
    piece.iter().map(|word| word.folded.as_str()).collect()
}

impl Phrases {
    /// The phrases that any of these patterns can begin.
    fn begun_by(&self, patterns: &[usize]) -> impl Iterator<Item = usize> {
        patterns.iter().filter_map(|pattern| self.beginnings.get(*pattern)).flatten().copied()
    }

    /// All phrases in a row of words, by where they begin.
    fn hits(&self, words: &[&str]) -> Vec<Hit> {
        let mut haystack = String::from(" ");
        let mut starts = Vec::with_capacity(words.len());
        for word in words {
            starts.push(haystack.len());
            haystack.push_str(word);
            haystack.push(' ');
        }
        let mut found: Vec<Vec<usize>> = vec![Vec::new(); words.len()];
        for pattern in self.automaton.find_overlapping_iter(&haystack) {
            // A pattern begins inside its word or with the one space before it; one inside has three characters.
            let word = starts.partition_point(|start| *start <= pattern.start() + 1).saturating_sub(1);
            if let Some(patterns) = found.get_mut(word) {
                patterns.push(pattern.pattern().as_usize());
            }
        }
        let says_not = |id| self.phrases.get(id).is_some_and(|phrase: &Phrase| phrase.role == Role::Not);
        let negations: Vec<bool> = found.iter().map(|patterns| self.begun_by(patterns).any(says_not)).collect();
        let mut hits = Vec::new();
        let mut candidates = Vec::new();
        for (start, patterns) in found.iter().enumerate() {
            candidates.clear();
            candidates.extend(self.begun_by(patterns));
            candidates.sort_unstable();
            candidates.dedup();
            for phrase in candidates.iter().filter_map(|id| self.phrases.get(*id)) {
                let rest = phrase.steps.get(1..).unwrap_or_default();
                let barriers = if phrase.role.describes_a_state() { negations.as_slice() } else { &[] };
                if let Some(end) = end_of(rest, start + 1, &found, barriers) {
                    hits.push(Hit { role: phrase.role, start, end });
                }
            }
        }
        hits
    }
}

/// The longest sentence that can be the end of a letter: "With kind regards, Emma Clarke, Brookham Council".
const SIGN_OFF: usize = 8;

/// Does this sentence end the letter? What follows is a signature: names, departments, disclaimers.
fn signs_off(sentence: &[Clause]) -> bool {
    sentence.first().is_some_and(|clause| clause.of(Role::SignOff).any(|hit| hit.start == 0))
        && sentence.iter().map(|clause| clause.words.len()).sum::<usize>() <= SIGN_OFF
}

/// Where the rest of a phrase ends when it goes on at `at`. A gap does not reach over a barrier.
fn end_of(steps: &[Step], at: usize, found: &[Vec<usize>], barriers: &[bool]) -> Option<usize> {
    let Some((step, rest)) = steps.split_first() else { return Some(at) };
    let reach = if step.gap { GAP } else { 0 };
    for place in at..=at + reach {
        let patterns = found.get(place)?;
        if patterns.iter().any(|pattern| step.patterns.contains(pattern))
            && let Some(end) = end_of(rest, place + 1, found, barriers)
        {
            return Some(end);
        }
        if barriers.get(place).copied().unwrap_or_default() {
            return None;
        }
    }
    None
}

/// Reads a file of lists into `lists`.
fn read(language: Language, source: &str, lists: &mut Lists) -> Result<(), LexiconError> {
    let ends = LineEnds::of(source);
    let complain = |offset: usize, message: String| LexiconError { language, line: ends.line(offset), message };
    let file = DeTable::parse(source).map_err(|error| complain(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    for (table, content) in file.get_ref() {
        let at = table.span().start;
        let table: &str = table.get_ref();
        let known: Vec<&str> = LISTS.iter().filter(|(of, ..)| *of == table).map(|(_, key, _)| *key).collect();
        if known.is_empty() {
            let tables = "grammar, urgent, unless, ict, content and answer";
            return Err(complain(at, format!("there is no table `{table}`; there are {tables}")));
        }
        let Some(content) = content.get_ref().as_table() else {
            return Err(complain(at, format!("`{table}` must be a table of lists")));
        };
        for (key, list) in content {
            let at = key.span().start;
            let key: &str = key.get_ref();
            let Some((_, _, role)) = LISTS.iter().find(|(of, name, _)| *of == table && *name == key) else {
                let message = format!("there is no list `{key}` in [{table}]; there are {}", known.join(", "));
                return Err(complain(at, message));
            };
            let Some(list) = list.get_ref().as_array() else {
                return Err(complain(at, format!("`{table}.{key}` must be a list of texts in quotes")));
            };
            for entry in list.iter() {
                let at = entry.span().start;
                let Some(text) = entry.get_ref().as_str().map(str::trim) else {
                    return Err(complain(at, format!("`{table}.{key}` must hold texts in quotes only")));
                };
                if let Some(removed) = text.strip_prefix('-') {
                    if lists.remove(&(*role, removed.trim().to_owned())).is_none() {
                        return Err(complain(at, format!("`{table}.{key}` has no such entry to take away")));
                    }
                    continue;
                }
                let steps = steps_of(text).map_err(|message| complain(at, format!("`{table}.{key}`, \"{text}\": {message}")))?;
                lists.insert((*role, text.to_owned()), steps);
            }
        }
    }
    Ok(())
}

/// Where each line of a file ends: thousands of entries ask for their line.
struct LineEnds(Vec<usize>);

impl LineEnds {
    fn of(source: &str) -> Self {
        Self(source.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line of an offset, counted from 1.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

/// An entry as patterns for the automaton: for each of its words, is there a gap before it, and what matches it?
/// A pattern begins (ends) with a space where the word must begin (end).
fn steps_of(entry: &str) -> Result<Steps, &'static str> {
    let mut steps = Vec::new();
    let mut gap = false;
    for part in entry.split_whitespace() {
        if part == "..." {
            gap = true;
            continue;
        }
        let mut patterns = Vec::new();
        for word in part.split('|') {
            let core = word.trim_matches('*');
            if core.chars().any(|c| !c.is_alphanumeric() && !is_joiner(c) && !is_apostrophe(c)) {
                return Err("an entry has letters, digits, *, | and ... only");
            }
            for core in spellings(core) {
                if core.is_empty() || (word.contains('*') && core.chars().count() < 3) {
                    return Err("a word with * needs three letters at least");
                }
                let before = if word.starts_with('*') { "" } else { " " };
                let after = if word.ends_with('*') { "" } else { " " };
                patterns.push(format!("{before}{core}{after}"));
            }
        }
        steps.push((std::mem::take(&mut gap), patterns));
    }
    match steps.first() {
        None => Err("an entry is empty"),
        Some((true, _)) => Err("an entry cannot begin with ..."),
        Some(_) if gap => Err("an entry cannot end with ..."),
        Some(_) => Ok(steps),
    }
}

/// A word folded, and folded with two letters for each of ä, ö, ü, å and ø.
fn spellings(word: &str) -> Vec<String> {
    let mut two_letters = String::with_capacity(word.len() + 4);
    for c in word.nfc().flat_map(char::to_lowercase) {
        match c {
            'ä' => two_letters.push_str("ae"),
            'ö' | 'ø' => two_letters.push_str("oe"),
            'ü' => two_letters.push_str("ue"),
            'å' => two_letters.push_str("aa"),
            c => two_letters.push(c),
        }
    }
    let folded_word = folded(word);
    if let Some(subjunctive) = subjunctive(&folded_word).filter(|_| word.nfc().any(is_umlaut)) {
        return vec![subjunctive.to_owned()];
    }
    let mut all = vec![folded_word, folded(&two_letters)];
    all.dedup();
    all
}

/// German verbs of which only the umlaut tells "would" from "was": they keep it, as two letters. Of "wir wurden
/// gehackt" and "wir würden gehackt" one is an incident.
const SUBJUNCTIVES: &[(&str, &str)] = &[
    ("wurde", "wuerde"),
    ("wurden", "wuerden"),
    ("konnte", "koennte"),
    ("konnten", "koennten"),
    ("mochte", "moechte"),
    ("mochten", "moechten"),
    ("musste", "muesste"),
    ("mussten", "muessten"),
    ("durfte", "duerfte"),
    ("durften", "duerften"),
    ("hatte", "haette"),
    ("hatten", "haetten"),
    ("ware", "waere"),
    ("waren", "waeren"),
];

/// What a word with an umlaut folds to when it is one of [`SUBJUNCTIVES`].
fn subjunctive(folded: &str) -> Option<&'static str> {
    SUBJUNCTIVES.iter().find(|(plain, _)| *plain == folded).map(|(_, umlaut)| *umlaut)
}

/// A letter with two dots, or the two dots alone, as some systems write it.
fn is_umlaut(c: char) -> bool {
    matches!(c, 'ä' | 'ö' | 'ü' | 'Ä' | 'Ö' | 'Ü' | '\u{308}')
}

/// Case, accents, apostrophes, hyphens and invisible characters are dropped.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        fold_into(&mut out, c);
    }
    out
}

/// Folds one character; what is no letter and no digit disappears.
fn fold_into(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c.to_ascii_lowercase());
        return;
    }
    for c in std::iter::once(c).nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ø' => out.push('o'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ß' => out.push_str("ss"),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            c if c.is_alphanumeric() => out.push(c),
            _ => {}
        }
    }
}

/// Hyphens that join the parts of a word.
fn is_joiner(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\u{ad}')
}

/// Apostrophes, as keyboards and mail programs write them.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ')
}

/// How many spellings of an entry in one word are worth their place.
const TOGETHER: usize = 6;

/// A phrase as one word, for it may have hyphens: "two factor" is also "two-factor", which folds to "twofactor".
fn written_together(steps: &[(bool, Vec<String>)]) -> Vec<String> {
    let joins = |(gap, words): &(bool, Vec<String>)| !gap && words.iter().all(|word| word.starts_with(' '));
    if steps.len() < 2 || !steps.iter().all(joins) {
        return Vec::new();
    }
    let mut together = vec![String::new()];
    for (_, words) in steps {
        if together.len() * words.len() > TOGETHER || together.iter().any(|begun| !begun.is_empty() && !begun.ends_with(' ')) {
            return Vec::new();
        }
        let longer = |begun: &String| words.iter().map(|word| join(begun, word)).collect::<Vec<_>>();
        together = together.iter().flat_map(longer).collect();
    }
    together
}

/// Two patterns as one word.
fn join(begun: &str, word: &str) -> String {
    if begun.is_empty() { word.to_owned() } else { format!("{}{}", begun.trim_end(), word.trim_start()) }
}

/// Builds the automaton.
fn compile(lists: Lists) -> Result<Phrases, LexiconError> {
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut patterns: Vec<String> = Vec::new();
    let mut phrases = Vec::new();
    let mut beginnings: Vec<Vec<usize>> = Vec::new();
    for ((role, _), entry) in lists {
        let together = written_together(&entry);
        for entry in std::iter::once(entry).chain((!together.is_empty()).then(|| vec![(false, together)])) {
            let mut steps = Vec::new();
            for (gap, words) in entry {
                let mut step = Step { gap, patterns: Vec::new() };
                for word in words {
                    let id = *ids.entry(word.clone()).or_insert_with(|| {
                        patterns.push(word);
                        beginnings.push(Vec::new());
                        patterns.len() - 1
                    });
                    step.patterns.push(id);
                }
                steps.push(step);
            }
            for id in steps.first().map_or(&[][..], |step| &step.patterns) {
                if let Some(begun) = beginnings.get_mut(*id) {
                    begun.push(phrases.len());
                }
            }
            phrases.push(Phrase { role, steps });
        }
    }
    let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&patterns).map_err(|_| LexiconError {
        language: Language::En,
        line: 1,
        message: "there are more words than can be searched for".to_owned(),
    })?;
    Ok(Phrases { automaton, phrases, beginnings })
}

/// A word of a mail.
#[derive(Debug)]
struct Word {
    folded: String,
    /// Has it a small letter (is it not shouted)?
    lower: bool,
    /// Has it a capital behind its first letter, as names of systems have?
    name: bool,
    /// Does it stand in quotation marks?
    quoted: bool,
}

/// A sentence: pieces between commas and the like.
#[derive(Debug, Default)]
struct Sentence {
    pieces: Vec<Vec<Word>>,
    question: bool,
}

impl Sentence {
    /// Two sentences as one: a subject is one, however it is punctuated.
    fn join(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self.question |= other.question;
        self
    }
}

/// Lines shorter than this end a sentence when the next one begins with a capital: greetings, lists, headings.
/// Mail programs wrap at 60 characters or more.
const SHORT_LINE: usize = 45;

/// A piece has no more words than this, and a sentence no more pieces: what is compared with one another stays short,
/// and the whole linear, whatever somebody sends.
const LONGEST_PIECE: usize = 60;

/// See [`LONGEST_PIECE`].
const MOST_PIECES: usize = 40;

/// Takes text apart into sentences and pieces. Web and mail addresses are left out.
fn sentences_of(text: &str) -> Vec<Sentence> {
    let mut taker = Taker::default();
    let mut lines = text.lines().map(str::trim).peekable();
    let mut hyphenated = false;
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        for chunk in line.split_whitespace() {
            if !std::mem::take(&mut hyphenated) {
                taker.end_word();
            }
            taker.take(chunk);
        }
        hyphenated =
            line.ends_with(is_joiner) && line.chars().rev().nth(1).is_some_and(char::is_alphabetic) && next.starts_with(char::is_lowercase);
        if hyphenated {
            continue;
        }
        taker.end_word();
        let breaks = line.is_empty()
            || next.is_empty()
            || next.starts_with(['-', '*', '•', '–', '>', '·'])
            || (line.chars().count() < SHORT_LINE && next.starts_with(|c: char| c.is_uppercase() || c.is_numeric()));
        if breaks {
            taker.end_sentence(false);
        }
    }
    taker.end_word();
    taker.end_sentence(false);
    taker.sentences
}

/// What has been read so far.
#[derive(Default)]
struct Taker {
    sentences: Vec<Sentence>,
    sentence: Sentence,
    piece: Vec<Word>,
    word: String,
    lower: bool,
    capital_inside: bool,
    /// Has the word an umlaut?
    umlaut: bool,
    /// Is a quotation mark open?
    quoted: bool,
    /// A full stop was read: the next word tells whether it ended the sentence.
    stopped: bool,
}

impl Taker {
    /// Takes what stands between two white spaces.
    fn take(&mut self, chunk: &str) {
        let link = chunk.contains("://") || chunk.contains('@') || chunk.starts_with("www.");
        if link {
            self.end_word();
            return;
        }
        let first = chunk.chars().find(|c| c.is_alphanumeric());
        if std::mem::take(&mut self.stopped) && !first.is_some_and(|c| c.is_lowercase() || c.is_numeric()) {
            self.end_sentence(false);
        }
        let mut chars = chunk.chars().peekable();
        let mut joined = false;
        while let Some(c) = chars.next() {
            let last = chars.peek().is_none();
            if c.is_alphanumeric() || is_combining_mark(c) {
                self.capital_inside |= c.is_uppercase() && !self.word.is_empty() && !joined;
                self.lower |= c.is_lowercase();
                self.umlaut |= is_umlaut(c);
                fold_into(&mut self.word, c);
                joined = false;
                continue;
            }
            joined = is_joiner(c) && !self.word.is_empty();
            if joined || is_apostrophe(c) && !self.word.is_empty() && !last {
                continue;
            }
            self.end_word();
            match c {
                '!' | '…' => self.end_sentence(false),
                '?' => self.end_sentence(true),
                '.' if chars.peek().is_none_or(|next| !next.is_alphanumeric()) => self.stopped = true,
                '"' | '“' | '”' | '„' | '«' | '»' => {
                    self.end_piece();
                    self.quoted = !self.quoted;
                }
                ',' | ';' | ':' | '(' | ')' | '–' | '—' => self.end_piece(),
                '-' if chunk.len() == 1 => self.end_piece(),
                _ => {}
            }
        }
    }

    fn end_word(&mut self) {
        let folded = std::mem::take(&mut self.word);
        let lower = std::mem::take(&mut self.lower);
        let name = std::mem::take(&mut self.capital_inside);
        let umlaut = std::mem::take(&mut self.umlaut);
        let folded = subjunctive(&folded).filter(|_| umlaut).map_or(folded, str::to_owned);
        if !folded.is_empty() {
            self.piece.push(Word { folded, lower, name, quoted: self.quoted });
        }
        if self.piece.len() >= LONGEST_PIECE {
            self.end_piece();
        }
    }

    fn end_piece(&mut self) {
        if !self.piece.is_empty() {
            self.sentence.pieces.push(std::mem::take(&mut self.piece));
        }
        if self.sentence.pieces.len() >= MOST_PIECES {
            self.sentences.push(std::mem::take(&mut self.sentence));
        }
    }

    fn end_sentence(&mut self, question: bool) {
        self.stopped = false;
        self.end_piece();
        self.quoted = false;
        if !self.sentence.pieces.is_empty() {
            let mut sentence = std::mem::take(&mut self.sentence);
            sentence.question = question;
            self.sentences.push(sentence);
        } else if let (true, Some(last)) = (question, self.sentences.last_mut()) {
            last.question = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::topic::ict;
    use crate::decide::urgency::urgent;

    fn words(text: &str) -> Vec<Vec<String>> {
        Lexicon::new(&[]).unwrap().clauses("", text).into_iter().map(|clause| clause.words).collect()
    }

    #[test]
    fn words_are_folded_and_hyphens_and_line_breaks_join() {
        assert_eq!(words("Back-up, e-mail\nÉÉN Störung’s"), [vec!["backup"], vec!["email"], vec!["een", "storungs"]]);
        assert_eq!(words("een wachtwoord-\nreset"), [["een", "wachtwoordreset"]]);
        assert_eq!(words("Bürger- und Ordnungsamt"), [["burger", "und", "ordnungsamt"]]);
        assert_eq!(words("zie https://server.example/login en mail a@server.example."), [["zie", "en", "mail"]]);
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        let sentences = |text| {
            let clauses = Lexicon::new(&[]).unwrap().clauses("", text);
            clauses.last().map(|clause| clause.sentence)
        };
        assert_eq!(sentences("Hallo Jan,\nHet werkt niet. Dank!\n\n- een\n- twee"), Some(5));
        assert_eq!(sentences("Vanaf ca. 8.30 uur werkt bijv. de server\nniet meer goed"), Some(1));
        assert_eq!(sentences("Het werkt niet.\nMet vriendelijke groet,\nJan Jansen\nAfdeling ICT"), Some(1));
    }

    #[test]
    fn accents_may_be_left_out_or_written_with_two_letters() {
        let lexicon = Lexicon::new(&[]).unwrap();
        for text in ["Wir haben eine Störung", "Wir haben eine Stoerung", "WIR HABEN EINE STORUNG", "Wir haben eine Sto\u{308}rung"] {
            assert!(urgent(&lexicon.read("", text)), "{text}");
        }
        assert!(ict(&lexicon.read("", "Ny brandvaegg")) && ict(&lexicon.read("", "Ny brandvagg")));
    }

    #[test]
    fn admins_add_and_take_away_entries() {
        let text = "The permit desk register is broken";
        assert!(!urgent(&Lexicon::new(&[]).unwrap().read("", text)));
        let more = "[urgent]\nsystem = ['permit desk']\n".to_owned();
        assert!(urgent(&Lexicon::new(&[(Language::En, more)]).unwrap().read("", text)));
        assert!(ict(&Lexicon::new(&[]).unwrap().read("", "Our Kubernetes")));
        let less = "[ict]\ncertain = ['-kubernetes']\n".to_owned();
        assert!(!ict(&Lexicon::new(&[(Language::En, less)]).unwrap().read("", "Our Kubernetes")));
    }

    #[test]
    fn complaints_name_list_and_line() {
        let cases = [
            ("[urgents]\n", "line 1: there is no table `urgents`"),
            ("[urgent]\n\nsystems = []\n", "line 3: there is no list `systems` in [urgent]; there are outage"),
            ("[urgent]\nsystem = 'app'\n", "line 2: `urgent.system` must be a list"),
            ("[urgent]\nsystem = [\n'app',\n4]\n", "line 4: `urgent.system` must hold texts"),
            ("[urgent]\nsystem = ['ab*']\n", "line 2: `urgent.system`, \"ab*\": a word with * needs three letters"),
            ("[urgent]\nsystem = ['a (b)']\n", "line 2: `urgent.system`, \"a (b)\": an entry has letters"),
            ("[urgent]\nsystem = ['the ...']\n", "line 2: `urgent.system`, \"the ...\": an entry cannot end with"),
            ("[urgent]\nsystem = ['-no such thing']\n", "line 2: `urgent.system` has no such entry"),
            ("[urgent\n", "line 1: "),
        ];
        for (source, expected) in cases {
            let said = Lexicon::new(&[(Language::Da, source.to_owned())]).err().unwrap().to_string();
            assert!(said.starts_with(&format!("word lists da, {expected}")), "{source:?} says {said}");
        }
    }

    #[test]
    fn any_text_is_read_in_linear_time() {
        let lexicon = Lexicon::new(&[]).unwrap();
        for text in ["a".repeat(20_000), "niet ".repeat(4_000), "-\n".repeat(5_000), "?.,".repeat(6_000)] {
            assert!(!urgent(&lexicon.read(&text, &text)));
        }
    }
}
