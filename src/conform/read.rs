//! Cases from files: `.json` (one), `.jsonl` (one a line), `.jsonl.gz` (the same, compressed).
//!
//! A file may also hold a recording of a real engine, which has fields of its own. Every mistake is
//! reported with file, line and cause; nothing here panics.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::conform::case::Case;
use crate::conform::recording::Recording;
use crate::conform::step::StepOp;
use crate::swarmkit::task::NodeState;

/// Longest document in bytes, uncompressed. The longest recorded one has less than a hundredth of
/// it.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Most slots, replicas or nodes that a case may ask for: far more than a scripted world needs, and
/// little enough that a single number in a file cannot exhaust memory.
const MAX_COUNT: u64 = 1_000_000;

/// What a document is.
#[derive(Debug)]
pub enum Input {
    /// A conformance case.
    Case(Box<Case>),
    /// A recording of a real engine.
    Recording(Box<Recording>),
}

/// A mistake in a file, or a file that cannot be read.
#[derive(Debug)]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// Line and column, first = 1, if the mistake has a place.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub cause: String,
    /// Whether the file itself could not be read, as opposed to what it says.
    pub unreadable: bool,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.cause)
    }
}

impl std::error::Error for ReadError {}

/// The documents of a file, one after the other. After an error in a line the next line is read;
/// after an error of reading there is nothing more.
pub struct Documents {
    path: PathBuf,
    source: Box<dyn BufRead>,
    /// One document a line, or one document in all.
    by_line: bool,
    line: usize,
    done: bool,
}

/// Opens a file by what its name ends in.
///
/// # Errors
/// If it cannot be opened, or its name ends in something else.
pub fn open(path: &Path) -> Result<Documents, ReadError> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
    let name = name.unwrap_or_default();
    let (plain, compressed) = match name.strip_suffix(".gz") {
        Some(plain) => (plain, true),
        None => (name.as_str(), false),
    };
    let by_line = match plain.rsplit_once('.') {
        Some((_, "jsonl")) => true,
        Some((_, "json")) => false,
        _ => return Err(mistake(path, None, "expected a file .json, .jsonl or .jsonl.gz")),
    };
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let file = BufReader::new(file);
    let source: Box<dyn BufRead> = if compressed {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    Ok(Documents::new(path, source, by_line))
}

impl Documents {
    /// The documents in `source`; `path` is for messages.
    pub fn new(path: &Path, source: Box<dyn BufRead>, by_line: bool) -> Documents {
        Documents { path: path.to_path_buf(), source, by_line, line: 0, done: false }
    }

    /// The text of the next document that is not blank.
    fn next_text(&mut self) -> Option<Result<Vec<u8>, ReadError>> {
        loop {
            let mut text = Vec::new();
            let mut limited = self.source.by_ref().take(MAX_DOCUMENT + 1);
            let read = if self.by_line {
                limited.read_until(b'\n', &mut text)
            } else {
                limited.read_to_end(&mut text)
            };
            self.line += 1;
            match read {
                Err(error) => {
                    self.done = true;
                    return Some(Err(unreadable(&self.path, &broken(&error))));
                }
                Ok(length) if length as u64 > MAX_DOCUMENT => {
                    let cause = format!("a document of more than {} MiB", MAX_DOCUMENT >> 20);
                    return Some(Err(self.stop(&cause)));
                }
                Ok(0) if self.line == 1 => return Some(Err(self.stop("the file is empty"))),
                Ok(0) => return None,
                Ok(_) if text.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Some(Ok(text)),
            }
        }
    }

    fn stop(&mut self, cause: &str) -> ReadError {
        self.done = true;
        mistake(&self.path, Some((self.line, 1)), cause)
    }

    fn read(&self, text: Vec<u8>) -> Result<Input, ReadError> {
        let wrong = |place, cause: &str| mistake(&self.path, Some(place), cause);
        let text = String::from_utf8(text).map_err(|error| {
            wrong((self.line, 1 + error.utf8_error().valid_up_to()), "not UTF-8 text")
        })?;
        document(&text).map_err(|Mistake { line, column, cause }| {
            let line = if self.by_line { self.line } else { line.max(1) };
            wrong((line, column.max(1)), &cause)
        })
    }
}

impl Iterator for Documents {
    type Item = Result<Input, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        self.done = !self.by_line;
        let text = self.next_text();
        self.done |= text.is_none();
        Some(text?.and_then(|text| self.read(text)))
    }
}

/// What a file says is wrong.
fn mistake(path: &Path, place: Option<(usize, usize)>, cause: &str) -> ReadError {
    ReadError { path: path.to_path_buf(), place, cause: cause.to_string(), unreadable: false }
}

fn unreadable(path: &Path, cause: &str) -> ReadError {
    ReadError { unreadable: true, ..mistake(path, None, cause) }
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            format!("the compressed data is damaged: {error}")
        }
        _ => error.to_string(),
    }
}

/// What is wrong in a document, and where in it (0 = nowhere in particular).
struct Mistake {
    line: usize,
    column: usize,
    cause: String,
}

impl From<serde_json::Error> for Mistake {
    fn from(error: serde_json::Error) -> Mistake {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let cause = text.strip_suffix(&place).unwrap_or(&text).to_string();
        Mistake { line: error.line(), column: error.column(), cause }
    }
}

/// The fields that tell a recording from a case.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    format: Option<u32>,
    #[serde(default)]
    t0_utc: Option<IgnoredAny>,
}

fn document(text: &str) -> Result<Input, Mistake> {
    // A struct would also be read from a list of its fields; nobody writes that on purpose.
    if !text.trim_start().starts_with('{') {
        return Err(nowhere("expected a JSON object".to_string()));
    }
    let kind: Kind = serde_json::from_str(text)?;
    if kind.t0_utc.is_some() {
        return Ok(Input::Recording(Box::new(Recording::parse(text)?)));
    }
    match kind.format {
        Some(1) => {}
        Some(other) => return Err(nowhere(format!("format {other}; only format 1 can be read"))),
        None => {
            return Err(nowhere("neither a case nor a recording: no field `format`".to_string()));
        }
    }
    let case: Case = serde_json::from_str(text)?;
    check(&case).map_err(nowhere)?;
    Ok(Input::Case(Box::new(case)))
}

fn nowhere(cause: String) -> Mistake {
    Mistake { line: 0, column: 0, cause }
}

/// What the types cannot say.
fn check(case: &Case) -> Result<(), String> {
    let wrong = |what: String| Err(format!("case {}: {what}", case.id));
    if case.expect.is_empty() {
        return wrong("`expect` is empty: there is nothing to compare with".to_string());
    }
    if case.usual >= case.expect.len() {
        return wrong(format!(
            "`usual` is {}, but there are {} outcomes",
            case.usual,
            case.expect.len()
        ));
    }
    let images = case.steps.iter().filter_map(|step| match &step.op {
        StepOp::Update { set, .. } => set.image.as_ref(),
        _ => None,
    });
    if let Some(image) = images.chain([&case.service.image]).find(|i| !case.images.contains_key(*i))
    {
        return wrong(format!("image `{image}` is not among `images`"));
    }
    if case.images.values().any(|rules| rules.latency.reconnect.is_some()) {
        return wrong("latency `reconnect` belongs to nodes, not to an image".to_string());
    }
    let replicas = case.steps.iter().filter_map(|step| match &step.op {
        StepOp::Scale { replicas } => Some(*replicas),
        StepOp::Update { set, .. } => set.replicas,
        _ => None,
    });
    if let Some(many) = replicas.chain([case.service.replicas]).find(|n| *n > MAX_COUNT) {
        return wrong(format!("{many} replicas; at most {MAX_COUNT} are allowed"));
    }
    check_nodes(case).or_else(wrong)
}

fn check_nodes(case: &Case) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for node in &case.nodes {
        if !names.insert(&node.name) {
            return Err(format!("node `{}` appears twice", node.name));
        }
    }
    let asked = case.steps.iter().filter_map(|step| match &step.op {
        StepOp::Node { change, .. } | StepOp::NodeAdd { change, .. } => change.state,
        _ => None,
    });
    match case.nodes.iter().map(|node| node.state).chain(asked).find(|state| !can_be_asked(*state))
    {
        Some(state) => Err(format!("a node can be set ready or down, not {}", state.word())),
        None => Ok(()),
    }
}

/// The other states are results.
fn can_be_asked(state: NodeState) -> bool {
    matches!(state, NodeState::Ready | NodeState::Down)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::base::time::SimTime;
    use crate::conform::case::{
        Expectation, Final, FinalService, FinalTask, LatencyKind, Place, Stage,
    };
    use crate::conform::compare::{Verdict, compare};
    use crate::conform::event::{Event, What};

    const BARE: &str = r#"{"format":1,"id":"bare","nodes":[{"name":"n1"}],
        "scheduler":{"kind":"fixed","latency":[5,1]},"service":{"mode":"replicated","image":"v1"},
        "latency":{"ready":7,"stop":[1,2,3]},
        "images":{"v1":{"fail":[{"stage":"run","exit":3,"after":9,"slots":[2,"n1"],"nth":[1]}],
        "latency":{"ready":[8]}}},"steps":[{"at":1,"op":"create"}],"end":50,
        "expect":[{"final":{"tasks":{"1.1":["v1","running","failed",""]}},"events":[]}]}"#;

    /// A case with these outcomes, looked at until `end`.
    pub(in crate::conform) fn case_with(end: u64, outcomes: &[Vec<Event>]) -> Case {
        let Ok(Input::Case(mut case)) = read_one(BARE) else { panic!("the bare case is one") };
        let pattern = case.expect[0].clone();
        case.end = SimTime(end);
        case.expect = outcomes
            .iter()
            .map(|events| Expectation { events: events.clone(), ..pattern.clone() })
            .collect();
        *case
    }

    fn read_all(text: &str, by_line: bool) -> Vec<Result<Input, String>> {
        let source = Box::new(io::Cursor::new(text.as_bytes().to_vec()));
        Documents::new(Path::new("f"), source, by_line)
            .map(|item| item.map_err(|error| error.to_string()))
            .collect()
    }

    fn read_one(text: &str) -> Result<Input, String> {
        read_all(text, false).remove(0)
    }

    #[test]
    fn latencies_and_failure_rules_fit_by_image_place_and_turn() {
        let case = case_with(50, &[]);
        let latency = |kind| case.latency("v1", kind).0;
        assert_eq!(latency(LatencyKind::Ready), [8, 0, 0]);
        assert_eq!(latency(LatencyKind::Stop), [1, 2, 3]);
        assert_eq!(latency(LatencyKind::Accept), [0, 0, 0]);
        assert_eq!(case.latency("other", LatencyKind::Ready).0, [7, 0, 0]);
        assert_eq!(case.latency("v1", LatencyKind::Stop).of(10, 100).0, 321);
        let exit = |stage, place, nth| case.fail_rule("v1", stage, place, nth).map(|r| r.exit);
        assert_eq!(exit(Stage::Run, Place::Slot(2), 1), Some(3));
        assert_eq!(exit(Stage::Run, Place::Node("n1"), 1), Some(3));
        assert_eq!(exit(Stage::Run, Place::Slot(2), 2), None);
        assert_eq!(exit(Stage::Run, Place::Slot(1), 1), None);
        assert_eq!(exit(Stage::Start, Place::Slot(2), 1), None);
    }

    #[test]
    fn a_recording_is_recognised() {
        let text = r#"{"format":1,"t0_utc":"2026-11-23","name":"r","engine":{"server":"28.5.2"},
            "swarm":{"task_history_limit":5},"images":{},"service":{"name":"web"},"duration":1.5,
            "nodes":{"N1":{"hostname":"vm","role":"manager","labels":{},"cpus":2.0,
            "memory_bytes":1}},"steps":[],"events":[]}"#;
        assert!(matches!(read_one(text), Ok(Input::Recording(recording)) if recording.name == "r"));
        let error = read_one(r#"{"format":1,"t0_utc":"2026-11-23"}"#).unwrap_err();
        assert_eq!(error, "f:1:34: missing field `name`");
    }

    #[test]
    fn mistakes_have_file_line_and_cause() {
        let with = |from: &str, to: &str| {
            assert!(BARE.contains(from), "{from}");
            BARE.replacen(from, to, 1)
        };
        for (text, error) in [
            (String::new(), "f:1:1: the file is empty"),
            ("[1]".to_string(), "f:1:1: expected a JSON object"),
            ("{}".to_string(), "f:1:1: neither a case nor a recording: no field `format`"),
            ("{\n\"format\": }".to_string(), "f:2:11: expected value"),
            (with("\"format\":1", "\"format\":2"), "f:1:1: format 2; only format 1 can be read"),
            (with("\"end\"", "\"ends\""), "f:5:73: unknown field `ends`, expected one of"),
            (with("\"end\":50", "\"end\":-50"), "f:5:76: invalid value: integer `-50`"),
            (
                with("\"image\":\"v1\"", "\"image\":\"v2\""),
                "f:1:1: case bare: image `v2` is not among",
            ),
            (
                with("[5,1]", "[5,1,2,3]"),
                "f:2:56: invalid length 4, expected whole nanoseconds, or",
            ),
            (with("\"mode\":\"replicated\"", "\"mode\":\"job\""), "f:2:76: unknown variant `job`"),
        ] {
            let got = read_one(&text).map(|_| ()).expect_err(&text);
            assert!(got.starts_with(error), "{got}\n   should be {error}");
        }
    }

    #[test]
    fn after_a_bad_line_the_next_is_read() {
        let line = BARE.replace('\n', " ");
        let read = read_all(&format!("{line}\n\n{{]\n{line}"), true);
        assert!(matches!(
            &read[..],
            [Ok(Input::Case(_)), Err(error), Ok(Input::Case(_))] if error.starts_with("f:3:2: ")
        ));
    }

    #[test]
    fn damaged_and_missing_files_are_told() {
        let gz = Box::new(BufReader::new(MultiGzDecoder::new(io::Cursor::new(vec![1, 2, 3, 4]))));
        let mut documents = Documents::new(Path::new("f"), gz, true);
        let error = documents.next().expect("an error").expect_err("no gzip data");
        assert!(error.unreadable && error.cause.starts_with("the compressed data is damaged"));
        assert!(documents.next().is_none());
        assert!(open(Path::new("nowhere/x.json")).is_err_and(|error| error.unreadable));
        assert!(open(Path::new("x.yaml")).is_err_and(|error| error.cause.contains(".jsonl.gz")));
    }

    /// The recorded cases are read whole, and each outcome's events lead to its final state.
    #[test]
    fn the_recorded_cases_are_understood() {
        for (file, count) in [("hand.jsonl.gz", 123), ("random.jsonl.gz", 500)] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(file);
            let mut cases = 0;
            for input in open(&path).expect("it is in the repository") {
                let Ok(Input::Case(case)) = input else {
                    panic!("{file} has cases only: {input:?}")
                };
                cases += 1;
                for expectation in &case.expect {
                    assert_eq!(fold(&case, &expectation.events), expectation.last, "{}", case.id);
                    let verdict = compare(&case, &expectation.events);
                    assert!(matches!(verdict, Verdict::Conforms { .. }), "{}", case.id);
                }
            }
            assert_eq!(cases, count);
        }
    }

    /// The store that the events lead to.
    fn fold(case: &Case, events: &[Event]) -> Final {
        let mut last = Final { svc: None, tasks: BTreeMap::new() };
        for event in events.iter().filter(|event| event.at <= case.end) {
            match event.what.clone() {
                What::ServiceNew(s) | What::Service(s) => {
                    last.svc = Some(FinalService { img: s.img, status: s.status, msg: s.msg });
                }
                What::ServiceDeleted => last.svc = None,
                What::TaskNew(t) => {
                    let node = t.node.unwrap_or_default();
                    let task = FinalTask { img: t.img, desired: t.des, observed: t.obs, node };
                    last.tasks.insert(t.id, task);
                }
                What::Task(t) => {
                    let task = last.tasks.get_mut(&t.id).expect("it was created");
                    task.desired = t.des.unwrap_or(task.desired);
                    task.observed = t.obs.unwrap_or(task.observed);
                    task.node = t.node.unwrap_or(std::mem::take(&mut task.node));
                }
                What::TaskDeleted { id } => {
                    last.tasks.remove(&id);
                }
                _ => {}
            }
        }
        last
    }
}
