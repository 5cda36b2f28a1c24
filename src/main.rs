//! The one binary.

/// Mails are taken apart on one thread and freed on another; the system's allocator spent a third of its time on that (BENCHMARKS.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    postkamer::cli::main()
}
