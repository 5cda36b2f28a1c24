//! From the bytes of a batch to its booking: read, screened and considered side by side, decided and booked in order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::round::Place;
use super::{Daemon, Trouble};
use crate::decide::{Outcome, Reason, ServerAction, Template};
use crate::journey::Received;
use crate::mailbox::{self, RawMail};
use crate::plan::{self, Considered, Intake, Plan, Questions, ReplyLimit, TicketPlan, Unsent};
use crate::settings::Desk;
use crate::store::{self, Booking, StoreError};
use crate::words::{MailUid, Pseudonym, Redacted, TicketNumber};

/// For how long after its arrival a mail waits for DNS to say whether its sender is authentic (mode `verify`). A queue that
/// nobody is told of is no place for a customer's mail because of a passing fault; for ever is no term either.
const DNS_PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_hours(4);

/// What became of one mail, in codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which mail.
    pub uid: MailUid,
    /// The verdict.
    pub outcome: Outcome,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The ticket that was opened or appended to.
    pub ticket: Option<TicketNumber>,
    /// The replies, each with the number of people in its CC.
    pub replies: Vec<(Template, usize)>,
    /// What happens to the mail on the server.
    pub server: ServerAction,
}

impl Account {
    fn of(plan: &Plan) -> Self {
        let ticket = match &plan.ticket {
            TicketPlan::Open(ticket) => Some(ticket.number),
            TicketPlan::Append { ticket, .. } => Some(*ticket),
            TicketPlan::Note { .. } | TicketPlan::None => None,
        };
        Self {
            uid: plan.uid.clone(),
            outcome: plan.outcome,
            reasons: plan.reasons.clone(),
            ticket,
            replies: plan.replies.iter().map(|reply| (reply.template, reply.cc.len())).collect(),
            server: plan.server,
        }
    }
}

impl Daemon {
    /// A mail from outside a mailbox, T0 to T1: whoever offers it again does so for ever, also when it brings the program down each time. One that
    /// is neither booked nor deferred afterwards waits for DNS.
    ///
    /// # Errors
    /// It cannot be booked, or a mistake of ours stopped the work.
    pub async fn take_in(&self, desk: &Desk, raw: RawMail) -> Result<Booking, Trouble> {
        let uids = vec![raw.uid.clone()];
        self.0.store.begin(&uids, true).await?;
        let (booking, _) = self.settle(self.take_up(desk, uids, vec![raw], Place::Alone(None), Turn::first())).await?;
        self.0.store.let_go(&booking.deferred).await?;
        Ok(booking)
    }

    /// From bytes to booking; the way of every mail, whatever source it comes from. Tells also whether mails were left for the next round.
    pub(super) async fn take_in_at(&self, desk: &Desk, raws: Vec<RawMail>, turn: Turn) -> Result<(Booking, bool), StoreError> {
        let now = self.0.store.clock().now();
        let considered = self.consider(desk, raws, now).await?;
        let left_some = considered.iter().any(Option::is_none);
        // Where the mails before these could not be booked, these are not either.
        let Some(turn) = turn.come().await else { return Ok((Booking::default(), false)) };
        let booking = self.book(desk, considered.into_iter().flatten().collect(), now).await?;
        turn.over();
        Ok((booking, left_some))
    }

    /// Everything about these mails that can be known without memory, on all processors. None of one whose sender has had their time: it is
    /// left for the next round.
    async fn consider(&self, desk: &Desk, raws: Vec<RawMail>, now: jiff::Timestamp) -> Result<Vec<Option<Considered>>, StoreError> {
        let mails = self.receive(raws, now).await;
        let over_rate = self.over_rate(desk, &mails, now).await?;
        let queues = self.queues(desk, &mails, now);
        let desk = Arc::new(desk.clone());
        Ok(side_by_side(mails.into_iter().zip(over_rate).zip(queues).map(|((received, over), queue)| {
            let (daemon, desk) = (self.clone(), desk.clone());
            async move {
                let shared = &*daemon.0;
                let queue = queue.filter(|_| !over);
                let turn = match &queue {
                    Some(queue) => queue.turn(shared.journey.settings.attachments.reading_time).await,
                    None => None,
                };
                let must_wait = queue.as_ref().filter(|_| turn.is_none());
                if must_wait.is_some_and(|queue| queue.is_a_customers) {
                    return None;
                }
                // A stranger's waits as one over the intake rate does.
                let over = over || must_wait.is_some();
                let begun = Instant::now();
                let considered = shared.journey.consider(&desk, received, over, Some(shared.store.keys()), now).await;
                shared.pulse.screened(begun.elapsed());
                Some(considered)
            }
        }))
        .await)
    }

    /// The queue in which each of these mails waits for its files to be read; none for a mail without files.
    fn queues(&self, desk: &Desk, mails: &[Received], now: jiff::Timestamp) -> Vec<Option<Arc<Queue>>> {
        let mut queues: HashMap<Option<String>, Arc<Queue>> = HashMap::new();
        let queue = |received: &Received| {
            let customer = self.0.journey.intake(desk, received, self.0.store.keys(), now).customer().map(str::to_owned);
            let is_a_customers = customer.is_some();
            queues.entry(customer).or_insert_with(|| Arc::new(Queue::new(is_a_customers))).clone()
        };
        let mut queue = queue;
        mails.iter().map(|received| (!received.mail.attachments.is_empty()).then(|| queue(received))).collect()
    }

    /// T1: decides, plans and books.
    async fn book(&self, desk: &Desk, considered: Vec<Considered>, now: jiff::Timestamp) -> Result<Booking, StoreError> {
        let shared = &*self.0;
        let letterhead = desk.letterhead();
        let policy = desk.policy();
        let house = &shared.journey.house;
        let questions = plan::questions(considered.iter().map(|mail| (mail, &letterhead)), shared.store.keys(), now);
        let mut accounts = Vec::with_capacity(considered.len());
        let booking = shared
            .store
            .book(&shared.lease, &questions, |ledger, keys| {
                let planned = |mail| plan::plan(mail, &letterhead, &policy, house, ledger, keys, now);
                let noted = |plan: &Plan| {
                    shared.alarms.warn_of_unsent(plan);
                    accounts.push(Account::of(plan));
                };
                shared.journey.watchdog().over(|| considered.into_iter().map(planned).inspect(noted).collect())
            })
            .await?;
        for account in accounts {
            tell(&account);
            if let Some(witness) = &shared.witness {
                let _ = witness.send(account);
            }
        }
        shared.pulse.moved(&desk.name);
        shared.replies.notify_one();
        Ok(booking)
    }

    /// Reads the mails. One whose authenticity depends on DNS that did not answer is left out, and so in the mailbox, until it
    /// has waited long enough; then it goes on as one that nobody vouched for.
    async fn receive(&self, raws: Vec<RawMail>, now: jiff::Timestamp) -> Vec<Received> {
        let mails = side_by_side(raws.into_iter().map(|raw| {
            let daemon = self.clone();
            async move { daemon.0.journey.receive(raw, now).await }
        }))
        .await;
        let is_patient = |mail: &Received| now.duration_since(mail.raw.arrived(now)) < DNS_PATIENCE;
        let (waiting, received): (Vec<_>, Vec<_>) = mails.into_iter().partition(|mail| mail.undecided && is_patient(mail));
        if !waiting.is_empty() {
            tracing::warn!(mails = waiting.len(), "DNS does not say whether the sender is authentic; the mails wait and are tried again");
        }
        received
    }

    /// Which of these mails are over the intake rate already, so that a flood of attachments is not opened first. Only mail with
    /// attachments costs enough to be asked for; the booking judges all of them again, and exactly.
    async fn over_rate(&self, desk: &Desk, mails: &[Received], now: jiff::Timestamp) -> Result<Vec<bool>, StoreError> {
        let shared = &*self.0;
        if mails.iter().all(|received| received.mail.attachments.is_empty()) {
            return Ok(vec![false; mails.len()]);
        }
        let intakes: Vec<Intake<'_>> =
            mails.iter().map(|received| shared.journey.intake(desk, received, shared.store.keys(), now)).collect();
        let questions = Questions {
            now: Some(now),
            people: intakes.iter().filter_map(|intake| intake.sender.clone()).collect(),
            organisations: intakes.iter().filter_map(|intake| intake.organisation.map(str::to_owned)).collect(),
            desks: [desk.name.clone()].into(),
            ..Questions::default()
        };
        let ledger = shared.store.look(&questions).await?;
        Ok(intakes.iter().map(|intake| plan::over_rate(intake, &ledger, &shared.journey.house.limits)).collect())
    }
}

/// Mails of a batch with files that one customer sent, or all those whom nobody vouches for or who are no customers. A customer's are read two at a
/// time, others' one after the other, and after the time that one mail may take no other is begun: however many slow ones somebody sends, a batch
/// waits for two of them at most (THREATS §4, I6).
struct Queue {
    is_a_customers: bool,
    places: Semaphore,
    /// When the first of them began.
    begun: OnceLock<Instant>,
}

impl Queue {
    fn new(is_a_customers: bool) -> Self {
        Self { is_a_customers, places: Semaphore::new(if is_a_customers { 2 } else { 1 }), begun: OnceLock::new() }
    }

    /// The first always gets one, so that each batch brings the next mail nearer.
    async fn turn(&self, time: Duration) -> Option<SemaphorePermit<'_>> {
        let place = self.places.acquire().await.ok()?;
        let is_first = self.begun.set(Instant::now()).is_ok();
        let in_time = || self.begun.get().is_some_and(|begun| begun.elapsed() < time);
        (is_first || in_time()).then_some(place)
    }
}

/// The turn to book: batches that are considered side by side are booked in the order in which they were fetched.
pub(super) struct Turn {
    /// Heard from once the batch before is booked; None where there is none.
    after: Option<oneshot::Receiver<()>>,
    /// Tells the batch behind.
    before: Option<oneshot::Sender<()>>,
}

impl Turn {
    pub(super) fn first() -> Self {
        Self { after: None, before: None }
    }

    /// This turn, and the one behind it.
    pub(super) fn pass_on(self) -> (Self, Self) {
        let (tell, hear) = oneshot::channel();
        (Self { before: Some(tell), ..self }, Self { after: Some(hear), before: None })
    }

    /// Waits until it is its turn; None when the batch before was not booked.
    async fn come(mut self) -> Option<Self> {
        match self.after.take() {
            Some(before) => before.await.ok().map(|()| self),
            None => Some(self),
        }
    }

    fn over(self) {
        if let Some(behind) = self.before {
            let _ = behind.send(());
        }
    }
}

/// Does all jobs on all processors; the results come in the order of the jobs. A panic in one of them is a panic here.
async fn side_by_side<T: Send + 'static>(jobs: impl Iterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let tasks: Vec<_> = jobs.map(|job| AbortOnDropHandle::new(tokio::spawn(job))).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        match task.await.map_err(JoinError::try_into_panic) {
            Ok(result) => results.push(result),
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is being shut down; nobody waits for the results.
            Err(Err(_)) => std::future::pending().await,
        }
    }
    results
}

/// One line a mail, under its id: codes only.
fn tell(account: &Account) {
    let reasons: Vec<&str> = account.reasons.iter().map(|reason| reason.as_str()).collect();
    tracing::info!(
        mail = %account.uid,
        verdict = account.outcome.as_str(),
        reasons = reasons.join(","),
        replies = account.replies.len(),
        server = account.server.as_str(),
        "booked"
    );
}

/// Whose limit on replies was told of, and when.
#[derive(Debug, Default)]
pub(super) struct Alarms(Mutex<HashMap<Whose, jiff::Timestamp>>);

/// Which limit, and whose: an organisation's, or a person's.
type Whose = (ReplyLimit, Option<String>, Option<Pseudonym>);

impl Alarms {
    /// A reply that the policy wants and that is not sent is worth an alarm (THREATS §2 rule 10): for a limit of an organisation or a
    /// person one an hour, so that a flood of mail is no flood of alarms. The record of decisions has each mail that was not answered for one.
    fn warn_of_unsent(&self, plan: &Plan) {
        for (template, why) in &plan.unsent {
            let (mail, template) = (&plan.uid, template.as_str());
            match why {
                Unsent::Limit(limit) if self.is_known(*limit, plan) => {}
                Unsent::Limit(_) => tracing::warn!(
                    %mail,
                    template,
                    "the limit on replies is reached; this one is not sent, and of others like it nothing is said for an hour"
                ),
                Unsent::Letter => {
                    tracing::error!(%mail, template, "a reply could not be written: a name or address in the settings does not fit into a header")
                }
            }
        }
    }

    /// Whether it was told of within the hour; from now on it was.
    fn is_known(&self, limit: ReplyLimit, plan: &Plan) -> bool {
        let person = plan.sender_key.clone().filter(|_| limit == ReplyLimit::Person || plan.organisation.is_none());
        let whose = (limit, plan.organisation.clone(), person);
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| plan.now.duration_since(*at) < jiff::SignedDuration::from_hours(1));
        let known = told.contains_key(&whose);
        if !known {
            told.insert(whose, plan.now);
        }
        known
    }
}

/// A mail that comes from no mailbox (`deliver`): its name is made from its bytes, so that the same bytes are the same mail. Of one above
/// `max_mail` only the beginning is kept, as of one in a mailbox.
///
/// # Errors
/// It cannot be read.
pub fn mail_outside_a_mailbox(mut from: impl std::io::Read, now: jiff::Timestamp, max_mail: u64) -> std::io::Result<RawMail> {
    use sha2::{Digest, Sha256};
    let (mut digest, mut size, mut kept) = (Sha256::new(), 0_u64, Vec::new());
    let mut some = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut some) {
            Ok(0) => break,
            Ok(read) => some.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(read);
        size = size.saturating_add(read.len() as u64);
        if size <= max_mail {
            kept.extend_from_slice(read);
        } else if let Some(room) = mailbox::BEGINNING.checked_sub(kept.len()) {
            kept.extend(read.iter().take(room));
        } else {
            kept.truncate(mailbox::BEGINNING);
            kept.shrink_to_fit();
        }
    }
    let digest = digest.finalize();
    let number = |bytes: &[u8]| {
        let number = bytes.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        std::num::NonZeroU32::new(number).unwrap_or(std::num::NonZeroU32::MIN)
    };
    let (validity, uid) = digest.as_slice().split_at(4);
    let uid = MailUid { mailbox: crate::words::MailboxId::new(store::OUTSIDE), validity: number(validity), uid: number(uid) };
    Ok(RawMail { uid, internal_date: now.as_millisecond(), size, truncated: size > max_mail, bytes: Redacted::new(kept) })
}
