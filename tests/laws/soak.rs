//! The soak: many random scenarios on all cores, each judged by all invariants.
//!
//! `SOAK_COUNT` says how many, `SOAK_SEED` from which number on. The scenario of a number depends
//! on nothing but that number, so one that failed is repeated by its number and a count of one.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use swarmsim::scenario;

use super::case::Case;
use super::reached::Reached;
use super::{judge, strategy};

/// How many scenarios an ordinary test tries.
const COUNT: u64 = 10_000;
/// So many make everything happen that can; fewer may miss what is rare.
const ENOUGH: u64 = 10_000;
/// So many failures are shrunk and shown; a defect that is everywhere need not be shown oftener.
const SHOWN: usize = 3;

/// What some scenarios came to.
#[derive(Default)]
struct Outcome {
    reached: Reached,
    failures: Vec<String>,
}

impl Outcome {
    fn and(self, mut other: Outcome) -> Outcome {
        let mut failures = self.failures;
        failures.append(&mut other.failures);
        Outcome { reached: self.reached.and(other.reached), failures }
    }
}

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "how many, is asked on the command line")]
fn number(name: &str, otherwise: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no whole number")),
        Err(_) => otherwise,
    }
}

/// How the scenario of a number is drawn, and how one that fails is shrunk.
fn runner(seed: u64) -> TestRunner {
    TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    })
}

fn judged(case: &Case) -> Result<Reached, String> {
    let scenario = scenario::load(&case.to_string()).map_err(|problems| format!("{problems:?}"))?;
    let (records, footer) = judge(&Arc::new(scenario))?;
    let mut reached = Reached::default();
    reached.take(&records, &footer);
    Ok(reached)
}

fn one(seed: u64, mut outcome: Outcome, shown: &AtomicUsize) -> Outcome {
    let mut runner = runner(seed);
    let tree = strategy::case().new_tree(&mut runner).expect("there is one");
    let case = tree.current();
    let told = std::panic::catch_unwind(|| judged(&case));
    match told {
        Ok(Ok(reached)) => outcome.reached = outcome.reached.and(reached),
        _ if shown.fetch_add(1, Ordering::Relaxed) < SHOWN => {
            let shrunk =
                runner.run_one(tree, |case| judged(&case).map(|_| ()).map_err(TestCaseError::fail));
            outcome.failures.push(match shrunk {
                Err(TestError::Fail(why, case)) => report(seed, &case, &why.to_string()),
                other => format!("number {seed} failed once, and then {other:?}"),
            });
        }
        _ => outcome.failures.push(format!("number {seed} as well")),
    }
    outcome
}

/// Where the shortest scenario that fails as a number does is put.
fn failed_file(seed: u64) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("soak-{seed}.yaml"))
}

fn report(seed: u64, case: &Case, why: &str) -> String {
    let file = failed_file(seed);
    std::fs::write(&file, case.to_string()).expect("the scenario can be written");
    format!(
        "number {seed}: {why}\n\n{case}\nIt is in {}; keep it in tests/laws/cases. Again:\n  \
         SOAK_SEED={seed} SOAK_COUNT=1 cargo test --test laws soak",
        file.display()
    )
}

#[test]
fn soak() {
    let (first, count) = (number("SOAK_SEED", 0), number("SOAK_COUNT", COUNT));
    let shown = AtomicUsize::new(0);
    let outcome = (first..first.saturating_add(count))
        .into_par_iter()
        .fold(Outcome::default, |outcome, seed| one(seed, outcome, &shown))
        .reduce(Outcome::default, Outcome::and);
    let mut told = format!("{count} scenarios from number {first} on went through\n");
    write!(told, "{}", outcome.reached.table()).expect("a text takes all");
    println!("{told}");
    assert!(outcome.failures.is_empty(), "{}", outcome.failures.join("\n\n"));
    if count >= ENOUGH {
        let missing = outcome.reached.missing();
        assert!(missing.is_empty(), "never happened: {}\n\n{told}", missing.join(", "));
    }
}
