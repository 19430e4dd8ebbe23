//! Random scenarios under random luck: they load, they end, they keep every law, and they repeat.
//!
//! Without `PROPTEST_CASES` the same 256 scenarios are tried everywhere; with it, as many new ones.
//! The soak tries many more and counts what they go through. A failure shrinks to a short scenario,
//! which is printed with the command that runs it. Those that failed once are kept in
//! `tests/laws/cases`.

#[path = "laws/case.rs"]
mod case;
#[path = "laws/reached.rs"]
mod reached;
#[path = "laws/soak.rs"]
mod soak;
#[path = "laws/strategy.rs"]
mod strategy;
mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::test_runner::{
    Config, FileFailurePersistence, RngSeed, TestCaseError, TestError, TestRunner,
};
use swarmsim::client::rows::ServiceRow;
use swarmsim::render::rows::Rows;
use swarmsim::scenario::{self, Scenario};
use swarmsim::sim::world::Simulation;
use swarmsim::timeline::ends::{Footer, Limit, Stop};
use swarmsim::timeline::record::{CommandFact, Fact, Record, TaskChange};
use swarmsim::timeline::verify::{first_difference, shape};
use swarmsim::timeline::view::View;

use support::{broken, timeline};

/// What happened, all of it.
type Run = (Vec<Record>, Footer);

/// Runs a scenario and compares, whenever a command ends, the rows from the store with those from
/// the records.
fn run_and_look(scenario: &Arc<Scenario>) -> Result<Run, String> {
    let mut simulation = Simulation::new(scenario);
    let (mut records, mut rows, mut seen) = (Vec::new(), Rows::default(), 0);
    let footer = loop {
        let stop = simulation.step(&mut records);
        let fresh: &[Record] = &records[seen..];
        for record in fresh {
            rows.take(record);
        }
        let ended =
            |record: &Record| matches!(record.fact, Fact::Command(CommandFact::Exited { .. }));
        if fresh.iter().any(ended) {
            compare(&simulation, &rows)?;
        }
        seen = records.len();
        if let Some(stop) = stop {
            break simulation.footer(stop);
        }
    };
    compare(&simulation, &rows)?;
    Ok((records, footer))
}

fn compare(simulation: &Simulation, rows: &Rows) -> Result<(), String> {
    let at = simulation.now();
    let told = rows.tasks();
    let stored = simulation.task_rows();
    if told.len() != stored.len() {
        return Err(format!("{at}: {} tasks in the store, {} told", stored.len(), told.len()));
    }
    for (stored, told) in stored.iter().zip(&told) {
        if stored != told {
            return Err(format!("{at}: the store has the task\n{stored:?}\nbut told is\n{told:?}"));
        }
    }
    // A timeline does not tell the index of the last change.
    let unversioned = |row: ServiceRow| ServiceRow { version: 0, ..row };
    let stored: Vec<_> = simulation.service_rows().into_iter().map(unversioned).collect();
    let told = rows.services();
    if stored != told {
        return Err(format!("{at}: the store has the services\n{stored:?}\nbut told is\n{told:?}"));
    }
    Ok(())
}

fn run(scenario: &Arc<Scenario>) -> Run {
    let mut records = Vec::new();
    let footer = Simulation::new(scenario).run(&mut records);
    (records, footer)
}

/// Runs half of the events, copies the simulation, and ends the copy and the original.
fn run_and_copy(scenario: &Arc<Scenario>, half: u64) -> Result<[Run; 2], String> {
    let mut simulation = Simulation::new(scenario);
    let mut records = Vec::new();
    for _ in 0..half {
        if let Some(stop) = simulation.step(&mut records) {
            return Err(format!("{stop:?} comes earlier the second time"));
        }
    }
    let (mut copy, mut copied) = (simulation.clone(), records.clone());
    let footer = copy.run(&mut copied);
    let original = simulation.run(&mut records);
    Ok([(copied, footer), (records, original)])
}

fn same(what: &str, first: &Run, second: &Run) -> Result<(), String> {
    if let Some(difference) = first_difference(&first.0, &second.0, 5) {
        return Err(format!("{what} differs: {difference:#?}"));
    }
    if first.1 != second.1 {
        return Err(format!("{what} ends differently: {:?} and {:?}", first.1, second.1));
    }
    Ok(())
}

/// All that must hold of one run of a scenario.
fn judge(scenario: &Arc<Scenario>) -> Result<Run, String> {
    let run = run_and_look(scenario)?;
    let (records, footer) = &run;
    if let Stop::Limit(Limit::Events | Limit::EventsPerInstant) = footer.stop {
        return Err(format!("it does not come to an end: {:?} at {}", footer.stop, footer.at));
    }
    let whole = timeline(scenario, records.clone(), footer.clone());
    let wrong: Vec<String> = shape(&whole).iter().map(ToString::to_string).collect();
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let broken = broken(scenario, records, footer);
    if !broken.is_empty() {
        return Err(broken.join("\n"));
    }
    Ok(run)
}

/// All that must hold of a scenario.
fn check(text: &str) -> Result<(), String> {
    let scenario = scenario::load(text).map_err(|problems| format!("{problems:?}"))?;
    let scenario = Arc::new(scenario);
    let first = judge(&scenario)?;
    let [copied, original] = run_and_copy(&scenario, first.1.events / 2)?;
    same("a copy", &first, &copied)?;
    same("the copied run", &first, &original)?;
    std::thread::scope(|scope| {
        let threads = [0, 1].map(|_| scope.spawn(|| run(&scenario)));
        threads.into_iter().try_for_each(|thread| {
            let again = thread.join().map_err(|_| "it panics on a thread".to_string())?;
            same("a run beside another", &first, &again)
        })
    })
}

/// Where the shortest scenario that failed is put.
fn failed_file() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("laws.yaml")
}

#[test]
fn every_law_that_an_expectation_can_name_is_listed() {
    let mut table = "| Law | What holds |\n|---|---|\n".to_string();
    for law in swarmsim::expect::laws::invariants() {
        writeln!(table, "| `{}` | {} |", law.id, law.statement).expect("a text takes everything");
    }
    let page = include_str!("../docs/scenario.md");
    assert!(page.contains(&table), "docs/scenario.md has not this table:\n{table}");
}

#[test]
fn random_scenarios_keep_the_laws_and_repeat() {
    let mut config = Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/laws/regressions.txt",
        ))),
        ..Config::default()
    };
    if (config.cases, config.rng_seed) == (256, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(17);
    }
    let outcome = TestRunner::new(config)
        .run(&strategy::case(), |case| check(&case.to_string()).map_err(TestCaseError::fail));
    if let Err(TestError::Fail(why, case)) = outcome {
        let file = failed_file();
        std::fs::write(&file, case.to_string()).expect("the scenario can be written");
        let file = file.display();
        panic!(
            "{why}\n\n{case}\nRun it with:\n  swarmsim run {file} --timeline laws.jsonl\n  \
             swarmsim verify laws.jsonl\nand keep it in tests/laws/cases."
        );
    }
    outcome.expect("cases are not rejected");
}

#[test]
fn a_service_that_is_removed_at_once_leaves_nothing() {
    for mode in ["--replicas 3", "--mode global"] {
        let text = format!(
            "{{name: gone, cluster: {{nodes: 2}}, script: [docker service create -d --name a \
             {mode} app, docker service rm a, wait: 70ms, docker service create -d --name b app, \
             docker service rm b, wait: 10s]}}"
        );
        let scenario = scenario::load(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
        let (records, footer) = run(&Arc::new(scenario));
        let view = View::of(&records);
        assert_eq!(footer.stop, Stop::ScriptDone);
        assert_eq!((view.services.len(), view.tasks.len()), (0, 0), "{mode}");
        let made = |record: &&Record| {
            matches!(record.fact, Fact::Task { change: TaskChange::Created(_), .. })
        };
        assert!(records.iter().filter(made).count() >= 3, "{mode}");
    }
}

#[test]
fn what_failed_once_holds_now() {
    let mut files: Vec<PathBuf> = std::fs::read_dir("tests/laws/cases")
        .expect("the cases are there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.sort();
    assert!(files.len() >= 10, "cases are missing");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        if let Err(why) = check(&text) {
            panic!("{}: {why}", file.display());
        }
    }
}
