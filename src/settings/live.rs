//! Settings that follow their files while postkamer runs.
