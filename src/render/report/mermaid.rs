//! A Gantt chart in Mermaid's language: a section for each slot, a bar for each phase of a task.

use crate::base::time::SimTime;
use crate::render::course::{Course, Phase};
use crate::render::report::Report;
use crate::swarmkit::task::TaskState;

/// Text of a bar is cut here: more would not fit on it.
const LONGEST: usize = 60;

/// Slots that are drawn; the others are counted. Mermaid takes 50 000 characters by default.
const LANES: usize = 60;

/// Commands and faults that are drawn.
const MARKS: usize = 60;

/// The chart. Mermaid counts in milliseconds.
pub(super) fn mermaid(report: &Report<'_>) -> String {
    let course = Course::of(report.timeline);
    let mut text = String::from("gantt\n");
    text += &format!("    title {}\n", word(report.name));
    text += "    dateFormat x\n    axisFormat %M:%S\n";
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
            let name = word(&format!("{} {}", update.service, update.state.word()));
            text += &bar(&name, "active", update.from, update.until);
        }
    }
    for lane in course.lanes.iter().take(LANES) {
        text += &format!("    section {}\n", word(&lane.name));
        for task in &lane.bars {
            let ends = task.phases.iter().skip(1).map(|(at, _)| *at).chain([task.end]);
            for ((from, phase), until) in task.phases.iter().zip(ends) {
                let failed = matches!(task.ended, Some(TaskState::Failed | TaskState::Rejected));
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
    if course.lanes.len() > LANES {
        text += "    section …\n";
        let more = course.lanes.len() - LANES;
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
