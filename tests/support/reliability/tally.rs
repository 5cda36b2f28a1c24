//! The count: what lies in INBOX, in the done folder and with those who were answered, against what was offered; our own tables
//! are only asked what they say of it.

use super::Report;
use super::installation::{Installation, Kept};
use super::mails::{NUMBER, Offered};
use crate::support::checker::{Books, Outside};
use crate::support::postgres::Postgres;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What is known of an installation at rest.
struct Seen {
    /// In INBOX: desk and UID.
    inbox: BTreeSet<(String, u32)>,
    /// In the done folder: desk and Message-ID, how often.
    done: BTreeMap<(String, String), usize>,
    /// Verdicts: desk and UID.
    verdicts: BTreeMap<(String, u32), Vec<String>>,
    /// Mails that wait with a mark: desk and UID.
    waiting: BTreeMap<(String, u32), String>,
    /// How many entries tickets have with this mark in their subject.
    entries: BTreeMap<String, usize>,
    /// Message-IDs of replies whose answer was once lost.
    in_doubt: BTreeSet<String>,
}

/// Counts everything, once nothing is left to do.
pub fn count(here: &Installation) -> Report {
    let seen = look(here);
    let mut report = Report { offered: here.offered.len() as u64, ..Report::default() };
    let mut complain = |text: String| report.complaints.push(text);
    let mut by_id: BTreeMap<&str, Vec<&Offered>> = BTreeMap::new();
    for mail in &here.offered {
        by_id.entry(&mail.message_id).or_default().push(mail);
        let key = (mail.desk.clone(), mail.uid);
        let verdicts = seen.verdicts.get(&key).map_or(&[][..], Vec::as_slice);
        let in_inbox = seen.inbox.contains(&key);
        let fate = match (verdicts, seen.waiting.get(&key)) {
            ([verdict], None) => verdict.clone(),
            ([], Some(state)) if in_inbox => state.clone(),
            ([], _) => {
                complain(format!("{mail:?} has no result; it is {} the INBOX", if in_inbox { "in" } else { "not in" }));
                report.lost += 1;
                continue;
            }
            (several, waiting) => {
                complain(format!("{mail:?} has results {several:?} and {waiting:?}"));
                report.doubled += 1;
                continue;
            }
        };
        // Of two equal mails either may have come first.
        let expected = fate == mail.kind.fate() || by_id[mail.message_id.as_str()].len() > 1 || has_twin(here, mail);
        if !expected && fate != "stuck" && fate != "deferred" {
            complain(format!("{mail:?} was {fate}"));
            report.unexpected += 1;
        }
        if in_inbox && !verdicts.is_empty() {
            complain(format!("{mail:?} was {fate}, and still lies in the INBOX"));
            report.actions_not_verified += 1;
        }
        *report.fates.entry(fate).or_default() += 1;
    }
    for (id, mails) in by_id {
        let stays = mails.iter().filter(|mail| seen.inbox.contains(&(mail.desk.clone(), mail.uid))).count();
        let first = mails[0];
        let filed = if first.kind.is_deleted() { 0 } else { mails.len() - stays };
        let found = seen.done.get(&(first.desk.clone(), id.to_owned())).copied().unwrap_or_default();
        if found != filed {
            complain(format!("{found} copies of {id} ({:?}) are filed in place of {filed}", first.kind));
            *if found < filed { &mut report.lost } else { &mut report.doubled } += 1;
        }
        let mark = id.split('@').next().unwrap();
        let wanted = usize::from(mails.iter().any(|mail| mail.kind.makes_entry()) && stays < mails.len());
        let entries = seen.entries.get(mark).copied().unwrap_or_default();
        if entries != wanted {
            complain(format!("{entries} entries of {id} ({:?}) in place of {wanted}", first.kind));
            *if entries < wanted { &mut report.lost } else { &mut report.doubled } += 1;
        }
    }
    let known: BTreeSet<&str> = here.offered.iter().map(|mail| mail.message_id.split('@').next().unwrap()).collect();
    for mark in seen.entries.keys().filter(|mark| !known.contains(mark.as_str())) {
        complain(format!("an entry of {mark}, which was never offered"));
        report.unexpected += 1;
    }
    replies(here, &seen, &mut report);
    report.citizen_bytes = citizen_bytes(here, &mut report.complaints);
    let undone = here.sql("SELECT mailbox || ' ' || server_action FROM mail WHERE action_state = 'due'");
    report.actions_not_verified += undone.len() as u64;
    report.complaints.extend(undone.into_iter().map(|action| format!("still to be done on the server: {action}")));
    report.complaints.extend(promises(here, &seen));
    report
}

/// What the checker of all tests finds: epochs that go back, a broken record, attachments of nobody, and more.
fn promises(here: &Installation, seen: &Seen) -> Vec<String> {
    let validity: BTreeMap<&String, u32> = here
        .desks
        .iter()
        .map(|(desk, account)| (desk, here.dovecot.with(account, |imap| imap.status("INBOX", "UIDVALIDITY").unwrap())))
        .collect();
    let key = |desk: &String, uid: u32| (desk.clone(), validity[desk], uid);
    let outside = Outside {
        offered: here.offered.iter().map(|mail| key(&mail.desk, mail.uid)).collect(),
        waiting: seen.inbox.iter().map(|(desk, uid)| key(desk, *uid)).collect(),
        sent: here
            .sink
            .taken()
            .into_iter()
            .flat_map(|reply| reply.recipients.into_iter().map(move |to| (reply.message_id.clone(), to)))
            .collect(),
        forbidden: vec![NUMBER.to_owned()],
    };
    let state_dir = here.world.state_dir();
    let mut books = Books::sqlite(&state_dir);
    if here.kept == Kept::Postgres {
        books.url = Postgres::shared().url(&here.database);
    }
    [books.broken(&outside), books.unsettled(&outside)].concat()
}

/// Whether the same bytes were offered twice.
fn has_twin(here: &Installation, mail: &Offered) -> bool {
    here.offered.iter().filter(|other| other.message_id == mail.message_id).count() > 1
}

fn replies(here: &Installation, seen: &Seen, report: &mut Report) {
    let mut copies: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for reply in here.sink.taken() {
        *copies.entry(reply.in_reply_to).or_default().entry(reply.message_id).or_default() += 1;
    }
    let mut asked = BTreeSet::new();
    for mail in here.offered.iter().filter(|mail| mail.kind.is_answered()) {
        let waits = seen.inbox.contains(&(mail.desk.clone(), mail.uid)) && !has_twin(here, mail);
        if waits || !asked.insert(mail.message_id.as_str()) {
            continue;
        }
        report.replies += 1;
        let replies = copies.remove(&mail.message_id).unwrap_or_default();
        match replies.len() {
            0 => {
                report.complaints.push(format!("nobody answered {mail:?}"));
                report.replies_lost += 1;
            }
            1 => {}
            more => {
                report.complaints.push(format!("{more} different answers to {mail:?}"));
                report.replies_doubled += 1;
            }
        }
        for (id, count) in replies.into_iter().filter(|(_, count)| *count > 1) {
            if seen.in_doubt.contains(&id) {
                report.replies_doubled_in_doubt += 1;
            } else {
                report.complaints.push(format!("{count} copies of {id}, and every answer was heard"));
                report.replies_doubled += 1;
            }
        }
    }
    for (id, replies) in copies {
        report.complaints.push(format!("{replies:?} answer {id}, which wants no answer"));
        report.replies_unexpected += 1;
    }
}

fn look(here: &Installation) -> Seen {
    let mut seen = Seen {
        inbox: BTreeSet::new(),
        done: BTreeMap::new(),
        verdicts: BTreeMap::new(),
        waiting: BTreeMap::new(),
        entries: BTreeMap::new(),
        in_doubt: BTreeSet::new(),
    };
    for (desk, account) in &here.desks {
        here.dovecot.with(account, |imap| {
            seen.inbox.extend(imap.messages("INBOX").into_iter().map(|(uid, _)| (desk.clone(), uid)));
            for (_, raw) in imap.messages("Verwerkt") {
                let text = String::from_utf8_lossy(&raw);
                let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: <")?.strip_suffix('>'));
                *seen.done.entry((desk.clone(), id.unwrap_or_default().to_owned())).or_default() += 1;
            }
        });
    }
    for row in here.sql("SELECT mailbox || '|' || uid || '|' || outcome FROM mail") {
        let columns: Vec<&str> = row.split('|').collect();
        let fate = match columns[2] {
            "open" => "opened",
            "append" => "appended",
            "queue" => "queued",
            "reject" => "rejected",
            "ignore" => "ignored",
            other => other,
        };
        seen.verdicts.entry((columns[0].to_owned(), columns[1].parse().unwrap())).or_default().push(fate.to_owned());
    }
    for row in here.sql("SELECT mailbox || '|' || uid || '|' || state FROM arrival WHERE state IN ('stuck', 'deferred')") {
        let columns: Vec<&str> = row.split('|').collect();
        seen.waiting.insert((columns[0].to_owned(), columns[1].parse().unwrap()), columns[2].to_owned());
    }
    for subject in here.sql("SELECT subject FROM entry WHERE kind = 'mail'") {
        let mark = subject.rsplit('(').next().unwrap_or_default().trim_end_matches(')').to_owned();
        *seen.entries.entry(mark).or_default() += 1;
    }
    seen.in_doubt =
        here.sql("SELECT message_id FROM outbox WHERE unclear > 0").iter().map(|id| id.trim_matches(['<', '>']).to_owned()).collect();
    seen
}

/// Files that hold the identity number that was in rejected mail.
fn citizen_bytes(here: &Installation, complaints: &mut Vec<String>) -> u64 {
    let mut places = vec![here.world.dir.clone()];
    // Mails that are left where they are, because they are stuck, hold what they hold.
    let stuck = here.sql("SELECT mailbox FROM arrival");
    if stuck.is_empty() {
        places.extend(here.desks.values().map(|account| here.dovecot.files().join(account)));
    }
    let mut found = 0;
    for place in places {
        below(&place, &mut |file| {
            let bytes = fs::read(file).unwrap_or_default();
            if bytes.windows(NUMBER.len()).any(|window| window == NUMBER.as_bytes()) {
                complaints.push(format!("{} holds an identity number", file.display()));
                found += 1;
            }
        });
    }
    if here.kept == Kept::Postgres {
        let rows = here.sql(&format!("SELECT 'entry' FROM entry WHERE written || quoted || subject LIKE '%{NUMBER}%'"));
        found += rows.len() as u64;
        complaints.extend(rows);
    }
    found
}

fn below(directory: &Path, act: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(&entry.path(), act);
        } else {
            act(&entry.path());
        }
    }
}
