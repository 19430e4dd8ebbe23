//! `swarmsim check`: is the scenario valid? Every mistake, with its place.

use std::path::PathBuf;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::input::{Input, input};
use crate::cli::say::answer;

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Scenario files and stack files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How the images of stack files behave, in place of their x-swarmsim blocks
    #[arg(long, value_name = "FILE")]
    behaviour: Option<PathBuf>,
}

/// Checks all files; the worst answer is the exit code.
pub fn run(args: &CheckArgs) -> Exit {
    answer(|out| {
        let mut worst = Exit::Success;
        for path in &args.files {
            match input(path, &[], args.behaviour.as_deref()) {
                Ok(Input { scenario, services }) => {
                    let (steps, expects) = (scenario.script.len(), scenario.expect.len());
                    let path = path.display();
                    let stack = services.map(|count| format!("a stack of {count} services, "));
                    let stack = stack.unwrap_or_default();
                    writeln!(out, "{path}: valid, {stack}{steps} steps, {expects} expectations")?;
                }
                Err(exit) if exit as u8 > worst as u8 => worst = exit,
                Err(_) => {}
            }
        }
        Ok(worst)
    })
}
