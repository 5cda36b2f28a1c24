//! postkamer: the mailroom of a helpdesk whose customers are municipalities.
//!
//! The rooms, in the order in which a mail meets them. Verbs compute and are pure; nouns touch the world.
//! ARCHITECTURE.md walks one mail through them.

pub mod words;
pub mod clock;

// One mail's way.
pub mod mailbox;
pub mod parse;
pub mod extract;
pub mod screen;
pub mod identify;
pub mod verify;
pub mod decide;
pub mod plan;
pub mod store;
pub mod outbox;

// What leads it there.
pub mod settings;
pub mod retention;
pub mod journey;
pub mod upkeep;
pub mod watchdog;
pub mod daemon;
pub mod health;
pub mod cli;
