//! Trunkline: programmable voice for carriers, in one binary. The composition root.

mod config;
mod telemetry;

use mimalloc::MiMalloc;

/// Password hashing takes and gives back 19 MiB at a time, which the system's allocator keeps for good.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
