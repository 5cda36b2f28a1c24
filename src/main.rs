//! The one binary.

fn main() -> std::process::ExitCode {
    postkamer::cli::main()
}
