//! Who may use the customer portal (POLICY "Portal access"): people on the list where there is one, else people at the organisation's domains.

use jiff::civil::Date;

use super::directory::Directory;
use crate::words::EmailAddress;

/// Why somebody may not, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessEnd {
    /// The contact has left.
    Left,
    /// Not on the organisation's list, or not at its domains where it has none.
    NotListed,
    /// The organisation is no customer any more.
    ContractEnded,
    /// An agent took the access back.
    Withdrawn,
}

impl AccessEnd {
    /// The word in the database and in exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::NotListed => "not-listed",
            Self::ContractEnded => "contract-ended",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Directory {
    /// Whether somebody may be let into the portal for that organisation today.
    ///
    /// # Errors
    /// Why not.
    pub fn may_use_portal(&self, organisation: &str, address: &EmailAddress, today: Date) -> Result<(), AccessEnd> {
        let organisation = self.organisation(organisation).filter(|organisation| organisation.is_under_contract(today));
        let organisation = organisation.ok_or(AccessEnd::ContractEnded)?;
        let mut listed = organisation.contacts.iter().filter(|contact| contact.email == *address).peekable();
        let was_listed = listed.peek().is_some();
        let at_home = !organisation.approved_contacts_only && organisation.domains.contains(address.domain());
        match () {
            () if listed.any(|contact| !contact.has_left(today)) => Ok(()),
            () if was_listed => Err(AccessEnd::Left),
            () if at_home => Ok(()),
            () => Err(AccessEnd::NotListed),
        }
    }
}
