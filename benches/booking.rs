//! How fast mails are booked: `cargo bench --bench booking -- [sqlite://… | postgres://…]`. Each mail opens a ticket and is
//! answered; measured without attachments, and with one on every fifth mail.

use std::num::NonZeroU32;
use std::time::Instant;

use postkamer::clock::Clock;
use postkamer::decide::{Kind, Outcome, Reason, ServerAction, Template};
use postkamer::identify::{Authentic, SenderKind};
use postkamer::parse::document::Document;
use postkamer::parse::{Author, Mail, RawAttachment, Text};
use postkamer::plan::{Ledger, NewEntry, NewTicket, Plan, PlannedReply, Postmark, Questions, TicketPlan};
use postkamer::screen::{Policy, ScreenedAttachment, screen};
use postkamer::store::{ActionSettled, Store};
use postkamer::words::{EmailAddress, Keys, Language, MailUid, MailboxId};

const MAILS: u32 = 5_000;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "it prints what it measured")]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).filter(|argument| argument.contains("://")).unwrap_or_else(|| "sqlite://postkamer.db".to_owned());
    for (batch, attached) in [(1, 0), (10, 0), (50, 0), (50, 5), (200, 5)] {
        let directory = tempfile::tempdir()?;
        let state = directory.path().join("var");
        let store = Store::open(&url, &state, &state.join("attachments"), Clock::system()).await?;
        let lease = store.own().await?;
        let _mailbox = lease.hold(&MailboxId::new("support")).await;
        let mails = if batch == 1 { MAILS / 10 } else { MAILS };
        let validity = NonZeroU32::new(begin_number(&store).await?).unwrap_or(NonZeroU32::MIN);
        let (mut taking, mut booking, mut settling) = (0.0, 0.0, 0.0);
        for first in (0..mails).step_by(batch) {
            let uids: Vec<MailUid> = (0..batch as u32)
                .filter_map(|place| {
                    Some(MailUid { mailbox: MailboxId::new("support"), validity, uid: NonZeroU32::new(first + place + 1)? })
                })
                .collect();
            let now = store.clock().now();
            let entries: Vec<NewEntry> = uids.iter().filter_map(|uid| entry(uid.uid.get(), attached)).collect();
            let mut questions = Questions { now: Some(now), ..Questions::default() };
            questions.organisations.extend(["waterwolde".to_owned(), "nordhavn".to_owned()]);
            questions.desks.insert("support".to_owned());
            for (uid, entry) in uids.iter().zip(&entries) {
                questions.digests.insert(store.keys().mail(&digest(uid)));
                questions.people.extend(entry.author.as_ref().map(|author| store.keys().person(author)));
            }
            let start = Instant::now();
            store.begin(&uids, false).await?;
            taking += start.elapsed().as_secs_f64();
            let start = Instant::now();
            let judge = |ledger: &mut Ledger, keys: &Keys| {
                uids.iter().zip(entries).filter_map(|(uid, entry)| plan(ledger, keys, uid, entry, now)).collect()
            };
            store.book(&lease, &questions, judge).await?;
            booking += start.elapsed().as_secs_f64();
            let start = Instant::now();
            store.action_done(&uids, ActionSettled::Done).await?;
            settling += start.elapsed().as_secs_f64();
        }
        let rate = |seconds: f64| f64::from(mails) / seconds;
        println!(
            "batches of {batch:>3}, attachments on {}: {:>6.0} mails/s (T0 {:.2} s, T1 {:.2} s, T2 {:.2} s); T1 alone {:>6.0} mails/s",
            if attached > 0 { "every fifth" } else { "none" },
            rate(taking + booking + settling),
            taking,
            booking,
            settling,
            rate(booking)
        );
        lease.release().await?;
        store.close().await?;
    }
    Ok(())
}

/// A UIDVALIDITY that this database does not know yet.
async fn begin_number(store: &Store) -> anyhow::Result<u32> {
    Ok(u32::try_from(store.status().await?.mails.values().sum::<i64>())? + 1)
}

fn digest(uid: &MailUid) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(uid.validity.get().to_be_bytes().into_iter().chain(uid.uid.get().to_be_bytes())) {
        *place = byte;
    }
    bytes
}

fn author(number: u32) -> Option<EmailAddress> {
    format!("medewerker{}@waterwolde.example", number % 200).parse().ok()
}

/// `attached`: every how manieth mail has an attachment; 0: none.
fn entry(number: u32, attached: u32) -> Option<NewEntry> {
    let author = author(number)?;
    let attachment = |index| RawAttachment {
        index,
        name: Some("kaart.csv".to_owned().into()),
        declared: "text/csv".to_owned(),
        bytes: format!("a;b\r\n{number};2\r\n").repeat(2_000).into_bytes().into(),
        ..RawAttachment::default()
    };
    let mail = Mail {
        author: Author::One { address: author.clone(), name: "Ineke Bakker".to_owned().into() },
        subject: "De kaart laadt niet".to_owned().into(),
        text: Text { written: "Goedemorgen, de kaart blijft leeg. ".repeat(40).into(), ..Text::default() },
        attachments: (0..usize::from(attached > 0 && number.is_multiple_of(attached))).map(attachment).collect(),
        ..Mail::default()
    };
    let documents = vec![Document { format: "csv".to_owned(), ..Document::default() }; mail.attachments.len()];
    let screened = screen(mail, documents, &Policy::default());
    let clean = screened.attachments.into_iter().filter_map(|attachment| match attachment {
        ScreenedAttachment::Clean(clean) => Some(clean),
        ScreenedAttachment::Withheld(_) => None,
    });
    Some(NewEntry {
        author: Some(author),
        takes_part: true,
        text: screened.text?,
        attachments: clean.collect(),
        message_id: None,
        people: Vec::new(),
        portal_request: false,
    })
}

fn plan(ledger: &mut Ledger, keys: &Keys, uid: &MailUid, entry: NewEntry, now: jiff::Timestamp) -> Option<Plan> {
    let (number, reply, to) = (ledger.next_ticket(), ledger.next_reply(), entry.author.clone()?);
    let organisation = Some("waterwolde".to_owned());
    let answer = PlannedReply {
        number: reply,
        template: Template::Received,
        ticket: Some(number),
        message_id: keys.reply_id(reply, &to, &"zaakwijs.example".parse().ok()?)?,
        cc: Vec::new(),
        envelope_from: None,
        recipient_key: keys.person(&to),
        organisation: organisation.clone(),
        message: b"Subject: x\r\n\r\nGoedemorgen\r\n".repeat(50),
        created: now,
        to: to.clone(),
    };
    let new = NewTicket {
        number,
        queued: false,
        urgent: false,
        organisation: organisation.clone(),
        language: Language::Nl,
        continues: None,
        cc: Vec::new(),
        cc_absent: false,
        identity_check: None,
        entry,
    };
    Some(Plan {
        uid: uid.clone(),
        digest: keys.mail(&digest(uid)),
        message_id: None,
        postmark: Postmark::default(),
        desk: "support".to_owned(),
        now,
        outcome: Outcome::Open,
        reasons: vec![Reason::ApprovedContact],
        kind: Kind::Human,
        authentic: Authentic::Pass,
        sender: SenderKind::GeneralContact,
        sender_key: Some(keys.person(&to)),
        organisation,
        server: ServerAction::File,
        ticket: TicketPlan::Open(Box::new(new)),
        replies: vec![answer],
        findings: Vec::new(),
        withheld: Vec::new(),
        unsent: Vec::new(),
        silence: None,
        configuration: "0".to_owned(),
    })
}
