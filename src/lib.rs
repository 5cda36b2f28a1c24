//! postkamer: the mailroom of a helpdesk whose customers are municipalities.
//!
//! The rooms, in the order in which a mail meets them. Verbs compute and are pure; nouns touch the world.

pub mod clock;
pub mod words;
pub mod daemon;
pub mod journey;
pub mod mailbox;
pub mod parse;
pub mod extract;
pub mod screen;
pub mod identify;
pub mod decide;
pub mod plan;
pub mod store;
pub mod outbox;
pub mod settings;
pub mod cli;
