//! Can files be read on this machine at all? `check` asks before the first mail does.

use super::{Extractor, child, worker};
use std::process::Stdio;

/// What keeps files from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// A worker reads nothing outside its walls.
    #[error(
        "The workers that read attachments cannot lock themselves in, so none is read and each counts as unreadable. \
         They need Linux 5.13 or later with Landlock and seccomp, a /proc, and a service that may use them"
    )]
    Unlocked,
    /// A worker does not come up.
    #[error("The workers that read attachments do not start, so none is read and each counts as unreadable")]
    NotStarting,
    /// One of the programs that read pages and pictures is not there.
    #[error("The program {0} is not installed, so files that take it count as unreadable")]
    Missing(&'static str),
}

impl Obstacle {
    /// Whether no file at all can be read.
    #[must_use]
    pub const fn is_total(self) -> bool {
        !matches!(self, Self::Missing(_))
    }

    /// What the exit status of a worker says; `None` where it says nothing of the kind.
    pub(super) fn of(status: Option<i32>) -> Option<Self> {
        (status == Some(i32::from(worker::NOT_LOCKED))).then_some(Self::Unlocked)
    }
}

/// The programs, and what makes each tell its version.
const PROGRAMS: [(&str, &str); 2] = [("pdftotext", "-v"), ("tesseract", "--version")];

impl Extractor {
    /// What keeps files from being read here: nothing, where this is empty. Starts a worker of each kind, and reads nothing.
    pub async fn obstacles(&self) -> Vec<Obstacle> {
        let mut found: Vec<Obstacle> = self.obstacle(&[]).await.into_iter().collect();
        for (program, version) in PROGRAMS {
            found.extend(match self.obstacle(&[program, version]).await {
                Some(Obstacle::Missing(_)) => Some(Obstacle::Missing(program)),
                other => other,
            });
        }
        found.dedup();
        found
    }

    /// What keeps every file from being read here; nothing, where some can be. Starts one worker, and reads nothing.
    pub async fn is_shut_out(&self) -> Option<Obstacle> {
        self.obstacle(&[]).await
    }

    /// The same for one worker, which sees no input and ends by itself.
    async fn obstacle(&self, arguments: &[&str]) -> Option<Obstacle> {
        let ended = async {
            let mut child = child(&self.program, arguments, Stdio::null()).ok()?;
            drop(child.stdin.take());
            child.wait_with_output().await.ok()?.status.code()
        };
        match tokio::time::timeout(self.limits.deadline, ended).await.ok().flatten() {
            Some(0) => None,
            Some(code) if code == i32::from(worker::NO_SUCH_TOOL) => Some(Obstacle::Missing("")),
            code => Some(Obstacle::of(code).unwrap_or(Obstacle::NotStarting)),
        }
    }
}
