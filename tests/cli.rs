//! Every exit code and every mistake on the command line, whole: what is told, that standard output
//! is empty then, and that a file is written whole or not at all.
//!
//! Exit code 70 is for faults of our own; no input is known that leads there. `cli::fault` is
//! tested where it is.

mod support;

use std::fs;

use support::{Output, Place, output};

const SMALL: &str = "name: small\nscript:\n  - docker service create --name web web:1\n";

/// A place with some scenarios, and the timeline of one.
fn place(name: &str) -> Place {
    let place = Place::new(name);
    place.write("small.yaml", SMALL);
    place.write("bad.yaml", "name: a\nscrpt: []\n");
    place.write("latin.yaml", b"name: \xff\n");
    place.write("no.yaml", format!("{SMALL}expect:\n  - {{service: web, running: 2}}\n"));
    fs::create_dir(place.path("dir")).expect("the place is empty");
    let wrote = place.swarmsim(&["run", "small.yaml", "--quiet", "--timeline", "t.jsonl"]);
    assert_eq!(wrote.code, Some(0), "{wrote:?}");
    place
}

/// A command that ends with a code, nothing on standard output, and a text on standard error.
fn refused(place: &Place, line: &[&str], code: i32, stderr: &str) {
    let wanted = Output { code: Some(code), stdout: String::new(), stderr: stderr.to_string() };
    assert_eq!(place.swarmsim(line), wanted, "{line:?}");
}

/// A command that ends with a code, nothing on standard error, and a text on standard output.
fn answered(place: &Place, line: &[&str], code: i32, stdout: &str) {
    let wanted = Output { code: Some(code), stdout: stdout.to_string(), stderr: String::new() };
    assert_eq!(place.swarmsim(line), wanted, "{line:?}");
}

const BAD: &str = "\
bad.yaml:1:1: a scenario needs a `script`
   1 | name: a
     | ^
bad.yaml:2:1: unknown key `scrpt` in a scenario
   2 | scrpt: []
     | ^^^^^
  hint: did you mean `script`?
";

#[test]
fn zero_is_as_asked() {
    let place = place("zero");
    for line in [
        &["run", "small.yaml"][..],
        &["check", "small.yaml", "no.yaml"],
        &["explain", "small.yaml"],
        &["explain", "t.jsonl", "0"],
        &["verify", "t.jsonl"],
        &["--version"],
        &["help", "run"],
    ] {
        let output = place.swarmsim(line);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{line:?}");
        assert!(!output.stdout.is_empty(), "{line:?}");
    }
}

#[test]
fn one_is_the_answer_no() {
    let place = place("one");
    let output = place.swarmsim(&["run", "no.yaml", "--quiet", "--set", "name=it's"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stdout.ends_with("expectations\n  FAIL web: 2 tasks running; found: 1\n"));
    let repeat = "repeat with: swarmsim run no.yaml --seed 0 --set 'name=it'\\''s'\n";
    assert_eq!(output.stderr, repeat);
    for event in ["99999", "#24", "no such words", "", "web.2#1"] {
        let told = format!("error: no record of this run says \"{event}\"\n");
        refused(&place, &["explain", "t.jsonl", event], 1, &told);
    }
}

#[test]
fn the_command_that_repeats_a_failure_fails_in_the_same_way() {
    let place = place("repeat");
    fs::rename(place.path("no.yaml"), place.path("no way.yaml")).expect("it is there");
    let line = ["run", "no way.yaml", "--quiet", "--seed", "5", "--set", "watch=1m 3s"];
    let refusal = place.swarmsim(&line);
    assert_eq!(refusal.code, Some(3), "{refusal:?}");
    let first =
        place.swarmsim(&["run", "no way.yaml", "--quiet", "--seed", "5", "--set", "name=a b"]);
    let told = "repeat with: swarmsim run 'no way.yaml' --seed 5 --set 'name=a b'\n";
    assert_eq!((first.code, first.stderr.as_str()), (Some(1), told));
    let words = shell_words::split(told).expect("it can be typed");
    let mut again: Vec<&str> = words[3..].iter().map(String::as_str).collect();
    again.push("--quiet");
    assert_eq!(place.swarmsim(&again), first);
}

/// Command lines that are wrong, and what is told before the pointer to `--help`.
const WRONG_LINES: &[(&[&str], &str)] = &[
    (&["frobnicate"], "error: unrecognized subcommand 'frobnicate'\n\nUsage: swarmsim <COMMAND>\n"),
    (
        &["run"],
        "error: the following required arguments were not provided:\n  <FILE>\n\nUsage: \
             swarmsim run <FILE>\n",
    ),
    (
        &["check"],
        "error: the following required arguments were not provided:\n  <FILE>...\n\nUsage: \
             swarmsim check <FILE>...\n",
    ),
    (
        &["explain"],
        "error: the following required arguments were not provided:\n  <FILE>\n\nUsage: \
             swarmsim explain <FILE> [EVENT]\n",
    ),
    (
        &["verify"],
        "error: the following required arguments were not provided:\n  <FILE>\n\nUsage: \
             swarmsim verify <FILE>\n",
    ),
    (
        &["conform"],
        "error: the following required arguments were not provided:\n  <FILE>...\n\nUsage: \
             swarmsim conform <FILE>...\n",
    ),
    (
        &["run", "small.yaml", "no.yaml"],
        "error: unexpected argument 'no.yaml' found\n\nUsage: swarmsim run [OPTIONS] <FILE>\n",
    ),
    (
        &["run", "small.yaml", "--seed", "x"],
        "error: invalid value 'x' for '--seed <N>': invalid digit found in string\n",
    ),
    (
        &["run", "small.yaml", "--seed", "18446744073709551616"],
        "error: invalid value '18446744073709551616' for '--seed <N>': number too large to \
             fit in target type\n",
    ),
    (
        &["run", "small.yaml", "--seed=-1"],
        "error: invalid value '-1' for '--seed <N>': invalid digit found in string\n",
    ),
    (
        &["run", "small.yaml", "--seed"],
        "error: a value is required for '--seed <N>' but none was supplied\n",
    ),
    (
        &["run", "small.yaml", "--format", "bmp"],
        "error: invalid value 'bmp' for '--format <FORMAT>'\n  [possible values: text, json, html, \
         svg, mermaid, perfetto, asciicast, markdown, csv, junit]\n",
    ),
    (
        &["conform", "x.json", "--format", "xml"],
        "error: invalid value 'xml' for '--format <FORMAT>'\n  [possible values: text, json, \
             junit]\n",
    ),
    (
        &["run", "small.yaml", "--all", "--quiet"],
        "error: the argument '--all' cannot be used with '--quiet'\n\nUsage: swarmsim run \
             --all <FILE>\n",
    ),
    (
        &["run", "small.yaml", "--timeline", ""],
        "error: a value is required for '--timeline <FILE>' but none was supplied\n",
    ),
    (
        &["verify", "t.jsonl", "--frob"],
        "error: unexpected argument '--frob' found\n\n  tip: to pass '--frob' as a value, \
             use '-- --frob'\n\nUsage: swarmsim verify <FILE>\n",
    ),
];

#[test]
fn two_is_a_command_line_that_is_wrong() {
    let place = place("two");
    let more = "\nFor more information, try '--help'.\n";
    for (line, told) in WRONG_LINES.iter().copied() {
        refused(&place, line, 2, &format!("{told}{more}"));
    }
    let nothing = place.swarmsim(&[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(2), ""));
    assert!(nothing.stderr.contains("Usage: swarmsim <COMMAND>"), "{nothing:?}");
}

#[test]
fn three_is_a_scenario_that_is_not_valid() {
    let place = place("three");
    for command in ["run", "check", "explain"] {
        refused(&place, &[command, "bad.yaml"], 3, BAD);
        refused(&place, &[command, "latin.yaml"], 3, "error: latin.yaml is not UTF-8 text\n");
    }
    for (sets, told) in [
        (&["seed"][..], "--set: `seed` is not of the form KEY=VALUE\n"),
        (
            &["a.b=1", "=2"],
            "--set: `=2` is not of the form KEY=VALUE\n\
             --set: `a.b` does not exist, in the path `a.b`\n  hint: there is name or script\n",
        ),
        (&["watch=3"], "--set: `3` has no unit of time\n  hint: did you mean `3s`?\n"),
        (&["seed=-1"], "--set: `-1` is not a whole number of at least 0\n"),
        (
            &["script.2=x"],
            "--set: `2` is not in the list, in the path `script.2`\n  hint: did you mean `1`?\n",
        ),
    ] {
        let mut line = vec!["run", "small.yaml"];
        line.extend(sets.iter().flat_map(|set| ["--set", *set]));
        refused(&place, &line, 3, told);
    }
}

/// Lines of a timeline, changed.
fn damaged(place: &Place, name: &str, change: impl Fn(&mut Vec<String>)) {
    let mut lines: Vec<String> = place.read("t.jsonl").lines().map(str::to_string).collect();
    let before = lines.clone();
    change(&mut lines);
    assert_ne!(lines, before, "{name} is damaged");
    place.write(name, lines.join("\n") + "\n");
}

fn replace(lines: &mut [String], line: usize, from: &str, to: &str) {
    assert!(lines[line].contains(from), "{}", lines[line]);
    lines[line] = lines[line].replacen(from, to, 1);
}

/// Damaged timelines, and what is told of each; the undamaged one has `last` lines.
fn damages(last: usize) -> Vec<(&'static str, String)> {
    vec![
        (
            "cut",
            format!(
                "line {last}: the last line has no end\n  hint: the file was cut off; \
         let the run write it again\n"
            ),
        ),
        (
            "nofoot",
            format!(
                "line {last}: the file ends without a footer\n  hint: it was cut off; \
         let the run write it again\n"
            ),
        ),
        (
            "gone",
            "line 5: the record has number 4, but is number 3\n  hint: records are numbered \
         in order from 0; was a line taken out or doubled?\n"
                .to_string(),
        ),
        (
            "format",
            "line 1: the format has version 2; this program reads 1\n  hint: read it with \
         the version of swarmsim that wrote it\n"
                .to_string(),
        ),
        (
            "word",
            "line 3: \"change\" is \"tpyed\", which is no known word\n  hint: known are: \
         typed, printed, row, exited\n"
                .to_string(),
        ),
        (
            "more",
            format!(
                "line {}: there is a line after the footer\n  hint: the footer is the \
         last line\n",
                last + 1
            ),
        ),
        (
            "empty",
            "line 1: the file is empty\n  hint: a timeline begins with its \
         header\n"
                .to_string(),
        ),
        (
            "yaml",
            "line 1: the line is not JSON: expected ident (column 2)\n  hint: each line is \
         one JSON object\n"
                .to_string(),
        ),
        (
            "binary",
            "line 1: the line is not UTF-8\n  hint: timelines are text; is it \
         compressed?\n"
                .to_string(),
        ),
    ]
}

#[test]
fn three_is_a_timeline_that_is_none() {
    let place = place("three-timeline");
    let text = place.read("t.jsonl");
    let last = text.lines().count();
    place.write("cut.jsonl", &text[..text.len() - 30]);
    damaged(&place, "nofoot.jsonl", |lines| drop(lines.pop()));
    damaged(&place, "gone.jsonl", |lines| drop(lines.remove(4)));
    damaged(&place, "format.jsonl", |lines| replace(lines, 0, "\"format\":1", "\"format\":2"));
    damaged(&place, "word.jsonl", |lines| replace(lines, 2, "\"typed\"", "\"tpyed\""));
    damaged(&place, "more.jsonl", |lines| lines.push("{}".to_string()));
    damaged(&place, "digest.jsonl", |lines| {
        replace(lines, last - 1, "\"digest\":\"", "\"digest\":\"x");
    });
    place.write("empty.jsonl", "");
    place.write("yaml.jsonl", SMALL);
    place.write("binary.jsonl", b"\x1f\x8b\x08\n");
    for (name, told) in damages(last) {
        let file = format!("{name}.jsonl");
        for command in ["verify", "explain"] {
            refused(&place, &[command, &file], 3, &format!("error: {file}: {told}"));
        }
    }
    let digest = place.swarmsim(&["verify", "digest.jsonl"]);
    assert_eq!(digest.code, Some(3), "{digest:?}");
    assert!(digest.stderr.ends_with("  hint: a digest has 64 hexadecimal digits in lower case\n"));
}

/// The header's scenario is read only when the run is to be repeated.
#[test]
fn three_is_a_timeline_whose_scenario_is_not_valid() {
    let place = place("three-header");
    damaged(&place, "a.jsonl", |lines| replace(lines, 0, "\"script\"", "\"scrpt\""));
    let output = place.swarmsim(&["verify", "a.jsonl"]);
    assert_eq!(output.code, Some(3));
    let first = output.stderr.lines().next();
    assert_eq!(first, Some("a.jsonl (header):1:1: a scenario needs a `script`"));
    assert!(output.stdout.ends_with("laws: no invariant is broken\n"), "{output:?}");
    assert_eq!(place.swarmsim(&["verify", "a.jsonl", "--no-repetition"]).code, Some(0));
}

#[test]
fn three_is_a_case_that_cannot_be_read() {
    let place = place("three-case");
    place.write("empty.json", "");
    place.write("object.json", "{}");
    place.write("broken.jsonl", "{]\n");
    place.write("bytes.json", b"{\"\xff\"}");
    for (name, told) in [
        ("small.yaml", "expected a file .json, .jsonl or .jsonl.gz"),
        ("dir", "expected a file .json, .jsonl or .jsonl.gz"),
        ("empty.json", "1:1: the file is empty"),
        ("object.json", "1:1: neither a case nor a recording: no field `format`"),
        ("broken.jsonl", "1:2: key must be a string"),
        ("bytes.json", "1:3: not UTF-8 text"),
    ] {
        let between = if told.starts_with('1') { ":" } else { ": " };
        refused(&place, &["conform", name], 3, &format!("error: {name}{between}{told}\n"));
    }
}

#[test]
fn four_is_a_broken_invariant() {
    let place = place("four");
    damaged(&place, "digest.jsonl", |lines| {
        let last = lines.len() - 1;
        let at = lines[last].find("\"digest\":\"").expect("a digest") + 10;
        let other = if lines[last].as_bytes()[at] == b'0' { "1" } else { "0" };
        lines[last].replace_range(at..=at, other);
    });
    let output = place.swarmsim(&["verify", "digest.jsonl"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(4), ""));
    assert!(output.stdout.starts_with("shape: the footer's digest is "), "{output:?}");
    assert_eq!(output.stdout.lines().count(), 1);
    damaged(&place, "number.jsonl", |lines| {
        let start = lines[6].find("\"at\":").expect("a time") + 5;
        let end = start + lines[6][start..].find(',').expect("more");
        lines[6].replace_range(start..end, "1");
    });
    let output = place.swarmsim(&["verify", "number.jsonl"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(4), ""));
    assert!(output.stdout.starts_with("shape: record 5 is earlier than the one before it\n"));
    assert_eq!(output.stdout.lines().count(), 2, "its digest is another one, too: {output:?}");
}

#[test]
fn five_is_a_repetition_that_differs() {
    let place = place("five");
    damaged(&place, "seed.jsonl", |lines| replace(lines, 0, "\"seed\":0", "\"seed\":1"));
    damaged(&place, "image.jsonl", |lines| replace(lines, 0, "web:1\"", "web:2\""));
    damaged(&place, "events.jsonl", |lines| {
        let last = lines.len() - 1;
        replace(lines, last, "\"events\":", "\"events\":1");
    });
    for (name, difference) in [
        ("seed", "repetition: differs at record #0"),
        ("image", "repetition: differs at record #1"),
        ("events", "repetition: the records are equal, the end is not"),
    ] {
        let file = format!("{name}.jsonl");
        let output = place.swarmsim(&["verify", &file]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(5), ""), "{output:?}");
        let lines: Vec<&str> = output.stdout.lines().collect();
        assert_eq!(lines[1..3], ["laws: no invariant is broken", difference]);
        let told = |whose: &str| lines.iter().any(|line| line.trim_start().starts_with(whose));
        assert!(told("file") && told("again"), "{output:?}");
        let unrepeated = place.swarmsim(&["verify", &file, "--no-repetition"]);
        assert_eq!(unrepeated.code, Some(0));
        assert!(unrepeated.stdout.ends_with("repetition: not checked\n"));
    }
}

#[test]
fn six_is_a_limit_or_a_run_that_is_stuck() {
    let place = place("six");
    let two = "script.1=docker service create --replicas 2 --name web web:1";
    let stuck = "script=[docker service create --name web web:1, {wait: {state: paused}}]";
    for (sets, end) in [
        (&["limits.events=10"][..], "limit reached: events"),
        (&["limits.time=1s"], "limit reached: time"),
        (&["limits.per_instant=1"], "limit reached: events_per_instant"),
        (&["limits.tasks=1", two], "limit reached: tasks"),
        (&[stuck], "stuck: step 2 waits: update state paused, and nothing is pending"),
    ] {
        let mut line = vec!["run", "small.yaml", "--quiet", "--timeline", "six.jsonl"];
        line.extend(sets.iter().flat_map(|set| ["--set", *set]));
        let output = place.swarmsim(&line);
        assert_eq!(output.code, Some(6), "{output:?}");
        let told = output.stdout.lines().nth(1).and_then(|line| line.split_once("s  end: "));
        assert_eq!(told.map(|(_, end)| end), Some(end));
        assert!(output.stderr.starts_with("repeat with: swarmsim run small.yaml --seed 0 --set "));
        // Its timeline is whole, lawful, and repeats.
        let verified = place.swarmsim(&["verify", "six.jsonl"]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
    }
}

#[test]
fn seven_is_a_file_that_cannot_be_read() {
    let place = place("seven");
    let none = "No such file or directory (os error 2)";
    let dir = "Is a directory (os error 21)";
    for command in ["run", "check", "explain"] {
        refused(&place, &[command, "x.yaml"], 7, &format!("error: cannot read x.yaml: {none}\n"));
        refused(&place, &[command, "dir"], 7, &format!("error: cannot read dir: {dir}\n"));
    }
    for command in ["verify", "explain"] {
        refused(&place, &[command, "x.jsonl"], 7, &format!("error: cannot read x.jsonl: {none}\n"));
    }
    let told = format!(
        "error: dir: line 1: the file cannot be read: {dir}\n  hint: try again, or copy the file\n"
    );
    refused(&place, &["verify", "dir"], 7, &told);
    fs::create_dir(place.path("dir.json")).expect("there is none");
    place.write("cut.jsonl.gz", b"\x1f\x8b\x00");
    refused(&place, &["conform", "x.json"], 7, &format!("error: x.json: {none}\n"));
    refused(&place, &["conform", "dir.json"], 7, &format!("error: dir.json: {dir}\n"));
    let told = "error: cut.jsonl.gz: the compressed data is damaged: unexpected end of file\n";
    refused(&place, &["conform", "cut.jsonl.gz"], 7, told);
}

/// All files are checked, and the worst answer is the exit code.
#[test]
fn check_tells_the_worst() {
    let place = place("check");
    let output = place.swarmsim(&["check", "small.yaml", "x.yaml", "bad.yaml", "no.yaml"]);
    assert_eq!(output.code, Some(7));
    let valid = "small.yaml: valid, 1 step, 0 expectations\nno.yaml: valid, 1 step, 1 expectation\n\
         no findings\n";
    assert_eq!(output.stdout, valid);
    let none = "error: cannot read x.yaml: No such file or directory (os error 2)\n";
    assert_eq!(output.stderr, format!("{none}{BAD}"));
    assert_eq!(place.swarmsim(&["check", "bad.yaml", "small.yaml"]).code, Some(3));
}

/// A run that cannot be made leaves a file that is there as it is; a file that cannot be written
/// leaves nothing behind.
#[test]
fn a_timeline_is_written_whole_or_not_at_all() {
    let place = place("whole");
    let before = place.names();
    for (file, target, code, told) in [
        (
            "small.yaml",
            "none/t.jsonl",
            7,
            "error: cannot write none/t.jsonl: No such file or directory (os error 2)\n",
        ),
        (
            "small.yaml",
            "small.yaml/t",
            7,
            "error: cannot write small.yaml/t: Not a directory (os error 20)\n",
        ),
        ("small.yaml", "dir", 7, "error: cannot write dir: is a directory\n"),
        ("small.yaml", "..", 7, "error: cannot write ..: is a directory\n"),
        ("bad.yaml", "t.jsonl", 3, BAD),
        ("bad.yaml", "new.jsonl", 3, BAD),
        (
            "x.yaml",
            "t.jsonl",
            7,
            "error: cannot read x.yaml: No such file or directory (os error 2)\n",
        ),
    ] {
        let timeline = place.read("t.jsonl");
        refused(&place, &["run", file, "--timeline", target], code, told);
        assert_eq!(place.names(), before, "{file} to {target}");
        assert_eq!(place.read("t.jsonl"), timeline);
    }
    // What is there is replaced, and a link to it stays one.
    place.write("old.jsonl", "old\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink("old.jsonl", place.path("link.jsonl")).expect("it can be made");
    #[cfg(not(unix))]
    fs::hard_link(place.path("old.jsonl"), place.path("link.jsonl")).expect("it can be made");
    let line = ["run", "small.yaml", "--quiet", "--timeline", "link.jsonl"];
    assert_eq!(place.swarmsim(&line).code, Some(0));
    assert_eq!(place.read("link.jsonl"), place.read("t.jsonl"));
    #[cfg(unix)]
    assert_eq!(place.read("old.jsonl"), place.read("t.jsonl"));
    assert_eq!(place.names().len(), before.len() + 2);
}

#[test]
fn emitted_events_are_written_whole_or_not_at_all() {
    let place = place("emit");
    let packed = fs::File::open("tests/conformance/hand.jsonl.gz").expect("it is there");
    let mut cases = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed), &mut cases)
        .expect("it is whole");
    let case = cases.lines().next().expect("a case");
    let id = case.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
    place.write("one.jsonl", case);
    let one = "race orders of the cases that pass:\n       1  default\n1 passed, 0 failed\n";
    answered(&place, &["conform", "one.jsonl", "--emit", "dir"], 0, one);
    let name = format!("{id}.json");
    assert!(
        place.read(&format!("dir/{name}")).starts_with(&format!("{{\"id\":\"{id}\",\"events\":["))
    );
    let told = format!("error: none/{name}: No such file or directory (os error 2)\n");
    refused(&place, &["conform", "one.jsonl", "--emit", "none"], 7, &told);
    fs::create_dir_all(place.path(&format!("taken/{name}"))).expect("there is none");
    let told = format!("error: taken/{name}: Is a directory (os error 21)\n");
    refused(&place, &["conform", "one.jsonl", "--emit", "taken"], 7, &told);
    let left = fs::read_dir(place.path("taken")).expect("it is there").count();
    assert_eq!(left, 1, "the directory that was in the way, and nothing else");
    // A case that the model does not follow is the answer no.
    let wrong = case.replacen("\"delay\":2000000000", "\"delay\":1000000000", 1);
    assert_ne!(wrong, case);
    place.write("wrong.jsonl", wrong);
    let output = place.swarmsim(&["conform", "wrong.jsonl"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
    assert!(output.stdout.ends_with("0 passed, 1 failed\n"), "{output:?}");
}

/// Whoever closes the pipe has seen enough: no complaint, and no panic.
#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let place = place("pipe");
    for line in [
        &["run", "small.yaml"][..],
        &["run", "small.yaml", "--format", "json"],
        &["check", "small.yaml"],
        &["explain", "t.jsonl"],
        &["verify", "t.jsonl"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = output(place.command(line).stdout(writer));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{line:?}");
    }
}

/// A disk that is full is told, by every command, and leaves no part of a file.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let place = place("full");
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let cause = "No space left on device (os error 28)";
    for line in [
        &["run", "small.yaml"][..],
        &["run", "small.yaml", "--format", "json"],
        &["check", "small.yaml"],
        &["explain", "t.jsonl"],
        &["verify", "t.jsonl"],
    ] {
        let output = output(place.command(line).stdout(full()));
        let told = format!("error: cannot write to standard output: {cause}\n");
        assert_eq!((output.code, output.stderr), (Some(7), told), "{line:?}");
    }
    // It is a device: it is written to, and not replaced.
    let line = ["run", "small.yaml", "--quiet", "--timeline", "/dev/full"];
    refused(&place, &line, 7, &format!("error: cannot write /dev/full: {cause}\n"));
    let nowhere = place.command(&["run", "x.yaml"]).stderr(full()).status();
    assert_eq!(nowhere.expect("it runs").code(), Some(7));
}
