//! `plan --explain`: the runs that numbers come from.

use serde_json::Value;

use crate::support::{Place, swarmsim};
use crate::{WEB, with};

/// What `--explain` names is in the run of that seed, as the run's own timeline has it.
#[test]
fn a_number_is_seen_in_the_run_that_is_named() {
    let explained = swarmsim(&with(WEB, &["--explain"]));
    assert_eq!(explained.code, Some(0), "{}", explained.stderr);
    let plain = swarmsim(WEB).stdout;
    let traced = explained.stdout.strip_prefix(&plain).expect("the plan comes first");
    let page = include_str!("../../docs/plan.md");
    let shown = page.split("```text\nWhere it is seen").nth(1).and_then(|t| t.split("```").next());
    let shown = format!("\nWhere it is seen{}", shown.expect("the page shows it"));
    assert!(traced.starts_with(shown.trim_end_matches("…\n")), "{traced}");
    let case = traced.split("  web_web:never-healthy\n").nth(1).expect("it is a case");
    let line = case.lines().find(|line| line.contains("noticed after")).expect("it is noticed");
    let words: Vec<&str> = line.split_whitespace().skip(3).collect();
    let place = Place::new("plan-explain");
    let case = with(WEB, &["--scenario", "web_web:never-healthy"]);
    place.write("case.yaml", swarmsim(&case).stdout);
    for run in words.chunks(3) {
        let [noticed, "seed", seed] = run else { panic!("{line}") };
        place.swarmsim(&["run", "case.yaml", "--seed", seed, "--quiet", "--timeline", "t.jsonl"]);
        let timeline = place.read("t.jsonl");
        let facts = timeline.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let facts: Vec<Value> = facts.collect();
        let at = |fact: Option<&Value>| fact.and_then(|f| f["at"].as_u64()).expect("it happened");
        let typed = |f: &&Value| {
            f["change"] == "typed" && f["line"].as_str().is_some_and(|l| l.contains("stack deploy"))
        };
        let deployed = at(facts.iter().rfind(typed));
        let back = at(facts.iter().find(|f| f["state"] == "rollback_started"));
        let tenths = (back - deployed + 50_000_000) / 100_000_000;
        assert_eq!(format!("{}.{}s", tenths / 10, tenths % 10), **noticed, "seed {seed}");
    }
}

#[test]
fn what_is_explained_is_explained_to_people() {
    let output = swarmsim(&with(WEB, &["--explain", "--format", "json"]));
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert!(output.stderr.contains("--format text only"), "{}", output.stderr);
}
