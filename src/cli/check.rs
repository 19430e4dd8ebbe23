//! `swarmsim check`: is the scenario valid? Every mistake, with its place.

use std::path::PathBuf;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::input::scenario;
use crate::cli::say::answer;

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Checks all files; the worst answer is the exit code.
pub fn run(args: &CheckArgs) -> Exit {
    answer(|out| {
        let mut worst = Exit::Success;
        for path in &args.files {
            match scenario(path, &[]) {
                Ok(scenario) => {
                    let (steps, expects) = (scenario.script.len(), scenario.expect.len());
                    let path = path.display();
                    writeln!(out, "{path}: valid, {steps} steps, {expects} expectations")?;
                }
                Err(exit) if exit as u8 > worst as u8 => worst = exit,
                Err(_) => {}
            }
        }
        Ok(worst)
    })
}
