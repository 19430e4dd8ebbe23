//! What `conform` says of a case that it does not follow: expected beside simulated, and why.

mod support;

use std::fs::File;
use std::io::Read as _;

use flate2::read::GzDecoder;
use support::{Place, blocks, is_as_shown};

/// A line of a file of cases or recordings.
fn line_of(file: &str, wanted: &str) -> String {
    let path = format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut lines = String::new();
    let packed = File::open(path).expect("it is there");
    GzDecoder::new(packed).read_to_string(&mut lines).expect("it is whole");
    let line = lines.lines().find(|line| line.contains(wanted));
    line.unwrap_or_else(|| panic!("{file} has no {wanted}")).to_string()
}

fn damaged(line: &str, from: &str, to: &str) -> String {
    let damaged = line.replace(from, to);
    assert_ne!(damaged, line, "there is no {from}");
    damaged
}

/// The page shows a case whose script was changed and whose expectation was not.
#[test]
fn what_the_page_shows_of_a_damaged_case_is_printed() {
    let case = line_of("conformance/hand.jsonl.gz", "\"id\":\"basic-back-to-old-image\"");
    let place = Place::new("conform-causes");
    place.write("damaged.jsonl", damaged(&case, "\"delay\":2000000000", "\"delay\":1000000000"));
    let blocks = blocks(include_str!("../docs/conformance.md"), "console");
    for block in &blocks {
        is_as_shown(block, &[1], |words| place.swarmsim(words));
    }
}

fn conform(name: &str, text: String) -> String {
    let place = Place::new(name);
    place.write("damaged.jsonl", text);
    let output = place.swarmsim(&["conform", "damaged.jsonl"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
    output.stdout
}

/// Something is expected that comes later, or never.
#[test]
fn what_is_not_simulated_is_told_by_what_came_before_or_comes_after() {
    let case = line_of("conformance/hand.jsonl.gz", "\"id\":\"basic-back-to-old-image\"");
    let later = damaged(&case, "\"running\":[187310000,", "\"running\":[287310000,");
    insta::assert_snapshot!("later", conform("conform-later", later));
    // The request that comes before the longer delay is over makes slot 2 clean again.
    let never = damaged(&case, "\"delay\":2000000000", "\"delay\":3000000000");
    insta::assert_snapshot!("never", conform("conform-never", never));
}

/// A recording of which the simulator is told another rule.
#[test]
fn a_recording_that_parts_is_told_with_the_causes() {
    let recording = line_of("recordings/engine-28.jsonl.gz", "\"name\":\"par1-r4-delay1\"");
    let wrong = damaged(&recording, "\"--update-delay\",\"1s\"", "\"--update-delay\",\"3s\"");
    insta::assert_snapshot!("recording", conform("conform-recording", wrong));
}
