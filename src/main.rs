//! Trunkline: programmable voice for carriers, in one binary.

mod config;

fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
