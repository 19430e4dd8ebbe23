//! The museum: every scenario reproduces what somebody reported, and its claims can fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use support::swarmsim;

mod support;

/// A scenario with what the comment at its head says.
struct Exhibit {
    name: String,
    file: String,
    thread: String,
    seen: String,
    why: String,
    unless: String,
}

fn exhibits() -> Vec<Exhibit> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/museum");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| exhibit(path)).collect()
}

fn exhibit(path: &Path) -> Exhibit {
    let text = fs::read_to_string(path).unwrap();
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix('#')).collect();
    let entry = |key: &str| {
        let start = head.iter().position(|line| line.starts_with(&format!(" {key}: ")));
        let start = start.unwrap_or_else(|| panic!("{}: no {key}", path.display()));
        let more = head[start + 1..].iter().take_while(|line| line.starts_with("   "));
        let lines = [&head[start]].into_iter().chain(more).map(|line| line.trim());
        let whole = lines.collect::<Vec<_>>().join(" ");
        whole[key.len() + 2..].to_string()
    };
    let name = path.file_stem().unwrap().to_str().unwrap().to_string();
    Exhibit {
        file: format!("scenarios/museum/{name}.yaml"),
        name,
        thread: entry("Thread"),
        seen: entry("Seen"),
        why: entry("Why"),
        unless: entry("Unless"),
    }
}

#[test]
fn what_was_seen_is_seen() {
    for exhibit in exhibits() {
        let run = swarmsim(&["run", &exhibit.file, "--quiet"]);
        assert_eq!(
            (run.code, run.stderr.as_str()),
            (Some(0), ""),
            "{}\n{}",
            exhibit.name,
            run.stdout
        );
        assert!(run.stdout.contains("\n  ok   "), "{} claims nothing", exhibit.name);
    }
}

/// One setting changed, and it is not seen any more.
#[test]
fn it_is_not_seen_without_its_cause() {
    for exhibit in exhibits() {
        let run = swarmsim(&["run", &exhibit.file, "--quiet", "--set", &exhibit.unless]);
        assert_eq!(run.code, Some(1), "{} --set {}", exhibit.name, exhibit.unless);
        assert!(run.stdout.contains("\n  FAIL "), "{}", exhibit.name);
    }
}

#[test]
fn the_page_has_every_exhibit() {
    let page = include_str!("../docs/museum.md");
    let exhibits = exhibits();
    for Exhibit { name, file, thread, seen, why, .. } in &exhibits {
        let (seen, why) = (seen.trim_end_matches('.'), why.trim_end_matches('.'));
        let row = format!("| {thread} | {seen} | [`{name}`](../{file}) | {why} |");
        assert!(page.contains(&row), "docs/museum.md lacks\n{row}");
        let (repository, number) = thread.split_once('#').unwrap();
        assert!(repository.contains('/') && number.parse::<u32>().is_ok(), "{thread}");
    }
    let threads: BTreeSet<&str> = exhibits.iter().map(|exhibit| &*exhibit.thread).collect();
    assert_eq!(threads.len(), exhibits.len(), "a thread has two exhibits");
    assert!(threads.len() >= 30, "{}", threads.len());
    assert_eq!(page.matches("](../scenarios/museum/").count(), exhibits.len());
}
