//! `postkamer status`: how everything stands.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Failure, Place, output};
use crate::store::{DaemonSeen, Status};

/// Tell how everything stands: daemons, mailboxes, tickets, mails, replies, and what is overdue.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Everything that `--json` tells.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    status: &'a Status,
    daemons: &'a [DaemonSeen],
    mailboxes: &'a [Mailbox],
}

/// How a desk's mailbox is, by the daemon that looks after it.
#[derive(Serialize)]
struct Mailbox {
    desk: String,
    /// starting, at-work, watched, in-trouble, or nobody.
    state: String,
    trouble: Option<String>,
    worked_off: Option<String>,
    backlog: Option<u64>,
    oldest_seconds: Option<i64>,
}

pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let office = place.machinery().await?;
    let status = office.store.status().await?;
    let daemons = office.store.daemons().await?;
    let mailboxes: Vec<Mailbox> = office.settings.desks.iter().map(|desk| mailbox(&desk.name, &daemons)).collect();
    if args.json {
        return output::json(&Told { status: &status, daemons: &daemons, mailboxes: &mailboxes });
    }
    tell_daemons(&daemons, mailboxes);
    tell_counts(&status);
    tell_worries(&status);
    Ok(())
}

/// The report of the daemon that has the mailbox, if one is at work. Until one has succeeded with it, what keeps any of them from it is told: they try
/// in turn.
fn mailbox(desk: &str, daemons: &[DaemonSeen]) -> Mailbox {
    let reports = daemons.iter().filter(|daemon| daemon.at_work).filter_map(|daemon| daemon.report.pointer(&format!("/mailboxes/{desk}")));
    let state = |report: &Value| report.get("state").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    let telling = reports.filter_map(|report| Some((LOUDEST.iter().position(|loud| *loud == state(report))?, report)));
    let ours = telling.min_by_key(|(place, _)| *place).map(|(_, report)| report);
    // A daemon that has just begun has not said yet which mailboxes it looks after.
    let begins = daemons.iter().any(|daemon| daemon.at_work && daemon.report.get("mailboxes").is_none_or(|known| *known == json!({})));
    let field = |key: &str| ours.and_then(|report| report.get(key));
    let text = |key: &str| field(key).and_then(Value::as_str).map(str::to_owned);
    Mailbox {
        desk: desk.to_owned(),
        state: match text("state").as_deref() {
            Some("out-of-reach") => "in-trouble".to_owned(),
            Some(state) => state.to_owned(),
            None if begins => "starting".to_owned(),
            None => "nobody".to_owned(),
        },
        trouble: text("trouble"),
        worked_off: text("worked_off"),
        backlog: field("backlog").and_then(Value::as_u64),
        oldest_seconds: field("oldest_seconds").and_then(Value::as_i64),
    }
}

/// What daemons say of a mailbox, what counts most first; `elsewhere` says nothing.
const LOUDEST: [&str; 5] = ["watched", "at-work", "in-trouble", "out-of-reach", "starting"];

fn tell_daemons(daemons: &[DaemonSeen], mailboxes: Vec<Mailbox>) {
    for daemon in daemons {
        let is = |key: &str| daemon.report.get(key).and_then(Value::as_bool).unwrap_or_default();
        let (name, silent) = (&daemon.instance, format!("has not been heard of for {} seconds", daemon.seconds_ago));
        output::line(&match daemon.at_work {
            true if is("outdated") => format!("Daemon {name} is stopping: a newer version has brought the database up to date."),
            true if is("stopping") => format!("Daemon {name} is stopping: what is in hand is finished first."),
            true => format!("Daemon {name} is at work."),
            false if daemon.is_dead => format!("Daemon {name} {silent}; it did not end in order."),
            false => format!("Daemon {name} {silent}: it has died, or cannot write into the database."),
        });
        let said = |key: &str| daemon.report.get(key).and_then(Value::as_str).filter(|_| daemon.at_work);
        if let Some(why) = said("settings_refused") {
            output::line(&format!("    Its changed settings are refused and the last good ones stay in force: {why}"));
        }
        if let Some(why) = said("outbox_blocked") {
            output::line(&format!("    It cannot send replies: {why}."));
        }
        for (desk, why) in daemon.at_work.then(|| out_of_reach(daemon)).into_iter().flatten() {
            output::line(&format!("    It cannot reach the mailbox of {desk}: {why}."));
        }
    }
    if !daemons.iter().any(|daemon| daemon.at_work) {
        output::line("No daemon is at work.");
    }
    let rows = mailboxes.into_iter().map(|mailbox| {
        let state = match mailbox.state.as_str() {
            "nobody" => "nobody looks after it".to_owned(),
            "in-trouble" => format!("in trouble: {}", mailbox.trouble.unwrap_or_default()),
            other => other.to_owned(),
        };
        let backlog = mailbox.backlog.map(|mails| mails.to_string()).unwrap_or_default();
        vec![mailbox.desk, state, backlog, mailbox.worked_off.unwrap_or_default()]
    });
    output::table(&["desk", "mailbox", "backlog", "worked off"], rows.collect(), "There are no desks.");
}

/// Desks whose mailboxes a daemon had to leave to others, and why.
fn out_of_reach(daemon: &DaemonSeen) -> Vec<(&str, &str)> {
    let mailboxes = daemon.report.get("mailboxes").and_then(Value::as_object);
    let said = mailboxes.into_iter().flatten().filter(|(_, report)| report.get("state").is_some_and(|state| state == "out-of-reach"));
    said.filter_map(|(desk, report)| Some((desk.as_str(), report.get("trouble")?.as_str()?))).collect()
}

fn tell_counts(status: &Status) {
    let mut rows = Vec::new();
    for (what, counts) in [
        ("tickets", &status.tickets),
        ("mails booked", &status.mails),
        ("mails without a result", &status.arrivals),
        ("replies", &status.outbox),
        ("to be done on servers", &status.actions_due),
    ] {
        let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        rows.push(vec![what.to_owned(), if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }]);
    }
    output::table(&["what", "how many"], rows, "");
}

fn tell_worries(status: &Status) {
    for (age, sentence) in [
        (status.outbox_oldest, "The oldest reply that is not sent waits for"),
        (status.removal_oldest, "The oldest mail that must be deleted waits for"),
    ] {
        if let Some(seconds) = age {
            output::line(&format!("{sentence} {seconds} seconds."));
        }
    }
    let stuck = status.arrivals.get("stuck").copied().unwrap_or_default();
    if stuck > 0 {
        output::line(&format!("{stuck} mails are stuck; see `postkamer queue list`."));
    }
    if status.actions_failing > 0 {
        output::line(&format!("{} mails cannot be filed or deleted on their server, after many attempts.", status.actions_failing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_has_just_begun_leaves_no_mailbox_to_nobody() {
        let daemon = |at_work, mailboxes: Value| DaemonSeen {
            instance: "one".to_owned(),
            seconds_ago: 0,
            at_work,
            is_dead: !at_work,
            report: json!({ "mailboxes": mailboxes }),
        };
        let state = |daemons: &[DaemonSeen]| mailbox("support", daemons).state;
        assert_eq!(state(&[daemon(true, json!({}))]), "starting");
        assert_eq!(state(&[daemon(false, json!({}))]), "nobody");
        assert_eq!(state(&[daemon(true, json!({ "ict": { "state": "watched" } }))]), "nobody");
        let watched = daemon(true, json!({ "support": { "state": "watched" } }));
        assert_eq!(state(&[daemon(true, json!({})), watched]), "watched");
    }

    #[test]
    fn a_mailbox_is_in_trouble_until_one_daemon_has_succeeded_with_it() {
        let daemon = |state: &str| DaemonSeen {
            instance: state.to_owned(),
            seconds_ago: 0,
            at_work: true,
            is_dead: false,
            report: json!({ "mailboxes": { "support": { "state": state, "trouble": (state == "out-of-reach").then_some("cut off") } } }),
        };
        let told = |states: &[&str]| {
            let told = mailbox("support", &states.iter().map(|state| daemon(state)).collect::<Vec<_>>());
            (told.state, told.trouble.unwrap_or_default())
        };
        let (trouble, well) = (("in-trouble".to_owned(), "cut off".to_owned()), ("watched".to_owned(), String::new()));
        assert_eq!(told(&["elsewhere", "out-of-reach"]), trouble);
        assert_eq!(told(&["starting", "out-of-reach", "elsewhere"]), trouble, "the next one only tries");
        assert_eq!(told(&["elsewhere", "out-of-reach", "watched"]), well);
        assert_eq!(out_of_reach(&daemon("out-of-reach")), [("support", "cut off")]);
        assert_eq!(out_of_reach(&daemon("watched")), []);
    }
}
