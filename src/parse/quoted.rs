//! What was written now, and what is history.
//!
//! Urgency, topic and a yes or no are judged from what was written now, so both mistakes hurt: a quotation taken for new
//! text, and new text taken for a quotation. Marks decide (`>`, the markup of mail programs); lines that introduce a
//! quotation decide where marks are missing, and only in the forms that mail programs write, never by a single word.

/// One line of text, and whether markup says that it is a quotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The line without its end.
    pub text: String,
    /// Marked by HTML as quoted.
    pub quoted: bool,
}

/// Plain text as lines, none of them marked.
pub(super) fn lines(text: &str) -> Vec<Line> {
    text.split('\n').map(|line| Line { text: line.trim_end().to_owned(), quoted: false }).collect()
}

/// The two halves of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub written: String,
    pub quoted: String,
}

/// Splits a text. Answers between and below marked quotations count as written; below an unmarked quotation nothing does,
/// because nothing tells where it ends. A signature stays with what it signs.
pub(super) fn split(lines: &[Line]) -> Split {
    let marked = marks(lines);
    let mut is_history = marked.clone();
    let mut at = 0;
    while at < lines.len() {
        if marked.get(at).copied().unwrap_or_default() {
            at += 1;
            continue;
        }
        let Some(introduction) = introduction(lines, &marked, at) else {
            at += 1;
            continue;
        };
        let after = at + introduction.lines;
        // What stands next says how far the quotation goes: as far as the marks, or to the end.
        let next = (after..lines.len()).find(|i| !text(lines, *i).trim().is_empty());
        let followed_by_marks = next.is_some_and(|i| marked.get(i).copied().unwrap_or_default());
        let end = if followed_by_marks || (next.is_some() && introduction.needs_marks) { after } else { lines.len() };
        if introduction.needs_marks && !followed_by_marks && next.is_some() {
            at += 1;
            continue;
        }
        let mut start = at;
        // A rule above the introduction belongs to it.
        if let Some(above) = (0..at).rev().find(|i| !text(lines, *i).trim().is_empty())
            && at - above <= 3
            && is_rule(text(lines, above))
        {
            start = above;
        }
        for flag in is_history.iter_mut().take(end).skip(start) {
            *flag = true;
        }
        at = end.max(at + 1);
    }
    let mut split = Split::default();
    for (line, history) in lines.iter().zip(is_history) {
        if history {
            push(&mut split.quoted, unmarked(&line.text));
        } else {
            push(&mut split.written, &line.text);
        }
    }
    split.written = tidy(&split.written);
    split.quoted = tidy(&split.quoted);
    split
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// At most one blank line in a row, none at the ends.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.trim_end().lines() {
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        if blank > 0 && !out.is_empty() {
            out.push('\n');
        }
        blank = 0;
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

fn text(lines: &[Line], at: usize) -> &str {
    lines.get(at).map_or("", |line| line.text.as_str())
}

/// The line without the marks of its quotation.
fn unmarked(line: &str) -> &str {
    let start = line.trim_start();
    if start.starts_with('>') { start.trim_start_matches(['>', ' ']) } else { line }
}

/// `>:` is the end of an attribution whose address was wrapped.
fn has_mark(line: &str) -> bool {
    let start = line.trim_start();
    start.starts_with('>') && !start.starts_with(">:")
}

/// Which lines are marked as quoted. A single line that begins with `>` in a text without any other is somebody's
/// "more than", not a quotation, unless it is introduced as one.
fn marks(lines: &[Line]) -> Vec<bool> {
    let with_mark = lines.iter().filter(|line| has_mark(&line.text)).count();
    let introduced = |at: usize| {
        (0..at).rev().find(|i| !text(lines, *i).trim().is_empty()).is_some_and(|i| {
            let first = i.saturating_sub(MOST_LINES - 1);
            (first..=i).any(|start| attribution(lines, start).is_some_and(|a| start + a.lines == i + 1))
        })
    };
    let mut marks: Vec<bool> =
        lines.iter().enumerate().map(|(at, line)| line.quoted || (has_mark(&line.text) && (with_mark > 1 || introduced(at)))).collect();
    // Blank lines between two marked ones belong to the quotation.
    let mut last_marked = None;
    for at in 0..lines.len() {
        if marks.get(at).copied().unwrap_or_default() {
            if let Some(last) = last_marked {
                for flag in marks.iter_mut().take(at).skip(last + 1) {
                    *flag = true;
                }
            }
            last_marked = Some(at);
        } else if !text(lines, at).trim().is_empty() {
            last_marked = None;
        }
    }
    marks
}

/// Lines that introduce a quotation.
struct Introduction {
    lines: usize,
    /// It counts only where marks follow.
    needs_marks: bool,
}

fn introduction(lines: &[Line], marked: &[bool], at: usize) -> Option<Introduction> {
    let line = text(lines, at).trim();
    if line.is_empty() {
        return None;
    }
    if let Some(marker) = marker(lines, marked, at) {
        return Some(marker);
    }
    if let Some(length) = header_block(lines, at) {
        return Some(Introduction { lines: length, needs_marks: false });
    }
    attribution(lines, at)
}

/// A line of nothing but underscores, dashes or the like, as Outlook and others put above a quoted mail.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() >= 5 && line.chars().all(|c| matches!(c, '_' | '-' | '=' | '*' | '–' | '—' | '─' | '⁃'))
}

/// Phrases with which mail programs head a quoted or forwarded mail, lower case.
const MARKERS: &[&str] = &[
    // nl
    "oorspronkelijk bericht",
    "oorspronkelijk bericht van",
    "oorspronkelijke bericht",
    "origineel bericht",
    "oorspronkelijke afspraak",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht",
    "begin van doorgestuurd bericht",
    "doorgestuurde e-mail",
    "doorgestuurde mail",
    "oorspronkelijke e-mail",
    // da
    "oprindelig meddelelse",
    "original meddelelse",
    "oprindelig besked",
    "oprindelig aftale",
    "videresendt besked",
    "videresendt meddelelse",
    "start på videresendt besked",
    "start på videresendt meddelelse",
    "begyndelse på videresendt besked",
    "videresendt mail",
    "oprindelig mail",
    // nb
    "opprinnelig melding",
    "original melding",
    "opprinnelig avtale",
    "opprinnelig e-post",
    "videresendt melding",
    "start på videresendt melding",
    "begynnelse på videresendt melding",
    "videresendt e-post",
    "opprinnelig beskjed",
    "videresendt beskjed",
    "opprinnelig meddelelse",
    // sv
    "ursprungligt meddelande",
    "originalmeddelande",
    "ursprungligt mejl",
    "ursprunglig avtalad tid",
    "vidarebefordrat meddelande",
    "vidarebefordrat brev",
    "vidarebefordrat mail",
    "vidarebefordrat mejl",
    "början på vidarebefordrat meddelande",
    "start på vidarebefordrat meddelande",
    "vidarebefordrat e-postmeddelande",
    // en
    "original message",
    "original appointment",
    "original email",
    "original mail",
    "forwarded message",
    "begin forwarded message",
    "forwarded mail",
    "forwarded email",
    "start of forwarded message",
    // de
    "ursprüngliche nachricht",
    "originalnachricht",
    "original-nachricht",
    "ursprünglicher termin",
    "weitergeleitete nachricht",
    "weitergeleitete mail",
    "weitergeleitete e-mail",
    "anfang der weitergeleiteten nachricht",
    "beginn der weitergeleiteten nachricht",
    "anfang der weitergeleiteten e-mail",
    // fr, fi: neighbours' programs
    "message d'origine",
    "message original",
    "message transféré",
    "début du message transféré",
    "alkuperäinen viesti",
    "edelleenlähetetty viesti",
];

/// No phrase is longer, in bytes.
const LONGEST_MARKER: usize = 48;

/// "-----Original Message-----" and its kin: between rules it stands alone; without them something must follow that only
/// a quoted mail has.
fn marker(lines: &[Line], marked: &[bool], at: usize) -> Option<Introduction> {
    let line = text(lines, at).trim();
    if line.len() > 160 {
        return None;
    }
    let is_edge = |c: char| matches!(c, '-' | '–' | '—' | '_' | '*' | '=' | '~' | '#') || c.is_whitespace();
    let dashed = line.starts_with("--")
        || line.starts_with("==")
        || line.starts_with("__")
        || line.starts_with("**")
        || line.starts_with('–')
        || line.starts_with('—');
    let phrase = line.trim_matches(is_edge).trim_end_matches(':').trim_matches(is_edge);
    if phrase.len() > LONGEST_MARKER || !MARKERS.contains(&phrase.to_lowercase().as_str()) {
        return None;
    }
    let next = (at + 1..lines.len()).find(|i| !text(lines, *i).trim().is_empty());
    let heads_a_mail = next.is_some_and(|i| marked.get(i).copied().unwrap_or_default() || label(text(lines, i)).is_some());
    (dashed || heads_a_mail).then_some(Introduction { lines: 1, needs_marks: false })
}

/// The fields of a quoted header that matter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    From,
    When,
    To,
    Subject,
    Other,
}

/// Labels of quoted headers, lower case, in the languages of mail programs here.
const LABELS: &[(&str, Label)] = &[
    ("van", Label::From),
    ("from", Label::From),
    ("fra", Label::From),
    ("från", Label::From),
    ("von", Label::From),
    ("de", Label::From),
    ("lähettäjä", Label::From),
    ("afzender", Label::From),
    ("absender", Label::From),
    ("avsender", Label::From),
    ("afsender", Label::From),
    ("avsändare", Label::From),
    ("verzonden", Label::When),
    ("verstuurd", Label::When),
    ("datum", Label::When),
    ("sent", Label::When),
    ("date", Label::When),
    ("sendt", Label::When),
    ("dato", Label::When),
    ("skickat", Label::When),
    ("gesendet", Label::When),
    ("envoyé", Label::When),
    ("sendt den", Label::When),
    ("lähetetty", Label::When),
    ("verzonden op", Label::When),
    ("verzenddatum", Label::When),
    ("sent on", Label::When),
    ("skickat den", Label::When),
    ("gesendet am", Label::When),
    ("aan", Label::To),
    ("to", Label::To),
    ("til", Label::To),
    ("till", Label::To),
    ("an", Label::To),
    ("à", Label::To),
    ("vastaanottaja", Label::To),
    ("onderwerp", Label::Subject),
    ("subject", Label::Subject),
    ("emne", Label::Subject),
    ("ämne", Label::Subject),
    ("betreff", Label::Subject),
    ("objet", Label::Subject),
    ("betreft", Label::Subject),
    ("aihe", Label::Subject),
    ("cc", Label::Other),
    ("bcc", Label::Other),
    ("kopi", Label::Other),
    ("kopie", Label::Other),
    ("kopia", Label::Other),
    ("kopi til", Label::Other),
    ("bijlagen", Label::Other),
    ("bijlage", Label::Other),
    ("attachments", Label::Other),
    ("vedhæftede filer", Label::Other),
    ("vedlegg", Label::Other),
    ("bifogade filer", Label::Other),
    ("anlagen", Label::Other),
    ("anhänge", Label::Other),
    ("belang", Label::Other),
    ("urgentie", Label::Other),
    ("prioriteit", Label::Other),
    ("importance", Label::Other),
    ("prioritet", Label::Other),
    ("priority", Label::Other),
    ("wichtigkeit", Label::Other),
    ("reply-to", Label::Other),
    ("antwoord aan", Label::Other),
    ("svar til", Label::Other),
    ("svara till", Label::Other),
    ("antwort an", Label::Other),
];

/// The label that a line begins with, also in bold as text programs show it (`*Van:* Jan`). Nothing longer than a label
/// is looked at.
fn label(line: &str) -> Option<(Label, &str)> {
    let line = line.trim_start_matches(|c: char| c == '*' || c == '>' || c == '|' || c.is_whitespace());
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end_matches(|c: char| c == '*' || c.is_whitespace());
    if name.len() > 24 {
        return None;
    }
    let name = name.to_lowercase();
    let (_, kind) = LABELS.iter().find(|(known, _)| *known == name)?;
    Some((*kind, value.trim_matches(|c: char| c == '*' || c.is_whitespace())))
}

/// How many lines a quoted header may take: long lists of recipients wrap.
const MOST_HEADER_LINES: usize = 40;

/// "Van: … Verzonden: … Aan: … Onderwerp: …" as Outlook writes it above a quoted mail: From and Subject, and Sent or To,
/// in any order and any mix of languages, with nothing but wrapped values between. One such line alone is just a line.
fn header_block(lines: &[Line], at: usize) -> Option<usize> {
    let (first, value) = label(text(lines, at))?;
    if first == Label::Other || (first == Label::From && value.is_empty() && label(text(lines, at + 1)).is_some()) {
        return None;
    }
    let (mut from, mut when, mut to, mut subject) = (false, false, false, false);
    let mut length = 0;
    let mut since_label = 0;
    for offset in 0..MOST_HEADER_LINES {
        let line = text(lines, at + offset);
        if line.trim().is_empty() {
            // HTML puts blank lines between them at times; two in a row, or one after all that counts, end the header.
            since_label += 2;
            if since_label > 3 || (from && subject && (when || to)) {
                break;
            }
            continue;
        }
        match label(line) {
            Some((kind, value)) => {
                match kind {
                    Label::From if from => break, // the next quoted mail's
                    Label::From => from = !value.is_empty() || label(text(lines, at + offset + 1)).is_none(),
                    Label::When => when = true,
                    Label::To => to = true,
                    Label::Subject => subject = true,
                    Label::Other => {}
                }
                since_label = 0;
                length = offset + 1;
            }
            // A wrapped value: of recipients, who hold an @ or a separator, or of a long subject.
            None if since_label < 3 || line.contains('@') || line.contains(';') => {
                if from && subject && (when || to) {
                    break;
                }
                since_label += 1;
            }
            None => break,
        }
    }
    (from && subject && (when || to)).then_some(length)
}

/// How many lines an attribution may be wrapped over.
const MOST_LINES: usize = 5;
/// How long it may be, in bytes: a name, an address and a date fit in less.
const LONGEST: usize = 400;

/// Verbs of attributions, lower case.
const VERBS: &[&str] = &[
    "schreef",
    "geschreven",
    "skrev",
    "wrote",
    "writes",
    "schrieb",
    "écrit",
    "kirjoitti",
    "geschrieben",
    "skrevet",
    "skrivit",
    "schreibt",
    "schrijft",
    "skriver",
    "meldde",
];

/// Words after the verb that make it somebody's own sentence ("op 12 maart schreef ik het volgende:").
const PRONOUNS: &[&str] = &[
    "ik", "wij", "we", "u", "je", "jij", "jullie", "hij", "zij", "ze", "men", "jeg", "vi", "du", "dere", "han", "hun", "man", "jag", "ni",
    "hon", "i", "you", "he", "she", "they", "ich", "wir", "sie", "er", "ihr", "iemand", "nogen", "noen", "någon", "someone", "jemand",
];

/// Lower-case words that may follow the verb of an attribution: a date or "the following" comes next.
const CONNECTIVES: &[&str] = &["op", "on", "am", "den", "at", "kl", "kl.", "om", "um", "på", "följande", "følgende", "folgendes", "le"];

/// First words of attributions, lower case; a number may stand there too.
const OPENINGS: &[&str] = &["op", "den", "am", "on", "på", "le", "il", "kl", "kl."];

/// Weekdays as mail programs abbreviate them at the start of Norwegian attributions.
const WEEKDAYS: &[&str] = &[
    "man", "tir", "ons", "tor", "fre", "lør", "søn", "mån", "tis", "lör", "sön", "ma", "di", "wo", "do", "vr", "za", "zo", "mon", "tue",
    "wed", "thu", "fri", "sat", "sun",
];

/// "Op … schreef …:", "On … wrote:" and the like, perhaps wrapped.
fn attribution(lines: &[Line], at: usize) -> Option<Introduction> {
    let mut joined = String::new();
    for count in 1..=MOST_LINES {
        let line = text(lines, at + count - 1).trim();
        if line.is_empty() || joined.len() + line.len() > LONGEST {
            return None;
        }
        if count > 1 && has_mark(line) {
            return None;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(line);
        let ends = line.trim_end_matches(['-', '*', ' ', '—', '–']).ends_with(':') || (line.ends_with("---") && count == 1);
        if !ends {
            // The first line must look like the start of one, or every paragraph would be joined with the next.
            if count == 1 && !looks_like_opening(line) {
                return None;
            }
            continue;
        }
        return judge_attribution(&joined).map(|needs_marks| Introduction { lines: count, needs_marks });
    }
    None
}

fn looks_like_opening(line: &str) -> bool {
    let has_digit = line.bytes().any(|b| b.is_ascii_digit());
    has_digit || line.contains('@') || line.contains('<')
}

/// Whether a joined line is an attribution (`Some`), and whether it needs marks behind it to be believed.
fn judge_attribution(joined: &str) -> Option<bool> {
    let lower = joined.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| c.is_whitespace() || matches!(c, ',' | '-' | '*' | '"' | '\'')).filter(|w| !w.is_empty()).collect();
    let verb = words.iter().position(|word| VERBS.contains(&word.trim_end_matches([':', '.'])))?;
    let after = words.get(verb + 1).copied().unwrap_or_default().trim_end_matches(':');
    // A name follows the verb, or an address, or a date after a word such as "op"; anything else is a sentence.
    let named = joined.split_whitespace().any(|word| {
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@' && c != '.').to_lowercase() == after
            && !word.starts_with(char::is_lowercase)
    });
    let address_follows = words.iter().skip(verb + 1).any(|word| word.contains('@'));
    if after.starts_with(|c: char| c.is_ascii_digit()) || !(after.is_empty() || named || address_follows || CONNECTIVES.contains(&after)) {
        return None;
    }
    let before = verb.checked_sub(1).and_then(|i| words.get(i)).copied().unwrap_or_default();
    if PRONOUNS.contains(&after) || PRONOUNS.contains(&before) {
        return None;
    }
    let has_address = lower.contains('@');
    let has_time = has_time(&lower);
    let has_year = lower.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() == 4 && (run.starts_with("19") || run.starts_with("20")));
    let has_date = has_year || lower.split(|c: char| !c.is_ascii_digit()).filter(|run| (1..=2).contains(&run.len())).count() >= 2;
    let first = words.first().copied().unwrap_or_default().trim_end_matches('.');
    let opens = OPENINGS.contains(&first) || WEEKDAYS.contains(&first) || first.starts_with(|c: char| c.is_ascii_digit());
    let last_is_verb = verb + 1 == words.len();
    let sure = (has_date && has_time && (opens || last_is_verb || verb <= 6)) || (has_address && (has_date || last_is_verb || opens));
    let maybe = has_date || has_address || last_is_verb;
    if sure { Some(false) } else { maybe.then_some(true) }
}

/// Whether a time of day such as 10:12 or "kl. 10.12" stands in the text.
fn has_time(lower: &str) -> bool {
    let bytes = lower.as_bytes();
    bytes.windows(5).any(
        |w| matches!(w, [a, b, b':' | b'.', c, d] if a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit()),
    ) || bytes.windows(4).any(|w| matches!(w, [a, b':', c, d] if a.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
