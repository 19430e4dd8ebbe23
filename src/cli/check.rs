//! `swarmsim check`: is a file valid, and what in a stack file is risky? Every mistake with its
//! place, every risk with a run that shows it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::base::time::Span;
use crate::check::{self, Finding, Question, RULES, Severity};
use crate::cli::exit::Exit;
use crate::cli::input::{Input, Mistake, Mistakes, WholeFile, input_with};
use crate::cli::say::{answer, complain, note};
use crate::render::check::{self as render, Checked, Valid};
use crate::scenario::Scenario;
use crate::scenario::expect::Claims;
use crate::scenario::model::Action;

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Scenario files and stack files
    #[arg(required_unless_present = "explain", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How the images of stack files behave, in place of their x-swarmsim blocks
    #[arg(long, value_name = "FILE")]
    behaviour: Option<PathBuf>,
    /// Ask these rules only, such as L02,L14
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    rule: Vec<String>,
    /// Do not ask these rules
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    skip: Vec<String>,
    /// Findings of that severity or a worse one make the exit code 1; without it, errors in stack
    /// files do, and nothing in scenarios
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// How long a rollout may take, such as 30m, for L22
    #[arg(long, value_name = "TIME", value_parser = window)]
    window: Option<Span>,
    /// Write the run of each finding to a folder, as a scenario file
    #[arg(long, value_name = "DIR")]
    witness: Option<PathBuf>,
    /// Show the page of a rule; `all` lists them
    #[arg(long, value_name = "RULE", conflicts_with = "files")]
    explain: Option<String>,
}

/// From which severity on findings make the exit code 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    fn least(self) -> Option<Severity> {
        match self {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Info => Some(Severity::Info),
            FailOn::Never => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code review
    Sarif,
    /// Test results
    Junit,
}

fn window(text: &str) -> Result<Span, String> {
    let span = Span::parse_go(text)?;
    if span > Span::ZERO { Ok(span) } else { Err("a time of more than 0".to_string()) }
}

/// Checks all files; the worst answer is the exit code.
pub fn run(args: &CheckArgs) -> Exit {
    if let Some(word) = &args.explain {
        return explain(word);
    }
    let Some(question) = question(args) else { return Exit::Usage };
    let mut worst = Exit::Success;
    let mut worse = |exit: Exit| {
        if exit as u8 > worst as u8 {
            worst = exit;
        }
    };
    let mut all = Vec::new();
    let mut taken = BTreeSet::new();
    for path in &args.files {
        let mut mistakes = Mistakes::default();
        let checked = one(path, args, &question, &mut mistakes).unwrap_or_else(|exit| {
            worse(exit);
            let of = |mistake: Mistake| {
                let Mistake { file, place, message } = mistake;
                render::Mistake { file, place, message }
            };
            Checked::invalid(path.display(), mistakes.0.into_iter().map(of).collect())
        });
        // A scenario is an experiment, and may be risky on purpose.
        let is_scenario = checked.valid.is_some_and(|valid| valid.services.is_none());
        let usual = if is_scenario { FailOn::Never } else { FailOn::Error };
        let fail_on = args.fail_on.unwrap_or(usual);
        if !checked.down.is_empty() && fail_on != FailOn::Never {
            worse(Exit::No);
        }
        if let Some(true) = checked.valid.map(|valid| valid.refused > 0) {
            worse(Exit::No);
        }
        let least = fail_on.least();
        let counts = |finding: &Finding| least.is_some_and(|least| finding.rule.severity >= least);
        if checked.findings.iter().any(counts) {
            worse(Exit::No);
        }
        if let Some(folder) = &args.witness
            && let Err((path, error)) = witnesses(folder, path, &checked.findings, &mut taken)
        {
            complain(format_args!("cannot write {}: {error}", path.display()));
            worse(Exit::File);
        }
        all.push(checked);
    }
    let format = match args.format {
        Format::Text => render::Format::Text,
        Format::Json => render::Format::Json,
        Format::Sarif => render::Format::Sarif,
        Format::Junit => render::Format::Junit,
    };
    answer(|out| render::write(out, format, &all).map(|()| worst))
}

/// The rules that are asked; nothing, after telling it, if there is no such rule.
fn question(args: &CheckArgs) -> Option<Question> {
    let mut unknown = false;
    let mut ids = |words: &[String]| {
        let mut ids = BTreeSet::new();
        for word in words.iter().map(|word| word.trim()) {
            if let Some(rule) = check::rule(word) {
                ids.insert(rule.id);
            } else {
                unknown = true;
                no_such_rule(word);
            }
        }
        ids
    };
    let (only, skipped) = (ids(&args.rule), ids(&args.skip));
    let mut question = Question { window: args.window, ..Question::all() };
    question
        .rules
        .retain(|id| (args.rule.is_empty() || only.contains(id)) && !skipped.contains(id));
    (!unknown).then_some(question)
}

fn no_such_rule(word: &str) {
    let first = RULES.first().map_or("", |rule| rule.id);
    complain(format_args!(
        "there is no rule {word}; rules are called like {first}: see check --explain all"
    ));
}

fn explain(word: &str) -> Exit {
    if word == "all" {
        return answer(|out| render::table(out).map(|()| Exit::Success));
    }
    if let Some(rule) = check::rule(word) {
        return answer(|out| render::page(out, rule).map(|()| Exit::Success));
    }
    no_such_rule(word);
    Exit::Usage
}

/// Reads a file and asks the rules.
fn one(
    path: &Path,
    args: &CheckArgs,
    question: &Question,
    mistakes: &mut Mistakes,
) -> Result<Checked, Exit> {
    let Input { scenario, services, refused } =
        input_with(path, &[], args.behaviour.as_deref(), mistakes)?;
    if !refused.is_empty() {
        note(refused);
        return Err(Exit::Invalid);
    }
    let refused = refused_lines(path, &scenario);
    let valid = Valid {
        services,
        steps: scenario.script.len(),
        expectations: scenario.expect.len(),
        refused,
    };
    let own = path.file_name().and_then(|name| name.to_str()).unwrap_or("stack.yml");
    let mut checked =
        Checked { valid: Some(valid), ..Checked::invalid(path.display(), Vec::new()) };
    let answer = match services {
        Some(_) => check::check(&scenario, own, question),
        None => check::check_script(&scenario, question),
    };
    match answer {
        Ok(answer) => (checked.findings, checked.down) = (answer.findings, answer.down),
        Err(why) => checked.unasked = Some(why.to_string()),
    }
    if services.is_none() {
        // An experiment may be about what does not come up.
        checked.down.clear();
    }
    Ok(checked)
}

/// Tells which docker lines the client refuses as they stand, and counts them. A line of which the
/// scenario expects something may be meant so.
fn refused_lines(path: &Path, scenario: &Scenario) -> usize {
    let meant = |number: usize| {
        let of_step = |claims: &Claims| match claims {
            Claims::Step { step, .. } => step.0 as usize == number,
            _ => false,
        };
        scenario.expect.iter().any(|expect| of_step(&expect.claims))
    };
    let mut refused = 0;
    for (number, step) in scenario.script.iter().enumerate() {
        let Action::Docker(line) = &step.action else { continue };
        let words = shell_words::split(line.text()).unwrap_or_default();
        let known = words.get(1).is_some_and(|word| word == "service" || word == "node");
        if let (true, false, Err(failure)) = (known, meant(number), line.command()) {
            let why = failure.stderr.lines().next().unwrap_or("").to_string();
            let path = path.display();
            note(format_args!("{path}:{}: docker refuses this line: {why}\n", step.line));
            refused += 1;
        }
    }
    refused
}

/// Writes the runs of findings as scenario files.
fn witnesses(
    folder: &Path,
    file: &Path,
    findings: &[Finding],
    taken: &mut BTreeSet<String>,
) -> Result<(), (PathBuf, io::Error)> {
    fs::create_dir_all(folder).map_err(|error| (folder.to_path_buf(), error))?;
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("stack");
    for finding in findings {
        let mut name = format!("{stem}-{}-{}.yaml", finding.rule.id, finding.service);
        // Two files may have one name, in different folders.
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{stem}-{number}-{}-{}.yaml", finding.rule.id, finding.service);
            number += 1;
        }
        let path = folder.join(name);
        let text = finding.witness.scenario.to_tree().to_lines();
        let head = format!(
            "# {} {} of {}: {}\n# What is expected here is the harm.\n",
            finding.rule.id, finding.rule.name, finding.service, finding.message
        );
        let written = WholeFile::create(&path).and_then(|mut out| {
            out.write_all(head.as_bytes())?;
            out.write_all(text.as_bytes())?;
            out.finish()
        });
        written.map_err(|error| (path, error))?;
    }
    Ok(())
}
