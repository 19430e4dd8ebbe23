//! The command line.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use swarmsim::cli;

/// What will Docker Swarm do, and when, if I roll out this change?
#[derive(Parser, Debug)]
#[command(name = "swarmsim", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a scenario: what happens, and why
    Run(cli::run::RunArgs),
    /// What would this deploy do, if all goes well and if it does not?
    Plan(cli::plan::PlanArgs),
    /// Which settings meet my goals, and what is the cheapest change?
    Advise(cli::advise::AdviseArgs),
    /// Watch a run: forwards, backwards, and what would have happened
    Play(cli::play::PlayArgs),
    /// A run as a picture, a chart, a trace, a table, a recording
    Report(cli::report::ReportArgs),
    /// Where do two runs part?
    Diff(cli::diff::DiffArgs),
    /// What one setting does, with two or three values side by side
    Demo(cli::demo::DemoArgs),
    /// Check files: every mistake with its place, and what in a stack file is risky
    Check(cli::check::CheckArgs),
    /// Why did that happen? The chain of causes of an event
    Explain(cli::explain::ExplainArgs),
    /// Is a timeline whole, and does it repeat?
    Verify(cli::verify::VerifyArgs),
    /// Replay what a real Swarm did, and show where the model parts from it
    Conform(cli::conform::ConformArgs),
    /// Run a scenario many times, with many settings: how long, how likely?
    Sweep(cli::sweep::SweepArgs),
    /// Put the results of a sweep's shards together
    Merge(cli::sweep::MergeArgs),
    /// The JSON Schema of scenario files, for editors
    Schema,
    /// Completions for a shell
    Completions(cli::completions::CompletionsArgs),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli::fault::guarded(|| match arguments.command {
        Command::Run(args) => cli::run::run(&args),
        Command::Plan(args) => cli::plan::run(&args),
        Command::Advise(args) => cli::advise::run(&args),
        Command::Play(args) => cli::play::run(&args),
        Command::Report(args) => cli::report::run(&args),
        Command::Diff(args) => cli::diff::run(&args),
        Command::Demo(args) => cli::demo::run(&args),
        Command::Check(args) => cli::check::run(&args),
        Command::Explain(args) => cli::explain::run(&args),
        Command::Verify(args) => cli::verify::run(&args),
        Command::Conform(args) => cli::conform::run(&args),
        Command::Sweep(args) => cli::sweep::run(&args),
        Command::Merge(args) => cli::sweep::run_merge(&args),
        Command::Schema => cli::schema::run(),
        Command::Completions(args) => cli::completions::run(&args, Arguments::command()),
    })
    .into()
}
