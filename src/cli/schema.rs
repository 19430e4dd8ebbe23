//! `swarmsim schema`: the JSON Schema of scenario files, for editors.

use crate::cli::exit::Exit;
use crate::cli::say::answer;

/// The schema. It says which keys there are and of which kind their values; what depends on other
/// parts of a file is left to `check`.
pub const SCENARIO: &str = include_str!("../../docs/scenario.schema.json");

/// Prints the schema.
pub fn run() -> Exit {
    answer(|out| {
        out.write_all(SCENARIO.as_bytes())?;
        Ok(Exit::Success)
    })
}
