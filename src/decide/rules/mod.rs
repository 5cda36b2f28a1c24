//! POLICY.md's table, one file a row.

use super::facts::{Facts, Policy};
use super::verdict::{AfterAppend, Cc, Reason, Template};

macro_rules! rules {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+
        /// All rows, in the table's order, which is the order of judgement.
        pub const RULES: &[Rule] = &[$($module::RULE),+];
    };
}

rules! {
    over_the_rate,
    own_mail_or_duplicate,
    bounce,
    automatic_or_bulk,
    objection,
    citizen_data_in_text,
    citizen_data_in_attachment,
    unreadable_attachment,
    not_authentic,
    identity_answer,
    approval_answer,
    follow_up,
    general_contact,
    ict_contact,
    ict_contact_other_matter,
    named_elsewhere,
    former_contact,
    urgent_colleague,
    colleague,
    organisation_without_list,
    urgent_stranger,
    stranger,
}

/// One row of the table.
pub struct Rule {
    /// The row's number in POLICY.md.
    pub row: &'static str,
    /// What the row is about, in a phrase.
    pub about: &'static str,
    /// Which part of the table it belongs to.
    pub chapter: Chapter,
    /// What the row says; `None` when it does not apply.
    pub judge: fn(&Facts, &Policy) -> Option<Judgement>,
}

/// The parts of the table. They differ in when they still have a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chapter {
    /// Row 0.
    Rate,
    /// Rows 1 to 4: nobody waits for an answer to this mail.
    Machines,
    /// Rows 5 to 7: what may not be kept.
    Content,
    /// Row 8.
    Authenticity,
    /// Rows 9a to 19: the first that speaks settles it.
    Sender,
}

/// What a row says of a mail.
pub struct Judgement {
    /// Its codes; never empty.
    pub reasons: Vec<Reason>,
    /// What follows.
    pub effect: Effect,
}

/// What follows from a row.
pub enum Effect {
    /// Left where it is.
    Defer,
    /// Nothing comes of it.
    Ignore,
    /// Nothing of it is kept.
    RejectText,
    /// Attachments are never stored; the rest goes on.
    Withhold {
        /// The text that takes the place of the row's own reply.
        redirect: Template,
        /// Whether the ticket waits for an agent, whatever rows 9 to 19 say.
        queue: bool,
    },
    /// The rows below decide, and the new ticket is linked to the closed one.
    Link,
    /// Decided.
    Settle(Settlement),
}

/// How rows 8 to 19 settle a mail.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// What happens to a ticket.
    pub step: Step,
    /// The row's own reply to the sender.
    pub reply: Option<Template>,
    /// Whether a redirect of rows 6 and 7 may go to the sender; only row 8 says no.
    pub answers: bool,
    /// Whether the listed contact is asked if this is them.
    pub verify: bool,
    /// Who is brought into CC.
    pub cc: Option<Cc>,
}

/// What happens to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new one, worked on at once.
    Open,
    /// A new one that waits.
    Queue,
    /// An entry on the one that the token points to.
    Append(AfterAppend),
    /// None.
    Reject,
}

impl Settlement {
    /// Row 8: kept for an agent, and nobody hears of it.
    pub(super) const SILENT_QUEUE: Self = Self { step: Step::Queue, reply: None, answers: false, verify: false, cc: None };

    const fn step(step: Step) -> Self {
        Self { step, reply: None, answers: true, verify: false, cc: None }
    }

    const fn open(reply: Template) -> Self {
        Self { reply: Some(reply), ..Self::step(Step::Open) }
    }

    const fn queue(reply: Template) -> Self {
        Self { reply: Some(reply), ..Self::step(Step::Queue) }
    }

    const fn append(after: AfterAppend) -> Self {
        Self::step(Step::Append(after))
    }

    /// Row 15: opened, with a general contact in CC where the organisation has one.
    fn urgent_with_contact(facts: &Facts) -> Self {
        Self { cc: facts.stand_in.then_some(Cc::GeneralContact), ..Self::open(Template::ReceivedUrgent) }
    }
}

/// Shorthand of the rules: speaks with one reason.
fn speaks(reason: Reason, effect: Effect) -> Option<Judgement> {
    Some(Judgement { reasons: vec![reason], effect })
}
