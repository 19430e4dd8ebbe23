//! A Gantt chart in Mermaid's language: a section for each slot, a bar for each phase of a task.

use crate::base::time::SimTime;
use crate::render::course::{Course, Phase};
use crate::render::report::Report;

/// Text of a bar is cut here: more would not fit on it.
const LONGEST: usize = 60;

/// Slots that are drawn; the others are counted.
const LANES: usize = 60;

/// Mermaid takes 50 000 characters unless it is told otherwise, and draws nothing of more.
const LONGEST_TEXT: usize = 49_000;

const HOUR: u64 = 3_600_000_000_000;

/// Commands and faults that are drawn.
const MARKS: usize = 60;

/// The chart. Mermaid counts in milliseconds.
pub(super) fn mermaid(report: &Report<'_>) -> String {
    let course = Course::of(report.timeline);
    let mut text = String::from("gantt\n");
    text += &format!("    title {}\n", word(report.name));
    // Mermaid takes the moments for those of a clock in the reader's own zone, in which minutes are
    // the same everywhere but for half an hour here and there; hours are not.
    let axis = if course.end.0 < HOUR { "%M:%S" } else { "%j %H:%M" };
    text += &format!("    dateFormat x\n    axisFormat {axis}\n");
    if !course.marks.is_empty() {
        text += "    section commands and faults\n";
        for mark in course.marks.iter().take(MARKS) {
            let tag = if mark.fault { "crit, milestone" } else { "milestone" };
            text += &format!("    {} :{tag}, {}, 0ms\n", word(&mark.text), ms(mark.at));
        }
    }
    if !course.updates.is_empty() {
        text += "    section updates\n";
        for update in course.updates.iter().filter(|update| update.state.is_under_way()) {
            // The language's own words are no names; this is none of them.
            let name = word(&format!("update of {} {}", update.service, update.state.word()));
            text += &bar(&name, "active", update.from, update.until);
        }
    }
    let mut drawn = 0;
    for lane in course.lanes.iter().take(LANES) {
        if text.len() > LONGEST_TEXT {
            break;
        }
        drawn += 1;
        text += &format!("    section {}\n", word(&lane.name));
        for task in &lane.bars {
            if text.len() > LONGEST_TEXT {
                break;
            }
            let ends = task.phases.iter().skip(1).map(|(at, _)| *at).chain([task.end]);
            for ((from, phase), until) in task.phases.iter().zip(ends) {
                let failed = task.failed;
                let tag = match phase {
                    _ if failed && until == task.end => "crit",
                    Phase::Running => "active",
                    Phase::Starting | Phase::Stopping => "done",
                };
                let number = task.ordinal;
                let name = word(&format!("{number} {} {}", task.image, phase.word()));
                text += &bar(&name, tag, *from, until);
            }
        }
    }
    if text.len() > LONGEST_TEXT {
        text += "    more tasks than Mermaid takes :milestone, 0, 0ms\n";
    }
    if course.lanes.len() > drawn {
        text += "    section …\n";
        let more = course.lanes.len() - drawn;
        text += &format!("    {more} more slots :milestone, 0, 0ms\n");
    }
    text
}

fn bar(name: &str, tag: &str, from: SimTime, until: SimTime) -> String {
    format!("    {name} :{tag}, {}, {}\n", ms(from), ms(until).max(ms(from) + 1))
}

fn ms(at: SimTime) -> u64 {
    at.0 / 1_000_000
}

/// A text without the characters that mean something to Mermaid.
fn word(text: &str) -> String {
    let clean = |c: char| match c {
        ':' => '∶',
        ',' | ';' | '#' | '%' | '"' | '<' | '>' | '{' | '}' | '`' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    let mut short: String = text.chars().take(LONGEST).map(clean).collect();
    if text.chars().count() > LONGEST {
        short.push('…');
    }
    short
}
