//! What several test files share: the shipped scenarios, runs in this process, and the binary.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use swarmsim::base::chance::Seed;
use swarmsim::cli::run::{broken_laws, records_of, settings};
use swarmsim::expect::{Verdict, evaluate};
use swarmsim::scenario::{self, Scenario};
use swarmsim::timeline::ends::{Footer, Header, Timeline};
use swarmsim::timeline::laws::{Severity, check_with};
use swarmsim::timeline::record::Record;

/// What a run of the binary left.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the binary at the root of the repository.
pub(crate) fn swarmsim(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmsim"));
    output(command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")))
}

/// The blocks of a document that are marked with `language`. A fence of four is around what has
/// fences itself.
pub(crate) fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let block = |(at, open): (usize, &str)| {
        let fence = if document[..at].ends_with('`') { "\n````" } else { "\n```" };
        let rest = &document[at + open.len()..];
        &rest[..=rest.find(fence).expect("the block ends")]
    };
    let blocks: Vec<&str> = document.match_indices(&opening).map(block).collect();
    assert!(!blocks.is_empty(), "no block of {language}");
    blocks
}

/// A `console` block is a command, which ends with one of these codes, and all that it prints, up
/// to a line of dots.
pub(crate) fn is_as_shown(block: &str, codes: &[i32], run: impl FnOnce(&[&str]) -> Output) {
    let (command, shown) = block.split_once('\n').expect("a command and its output");
    let words = shell_words::split(command).expect("a command line");
    assert_eq!(words[..2], ["$", "swarmsim"], "{command}");
    let arguments: Vec<&str> = words[2..].iter().map(String::as_str).collect();
    let output = run(&arguments);
    assert!(output.code.is_some_and(|code| codes.contains(&code)), "{command}: {output:?}");
    match shown.strip_suffix("…\n") {
        Some(front) => assert!(output.stdout.starts_with(front), "{command}\n{}", output.stdout),
        None => assert_eq!(output.stdout, shown, "{command}"),
    }
}

/// The shipped scenarios, sorted by name.
pub(crate) fn scenarios() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(dir).expect("the scenarios are there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("they can be listed").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}

/// The text of a shipped scenario.
pub(crate) fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.yaml"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A run in this process with what became of the expectations.
pub(crate) struct Ran {
    pub(crate) records: Vec<Record>,
    pub(crate) footer: Footer,
    pub(crate) verdicts: Vec<Verdict>,
}

/// Runs a valid scenario as `swarmsim run` does.
pub(crate) fn run(text: &str) -> Ran {
    let scenario: Scenario =
        scenario::load(text).unwrap_or_else(|problems| panic!("{}", problems.render("", text)));
    let scenario = Arc::new(scenario);
    let (records, footer) = records_of(&scenario);
    let broken = broken_laws(&scenario, &records, &footer);
    let verdicts = evaluate(&scenario, &records, &footer, &broken);
    Ran { records, footer, verdicts }
}

/// What a run writes to a file.
pub(crate) fn timeline(scenario: &Scenario, records: Vec<Record>, footer: Footer) -> Timeline {
    let header = Header::new(Seed(scenario.seed), scenario.to_json());
    Timeline { header, records, footer }
}

/// Where and how a run broke an invariant.
pub(crate) fn broken(scenario: &Scenario, records: &[Record], footer: &Footer) -> Vec<String> {
    let violations = check_with(settings(scenario), records, footer);
    let broken = violations.iter().filter(|v| v.law.severity == Severity::Invariant);
    broken.map(|v| format!("{} {}: {} ({:?})", v.at, v.law.id, v.text, v.no)).collect()
}

/// An empty directory that is gone when the test is over.
pub(crate) struct Place {
    path: PathBuf,
}

impl Place {
    pub(crate) fn new(name: &str) -> Place {
        let name = format!("swarmsim-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the temporary directory can be written to");
        Place { path }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("it can be written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it was written")
    }

    /// Names of what is there, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).expect("it is there");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("it can be listed").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The binary, to be run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swarmsim"));
        command.args(arguments).current_dir(&self.path);
        command
    }

    /// Runs the binary here.
    pub(crate) fn swarmsim(&self, arguments: &[&str]) -> Output {
        output(&mut self.command(arguments))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Runs a command to its end.
pub(crate) fn output(command: &mut Command) -> Output {
    let out = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    Output { code: out.status.code(), stdout: text(out.stdout), stderr: text(out.stderr) }
}
