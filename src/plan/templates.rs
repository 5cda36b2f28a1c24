//! The letters that postkamer writes: texts of `config/replies/`, compiled in, with the overrides of the admins.
//!
//! A letter copies nothing from the mail that it answers (THREATS §2). Whatever could go wrong with a text is found
//! when it is loaded: every override is tried with full and with empty variables before it is taken on, so that
//! rendering later has no reason left to fail.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, context, escape_formatter};
use serde::Serialize;
use toml::de::DeTable;

use crate::decide::Template;
use crate::words::Language;

/// The compiled-in texts, one file a language.
const COMPILED_IN: &[(Language, &str)] = &[
    (Language::Nl, include_str!("../../config/replies/nl.toml")),
    (Language::Da, include_str!("../../config/replies/da.toml")),
    (Language::Nb, include_str!("../../config/replies/nb.toml")),
    (Language::Sv, include_str!("../../config/replies/sv.toml")),
    (Language::En, include_str!("../../config/replies/en.toml")),
    (Language::De, include_str!("../../config/replies/de.toml")),
];

/// The table that is put around every letter.
const FRAME: &str = "frame";

/// What every letter can use; `requester` comes on top of it for `verify-identity`, `text` for the frame.
const VARIABLES: &[&str] = &["desk", "desk_address", "number", "state", "organisation", "portal", "cc", "reason", "attachments", "expires"];

impl Template {
    /// The template whose text is used. `verifying` borrows that of `unknown-sender`: were they two texts, their
    /// difference would tell who is on an organisation's list.
    const fn text(self) -> Self {
        match self {
            Self::Verifying => Self::UnknownSender,
            other => other,
        }
    }
}

/// What a letter is about. Nothing in it comes from the text of a mail.
#[derive(Clone, Serialize)]
pub struct Context {
    /// Display name of the desk.
    pub desk: String,
    /// Address of the desk.
    pub desk_address: String,
    /// Number of the ticket, where there is one.
    pub number: Option<String>,
    /// State of that ticket.
    pub state: Option<TicketState>,
    /// Name of the sender's organisation.
    pub organisation: Option<String>,
    /// Address of the customer portal.
    pub portal: String,
    /// Is a contact person, or our duty contact, in copy?
    pub cc: bool,
    /// An agent's words on a decision or a request.
    pub reason: Option<String>,
    /// The attachments that were not accepted, in the order of the mail.
    pub attachments: Vec<WithheldAttachment>,
    /// Until when the answer to `verify-identity` counts: a date in words of the letter's language, or ISO 8601.
    pub expires: Option<String>,
    /// Address of the person who gives the contact's name; for `verify-identity` only, and hidden from all others.
    pub requester: Option<String>,
}

/// The state of a ticket as letters tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketState {
    /// Somebody works on it.
    Open,
    /// It waits for a person.
    Queued,
}

/// An attachment that was not accepted: all that a letter may say about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WithheldAttachment {
    /// Its place in the mail, counted from 1.
    pub number: usize,
    /// Its sniffed format in capitals, such as `XLSX`; empty where unknown.
    pub format: String,
}

/// A letter, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Plain text with `\n` at the end of every line.
    pub body: String,
}

/// A text of a letter has a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Whose file it is.
    pub language: Language,
    /// The table in the file (a template's name or `frame`); none where the file as a whole is meant.
    pub template: Option<String>,
    /// Line in the file, counted from 1; none when a letter could not be rendered.
    pub line: Option<usize>,
    /// What is wrong, in a sentence that repeats nothing of any mail.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reply texts {}", self.language)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(template) = &self.template {
            write!(f, ", [{template}]")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for TemplateError {}

/// The letters in all languages.
pub struct Templates {
    environment: Environment<'static>,
}

/// One text of a file: where its first line stands, and what it says.
struct Entry {
    line: usize,
    source: String,
}

/// The texts of a language under `(table, key)`.
type Entries = BTreeMap<(String, &'static str), Entry>;

impl Templates {
    /// The compiled-in letters with the admins' overrides (contents of `replies/<lang>.toml`).
    ///
    /// # Errors
    /// The first text that does not parse, names a template, key or variable that does not exist, or cannot be
    /// rendered when all that may be missing is missing.
    pub fn new(overrides: &[(Language, String)]) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // A number that is not there must never appear as the word "none" in a letter.
        environment.set_formatter(|out, state, value| {
            if value.is_none() {
                return Err(minijinja::Error::new(ErrorKind::InvalidOperation, "this value can be empty; put it inside {% if ... %}"));
            }
            escape_formatter(out, state, value)
        });
        let mut templates = Self { environment };
        for (language, source) in COMPILED_IN {
            templates.add(*language, source)?;
        }
        for (language, source) in overrides {
            templates.add(*language, source)?;
        }
        Ok(templates)
    }

    /// Writes a letter.
    ///
    /// # Errors
    /// None with a context such as [`Templates::new`] has tried: `verify-identity` has `requester` and `expires`.
    pub fn render(&self, language: Language, template: Template, context: &Context) -> Result<Rendered, TemplateError> {
        let mut visible = context.clone();
        if template != Template::VerifyIdentity {
            visible.requester = None;
        }
        let visible = Value::from(Serde(&visible));
        let subject = self.framed(language, template, "subject", &visible)?;
        let body = self.framed(language, template, "body", &visible)?;
        Ok(Rendered { subject: one_line(&subject), body: tidy(&body) })
    }

    /// Renders one key of a template inside the frame.
    fn framed(&self, language: Language, template: Template, key: &'static str, values: &Value) -> Result<String, TemplateError> {
        let render = |table: &str, values: Value| {
            self.environment
                .get_template(&name(language, table, key))
                .and_then(|found| found.render(values))
                .map_err(|error| failure(language, table, None, &error))
        };
        let text = render(template.text().as_str(), values.clone())?;
        render(FRAME, context! { text => text.trim(), ..values.clone() })
    }

    /// Takes the texts of one file on.
    fn add(&mut self, language: Language, source: &str) -> Result<(), TemplateError> {
        let entries = read(language, source)?;
        for ((table, key), entry) in &entries {
            self.environment
                .add_template_owned(name(language, table, key), entry.source.clone())
                .map_err(|error| failure(language, table, Some(entry.line), &error))?;
            self.check_variables(language, table, key, entry)?;
        }
        for template in Template::ALL {
            self.rehearse(language, *template, &entries)?;
        }
        Ok(())
    }

    /// Does this text name only variables that exist?
    fn check_variables(&self, language: Language, table: &str, key: &'static str, entry: &Entry) -> Result<(), TemplateError> {
        let found = self
            .environment
            .get_template(&name(language, table, key))
            .map_err(|error| failure(language, table, Some(entry.line), &error))?;
        let known = |variable: &str| {
            VARIABLES.contains(&variable)
                || (variable == "text" && table == FRAME)
                || (variable == "requester" && table == Template::VerifyIdentity.as_str())
        };
        let unknown = found.undeclared_variables(false).into_iter().filter(|variable| !known(variable)).min();
        let Some(unknown) = unknown else { return Ok(()) };
        let line = entry.source.lines().position(|line| line.contains(&unknown)).unwrap_or(0);
        Err(TemplateError {
            language,
            template: Some(table.to_owned()),
            line: Some(entry.line + line),
            message: format!("{key}: there is no variable `{unknown}` here; there are {}", VARIABLES.join(", ")),
        })
    }

    /// Writes a letter with every variable and with as few as possible, before anybody needs it.
    fn rehearse(&self, language: Language, template: Template, entries: &Entries) -> Result<(), TemplateError> {
        for context in rehearsals(template) {
            let rendered = self.render(language, template, &context).map_err(|error| self.located(error, entries))?;
            let complaint = if rendered.subject.is_empty() {
                "subject: it must not be empty"
            } else if template.is_redirect() && !rendered.body.lines().any(|line| line == context.portal) {
                "body: {{ portal }} must stand alone on a line"
            } else {
                continue;
            };
            let entry = entries.iter().find(|((table, _), _)| table == template.text().as_str());
            return Err(TemplateError {
                language,
                template: Some(template.text().as_str().to_owned()),
                line: entry.map(|(_, entry)| entry.line),
                message: complaint.to_owned(),
            });
        }
        Ok(())
    }

    /// A failed rehearsal with the line of the table that it came from, where this file has it.
    fn located(&self, error: TemplateError, entries: &Entries) -> TemplateError {
        let of_table = |((table, _), _): &(&(String, &'static str), &Entry)| Some(table) == error.template.as_ref();
        let line = entries.iter().find(of_table).map(|(_, entry)| entry.line);
        TemplateError { line: error.line.or(line), ..error }
    }
}

/// The name of a text inside minijinja.
fn name(language: Language, table: &str, key: &str) -> String {
    format!("{language}/{table}.{key}")
}

/// A mistake that minijinja found. Its detail names variables and syntax, never the value of a variable.
fn failure(language: Language, table: &str, first_line: Option<usize>, error: &minijinja::Error) -> TemplateError {
    let line = first_line.map(|first| first + error.line().unwrap_or(1).saturating_sub(1));
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateError { language, template: Some(table.to_owned()), line, message }
}

/// Reads a file of texts: tables of `subject` and `body`, and nothing else.
fn read(language: Language, source: &str) -> Result<Entries, TemplateError> {
    let complain = |template: Option<&str>, offset: usize, message: String| TemplateError {
        language,
        template: template.map(str::to_owned),
        line: Some(line_at(source, offset)),
        message,
    };
    let file =
        DeTable::parse(source).map_err(|error| complain(None, error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    let mut entries = Entries::new();
    for (table, content) in file.get_ref() {
        let at = table.span().start;
        let table: &str = table.get_ref();
        if table == Template::Verifying.as_str() {
            let message = "it always reads like `unknown-sender`; change that one".to_owned();
            return Err(complain(Some(table), at, message));
        }
        if table != FRAME && Template::from_code(table).is_none() {
            return Err(complain(Some(table), at, format!("there is no such template{}", suggestion(table))));
        }
        let Some(content) = content.get_ref().as_table() else {
            return Err(complain(Some(table), at, "a table with subject and body is expected".to_owned()));
        };
        for (key, value) in content {
            let at = key.span().start;
            let key = match key.get_ref().as_ref() {
                "subject" => "subject",
                "body" => "body",
                other => {
                    let message = format!("unknown key `{other}`; there are `subject` and `body`");
                    return Err(complain(Some(table), at, message));
                }
            };
            let Some(text) = value.get_ref().as_str() else {
                return Err(complain(Some(table), at, format!("{key} must be a text in quotes")));
            };
            let start = value.span().start;
            let raw = source.get(start..).unwrap_or_default();
            // TOML drops the line break right after three quotes.
            let opening = ["'''\n", "\"\"\"\n", "'''\r\n", "\"\"\"\r\n"];
            let below = usize::from(opening.iter().any(|quotes| raw.starts_with(quotes)));
            let entry = Entry { line: line_at(source, start) + below, source: text.to_owned() };
            entries.insert((table.to_owned(), key), entry);
        }
    }
    Ok(entries)
}

/// The line of a byte offset, counted from 1.
fn line_at(source: &str, offset: usize) -> usize {
    source.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// A hint for a misspelt template.
fn suggestion(name: &str) -> String {
    Template::ALL
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known.as_str(), name), known))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance)
        .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

/// Contexts that a letter must survive: with everything, with nothing, and waiting without an organisation.
fn rehearsals(template: Template) -> Vec<Context> {
    let verify = template == Template::VerifyIdentity;
    let dated = verify || matches!(template, Template::QueueReminder | Template::IdentityNotice);
    let full = Context {
        desk: "Support".to_owned(),
        desk_address: "support@zaakwijs.example".to_owned(),
        number: Some("PK-00042".to_owned()),
        state: Some(TicketState::Open),
        organisation: Some("Gemeente Waterwolde".to_owned()),
        portal: "https://portaal.zaakwijs.example".to_owned(),
        cc: true,
        reason: Some("Dit hoort bij het contract.".to_owned()),
        attachments: vec![
            WithheldAttachment { number: 2, format: "XLSX".to_owned() },
            WithheldAttachment { number: 3, format: String::new() },
        ],
        expires: dated.then(|| "2026-11-28".to_owned()),
        requester: verify.then(|| "a.devries@elders.example".to_owned()),
    };
    let waiting = Context { state: Some(TicketState::Queued), organisation: None, ..full.clone() };
    let minimal = Context {
        number: None,
        state: None,
        organisation: None,
        cc: false,
        reason: None,
        attachments: Vec::new(),
        expires: full.expires.clone().filter(|_| verify),
        ..full.clone()
    };
    vec![full, waiting, minimal]
}

/// A subject: all white space and control characters become single spaces.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A body: no spaces at line ends, no more than one empty line in a row, none at the beginning or the end.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut paragraph_ends = false;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            paragraph_ends = true;
            continue;
        }
        if paragraph_ends && !tidied.is_empty() {
            tidied.push('\n');
        }
        paragraph_ends = false;
        tidied.push_str(line);
        tidied.push('\n');
    }
    tidied
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn letters() -> Templates {
        Templates::new(&[]).unwrap()
    }

    fn full(template: Template) -> Context {
        rehearsals(template).remove(0)
    }

    fn complaint(source: &str) -> TemplateError {
        Templates::new(&[(Language::En, source.to_owned())]).err().unwrap()
    }

    #[test]
    fn every_letter_renders_in_every_language_without_a_trace_of_the_template() {
        let letters = letters();
        for &language in Language::ALL {
            for &template in Template::ALL {
                for context in rehearsals(template) {
                    let Rendered { subject, body } = letters.render(language, template, &context).unwrap();
                    for text in [&subject, &body] {
                        assert!(!text.is_empty() && !text.to_lowercase().contains("none"), "{language} {template}");
                        assert!(!text.contains(['{', '}', '%']), "{language} {template}: {text}");
                        assert!(!text.contains("  ") && !text.contains(" ."), "{language} {template}: {text}");
                    }
                    assert!(!subject.contains('\n'));
                    assert!(!body.contains("\n\n\n") && body.ends_with(&format!("\n{}\n", context.desk)));
                    assert!(body.lines().count() <= 14, "{language} {template} is long: {body}");
                    assert_eq!(body.matches("http").count(), body.lines().filter(|l| **l == context.portal).count());
                    match &context.number {
                        Some(number) => assert!(subject.starts_with(&format!("[{number}] "))),
                        None => assert!(!subject.contains('['), "{subject}"),
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_placeholders_stand_in_every_language() {
        let letters = letters();
        let placeholders = |language, table: &str, key: &str| -> BTreeSet<String> {
            let found = letters.environment.get_template(&name(language, table, key)).unwrap();
            found.undeclared_variables(false).into_iter().collect()
        };
        for &language in Language::ALL {
            for template in Template::ALL.iter().map(|template| template.text().as_str()).chain([FRAME]) {
                for key in ["subject", "body"] {
                    assert_eq!(
                        placeholders(language, template, key),
                        placeholders(Language::En, template, key),
                        "{language} {template} {key}"
                    );
                }
            }
        }
    }

    #[test]
    fn verifying_reads_like_unknown_sender_even_when_that_is_overridden() {
        let changed = "[unknown-sender]\nsubject = 'Who are you?'\n".to_owned();
        for letters in [letters(), Templates::new(&[(Language::En, changed)]).unwrap()] {
            for &language in Language::ALL {
                for context in rehearsals(Template::UnknownSender) {
                    let told = letters.render(language, Template::Verifying, &context).unwrap();
                    assert!(told == letters.render(language, Template::UnknownSender, &context).unwrap());
                }
            }
        }
        let error = complaint("[verifying]\nsubject = 'We ask the contact'\n");
        assert!(error.to_string().contains("reads like `unknown-sender`"), "{error}");
    }

    #[test]
    fn redirects_give_the_portal_a_line_of_its_own_and_say_which_attachment() {
        let letters = letters();
        for &language in Language::ALL {
            for template in [Template::MessageRejected, Template::AttachmentsRejected, Template::AttachmentUnreadable] {
                for context in rehearsals(template) {
                    let body = letters.render(language, template, &context).unwrap().body;
                    assert_eq!(body.lines().filter(|line| *line == context.portal).count(), 1);
                    assert_eq!(context.number.is_some(), body.contains("PK-00042"));
                    if template != Template::MessageRejected && !context.attachments.is_empty() {
                        assert!(body.contains(" 2 (XLSX), ") && body.contains(" 3") && !body.contains("()"), "{body}");
                    }
                }
                let told = |state| {
                    let context = Context { state: Some(state), ..full(template) };
                    letters.render(language, template, &context).unwrap().body
                };
                assert_ne!(told(TicketState::Open), told(TicketState::Queued));
            }
        }
    }

    #[test]
    fn the_contact_person_is_mentioned_only_when_in_copy() {
        let letters = letters();
        for &language in Language::ALL {
            let body = |cc, organisation: Option<&str>| {
                let organisation = organisation.map(str::to_owned);
                let context = Context { cc, organisation, ..full(Template::ReceivedUrgent) };
                letters.render(language, Template::ReceivedUrgent, &context).unwrap().body
            };
            assert!(body(true, Some("Nordhavn Kommune")).contains("Nordhavn Kommune"));
            assert!(!body(false, Some("Nordhavn Kommune")).contains("Nordhavn Kommune"));
            assert_ne!(body(true, None), body(false, None));
            assert!(letters.render(language, Template::Referral, &full(Template::Referral)).unwrap().body.contains("Gemeente Waterwolde"));
        }
    }

    #[test]
    fn an_override_changes_one_entry_and_leaves_the_rest() {
        let source = "[received]\nbody = 'Got it: {{ number or \"no number\" }}.'\n".to_owned();
        let letters = Templates::new(&[(Language::En, source)]).unwrap();
        let rendered = letters.render(Language::En, Template::Received, &full(Template::Received)).unwrap();
        assert_eq!(rendered.subject, "[PK-00042] We have received your message");
        assert_eq!(rendered.body, "Hello,\n\nGot it: PK-00042.\n\nKind regards,\nSupport\n");
    }

    #[test]
    fn complaints_name_template_and_line() {
        let cases = [
            ("[recieved]\nsubject = 'x'\n", "line 1, [recieved]: there is no such template; did you mean `received`?"),
            ("[received]\ntitle = 'x'\n", "line 2, [received]: unknown key `title`"),
            ("[received]\nsubject = 3\n", "line 2, [received]: subject must be a text"),
            ("\n[received]\nbody = '''\nHello\n{{ sender }}\n'''\n", "line 5, [received]: body: there is no variable `sender`"),
            ("[received]\nbody = '{{ requester }}'\n", "line 2, [received]: body: there is no variable `requester`"),
            ("[received]\nbody = '''\nHello\n{% if number %}\n'''\n", "line 4, [received]: syntax error"),
            ("[received]\nbody = 'Ticket {{ number }}'\n", "line 2, [received]: invalid operation: this value can be empty"),
            ("[received]\nsubject = ' '\n[frame]\nsubject = '{{ text }}'\n", "line 2, [received]: subject: it must not"),
            ("[message-rejected]\nbody = 'See {{ portal }}'\n", "line 2, [message-rejected]: body: {{ portal }} must"),
            ("[received\n", "line 1: "),
        ];
        for (source, expected) in cases {
            let said = complaint(source).to_string();
            assert!(said.starts_with(&format!("reply texts en, {expected}")), "{source:?} says {said}");
        }
    }

    #[test]
    fn a_subject_is_one_line_and_values_are_never_templates() {
        let source = "[released]\nsubject = '{{ reason or \"-\" }}'\n".to_owned();
        let letters = Templates::new(&[(Language::En, source)]).unwrap();
        let context = Context { reason: Some("{{ desk }}\r\nBcc: x".to_owned()), ..full(Template::Released) };
        let rendered = letters.render(Language::En, Template::Released, &context).unwrap();
        assert_eq!(rendered.subject, "[PK-00042] {{ desk }} Bcc: x");
    }

    #[test]
    fn names_of_templates_are_stable() {
        for &template in Template::ALL {
            assert_eq!(Template::from_code(template.as_str()), Some(template));
        }
        assert_eq!(Template::from_code("welcome"), None);
    }
}
