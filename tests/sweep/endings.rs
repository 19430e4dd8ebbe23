//! However a sweep ends, what is finished is kept, can be read, and is gone on with.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use super::support::{Output, Place, output, swarmsim};
use super::terminal::Terminal;

const SCENARIO: &str = "scenarios/whoami-one-replica.yaml";

/// A sweep into a file of a place.
fn arguments<'a>(path: &'a str, replicates: &'a str) -> Vec<&'a str> {
    vec!["sweep", SCENARIO, "--replicates", replicates, "--results", path]
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarmsim"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Goes on with what is there; the result is that of a sweep that was never interrupted.
fn goes_on(place: &Place, name: &str, replicates: &str) {
    let path = place.path(name).display().to_string();
    let other = place.path("whole.jsonl").display().to_string();
    let _ = std::fs::remove_file(&other);
    let whole = swarmsim(&arguments(&other, replicates));
    let mut resumed = arguments(&path, replicates);
    resumed.push("--resume");
    assert_eq!(swarmsim(&resumed), whole);
    assert_eq!(place.read(name), place.read("whole.jsonl"));
}

/// Waits until a file has more than so many bytes; stops after a while.
fn wait_for(place: &Place, name: &str, bytes: u64) {
    for _ in 0..6_000 {
        if std::fs::metadata(place.path(name)).is_ok_and(|file| file.len() > bytes) {
            return;
        }
        output(Command::new("sleep").arg("0.01"));
    }
    panic!("nothing is written");
}

#[test]
fn an_interrupted_sweep_keeps_what_is_finished() {
    let place = Place::new("sweep-signal");
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        let name = format!("{signal}.jsonl");
        let path = place.path(&name).display().to_string();
        let mut child = command(&arguments(&path, "9000"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        wait_for(&place, &name, 6_000);
        output(Command::new("kill").args(["-s", signal, &child.id().to_string()]));
        let mut told = String::new();
        let stderr = child.stderr.as_mut().expect("it is piped");
        stderr.read_to_string(&mut told).expect("it is text");
        let status = child.wait().expect("it ends");
        assert_eq!(status.signal(), Some(number), "{told}");
        let rest = format!(
            " runs are left\nwhat is done is in {path}: `swarmsim merge --partial` shows it, \
             --resume goes on\n"
        );
        let left = told.strip_prefix("interrupted: ").and_then(|told| told.strip_suffix(&rest));
        let left: u64 = left.unwrap_or_else(|| panic!("{told}")).parse().expect("a number");
        let kept = place.read(&name);
        assert!(kept.ends_with('\n'));
        let chunks = kept.lines().count() as u64 - 1;
        assert_eq!(chunks * 64, 9_000 - left);

        let shown = swarmsim(&["merge", "--partial", &path]);
        assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
        assert!(shown.stdout.contains(&format!("\n  {} runs\n", chunks * 64)), "{}", shown.stdout);
        // With fewer replicates it is another sweep, so the rest is left out by hand.
        let few = kept.replacen("\"replicates\":9000", "\"replicates\":640", 1);
        let few: Vec<&str> = few.lines().take(4).collect();
        place.write(&name, few.join("\n") + "\n");
        goes_on(&place, &name, "640");
    }
}

#[test]
fn an_interrupted_sweep_without_results_says_what_would_have_kept_them() {
    let mut child = command(&["sweep", SCENARIO, "--replicates", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // Once it watches for signals it works on two threads more.
    let status = format!("/proc/{}/status", child.id());
    for _ in 0..6_000 {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        if status.contains("SigCgt:\t") && watches_interrupts(&status) {
            break;
        }
        output(Command::new("sleep").arg("0.01"));
    }
    output(Command::new("kill").args(["-s", "INT", &child.id().to_string()]));
    let mut told = String::new();
    child.stderr.as_mut().expect("it is piped").read_to_string(&mut told).expect("it is text");
    assert_eq!(child.wait().expect("it ends").signal(), Some(2));
    assert!(told.starts_with("interrupted: "), "{told}");
    assert!(told.ends_with("with --results FILE, what is done would have been kept\n"), "{told}");
}

/// Whether a process handles SIGINT, by its bit in the mask of caught signals.
fn watches_interrupts(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t"));
    mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & 2 != 0)
}

/// A file that may not grow is like a disk that is full.
#[test]
fn a_full_disk_is_told_and_what_is_finished_is_kept() {
    let place = Place::new("sweep-full");
    let path = place.path("r.jsonl").display().to_string();
    let words = arguments(&path, "640");
    // In blocks of 512 or 1 024 bytes, as the shell has it.
    let script = "ulimit -f 20; exec \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script, "sh", env!("CARGO_BIN_EXE_swarmsim")]).args(&words);
    let failed = output(limited.current_dir(env!("CARGO_MANIFEST_DIR")));
    let told = format!(
        "error: cannot write {path}: File too large (os error 27)\nwhat is done is in {path}: \
         `swarmsim merge --partial` shows it, --resume goes on\n"
    );
    assert_eq!(failed, Output { code: Some(7), stdout: String::new(), stderr: told });
    let shown = swarmsim(&["merge", "--partial", &path]);
    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
    goes_on(&place, "r.jsonl", "640");
}

/// What is written at the end is told as well, and nothing is left behind.
#[test]
fn results_that_cannot_be_written_are_told() {
    let place = Place::new("sweep-unwritable");
    let plot = "no/such/directory/p.svg";
    let failed = swarmsim(&["sweep", SCENARIO, "--replicates", "1", "--plot", plot]);
    let told = format!("error: cannot write {plot}: No such file or directory (os error 2)\n");
    assert_eq!(failed, Output { code: Some(7), stdout: String::new(), stderr: told });

    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut child = command(&["sweep", SCENARIO, "--replicates", "1"]);
    let failed = child.stdout(full).stderr(Stdio::piped()).output().expect("it runs");
    let told = String::from_utf8(failed.stderr).expect("text");
    let why = "error: cannot write to standard output: No space left on device (os error 28)\n";
    assert_eq!((failed.status.code(), told.as_str()), (Some(7), why));

    let path = place.path("dir").display().to_string();
    std::fs::create_dir(&path).expect("it can be made");
    for (path, resume, why) in [
        ("/dev/full", true, "is no regular file"),
        (&path, true, "is no regular file"),
        ("/dev/full", false, "is there already; --resume goes on with it, if it is of this sweep"),
        ("/no/such/r.jsonl", true, "No such file or directory (os error 2)"),
    ] {
        let mut words = arguments(path, "1");
        words.extend(resume.then_some("--resume"));
        let told = format!("error: {path}: {why}\n");
        let stdout = String::new();
        assert_eq!(swarmsim(&words), Output { code: Some(7), stdout, stderr: told });
    }
}

/// Another version of the program may run otherwise, so its results are not mixed with ours.
#[test]
fn another_versions_results_are_not_gone_on_with() {
    let place = Place::new("sweep-version");
    let path = place.path("r.jsonl").display().to_string();
    let made = swarmsim(&arguments(&path, "130"));
    assert_eq!(made.code, Some(0));
    let version = env!("CARGO_PKG_VERSION");
    let other = place.read("r.jsonl").replacen(
        &format!("\"program\":\"{version}\""),
        "\"program\":\"0.0.9\"",
        1,
    );
    place.write("r.jsonl", other);
    let mut words = arguments(&path, "130");
    words.push("--resume");
    let told = format!(
        "error: {path} was begun by swarmsim 0.0.9, and this is {version}: runs may differ, so it \
         cannot go on\n"
    );
    assert_eq!(swarmsim(&words), Output { code: Some(3), stdout: String::new(), stderr: told });
    // It can be read all the same.
    let shown = swarmsim(&["merge", &path]);
    assert_eq!((shown.code, shown.stdout), (Some(0), made.stdout));
}

/// A sweep that had hardly begun, or whose file was damaged.
#[test]
fn what_is_left_of_a_file_is_taken_for_what_it_is() {
    let place = Place::new("sweep-torn");
    let path = place.path("r.jsonl").display().to_string();
    let words = arguments(&path, "130");
    assert_eq!(swarmsim(&words).code, Some(0));
    let whole = place.read("r.jsonl");
    for kept in [0, 20, whole.find('\n').expect("lines")] {
        place.write("r.jsonl", &whole[..kept]);
        goes_on(&place, "r.jsonl", "130");
        place.write("r.jsonl", &whole);
    }
    let lines: Vec<&str> = whole.lines().collect();
    let resumed = [words.as_slice(), &["--resume"]].concat();
    for (damaged, told) in [
        (vec![lines[0], lines[2]], "line 2: another chunk should stand here"),
        (vec![lines[0], lines[1], lines[1]], "line 3: this chunk was there before"),
        (vec![lines[0], lines[1], lines[3], lines[2]], "line 3: another chunk should stand here"),
        (vec![lines[0], "{}"], "line 2: missing field `cell` at line 1 column 2"),
        (vec![lines[1]], "line 1: this is not the header of a sweep: unknown"),
        (vec![""], "line 1: this is not the header of a sweep: EOF while parsing"),
    ] {
        let text = damaged.join("\n") + "\n";
        place.write("r.jsonl", &text);
        let refused = swarmsim(&resumed);
        let told = format!("error: {path}: {told}");
        assert!(refused.code == Some(3), "{damaged:?} {}", refused.stderr);
        if !told.ends_with("unknown") {
            assert!(refused.stderr.starts_with(&told), "{}", refused.stderr);
        }
        assert_eq!(place.read("r.jsonl"), text, "it is left as it is");
    }
    // A header that is longer than what is read at a time is no torn one.
    let long = format!("question={}", "x".repeat(20_000));
    let longer = [&resumed[..], &["--set", "expect=[]", "--vary", &long]].concat();
    std::fs::remove_file(&path).expect("it is there");
    assert_eq!(swarmsim(&longer).code, Some(0));
    let damaged = place.read("r.jsonl").replacen("\"cell\"", "\"sell\"", 1);
    place.write("r.jsonl", &damaged);
    assert_eq!(swarmsim(&longer).code, Some(3));
    assert_eq!(place.read("r.jsonl"), damaged);
    let order = [lines[0], lines[2], lines[1]].join("\n") + "\n";
    place.write("r.jsonl", order);
    let told = format!("error: {path}: line 3: this chunk should stand further up\n");
    assert_eq!(swarmsim(&["merge", &path]).stderr, told);
}

/// On a terminal there is a bar while it lasts, and nothing is left of it.
#[test]
fn a_terminal_has_a_bar_while_it_lasts() {
    let place = Place::new("sweep-bar");
    let out = File::create(place.path("out")).expect("it can be made");
    let mut terminal = Terminal::new();
    let child = command(&["sweep", SCENARIO, "--replicates", "1500"])
        .env("TERM", "xterm-256color")
        .stdout(out)
        .stderr(terminal.end())
        .spawn()
        .expect("it starts");
    let seen = terminal.watch(child);
    assert!(seen.iter().any(|screen| screen.contains(" of 1,500 runs, ")), "{seen:?}");
    assert_eq!(seen.last().map(|screen| screen.trim()), Some(""), "it is gone");
    let plain = swarmsim(&["sweep", SCENARIO, "--replicates", "1500"]);
    assert_eq!((place.read("out"), plain.stderr.as_str()), (plain.stdout, ""));
}
