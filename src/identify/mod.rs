//! Who is it: the directory of organisations and contacts (POLICY "Words" and fact 3).
//!
//! From is the only identity. An address is compared exactly, after the folding of [`crate::words::EmailAddress`]; a domain counts only as
//! listed; a name only ever makes us ask at the listed address, it grants nothing.

mod authentic;
mod directory;
mod entitled;
mod name;
mod organisation;
mod roles;

pub use authentic::{Authentic, Authentication, TrustedServer};
pub use directory::{Directory, Sender, SenderKind};
pub use entitled::AccessEnd;
pub use name::fold_name;
pub use organisation::{Contact, ContactKind, Organisation, OrganisationId, Particulars};
pub use roles::Roles;
