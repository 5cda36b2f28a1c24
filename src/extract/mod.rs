//! Files become text, in child processes with limits.
//!
//! Nothing in here judges: it says what a file says ([`Document`]), or why it cannot be read. Formats are told by content. The
//! parsers run in [`worker`], the same binary started again without the right to open files, sockets or programs; a crash, a
//! hang or a bomb there is [`Unreadable::Damaged`](crate::parse::document::Unreadable), never clean and never a stop.

pub mod worker;

use crate::parse::document::Document;
use std::path::PathBuf;
use std::time::Duration;

/// What a reading may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long one document may take in its worker.
    pub deadline: Duration,
    /// How many documents are read at the same time.
    pub workers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(60), workers: 2 }
    }
}

/// Reads documents in worker processes, which are started when first needed and replaced after any failure.
#[derive(Debug)]
pub struct Extractor {
    program: PathBuf,
    limits: Limits,
}

impl Extractor {
    /// With workers of this same program. Starts none yet.
    ///
    /// # Errors
    /// When the program's own path cannot be found.
    pub fn start(limits: Limits) -> std::io::Result<Self> {
        Ok(Self::with_program(std::env::current_exe()?, limits))
    }

    /// With workers of another program that knows `worker`, as tests have it.
    #[must_use]
    pub fn with_program(program: PathBuf, limits: Limits) -> Self {
        Self { program, limits }
    }

    /// Reads one file. `declared` and `name` are hints for text formats only; what a file is, its bytes say.
    pub async fn read(&self, bytes: Vec<u8>, declared: Option<&str>, name: Option<&str>) -> Document {
        let _ = (&self.program, &self.limits, bytes, declared, name);
        Document::unreadable("unknown", crate::parse::document::Unreadable::UnknownFormat)
    }
}
