//! `make soak`: the kill matrix and the fleet of tests/reliability.rs for long, with the release build; the figures go to
//! RELIABILITY.md. `KILLS` (5,000) and `HARMS` (200) make it shorter, `SEED` another one.
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

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use support::checker::Harm;
use support::reliability::installation::Kept;
use support::reliability::matrix::Catalogue;
use support::reliability::{FATES, Report, fleet, matrix};

/// So many kills on one installation; then the next one begins with an empty database.
const KILLS_EACH: u64 = 125;
/// So many harms on one fleet.
const HARMS_EACH: u64 = 20;

fn main() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().expect(name));
    let (kills, harms, seed) = (number("KILLS", 5_000), number("HARMS", 200), number("SEED", 20_261_122));
    println!("{kills} kills, {harms} harms, seed {seed}");
    let start = Instant::now();
    let (mut matrix_report, catalogues) = (Report::default(), [Catalogue::default(), Catalogue::default()]);
    let each = KILLS_EACH.min((kills / 2).max(1));
    let turns = kills.div_ceil(2 * each);
    for turn in 0..turns {
        let (sqlite, postgres) = std::thread::scope(|scope| {
            let [of_sqlite, of_postgres] = &catalogues;
            let sqlite = scope.spawn(move || matrix::kill(Kept::Sqlite, each, seed + turn, of_sqlite));
            let postgres = scope.spawn(move || matrix::kill(Kept::Postgres, each, seed + turn, of_postgres));
            (sqlite.join().expect("SQLite"), postgres.join().expect("PostgreSQL"))
        });
        matrix_report.add(sqlite);
        matrix_report.add(postgres);
        println!("{} kills, {} mails, {} complaints", matrix_report.all_faults(), matrix_report.offered, matrix_report.complaints.len());
    }
    for catalogue in catalogues {
        matrix_report.add(Report { steps: catalogue.into_steps(), ..Report::default() });
    }
    let mut fleet_report = Report::default();
    let mut left = harms;
    while left > 0 {
        let some = left.min(HARMS_EACH);
        fleet_report.add(fleet::harm(some, seed + left));
        left -= some;
        println!("{} harms, {} mails, {} complaints", fleet_report.all_faults(), fleet_report.offered, fleet_report.complaints.len());
    }
    let took = start.elapsed();
    for report in [&matrix_report, &fleet_report] {
        report.complaints.iter().for_each(|complaint| println!("{complaint}"));
    }
    write_down(&text(&matrix_report, &fleet_report, took, seed));
    matrix_report.assert_clean();
    fleet_report.assert_clean();
}

fn text(matrix: &Report, fleet: &Report, took: Duration, seed: u64) -> String {
    let mut text = format!(
        "Written by `cargo bench --bench soak` after {:.0} minutes: {} kills and {} harms, seed {seed}, {}.\n\n| faults injected | times |\n| --- | --- |\n",
        took.as_secs_f64() / 60.0,
        matrix.all_faults(),
        fleet.all_faults(),
        if cfg!(debug_assertions) { "debug build" } else { "release build" }
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

/// The middle, the hundredth from above, and the longest, in seconds.
fn spread(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let Some(longest) = sorted.last() else { return "–".to_owned() };
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part).round() as usize].as_secs_f64();
    format!("{:.2} s / {:.2} s / {:.2} s ({} times)", at(0.5), at(0.99), longest.as_secs_f64(), sorted.len())
}

fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let model = read("/proc/cpuinfo");
    let model = model.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(':').nth(1)).unwrap_or("?");
    let load = read("/proc/loadavg").split(' ').next().unwrap_or("?").to_owned();
    format!(
        "{} cores of {}, Linux {}, load {load} at the end",
        std::thread::available_parallelism().map_or(0, usize::from),
        model.trim(),
        read("/proc/sys/kernel/osrelease").trim()
    )
}

/// Puts the result between the two marks in RELIABILITY.md.
fn write_down(result: &str) {
    const BEGIN: &str = "<!-- soak: written by make soak -->\n";
    const END: &str = "<!-- soak: end -->\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("RELIABILITY.md");
    let old = fs::read_to_string(&file).expect("RELIABILITY.md");
    let (above, rest) = old.split_once(BEGIN).expect("the first mark in RELIABILITY.md");
    let (_, below) = rest.split_once(END).expect("the second mark in RELIABILITY.md");
    fs::write(file, format!("{above}{BEGIN}\n{result}\n{END}{below}")).expect("RELIABILITY.md");
}
