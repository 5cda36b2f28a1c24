//! `make bench`: how long postkamer needs to take 5,000 mixed mails in from a real Dovecot, beside the limit: a program that
//! only fetches, parses and commits one row a mail. Both run in turn, several times; the result goes to BENCHMARKS.md.
#![allow(missing_docs, reason = "a benchmark is read, not linked to")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that panics says what it needs to say"
)]

mod files;
mod limit;
mod mails;
#[path = "../../tests/support/mod.rs"]
mod support;

use limit::{Commits, Source};
use mails::Mails;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};
use support::dovecot::{Dovecot, Store};
use support::published::{machine, publish};
use support::server::Scratch;
use support::smtp::Smtp;
use support::world::World;
use toml_edit::{Item, Table, value};

const USER: &str = "support@zaakwijs.example";
const SEED: u64 = 20_261_121;
/// The mails are of this day: people whose mail is old are not answered.
const NOW: &str = "2026-11-18T09:30:00+01:00";
const LATER: &str = "2026-11-18T11:30:00+01:00";

/// Mails with a picture that must be read letter by letter, measured apart.
const SCREENSHOTS: u32 = 20;

/// Numbers of one run of postkamer.
struct Run {
    time: Duration,
    /// Seconds of processor time of postkamer and all that it started; the mail server's are not among them.
    processor: f64,
    /// The time that sending all replies takes afterwards, as files.
    sending: Duration,
    replies: usize,
    filed: u32,
    tickets: usize,
}

fn main() {
    let number = |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().expect(name));
    let (count, repetitions) = (number("MAILS", 5_000), number("REPETITIONS", 5));
    let mails: Vec<Vec<u8>> = Mails::seeded(SEED).take(count).collect();
    let octets: usize = mails.iter().map(Vec::len).sum();
    println!("{count} mails, {:.1} MB, {repetitions} repetitions", octets as f64 / 1e6);

    let (mut limits, mut singly) = (Vec::new(), Vec::new());
    let mut runs = Vec::new();
    for repetition in 1..=repetitions {
        // Who goes first changes, so that none always finds the machine warmed up.
        for turn in 0..3 {
            match (repetition + turn) % 3 {
                0 => limits.push(limit(&mails, Commits::Batches)),
                1 => singly.push(limit(&mails, Commits::Mails)),
                _ => runs.push(postkamer(&mails)),
            }
        }
        let (limit, singly, run) = (&limits[repetition - 1], &singly[repetition - 1], &runs[repetition - 1]);
        println!("{repetition}: limit {:.3} s; with a commit for each mail {:.3} s", limit.as_secs_f64(), singly.as_secs_f64());
        println!(
            "{repetition}: postkamer {:.3} s, {:.2} s of processor time, {} tickets; {} replies {:.3} s",
            run.time.as_secs_f64(),
            run.processor,
            run.tickets,
            run.replies,
            run.sending.as_secs_f64()
        );
    }
    let pictures = if count == 5_000 { postkamer(&mails::with_screenshots(SEED, SCREENSHOTS)).time } else { Duration::ZERO };
    let times: Vec<Duration> = runs.iter().map(|run| run.time).collect();
    let [ratio, ratio_singly] = [&limits, &singly].map(|limit| median(limit).as_secs_f64() / median(&times).as_secs_f64());
    println!("ratio {ratio:.2} (limit / postkamer, medians); with a commit for each mail {ratio_singly:.2}");
    if count == 5_000 {
        publish("BENCHMARKS.md", "intake", "make bench", &report(&mails, octets, [&limits, &singly], &runs, pictures));
    }
}

/// A Dovecot of its own, with all the mail in one INBOX.
fn filled(mails: &[Vec<u8>]) -> Dovecot {
    let dovecot = Dovecot::start(Store::Maildir);
    let arrived = "2026-11-18T09:00:00+01:00".parse().ok();
    for mail in mails {
        dovecot.append(USER, "INBOX", mail, arrived);
    }
    dovecot
}

fn limit(mails: &[Vec<u8>], commits: Commits) -> Duration {
    let dovecot = filled(mails);
    dovecot.add_user(USER, "geheim");
    let scratch = Scratch::new("limit");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let source = Source { port: dovecot.imaps_port(), ca_file: dovecot.ca_file(), user: USER, password: "geheim" };
    let start = Instant::now();
    let committed = runtime.block_on(limit::take_in(&source, &scratch.path().join("limit.db"), commits));
    let time = start.elapsed();
    assert_eq!(committed, mails.len() as u64);
    time
}

fn postkamer(mails: &[Vec<u8>]) -> Run {
    let dovecot = filled(mails);
    let smtp = Smtp::start(&dovecot);
    let world = World::on(&dovecot, &smtp);
    // Out of reach: replies are written and booked, and wait in the outbox.
    drop(smtp);
    world.edit(|config| {
        // All mail is from a dozen people: their limits would hold most of it back.
        for (_, limit) in config["limits"].as_table_mut().unwrap().iter_mut() {
            *limit = value(0);
        }
    });
    world.run(&["migrate"]).ok();
    let (start, before) = (Instant::now(), processor_seconds());
    world.run_at(NOW, &["run", "--once"]).ok();
    let (time, processor) = (start.elapsed(), processor_seconds() - before);
    assert_eq!(dovecot.count(USER, "INBOX"), 0, "every mail is filed or deleted");
    let filed = dovecot.count(USER, "Verwerkt");
    let tickets = world.run(&["tickets", "list", "--json"]).ok().json().len();
    assert!(tickets > mails.len() / 2, "{tickets} tickets of {} mails", mails.len());

    world.edit(|config| {
        let mut replies = Table::new();
        replies["kind"] = value("directory");
        replies["path"] = value("replies-sent");
        config["smtp"] = Item::Table(replies);
    });
    let start = Instant::now();
    world.run_at(LATER, &["run", "--once"]).ok();
    let sending = start.elapsed();
    let replies = fs::read_dir(world.dir.join("replies-sent")).unwrap().count();
    Run { time, processor, sending, replies, filed, tickets }
}

/// User and system time of all children that have ended, in seconds (proc_pid_stat(5), fields 16 and 17).
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |field: usize| fields[field - 3].parse::<f64>().unwrap();
    (ticks(16) + ticks(17)) / 100.0
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

fn report(mails: &[Vec<u8>], octets: usize, [limits, singly]: [&[Duration]; 2], runs: &[Run], pictures: Duration) -> String {
    let seconds = |times: &[Duration]| times.iter().map(|time| format!("{:.2}", time.as_secs_f64())).collect::<Vec<_>>().join(", ");
    let times: Vec<Duration> = runs.iter().map(|run| run.time).collect();
    let [limit, single, postkamer] = [limits, singly, &times[..]].map(|times| median(times).as_secs_f64());
    let (ratio, ratio_singly) = (limit / postkamer, single / postkamer);
    let rate = |seconds: f64| mails.len() as f64 / seconds;
    let run = &runs[0];
    let mut text = String::new();
    let _ = write!(
        text,
        "**Ratio {ratio:.2}** (limit's seconds / postkamer's seconds, medians of {}); beside a limit that commits each mail by itself {ratio_singly:.2}.\n\n\
         | | seconds, each run | median | mails a second |\n| --- | --- | --- | --- |\n\
         | limit | {} | {limit:.2} | {:.0} |\n| limit, each mail committed by itself | {} | {single:.2} | {:.0} |\n| postkamer | {} | {postkamer:.2} | {:.0} |\n\n\
         {} mails, {:.1} MB; of them postkamer made {} tickets, filed {} and deleted {} for citizen data or a file it could not read. \
         Writing its {} replies as files afterwards took {:.2} s. {SCREENSHOTS} mails with a screenshot each, taken in by themselves: {:.2} s.\n\n\
         Machine: {}. {}, {}.\n",
        runs.len(),
        seconds(limits),
        rate(limit),
        seconds(singly),
        rate(single),
        seconds(&times),
        rate(postkamer),
        mails.len(),
        octets as f64 / 1e6,
        run.tickets,
        run.filed,
        mails.len() as u32 - run.filed,
        run.replies,
        run.sending.as_secs_f64(),
        pictures.as_secs_f64(),
        machine(),
        said_by("dovecot", "--version", "Dovecot "),
        said_by("rustc", "--version", ""),
    );
    text
}

fn said_by(program: &str, arg: &str, prefix: &str) -> String {
    let output = std::process::Command::new(program).arg(arg).output().unwrap();
    format!("{prefix}{}", String::from_utf8_lossy(&output.stdout).trim())
}
