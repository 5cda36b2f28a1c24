//! The kill matrix: one process, killed at a step that its servers see (before it has an effect, or before its answer is
//! heard), or a moment after one; then started again.

use super::installation::{Installation, Kept};
use super::{Dice, Report, tally};
use crate::support::DEADLINE;
use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Kills a process so many times on one installation; every step of a usual run has its turn, beginning at `first` and going on by
/// `stride`.
pub fn kill(kept: Kept, kills: u64, seed: u64) -> Report {
    let mut dice = Dice::seeded(seed);
    let mut here = Installation::new(kept, 2);
    let mut report = Report::default();
    // What a round is like that nobody disturbs.
    here.offer(6, &mut dice);
    assert!(!once(&here, None, None), "nobody killed it");
    let usual = here.steps.count();
    let mut done = 0;
    let mut rounds: u64 = 0;
    while done < kills {
        rounds += 1;
        assert!(rounds < 3 * kills + 20, "only {done} of {rounds} runs could be killed");
        here.offer(2 + dice.below(4), &mut dice);
        // The one that takes over is killed, too; a third time, and a mail that was alone in hand each time would be stuck.
        for again in 0..2 {
            let span = if again == 0 { usual } else { usual / 2 };
            let at = 1 + (rounds.wrapping_mul(7919).wrapping_add(dice.below(3))) % span.max(1);
            // SQLite is no server: what happens there lies between the steps that are seen.
            let between = kept == Kept::Sqlite && dice.below(2) == 0;
            let later = between.then(|| Duration::from_micros(dice.below(30_000)));
            if once(&here, Some(at), later) {
                done += 1;
                let when = if between { "at a moment between two steps" } else { "at a step" };
                let database = if kept == Kept::Sqlite { "SQLite" } else { "PostgreSQL" };
                report.fault(&format!("SIGKILL {when}, {database}"));
            }
            here.time_passes();
        }
        let start = Instant::now();
        settle(&here);
        report.recoveries.push(start.elapsed());
    }
    report.add(tally::count(&here));
    report
}

/// `run --once`, to its end or to its death; whether it was killed.
fn once(here: &Installation, at: Option<u64>, later: Option<Duration>) -> bool {
    here.steps.begin(at, later);
    let log = |name: &str| File::create(here.world.dir.join(name)).unwrap();
    let mut child =
        here.world.command(&["run", "--once"]).stdin(Stdio::null()).stdout(log("out.log")).stderr(log("err.log")).spawn().unwrap();
    here.steps.watch(child.id());
    let start = Instant::now();
    while !has_ended(child.id()) && start.elapsed() < DEADLINE {
        std::thread::sleep(Duration::from_millis(3));
    }
    // Only now it is waited for: until then its number is its own.
    let killed = here.steps.end();
    let in_time = has_ended(child.id());
    let _ = child.kill();
    let status = child.wait().unwrap();
    let said = || std::fs::read_to_string(here.world.dir.join("err.log")).unwrap_or_default();
    assert!(in_time, "a run does not end: {}", said());
    assert!(killed || status.success(), "{status}: {}", said());
    killed && !status.success()
}

/// Whether the process is a zombie that waits to be waited for.
fn has_ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

/// Runs until nothing is left to do.
fn settle(here: &Installation) {
    const LEFT: &str = "SELECT 'mail' FROM mail WHERE action_state = 'due' UNION ALL SELECT 'arrival' FROM arrival WHERE state <> 'stuck' \
         UNION ALL SELECT 'reply' FROM outbox WHERE state IN ('due', 'claimed')";
    for _ in 0..5 {
        assert!(!once(here, None, None), "nobody killed it");
        if here.sql(LEFT).is_empty() {
            return;
        }
    }
    panic!(
        "work is left after five runs: {:?}\n{}",
        here.sql(LEFT),
        std::fs::read_to_string(here.world.dir.join("err.log")).unwrap_or_default()
    );
}
