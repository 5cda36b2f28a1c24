//! How the daemon is, for those who watch it: `/healthz`, `/readyz` and `/metrics` (DESIGN §7).
//!
//! Numbers, codes and names of desks only; nothing of a person or a mail.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::store::{Status, Store};

/// A mailbox that was not worked off for so long is not well, in seconds: three polls of an hour would be too many.
const SILENT: i64 = 900;

/// How each mailbox is. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<BTreeMap<String, Beat>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Beat {
    worked_off: Option<Timestamp>,
    in_trouble: bool,
    idle: bool,
    /// Another daemon watches it.
    elsewhere: bool,
}

impl Pulse {
    /// These are the desks from now on; none of them has been opened yet.
    pub fn begin<'a>(&self, desks: impl Iterator<Item = &'a str>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = desks.map(|desk| (desk.to_owned(), Beat::default())).collect();
    }

    /// The desk's mailbox was worked off and is being watched.
    pub fn worked_off(&self, desk: &str, at: Timestamp) {
        self.set(desk, |beat| *beat = Beat { worked_off: Some(at), in_trouble: false, idle: true, elsewhere: false });
    }

    /// Another daemon watches the desk's mailbox.
    pub fn elsewhere(&self, desk: &str) {
        self.set(desk, |beat| *beat = Beat { elsewhere: true, ..Beat::default() });
    }

    /// Work on the desk's mailbox has begun.
    pub fn at_work(&self, desk: &str) {
        self.set(desk, |beat| (beat.idle, beat.elsewhere) = (false, false));
    }

    /// The desk's mailbox is in trouble.
    pub fn in_trouble(&self, desk: &str) {
        self.set(desk, |beat| (beat.in_trouble, beat.idle, beat.elsewhere) = (true, false, false));
    }

    fn set(&self, desk: &str, change: impl FnOnce(&mut Beat)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(desk.to_owned()).or_default());
    }

    fn all(&self) -> BTreeMap<String, Beat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
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
        .with_state((store, pulse));
    axum::serve(listener, pages).with_graceful_shutdown(async move { stop.cancelled().await }).await
}

/// 200 when every mailbox is watched and the database answers, else 503 with what is wrong.
async fn ready(State((store, pulse)): State<(Store, Pulse)>) -> (StatusCode, String) {
    let mut wrong = String::new();
    if store.status().await.is_err() {
        wrong.push_str("the database does not answer\n");
    }
    let beats = pulse.all();
    let now = store.clock().now();
    for (desk, beat) in &beats {
        if beat.in_trouble {
            let _ = writeln!(wrong, "the mailbox of {desk} is in trouble");
        } else if beat.worked_off.is_none() && !beat.elsewhere {
            let _ = writeln!(wrong, "the mailbox of {desk} has not been opened yet");
        } else if !beat.idle && silence(beat, now) > SILENT {
            let _ = writeln!(wrong, "the mailbox of {desk} has not been worked off for {} seconds", silence(beat, now));
        }
    }
    if wrong.is_empty() { (StatusCode::OK, "ready\n".to_owned()) } else { (StatusCode::SERVICE_UNAVAILABLE, wrong) }
}

fn silence(beat: &Beat, now: Timestamp) -> i64 {
    beat.worked_off.map_or(0, |at| now.duration_since(at).as_secs())
}

/// Prometheus' text format.
async fn metrics(State((store, pulse)): State<(Store, Pulse)>) -> (StatusCode, String) {
    let mut text = String::new();
    let now = store.clock().now();
    for (desk, beat) in pulse.all() {
        let _ = writeln!(
            text,
            "postkamer_mailbox_seconds_since_success{{desk=\"{desk}\"}} {}",
            if beat.idle { 0 } else { silence(&beat, now) }
        );
        let _ = writeln!(text, "postkamer_mailbox_in_trouble{{desk=\"{desk}\"}} {}", i32::from(beat.in_trouble));
    }
    let Ok(status) = store.status().await else { return (StatusCode::SERVICE_UNAVAILABLE, text) };
    for (name, label, counts) in counts(&status) {
        for (value, count) in counts {
            let _ = writeln!(text, "postkamer_{name}{{{label}=\"{value}\"}} {count}");
        }
    }
    for (name, value) in [
        ("outbox_oldest_seconds", status.outbox_oldest.unwrap_or_default()),
        ("outbox_unclear", status.outbox_unclear),
        ("citizen_bytes_pending_seconds", status.removal_oldest.unwrap_or_default()),
        ("server_actions_failing", status.actions_failing),
    ] {
        let _ = writeln!(text, "postkamer_{name} {value}");
    }
    (StatusCode::OK, text)
}

fn counts(status: &Status) -> [(&'static str, &'static str, &BTreeMap<String, i64>); 5] {
    [
        ("tickets", "state", &status.tickets),
        ("mails", "verdict", &status.mails),
        ("mails_without_result", "state", &status.arrivals),
        ("replies", "state", &status.outbox),
        ("server_actions_due", "action", &status.actions_due),
    ]
}
