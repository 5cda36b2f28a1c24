//! A verdict becomes what must happen.

pub mod templates;
