//! How the daemon is, for those who watch it: `/healthz`, `/readyz` and `/metrics` (DESIGN §7).
//!
//! Numbers, codes and names of desks only; nothing of a person or a mail.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::store::{Status, Store};

/// A mailbox that was not worked off for so long after its time is not well, in seconds.
const SILENT: i64 = 900;
/// Somebody should see to a token that ends within so many days.
const TOKEN_DAYS: i64 = 7;
/// A mail that must be deleted is gone within seconds; after so many something is wrong.
const OVERDUE: i64 = 60;
/// How long the database may take before it counts as out of reach.
const ANSWER: Duration = Duration::from_secs(5);
/// How often it is looked whether there is something to tell.
const TELL: Duration = Duration::from_secs(2);
/// How often it is told that nothing has changed.
const STILL_THERE: Duration = Duration::from_secs(10);
/// What was counted is told for so long at the least, and for so many times as long as the counting took: whole tables are counted, and whoever asks
/// often must not keep the database busy with it.
const COUNTED: Duration = Duration::from_secs(5);
const COUNTING: u32 = 20;
/// A mailbox on which nothing has moved for so long, after its time, hangs. More than the longest step takes: what is to be filed after a long time
/// without a connection.
const HUNG: Duration = Duration::from_secs(3600);
/// A database that takes nothing for so long does not work; a shorter wait is one for other work's turn.
const UNWRITTEN: Duration = Duration::from_secs(20);

/// What the daemon knows of itself. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<Known>>);

#[derive(Clone, Debug, Default)]
struct Known {
    mailboxes: BTreeMap<String, Beat>,
    /// Why changed settings are not in force.
    settings_refused: Option<String>,
    /// Why replies cannot be sent.
    outbox_blocked: Option<String>,
    /// Why nothing can be written into the database.
    unwritten: Option<String>,
    /// What is in hand is being finished, and then the daemon ends.
    stopping: bool,
    /// A newer version has the database now, and that is why.
    outdated: bool,
    /// There is less room on the disk than is to be kept free.
    short_of_room: bool,
    /// Mails that were opened and screened, and the time that took in all.
    screened: (u64, Duration),
    /// When the last of them was.
    last_screened: Option<Instant>,
}

/// How one mailbox is.
#[derive(Clone, Debug, Default)]
struct Beat {
    state: Standing,
    worked_off: Option<Timestamp>,
    /// What is wrong, while it is in trouble.
    trouble: Option<String>,
    waiting: Backlog,
    /// How often it is looked into at the least, in seconds.
    poll: i64,
    /// When the token ends by which it is opened.
    token_ends: Option<Timestamp>,
    /// When the work on it last got on.
    moved: Option<Instant>,
}

impl Beat {
    /// Whether work of ours on it stands still; `elsewhere` is when a mail of any mailbox was last screened, for which those of this one may wait.
    fn hangs(&self, elsewhere: Option<Instant>) -> bool {
        let last = match self.state {
            Standing::AtWork => self.moved.max(elsewhere),
            Standing::Watched | Standing::InTrouble | Standing::OutOfReach => self.moved,
            // Waiting for another daemon may take any time.
            Standing::Starting | Standing::Elsewhere => None,
        };
        let poll = Duration::from_secs(u64::try_from(self.poll).unwrap_or_default());
        last.is_some_and(|last| last.elapsed() > HUNG.saturating_add(poll))
    }

    /// None where nothing is known of a token.
    fn token_days_left(&self, now: Timestamp) -> Option<i64> {
        self.token_ends.map(|ends| ends.duration_since(now).as_hours().max(0) / 24)
    }
}

/// Where a mailbox stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    /// Neither opened yet nor seen in other hands.
    #[default]
    Starting,
    /// Being worked off.
    AtWork,
    /// Worked off and watched.
    Watched,
    /// To be opened again after a while.
    InTrouble,
    /// Another daemon looks after it.
    Elsewhere,
    /// In trouble, and left to other daemons, if one fares better; to be tried again after a while.
    OutOfReach,
}

/// Mails that lie in a mailbox without a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub mails: usize,
    /// When the oldest of them arrived.
    pub oldest: Option<Timestamp>,
}

impl Pulse {
    /// These are the desks from now on, and how often each one's mailbox is looked into at the least; none has been opened yet.
    pub fn begin<'a>(&self, desks: impl Iterator<Item = (&'a str, Duration)>) {
        let beat = |poll: Duration| Beat { poll: i64::try_from(poll.as_secs()).unwrap_or(i64::MAX), ..Beat::default() };
        self.known(|known| known.mailboxes = desks.map(|(desk, poll)| (desk.to_owned(), beat(poll))).collect());
    }

    /// Work on the desk's mailbox has begun, in which so much was found.
    pub fn at_work(&self, desk: &str, waiting: Backlog) {
        self.set(desk, |beat| (beat.state, beat.waiting) = (Standing::AtWork, waiting));
    }

    /// The desk's mailbox was worked off, but for what must wait, and is being watched.
    pub fn worked_off(&self, desk: &str, at: Timestamp, waiting: Backlog) {
        self.set(desk, |beat| {
            *beat = Beat { state: Standing::Watched, worked_off: Some(at), trouble: None, waiting, ..beat.clone() };
        });
    }

    /// When the token ends by which the desk's mailbox was opened, if there is one of which that is known.
    pub fn token_ends(&self, desk: &str, ends: Option<Timestamp>) {
        self.set(desk, |beat| beat.token_ends = ends);
    }

    /// The desk's mailbox is in trouble; the sentence holds no personal data.
    pub fn in_trouble(&self, desk: &str, trouble: String) {
        self.set(desk, |beat| (beat.state, beat.trouble) = (Standing::InTrouble, Some(trouble)));
    }

    /// The desk's mailbox cannot be reached from here and was left to others; the sentence holds no personal data.
    pub fn out_of_reach(&self, desk: &str, trouble: String) {
        self.set(desk, |beat| (beat.state, beat.trouble) = (Standing::OutOfReach, Some(trouble)));
    }

    /// The desk's mailbox can be reached from here; who has it is not known yet where it could not be before.
    pub fn within_reach(&self, desk: &str) {
        self.set(desk, |beat| {
            if beat.state == Standing::OutOfReach {
                *beat = Beat { poll: beat.poll, ..Beat::default() };
            }
        });
    }

    /// Another daemon looks after the desk's mailbox.
    pub fn elsewhere(&self, desk: &str) {
        self.set(desk, |beat| *beat = Beat { state: Standing::Elsewhere, poll: beat.poll, ..Beat::default() });
    }

    /// The desk's mailbox was given up; who has it now is not known yet.
    pub fn given_up(&self, desk: &str) {
        self.set(desk, |beat| *beat = Beat { poll: beat.poll, ..Beat::default() });
    }

    /// Why changed settings are not in force; none: they are.
    pub fn settings_refused(&self, why: Option<String>) {
        self.known(|known| known.settings_refused = why);
    }

    /// Why replies cannot be sent; none: they can.
    pub fn outbox_blocked(&self, why: Option<String>) {
        self.known(|known| known.outbox_blocked = why);
    }

    /// Why nothing can be written into the database; none: all is written.
    fn unwritten(&self, why: Option<String>) {
        self.known(|known| known.unwritten = why);
    }

    /// What is in hand is being finished, and then the daemon ends.
    pub fn stopping(&self) {
        self.known(|known| known.stopping = true);
    }

    /// A newer version has brought the database up to date: this one takes in nothing more.
    pub fn outdated(&self) {
        self.known(|known| (known.outdated, known.stopping) = (true, true));
    }

    /// Whether a newer version has brought the database up to date.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.known(|known| known.outdated)
    }

    /// Whether there is less room on the disk than is to be kept free.
    pub fn short_of_room(&self, short: bool) {
        self.known(|known| known.short_of_room = short);
    }

    /// A mail was opened and screened within this time.
    pub fn screened(&self, within: Duration) {
        self.known(|known| {
            known.screened = (known.screened.0 + 1, known.screened.1 + within);
            known.last_screened = Some(Instant::now());
        });
    }

    /// Work on the desk's mailbox has got on.
    pub fn moved(&self, desk: &str) {
        self.set(desk, |_| {});
    }

    /// A desk on whose mailbox our work hangs: no deadline of its own ended it, so only a new start will.
    #[must_use]
    pub fn hangs(&self) -> Option<String> {
        self.known(|known| {
            let screened = known.last_screened;
            known.mailboxes.iter().find(|(_, beat)| beat.hangs(screened)).map(|(desk, _)| desk.clone())
        })
    }

    /// All of it, for `status`: codes, counts, names of desks and sentences of ours.
    #[must_use]
    pub fn report(&self, now: Timestamp) -> serde_json::Value {
        let known = self.known(|known| known.clone());
        let mailboxes: BTreeMap<&str, serde_json::Value> = known
            .mailboxes
            .iter()
            .map(|(desk, beat)| {
                let report = serde_json::json!({
                    "state": beat.state,
                    "trouble": beat.trouble,
                    "worked_off": beat.worked_off,
                    "backlog": beat.waiting.mails,
                    "oldest_seconds": age(beat.waiting.oldest, now),
                    "token_days_left": beat.token_days_left(now),
                });
                (desk.as_str(), report)
            })
            .collect();
        serde_json::json!({
            "stopping": known.stopping,
            "outdated": known.outdated,
            "settings_refused": known.settings_refused,
            "outbox_blocked": known.outbox_blocked,
            "mailboxes": mailboxes,
        })
    }

    fn set(&self, desk: &str, change: impl FnOnce(&mut Beat)) {
        self.known(|known| {
            let beat = known.mailboxes.entry(desk.to_owned()).or_default();
            change(beat);
            beat.moved = Some(Instant::now());
        });
    }

    fn known<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keeps the store told of how the daemon is, until the token is cancelled; `refused` says why changed settings are not in force.
pub async fn tell(store: &Store, pulse: &Pulse, refused: impl Fn() -> Option<String>, stop: &CancellationToken) {
    let mut told = (serde_json::Value::Null, Instant::now());
    while !stop.is_cancelled() {
        pulse.settings_refused(refused());
        let report = pulse.report(store.clock().now());
        // What stays the same is told seldom: each time is a write.
        if report != told.0 || told.1.elapsed() >= STILL_THERE {
            match timeout(ANSWER, store.report(&report)).await {
                Ok(Ok(())) => {
                    told = (report, Instant::now());
                    pulse.unwritten(None);
                }
                Ok(Err(error)) => pulse.unwritten(Some(error.to_string())),
                Err(_) if told.1.elapsed() < UNWRITTEN => {}
                Err(_) => pulse.unwritten(Some("it does not answer".to_owned())),
            }
        }
        tokio::select! {
            () = sleep(TELL) => {}
            () = stop.cancelled() => {}
        }
    }
    let _ = timeout(ANSWER, store.report_end()).await;
}

/// Serves the three pages until the token is cancelled.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(listen: SocketAddr, store: Store, pulse: Pulse, stop: CancellationToken) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let pages = Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Watched::new(store, pulse));
    axum::serve(listener, pages).with_graceful_shutdown(async move { stop.cancelled().await }).await
}

/// What the pages tell of.
#[derive(Clone)]
struct Watched {
    store: Store,
    pulse: Pulse,
    counted: Arc<tokio::sync::Mutex<Counted>>,
}

/// What was counted last, if it could be, and when.
#[derive(Default)]
struct Counted {
    status: Option<(Status, Instant)>,
    again: Option<Instant>,
}

impl Watched {
    fn new(store: Store, pulse: Pulse) -> Self {
        Self { store, pulse, counted: Arc::default() }
    }

    /// The counts, and how old they are; none where the database has not answered yet.
    async fn counts(&self) -> Option<(Status, Duration)> {
        let mut counted = self.counted.lock().await;
        let begun = Instant::now();
        if counted.again.is_none_or(|again| again <= begun) {
            if let Ok(Ok(status)) = timeout(ANSWER, self.store.status()).await {
                counted.status = Some((status, Instant::now()));
            }
            counted.again = Some(Instant::now() + COUNTED.max(begun.elapsed() * COUNTING));
        }
        counted.status.as_ref().map(|(status, at)| (status.clone(), at.elapsed()))
    }

    /// What is still to be done, as it is now; none where the database does not answer.
    async fn pending(&self) -> Option<Status> {
        timeout(ANSWER, self.store.pending()).await.ok()?.ok()
    }
}

/// 200 when every mailbox is watched, here or by another daemon, and the database answers, else 503 with what is wrong. A daemon that
/// cannot reach a mailbox is not ready, also while another one looks after it. What needs somebody's attention and keeps nobody waiting
/// for a ticket is told in either case.
async fn ready(State(watched): State<Watched>) -> (StatusCode, String) {
    let (mut wrong, mut warnings) = (String::new(), String::new());
    let known = watched.pulse.known(|known| known.clone());
    match watched.pending().await {
        Some(status) => warn(&status, &mut warnings),
        None => wrong.push_str("the database does not answer\n"),
    }
    if known.mailboxes.is_empty() {
        wrong.push_str("no mailbox has been opened yet\n");
    }
    if known.stopping {
        wrong.push_str("stopping: what is in hand is finished first\n");
    }
    if known.outdated {
        wrong.push_str("a newer version of postkamer has brought the database up to date: this one takes in no more mail\n");
    }
    if let Some(why) = &known.unwritten {
        let _ = writeln!(wrong, "nothing can be written into the database: {why}");
    }
    let now = watched.store.clock().now();
    for (desk, beat) in &known.mailboxes {
        let silence = age(beat.worked_off, now).unwrap_or_default();
        let _ = match beat.state {
            Standing::InTrouble => {
                writeln!(wrong, "the mailbox of {desk} is in trouble: {}", beat.trouble.as_deref().unwrap_or_default())
            }
            Standing::OutOfReach => writeln!(
                wrong,
                "the mailbox of {desk} is out of reach from here, and left to other daemons: {}",
                beat.trouble.as_deref().unwrap_or_default()
            ),
            Standing::Starting => writeln!(wrong, "the mailbox of {desk} has not been opened yet"),
            Standing::AtWork if beat.worked_off.is_none() => writeln!(wrong, "the mailbox of {desk} has not been worked off yet"),
            Standing::AtWork | Standing::Watched if silence > SILENT.saturating_add(beat.poll) => {
                writeln!(wrong, "the mailbox of {desk} has not been worked off for {silence} seconds")
            }
            Standing::AtWork | Standing::Watched | Standing::Elsewhere => Ok(()),
        };
        if let Some(days) = beat.token_days_left(now).filter(|days| *days < TOKEN_DAYS) {
            let _ = writeln!(warnings, "warning: the token of the mailbox of {desk} ends in {days} days");
        }
    }
    for (what, why) in [
        ("changed settings are refused and the last good ones stay in force", &known.settings_refused),
        ("replies cannot be sent", &known.outbox_blocked),
    ] {
        if let Some(why) = why {
            let _ = writeln!(warnings, "warning: {what}: {why}");
        }
    }
    match wrong.is_empty() {
        true => (StatusCode::OK, format!("ready\n{warnings}")),
        false => (StatusCode::SERVICE_UNAVAILABLE, wrong + &warnings),
    }
}

fn warn(status: &Status, warnings: &mut String) {
    let stuck = status.arrivals.get("stuck").copied().unwrap_or_default();
    if stuck > 0 {
        let _ = writeln!(warnings, "warning: {stuck} mails are stuck");
    }
    if let Some(seconds) = status.removal_oldest.filter(|seconds| *seconds > OVERDUE) {
        let _ = writeln!(warnings, "warning: a mail that must be deleted has been waiting for {seconds} seconds");
    }
    if status.actions_failing > 0 {
        let _ = writeln!(warnings, "warning: {} mails cannot be filed or deleted on their server", status.actions_failing);
    }
}

/// Seconds since then.
fn age(since: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    since.map(|since| now.duration_since(since).as_secs().max(0))
}

/// Prometheus' text format.
async fn metrics(State(watched): State<Watched>) -> (StatusCode, String) {
    let mut text = String::new();
    let now = watched.store.clock().now();
    let known = watched.pulse.known(|known| known.clone());
    for (desk, beat) in &known.mailboxes {
        let is = |state: Standing| i64::from(beat.state == state);
        let silence = age(beat.worked_off, now).unwrap_or_default();
        for (name, value) in [
            ("seconds_since_success", silence),
            ("in_trouble", is(Standing::InTrouble) + is(Standing::OutOfReach)),
            ("elsewhere", is(Standing::Elsewhere)),
            ("backlog", i64::try_from(beat.waiting.mails).unwrap_or(i64::MAX)),
            ("oldest_unprocessed_seconds", age(beat.waiting.oldest, now).unwrap_or_default()),
        ] {
            let _ = writeln!(text, "postkamer_mailbox_{name}{{desk=\"{desk}\"}} {value}");
        }
        if let Some(days) = beat.token_days_left(now) {
            let _ = writeln!(text, "postkamer_mailbox_token_days_left{{desk=\"{desk}\"}} {days}");
        }
    }
    let _ = writeln!(text, "postkamer_settings_refused {}", i32::from(known.settings_refused.is_some()));
    let _ = writeln!(text, "postkamer_outbox_blocked {}", i32::from(known.outbox_blocked.is_some()));
    let _ = writeln!(text, "postkamer_database_unwritable {}", i32::from(known.unwritten.is_some()));
    let _ = writeln!(text, "postkamer_stopping {}", i32::from(known.stopping));
    let _ = writeln!(text, "postkamer_disk_short {}", i32::from(known.short_of_room));
    let _ = writeln!(text, "postkamer_screening_seconds_sum {:.3}", known.screened.1.as_secs_f64());
    let _ = writeln!(text, "postkamer_screening_seconds_count {}", known.screened.0);
    let (pending, counted) = (watched.pending().await, watched.counts().await);
    let _ = writeln!(text, "postkamer_database_up {}", i32::from(pending.is_some()));
    let (whole, age) = counted.map_or_else(Default::default, |(status, age)| (status, Some(age)));
    if let Some(age) = age {
        let _ = writeln!(text, "postkamer_counted_seconds_ago {}", age.as_secs());
    }
    let pending = pending.unwrap_or_default();
    let whole = Status { arrivals: pending.arrivals.clone(), actions_due: pending.actions_due.clone(), ..whole };
    for (name, label, counts) in counts(&whole) {
        for (value, count) in counts {
            let _ = writeln!(text, "postkamer_{name}{{{label}=\"{value}\"}} {count}");
        }
    }
    for (name, value) in [
        ("outbox_oldest_seconds", pending.outbox_oldest.unwrap_or_default()),
        ("outbox_unclear", whole.outbox_unclear),
        ("citizen_bytes_pending_seconds", pending.removal_oldest.unwrap_or_default()),
        ("server_actions_failing", pending.actions_failing),
    ] {
        let _ = writeln!(text, "postkamer_{name} {value}");
    }
    (StatusCode::OK, text)
}

fn counts(status: &Status) -> [(&'static str, &'static str, &BTreeMap<String, i64>); 6] {
    [
        ("tickets", "state", &status.tickets),
        ("mails", "verdict", &status.mails),
        ("decisions", "reason", &status.reasons),
        ("mails_without_result", "state", &status.arrivals),
        ("replies", "state", &status.outbox),
        ("server_actions_due", "action", &status.actions_due),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use jiff::SignedDuration;

    async fn store(now: &str) -> (tempfile::TempDir, Store, Clock) {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(now.parse().unwrap());
        let url = format!("sqlite://{}", directory.path().join("postkamer.db").display());
        let store = Store::open(&url, directory.path(), &directory.path().join("attachments"), clock.clone()).await.unwrap();
        (directory, store, clock)
    }

    #[tokio::test]
    async fn a_mailbox_that_nobody_looks_into_any_more_is_told_however_calm_it_seems() {
        let (_directory, store, clock) = store("2026-11-22T06:00:00Z").await;
        let pulse = Pulse::default();
        pulse.begin([("calm", Duration::from_secs(3600)), ("stalled", Duration::from_secs(60))].into_iter());
        let now = clock.now();
        for desk in ["calm", "stalled"] {
            pulse.worked_off(desk, now, Backlog::default());
        }
        let told = async || ready(State(Watched::new(store.clone(), pulse.clone()))).await;
        assert_eq!(told().await, (StatusCode::OK, "ready\n".to_owned()));
        clock.set(now + SignedDuration::from_secs(961));
        assert_eq!(
            told().await,
            (StatusCode::SERVICE_UNAVAILABLE, "the mailbox of stalled has not been worked off for 961 seconds\n".to_owned())
        );
        clock.set(now + SignedDuration::from_secs(3600 + 901));
        assert!(told().await.1.contains("the mailbox of calm has not been worked off for 4501 seconds"));
        pulse.stopping();
        assert!(told().await.1.contains("stopping: what is in hand is finished first"));
    }

    #[tokio::test]
    async fn a_token_that_ends_soon_is_told_as_long_as_there_is_time() {
        let (_directory, store, clock) = store("2026-11-22T06:00:00Z").await;
        let now = clock.now();
        let pulse = Pulse::default();
        let ends = |days: i64| now.checked_add(SignedDuration::from_hours(24 * days)).ok();
        for (desk, ends) in [("soon", ends(3)), ("late", ends(80)), ("over", ends(-1)), ("none", None)] {
            pulse.token_ends(desk, ends);
            pulse.worked_off(desk, now, Backlog::default());
        }
        let (_, page) = metrics(State(Watched::new(store.clone(), pulse.clone()))).await;
        let told: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("postkamer_mailbox_token_days_left")).collect();
        assert_eq!(told, ["{desk=\"late\"} 80", "{desk=\"over\"} 0", "{desk=\"soon\"} 3"]);
        let (status, page) = ready(State(Watched::new(store.clone(), pulse.clone()))).await;
        let warned: Vec<&str> = page.lines().filter(|line| line.contains("token")).collect();
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            warned,
            ["warning: the token of the mailbox of over ends in 0 days", "warning: the token of the mailbox of soon ends in 3 days"]
        );
        assert_eq!(pulse.report(now)["mailboxes"]["late"]["token_days_left"], 80);
    }

    #[tokio::test]
    async fn nobody_is_ready_before_a_mailbox_is_known() {
        let (_directory, store, _clock) = store("2026-11-22T06:00:00Z").await;
        let told = ready(State(Watched::new(store, Pulse::default()))).await;
        assert_eq!(told, (StatusCode::SERVICE_UNAVAILABLE, "no mailbox has been opened yet\n".to_owned()));
    }

    #[tokio::test]
    async fn whole_tables_are_counted_anew_only_after_a_while() {
        let (_directory, store, _clock) = store("2026-11-22T06:00:00Z").await;
        let watched = Watched::new(store, Pulse::default());
        let counted_at = async || {
            watched.counts().await.unwrap();
            watched.counted.lock().await.status.as_ref().unwrap().1
        };
        let first = counted_at().await;
        assert_eq!(counted_at().await, first);
        watched.counted.lock().await.again = Some(Instant::now());
        assert!(counted_at().await > first);
        let (_, page) = metrics(State(watched)).await;
        assert!(page.contains("postkamer_database_up 1") && page.contains("postkamer_counted_seconds_ago 0"), "{page}");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_gets_on_nowhere_hangs_and_waiting_for_others_does_not() {
        let pulse = Pulse::default();
        pulse.begin([("support", Duration::from_secs(60)), ("ict", Duration::from_secs(60))].into_iter());
        let pass = async |by: Duration| tokio::time::advance(by).await;
        let (limit, moment) = (HUNG + Duration::from_secs(60), Duration::from_millis(1));
        pass(limit * 2).await;
        assert_eq!(pulse.hangs(), None, "it waits for its turn");
        pulse.at_work("support", Backlog::default());
        pulse.elsewhere("ict");
        pass(limit).await;
        assert_eq!(pulse.hangs(), None);
        pulse.screened(moment);
        pass(limit).await;
        assert_eq!(pulse.hangs(), None, "mails of others were screened meanwhile, for which these may have waited");
        pass(moment).await;
        assert_eq!(pulse.hangs().as_deref(), Some("support"));
        pulse.moved("support");
        assert_eq!(pulse.hangs(), None);
        pulse.in_trouble("ict", String::new());
        pass(limit + moment).await;
        pulse.moved("support");
        assert_eq!(pulse.hangs().as_deref(), Some("ict"), "it should have been opened again by now");
    }
}
