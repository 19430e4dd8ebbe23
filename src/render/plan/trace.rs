//! Where the numbers of a plan are seen, for people.

use std::io::{self, Write};

use crate::base::time::Span;
use crate::plan::stage::{Case, Deploy};
use crate::plan::trace::{Number, Traced};
use crate::render::text::seconds;

/// Writes the runs that the numbers of a plan come from.
///
/// # Errors
/// Those of writing.
pub fn trace(
    out: &mut dyn Write,
    deploy: &Deploy,
    cases: &[(Case, Vec<Traced>)],
) -> io::Result<()> {
    writeln!(
        out,
        "\nWhere it is seen: lower end, middle and upper end of each range, with the seed of a run"
    )?;
    for (case, traced) in cases {
        let name = |place: usize| deploy.services.get(place).map_or("", |s| s.name.as_str());
        match case {
            Case::Good => writeln!(out, "  good")?,
            Case::Bad(place, mode) => writeln!(out, "  {}:{}", name(*place), mode.word())?,
        }
        for one in traced {
            let whose = one.service.as_deref().map_or(String::new(), |name| format!("{name} "));
            let what = format!("{whose}{}", one.number.words());
            let runs = one.runs.map(|(value, seed)| {
                let value = told(one.number, value);
                format!("{value:>8} seed {seed:<6}")
            });
            writeln!(out, "{}", format!("    {what:<34}{}", runs.concat()).trim_end())?;
        }
    }
    writeln!(
        out,
        "To see one: the same command with --scenario CASE > case.yaml, then swarmsim run \
         case.yaml --seed N"
    )
}

fn told(number: Number, value: i64) -> String {
    if number.is_time() { seconds(Span(value)) } else { value.to_string() }
}
