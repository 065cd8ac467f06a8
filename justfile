# Thin: each recipe calls the script or command that does the work.

# Build and serve; `just run --demo` for a carrier to play with
run *args:
    bin/run {{args}}

# Everything CI runs
test:
    bin/test

# The quick half: format, lints, types
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    npm --prefix dashboard-spa run check

# The benchmark table, peers beside us
bench *args:
    bin/bench {{args}}

# Write the generated OpenAPI documents and the dashboard's client
schema:
    bin/schema

# Rebuild projections, or verify them: `just replay --verify`
replay *args:
    cargo run --quiet --release --locked --bin trunkline -- replay {{args}}

# Build the dashboard
dashboard:
    bin/setup run
    bin/dashboard

# One kind of trouble made to happen, with its figures: `just fault twin`, kill, sigstop, outage, full_disk, tenants, clock_step, flood
fault name:
    [ -x tests/faults/{{name}} ] && exec tests/faults/{{name}} || exec cargo nextest run --test stories --locked --run-ignored all --no-capture -E 'test(/faults::.*{{name}}/)'

# All of them, the long ones too
faults:
    cargo nextest run --test stories --locked --run-ignored all --no-capture -E 'test(/faults::/)'
    tests/faults/tenants
    tests/faults/flood
