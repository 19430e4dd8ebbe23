//! The README tells the truth: its commands run, and what it shows is what they print.

mod support;

use support::blocks;

fn swarmsim(arguments: &[&str]) -> (String, Option<i32>) {
    let output = support::swarmsim(arguments);
    (output.stdout, output.code)
}

/// Every `text` block of the README is a piece of the output of the main job.
#[test]
fn what_the_readme_shows_is_printed() {
    let (output, code) = swarmsim(&["run", "scenarios/whoami-autorollback.yaml"]);
    assert_eq!(code, Some(0));
    for block in blocks(include_str!("../README.md"), "text") {
        assert!(output.contains(block), "not printed as it stands:\n{block}");
    }
}

/// Each `console` block of a page is a command and all that it prints, up to a line of dots. One
/// finds the files that the ones before it have left.
#[test]
fn what_the_page_on_sweeps_shows_is_printed() {
    let place = support::Place::new("page-on-sweeps");
    std::fs::create_dir(place.path("scenarios")).expect("it can be made");
    for scenario in support::scenarios() {
        let name = scenario.file_name().expect("a file").display().to_string();
        let text = std::fs::read(&scenario).expect("it can be read");
        place.write(&format!("scenarios/{name}"), text);
    }
    for block in blocks(include_str!("../docs/sweep.md"), "console") {
        support::is_as_shown(block, &[0], |words| place.swarmsim(words));
    }
}

/// The lines that the timeline's reference shows are those of the main job's timeline, and it names
/// every kind and every word that the shipped scenarios' timelines tell records apart by.
#[test]
fn what_the_timelines_reference_shows_is_written() {
    let reference = include_str!("../docs/timeline.md");
    let file = std::env::temp_dir().join(format!("swarmsim-lines-{}.jsonl", std::process::id()));
    let path = file.to_str().expect("a UTF-8 path");
    let mut words = std::collections::BTreeSet::new();
    for scenario in support::scenarios() {
        let scenario = scenario.to_str().expect("a UTF-8 path");
        let (_, code) = swarmsim(&["run", scenario, "--quiet", "--timeline", path]);
        assert_eq!(code, Some(0), "{scenario}");
        let written = std::fs::read_to_string(&file).expect("it was written");
        for line in written.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            for key in ["kind", "change", "outcome", "reason", "maker", "result", "stop"] {
                words.extend(value[key].as_str().map(str::to_string));
            }
        }
        if scenario.ends_with("whoami-autorollback.yaml") {
            for line in blocks(reference, "jsonl").iter().flat_map(|block| block.lines()) {
                assert!(written.lines().any(|written| written == line), "not written: {line}");
            }
        }
    }
    std::fs::remove_file(file).expect("the file is there");
    assert!(words.len() > 30, "{words:?}");
    for word in words {
        assert!(reference.contains(&format!("`{word}`")), "`{word}` is not explained");
    }
}

/// Acceptance: both exercises exit 0, and the rollback shows Docker's message.
#[test]
fn the_exercises_pass() {
    let (output, code) = swarmsim(&["run", "scenarios/whoami-autorollback.yaml"]);
    assert_eq!(code, Some(0));
    assert!(output.contains("update rolled back due to failure or early termination of task "));
    for name in [
        "vote",
        "whoami-one-replica",
        "parallelism",
        "delay",
        "monitor",
        "order",
        "failure-ratio",
        "slow-start",
        "jobs",
    ] {
        let (_, code) = swarmsim(&["run", &format!("scenarios/{name}.yaml"), "--quiet"]);
        assert_eq!(code, Some(0), "{name}");
    }
}

/// Same seed: same bytes. Another seed: another order of slots, sooner or later.
#[test]
fn runs_repeat_and_seeds_differ() {
    let whole = |seed: &str| swarmsim(&["run", "scenarios/vote.yaml", "--seed", seed, "--all"]).0;
    assert_eq!(whole("1"), whole("1"));
    assert_ne!(whole("1"), whole("2"));
}

#[test]
fn a_timeline_is_verified_and_explained() {
    let path = std::env::temp_dir().join(format!("swarmsim-readme-{}.jsonl", std::process::id()));
    let file = path.to_str().expect("a UTF-8 path");
    let scenario = "scenarios/whoami-autorollback.yaml";
    let (_, code) = swarmsim(&["run", scenario, "--quiet", "--timeline", file]);
    assert_eq!(code, Some(0));
    let (output, code) = swarmsim(&["verify", file]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("laws: no invariant is broken"));
    assert!(output.contains("repetition: equal"));
    let (output, code) = swarmsim(&["explain", file, "rollback_started"]);
    assert_eq!(code, Some(0));
    assert!(output.contains("unhealthy") && output.contains("$ docker service update"));
    std::fs::remove_file(path).expect("the file is there");
}

/// An override changes the run; a healthy second version is not rolled back, so the claims fail.
#[test]
fn overrides_are_put_into_the_scenario() {
    let set = "images.lucj/whoami:2.0.health=ok";
    let run = ["run", "scenarios/whoami-autorollback.yaml", "--quiet", "--set", set];
    let (output, code) = swarmsim(&run);
    assert_eq!(code, Some(1));
    assert!(
        output.contains("FAIL whoami: update rollback_completed, after settled; found: completed")
    );
    let run = ["run", "scenarios/vote.yaml", "--quiet", "--set", "no.such.key=1"];
    assert_eq!(swarmsim(&run).1, Some(3));
}

#[test]
fn exit_codes_are_as_documented() {
    assert_eq!(swarmsim(&["run", "scenarios/none.yaml"]).1, Some(7));
    assert_eq!(swarmsim(&["check", "Cargo.toml"]).1, Some(3));
    assert_eq!(swarmsim(&["frobnicate"]).1, Some(2));
    assert_eq!(swarmsim(&["explain", "scenarios/vote.yaml", "no such words"]).1, Some(1));
}
