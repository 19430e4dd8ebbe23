//! What `swarmsim run` prints for every shipped scenario, whole. A change here is read line by line
//! as a user of Docker would read it, and then blessed (`just bless`).

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::{scenarios, swarmsim};

fn names() -> BTreeSet<String> {
    let stem = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    scenarios().iter().map(|path| stem(path)).collect()
}

/// A file without a snapshot fails too.
#[test]
fn every_scenario_prints_its_transcript() {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| {
        let mut changed = Vec::new();
        for name in names() {
            let output = swarmsim(&["run", &format!("scenarios/{name}.yaml")]);
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{name}");
            // All of them are compared, so that one run shows all changes.
            let same =
                std::panic::catch_unwind(|| insta::assert_snapshot!(name.clone(), output.stdout));
            if same.is_err() {
                changed.push(name);
            }
        }
        assert_eq!(changed, Vec::<String>::new());
    });
}

#[test]
fn a_run_as_json_is_one_document() {
    let output =
        swarmsim(&["run", "scenarios/whoami-one-replica.yaml", "--format", "json", "--seed", "3"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    serde_json::from_str::<serde_json::Value>(&output.stdout).expect("it is JSON");
    insta::assert_snapshot!("json-of-whoami-one-replica", output.stdout);
}

/// Coloured or not, loud or quiet: the words are the same ones.
#[test]
fn quiet_is_the_end_of_the_transcript() {
    for name in names() {
        let path = format!("scenarios/{name}.yaml");
        let (loud, quiet) = (swarmsim(&["run", &path]), swarmsim(&["run", &path, "--quiet"]));
        assert!(quiet.stdout.contains("end: everything is done"), "{name}");
        assert!(loud.stdout.ends_with(&quiet.stdout), "{name}");
    }
}

/// With `--all` nothing is taken away from the transcript, only added.
#[test]
fn all_is_more() {
    for name in names() {
        let path = format!("scenarios/{name}.yaml");
        let (usual, all) = (swarmsim(&["run", &path]), swarmsim(&["run", &path, "--all"]));
        let mut rest = all.stdout.lines();
        for line in usual.stdout.lines() {
            assert!(rest.any(|other| other == line), "{name}: missing or out of order: {line}");
        }
        assert!(all.stdout.len() > usual.stdout.len(), "{name}");
    }
}

#[test]
fn no_transcript_is_left_of_a_scenario_that_is_gone() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let files = fs::read_dir(dir).expect("the snapshots are there");
    let files = files.map(|entry| entry.expect("they can be listed").file_name());
    let of = |name: &str| {
        let name = name.strip_prefix("transcripts__")?.strip_suffix(".snap")?;
        (!name.starts_with("json-of-")).then(|| name.to_string())
    };
    let there: BTreeSet<String> = files.filter_map(|name| of(name.to_str()?)).collect();
    assert_eq!(there, names());
}
