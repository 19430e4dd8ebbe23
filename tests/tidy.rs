//! The repository checks itself: layers, sizes, words, documents, and the table of Swarm's rules.
//!
//! Each check is a function from texts to findings, tried on made-up texts beside it. A finding
//! says where, what, and what to do about it.

#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "names of files in this repository are lower case"
)]

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/exercised.rs"]
mod exercised;
#[path = "tidy/fidelity.rs"]
mod fidelity;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/upstream.rs"]
mod upstream;
#[path = "tidy/words.rs"]
mod words;

use tree::Tree;

fn none(findings: &[String]) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn modules_know_only_whom_they_may() {
    none(&layers::check(&Tree::read().sources()));
}

#[test]
fn files_functions_and_lines_fit() {
    none(&sizes::check(&Tree::read().sources()));
}

#[test]
fn no_word_is_banned() {
    none(&words::check(Tree::read().files()));
}

#[test]
fn every_exception_to_a_lint_has_a_reason() {
    none(&words::check_allowances(&Tree::read().sources()));
}

#[test]
fn every_test_of_swarmkit_has_one_of_ours() {
    none(&upstream::check(&Tree::read()));
}

/// With `FIDELITY=write` the page is written first, as `.ci/exercised` does.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
fn every_rule_is_told_how_often_it_is_exercised() {
    if std::env::var("FIDELITY").is_ok_and(|what| what == "write") {
        let page = exercised::written(&Tree::read()).unwrap_or_else(|finding| panic!("{finding}"));
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(fidelity::TABLE);
        std::fs::write(path, page).expect("the page can be written");
    }
    none(&exercised::check(&Tree::read()));
}

#[test]
fn relative_links_lead_somewhere() {
    none(&documents::check(&Tree::read()));
}

#[test]
fn every_dependency_has_its_reason() {
    let manifests = [include_str!("../Cargo.toml"), include_str!("../benches/engines/Cargo.toml")];
    none(&documents::check_dependencies(&manifests, include_str!("../ARCHITECTURE.md")));
}

/// What is in a workspace of its own is compiled alike, or its figures say nothing.
#[test]
fn engines_are_compiled_alike() {
    let profile = |manifest: &str| {
        let lines = manifest.lines().skip_while(|line| *line != "[profile.release]");
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    let own = profile(include_str!("../Cargo.toml"));
    assert!(own.contains("lto"), "{own}");
    assert_eq!(profile(include_str!("../benches/engines/Cargo.toml")), own);
}

#[test]
fn every_rule_of_swarm_names_its_source() {
    none(&fidelity::check_lines(&Tree::read().sources()));
}

#[test]
fn the_table_of_rules_is_true() {
    none(&fidelity::check_table(&Tree::read()));
}

#[test]
fn every_rule_of_swarm_has_a_row() {
    none(&fidelity::check_rows(&Tree::read()));
}
