//! Hostile timelines, for those who read, verify and explain them.

use std::fmt::Write as _;
use std::sync::Arc;

use swarmsim::cli::run::records_of;
use swarmsim::scenario;
use swarmsim::timeline::codec::to_text;
use swarmsim::timeline::digest::Digest;
use swarmsim::timeline::ends::Timeline;
use swarmsim::timeline::explain::{default_event, explain, matches};
use swarmsim::timeline::laws::check_all;
use swarmsim::timeline::read::{LONGEST_LINE, read};
use swarmsim::timeline::verify::{first_difference, shape};

use crate::support::shipped;
use crate::{Noise, guarded};

/// A run and its timeline as text.
fn timeline() -> (Timeline, String) {
    let text = shipped("whoami-one-replica");
    let scenario = scenario::load_with(&text, &["traffic=[]".to_string()]).expect("it is valid");
    let scenario = Arc::new(scenario);
    let (records, footer) = records_of(&scenario);
    let timeline = crate::support::timeline(&scenario, records, footer);
    let text = to_text(&timeline);
    (timeline, text)
}

/// All that is done with a timeline that could be read.
fn used(mut timeline: Timeline, other: &Timeline) {
    let _ = shape(&timeline);
    timeline.footer.digest = Digest::of(&timeline.records);
    let _ = shape(&timeline);
    let _ = check_all(&timeline.records, &timeline.footer);
    if let Some(event) = default_event(&timeline.records) {
        assert!(!explain(&timeline.records, event).is_empty());
    }
    for text in ["whoami.1#2", "99999999999999999999", "#0", "running"] {
        for event in matches(&timeline.records, text).into_iter().take(3) {
            assert!(!explain(&timeline.records, event).is_empty());
        }
    }
    let _ = first_difference(&timeline.records, &other.records, 5);
}

#[test]
fn a_timeline_cut_off_anywhere_is_refused() {
    guarded("cut", || {
        let (_, text) = timeline();
        for end in (0..text.len() - 1).step_by(97) {
            let error = read(&text.as_bytes()[..end]).expect_err("it is cut off");
            assert!(!error.cause.is_empty() && !error.hint.is_empty() && !error.unreadable);
        }
    });
}

/// Every number in turn is replaced by others; what can still be read is used to the end.
#[test]
fn a_timeline_with_other_numbers_is_refused_or_used() {
    let (refused, read_again) = guarded("numbers", || {
        let (timeline, text) = timeline();
        let lines: Vec<&str> = text.lines().collect();
        let (mut refused, mut read_again) = (0, 0);
        for (at, line) in lines.iter().enumerate().skip(1) {
            let digits = |c: char| c.is_ascii_digit();
            let mut places: Vec<(usize, usize)> = Vec::new();
            let mut from = 0;
            while let Some(start) = line[from..].find(digits).map(|start| start + from) {
                let end = line[start..].find(|c| !digits(c)).map_or(line.len(), |end| end + start);
                if line[..start].ends_with(':') {
                    places.push((start, end));
                }
                from = end;
            }
            let (start, end) = places[at % places.len()];
            for number in ["0", "1", "18446744073709551615", "9223372036854775807", "-1", "1e400"] {
                let changed = format!("{}{number}{}", &line[..start], &line[end..]);
                let mut all = lines.clone();
                all[at] = &changed;
                match read((all.join("\n") + "\n").as_bytes()) {
                    Err(error) => {
                        assert_eq!(error.line, at as u64 + 1, "{changed}: {error}");
                        refused += 1;
                    }
                    Ok(other) => {
                        used(other, &timeline);
                        read_again += 1;
                    }
                }
            }
        }
        (refused, read_again)
    });
    assert!(refused > 100 && read_again > 100, "{refused} refused, {read_again} read");
}

/// Lines taken out, doubled and exchanged, with their numbers made right again.
#[test]
fn a_timeline_with_lines_in_disorder_is_refused_or_used() {
    let (refused, read_again) = guarded("disorder", || {
        let (timeline, text) = timeline();
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        let mut noise = Noise(3);
        let (mut refused, mut read_again) = (0, 0);
        for _ in 0..150 {
            let mut all = lines.clone();
            for _ in 0..=noise.next(4) {
                let (one, other) = (1 + noise.next(all.len() - 2), 1 + noise.next(all.len() - 2));
                match noise.next(3) {
                    0 => drop(all.remove(one)),
                    1 => all.insert(one, all[other].clone()),
                    _ => all.swap(one, other),
                }
            }
            let last = all.len() - 1;
            for (no, line) in all[1..last].iter_mut().enumerate() {
                let rest = line.split_once(',').expect("several fields").1;
                *line = format!("{{\"no\":{no},{rest}");
            }
            match read((all.join("\n") + "\n").as_bytes()) {
                Err(_) => refused += 1,
                Ok(other) => {
                    used(other, &timeline);
                    read_again += 1;
                }
            }
        }
        (refused, read_again)
    });
    assert!(refused > 20 && read_again > 20, "{refused} refused, {read_again} read");
}

#[test]
fn timelines_that_want_memory_or_time_are_refused() {
    let header = timeline().1.lines().next().expect("a header").to_string();
    let long = format!("{{\"no\":0,\"x\":\"{}\"}}", "x".repeat(LONGEST_LINE));
    for (what, line, told) in [
        (
            "deep lists",
            "[".repeat(1_000_000),
            "the line is not JSON: recursion limit exceeded (column 128)",
        ),
        (
            "deep maps",
            "{\"a\":".repeat(500_000),
            "the line is not JSON: recursion limit exceeded (column 636)",
        ),
        ("a long line", long, "the line is longer than 4194304 bytes"),
        ("an empty line", String::new(), "the line is empty"),
        ("a list", "[1]".to_string(), "the line is a list"),
        (
            "a huge number",
            format!("{{\"no\":{}}}", "9".repeat(1_000_000)),
            "the line is not JSON: number out of range (column 1000006)",
        ),
        (
            "nothing known",
            "{\"kind\":\"x\",\"no\":0,\"at\":0}".to_string(),
            "\"kind\" is \"x\", which is no known word",
        ),
        (
            "an unknown task",
            "{\"kind\":\"task\",\"no\":0,\"at\":0,\"task\":\"a.1#1\",\"change\":\"deleted\"}"
                .to_string(),
            "the task \"a.1#1\" is not known yet",
        ),
        (
            "itself as cause",
            "{\"kind\":\"leader\",\"no\":0,\"at\":0,\"because\":0,\"term\":1}".to_string(),
            "the last line has no end",
        ),
    ] {
        let text = format!("{header}\n{line}\n{{");
        let error = guarded(what, move || read(text.as_bytes())).expect_err(what);
        assert_eq!(error.cause, told, "{what}");
    }
    let deep = format!("{}{{\"a\":", header.split("{\"name\"").next().expect("a part"));
    let error = read((deep + &"[".repeat(100_000) + "\n").as_bytes()).expect_err("it is deep");
    assert!(error.cause.contains("recursion limit exceeded"), "{}", error.cause);
}

/// Many services of one name, one after the other: reading does not take the square of it.
#[test]
fn a_name_with_many_bearers_is_read_in_time() {
    let read_again = guarded("bearers", || {
        let (_, text) = timeline();
        let header = text.lines().next().expect("a header");
        let created = text.lines().find(|line| line.contains("\"kind\":\"service\""));
        let (_, rest) =
            created.expect("a service").split_once("\"service\":\"whoami\"").expect("its name");
        let mut many = format!("{header}\n");
        for no in 0..30_000 {
            let name = if no == 0 { "whoami".to_string() } else { format!("whoami~{}", no + 1) };
            let _ = writeln!(
                many,
                "{{\"no\":{no},\"at\":0,\"kind\":\"service\",\"service\":\"{name}\"{rest}"
            );
        }
        let digest = "0".repeat(64);
        let _ = writeln!(
            many,
            "{{\"kind\":\"footer\",\"stop\":\"quiet\",\"at\":0,\"records\":30000,\"events\":1,\
             \"digest\":\"{digest}\"}}"
        );
        read(many.as_bytes()).map(|timeline| timeline.records.len())
    });
    assert_eq!(read_again, Ok(30_000));
}
