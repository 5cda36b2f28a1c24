//! Bytes become a [`Mail`]; never fails.
//!
//! Whatever arrives, something true is said of it: a mail without headers has no author and a text, a mail with a broken
//! part has an attachment that nobody can read. Nothing is dropped silently: what cannot be shown to be harmless is
//! handed on as [`RawAttachment`] with an [`Opaque`] reason.

pub mod document;
mod mail;

pub use mail::*;
