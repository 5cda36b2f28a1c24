//! Facts become a verdict with reasons.
