//! One mail's plan.

use jiff::Timestamp;

use super::considered::Considered;
use super::desk::{Desk, House};
use super::ledger::{Ledger, Questions, Ticket};
use super::letter::{self, Envelope, LetterError, Submitted};
use super::limits::ReplyLimit;
use super::templates::{Context, TicketState, WithheldAttachment};
use super::thread::{Threaded, thread};
use super::{ApprovalAnswer, NewEntry, NewIdentityCheck, NewTicket, Note, Plan, PlannedReply, TicketPlan, Unsent, limits};
use crate::decide::answer::Approval;
use crate::decide::automatic::Silence;
use crate::decide::{AfterAppend, Cc, Outcome, Policy, Reason, Recipient, Template, Thread, TicketStep, Verdict, decide};
use crate::identify::{Authentic, Organisation, SenderKind};
use crate::screen::CleanText;
use crate::words::{Domain, EmailAddress, Keys, Language, MessageId, Pseudonym, TicketNumber};

/// What the ledger must hold before these mails can be planned.
pub fn questions<'a>(mails: impl IntoIterator<Item = (&'a Considered, &'a Desk)>, keys: &Keys, now: Timestamp) -> Questions {
    let mut questions = Questions { now: Some(now), ..Questions::default() };
    for (mail, desk) in mails {
        questions.digests.insert(keys.mail(&mail.digest));
        let ids = mail.references.iter().chain(&mail.returned_ids);
        questions.reply_ids.extend(ids.filter(|id| Keys::reply_number(id).is_some()).cloned());
        questions.people.extend(mail.author.iter().chain(&mail.named_contact).map(|address| keys.person(address)));
        questions.organisations.extend(mail.organisation.iter().chain(&mail.own_organisation).map(|o| o.id.clone()));
        questions.desks.insert(desk.name.clone());
    }
    questions
}

/// What becomes of one mail, in full. The ledger learns of it, so that the next mail of the batch sees it.
#[must_use]
pub fn plan(mail: Considered, desk: &Desk, policy: &Policy, house: &House, ledger: &mut Ledger, keys: &Keys, now: Timestamp) -> Plan {
    let sender_key = mail.author.as_ref().map(|author| keys.person(author));
    let digest = keys.mail(&mail.digest);
    let threaded = thread(&mail, ledger, house, now);

    let mut facts = mail.facts.clone();
    let intake = limits::Intake {
        authentic: facts.authentic,
        sender: sender_key.clone(),
        organisation: mail.own_organisation.as_ref().map(|o| o.id.as_str()),
        desk: &desk.name,
    };
    // A mail that was over the rate by its header has not been opened, so it stays so.
    facts.over_rate |= limits::over_rate(&intake, ledger, &house.limits);
    facts.duplicate = ledger.booked.contains(&digest);
    facts.objection = sender_key.as_ref().is_some_and(|key| ledger.objections.contains(key));
    facts.thread = threaded.as_ref().map_or(Thread::None, |threaded| threaded.thread);
    facts.duty_contact = desk.duty_contact.is_some() && limits::duty_contact_is_free(&desk.name, ledger);
    facts.stand_in = mail.stand_in.is_some();

    let verdict = decide(&facts, policy);
    let ticket = ticket_of(&verdict, threaded.as_ref(), ledger);
    let mut made = Making { mail: &mail, desk, house, ledger, keys, now, replies: Vec::new(), unsent: Vec::new() };
    for reply in &verdict.replies {
        let cc = made.cc(&reply.cc, ticket.as_ref());
        made.write(reply.template, reply.to, &cc, ticket.as_ref());
    }
    let asked = made.replies.iter().find(|reply| reply.template == Template::VerifyIdentity).map(|reply| reply.number);
    let cc: Vec<(Cc, EmailAddress)> = verdict.cc.iter().filter_map(|cc| Some((*cc, made.contact(*cc)?.clone()))).collect();
    let (replies, unsent) = (made.replies, made.unsent);
    // A letter that asks a listed contact is no answer to the sender.
    let is_answer = |why: &Unsent| matches!(why, Unsent::Limit(ReplyLimit::Person | ReplyLimit::Organisation));
    let limited = unsent.iter().any(|(_, why)| is_answer(why)).then_some(Silence::Limit);
    let silence = mail.silence().or(limited);

    let note = note(&verdict, &mail, threaded.as_ref(), ledger);
    let authentic = facts.authentic == Authentic::Pass;
    // Who is not authentic may be anybody.
    let people = if authentic { mail.people } else { Vec::new() };
    let (author, mask, message_id) = (mail.author.clone(), mail.mask.as_deref(), mail.message_id.clone());
    let entry = |number, text| NewEntry {
        author,
        takes_part: authentic,
        text: masked(text, mask, number, keys),
        attachments: mail.attachments,
        message_id,
        people,
        portal_request: mail.portal_request,
    };
    let ticket = match (verdict.ticket, ticket, mail.text) {
        (TicketStep::New { queued, linked }, Some(place), Some(text)) => {
            let identity_check = mail.named_contact.filter(|_| asked.is_some()).map(|contact| NewIdentityCheck {
                contact,
                reply: asked,
                expires: house.identity_check_expires(now),
            });
            TicketPlan::Open(Box::new(NewTicket {
                number: place.number,
                queued,
                urgent: facts.urgent,
                organisation: mail.organisation.as_ref().filter(|_| authentic).map(|o| o.id.clone()),
                language: mail.own_organisation.as_ref().filter(|_| authentic).map_or(desk.language, |o| o.language),
                continues: threaded.as_ref().filter(|_| linked).map(|threaded| threaded.ticket),
                cc_absent: !cc.is_empty() && mail.stand_in.as_ref().is_some_and(|(_, absent)| *absent),
                cc,
                identity_check,
                entry: entry(place.number, text),
            }))
        }
        (TicketStep::Append(after), Some(place), Some(text)) => TicketPlan::Append {
            ticket: place.number,
            after,
            urgent: facts.urgent,
            settles: threaded.as_ref().and_then(|threaded| threaded.settles),
            approval: threaded.and_then(|threaded| threaded.request).map(|request| ApprovalAnswer {
                request,
                answer: mail.approval,
                counts: facts.sender == SenderKind::GeneralContact && mail.approval != Approval::Unclear,
            }),
            entry: Box::new(entry(place.number, text)),
        },
        _ => note.map_or(TicketPlan::None, |(ticket, note)| TicketPlan::Note { ticket, note }),
    };
    let plan = Plan {
        uid: mail.uid,
        digest,
        message_id: mail.message_id,
        postmark: mail.postmark,
        desk: desk.name.clone(),
        now,
        outcome: verdict.outcome,
        reasons: verdict.reasons,
        kind: facts.kind,
        authentic: facts.authentic,
        sender: facts.sender,
        sender_key,
        organisation: mail.own_organisation.filter(|_| authentic).map(|o| o.id),
        server: verdict.server,
        ticket,
        replies,
        unsent,
        silence,
        findings: mail.findings,
        withheld: mail.withheld,
        configuration: house.fingerprint.clone(),
    };
    ledger.learn(&plan);
    plan
}

/// Indirect personal data gives way to stand-ins that are the same throughout a ticket.
fn masked(text: CleanText, domains: Option<&[Domain]>, ticket: TicketNumber, keys: &Keys) -> CleanText {
    match domains {
        Some(domains) => text.masked(domains, &|kind, value| keys.stand_in(ticket.id(), kind.as_str(), value)),
        None => text,
    }
}

/// The ticket that a verdict is about, as its letters tell it.
struct PlaceOnTicket {
    number: TicketNumber,
    state: Option<TicketState>,
    /// CC of a ticket that exists: in every reply on it.
    cc: Vec<EmailAddress>,
}

fn ticket_of(verdict: &Verdict, threaded: Option<&Threaded>, ledger: &mut Ledger) -> Option<PlaceOnTicket> {
    let state = |queued: bool| Some(if queued { TicketState::Queued } else { TicketState::Open });
    match verdict.ticket {
        TicketStep::None => None,
        TicketStep::New { queued, .. } => Some(PlaceOnTicket { number: ledger.next_ticket(), state: state(queued), cc: Vec::new() }),
        TicketStep::Append(after) => {
            let ticket = ledger.tickets.get(&threaded?.ticket)?;
            let state = match after {
                AfterAppend::Keep | AfterAppend::Reopen => state(ticket.queued),
                AfterAppend::Open => state(false),
                AfterAppend::Queue => state(true),
                AfterAppend::Close => None,
            };
            Some(PlaceOnTicket { number: ticket.number, state, cc: ticket.cc.iter().map(|(_, address)| address.clone()).collect() })
        }
    }
}

/// What rows 2 and 3 leave on a ticket, if nothing else was wrong with the mail.
fn note(verdict: &Verdict, mail: &Considered, threaded: Option<&Threaded>, ledger: &Ledger) -> Option<(TicketNumber, Note)> {
    if verdict.outcome != Outcome::Ignore {
        return None;
    }
    match verdict.reasons.first()? {
        Reason::Bounce => mail.returned_ids.iter().chain(&mail.references).find_map(|id| {
            let sent = ledger.sent.get(id)?;
            Some((sent.ticket?, Note::Undeliverable { reply: sent.number }))
        }),
        Reason::AutoReply | Reason::Bulk => threaded.map(|threaded| (threaded.ticket, Note::AutomaticReply)),
        _ => None,
    }
}

/// Replies of one mail in the making.
struct Making<'a> {
    mail: &'a Considered,
    desk: &'a Desk,
    house: &'a House,
    ledger: &'a mut Ledger,
    keys: &'a Keys,
    now: Timestamp,
    replies: Vec<PlannedReply>,
    unsent: Vec<(Template, Unsent)>,
}

impl Making<'_> {
    fn contact(&self, cc: Cc) -> Option<&EmailAddress> {
        match cc {
            Cc::GeneralContact => self.mail.stand_in.as_ref().map(|(address, _)| address),
            Cc::DutyContact => self.desk.duty_contact.as_ref(),
        }
    }

    fn cc(&self, named: &[Cc], ticket: Option<&PlaceOnTicket>) -> Vec<EmailAddress> {
        let new = named.iter().filter_map(|cc| self.contact(*cc).cloned());
        new.chain(ticket.into_iter().flat_map(|ticket| ticket.cc.iter().cloned())).collect()
    }

    /// Writes one reply, unless its limit is reached. A letter that cannot be written is left out: the ticket stands all the same.
    fn write(&mut self, template: Template, to: Recipient, cc: &[EmailAddress], ticket: Option<&PlaceOnTicket>) {
        let (recipient, organisation, language) = match to {
            Recipient::Sender => {
                let known = self.mail.own_organisation.as_ref();
                (self.mail.author.as_ref(), known, known.map_or(self.desk.language, |o| o.language))
            }
            Recipient::ListedAddress => {
                let listed = self.mail.organisation.as_ref();
                (self.mail.named_contact.as_ref(), listed, listed.map_or(self.desk.language, |o| o.language))
            }
        };
        let Some(recipient) = recipient else { return };
        let recipient_key = self.keys.person(recipient);
        let known = organisation.map(|o| o.id.as_str());
        if let Some(limit) = limits::forbids(template, &recipient_key, known, self.ledger, &self.house.limits) {
            self.unsent.push((template, Unsent::Limit(limit)));
            return;
        }
        // Nothing in what an impostor reads may tell whose name they bear.
        let names_organisation = to == Recipient::ListedAddress || self.mail.facts.sender != SenderKind::NamedElsewhere;
        let asks = template == Template::VerifyIdentity;
        let context = Context {
            desk: self.desk.display_name.clone(),
            desk_address: self.desk.address.reveal().to_owned(),
            number: ticket.map(|ticket| ticket.number.to_string()),
            state: ticket.and_then(|ticket| ticket.state),
            organisation: organisation.filter(|_| names_organisation).map(|o| o.name.clone()),
            portal: self.house.portal.clone(),
            cc: !cc.is_empty(),
            reason: None,
            attachments: withheld(self.mail),
            expires: asks.then(|| self.house.moment(self.house.identity_check_expires(self.now))),
            requester: self.mail.author.as_ref().filter(|_| asks).map(|author| author.reveal().to_owned()),
        };
        let number = self.ledger.next_reply();
        let letter = Letter {
            template,
            number,
            to: recipient,
            cc,
            language,
            ticket: ticket.map(|ticket| ticket.number),
            recipient_key,
            organisation: organisation.map(|o| o.id.clone()),
            answers: self.mail.message_id.as_ref().filter(|_| to == Recipient::Sender),
            thread: &self.mail.references,
            submitted: Some(match to {
                Recipient::Sender => Submitted::Replied,
                Recipient::ListedAddress => Submitted::Generated,
            }),
        };
        match letter.write(&context, self.desk, self.house, self.keys, self.now) {
            Ok(reply) => self.replies.push(reply),
            Err(LetterError) => self.unsent.push((template, Unsent::Letter)),
        }
    }
}

fn withheld(mail: &Considered) -> Vec<WithheldAttachment> {
    let format = |format: &str| if format == "unknown" { String::new() } else { format.to_uppercase() };
    mail.withheld.iter().map(|w| WithheldAttachment { number: w.index + 1, format: format(&w.format) }).collect()
}

/// What distinguishes one letter from another.
struct Letter<'a> {
    template: Template,
    number: i64,
    to: &'a EmailAddress,
    cc: &'a [EmailAddress],
    language: Language,
    ticket: Option<TicketNumber>,
    recipient_key: Pseudonym,
    organisation: Option<String>,
    answers: Option<&'a MessageId>,
    thread: &'a [MessageId],
    submitted: Option<Submitted>,
}

impl Letter<'_> {
    fn write(self, context: &Context, desk: &Desk, house: &House, keys: &Keys, now: Timestamp) -> Result<PlannedReply, LetterError> {
        let text = house.templates.render(self.language, self.template, context).map_err(|_| LetterError)?;
        let message_id = keys.reply_id(self.number, self.to, desk.address.domain()).ok_or(LetterError)?;
        let message = letter::write(
            &Envelope {
                desk,
                to: self.to,
                cc: self.cc,
                message_id: &message_id,
                answers: self.answers,
                thread: self.thread,
                language: self.language,
                now,
                loop_header: keys.loop_header(self.number),
                submitted: self.submitted,
            },
            &text,
        )?;
        // Automatic replies have an empty envelope sender (RFC 3834 §3.3); a question wants to hear that it did not arrive.
        let from_desk = self.submitted.is_none() || self.template == Template::VerifyIdentity;
        Ok(PlannedReply {
            number: self.number,
            template: self.template,
            ticket: self.ticket,
            message_id,
            to: self.to.clone(),
            cc: self.cc.to_vec(),
            envelope_from: from_desk.then(|| desk.address.clone()),
            recipient_key: self.recipient_key,
            organisation: self.organisation,
            message,
            created: now,
        })
    }
}

impl<'a> TicketLetter<'a> {
    /// A letter on this ticket and in its language, to one person, that says nothing of its own yet.
    #[must_use]
    pub fn new(template: Template, number: i64, ticket: &'a Ticket, to: &'a EmailAddress) -> Self {
        Self {
            template,
            number,
            ticket,
            to,
            cc: &[],
            language: ticket.language,
            answers: None,
            reason: None,
            organisation_name: None,
            attachments: Vec::new(),
            expires: None,
            requester: None,
            automatic: false,
        }
    }
}

/// Tells an organisation's privacy contact that citizen data in mail of the organisation was refused: without content (GDPR 33(2)). `number` is
/// drawn from the ledger.
///
/// # Errors
/// As [`ticket_letter`].
pub fn privacy_notice(
    number: i64,
    organisation: &Organisation,
    to: &EmailAddress,
    desk: &Desk,
    house: &House,
    keys: &Keys,
    now: Timestamp,
) -> Result<PlannedReply, LetterError> {
    let context = Context {
        desk: desk.display_name.clone(),
        desk_address: desk.address.reveal().to_owned(),
        number: None,
        state: None,
        organisation: Some(organisation.name.clone()),
        portal: house.portal.clone(),
        cc: false,
        reason: None,
        attachments: Vec::new(),
        expires: None,
        requester: None,
    };
    let written = Letter {
        template: Template::PrivacyNotice,
        number,
        to,
        cc: &[],
        language: organisation.language,
        ticket: None,
        recipient_key: keys.person(to),
        organisation: Some(organisation.id.as_str().to_owned()),
        answers: None,
        thread: &[],
        submitted: Some(Submitted::Generated),
    };
    written.write(&context, desk, house, keys, now)
}

/// A letter on a ticket that an agent asked for, or that the desk gets from us (POLICY "What follows later").
pub struct TicketLetter<'a> {
    /// Which letter.
    pub template: Template,
    /// The letter's number, drawn from the ledger.
    pub number: i64,
    /// The ticket, as the ledger knows it.
    pub ticket: &'a Ticket,
    /// To whom.
    pub to: &'a EmailAddress,
    /// Who gets a copy.
    pub cc: &'a [EmailAddress],
    /// The language to write in.
    pub language: Language,
    /// The mail that it answers.
    pub answers: Option<&'a MessageId>,
    /// The agent's own words.
    pub reason: Option<String>,
    /// Name of the ticket's organisation.
    pub organisation_name: Option<String>,
    /// Attachments that were not kept, or were purged.
    pub attachments: Vec<WithheldAttachment>,
    /// A date that the letter names.
    pub expires: Option<Timestamp>,
    /// Whose identity `verify-identity` asks about.
    pub requester: Option<EmailAddress>,
    /// Nobody wrote it: it is marked as automatic.
    pub automatic: bool,
}

/// Writes a letter on a ticket.
///
/// # Errors
/// When an address or name of the settings cannot stand in a header.
pub fn ticket_letter(
    letter: TicketLetter<'_>,
    desk: &Desk,
    house: &House,
    keys: &Keys,
    now: Timestamp,
) -> Result<PlannedReply, LetterError> {
    let ticket = letter.ticket;
    let state = if ticket.queued { TicketState::Queued } else { TicketState::Open };
    let context = Context {
        desk: desk.display_name.clone(),
        desk_address: desk.address.reveal().to_owned(),
        number: Some(ticket.number.to_string()),
        state: ticket.closed.is_none().then_some(state),
        organisation: letter.organisation_name,
        portal: house.portal.clone(),
        cc: !letter.cc.is_empty(),
        reason: letter.reason,
        attachments: letter.attachments,
        expires: letter.expires.map(|at| if letter.template == Template::QueueReminder { house.date(at) } else { house.moment(at) }),
        requester: letter.requester.map(|requester| requester.reveal().to_owned()),
    };
    let written = Letter {
        template: letter.template,
        number: letter.number,
        to: letter.to,
        cc: letter.cc,
        language: letter.language,
        ticket: Some(ticket.number),
        recipient_key: keys.person(letter.to),
        organisation: ticket.organisation.clone(),
        answers: letter.answers,
        thread: &[],
        submitted: letter.automatic.then_some(Submitted::Generated),
    };
    written.write(&context, desk, house, keys, now)
}
