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

# All targets in one table; `just targets huge` with the rows of a million tasks.
targets *ARGUMENTS:
    cargo bench --bench targets -- {{ARGUMENTS}}

# The toy rolling update on other engines, beside the real one.
engines *SIZES:
    .ci/engines {{SIZES}}

# Makes the pictures of docs/gallery.md anew.
gallery:
    for name in whoami-autorollback parallelism delay order failure-ratio jobs; do \
        cargo run --quiet --release -- report scenarios/$name.yaml --format svg --out docs/gallery/$name.svg; \
    done
    cargo run --quiet --release -- sweep scenarios/delay.yaml --replicates 50 --set 'expect=[]' \
        --vary script.update.--update-parallelism=1,2,4 --vary script.update.--update-delay=0s,5s,10s,20s,30s \
        --plot docs/gallery/sweep.svg > /dev/null
    cargo run --quiet --release -- demo order --out docs/gallery/demo-order.svg > /dev/null
    cargo run --quiet --release -- advise stacks/web.yml --image web=shop/web:1.5 --goal 'duration<10m' \
        --goal 'capacity>=75%' --goal 'bad_image_exposure<=1' --goal 'extra<=1' \
        --only parallelism,delay,monitor,order --plot docs/gallery/advise.svg > /dev/null
