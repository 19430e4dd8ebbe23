//! From the text of a scenario to a checked model.
//!
//! Text → tree with positions ([`syntax`]) → overrides ([`set`]) → checked model ([`lower()`]).
//! Every mistake is reported at once, with its place. [`mod@print`] writes a model back.

pub mod expect;
pub mod fault;
pub mod files;
pub(crate) mod json;
mod lower;
pub mod model;
pub mod print;
pub mod problem;
pub mod set;
pub mod syntax;

use std::collections::BTreeMap;

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

/// Reads a scenario after putting overrides of the form `KEY=VALUE` into it.
///
/// # Errors
/// Every mistake in it, and those of the overrides, whose line is 0.
pub fn load_with(text: &str, overrides: &[String]) -> Result<Scenario, Problems> {
    load_files(text, overrides, &BTreeMap::new())
}

/// The same with the texts of files, by path, that its commands read (see [`files`]).
///
/// # Errors
/// As of [`load_with`].
pub fn load_files(
    text: &str,
    overrides: &[String],
    files: &BTreeMap<String, String>,
) -> Result<Scenario, Problems> {
    load_tree(syntax::parse(text)?, text, overrides, files)
}

/// The same of a text that is parsed already.
///
/// # Errors
/// As of [`load_with`].
pub fn load_tree(
    mut tree: syntax::Tree,
    text: &str,
    overrides: &[String],
    files: &BTreeMap<String, String>,
) -> Result<Scenario, Problems> {
    for (path, content) in files {
        files::insert(&mut tree, path, content);
    }
    let applied = overrides.iter().map(|assignment| set::apply(&mut tree, assignment));
    let problems: Vec<Problem> = applied.filter_map(Result::err).collect();
    if problems.is_empty() { lower(&tree, text) } else { Err(Problems::sorted(problems)) }
}
