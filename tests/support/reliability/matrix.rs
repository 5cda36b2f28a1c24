//! The kill matrix: one process, killed at a step that its servers see, or the system for its files (before it has an effect, or before
//! its answer is heard), or a moment after one; then started again. Every kind of step has its turn. Now and then the power is cut as well.

use super::installation::{Installation, Kept};
use super::mails::Kind;
use super::wire::{Course, Killed, Moment, Server, Step, When};
use super::{Dice, Report, tally};
use crate::support::DEADLINE;
use crate::support::files::tell_of_files;
use std::collections::BTreeMap;
use std::fs::File;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// After so many rounds comes a mail that brings down whoever reads it.
const DEADLY_EVERY: u64 = 12;
/// And after so many one of somebody who is not who they say: soon there are too many of them.
const FORGED_EVERY: u64 = 4;
/// How often a mail brings down the process before it is stuck: together with others, and three times alone.
const DEATHS_BY_MAIL: usize = 4;

/// One in so many kills comes a moment after a step.
const BETWEEN_EVERY: u64 = 6;

/// With one in so many kills goes the power: what was not forced to the disk is lost.
const CUT_EVERY: u64 = 3;

/// Statements that are only met while a database is new, in their order: who is killed at one has been past those before it. At the first start
/// of all the servers of the settings go on record, and with them the first key of that record and the daemon's name in it.
const ONCE_ONLY: [&str; 3] = ["INSERT audit_key", "INSERT audit_name", "INSERT lease"];

/// Kinds of steps that were seen in any run. Shared by those who kill side by side.
#[derive(Debug, Default)]
pub struct Catalogue(Mutex<BTreeMap<Step, Turns>>);

#[derive(Clone, Copy, Debug, Default)]
struct Turns {
    /// How often a process was to be killed at it. Not each run comes to each step.
    planned: u64,
    /// And how often it was.
    kills: u64,
}

impl Catalogue {
    fn note(&self, course: &Course) {
        let mut steps = self.0.lock().unwrap();
        for step in course.seen.keys() {
            steps.entry(step.clone()).or_default();
        }
        if let Some(Killed::At(step)) = &course.killed {
            steps.entry(step.clone()).or_default().kills += 1;
        }
    }

    /// A step that had its turn no more often than any other; mostly one at which nobody was killed yet, while there is one. Not always: it may
    /// be met only after a kill at another.
    fn next(&self, dice: &mut Dice) -> Step {
        let mut steps = self.0.lock().unwrap();
        let spared = dice.below(4) > 0 && steps.values().any(|turns| turns.kills == 0);
        let eligible = |turns: &Turns| !spared || turns.kills == 0;
        let least = steps.values().filter(|turns| eligible(turns)).map(|turns| turns.planned).min().expect("a run that nobody disturbed");
        let of_all = steps.iter().filter(|(_, turns)| eligible(turns) && turns.planned == least).map(|(step, _)| step.clone());
        let step = dice.one_of(&of_all.collect::<Vec<_>>());
        steps.entry(step.clone()).or_default().planned += 1;
        step
    }

    /// Whether a process was killed at every kind of step.
    fn is_complete(&self) -> bool {
        self.0.lock().unwrap().values().all(|turns| turns.kills > 0)
    }

    /// How often a process was killed at each.
    pub fn kills(&self) -> BTreeMap<Step, u64> {
        self.0.lock().unwrap().iter().map(|(step, turns)| (step.clone(), turns.kills)).collect()
    }
}

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    pub kills: u64,
    /// And on until there was one at every kind of step.
    pub complete: bool,
    /// But not for longer than this.
    pub time: Option<Instant>,
}

impl Until {
    fn is_over(&self, done: u64, catalogue: &Catalogue) -> bool {
        self.time.is_some_and(|time| Instant::now() >= time) || (done >= self.kills && (!self.complete || catalogue.is_complete()))
    }
}

/// Kills a process again and again on one installation.
pub fn kill(kept: Kept, until: Until, seed: u64, catalogue: &Catalogue) -> Report {
    let mut dice = Dice::seeded(seed);
    let mut here = Installation::new(kept, 2);
    let mut report = Report::default();
    here.offer(6, &mut dice);
    let new = ONCE_ONLY.iter().flat_map(|what| [Moment::Asked, Moment::Answered].map(|moment| (what.to_string(), moment)));
    for (what, moment) in new.filter(|_| kept == Kept::Postgres) {
        let course = once(&here, Some(When::At(Step { server: Server::Postgres, what, moment }, 1)));
        catalogue.note(&course);
        note(&course, kept, false, &mut report);
        here.time_passes();
    }
    // What a round is like that nobody disturbs.
    let mut usual = undisturbed(&here);
    catalogue.note(&usual);
    let mut done = 0;
    let mut rounds: u64 = 0;
    while !until.is_over(done, catalogue) {
        rounds += 1;
        assert!(rounds < 3 * until.kills + 200, "only {done} of {rounds} runs could be killed at what was planned: {catalogue:#?}");
        let desk = here.some_desk(&mut dice);
        let question = dice.one_of(&[Kind::Question, Kind::WithFile]);
        here.offer_at(question, desk.clone(), &mut dice);
        let refused = dice.one_of(&[Kind::NumberInText, Kind::NumberInFile]);
        here.offer_one(refused, &mut dice);
        here.offer_one(Kind::FollowUp, &mut dice);
        let more = dice.below(2);
        here.offer(more, &mut dice);
        if rounds.is_multiple_of(FORGED_EVERY) {
            here.offer_one(Kind::Forged, &mut dice);
        }
        let is_deadly = rounds % DEADLY_EVERY == DEADLY_EVERY / 2;
        if is_deadly {
            here.offer_one(Kind::Deadly, &mut dice);
        }
        // The one that takes over is killed, too; a third time, and a mail that was alone in hand each time would be stuck.
        let mut before = None;
        for _ in 0..2 {
            let when = when(before.as_ref(), &usual, catalogue, &mut dice);
            if matches!(&when, When::At(step, _) if step.server == Server::Imap && ["CREATE", "SUBSCRIBE"].contains(&step.what.as_str())) {
                here.rename_done(&desk);
            }
            let course = once(&here, Some(when));
            catalogue.note(&course);
            let is_killed = matches!(course.killed, Some(Killed::At(_) | Killed::Between));
            let is_cut = is_killed && dice.below(CUT_EVERY) == 0;
            if is_cut {
                here.disk.cut(&mut dice);
            }
            done += u64::from(is_killed);
            note(&course, kept, is_cut, &mut report);
            before = course.killed;
            here.time_passes();
        }
        let start = Instant::now();
        usual = settle(&here, kept, catalogue, &mut report);
        if !is_deadly {
            report.recoveries.push(start.elapsed());
        }
    }
    report.add(tally::count(&here));
    report
}

/// What has its turn: a kind of step, or now and then a moment between two of them. After a death over an attachment what it left is
/// removed at the next start, and only then.
fn when(before: Option<&Killed>, usual: &Course, catalogue: &Catalogue, dice: &mut Dice) -> When {
    if let Some(Killed::At(Step { server: Server::Files, what, .. })) = before
        && what.ends_with("of an attachment")
    {
        let step = |moment| Step { server: Server::Files, what: "unlink of an attachment".to_owned(), moment };
        return When::At(dice.one_of(&[Moment::Asked, Moment::Answered].map(step)), 1);
    }
    if dice.below(BETWEEN_EVERY) == 0 {
        let steps: u64 = usual.seen.values().sum();
        return When::After(1 + dice.below(steps.max(1)), Duration::from_micros(dice.below(30_000)));
    }
    let step = catalogue.next(dice);
    let times = usual.seen.get(&step).copied().unwrap_or(1);
    When::At(step, 1 + dice.below(times))
}

fn note(course: &Course, kept: Kept, is_cut: bool, report: &mut Report) {
    let when = match course.killed {
        None => return,
        Some(Killed::At(_)) => "at a step",
        Some(Killed::Between) => "at a moment between two steps",
        Some(Killed::ByMail) => "by a mail that brings down whoever reads it",
    };
    let database = if kept == Kept::Sqlite { "SQLite" } else { "PostgreSQL" };
    let what = if is_cut { "SIGKILL and power cut" } else { "SIGKILL" };
    report.fault(&format!("{what} {when}, {database}"));
}

fn undisturbed(here: &Installation) -> Course {
    let course = once(here, None);
    assert_eq!(course.killed, None);
    course
}

/// `run --once`, to its end or to its death.
pub fn once(here: &Installation, when: Option<When>) -> Course {
    here.disk.sync();
    here.steps.begin(when);
    let log = |name: &str| File::create(here.world.dir.join(name)).unwrap();
    let mut command = here.world.command(&["run", "--once"]);
    tell_of_files(&mut command, &here.world.state_dir(), &here.witness());
    let mut child = command.stdin(Stdio::null()).stdout(log("out.log")).stderr(log("err.log")).spawn().unwrap();
    here.steps.watch(child.id());
    let start = Instant::now();
    while !has_ended(child.id()) && start.elapsed() < DEADLINE {
        std::thread::sleep(Duration::from_millis(3));
    }
    // Only now it is waited for: until then its number is its own.
    let mut course = here.steps.end();
    let in_time = has_ended(child.id());
    let _ = child.kill();
    let status = child.wait().unwrap();
    let said = || std::fs::read_to_string(here.world.dir.join("err.log")).unwrap_or_default();
    assert!(in_time, "a run does not end: {}", said());
    // On a machine with no time for it a process may come too late for its own lease; then it books nothing, and the next run goes on.
    let came_too_late = || status.code() == Some(75) && said().contains("another postkamer has taken over this mailbox");
    assert!(course.killed.is_some() || status.success() || came_too_late(), "{status}: {}", said());
    course.killed = course.killed.filter(|_| !status.success());
    course
}

/// Whether the process is a zombie that waits to be waited for.
fn has_ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

/// What is still to be done.
pub fn left(here: &Installation) -> Vec<String> {
    here.sql(
        "SELECT 'mail' FROM mail WHERE action_state = 'due' UNION ALL \
         SELECT 'arrival' FROM arrival WHERE state NOT IN ('deferred', 'stuck') UNION ALL \
         SELECT 'reply' FROM outbox WHERE state IN ('due', 'claimed')",
    )
}

/// Runs until nothing is left to do. The last run.
fn settle(here: &Installation, kept: Kept, catalogue: &Catalogue, report: &mut Report) -> Course {
    for _ in 0..5 + DEATHS_BY_MAIL {
        let course = once(here, None);
        catalogue.note(&course);
        note(&course, kept, false, report);
        if course.killed.is_some() {
            here.time_passes();
        } else if left(here).is_empty() {
            return course;
        }
    }
    panic!(
        "work is left after many runs: {:?}\n{}",
        left(here),
        std::fs::read_to_string(here.world.dir.join("err.log")).unwrap_or_default()
    );
}
