//! Letters that agents send from a ticket.

use super::{Failure, Office};
use crate::decide::Template;
use crate::identify::{ContactKind, Organisation};
use crate::journey::Journey;
use crate::plan::templates::WithheldAttachment;
use crate::plan::{House, PlannedReply, TicketLetter, ticket_letter};
use crate::store::Correspondence;
use crate::words::{EmailAddress, Keys};

/// What is needed to write letters.
pub(super) struct Desk<'a> {
    office: &'a Office,
    house: House,
}

impl<'a> Desk<'a> {
    pub(super) fn of(office: &'a Office) -> Result<Self, Failure> {
        let house = Journey::house_of(&office.settings).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self { office, house })
    }

    /// To the one who asked, with the ticket's CC. None where nobody may be answered, or the desk is no longer in the settings.
    pub(super) fn to_requester(
        &self,
        template: Template,
        on: &Correspondence,
        reason: Option<String>,
        attachments: Vec<WithheldAttachment>,
        keys: &Keys,
    ) -> Option<PlannedReply> {
        let cc: Vec<EmailAddress> = on.ticket.cc.iter().map(|(_, address)| address.clone()).collect();
        let letter = TicketLetter {
            to: on.requester.as_ref()?,
            cc: &cc,
            answers: on.message_id.as_ref(),
            attachments,
            ..self.letter(template, on, on.requester.as_ref()?, reason)
        };
        self.write(letter, on, keys)
    }

    /// One letter to all general contacts of the ticket's organisation who have not left: the first in To, the others in CC.
    pub(super) fn to_general_contacts(&self, template: Template, on: &Correspondence, reason: String, keys: &Keys) -> Option<PlannedReply> {
        let general = self.general_contacts(self.organisation(on)?);
        let (first, others) = general.split_first()?;
        let letter = TicketLetter { cc: others, ..self.letter(template, on, first, Some(reason)) };
        self.write(letter, on, keys)
    }

    fn general_contacts(&self, organisation: &Organisation) -> Vec<EmailAddress> {
        let today = self.office.settings.today(self.office.store.clock().now());
        let listed = organisation.contacts.iter().filter(|contact| contact.kind == ContactKind::General && !contact.has_left(today));
        if organisation.is_under_contract(today) { listed.map(|contact| contact.email.clone()).collect() } else { Vec::new() }
    }

    fn organisation(&self, on: &Correspondence) -> Option<&'a Organisation> {
        self.office.settings.organisations.organisation(on.ticket.organisation.as_deref()?)
    }

    fn letter<'l>(&self, template: Template, on: &'l Correspondence, to: &'l EmailAddress, reason: Option<String>) -> TicketLetter<'l> {
        TicketLetter {
            reason,
            organisation_name: self.organisation(on).map(|organisation| organisation.name.clone()),
            ..TicketLetter::new(template, on.reply, &on.ticket, to)
        }
    }

    fn write(&self, letter: TicketLetter<'_>, on: &Correspondence, keys: &Keys) -> Option<PlannedReply> {
        let letterhead = self.office.settings.desk(&on.desk)?.letterhead();
        ticket_letter(letter, &letterhead, &self.house, keys, self.office.store.clock().now()).ok()
    }
}
