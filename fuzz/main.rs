//! Strangers' bytes, made by libFuzzer: eight targets, one program. `make fuzz` runs all, POSTKAMER_FUZZ names one.
//!
//! Each target hands the bytes to a door that strangers reach and asks, besides that nothing panics or hangs, what must hold for any bytes
//! whatsoever. What was found is kept in corpus/TARGET and mended.
#![no_main]

mod addresses;
mod files;
mod imap;
mod numbers;
mod parse;
mod results;
mod settings;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// What a target does with some bytes; it panics where something does not hold.
type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 8] = [
    ("parse", parse::mail),
    ("addresses", addresses::address),
    ("results", results::header),
    ("imap", imap::server),
    ("archives", files::archive),
    ("documents", files::document),
    ("numbers", numbers::text),
    ("settings", settings::files),
];

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let wanted = std::env::var("POSTKAMER_FUZZ").unwrap_or_default();
    // Where a panic is meant to be caught, it must come so far: libFuzzer would end at any. One that nobody catches still ends it.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    TARGETS.iter().find(|(name, _)| *name == wanted).unwrap_or_else(|| panic!("POSTKAMER_FUZZ names none of the targets")).1
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
