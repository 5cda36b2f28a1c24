//! `make soak`: the kill matrix and the fleet of tests/reliability.rs for long, with the release build; the figures go to
//! RELIABILITY.md, as often as there are new ones. `KILLS` (5,000), `HARMS` (200) and `MINUTES` (no limit) make it shorter, `SEED` another
//! one; `LANES` (2) is how many installations on each kind of database are killed side by side.
#![allow(missing_docs, reason = "a measurement is read, not linked to")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that panics says what it needs to say"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::{LazyLock, Mutex};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};
use support::checker::Harm;
use support::published::{machine, publish};
use support::reliability::installation::Kept;
use support::reliability::matrix::{Catalogue, Until};
use support::reliability::{FATES, Report, fleet, matrix};

/// So many kills on one installation; then the next one begins with an empty database.
const KILLS_EACH: u64 = 40;
/// So many harms on one fleet.
const HARMS_EACH: u64 = 20;

/// All that is wanted.
struct Wanted {
    kills: u64,
    harms: u64,
    seed: u64,
    lanes: u64,
    until: Option<Instant>,
}

impl Wanted {
    /// What the environment says.
    fn here() -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
        Self {
            kills: number("KILLS").unwrap_or(5_000),
            harms: number("HARMS").unwrap_or(200),
            seed: number("SEED").unwrap_or(20_261_122),
            lanes: number("LANES").unwrap_or(2),
            until: number("MINUTES").map(|minutes| Instant::now() + Duration::from_secs(60 * minutes)),
        }
    }

    fn goes_on(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

/// What came out so far.
struct Soak {
    wanted: Wanted,
    start: Instant,
    catalogues: [Catalogue; 2],
    /// Of the kill matrix, and of the fleet.
    reports: Mutex<[Report; 2]>,
}

fn main() {
    let wanted = Wanted::here();
    println!("{} kills, {} harms, seed {}", wanted.kills, wanted.harms, wanted.seed);
    let soak = Soak { wanted, start: Instant::now(), catalogues: Default::default(), reports: Mutex::default() };
    std::thread::scope(|scope| {
        let soak = &soak;
        let mut at_work: Vec<ScopedJoinHandle<()>> = Vec::new();
        for lane in 0..soak.wanted.lanes {
            at_work.extend([Kept::Sqlite, Kept::Postgres].map(|kept| scope.spawn(move || soak.kill(kept, lane))));
        }
        at_work.push(scope.spawn(move || soak.harm()));
        // One that breaks off leaves the others to go on; what it had is counted, and that it broke off is a complaint.
        for one in at_work {
            if one.join().is_err() {
                let broken = Report { complaints: vec!["a lane broke off; see what it printed".to_owned()], ..Report::default() };
                soak.note(0, broken);
            }
        }
    });
    let reports = soak.reports.into_inner().expect("the reports");
    for report in &reports {
        report.complaints.iter().for_each(|complaint| println!("{complaint}"));
    }
    reports.iter().for_each(Report::assert_clean);
}

impl Soak {
    /// A lane of the kill matrix: installation after installation.
    fn kill(&self, kept: Kept, lane: u64) {
        let wanted = &self.wanted;
        let mut left = wanted.kills / (2 * wanted.lanes);
        while left > 0 && wanted.goes_on() {
            let some = left.min(KILLS_EACH);
            let seed = wanted.seed + lane * 1_000_000 + left;
            let until = Until { kills: some, complete: false, time: wanted.until };
            self.note(0, matrix::kill(kept, until, seed, &self.catalogues[usize::from(kept == Kept::Postgres)]));
            left -= some;
        }
    }

    /// Fleet after fleet.
    fn harm(&self) {
        let mut left = self.wanted.harms;
        while left > 0 && self.wanted.goes_on() {
            let some = left.min(HARMS_EACH);
            self.note(1, fleet::harm(some, self.wanted.seed + left, self.wanted.until));
            left -= some;
        }
    }

    /// Adds it up, and writes all down.
    fn note(&self, which: usize, report: Report) {
        let mut reports = self.reports.lock().expect("the reports");
        reports[which].add(report);
        reports[0].steps =
            self.catalogues.iter().flat_map(Catalogue::kills).fold(Default::default(), |mut steps: BTreeMap<_, _>, (step, kills)| {
                *steps.entry(step).or_default() += kills;
                steps
            });
        let [matrix, fleet] = &*reports;
        println!(
            "{} kills, {} harms, {} complaints",
            matrix.all_faults(),
            fleet.all_faults(),
            matrix.complaints.len() + fleet.complaints.len()
        );
        publish("RELIABILITY.md", "soak", "make soak", &text(matrix, fleet, self.start.elapsed(), self.wanted.seed));
    }
}

fn text(matrix: &Report, fleet: &Report, took: Duration, seed: u64) -> String {
    let mut text = format!(
        "Written by `cargo bench --bench soak` after {:.0} minutes: {} kills and, beside them, {} harms to daemons, seed {seed}, {}.\n\n| faults injected | times |\n| --- | --- |\n",
        took.as_secs_f64() / 60.0,
        matrix.all_faults(),
        fleet.all_faults(),
        build()
    );
    for (kind, count) in matrix.faults.iter().chain(&fleet.faults) {
        let _ = writeln!(text, "| {kind} | {count} |");
    }
    text.push_str("\n| | kill matrix | three daemons |\n| --- | --- | --- |\n");
    let mut row = |what: &str, of: &dyn Fn(&Report) -> String| {
        let _ = writeln!(text, "| {what} | {} | {} |", of(matrix), of(fleet));
    };
    row("mails offered", &|report| report.offered.to_string());
    for (fate, word) in FATES {
        row(&format!("… {word}"), &|report| report.fates.get(fate).copied().unwrap_or_default().to_string());
    }
    row("replies wanted", &|report| report.replies.to_string());
    row("copies sent again after an answer to DATA was lost with the process (SMTP cannot do better)", &|report| {
        report.replies_repeated.to_string()
    });
    for (harm, what) in Harm::ALL {
        row(&format!("**{what}**"), &|report| report.harms.get(&harm).copied().unwrap_or_default().to_string());
    }
    row("recovery, p50 / p99 / longest", &|report| spread(&report.recoveries));
    row("take-over, p50 / p99 / longest", &|report| spread(&report.takeovers));
    let _ = writeln!(
        text,
        "\n{} kinds of steps, and how often the process was killed at each:\n\n{}",
        matrix.steps.len(),
        matrix.table_of_steps()
    );
    let _ = writeln!(text, "Machine: {}.", machine());
    text
}

/// Of the program, not of this one: the release build has no table of symbols any more.
fn build() -> &'static str {
    static BUILD: LazyLock<&str> = LazyLock::new(|| {
        let program = fs::read(env!("CARGO_BIN_EXE_postkamer")).expect("the program");
        let has_symbols = program.windows(8).rev().any(|name| name == b".symtab\0");
        if has_symbols { "debug build" } else { "release build" }
    });
    &BUILD
}

/// The middle, the hundredth from above, and the longest, in seconds.
fn spread(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let Some(longest) = sorted.last() else { return "–".to_owned() };
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part).round() as usize].as_secs_f64();
    format!("{:.2} s / {:.2} s / {:.2} s ({} times)", at(0.5), at(0.99), longest.as_secs_f64(), sorted.len())
}
