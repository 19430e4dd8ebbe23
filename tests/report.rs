//! `report`, `diff` and `completions` as somebody uses them, and the pictures of the gallery.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use support::swarmsim;
use swarmsim::cli::report::header;
use swarmsim::cli::run::records_of;
use swarmsim::expect::{Claim, Verdict};
use swarmsim::metrics::Metrics;
use swarmsim::render::report::{Format, Report, write};
use swarmsim::scenario::load;
use swarmsim::timeline::ends::Timeline;

mod support;

/// The pictures: file, scenario.
const GALLERY: [&str; 6] =
    ["whoami-autorollback", "parallelism", "delay", "order", "failure-ratio", "jobs"];

const FORMATS: [&str; 8] =
    ["html", "svg", "mermaid", "perfetto", "asciicast", "markdown", "csv", "junit"];

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("swarmsim-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn at(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `just gallery` makes them anew.
#[test]
fn the_gallery_is_as_the_tool_draws_it() {
    let page = include_str!("../docs/gallery.md");
    for name in GALLERY {
        let scenario = format!("scenarios/{name}.yaml");
        let drawn = swarmsim(&["report", &scenario, "--format", "svg"]);
        assert_eq!((drawn.code, drawn.stderr.as_str()), (Some(0), ""), "{name}");
        let file = format!("docs/gallery/{name}.svg");
        let shown = std::fs::read_to_string(&file).unwrap();
        assert!(drawn.stdout == shown, "{file} is not what the tool draws: just gallery");
        assert!(page.contains(&format!("(gallery/{name}.svg)")), "{name} is not on the page");
    }
}

#[test]
fn a_file_and_its_scenario_give_the_same_report() {
    let folder = folder("report-same");
    let timeline = folder.join("run.jsonl");
    let scenario = "scenarios/whoami-one-replica.yaml";
    swarmsim(&["run", scenario, "--quiet", "--timeline", at(&timeline)]);
    for format in FORMATS {
        let of = |file: &str| swarmsim(&["report", file, "--format", format]);
        let (a, b) = (of(scenario), of(at(&timeline)));
        assert_eq!((a.code, a.stderr.as_str(), a.stdout.is_empty()), (Some(0), "", false));
        assert!(a.stdout == b.stdout, "{format}");
        let run = swarmsim(&["run", scenario, "--format", format]);
        assert!(run.stdout == a.stdout, "{format}");
        let out = folder.join(format);
        let written = swarmsim(&["report", scenario, "--format", format, "--out", at(&out)]);
        assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
        assert!(std::fs::read_to_string(&out).unwrap() == a.stdout, "{format}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A timeline of a stranger may say anything.
#[test]
fn names_of_a_stranger_stay_text() {
    let folder = folder("report-hostile");
    let timeline = folder.join("run.jsonl");
    swarmsim(&["run", "scenarios/whoami-one-replica.yaml", "-q", "--timeline", at(&timeline)]);
    let text = std::fs::read_to_string(&timeline).unwrap();
    let odd = "\\u001b[2J<script>alert(1)</script>|`a`,\\\"=x\\u202e\\u0000";
    let hostile = text.replace("lucj/whoami:2.0", odd);
    assert_ne!(hostile, text);
    std::fs::write(&timeline, hostile).unwrap();
    for format in FORMATS {
        let told = swarmsim(&["report", at(&timeline), "--format", format]);
        assert_eq!(told.code, Some(0), "{format}: {}", told.stderr);
        let raw = |c: char| c.is_control() && !matches!(c, '\n' | '\r');
        assert!(!told.stdout.chars().any(raw), "{format} has a control character");
        if matches!(format, "html" | "svg" | "markdown" | "junit" | "mermaid") {
            assert!(!told.stdout.contains("<script>alert"), "{format} has markup");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Two runs are on one page only.
#[test]
fn only_a_page_has_room_for_two() {
    let two = ["report", "scenarios/vote.yaml", "scenarios/jobs.yaml"];
    let page = swarmsim(&two);
    assert_eq!(page.code, Some(0));
    assert!(page.stdout.contains("<title>vote and jobs</title>"), "{}", &page.stdout[..500]);
    let picture = swarmsim(&[&two[..], &["--format", "svg"]].concat());
    assert_eq!(picture.code, Some(2));
    let message = "error: only a page (--format html) has room for two runs\n";
    assert_eq!(picture.stderr, message);
}

#[test]
fn where_two_runs_part() {
    let same = swarmsim(&["diff", "scenarios/vote.yaml", "scenarios/vote.yaml"]);
    assert_eq!(same.code, Some(0));
    assert!(same.stdout.ends_with(" records, all equal\n"), "{}", same.stdout);
    let folder = folder("diff");
    let other = folder.join("other.jsonl");
    let scenario = "scenarios/whoami-autorollback.yaml";
    let set = "images.lucj/whoami:2.0.health=ok";
    swarmsim(&["run", scenario, "-q", "--set", set, "--timeline", at(&other)]);
    let parted = swarmsim(&["diff", scenario, at(&other), "-U", "1"]);
    assert_eq!((parted.code, parted.stderr.as_str()), (Some(1), ""));
    let lines: Vec<&str> = parted.stdout.lines().skip(2).collect();
    assert!(lines[0].starts_with("@@ record ") && lines.len() == 6, "{}", parted.stdout);
    assert!(lines[2].contains("probe failed") && lines[4].contains("probe"), "{}", parted.stdout);
    // The same records from another scenario, and the same records but another end.
    let text = std::fs::read_to_string(&other).unwrap();
    let twin = folder.join("twin.jsonl");
    std::fs::write(&twin, text.replacen("\"seed\":", "\"seed\":1", 1)).unwrap();
    let equal = swarmsim(&["diff", at(&other), at(&twin)]);
    assert_eq!((equal.code, equal.stderr.as_str()), (Some(0), ""));
    assert!(equal.stdout.contains("these differ: seed 7 | 17\n"), "{}", equal.stdout);
    std::fs::write(&twin, text.replacen("script_done", "quiet", 1)).unwrap();
    let ends = swarmsim(&["diff", at(&other), at(&twin)]);
    assert_eq!(ends.code, Some(1), "{}", ends.stderr);
    assert!(
        ends.stdout.contains("\nbut the ends differ: everything is done at "),
        "{}",
        ends.stdout
    );
    std::fs::remove_dir_all(&folder).unwrap();
    let missing = swarmsim(&["diff", scenario, "no-such-file.yaml"]);
    assert_eq!(missing.code, Some(7));
}

/// What is run first may be run with another seed, or otherwise than it says.
#[test]
fn seeds_and_overrides_reach_what_is_run_first() {
    let scenario = "scenarios/vote.yaml";
    let other = swarmsim(&["explain", scenario, "--seed", "8"]);
    assert_eq!((other.code, other.stderr.as_str()), (Some(0), ""));
    assert_ne!(other.stdout, swarmsim(&["explain", scenario]).stdout);
    let set = ["--set", "images.lucj/whoami:2.0.health=ok"];
    let whoami = "scenarios/whoami-autorollback.yaml";
    let told = swarmsim(&[&["report", whoami, "--format", "markdown"], &set[..]].concat());
    assert!(told.stdout.contains("completed after"), "{}", told.stdout);
    let folder = folder("report-set");
    let timeline = folder.join("run.jsonl");
    swarmsim(&["run", scenario, "-q", "--timeline", at(&timeline)]);
    let refused = swarmsim(&["explain", at(&timeline), "--seed", "8"]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}

#[test]
fn a_report_that_cannot_be_written_leaves_nothing() {
    let scenario = "scenarios/vote.yaml";
    let out = "no/such/folder/a.svg";
    let failed = swarmsim(&["report", scenario, "--format", "svg", "--out", out]);
    assert_eq!(failed.code, Some(7));
    assert!(failed.stderr.starts_with("error: cannot write no/such/folder/a.svg: "));
    let unknown = swarmsim(&["report", scenario, "--format", "bmp"]);
    assert_eq!(unknown.code, Some(2));
}

/// The commands of docs/report.md print what it shows, and write the files that they name.
#[test]
fn the_page_on_reports_tells_the_truth() {
    let folder = folder("report-docs");
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    std::os::unix::fs::symlink(scenarios, folder.join("scenarios")).unwrap();
    let blocks = include_str!("../docs/report.md").split("```console\n").skip(1);
    let mut commands = 0;
    for block in blocks.map(|rest| rest.split("```").next().unwrap()) {
        let (command, shown) = block.split_once('\n').unwrap();
        let words = shell_words::split(command).unwrap();
        assert_eq!(words[..2], ["$", "swarmsim"], "{command}");
        let binary = std::process::Command::new(env!("CARGO_BIN_EXE_swarmsim"))
            .args(&words[2..])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(binary.stdout).unwrap(), shown, "{command}");
        assert_eq!(String::from_utf8(binary.stderr).unwrap(), "", "{command}");
        if let Some(place) = words.iter().position(|word| word == "--out") {
            let page = std::fs::read_to_string(folder.join(&words[place + 1])).unwrap();
            assert!(page.starts_with("<!doctype html>"), "{command}");
        }
        commands += 1;
    }
    assert_eq!(commands, 3);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn shells_are_told_what_there_is() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = swarmsim(&["completions", shell]);
        assert_eq!(script.code, Some(0));
        assert!(script.stdout.contains("sweep") && script.stdout.contains("timeline"), "{shell}");
    }
}

/// One replica, a version that leaves at once, a rollback, a fault: as little as shows everything.
const SCENARIO: &str = "
name: small | <b>odd</b>
seed: 1
images:
  shop/web:2: {exit: {after: 1s, code: 3}}
script:
- docker service create --name web --update-failure-action rollback --update-monitor 2s shop/web:1
- docker service update --image shop/web:2 web
faults:
- {at: 8s, service: web, slot: 1, kill: 9}
";

fn timeline(text: &str) -> Timeline {
    let scenario = Arc::new(load(text).unwrap());
    let (records, footer) = records_of(&scenario);
    Timeline { header: header(&scenario), records, footer }
}

fn text(format: Format, timeline: &Timeline) -> String {
    let metrics = Metrics::of(&timeline.records, &timeline.footer);
    let claim = |text: &str, found: Option<&str>| Claim {
        text: text.to_string(),
        found: found.map(str::to_string),
    };
    let claims = vec![claim("web: 1 task runs", None), claim("a < b & \"c\"", Some("<d>"))];
    let verdicts = [Verdict { line: 3, claims }];
    let name = "small | <b>odd</b>";
    let report = Report { timeline, name, metrics: &metrics, verdicts: &verdicts, unread: None };
    let mut out = Vec::new();
    write(&mut out, format, &report).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_is_as_it_was() {
    let timeline = timeline(SCENARIO);
    for (name, format) in [
        ("svg", Format::Svg),
        ("mermaid", Format::Mermaid),
        ("perfetto", Format::Perfetto),
        ("asciicast", Format::Asciicast),
        ("markdown", Format::Markdown),
        ("csv", Format::Csv),
        ("junit", Format::Junit),
    ] {
        insta::assert_snapshot!(name, text(format, &timeline));
    }
}

/// A thread's slices lie side by side or within one another; a picture has a band for each service,
/// whatever the order in which their updates began.
#[test]
fn what_overlaps_is_told_apart() {
    let overlapping = timeline(&std::fs::read_to_string("scenarios/order.yaml").unwrap());
    let trace: serde_json::Value =
        serde_json::from_str(&text(Format::Perfetto, &overlapping)).unwrap();
    let mut ends = std::collections::BTreeMap::new();
    let mut names = std::collections::BTreeSet::new();
    for event in trace["traceEvents"].as_array().unwrap() {
        let key = (event["pid"].as_u64(), event["tid"].as_u64());
        if event["ph"] == "X" {
            let (from, lasts) = (event["ts"].as_u64().unwrap(), event["dur"].as_u64().unwrap());
            let end = ends.insert(key, from + lasts).unwrap_or(0);
            assert!(from >= end, "{event} begins before {end}");
        }
        let named = event["name"] == "thread_name";
        assert!(!named || names.insert(key), "{event} is named twice");
    }
    // One thread has no slices: that of commands and faults.
    assert_eq!(ends.len() + 1, names.len());
    let twice = "
name: twice
seed: 1
script:
- docker service create --name a --detach=false w:1
- docker service create --name b --detach=false w:1
- docker service update --image w:2 --detach=false a
- docker service update --image w:2 --detach=false b
- docker service update --image w:3 --detach=false a
";
    let picture = text(Format::Svg, &timeline(twice));
    assert_eq!(picture.matches("a: update").count(), 1, "{picture}");
}

#[test]
fn json_is_json() {
    let timeline = timeline(SCENARIO);
    let trace: serde_json::Value =
        serde_json::from_str(&text(Format::Perfetto, &timeline)).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 20);
    let mut last = 0.0;
    for line in text(Format::Asciicast, &timeline).lines().skip(1) {
        let event: (f64, String, String) = serde_json::from_str(line).unwrap();
        assert!(event.0 >= last && event.1 == "o" && event.2.ends_with("\r\n"), "{line}");
        last = event.0;
    }
}

/// Many slots are counted, not drawn.
#[test]
fn a_picture_of_many_slots_stays_small() {
    let many = SCENARIO.replace("--name web", "--name web --replicas 300");
    let picture = text(Format::Svg, &timeline(&many));
    assert!(picture.contains("… 240 more slots"), "{picture}");
    assert!(picture.len() < 60_000, "{}", picture.len());
    let chart = text(Format::Mermaid, &timeline(&many));
    assert!(chart.contains("    240 more slots :milestone"), "{chart}");
    assert!(chart.len() < 50_000, "{}", chart.len());
}
