//! What is wrong in which file, on which line, and the way out.
//!
//! Messages name keys, codes and domains only: a complaint about a contact may be logged. The snippet is for the terminal of whoever may read the file
//! anyway; it is never part of [`Complaint::sentence`].

use std::fmt;

/// Whether a complaint keeps the settings from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The settings cannot be used.
    Mistake,
    /// The settings work, but perhaps not as meant.
    Warning,
}

impl Severity {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mistake => "mistake",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, or doubtful, in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Mistake or warning.
    pub severity: Severity,
    /// The file as it was named, or the environment variable.
    pub file: String,
    /// Line, counted from 1. None where the whole file or a variable is meant.
    pub line: Option<usize>,
    /// Column in characters, counted from 1.
    pub column: Option<usize>,
    /// What is wrong, without personal data and without a full stop.
    pub message: String,
    /// What to do about it: a sentence or two.
    pub suggestion: Option<String>,
    pub(super) snippet: Option<Snippet>,
}

/// The line that is meant, with the passage underlined.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Snippet {
    pub(super) line: String,
    pub(super) before: usize,
    pub(super) underlined: usize,
}

impl fmt::Debug for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Complaint {
    /// Place, message and suggestion on one line, without the text of the file: fit for a log.
    #[must_use]
    pub fn sentence(&self) -> String {
        let place = match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", self.file),
            (Some(line), None) => format!("{}:{line}", self.file),
            _ => self.file.clone(),
        };
        let warning = if self.severity == Severity::Warning { "warning: " } else { "" };
        let suggestion = self.suggestion.as_ref().map(|suggestion| format!(". {suggestion}")).unwrap_or_default();
        format!("{place}: {warning}{}{suggestion}", self.message)
    }

    /// The same as one JSON object: `severity`, `file`, `line`, `column`, `message`, `suggestion`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "severity": self.severity.as_str(),
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "suggestion": self.suggestion,
        })
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        if let (Some(line), Some(snippet)) = (self.line, &self.snippet) {
            let margin = line.to_string().len().max(3);
            write!(f, "\n{line:>margin$}| {}", snippet.line)?;
            write!(f, "\n{:>margin$}| {}{}", "", " ".repeat(snippet.before), "^".repeat(snippet.underlined.max(1)))?;
        }
        Ok(())
    }
}

/// The settings cannot be used: all that is wrong in all files, in their order. Never empty of mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    complaints: Vec<Complaint>,
}

impl Mistakes {
    pub(super) fn new(complaints: Vec<Complaint>) -> Self {
        Self { complaints }
    }

    /// Mistakes and warnings, in the order of the files.
    #[must_use]
    pub fn list(&self) -> &[Complaint] {
        &self.complaints
    }

    /// How many of them are mistakes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.complaints.iter().filter(|c| c.severity == Severity::Mistake).count()
    }

    /// The first mistake and how many more there are, without the text of any file: fit for a log.
    #[must_use]
    pub fn sentence(&self) -> String {
        let first = self.complaints.iter().find(|c| c.severity == Severity::Mistake).map(Complaint::sentence).unwrap_or_default();
        match self.count() {
            0 | 1 => first,
            count => format!("{first} (and {} more; `postkamer check` lists them all)", count - 1),
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for complaint in &self.complaints {
            writeln!(f, "{complaint}")?;
        }
        match self.count() {
            1 => f.write_str("There is one mistake in the settings."),
            count => write!(f, "There are {count} mistakes in the settings."),
        }
    }
}

impl std::error::Error for Mistakes {}
