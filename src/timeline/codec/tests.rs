use std::io::Cursor;

use proptest::prelude::*;
use serde_json::Value;

use crate::base::ids::{Id, RecordNo};
use crate::timeline::codec::{Writer, to_text};
use crate::timeline::digest::Digest;
use crate::timeline::ends::{DigestValue, Timeline};
use crate::timeline::read::{KINDS, LONGEST_LINE, ReadError, read};
use crate::timeline::sink::{Sink, Tee};
use crate::timeline::{random, spec_json};

proptest! {
    #[test]
    fn what_is_written_reads_back_and_writes_the_same(timeline in random::timeline()) {
        let text = to_text(&timeline);
        let back = read(Cursor::new(&text)).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&back, &timeline);
        prop_assert_eq!(to_text(&back), text);
        prop_assert_eq!(Digest::of(&back.records), timeline.footer.digest);
    }

    #[test]
    fn a_spec_reads_back(a: u32, b: u32, c: u64) {
        let spec = random::spec(a, b, c);
        let text = spec_json::to_text(&spec);
        let value: Value = serde_json::from_str(&text).expect("it is JSON");
        let back = spec_json::read(value).map_err(|e| TestCaseError::fail(e.cause))?;
        prop_assert_eq!(spec_json::to_text(&back), text);
        prop_assert_eq!(back, spec);
    }

    #[test]
    fn a_changed_byte_is_an_error_or_another_timeline(
        timeline in random::timeline(), place: prop::sample::Index, byte: u8,
    ) {
        let mut bytes = to_text(&timeline).into_bytes();
        let place = place.index(bytes.len());
        let same = bytes[place] == byte;
        bytes[place] = byte;
        match read(Cursor::new(&bytes)) {
            Err(error) => prop_assert!(!error.cause.is_empty() && !error.hint.is_empty()),
            Ok(back) => prop_assert!(same || back != timeline),
        }
    }

    #[test]
    fn a_cut_file_is_an_error(timeline in random::timeline(), place: prop::sample::Index) {
        let text = to_text(&timeline).into_bytes();
        prop_assert!(read(Cursor::new(&text[..place.index(text.len())])).is_err());
    }

    #[test]
    fn two_timelines_have_one_digest_only_if_equal(
        a in random::timeline(), b in random::timeline(),
    ) {
        prop_assert_eq!(a.footer.digest == b.footer.digest, a.records == b.records);
    }
}

#[test]
fn the_sinks_write_what_the_whole_is() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let timeline = timeline_of(&mut runner);
    let writer = Writer::new(Vec::new(), &timeline.header);
    let mut sink = Tee(Tee(Vec::new(), Digest::new()), writer);
    for (place, record) in timeline.records.iter().enumerate() {
        sink.record(RecordNo::from_index(place), record);
    }
    sink.finish(&timeline.footer);
    let Tee(Tee(records, digest), writer) = sink;
    assert_eq!(records, timeline.records);
    assert_eq!(digest.value(), timeline.footer.digest);
    let bytes = writer.end().expect("a vector takes everything");
    assert_eq!(String::from_utf8(bytes).unwrap(), to_text(&timeline));
}

fn timeline_of(runner: &mut proptest::test_runner::TestRunner) -> Timeline {
    use proptest::strategy::ValueTree;
    loop {
        let timeline = random::timeline().new_tree(runner).expect("no filter").current();
        if timeline.records.len() > 40 {
            return timeline;
        }
    }
}

#[test]
fn a_digest_may_go_on_and_begin_again() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let timeline = timeline_of(&mut runner);
    let mut digest = Digest::new();
    for record in &timeline.records {
        digest.take(record);
        digest.value();
    }
    assert_eq!(digest.value(), timeline.footer.digest);
    digest.reset();
    assert_eq!(digest.value(), Digest::new().value());
    timeline.records.iter().for_each(|record| digest.take(record));
    assert_eq!(digest.value(), timeline.footer.digest);
}

/// A timeline of all kinds by hand; also the example of docs/timeline.md.
const SMALL: &str = include_str!("small.jsonl");

#[test]
fn a_small_timeline_is_pinned() {
    let timeline = read(Cursor::new(SMALL)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(to_text(&timeline), SMALL);
    assert_eq!(Digest::of(&timeline.records), timeline.footer.digest);
    for kind in KINDS {
        assert!(SMALL.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
    }
}

#[test]
fn gaps_in_the_ids_of_a_run_do_not_show() {
    let timeline = read(Cursor::new(SMALL)).unwrap_or_else(|error| panic!("{error}"));
    let moved: Vec<_> = timeline.records.iter().cloned().map(with_gaps).collect();
    assert_ne!(moved, timeline.records);
    assert_eq!(Digest::of(&moved), timeline.footer.digest);
    assert_eq!(to_text(&Timeline { records: moved, ..timeline }), SMALL);
}

/// The same record from a run whose tasks have every second id only.
fn with_gaps(mut record: crate::timeline::record::Record) -> crate::timeline::record::Record {
    use crate::base::ids::TaskIx;
    use crate::swarmkit::task::UpdateMessage;
    use crate::timeline::record::{Fact, RequestOutcome, Waiting};
    let far = |task: TaskIx| TaskIx::from_index(task.index() * 2 + 1);
    match &mut record.fact {
        Fact::Task { task, .. }
        | Fact::Container { task, .. }
        | Fact::Health { task, .. }
        | Fact::Backend { task, .. }
        | Fact::Request { outcome: RequestOutcome::Answered(task), .. }
        | Fact::Waiting { reason: Waiting::NewTaskToRun(task), .. } => *task = far(*task),
        Fact::Update { status: Some(status), .. } => {
            if let UpdateMessage::RolledBackBy(task) = &mut status.message {
                *task = far(*task);
            }
        }
        _ => {}
    }
    record
}

fn error(text: &str) -> ReadError {
    read(Cursor::new(text)).expect_err("a mistake was made")
}

#[test]
fn mistakes_are_explained() {
    let swap = |from: &str, to: &str| {
        assert!(SMALL.contains(from), "{from}");
        let ReadError { line, cause, hint, .. } = error(&SMALL.replacen(from, to, 1));
        format!("{line}: {cause} ({hint})")
    };
    let mut found =
        vec![error("").to_string(), error("{}\n").to_string(), error("#\n").to_string()];
    found.push(swap("\"format\":1", "\"format\":2"));
    found.push(swap("\"no\":1,", "\"no\":2,"));
    found.push(swap("\"at\":0", "\"at\":0.5"));
    found.push(swap("\"at\":0", "\"at\":-1"));
    found.push(swap(
        "\"task\":\"web.1#1\",\"change\":\"desired\"",
        "\"task\":\"x\",\"change\":\"desired\"",
    ));
    found.push(swap("\"ordinal\":1", "\"ordinal\":2"));
    found.push(swap("\"maker\":\"orchestrator\"", "\"maker\":\"me\""));
    found.push(swap("\"maker\":\"orchestrator\"", "\"maker\":\"orchestrator\",\"x\":1"));
    found.push(swap(",\"maker\":\"orchestrator\"", ""));
    found.push(swap("\"state\":\"running\"", "\"state\":\"walking\""));
    found.push(swap("\"kind\":\"leader\"", "\"kind\":\"loser\""));
    found.push(swap("\"digest\":\"", "\"digest\":\"0"));
    found.push(error(&format!("{SMALL}\n")).to_string());
    found.push(
        error(&SMALL.replace("\n{\"kind\":\"footer\"", "\n\n{\"kind\":\"footer\"")).to_string(),
    );
    found.push(error(&SMALL[..SMALL.find("{\"kind\":\"footer\"").unwrap()]).to_string());
    found.push(error(&format!("{}\n", "x".repeat(LONGEST_LINE + 1))).to_string());
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn deep_nesting_is_a_mistake_and_no_crash() {
    let deep = format!("{}{}\n", "[".repeat(1 << 20), "]".repeat(1 << 20));
    assert!(error(&deep).cause.starts_with("the line is not JSON"));
    assert_eq!(DigestValue::parse("").map(|_| ()), None);
}

/// Not a test of speed: prints what a small task change costs (target: 15 ns; measured in release).
#[test]
#[ignore = "a measurement: cargo test --release -- --ignored --nocapture a_digest_costs"]
#[expect(clippy::disallowed_methods, reason = "a measurement takes real time")]
fn a_digest_costs_little() {
    let timeline = read(Cursor::new(SMALL)).unwrap_or_else(|error| panic!("{error}"));
    let mut digest = Digest::new();
    timeline.records.iter().for_each(|record| digest.take(record));
    let change = &timeline.records[10];
    let rounds = 10_000_000_u64;
    let start = std::time::Instant::now();
    for no in 0..rounds {
        let mut record = change.clone();
        record.at.0 += no * 1000;
        record.because = Some(RecordNo::from_index(18 + no as usize - 3));
        digest.take(&record);
    }
    println!("{} ns a change", start.elapsed().as_nanos() as u64 / rounds);
    assert_ne!(digest.value(), DigestValue::default());
}
