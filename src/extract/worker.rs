//! The child processes: a parser that serves documents, and a tool worker that locks itself in and becomes another program.

use super::protocol::{Answer, Request, read_frame, write_frame};
use super::{formats, sandbox};
use crate::parse::document::Document;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write, stdin, stdout};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// After so many documents a parser is replaced: what it may have leaked or had broken goes with it.
pub const MOST_DOCUMENTS: u64 = 200;

/// Exit status of a worker that could not lock itself in, and has read nothing.
pub const NOT_LOCKED: u8 = 125;

/// Exit status of a tool worker whose tool is not installed.
pub const NO_SUCH_TOOL: u8 = 127;

/// The first argument of a worker: `postkamer worker [TOOL [ARGUMENT…]]`, which only postkamer itself calls.
pub const COMMAND: &str = "worker";

/// Locks this process in and does what a worker does: becomes the tool that is named, or serves documents from stdin to stdout until
/// stdin ends. Says nothing on stderr: a parser's complaint may quote the document.
pub fn run(mut tool: impl Iterator<Item = OsString>) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let tool_name = tool.next();
    let locked = if tool_name.is_some() { sandbox::for_tool() } else { sandbox::for_parser() };
    if locked.is_err() {
        return ExitCode::from(NOT_LOCKED);
    }
    let done = match tool_name {
        Some(program) => Err(Command::new(program).args(tool).exec()),
        None => serve(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::NotFound => ExitCode::from(NO_SUCH_TOOL),
        Err(_) => ExitCode::FAILURE,
    }
}

/// What a parser makes of a file, in this very process and without any wall: for tests of the readers themselves.
#[must_use]
pub fn read_unguarded(bytes: &[u8], name: Option<&str>) -> Document {
    formats::read(bytes, &Request { name: name.map(str::to_owned), ..Request::default() }).document
}

fn serve() -> io::Result<()> {
    let (mut input, mut output) = (stdin().lock(), BufWriter::new(stdout().lock()));
    while let Some(request) = read_frame(&mut input)? {
        let request: Request = serde_json::from_slice(&request)?;
        let Some(bytes) = read_frame(&mut input)? else { break };
        let answer = formats::read(&bytes, &request);
        write_answer(&mut output, request.turn, &answer)?;
    }
    Ok(())
}

fn write_answer(mut to: impl Write, turn: u64, answer: &Answer) -> io::Result<()> {
    write_frame(&mut to, &turn.to_le_bytes())?;
    write_frame(&mut to, &serde_json::to_vec(answer)?)?;
    for task in &answer.tasks {
        write_frame(&mut to, &task.bytes)?;
    }
    to.flush()
}
