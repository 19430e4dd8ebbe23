//! A plan for people, for programs and for the comments of a merge request.

pub mod json;
pub mod markdown;
pub mod text;
pub mod trace;
mod words;

use crate::plan::forecast::Forecast;
use crate::plan::stage::Deploy;

/// Everything that is told of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Told<'t> {
    /// The new file as it was named.
    pub file: &'t str,
    /// What it is compared with, in words.
    pub base: &'t str,
    /// What is taken to be so.
    pub assumptions: &'t [String],
    /// What changes.
    pub deploy: &'t Deploy,
    /// What comes of it.
    pub forecast: &'t Forecast,
}
