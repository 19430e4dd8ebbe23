//! A plan as tables.

use std::io::{self, Write};

use crate::render::plan::Told;

/// Writes the page.
///
/// # Errors
/// Those of writing.
pub fn markdown(out: &mut dyn Write, _: Told<'_>) -> io::Result<()> {
    writeln!(out)
}
