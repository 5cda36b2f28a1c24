//! The store on SQLite and on PostgreSQL: the same promises on both.

use crate::support::postgres::Postgres;
use jiff::{SignedDuration, Timestamp};
use postkamer::clock::Clock;
use postkamer::decide::{AfterAppend, Cc, Kind, Outcome, Reason, ServerAction, Template};
use postkamer::identify::{Authentic, SenderKind};
use postkamer::mailbox;
use postkamer::outbox::{self, Report, Transport, actions::Acted, directory::Directory};
use postkamer::parse::document::Document;
use postkamer::parse::{Author, Mail, RawAttachment, Text};
use postkamer::plan::{
    Ledger, NewEntry, NewIdentityCheck, NewProfile, NewTicket, Note, Plan, PlannedReply, Postmark, Questions, TicketPlan,
};
use postkamer::screen::{Policy, ScreenedAttachment, screen};
use postkamer::store::*;
use postkamer::words::{EmailAddress, Keys, Language, MailUid, MailboxId, Pseudonym, Redacted, TicketNumber};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a claim lasts.
const CLAIM: Duration = Duration::from_secs(600);

/// One installation: a database, a state directory, a clock that only the test moves.
struct Installation {
    url: String,
    directory: tempfile::TempDir,
    clock: Clock,
}

impl Installation {
    fn on(url: String) -> Self {
        let clock = Clock::fixed("2026-11-21T09:00:00Z".parse().unwrap());
        Self { url, directory: tempfile::tempdir().unwrap(), clock }
    }

    async fn open(&self) -> Store {
        let state = self.directory.path().join("var");
        Store::open(&self.url, &state, &state.join("attachments"), self.clock.clone()).await.unwrap()
    }

    fn pass(&self, time: SignedDuration) {
        self.clock.set(self.clock.now() + time);
    }
}

/// Tells a test on both databases.
macro_rules! on_both {
    ($($name:ident,)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Installation::on("sqlite://postkamer.db".to_owned())).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let url = tokio::task::spawn_blocking(|| super::Postgres::shared().database("store")).await.unwrap();
                super::$name(super::Installation::on(url)).await;
            })+
        }
    };
}

on_both! {
    a_mail_becomes_a_ticket_with_everything_that_belongs_to_it,
    of_two_equal_mails_only_one_can_make_an_entry,
    a_booking_that_fails_leaves_nothing,
    a_ticket_follows_what_is_appended_to_it,
    the_ledger_tells_what_was_asked,
    attempts_are_counted_and_three_alone_are_enough,
    server_actions_stay_due_until_they_are_seen_to_be_done,
    a_reply_is_sent_once_or_dies_with_a_note,
    replies_in_doubt_go_out_again_and_are_counted,
    what_became_of_a_reply_is_written_down_when_the_database_is_back,
    agents_work_is_on_the_ticket_and_on_record,
    the_audit_record_is_one_chain_without_a_name,
    opening_again_changes_nothing,
    a_second_owner_waits_for_the_first_one,
    bookings_at_the_same_time_draw_different_numbers,
    attachments_without_a_ticket_are_swept,
    any_number_of_mails_people_and_uids_is_taken,
    replies_that_are_due_are_delivered,
    mails_leave_their_folder_as_the_verdict_says,
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn uid(number: u32) -> MailUid {
    MailUid { mailbox: MailboxId::new("support"), validity: NonZeroU32::new(7).unwrap(), uid: NonZeroU32::new(number).unwrap() }
}

fn digest(keys: &Keys, number: u32) -> Pseudonym {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    keys.mail(&bytes)
}

fn entry(from: &str, attachments: &[(&str, &[u8])]) -> NewEntry {
    let raw = |(index, (name, bytes)): (usize, &(&str, &[u8]))| RawAttachment {
        index,
        name: Some(Redacted::new((*name).to_owned())),
        declared: "text/csv".to_owned(),
        bytes: bytes.to_vec().into(),
        ..RawAttachment::default()
    };
    let mail = Mail {
        author: Author::One { address: address(from), name: "Ineke Bakker".to_owned().into() },
        subject: "De kaart laadt niet".to_owned().into(),
        text: Text { written: "Goedemorgen,\0 de kaart blijft leeg.".to_owned().into(), ..Text::default() },
        attachments: attachments.iter().enumerate().map(raw).collect(),
        ..Mail::default()
    };
    let documents = attachments.iter().map(|_| Document { format: "csv".to_owned(), ..Document::default() }).collect();
    let screened = screen(mail, documents, &Policy::default());
    let clean = screened.attachments.into_iter().map(|attachment| match attachment {
        ScreenedAttachment::Clean(clean) => clean,
        ScreenedAttachment::Withheld(_) => panic!("the attachment is clean"),
    });
    NewEntry {
        author: Some(address(from)),
        takes_part: true,
        text: screened.text.unwrap(),
        attachments: clean.collect(),
        message_id: Some("a1@waterwolde.example".parse().unwrap()),
        people: Vec::new(),
        portal_request: false,
    }
}

const INEKE: &str = "i.bakker@waterwolde.example";

fn mail(keys: &Keys, number: u32, now: Timestamp) -> Plan {
    Plan {
        uid: uid(number),
        digest: digest(keys, number),
        message_id: None,
        postmark: Postmark::default(),
        desk: "support".to_owned(),
        now,
        outcome: Outcome::Ignore,
        reasons: vec![Reason::AutoReply],
        kind: Kind::Human,
        authentic: Authentic::Pass,
        sender: SenderKind::GeneralContact,
        sender_key: Some(keys.person(&address(INEKE))),
        organisation: Some("waterwolde".to_owned()),
        server: ServerAction::File,
        ticket: TicketPlan::None,
        replies: Vec::new(),
        unsent: Vec::new(),
        silence: None,
        findings: Vec::new(),
        withheld: Vec::new(),
        configuration: "c0ffee".to_owned(),
    }
}

fn reply(ledger: &mut Ledger, keys: &Keys, template: Template, ticket: Option<TicketNumber>, now: Timestamp) -> PlannedReply {
    let number = ledger.next_reply();
    PlannedReply {
        number,
        template,
        ticket,
        message_id: keys.reply_id(number, &address(INEKE), &"zaakwijs.example".parse().unwrap()).unwrap(),
        to: address(INEKE),
        cc: vec![address("a.devries@waterwolde.example")],
        envelope_from: None,
        recipient_key: keys.person(&address(INEKE)),
        organisation: Some("waterwolde".to_owned()),
        message: b"Subject: x\r\n\r\nGoedemorgen\r\n".to_vec(),
        created: now,
    }
}

/// A mail that opens a ticket and is answered.
fn opening(ledger: &mut Ledger, keys: &Keys, uid: u32, now: Timestamp) -> Plan {
    let number = ledger.next_ticket();
    let new = NewTicket {
        number,
        queued: false,
        urgent: false,
        organisation: Some("waterwolde".to_owned()),
        language: Language::Nl,
        continues: None,
        cc: vec![(Cc::GeneralContact, address("a.devries@waterwolde.example"))],
        cc_absent: false,
        identity_check: None,
        entry: entry(INEKE, &[("kaart.csv", b"a;b\r\n1;2\r\n")]),
    };
    Plan {
        outcome: Outcome::Open,
        reasons: vec![Reason::ApprovedContact],
        ticket: TicketPlan::Open(Box::new(new)),
        replies: vec![reply(ledger, keys, Template::Received, Some(number), now)],
        ..mail(keys, uid, now)
    }
}

async fn book(store: &Store, judge: impl FnOnce(&mut Ledger, &Keys) -> Vec<Plan> + Send) -> Result<Booking, StoreError> {
    let lease = store.own().await.unwrap();
    let _mailbox = lease.hold(&MailboxId::new("support")).await;
    let booking = store.book(&lease, &Questions::default(), judge).await;
    lease.release().await.unwrap();
    booking
}

async fn open_one(store: &Store, number: u32) -> Booking {
    let now = store.clock().now();
    book(store, |ledger, keys| vec![opening(ledger, keys, number, now)]).await.unwrap()
}

async fn list(store: &Store) -> Vec<serde_json::Value> {
    let tickets = store.tickets(&TicketFilter::default()).await.unwrap();
    tickets.iter().map(|ticket| serde_json::to_value(ticket).unwrap()).collect()
}

async fn whole(store: &Store) -> i64 {
    match store.verify_audit(None).await.unwrap() {
        Chain::Whole { rows, .. } => rows,
        Chain::Broken { seq, damage } => panic!("the audit record is broken at {seq}: {damage:?}"),
    }
}

async fn a_mail_becomes_a_ticket_with_everything_that_belongs_to_it(here: Installation) {
    let store = here.open().await;
    store.begin(&[uid(1)], false).await.unwrap();
    let booking = open_one(&store, 1).await;
    assert_eq!(booking.booked.len(), 1);
    assert_eq!((booking.booked[0].uid(), booking.booked[0].action()), (&uid(1), ServerAction::File));
    assert_eq!(store.waiting().await.unwrap(), []);
    assert_eq!(store.filter_new(&[uid(1), uid(2)]).await.unwrap().iter().map(|new| new.uid.clone()).collect::<Vec<_>>(), [uid(2)]);

    assert_eq!(
        list(&store).await,
        [serde_json::json!({
            "id": 1, "number": "PK-00001", "status": "open", "type": "incident", "urgent": false, "organisation": "waterwolde",
            "reasons": ["approved-contact"], "opened_at": "2026-11-21T09:00:00Z", "closed_at": null, "entries": 1, "attachments": 1,
            "cc": ["general-contact"], "desk": "support",
        })]
    );
    let ticket = store.ticket(TicketNumber::new(1)).await.unwrap().unwrap();
    assert_eq!(ticket.requester, Some(address(INEKE)));
    let entry = &ticket.entries[0];
    assert_eq!(entry.written.reveal(), "Goedemorgen,\u{fffd} de kaart blijft leeg.");
    let attachment = &entry.attachments[0];
    assert_eq!(std::fs::read(store.attachment_path(&attachment.sha256)).unwrap(), b"a;b\r\n1;2\r\n");
    assert_eq!(attachment.name.as_ref().unwrap().reveal(), "kaart.csv");
    let letters = store.letters(false).await.unwrap();
    assert_eq!((letters[0].state, letters[0].ticket.as_deref()), (LetterState::Due, Some("PK-00001")));
    assert_eq!(whole(&store).await, 1);
}

async fn of_two_equal_mails_only_one_can_make_an_entry(here: Installation) {
    let store = here.open().await;
    open_one(&store, 1).await;
    let now = here.clock.now();
    let again = |ledger: &mut Ledger, keys: &Keys| vec![Plan { uid: uid(2), ..opening(ledger, keys, 1, now) }];
    assert!(matches!(book(&store, again).await, Err(StoreError::Constraint { .. })));
    let same_uid = |ledger: &mut Ledger, keys: &Keys| vec![Plan { uid: uid(1), ..opening(ledger, keys, 2, now) }];
    assert!(matches!(book(&store, same_uid).await, Err(StoreError::Constraint { .. })));

    let keys = store.keys().clone();
    let questions = Questions { digests: BTreeSet::from([digest(&keys, 1), digest(&keys, 2)]), ..Questions::default() };
    let duplicates = |ledger: &mut Ledger, keys: &Keys| {
        assert_eq!(ledger.booked, BTreeSet::from([digest(keys, 1)]));
        let duplicate = |at| Plan { uid: uid(at), reasons: vec![Reason::Duplicate], ..mail(keys, 1, now) };
        vec![duplicate(2), duplicate(3)]
    };
    store.book(&Lease::without_mailbox(), &questions, duplicates).await.unwrap();
    assert_eq!(list(&store).await.len(), 1);
}

async fn a_booking_that_fails_leaves_nothing(here: Installation) {
    let store = here.open().await;
    let now = here.clock.now();
    let half_bad = |ledger: &mut Ledger, keys: &Keys| {
        let (good, bad) = (opening(ledger, keys, 1, now), opening(ledger, keys, 1, now));
        vec![good, Plan { uid: uid(2), ..bad }]
    };
    assert!(book(&store, half_bad).await.is_err());
    assert_eq!((list(&store).await.len(), store.letters(true).await.unwrap().len(), whole(&store).await), (0, 0, 0));
    assert_eq!(store.filter_new(&[uid(1), uid(2)]).await.unwrap().len(), 2);
    open_one(&store, 1).await;
    assert_eq!(list(&store).await[0]["number"], "PK-00001", "a number that was not committed was not given out");

    let mild = |_: &mut Ledger, keys: &Keys| vec![Plan { server: ServerAction::Delete, ..mail(keys, 9, now) }];
    assert!(book(&store, mild).await.is_err(), "only verdicts that withhold something may delete");
}

fn append(keys: &Keys, number: u32, ticket: i64, after: AfterAppend, now: Timestamp) -> Plan {
    let ticket = TicketNumber::new(ticket);
    let entry = Box::new(entry("p.collega@waterwolde.example", &[]));
    Plan {
        outcome: Outcome::Append,
        reasons: vec![Reason::FollowUp],
        ticket: TicketPlan::Append { ticket, after, urgent: after == AfterAppend::Queue, settles: None, approval: None, entry },
        ..mail(keys, number, now)
    }
}

async fn a_ticket_follows_what_is_appended_to_it(here: Installation) {
    let store = here.open().await;
    open_one(&store, 1).await;
    let status = async || {
        let ticket = list(&store).await.remove(0);
        (ticket["status"].as_str().unwrap().to_owned(), ticket["entries"].as_i64().unwrap(), ticket["urgent"].as_bool().unwrap())
    };
    let now = here.clock.now();
    let put = async |number, after| book(&store, |_, keys| vec![append(keys, number, 1, after, now)]).await.unwrap();
    put(2, AfterAppend::Keep).await;
    assert_eq!(status().await, ("open".to_owned(), 2, false));
    put(3, AfterAppend::Queue).await;
    assert_eq!(status().await, ("queued".to_owned(), 3, true));
    store.close_ticket(TicketNumber::new(1), "ineke").await.unwrap();
    assert_eq!(status().await, ("closed".to_owned(), 3, true));
    put(4, AfterAppend::Reopen).await;
    assert_eq!(status().await, ("queued".to_owned(), 4, true), "it goes back to the state it was closed from");
    put(5, AfterAppend::Open).await;
    assert_eq!(status().await, ("open".to_owned(), 5, true));
    put(6, AfterAppend::Close).await;
    let ticket = store.ticket(TicketNumber::new(1)).await.unwrap().unwrap();
    assert_eq!(ticket.close_cause.as_deref(), Some("identity-refused"));
    assert_eq!(ticket.summary.reasons, [Reason::ApprovedContact, Reason::FollowUp]);
    // Several on one ticket in one batch, and on a ticket that the batch itself opens.
    let many = |ledger: &mut Ledger, keys: &Keys| {
        vec![opening(ledger, keys, 10, now), append(keys, 11, 2, AfterAppend::Queue, now), append(keys, 12, 2, AfterAppend::Keep, now)]
    };
    book(&store, many).await.unwrap();
    let second = list(&store).await.remove(1);
    assert_eq!((second["status"].as_str(), second["entries"].as_i64()), (Some("queued"), Some(3)));
}

async fn the_ledger_tells_what_was_asked(here: Installation) {
    let store = here.open().await;
    let now = here.clock.now();
    let (contact, person) = (address("joost@waterwolde.example"), store.keys().person(&address(INEKE)));
    let first = |ledger: &mut Ledger, keys: &Keys| {
        let mut plan = opening(ledger, keys, 1, now);
        let question = reply(ledger, keys, Template::VerifyIdentity, Some(TicketNumber::new(1)), now);
        if let TicketPlan::Open(new) = &mut plan.ticket {
            let expires = now + SignedDuration::from_hours(24);
            new.identity_check =
                Some(NewIdentityCheck { contact: address("joost@waterwolde.example"), reply: Some(question.number), expires });
            new.cc = vec![(Cc::DutyContact, address("wacht@zaakwijs.example"))];
        }
        plan.replies.push(question);
        vec![plan, Plan { authentic: Authentic::None, ..mail(keys, 2, now) }]
    };
    book(&store, first).await.unwrap();
    let id = |number| store.keys().reply_id(number, &address(INEKE), &"zaakwijs.example".parse().unwrap()).unwrap();
    let questions = Questions {
        now: None,
        digests: BTreeSet::from([digest(store.keys(), 1), digest(store.keys(), 77)]),
        reply_ids: BTreeSet::from([id(1), id(2), id(3)]),
        people: BTreeSet::from([person.clone()]),
        organisations: BTreeSet::from(["waterwolde".to_owned()]),
        desks: BTreeSet::from(["support".to_owned()]),
    };
    let ask = async || {
        let mut answer = None;
        let listen = |ledger: &mut Ledger, _: &Keys| {
            answer = Some(ledger.clone());
            Vec::new()
        };
        store.book(&Lease::without_mailbox(), &questions, listen).await.unwrap();
        answer.unwrap()
    };
    let ledger = ask().await;
    assert_eq!((ledger.last_ticket, ledger.last_reply), (1, 2));
    assert_eq!(ledger.booked, BTreeSet::from([digest(store.keys(), 1)]));
    assert_eq!(ledger.sent.keys().cloned().collect::<Vec<_>>(), [id(1), id(2)]);
    assert_eq!(ledger.sent[&id(1)].identity_check, None);
    assert_eq!(ledger.sent[&id(2)].identity_check.as_ref().unwrap().contact, contact);
    assert_eq!(ledger.tickets[&TicketNumber::new(1)].participants, BTreeSet::from([address(INEKE)]));
    assert_eq!(ledger.intake_by_sender[&person], 1);
    assert_eq!(ledger.intake_by_organisation["waterwolde"], 2);
    assert_eq!(ledger.intake_unauthenticated["support"], 1);
    assert_eq!(ledger.replies_last_hour[&person], 2);
    assert_eq!(ledger.replies_last_day[&(person.clone(), Template::Received)], 1);
    assert_eq!(ledger.replies_by_organisation["waterwolde"], 2);
    assert_eq!(ledger.duty_calls["support"], 1);
    here.pass(SignedDuration::from_mins(90));
    let ledger = ask().await;
    assert!(ledger.intake_by_sender.is_empty() && ledger.replies_last_hour.is_empty() && ledger.replies_by_organisation.is_empty());
    assert_eq!(ledger.replies_last_day[&(person.clone(), Template::Received)], 1);
    here.pass(SignedDuration::from_hours(24));
    let ledger = ask().await;
    assert!(ledger.replies_last_day.is_empty() && ledger.duty_calls.is_empty());

    // The contact answers: the check is settled, and asks no more.
    let answer = |_: &mut Ledger, keys: &Keys| {
        let mut plan = append(keys, 3, 1, AfterAppend::Open, now);
        if let TicketPlan::Append { settles, .. } = &mut plan.ticket {
            *settles = Some(1);
        }
        vec![plan]
    };
    book(&store, answer).await.unwrap();
    assert_eq!(ask().await.sent[&id(2)].identity_check, None);

    // A reply comes back: its row says so, and the ticket has a note that counts as no entry.
    let bounce = |_: &mut Ledger, keys: &Keys| {
        let ticket = TicketPlan::Note { ticket: TicketNumber::new(1), note: Note::Undeliverable { reply: 1 } };
        vec![Plan { reasons: vec![Reason::Bounce], ticket, ..mail(keys, 4, now) }]
    };
    book(&store, bounce).await.unwrap();
    let came_back: Vec<bool> = store.letters(true).await.unwrap().iter().map(|letter| letter.undeliverable_at.is_some()).collect();
    assert_eq!(came_back, [true, false]);
    assert_eq!(list(&store).await[0]["entries"], 2);
}

async fn attempts_are_counted_and_three_alone_are_enough(here: Installation) {
    let store = here.open().await;
    let all = [uid(1), uid(2), uid(3)];
    let look = async || -> Vec<(u32, ArrivalState, u32)> {
        store.filter_new(&all).await.unwrap().into_iter().map(|new| (new.uid.uid.get(), new.state, new.attempts)).collect()
    };
    assert_eq!(look().await, [1, 2, 3].map(|number| (number, ArrivalState::New, 0)));
    store.begin(&all, false).await.unwrap();
    store.let_go(&[uid(1)]).await.unwrap();
    assert_eq!(look().await[0], (1, ArrivalState::New, 0), "an orderly stop takes its attempt back");
    // The program dies with two in hand: they are to be taken alone, and being in company is no blame.
    let mailboxes = [MailboxId::new("support")];
    assert_eq!(store.unclean(&mailboxes).await.unwrap(), []);
    assert_eq!(look().await[1..], [(2, ArrivalState::Waiting, 1), (3, ArrivalState::Waiting, 1)]);
    for round in 1..=3 {
        store.begin(&[uid(2)], true).await.unwrap();
        let stuck = if round == 2 {
            store.settle_failure(&[uid(2)], "took-too-long").await.unwrap()
        } else {
            store.unclean(&mailboxes).await.unwrap()
        };
        assert_eq!(stuck, if round == 3 { vec![uid(2)] } else { vec![] });
    }
    assert_eq!(look().await[1], (2, ArrivalState::Stuck, 4));
    let queue = store.queue(None).await.unwrap();
    assert_eq!(queue.stuck.iter().map(|stuck| stuck.uid.clone()).collect::<Vec<_>>(), [uid(2)]);
    assert!(store.retry_stuck(&mailboxes[0], None, 3, "ineke").await.is_err());
    store.retry_stuck(&mailboxes[0], None, 2, "ineke").await.unwrap();
    assert_eq!(look().await[1], (2, ArrivalState::New, 0));

    store.begin(&[uid(3)], true).await.unwrap();
    let now = here.clock.now();
    let defer = |_: &mut Ledger, keys: &Keys| {
        vec![Plan { outcome: Outcome::Defer, reasons: vec![Reason::RateLimited], server: ServerAction::Keep, ..mail(keys, 3, now) }]
    };
    let booking = book(&store, defer).await.unwrap();
    assert_eq!((booking.booked.len(), booking.deferred), (0, vec![uid(3)]));
    assert_eq!(look().await[2], (3, ArrivalState::Deferred, 0));
    store.begin(&[uid(1)], false).await.unwrap();
    store.forget_absent(&mailboxes[0], &BTreeSet::from([uid(3)])).await.unwrap();
    assert_eq!(store.waiting().await.unwrap().iter().map(|waiting| waiting.uid.clone()).collect::<Vec<_>>(), [uid(3)]);
}

async fn server_actions_stay_due_until_they_are_seen_to_be_done(here: Installation) {
    let store = here.open().await;
    let now = here.clock.now();
    let plans = |_: &mut Ledger, keys: &Keys| {
        let withheld = vec![Reason::CitizenDataInText];
        let delete = Plan { outcome: Outcome::Reject, reasons: withheld, server: ServerAction::Delete, ..mail(keys, 1, now) };
        vec![delete, mail(keys, 2, now), Plan { server: ServerAction::Keep, ..mail(keys, 3, now) }]
    };
    book(&store, plans).await.unwrap();
    let mailbox = MailboxId::new("support");
    let due = async || Due::of(&store.due_actions(&mailbox, 100).await.unwrap());
    assert_eq!(due().await, Due { file: vec![uid(2)], delete: vec![uid(1)] });
    assert_eq!(store.due_actions(&MailboxId::new("ict"), 100).await.unwrap(), []);
    store.action_done(&[uid(2)], ActionSettled::Done).await.unwrap();
    for minutes in [1, 2, 4] {
        store.action_done(&[uid(1)], ActionSettled::Failed).await.unwrap();
        assert_eq!(due().await, Due::default());
        here.pass(SignedDuration::from_mins(minutes));
        assert_eq!(due().await.delete, [uid(1)]);
    }
    assert_eq!(store.status().await.unwrap().removal_oldest, Some(7 * 60));
    assert_eq!(whole(&store).await, 3);
    for _ in 0..2 {
        store.action_done(&[uid(1)], ActionSettled::Done).await.unwrap();
        assert_eq!(whole(&store).await, 4, "that a mail was seen to be gone is on record, once");
    }
    here.pass(SignedDuration::from_hours(2));
    assert_eq!(due().await, Due::default());
}

async fn a_reply_is_sent_once_or_dies_with_a_note(here: Installation) {
    let store = here.open().await;
    for number in 1..=3 {
        open_one(&store, number).await;
    }
    let claimed = store.claim(2, CLAIM).await.unwrap();
    assert_eq!(claimed.iter().map(|reply| reply.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.claim(9, CLAIM).await.unwrap().iter().map(|reply| reply.id).collect::<Vec<_>>(), [3]);
    assert_eq!(claimed[0].recipients, [address(INEKE), address("a.devries@waterwolde.example")]);
    assert_eq!(claimed[0].message.reveal(), b"Subject: x\r\n\r\nGoedemorgen\r\n");
    store.settle(1, &Delivery::Sent { refused: vec![(address("a.devries@waterwolde.example"), "550 5.1.1".to_owned())] }).await.unwrap();
    store.settle(2, &Delivery::Dead { code: "554".to_owned() }).await.unwrap();
    let remaining = vec![address(INEKE)];
    store.settle(3, &Delivery::Later { code: "451".to_owned(), unclear: false, remaining: remaining.clone() }).await.unwrap();
    let notes = async |number| {
        let ticket = store.ticket(TicketNumber::new(number)).await.unwrap().unwrap();
        ticket.entries.iter().filter(|entry| entry.kind == "undeliverable").count()
    };
    assert_eq!((notes(1).await, notes(2).await, notes(3).await), (1, 1, 0));
    assert_eq!(store.claim(9, CLAIM).await.unwrap().len(), 0);
    for attempt in 2.. {
        let Some(next) = store.next_letter().await.unwrap() else { break };
        here.clock.set(next);
        let claimed = store.claim(9, CLAIM).await.unwrap();
        assert_eq!((claimed.len(), claimed[0].attempt, &claimed[0].recipients), (1, attempt, &remaining));
        store.settle(3, &Delivery::Later { code: "451".to_owned(), unclear: false, remaining: remaining.clone() }).await.unwrap();
        assert!(attempt < 60, "it dies in the end");
    }
    let states: Vec<LetterState> = store.letters(true).await.unwrap().iter().map(|letter| letter.state).collect();
    assert_eq!(states, [LetterState::Sent, LetterState::Dead, LetterState::Dead]);
    assert_eq!(notes(3).await, 1);
    assert!(here.clock.now() >= "2026-11-26T09:00:00Z".parse().unwrap());
    store.retry_letter(3, "ineke").await.unwrap();
    assert!(store.retry_letter(1, "ineke").await.is_err());
    assert_eq!(store.claim(9, CLAIM).await.unwrap().len(), 1);
}

async fn replies_in_doubt_go_out_again_and_are_counted(here: Installation) {
    let store = here.open().await;
    open_one(&store, 1).await;
    let sqlite = here.url.starts_with("sqlite");
    {
        let _before = store.own().await.unwrap();
        assert_eq!(store.claim(9, CLAIM).await.unwrap().len(), 1);
    }
    // The process ends without an answer; another one begins.
    let next = here.open().await;
    let _owner = next.own().await.unwrap();
    if !sqlite {
        assert_eq!(next.claim(9, CLAIM).await.unwrap().len(), 0, "the claim of somebody who may live lasts a while");
    }
    // By the database's clock, which the test does not move.
    let over = if sqlite { CLAIM } else { Duration::ZERO };
    assert_eq!(next.claim(9, over).await.unwrap().len(), 1);
    store.settle(1, &Delivery::Dead { code: "late".to_owned() }).await.unwrap();
    next.settle(1, &Delivery::Sent { refused: Vec::new() }).await.unwrap();
    let letters = next.letters(true).await.unwrap();
    assert_eq!((letters[0].state, letters[0].unclear, letters[0].attempts), (LetterState::Sent, 1, 2));
    assert_eq!(next.status().await.unwrap().outbox_unclear, 1);
}

/// What an SMTP server answered is not forgotten while the database is out of reach.
async fn what_became_of_a_reply_is_written_down_when_the_database_is_back(here: Installation) {
    use sea_orm::{ConnectionTrait, Database};
    let store = here.open().await;
    open_one(&store, 1).await;
    assert_eq!(store.claim(9, CLAIM).await.unwrap().len(), 1);
    let url = here.url.replace("sqlite://", &format!("sqlite://{}/", here.directory.path().join("var").display()));
    let db = Database::connect(url).await.unwrap();
    // Whatever the reason: the statement fails.
    db.execute_unprepared("ALTER TABLE outbox RENAME TO elsewhere").await.unwrap();
    assert!(store.settle(1, &Delivery::Sent { refused: Vec::new() }).await.is_err());
    assert!(store.claim(9, CLAIM).await.is_err());
    db.execute_unprepared("ALTER TABLE elsewhere RENAME TO outbox").await.unwrap();
    assert_eq!(store.claim(9, Duration::ZERO).await.unwrap().len(), 0, "it was sent, and is not claimed anew");
    assert_eq!(store.letters(true).await.unwrap()[0].state, LetterState::Sent);
    db.close().await.unwrap();
}

async fn agents_work_is_on_the_ticket_and_on_record(here: Installation) {
    let store = here.open().await;
    let now = here.clock.now();
    let queued = |ledger: &mut Ledger, keys: &Keys| {
        [1, 2]
            .map(|number| {
                let mut plan = opening(ledger, keys, number, now);
                if let TicketPlan::Open(new) = &mut plan.ticket {
                    new.queued = true;
                }
                Plan { outcome: Outcome::Queue, ..plan }
            })
            .into()
    };
    book(&store, queued).await.unwrap();
    assert_eq!(store.queue(Some(&["support".to_owned()])).await.unwrap().tickets.len(), 2);
    assert_eq!(store.queue(Some(&["ict".to_owned()])).await.unwrap().tickets.len(), 0);
    let (first, second, reason) = (TicketNumber::new(1), TicketNumber::new(2), Redacted::new("Graag gedaan.".to_owned()));
    let write = |letter: &Correspondence, keys: &Keys| {
        assert_eq!((letter.requester.clone(), letter.desk.as_str()), (Some(address(INEKE)), "support"));
        let mut ledger = Ledger { last_reply: letter.reply - 1, ..Ledger::default() };
        Some(reply(&mut ledger, keys, Template::Released, Some(letter.ticket.number), now))
    };
    store.release(first, "ineke", &reason, write).await.unwrap();
    assert_eq!(store.letters(false).await.unwrap().len(), 3);
    assert!(matches!(store.release(first, "ineke", &reason, |_, _| None).await, Err(StoreError::NotNow(_))));
    store.refuse(second, "ineke", &reason, |_, _| None).await.unwrap();
    store.note(first, "ineke", &Redacted::new("Gebeld.".to_owned())).await.unwrap();
    store.close_ticket(first, "ineke").await.unwrap();
    assert!(store.close_ticket(first, "ineke").await.is_err());
    store.reopen_ticket(first, "ineke").await.unwrap();
    assert!(matches!(store.note(TicketNumber::new(99), "ineke", &reason).await, Err(StoreError::Unknown("ticket"))));
    let kinds = async |number| {
        let ticket = store.ticket(number).await.unwrap().unwrap();
        (ticket.summary.status, ticket.entries.into_iter().map(|entry| entry.kind).collect::<Vec<_>>())
    };
    let told = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
    assert_eq!(kinds(first).await, (TicketStatus::Open, told(&["mail", "released", "note", "closed", "reopened"])));
    assert_eq!(kinds(second).await, (TicketStatus::Closed, told(&["mail", "refused"])));
    let ask = Questions {
        reply_ids: BTreeSet::from([store.keys().reply_id(2, &address(INEKE), &"zaakwijs.example".parse().unwrap()).unwrap()]),
        ..Questions::default()
    };
    let look = |ledger: &mut Ledger, _: &Keys| {
        assert!(ledger.tickets[&TicketNumber::new(2)].refused && ledger.tickets[&TicketNumber::new(2)].queued);
        assert_eq!(ledger.last_reply, 3);
        Vec::new()
    };
    store.book(&Lease::without_mailbox(), &ask, look).await.unwrap();
    assert_eq!(whole(&store).await, 7);
}

async fn the_audit_record_is_one_chain_without_a_name(here: Installation) {
    let store = here.open().await;
    for number in 1..=4 {
        open_one(&store, number).await;
    }
    assert_eq!(whole(&store).await, 4);
    let sql = async |sql: &str| {
        use sea_orm::{ConnectionTrait, Database};
        let url = if here.url.starts_with("sqlite") {
            format!("sqlite://{}", here.directory.path().join("var/postkamer.db").display())
        } else {
            here.url.clone()
        };
        let db = Database::connect(url).await.unwrap();
        let rows = if sql.starts_with("SELECT") {
            let rows = db.query_all_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
            rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect::<Vec<_>>()
        } else {
            db.execute_unprepared(sql).await.unwrap();
            Vec::new()
        };
        db.close().await.unwrap();
        rows
    };
    for payload in sql("SELECT payload FROM audit").await {
        for word in ["bakker", "Ineke", "kaart", "Goedemorgen", "@"] {
            assert!(!payload.contains(word), "{payload}");
        }
    }
    sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2099_01_01_later', 0)").await;
    let state = here.directory.path().join("var");
    let newer = Store::open(&here.url, &state, &state.join("attachments"), here.clock.clone()).await;
    assert_eq!(newer.err(), Some(StoreError::Newer));
}

async fn opening_again_changes_nothing(here: Installation) {
    let first = here.open().await;
    assert!(!first.migrated().is_empty());
    open_one(&first, 1).await;
    let (one, two) = tokio::join!(here.open(), here.open());
    assert!(one.migrated().is_empty() && two.migrated().is_empty());
    assert_eq!(one.keys().loop_header(1), first.keys().loop_header(1), "the installation's secret is made once");
    assert_eq!(list(&two).await.len(), 1);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(here.directory.path().join("var")).unwrap().permissions().mode() & 0o777, 0o700);
    first.close().await.unwrap();
}

async fn a_second_owner_waits_for_the_first_one(here: Installation) {
    let (first, second) = (here.open().await, here.open().await);
    let mailbox = MailboxId::new("support");
    let sqlite = here.url.starts_with("sqlite");
    let lease = first.own().await.unwrap();
    let held = lease.hold(&mailbox).await;
    let now = here.clock.now();
    first.book(&lease, &Questions::default(), |ledger, keys| vec![opening(ledger, keys, 1, now)]).await.unwrap();
    let patience = Duration::from_millis(500);
    let waiting = if sqlite {
        assert!(matches!(second.own_within(patience).await, Err(StoreError::Owned(_))));
        drop((held, lease));
        second.own().await.unwrap()
    } else {
        let waiting = second.own().await.unwrap();
        assert!(tokio::time::timeout(patience, waiting.hold(&mailbox)).await.is_err());
        {
            let mut handed_over = std::pin::pin!(waiting.insist(&mailbox));
            tokio::select! {
                _ = &mut handed_over => panic!("it is in other hands"),
                () = held.ending().cancelled() => drop(held),
            }
            drop(handed_over.await.unwrap());
        }
        waiting
    };
    let _taken = waiting.hold(&mailbox).await;
    second.book(&waiting, &Questions::default(), |ledger, keys| vec![opening(ledger, keys, 2, now)]).await.unwrap();
}

/// Whoever sleeps through the loss of a mailbox writes nothing of it down any more: not T0, not T1, not T2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_mailbox_is_not_written_for() {
    use sea_orm::{ConnectionTrait, Database};
    let url = tokio::task::spawn_blocking(|| Postgres::shared().database("store")).await.unwrap();
    let here = Installation::on(url);
    let (first, second) = (here.open().await, here.open().await);
    let (mailbox, now) = (MailboxId::new("support"), here.clock.now());
    let sleeper = first.own().await.unwrap();
    let held = sleeper.hold(&mailbox).await;
    first.begin(&[uid(1), uid(2)], false).await.unwrap();
    first.book(&sleeper, &Questions::default(), |ledger, keys| vec![opening(ledger, keys, 1, now)]).await.unwrap();
    // As the database sees it, ten seconds have passed.
    let db = Database::connect(&here.url).await.unwrap();
    db.execute_unprepared("UPDATE lease SET holder = 'somebody', epoch = epoch + 1").await.unwrap();
    assert_eq!(first.begin(&[uid(3)], false).await, Err(StoreError::LeaseLost));
    assert_eq!(first.let_go(&[uid(2)]).await, Err(StoreError::LeaseLost));
    assert_eq!(first.unclean(std::slice::from_ref(&mailbox)).await, Err(StoreError::LeaseLost));
    assert_eq!(first.forget_absent(&mailbox, &BTreeSet::new()).await, Err(StoreError::LeaseLost));
    let late = first.book(&sleeper, &Questions::default(), |ledger, keys| vec![opening(ledger, keys, 2, now)]).await;
    assert_eq!(late, Err(StoreError::LeaseLost));
    assert_eq!(first.action_done(&[uid(1)], ActionSettled::Done).await, Err(StoreError::LeaseLost));
    assert_eq!(list(&first).await.len(), 1);
    // It is told, gives up, and another one goes on.
    held.ending().cancelled().await;
    drop(held);
    db.execute_unprepared("UPDATE lease SET expires_at = 0").await.unwrap();
    let heir = second.own().await.unwrap();
    let _held = heir.hold(&mailbox).await;
    assert_eq!(second.unclean(&[mailbox]).await.unwrap(), []);
    second.book(&heir, &Questions::default(), |ledger, keys| vec![opening(ledger, keys, 2, now)]).await.unwrap();
    second.action_done(&[uid(1)], ActionSettled::Done).await.unwrap();
    db.close().await.unwrap();
}

/// Who cannot reach a mailbox lets it go: once all who are at work in it have ended, and nobody begins meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_that_is_let_go_is_free_when_the_last_has_left_it() {
    let url = tokio::task::spawn_blocking(|| Postgres::shared().database("store")).await.unwrap();
    let here = Installation::on(url);
    let (first, second) = (here.open().await.own().await.unwrap(), here.open().await.own().await.unwrap());
    let mailbox = MailboxId::new("support");
    let held = first.hold(&mailbox).await;
    let expunging = first.for_expunging(&mailbox).unwrap().unwrap();
    held.let_go();
    assert!(expunging.ending().is_cancelled());
    assert!(first.for_expunging(&mailbox).unwrap().is_none());
    let next = second.hold(&mailbox);
    tokio::pin!(next);
    tokio::select! {
        _ = &mut next => panic!("somebody is at work in it"),
        () = second.held_elsewhere(&mailbox) => {}
    }
    drop(expunging);
    tokio::time::timeout(Duration::from_secs(60), next).await.unwrap();
}

/// Seven mailboxes and three daemons, of which one leaves. An eighth belongs to a desk that is no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mailboxes_are_shared_out_fairly() {
    use sea_orm::{ConnectionTrait, Database};
    let url = tokio::task::spawn_blocking(|| Postgres::shared().database("store")).await.unwrap();
    let here = Installation::on(url);
    drop(here.open().await);
    let db = Database::connect(&here.url).await.unwrap();
    db.execute_unprepared("INSERT INTO lease (mailbox, holder, epoch, expires_at) VALUES ('former', '', 1, 0)").await.unwrap();
    db.close().await.unwrap();
    let counts = std::sync::Arc::new([AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0)]);
    let mut daemons = Vec::new();
    for place in 0..3 {
        let store = here.open().await;
        let lease = std::sync::Arc::new(store.own().await.unwrap());
        let mailboxes = (0..7).map(|number| {
            let (lease, counts) = (lease.clone(), counts.clone());
            tokio::spawn(async move {
                let mailbox = MailboxId::new(&format!("mailbox-{number}"));
                loop {
                    let held = lease.hold(&mailbox).await;
                    counts[place].fetch_add(1, Ordering::SeqCst);
                    held.ending().cancelled().await;
                    counts[place].fetch_sub(1, Ordering::SeqCst);
                }
            })
        });
        daemons.push((lease.clone(), mailboxes.collect::<Vec<_>>()));
        let shares: &[u32] = [&[7][..], &[3, 4], &[2, 2, 3]][place];
        shared_so(&*counts, shares).await;
    }
    let (lease, mailboxes) = daemons.remove(0);
    mailboxes.iter().for_each(tokio::task::JoinHandle::abort);
    counts[0].store(0, Ordering::SeqCst);
    lease.release().await.unwrap();
    shared_so(&*counts, &[3, 4]).await;
    daemons.iter().flat_map(|(_, mailboxes)| mailboxes).for_each(tokio::task::JoinHandle::abort);
}

async fn shared_so(counts: &[AtomicU32], shares: &[u32]) {
    let look = || {
        let mut held: Vec<u32> = counts.iter().map(|count| count.load(Ordering::SeqCst)).filter(|count| *count > 0).collect();
        held.sort_unstable();
        held
    };
    let wait = async {
        while look() != shares {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("{:?} in place of {shares:?}", look()));
}

async fn bookings_at_the_same_time_draw_different_numbers(here: Installation) {
    let stores = [here.open().await, here.open().await];
    let next = std::sync::Arc::new(AtomicU32::new(0));
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (store, next) = (stores[worker % 2].clone(), next.clone());
            tokio::spawn(async move {
                for _ in 0..5 {
                    let number = next.fetch_add(1, Ordering::SeqCst) + 1;
                    let now = store.clock().now();
                    let judge = |ledger: &mut Ledger, keys: &Keys| vec![opening(ledger, keys, number, now)];
                    store.book(&Lease::without_mailbox(), &Questions::default(), judge).await.unwrap();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let numbers: Vec<i64> = list(&stores[0]).await.iter().map(|ticket| ticket["id"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    assert_eq!(whole(&stores[1]).await, 20);
    let nothing = stores[0].due_actions(&MailboxId::new("support"), 100).await.unwrap();
    assert_eq!(nothing, [], "mail that lies in no mailbox is not to be filed there");
}

/// More than one statement holds, on either database.
async fn any_number_of_mails_people_and_uids_is_taken(here: Installation) {
    let store = here.open().await;
    let uids: Vec<MailUid> = (1..=10_000).map(uid).collect();
    store.set_aside(&uids).await.unwrap();
    assert_eq!(store.waiting().await.unwrap().len(), uids.len());
    let now = store.clock().now();
    let crowd = |ledger: &mut Ledger, keys: &Keys| {
        let people = (0..10_000).map(|n| NewProfile {
            address: address(&format!("p{n}@waterwolde.example")),
            name: Redacted::default(),
            organisation: Some("waterwolde".to_owned()),
            by_cc: true,
            listed: false,
        });
        let mut plan = opening(ledger, keys, 1, now);
        let TicketPlan::Open(ticket) = &mut plan.ticket else { unreachable!() };
        ticket.entry.people = people.collect();
        vec![plan]
    };
    book(&store, crowd).await.unwrap();
    assert_eq!(store.profiles(None).await.unwrap().len(), 10_000);
}

async fn attachments_without_a_ticket_are_swept(here: Installation) {
    let store = here.open().await;
    open_one(&store, 1).await;
    let known = store.ticket(TicketNumber::new(1)).await.unwrap().unwrap().entries[0].attachments[0].sha256.clone();
    let stray = store.attachment_path(&"ab".repeat(32));
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::write(&stray, b"left over").unwrap();
    assert_eq!(store.sweep_attachments().await.unwrap(), 1);
    assert_eq!(store.sweep_attachments().await.unwrap(), 0);
    assert!(!stray.exists() && store.attachment_path(&known).exists());
}

async fn replies_that_are_due_are_delivered(here: Installation) {
    let store = here.open().await;
    for number in 1..=12 {
        open_one(&store, number).await;
    }
    let replies = here.directory.path().join("replies");
    std::fs::write(&replies, b"a file is in the way").unwrap();
    let mut transport = Transport::Directory(Directory::new(&replies));
    let report = outbox::deliver_due(&store, &mut transport, &CancellationToken::new()).await.unwrap();
    assert_eq!((report.sent, report.later, report.dead), (0, 1, 0), "nothing further is tried where nothing works");
    assert!(report.trouble.is_some());
    std::fs::remove_file(&replies).unwrap();
    // At once, whoever comes by.
    assert_eq!(
        outbox::deliver_due(&here.open().await, &mut transport, &CancellationToken::new()).await.unwrap(),
        Report { sent: 12, ..Report::default() }
    );
    assert_eq!(outbox::deliver_due(&store, &mut transport, &CancellationToken::new()).await.unwrap(), Report::default());
    assert_eq!(std::fs::read_dir(&replies).unwrap().count(), 12);
    let attempts: Vec<i64> = store.letters(true).await.unwrap().iter().map(|letter| letter.attempts).collect();
    assert_eq!(attempts, [1; 12], "an attempt that could not be made is not counted");
}

async fn mails_leave_their_folder_as_the_verdict_says(here: Installation) {
    let store = here.open().await;
    let path = here.directory.path().join("mail");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(part)).unwrap();
    }
    for name in ["1.a", "2.b", "3.c"] {
        std::fs::write(path.join("new").join(name), format!("Subject: {name}\r\n\r\n")).unwrap();
    }
    let mailbox = MailboxId::new("support");
    let settings = mailbox::Settings {
        kind: mailbox::Kind::Maildir { path },
        folder: "INBOX".parse().unwrap(),
        done: mailbox::Done::Folder("Verwerkt".parse().unwrap()),
        poll: Duration::from_secs(60),
        exclusive: false,
        max_mail: 1_000_000,
    };
    let mut session = mailbox::open(mailbox.clone(), &settings).await.unwrap();
    let mails: Vec<MailUid> = session.list().await.unwrap().into_iter().map(|listed| listed.uid).collect();
    assert_eq!(store.filter_new(&mails).await.unwrap().len(), 3);
    let now = here.clock.now();
    let plans = |_: &mut Ledger, keys: &Keys| {
        let delete =
            Plan { outcome: Outcome::Reject, reasons: vec![Reason::CitizenDataInText], server: ServerAction::Delete, ..mail(keys, 1, now) };
        vec![Plan { uid: mails[0].clone(), ..delete }, Plan { uid: mails[1].clone(), ..mail(keys, 2, now) }]
    };
    book(&store, plans).await.unwrap();
    // An order for a UID of another UIDVALIDITY is moot.
    let stale = |_: &mut Ledger, keys: &Keys| vec![mail(keys, 9, now)];
    book(&store, stale).await.unwrap();
    let recognise = |raw: &mailbox::RawMail| store.keys().mail(&postkamer::parse::parse(raw.bytes.reveal(), raw.truncated).digest);
    let acted = outbox::act_due(&store, &mailbox, &settings, &mut session, recognise).await.unwrap();
    assert_eq!((acted.deleted, acted.filed + acted.moot, acted.failed), (1, 2, 0));
    let left: Vec<MailUid> = session.list().await.unwrap().into_iter().map(|listed| listed.uid).collect();
    assert_eq!(left, mails[2..]);
    assert_eq!(outbox::act_due(&store, &mailbox, &settings, &mut session, recognise).await.unwrap(), Acted::default());
}
