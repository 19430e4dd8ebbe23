# Read-only; the gate, here and in CI.
verify:
    .ci/run

# Formats, and applies what the compiler and the lints suggest.
fix:
    cargo clippy --fix --allow-dirty --all-targets
    cargo fmt

# Renews snapshots and shows what changed: read every line of it.
bless:
    INSTA_UPDATE=always cargo test
    git diff --stat -- '*.snap'
    git diff -- '*.snap'

# N random scenarios from number FROM on, judged by all invariants.
soak N="1000000" FROM="10000":
    SOAK_COUNT={{N}} SOAK_SEED={{FROM}} cargo test --release --test laws soak -- --nocapture

# Property tests with N cases each instead of 256.
properties N="10000":
    PROPTEST_CASES={{N}} cargo test --release

# The fixed sample of mutants; `just mutants all` is all of them.
mutants *ARGUMENTS="sample":
    .ci/mutants {{ARGUMENTS}}

# Benchmarks; each states in its first comment what it is expected to reach.
bench:
    cargo bench

# Makes the pictures of docs/gallery.md anew.
gallery:
    for name in whoami-autorollback parallelism delay order failure-ratio jobs; do \
        cargo run --quiet --release -- report scenarios/$name.yaml --format svg --out docs/gallery/$name.svg; \
    done
    cargo run --quiet --release -- demo order --out docs/gallery/demo-order.svg > /dev/null
