//! Fuzz targets: every parser is given damaged files, and may answer or refuse, but not panic,
//! hang, or take memory without end.
//!
//! A few hundred inputs each in an ordinary run, always the same. With `FUZZ_SECONDS=600` each
//! target goes on for that long, from the seed `FUZZ_SEED`: CONTRIBUTING.md says what came of it.
//! Inputs whose answer was not seen before are damaged further, as a fuzzer that watches the code
//! keeps those that reach new code.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use swarmsim::client::command;
use swarmsim::compose::run::{self, Mistaken};
use swarmsim::conform::read::Documents;
use swarmsim::scenario;
use swarmsim::timeline::read;

/// Inputs of an ordinary run.
const INPUTS: usize = 400;

/// Inputs that are kept to be damaged further.
const KEPT: usize = 4_000;

/// Longest input, in bytes: damage is found in small files, and large ones are slow.
const LONGEST: usize = 40_000;

/// No input takes nearly as long, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// What hides in files that break parsers.
const WORDS: [&str; 44] = [
    "-1",
    "0",
    "1",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e309",
    ".nan",
    ".inf",
    "0x7f",
    "0o17",
    "1_000",
    "null",
    "~",
    "true",
    "no",
    "\"",
    "'",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a",
    "*a",
    "<<: ",
    "!!str",
    "|",
    ">",
    "#",
    "---",
    "...",
    "${X",
    "${X:-y}",
    "$$",
    "{{.ID}}",
    "1h1ns",
    "-5s",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{202e}\u{0}",
];

/// A parser: the answer to a text, in words. Numbers in it do not make it another answer.
type Target = fn(&str) -> String;

/// Damages files.
struct Damage {
    rng: ChaCha8Rng,
    corpus: Vec<Vec<u8>>,
}

impl Damage {
    fn below(&mut self, bound: usize) -> usize {
        (self.rng.next_u64() % bound.max(1) as u64) as usize
    }

    fn next(&mut self) -> Vec<u8> {
        let place = self.below(self.corpus.len());
        let mut input = self.corpus[place].clone();
        for _ in 0..=self.below(4) {
            self.once(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn once(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = (at + 1 + self.below(40)).min(input.len());
        match self.below(9) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 => input.insert(at, self.rng.next_u64() as u8),
            2 if at < end => drop(input.drain(at..end)),
            3 if at < end => {
                let piece = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, piece);
            }
            4 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            5 => self.replace_word(input),
            6 => {
                let other = self.below(self.corpus.len());
                let other = &self.corpus[other];
                let from = (self.rng.next_u64() % (other.len() as u64 + 1)) as usize;
                let piece = other[from..(from + 200).min(other.len())].to_vec();
                input.splice(at..at, piece);
            }
            7 => self.move_line(input),
            _ => input.truncate(at),
        }
    }

    /// Puts something else in the place of a value.
    fn replace_word(&mut self, input: &mut Vec<u8>) {
        let splits = |byte: &u8| b" \n\",:=[]{}".contains(byte);
        let at = self.below(input.len() + 1);
        let from = input[..at].iter().rposition(splits).map_or(0, |place| place + 1);
        let to = input[at..].iter().position(splits).map_or(input.len(), |place| at + place);
        let word = WORDS[self.below(WORDS.len())];
        input.splice(from..to, word.bytes());
    }

    fn move_line(&mut self, input: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> =
            input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let (from, to) = (self.below(lines.len()), self.below(lines.len()));
        let mut line = lines.remove(from);
        if self.below(2) == 0 {
            line.splice(0..0, *b"  ");
        }
        lines.insert(to.min(lines.len()), line);
        *input = lines.join(&b'\n');
    }
}

/// The answer without its numbers and names, so that one kind of answer counts once.
fn kind(answer: &str) -> String {
    let mut quoted = false;
    let mut kind = String::new();
    for c in answer.chars().take(300) {
        match c {
            '`' | '"' | '\'' => quoted = !quoted,
            c if quoted || c.is_ascii_digit() => {}
            c => kind.push(c),
        }
    }
    kind
}

#[expect(clippy::disallowed_methods, reason = "how long, is asked on the command line")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "how long a soak lasts is real time")]
fn fuzz(name: &str, files: Vec<String>, target: Target) {
    assert!(!files.is_empty(), "{name}");
    let (ask, inputs) = channel::<Vec<u8>>();
    let (tell, answers) = channel();
    std::thread::spawn(move || {
        for input in inputs {
            let text = String::from_utf8_lossy(&input).into_owned();
            let answer = catch_unwind(AssertUnwindSafe(|| target(&text))).ok();
            if tell.send(answer).is_err() {
                return;
            }
        }
    });
    let seed = number("FUZZ_SEED").unwrap_or(1);
    let corpus = files.into_iter().map(String::into_bytes).collect();
    let mut damage = Damage { rng: ChaCha8Rng::seed_from_u64(seed), corpus };
    let (mut kinds, mut count) = (BTreeSet::new(), 0);
    let (soak, begun) = (number("FUZZ_SECONDS").map(Duration::from_secs), Instant::now());
    while soak.map_or(count < INPUTS, |soak| begun.elapsed() < soak) {
        let input = damage.next();
        ask.send(input.clone()).unwrap();
        let answer = answered(name, &answers, &input);
        if kinds.len() < KEPT && kinds.insert(kind(&answer)) {
            damage.corpus.push(input);
        }
        count += 1;
    }
    println!("{name}: {count} inputs, {} kinds of answers", kinds.len());
    assert!(kinds.len() > 10, "{name} answers {} things", kinds.len());
}

/// The answer; an input without one is kept in a file.
fn answered(name: &str, answers: &Receiver<Option<String>>, input: &[u8]) -> String {
    let why = match answers.recv_timeout(PATIENCE) {
        Ok(Some(answer)) => return answer,
        Ok(None) | Err(RecvTimeoutError::Disconnected) => "a panic",
        Err(RecvTimeoutError::Timeout) => "no end in sight",
    };
    let file = std::env::temp_dir().join(format!("swarmsim-fuzz-{name}"));
    std::fs::write(&file, input).unwrap();
    panic!("{name}: {why}: {}", file.display());
}

/// The files of a folder and what is below it, as far as their names end like this.
fn files(folder: &str, end: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.to_string_lossy().ends_with(end) {
            let text = std::fs::read_to_string(&path).unwrap();
            texts.push(text.chars().take(LONGEST / 2).collect());
        }
    }
    texts
}

/// The smaller ones of a packed file's lines.
fn packed(file: &str) -> Vec<String> {
    let file = std::fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let lines = BufReader::new(MultiGzDecoder::new(file)).lines().map(Result::unwrap);
    let small: Vec<String> = lines.filter(|line| line.len() < LONGEST / 2).take(40).collect();
    assert!(!small.is_empty());
    small
}

#[test]
fn scenarios() {
    fuzz("scenario", files("scenarios", ".yaml"), |text| match scenario::load(text) {
        Ok(scenario) => {
            // What was read can be written, and read again.
            let written = scenario.to_json();
            let again = scenario::load(&written).expect("what is written can be read");
            assert_eq!(again.to_json(), written);
            "valid".to_string()
        }
        Err(problems) => {
            let rendered = problems.render("a.yaml", text);
            rendered.lines().next().unwrap_or("").to_string()
        }
    });
}

#[test]
fn stack_files() {
    let corpus = [files("stacks", ".yml"), files("tests/check/corpus", ".yml")].concat();
    fuzz("stack", corpus, |text| {
        let files = BTreeMap::new();
        let request =
            run::Request { name: "a.yml", text, behaviour: None, overrides: &[], files: &files };
        match run::load(request) {
            Ok(stack) => format!("valid, {:?}", stack.assumptions.first()),
            Err(Mistaken::Stack(problems) | Mistaken::Behaviour(problems)) => {
                let rendered = problems.render("a.yml", text);
                rendered.lines().next().unwrap_or("").to_string()
            }
        }
    });
}

#[test]
fn timelines() {
    let corpus = vec![include_str!("../src/timeline/codec/small.jsonl").to_string()];
    fuzz("timeline", corpus, |text| match read::read(Cursor::new(text)) {
        Ok(timeline) => format!("{} records", timeline.records.len()),
        Err(error) => error.to_string(),
    });
}

#[test]
fn conformance_cases() {
    let cases = packed("tests/conformance/hand.jsonl.gz");
    let recordings = packed("tests/recordings/engine-28.jsonl.gz");
    fuzz("case", [cases, recordings].concat(), |text| {
        let source = Box::new(Cursor::new(text.to_string()));
        let mut answer = String::new();
        for document in Documents::new(Path::new("a.json"), source, false).take(5) {
            answer += &match document {
                Ok(_) => "a case".to_string(),
                Err(error) => error.to_string(),
            };
        }
        answer
    });
}

#[test]
fn command_lines() {
    let scenarios = files("scenarios", ".yaml");
    let lines = scenarios.iter().flat_map(|text| text.lines());
    let lines =
        lines.filter_map(|line| line.split_once("docker ").map(|(_, rest)| rest.to_string()));
    fuzz("command", lines.collect(), |text| {
        let Ok(words) = shell_words::split(text) else { return "no words".to_string() };
        match command::parse(&words) {
            Ok(command) => format!("{command:?}").chars().take(40).collect(),
            Err(failure) => failure.stderr,
        }
    });
}
