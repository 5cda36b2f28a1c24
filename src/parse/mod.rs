//! Bytes become a `Mail`; never fails.
