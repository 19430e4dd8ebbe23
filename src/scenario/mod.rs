//! From the text of a scenario to a checked model.
//!
//! Text → tree with positions ([`syntax`]) → checked model ([`lower()`]). Every mistake is reported
//! at once, with its place.

pub mod expect;
pub mod fault;
mod lower;
pub mod model;
pub mod problem;
pub mod syntax;

pub use lower::lower;
pub use model::Scenario;
pub use problem::{Problem, Problems};

/// Reads a scenario.
///
/// # Errors
/// Every mistake in it.
pub fn load(text: &str) -> Result<Scenario, Problems> {
    lower(&syntax::parse(text)?, text)
}
