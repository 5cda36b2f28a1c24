//! Every call at the edges fails once: before its effect, after it, and for good until repaired.
//!
//! A story is played while its calls are counted: IMAP commands, SMTP steps, calls that change files (SQLite's among them: an embedded
//! database has no other edge), on PostgreSQL the statements. Then it is played again for the first call, the second, and so on
//! until there is none left, each failing in each of the three ways; the program is started again and again until all is
//! calm. At every moment the promises must hold ([`crate::support::checker`]), and the end must be that of the good run: one
//! ticket, one reply by Message-ID, one removal, an unbroken audit record, no leftover attachment.
//!
//! It is all in one process, in one order and without waiting: what failed once fails again. After that, pairs of faults are
//! drawn; the seed is printed, and `SWEEP_SEED` plays the same again.

use crate::stories::lived::replaced;
use crate::stories::script::{Mail, Story};
use crate::support::field;
use crate::support::files::{Errno, Files, How};
use crate::support::scripted::{Reaction, lock};
use crate::support::stage::{Memory, Source, Stage};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

const WAYS: [How; 3] = [How::Before, How::After, How::ForGood];
/// With this in the environment nothing is abridged: on PostgreSQL, where a start takes long, each statement otherwise fails in one of
/// the three ways in turn, and files.c counts writes in a row as one.
const EVERY: &str = "FILES_EVERY";
/// What was broken for good is repaired after so many rounds.
const REPAIRED_AFTER: usize = 2;

macro_rules! sweeps {
    ($($name:ident: $story:literal, $source:ident, $memory:ident;)+) => {
        $(#[test]
        fn $name() {
            sweep(concat!("sweep::", stringify!($name)), &[($story, Source::$source)], Memory::$memory, 8);
        })+
    };
}

sweeps! {
    a_mail_with_a_file_is_taken_on: "clean-statistics-csv-are-kept", Able, Sqlite;
    a_file_is_turned_back: "citizen-data-in-csv-from-a-contact", Able, Sqlite;
    a_text_is_turned_back: "citizen-number-in-body", Able, Sqlite;
    a_follow_up_on_a_server_without_move: "follow-up-of-the-requester", WithoutMove, Sqlite;
    a_contact_is_asked_and_confirms: "named-elsewhere-confirmed", Able, Sqlite;
    an_urgent_mail_in_a_maildir: "colleague-urgent-nl", Maildir, Sqlite;
    a_bounce_where_filing_is_deleting: "bounce-of-our-answer", Deleting, Sqlite;
    one_of_two_files_on_a_bare_server: "citizen-data-in-one-of-two-files", Bare, Sqlite;
    a_mail_with_a_file_on_postgresql: "clean-statistics-csv-are-kept", Able, Postgres;
    a_contact_is_asked_on_postgresql: "named-elsewhere-confirmed", Able, Postgres;
}

/// Some of all stories: `first-last`, counted from 1.
const SOME: &str = "SWEEP_STORIES";

/// All stories, on SQLite, each on another kind of mailbox.
#[test]
#[ignore = "takes hours: make soak"]
fn all_stories() {
    const SOURCES: [Source; 5] = [Source::Able, Source::WithoutMove, Source::Bare, Source::Deleting, Source::Maildir];
    let stories = Story::all();
    let all: Vec<(&str, Source)> = stories.iter().map(|story| story.name.as_str()).zip(SOURCES.into_iter().cycle()).collect();
    let some = std::env::var(SOME).ok().map(|some| {
        let (first, last) = some.split_once('-').expect("SWEEP_STORIES=first-last");
        let [first, last] = [first, last].map(|number| number.parse::<usize>().expect("the number of a story"));
        first - 1..last.min(all.len())
    });
    sweep("sweep::all_stories", &all[some.unwrap_or(0..all.len())], Memory::Sqlite, 100);
}

fn sweep(test: &str, stories: &[(&str, Source)], memory: Memory, pairs: u32) {
    let files = Files::here().map(Arc::new);
    if memory == Memory::Sqlite && files.is_none() {
        return eprint!("{}", Files::run_again(test));
    }
    let all = Story::all();
    let mut complaints = Vec::new();
    for (name, source) in stories {
        let story = all.iter().find(|story| story.name == *name).unwrap_or_else(|| panic!("no story {name}"));
        complaints.extend(Sweep::of(story, *source, memory, files.clone()).run(pairs));
    }
    assert!(complaints.is_empty(), "{} faults did harm:\n{}", complaints.len(), complaints.join("\n"));
}

/// The same for files alone, which say `errno` from the n-th call on until they are repaired.
pub fn files_fail(test: &str, story: &str, errno: Errno) {
    let Some(files) = Files::here().map(Arc::new) else { return eprint!("{}", Files::run_again(test)) };
    let all = Story::all();
    let story = all.iter().find(|one| one.name == story).unwrap_or_else(|| panic!("no story {story}"));
    let mut sweep = Sweep::of(story, Source::Able, Memory::Sqlite, Some(files));
    sweep.errno = errno;
    let (good, mut complaints) = (sweep.play(&[]), Vec::new());
    assert!(good.broken.is_empty(), "without a fault: {:?}", good.broken);
    let played = sweep.fail_each(Edge::Files, How::ForGood, &good, &mut complaints);
    assert!(played > 10 && complaints.is_empty(), "{played} faults played:\n{}", complaints.join("\n"));
}

/// Where a call goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Imap,
    Smtp,
    Database,
    Files,
}

/// One call that fails: the n-th at this edge, from 1.
#[derive(Clone, Copy, Debug)]
struct Fault {
    edge: Edge,
    nth: u32,
    how: How,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} fails {:?}", self.edge, self.nth, self.how)
    }
}

/// Counts the calls at one edge, and has one of them fail.
#[derive(Clone, Default)]
struct Gauge(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    seen: u32,
    fault: Option<(u32, How)>,
    failed: String,
}

impl Gauge {
    fn meet(&self, call: &str) -> Reaction {
        let mut counted = lock(&self.0);
        counted.seen += 1;
        let reaction = match counted.fault {
            Some((nth, How::Before)) if counted.seen == nth => Reaction::CutBefore,
            Some((nth, How::After)) if counted.seen == nth => Reaction::CutAfter,
            Some((nth, How::ForGood)) if counted.seen >= nth => Reaction::CutBefore,
            _ => Reaction::Obey,
        };
        if reaction != Reaction::Obey && counted.failed.is_empty() {
            counted.failed = call.chars().take(120).collect();
        }
        reaction
    }
}

/// One story under faults.
struct Sweep<'a> {
    story: &'a Story,
    stage: Stage,
    edges: &'static [Edge],
    gauges: [Gauge; 3],
    /// What a failing call of a file says.
    errno: Errno,
}

/// How a story ended.
struct Ending {
    lines: Vec<String>,
    /// What did not hold on the way or at the end.
    broken: Vec<String>,
}

impl<'a> Sweep<'a> {
    fn of(story: &'a Story, source: Source, memory: Memory, files: Option<Arc<Files>>) -> Self {
        let desks: BTreeSet<&str> = story.mail.iter().map(|mail| mail.desk.as_str()).collect();
        let mut stage = Stage::new(source, memory, &desks, |world| story.adapt(world));
        stage.files = files;
        let edges: &[Edge] = match (source, memory) {
            (Source::Maildir, Memory::Sqlite) => &[Edge::Files],
            (_, Memory::Sqlite) => &[Edge::Imap, Edge::Smtp, Edge::Files],
            // The other edges are the same as on SQLite.
            (_, Memory::Postgres) => &[Edge::Database],
        };
        Self { story, stage, edges, gauges: Default::default(), errno: Errno::Io }
    }

    fn run(mut self, pairs: u32) -> Vec<String> {
        let good = self.play(&[]);
        let counts: Vec<(Edge, u32)> = self.edges.iter().map(|edge| (*edge, self.seen(*edge))).collect();
        let mut complaints: Vec<String> = good.broken.iter().map(|what| format!("{}, without a fault: {what}", self.story.name)).collect();
        if !complaints.is_empty() {
            return complaints;
        }
        let mut played = 0;
        for edge in self.edges {
            if *edge == Edge::Database && std::env::var_os(EVERY).is_none() {
                played += self.fail_in_turn(*edge, &good, &mut complaints);
                continue;
            }
            for how in WAYS {
                played += self.fail_each(*edge, how, &good, &mut complaints);
            }
        }
        let seed = std::env::var("SWEEP_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_122);
        let mut dice = Dice(seed);
        for _ in 0..pairs {
            let pair = [(); 2].map(|()| dice.fault(&counts));
            complaints.extend(self.play_with(&pair, &good));
            played += 1;
        }
        eprintln!("{}: calls {counts:?}, {played} faults played, pairs with SWEEP_SEED={seed}", self.story.name);
        complaints
    }

    /// The first call fails, then the second, and so on until there is none left. How many there were.
    fn fail_each(&mut self, edge: Edge, how: How, good: &Ending, complaints: &mut Vec<String>) -> u32 {
        for nth in 1.. {
            complaints.extend(self.play_with(&[Fault { edge, nth, how }], good));
            if self.seen(edge) < nth {
                return nth - 1;
            }
        }
        0
    }

    /// The same, each in one of the three ways in turn.
    fn fail_in_turn(&mut self, edge: Edge, good: &Ending, complaints: &mut Vec<String>) -> u32 {
        for (nth, how) in (1..).zip(WAYS.into_iter().cycle()) {
            complaints.extend(self.play_with(&[Fault { edge, nth, how }], good));
            if self.seen(edge) < nth {
                return nth - 1;
            }
        }
        0
    }

    /// Plays the story with these faults; how it came otherwise than in the good run.
    fn play_with(&mut self, faults: &[Fault], good: &Ending) -> Vec<String> {
        let ending = self.play(faults);
        let mut wrong = ending.broken;
        wrong.extend(good.lines.iter().filter(|line| !ending.lines.contains(line)).map(|line| format!("- {line}")));
        wrong.extend(ending.lines.iter().filter(|line| !good.lines.contains(line)).map(|line| format!("+ {line}")));
        if wrong.is_empty() && good.lines != ending.lines {
            wrong.push("something is there twice".to_owned());
        }
        if wrong.is_empty() {
            return Vec::new();
        }
        let faults: Vec<String> = faults.iter().map(|fault| format!("{fault} ({})", self.failed(fault.edge))).collect();
        vec![format!("{}, {}:\n    {}", self.story.name, faults.join(" and "), wrong.join("\n    "))]
    }

    fn play(&mut self, faults: &[Fault]) -> Ending {
        self.stage.begin();
        self.arm(faults);
        let (story, mut broken) = (self.story, Vec::new());
        let mut sent: Vec<Vec<Sent>> = Vec::new();
        for mail in &story.mail {
            for command in &mail.before {
                self.give(command, &mail.now);
            }
            let raw = write(mail, &sent);
            self.stage.deliver(&mail.desk, &raw, mail.received.as_ref().unwrap_or(&mail.now).parse().expect("an RFC 3339 time"));
            self.stage.it_is(mail.now.parse().expect("an RFC 3339 time"));
            broken.extend(self.stage.come_to_rest(|round| {
                if round == REPAIRED_AFTER {
                    repair(&self.gauges, &self.stage)
                }
            }));
            sent.push(self.sent().split_off(sent.iter().map(Vec::len).sum()));
        }
        Ending { lines: self.stage.ending(), broken }
    }

    fn arm(&self, faults: &[Fault]) {
        let of = |edge: Edge| faults.iter().find(|fault| fault.edge == edge);
        for (edge, gauge) in [Edge::Imap, Edge::Smtp, Edge::Database].into_iter().zip(&self.gauges) {
            *lock(&gauge.0) = Counted { fault: of(edge).map(|fault| (fault.nth, fault.how)), ..Counted::default() };
        }
        let [imap, smtp, database] = self.gauges.clone();
        self.stage.imap.interfere(move |command, _| imap.meet(command));
        self.stage.smtp.interfere(move |step| smtp.meet(step));
        if let Some(line) = &self.stage.line {
            // The leases are looked after all the time, by a connection of their own: the tests of several daemons have that.
            let looks_after_leases = |statement: &str| statement.contains("lease") && !statement.contains("FOR KEY SHARE");
            line.interfere(move |statement| match statement {
                "CONNECT" => Reaction::Obey,
                lease if looks_after_leases(lease) => Reaction::Obey,
                other => database.meet(other),
            });
        }
        let (nth, how) = of(Edge::Files).map_or((0, How::Before), |fault| (fault.nth, fault.how));
        self.stage.files.iter().for_each(|files| files.arm(nth, how, self.errno));
    }

    fn seen(&self, edge: Edge) -> u32 {
        match edge {
            Edge::Files => self.stage.files.as_ref().map_or(0, |files| files.seen()),
            other => lock(&self.gauges[other as usize].0).seen,
        }
    }

    fn failed(&self, edge: Edge) -> String {
        match edge {
            Edge::Files => self.stage.files.as_ref().map_or_else(String::new, |files| files.failed()),
            other => lock(&self.gauges[other as usize].0).failed.clone(),
        }
    }

    /// A command of the story's agents: `at TIME command …`.
    fn give(&self, command: &str, now: &str) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (at, words) = match words.as_slice() {
            ["at", at, words @ ..] => (*at, words),
            words => (now, words),
        };
        self.stage.world.run_at(at, words).ok();
    }

    /// The replies so far, in the order in which they were written.
    fn sent(&self) -> Vec<Sent> {
        let letters = self.stage.replies();
        let rows = self.stage.books().rows("SELECT template || '|' || message_id FROM outbox ORDER BY id");
        let sent = |row: String| {
            let (template, message_id) = row.split_once('|').unwrap();
            let message_id = format!("<{}>", message_id.trim_matches(['<', '>']));
            let letter = letters.iter().find(|(id, _)| *id == message_id).map(|(_, letter)| letter.clone()).unwrap_or_default();
            Sent { template: template.to_owned(), message_id, letter }
        };
        rows.into_iter().map(sent).collect()
    }
}

/// Nothing fails any more.
fn repair(gauges: &[Gauge; 3], stage: &Stage) {
    gauges.iter().for_each(|gauge| lock(&gauge.0).fault = None);
    stage.files.iter().for_each(|files| files.repair());
}

/// A reply of ours.
struct Sent {
    template: String,
    message_id: String,
    letter: String,
}

/// The mail, with what it says of replies to the mails before it (fixtures/README.md).
fn write(mail: &Mail, sent: &[Vec<Sent>]) -> Vec<u8> {
    let mut raw = mail.raw();
    for (number, replies) in (1..).zip(sent) {
        // Only those to the sender can be answered by them.
        if let Some(first) = replies.iter().find(|reply| reply.template != "verify-identity") {
            raw = replaced(&raw, &format!("{{{{reply:{number}}}}}"), &first.message_id);
            raw = replaced(&raw, &format!("{{{{loop:{number}}}}}"), &field(&first.letter, "X-Postkamer-Loop").unwrap_or_default());
        }
        for reply in replies {
            raw = replaced(&raw, &format!("{{{{reply:{number}:{}}}}}", reply.template), &reply.message_id);
        }
    }
    raw
}

/// Random numbers that come again with the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % u64::from(bound)) as u32
    }

    fn fault(&mut self, counts: &[(Edge, u32)]) -> Fault {
        let (edge, count) = counts[self.below(counts.len() as u32) as usize];
        let how = [How::Before, How::After, How::ForGood][self.below(3) as usize];
        Fault { edge, nth: 1 + self.below(count.max(1)), how }
    }
}
