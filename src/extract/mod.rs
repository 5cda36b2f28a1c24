//! Files become text, in child processes with limits.
//!
//! Nothing in here judges: it says what a file says ([`Document`]), or why it cannot be read. What a file is, its bytes say. The
//! parsers run in [`worker`], the same binary started again without the right to open files, sockets or programs; pictures and
//! PDF pages go on to tesseract and poppler in a process of their own. A crash, a hang or a bomb there is
//! [`Unreadable::Damaged`], never clean and never a stop; and where the walls cannot be had, nothing is read.

mod examine;
mod formats;
mod languages;
mod patience;
mod protocol;
mod recurring;
mod sandbox;
mod tools;
pub mod worker;

use crate::parse::document::{Document, Unreadable};
pub use examine::Obstacle;
pub use languages::Languages;
pub use patience::Patience;
use protocol::{Answer, LONGEST, Request};
use recurring::Recurring;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;

/// The largest file that is read, in bytes.
pub const LARGEST: u64 = LONGEST as u64;

/// What a reading may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long one document may take in its parser, and how long one run of a tool may take.
    pub deadline: Duration,
    /// How long one document that is no mail's may take in all.
    pub patience: Duration,
    /// How many documents are read at the same time.
    pub workers: usize,
    /// How many pages and pictures of one document are read by tesseract at most; more make it too large.
    pub pictures: usize,
    /// How many bytes of pictures and other pieces a worker may hand over for one document; one that sends more is not believed.
    pub pieces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let (deadline, patience) = (Duration::from_secs(60), Duration::from_secs(180));
        Self { deadline, patience, workers: 2, pictures: 40, pieces: protocol::MOST_PIECES }
    }
}

/// Reads documents in worker processes, which are started when first needed and replaced after any failure.
#[derive(Debug)]
pub struct Extractor {
    program: PathBuf,
    limits: Limits,
    free: Semaphore,
    idle: Mutex<Vec<Parser>>,
    recurring: Recurring,
}

impl Extractor {
    /// With workers of this same program. Starts none yet.
    ///
    /// # Errors
    /// When the program's own path cannot be found.
    pub fn start(limits: Limits) -> io::Result<Self> {
        Ok(Self::with_program(std::env::current_exe()?, limits))
    }

    /// With workers of another program that knows `worker`, as tests have it.
    #[must_use]
    pub fn with_program(program: PathBuf, limits: Limits) -> Self {
        Self { program, free: Semaphore::new(limits.workers.max(1)), limits, idle: Mutex::default(), recurring: Recurring::default() }
    }

    /// Reads one file, its pictures in all languages. `declared` and `name` are hints for text formats only: what a file is, its
    /// bytes say.
    pub async fn read(&self, bytes: Vec<u8>, declared: Option<&str>, name: Option<&str>) -> Document {
        self.read_in(&Languages::default(), &self.patience(), bytes, declared, name).await
    }

    /// For a file that is no mail's, and that nobody waits behind.
    #[must_use]
    pub fn patience(&self) -> Patience {
        Patience::of(self.limits.patience)
    }

    /// Reads one file, its pictures in these languages, as long as there is patience. Waiting for a free worker takes none.
    pub async fn read_in(
        &self,
        languages: &Languages,
        patience: &Patience,
        bytes: Vec<u8>,
        declared: Option<&str>,
        name: Option<&str>,
    ) -> Document {
        if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
            return Document::unreadable(formats::sniff(&bytes), Unreadable::TooLarge);
        }
        let Ok(_permit) = self.free.acquire().await else { return Document::unreadable("unknown", Unreadable::Damaged) };
        let Some(turn) = patience.turn() else { return Document::unreadable(formats::sniff(&bytes), Unreadable::TooSlow) };
        let request = Request { declared: declared.map(str::to_owned), name: name.map(str::to_owned), turn: 0 };
        let Some(picture) = Recurring::name(formats::sniff(&bytes), &bytes, languages) else {
            return self.read_anew(languages, &bytes, &request, turn.end()).await;
        };
        if let Some(document) = self.recurring.recall(&picture) {
            return document;
        }
        let document = self.read_anew(languages, &bytes, &request, turn.end()).await;
        self.recurring.remember(picture, &document);
        document
    }

    async fn read_anew(&self, languages: &Languages, bytes: &[u8], request: &Request, end: Instant) -> Document {
        let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let answer = match waiting {
            // What an earlier document broke must not be this one's fault: a used worker that fails is replaced once.
            Some(parser) => match self.ask(parser, request, bytes, end).await {
                Some(answer) => Some(answer),
                None => self.ask_anew(request, bytes, end).await,
            },
            None => self.ask_anew(request, bytes, end).await,
        };
        match answer {
            Some(answer) => tools::finish(&self.program, &self.limits, languages, answer, end).await,
            None if Instant::now() >= end => Document::unreadable(formats::sniff(bytes), Unreadable::TooSlow),
            None => Document::unreadable(formats::sniff(bytes), Unreadable::Damaged),
        }
    }

    async fn ask_anew(&self, request: &Request, bytes: &[u8], end: Instant) -> Option<Answer> {
        let parser = Parser::start(&self.program).ok()?;
        self.ask(parser, request, bytes, end).await
    }

    /// The parser goes back to the others only after a good answer; otherwise it is dropped, and killed by that.
    async fn ask(&self, mut parser: Parser, request: &Request, bytes: &[u8], end: Instant) -> Option<Answer> {
        let end = end.min(Instant::now() + self.limits.deadline);
        let answer = match tokio::time::timeout_at(end.into(), parser.ask(request, bytes, self.limits.pieces)).await.ok()? {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!(kind = %error.kind(), "a worker that reads files ended without an answer");
                if let Some(obstacle) = parser.last_word().await {
                    tracing::error!("{obstacle}.");
                }
                return None;
            }
        };
        if parser.served < worker::MOST_DOCUMENTS {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(parser);
        }
        Some(answer)
    }
}

/// A child that runs this program as `worker`, with pipes and an empty environment.
fn child(program: &Path, arguments: &[&str], stderr: Stdio) -> io::Result<Child> {
    Command::new(program)
        .arg(worker::COMMAND)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("OMP_THREAD_LIMIT", "1")
        // Most workers live for milliseconds: two megabytes of zeroes for the first allocation are a third of their start.
        .env("MIMALLOC_ALLOW_THP", "0")
        // In KiB. The gigabyte of addresses that it takes by default is all that a worker may have: now and then one died for want of more.
        .env("MIMALLOC_ARENA_RESERVE", "32768")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .kill_on_drop(true)
        .spawn()
}

#[derive(Debug)]
struct Parser {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    served: u64,
}

impl Parser {
    fn start(program: &Path) -> io::Result<Self> {
        let mut child = child(program, &[], Stdio::null())?;
        let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, input, output, served: 0 })
    }

    /// What a parser that answers no more says of this machine by its exit status. It is killed if it does not end.
    async fn last_word(mut self) -> Option<Obstacle> {
        const PATIENCE: Duration = Duration::from_secs(1);
        drop((self.input, self.output));
        Obstacle::of(tokio::time::timeout(PATIENCE, self.child.wait()).await.ok()?.ok()?.code())
    }

    async fn ask(&mut self, request: &Request, bytes: &[u8], most: usize) -> io::Result<Answer> {
        self.served += 1;
        self.send(&serde_json::to_vec(&Request { turn: self.served, ..request.clone() })?).await?;
        self.send(bytes).await?;
        // An answer to another document would have this one stored unread.
        if self.receive().await? != self.served.to_le_bytes() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut answer: Answer = serde_json::from_slice(&self.receive().await?)?;
        let mut left = most;
        for task in &mut answer.tasks {
            task.bytes = self.receive().await?;
            // No document that is read holds more: this is a worker that is not ours any more.
            left = left.checked_sub(task.bytes.len()).ok_or(io::ErrorKind::InvalidData)?;
        }
        Ok(answer)
    }

    async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let length = u32::try_from(frame.len()).ok().filter(|length| *length <= LONGEST).ok_or(io::ErrorKind::InvalidInput)?;
        self.input.write_all(&length.to_le_bytes()).await?;
        self.input.write_all(frame).await
    }

    async fn receive(&mut self) -> io::Result<Vec<u8>> {
        let length = self.output.read_u32_le().await?;
        if length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut frame = Vec::new();
        (&mut self.output).take(u64::from(length)).read_to_end(&mut frame).await?;
        if u32::try_from(frame.len()) == Ok(length) { Ok(frame) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
