//! The values of one setting side by side: a table, and the running tasks over time.

use std::io::{self, Write};

use crate::base::time::{SECOND, SimTime};
use crate::demo::{Shown, Words};
use crate::render::course::Course;
use crate::render::text::seconds;
use crate::timeline::ends::Timeline;

/// Columns of the chart.
const COLUMNS: u64 = 60;

/// Writes question, table and chart.
///
/// # Errors
/// Those of writing.
pub fn demo(
    out: &mut dyn Write,
    words: &Words,
    shown: &[Shown],
    course: &[Course],
) -> io::Result<()> {
    writeln!(out, "{}\n{}\n", words.question, words.given)?;
    let wide = shown.iter().map(|run| run.value.len()).max().unwrap_or(0).max(words.setting.len());
    let rule = format!("{:<wide$}", words.setting);
    writeln!(
        out,
        "{rule}  update              took     fewest running  missing for  requests lost"
    )?;
    for run in shown {
        let update = run.web.updates.last();
        let state = update.map_or("none", |update| update.state.word());
        let took = update.map_or("-".to_string(), |update| seconds(update.took));
        let least = run.web.least_running.unwrap_or(0);
        let of = run.web.replicas.unwrap_or(0);
        let (missing, all) = (seconds(run.web.short_for), run.web.answered + run.web.failed);
        writeln!(
            out,
            "{:<wide$}  {state:<18}  {took:<7}  {:<14}  {missing:<11}  {} of {all}",
            run.value,
            format!("{least} of {of}"),
            run.web.failed
        )?;
    }
    let longest = shown.iter().filter_map(|run| run.web.updates.last()).map(|u| u.took.0).max();
    // So that the end of the longest is seen.
    let step = (longest.unwrap_or(SECOND) as u64 + 3 * SECOND as u64).div_ceil(COLUMNS);
    let step = step.next_multiple_of(SECOND as u64 / 2).max(SECOND as u64 / 2);
    let tenths = step / (SECOND as u64 / 10);
    let column = format!("{}.{} s", tenths / 10, tenths % 10);
    writeln!(
        out,
        "\nrunning tasks from the request on, {column} a column; a full one is all of them"
    )?;
    for (run, course) in shown.iter().zip(course) {
        let steps = course.running.first().map_or(&[][..], |(_, steps)| steps.as_slice());
        let wish = run.web.replicas.unwrap_or(1).max(1);
        let row: String = (0..COLUMNS)
            .map(|column| {
                let at = SimTime(run.asked.0 + column * step);
                let place = steps.partition_point(|(since, _)| *since <= at);
                let running = place.checked_sub(1).map_or(0, |place| u64::from(steps[place].1));
                level(running, wish)
            })
            .collect();
        writeln!(out, "{:<wide$}  {row}", run.value)?;
    }
    writeln!(out, "\nSo: {}.", words.lesson)
}

/// Eighths of the wish; more than all of it is marked.
fn level(running: u64, wish: u64) -> char {
    const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if running > wish { '+' } else { LEVELS[(running * 8 / wish) as usize] }
}

/// The pictures of all values, one below the other.
pub fn svg(words: &Words, timelines: &[(&str, &Timeline)]) -> String {
    crate::render::report::stacked(words.question, words.setting, timelines)
}
