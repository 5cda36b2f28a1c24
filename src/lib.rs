//! postkamer: the mailroom of a helpdesk whose customers are municipalities.
//!
//! The rooms, in the order in which a mail meets them. Verbs compute and are pure; nouns touch the world.

pub mod cli;
pub mod clock;
pub mod decide;
pub mod extract;
pub mod identify;
pub mod mailbox;
pub mod outbox;
pub mod parse;
pub mod plan;
pub mod screen;
pub mod settings;
pub mod store;
pub mod words;
