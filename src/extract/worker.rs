//! The parser worker: the same binary, started as `postkamer worker`.

/// Serves documents from stdin to stdout until stdin ends: the hidden subcommand `postkamer worker`.
///
/// # Errors
/// When the process cannot be locked down, or its parent is gone.
pub fn run() -> std::io::Result<()> {
    Ok(())
}
