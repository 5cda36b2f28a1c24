//! What lies in INBOX, in the done folders and with those who were answered, and what was offered: handed to the checker, who knows
//! what it must be.

use super::Report;
use super::installation::{Installation, Kept};
use super::mails::{NUMBER, Offered};
use crate::support::checker::{Books, Harm, Key, Outside, SentCopy, Wanted};
use crate::support::postgres::Postgres;
use std::collections::{BTreeMap, BTreeSet};

/// Counts everything, once nothing is left to do.
pub fn count(here: &Installation) -> Report {
    // What a booking that broke off left among the attachments goes with the next start, or where many share them with the day's forgetting.
    here.world.run(&["retention", "run"]).ok();
    let outside = look(here);
    let state_dir = here.world.state_dir();
    let mut books = Books::sqlite(&state_dir);
    if here.kept == Kept::Postgres {
        books.url = Postgres::shared().url(&here.database);
    }
    let mut report = Report {
        offered: here.offered.len() as u64,
        replies: outside.answerable().len() as u64,
        replies_repeated: Books::repeated(&outside) as u64,
        ..Report::default()
    };
    report.fates.extend(books.fates(&outside).into_iter().map(|(fate, count)| (fate, count as u64)));
    for broken in [books.broken(&outside), books.unsettled(&outside)].concat() {
        *report.harms.entry(broken.harm).or_default() += 1;
        report.complaints.push(broken.to_string());
    }
    for complaint in wrongly_deferred(&books, here) {
        *report.harms.entry(Harm::MailUnexpected).or_default() += 1;
        report.complaints.push(complaint);
    }
    report
}

fn look(here: &Installation) -> Outside {
    let mut outside = Outside { forbidden: vec![NUMBER.to_owned()], places: vec![here.world.dir.clone()], ..Outside::default() };
    let mut validity = BTreeMap::new();
    for (desk, account) in &here.desks {
        here.dovecot.with(account, |imap| {
            let now = imap.status("INBOX", "UIDVALIDITY").unwrap();
            validity.insert(desk, now);
            outside.waiting.extend(imap.messages("INBOX").into_iter().map(|(uid, _)| (desk.clone(), now, uid)));
            for (_, raw) in here.done[desk].iter().flat_map(|folder| imap.messages(folder)) {
                let text = String::from_utf8_lossy(&raw);
                let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: <")?.strip_suffix('>'));
                outside.filed.push((desk.clone(), id.unwrap_or_default().to_owned()));
            }
        });
        outside.places.push(here.dovecot.files().join(account));
    }
    let key = |mail: &Offered| -> Key { (mail.desk.clone(), validity[&mail.desk], mail.uid) };
    outside.offered = here.offered.iter().map(key).collect();
    outside.wanted = here.offered.iter().map(|mail| (key(mail), wanted(mail))).collect();
    for reply in here.sink.taken() {
        let copies =
            reply.recipients.iter().map(|to| SentCopy { in_reply_to: reply.in_reply_to.clone(), ..SentCopy::of(&reply.message_id, to) });
        outside.sent.extend(copies);
    }
    outside
}

fn wanted(mail: &Offered) -> Wanted {
    Wanted {
        message_id: mail.message_id.clone(),
        fates: mail.kind.fates(),
        is_filed: !mail.kind.is_deleted(),
        is_answered: mail.kind.is_answered(),
        makes_entry: mail.kind.makes_entry(),
    }
}

/// Mails that are held back although the desk has room for them.
fn wrongly_deferred(books: &Books, here: &Installation) -> Vec<String> {
    let unauthenticated = |desk: &String, rows: &str| books.rows(&format!("SELECT mailbox FROM {rows} AND mailbox = '{desk}'")).len();
    let desks: BTreeSet<&String> = here.desks.keys().collect();
    let wrong = desks.into_iter().filter(|desk| {
        let taken = unauthenticated(desk, "mail WHERE authentic <> 'pass'");
        unauthenticated(desk, "arrival WHERE state = 'deferred'") > 0 && taken < super::mails::UNAUTHENTICATED_AN_HOUR
    });
    wrong.map(|desk| format!("mails of {desk} are deferred although it has room for them")).collect()
}
