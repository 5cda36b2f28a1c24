//! The one integration-test binary; each module is a topic.
#![allow(missing_docs, reason = "tests are named by sentences")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that panics says what it needs to say"
)]

mod architecture;
mod attacks;
mod authentication;
mod calendar;
mod check;
mod daemon;
mod extract;
mod formats;
mod health;
mod letters;
mod faults;
mod mailbox;
mod poison;
mod people;
mod masking;
mod person;
mod policy;
mod replies;
mod purge;
mod record;
mod residue;
mod retention;
mod screening;
mod reliability;
mod sending;
mod servers;
mod secrets;
mod service;
mod stories;
mod store;
mod support;
mod upgrade;
mod sweep;
mod settings;
mod wording;
mod workers;
