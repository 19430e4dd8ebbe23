//! Advice for people, for programs, for the comments of a merge request, and as a picture.

pub mod curve;
pub mod json;
pub mod markdown;
pub mod text;
mod words;

use crate::advise::goal::Goal;
use crate::advise::grid::Grid;
use crate::advise::search::Advice;

/// Everything that is told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'t> {
    /// The file as it was named.
    pub file: &'t str,
    /// Name of the stack.
    pub stack: &'t str,
    /// What it is deployed over, in words.
    pub base: &'t str,
    /// What is taken to be so.
    pub assumptions: &'t [String],
    /// The goals as they were given.
    pub goals: &'t [String],
    /// Runs of each case.
    pub runs: usize,
    /// Seed of the first run.
    pub seed: u64,
    /// Service by service, or all at once.
    pub services: &'t [Advised],
}

/// What is advised for a service, or for several together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advised {
    /// Its key in the file; several that were searched together.
    pub services: Vec<String>,
    /// The goals, each of one of them.
    pub goals: Vec<Goal>,
    /// What was searched.
    pub grid: Grid,
    /// What was found.
    pub advice: Advice,
    /// The change of the file; absent if there is none, or it has to be made by hand.
    pub patch: Option<String>,
    /// What has to be known of the grid, in sentences.
    pub notes: Vec<String>,
}

impl Advised {
    /// What is advised on, in words.
    pub fn name(&self) -> String {
        match self.services.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}
