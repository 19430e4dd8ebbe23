//! A picture for slides: a lane for each slot, the running tasks below, commands as numbered flags.

use std::collections::BTreeSet;

use crate::base::time::SimTime;
use crate::base::xml::escaped;
use crate::render::course::{Bar, Course, Phase};
use crate::render::report::Report;
use crate::swarmkit::task::UpdateState;
use crate::timeline::ends::Timeline;

const WIDTH: u64 = 960;
const LEFT: u64 = 150;
const RIGHT: u64 = 20;
const LANE: u64 = 20;

/// Slots that have a lane; the others are counted.
const LANES: usize = 60;

/// Letters of a name for which there is room.
const NAME: usize = 24;

/// Commands and faults that are spelled out.
const MARKS: usize = 24;

/// The picture.
pub(super) fn svg(report: &Report<'_>) -> String {
    let mut drawing = Drawing::new(report.timeline.footer.at);
    drawing.run(report.name, report.timeline);
    drawing.key();
    drawing.whole()
}

/// The pictures of several runs, on one scale of time.
pub(super) fn stacked(title: &str, setting: &str, timelines: &[(&str, &Timeline)]) -> String {
    let end = timelines.iter().map(|(_, timeline)| timeline.footer.at).max();
    let mut drawing = Drawing::new(end.unwrap_or(SimTime::ZERO));
    drawing.label(LEFT, 20, "start", 16, title);
    drawing.y += 24;
    for (value, timeline) in timelines {
        drawing.run(&format!("{setting}: {value}"), timeline);
        drawing.y += 14;
    }
    drawing.key();
    drawing.whole()
}

/// Lines that run at an angle over what they fill.
fn hatching(angle: u32) -> String {
    format!(
        "<pattern id=\"lines{angle}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate({angle})\"><rect width=\"2\" height=\"6\" fill=\"#fff\" \
         fill-opacity=\"0.45\"/></pattern>"
    )
}

struct Drawing {
    /// Nanoseconds to the right edge.
    end: u64,
    /// Where the next row goes.
    y: u64,
    text: String,
}

impl Drawing {
    fn new(end: SimTime) -> Drawing {
        Drawing { end: end.0.max(1), y: 10, text: String::new() }
    }

    /// One run, below what is there.
    fn run(&mut self, name: &str, timeline: &Timeline) {
        let course = Course::of(timeline);
        self.label(LEFT, self.y + 10, "start", 14, name);
        self.y += 20;
        let top = self.y;
        self.flags(&course);
        self.updates(&course);
        for lane in course.lanes.iter().take(LANES) {
            self.lane(&lane.name, &lane.bars);
        }
        if course.lanes.len() > LANES {
            let more = format!("… {} more slots", course.lanes.len() - LANES);
            self.label(LEFT, self.y + 14, "start", 11, &more);
            self.y += LANE;
        }
        for (service, steps) in &course.running {
            self.capacity(service, steps, course.end);
        }
        self.axis(top);
        self.legend(&course);
    }

    fn whole(self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{h}\" \
             viewBox=\"0 0 {WIDTH} {h}\" font-family=\"sans-serif\">\n\
             <defs>{}</defs>\n\
             <rect width=\"{WIDTH}\" height=\"{h}\" fill=\"#fff\"/>\n{}</svg>\n",
            [45, 135, 90].map(hatching).concat(),
            self.text,
            h = self.y + 10
        )
    }

    /// Tenths of a unit from the left: whole numbers, so that no machine writes them otherwise.
    fn x(&self, at: SimTime) -> u64 {
        let room = u128::from((WIDTH - LEFT - RIGHT) * 10);
        let along = u128::from(at.0.min(self.end)) * room / u128::from(self.end);
        LEFT * 10 + u64::try_from(along).unwrap_or(0)
    }

    fn rect(&mut self, (from, until): (SimTime, SimTime), (y, height): (u64, u64), fill: &str) {
        let (x, right) = (self.x(from), self.x(until));
        let wide = (right - x).max(5);
        self.text += &format!(
            "<rect x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\" fill=\"{fill}\"/>\n",
            tenths(x),
            tenths(wide)
        );
    }

    fn label(&mut self, x: u64, y: u64, anchor: &str, size: u32, text: &str) {
        self.text += &format!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{}</text>\n",
            escaped(text)
        );
    }

    /// The name of a row; of a long one the middle is left out.
    fn name(&mut self, y: u64, name: &str) {
        let letters: Vec<char> = name.chars().collect();
        let short = if letters.len() > NAME {
            let (front, back) = (&letters[..NAME / 2], &letters[letters.len() - NAME / 2 + 1..]);
            front.iter().chain(['…'].iter()).chain(back).collect()
        } else {
            name.to_string()
        };
        self.label(LEFT - 8, y + 14, "end", 11, &short);
    }

    fn flags(&mut self, course: &Course) {
        // Flags that would cover one another share a place.
        let mut flags: Vec<(u64, bool, String)> = Vec::new();
        for (mark, number) in course.marks.iter().zip(1..).take(MARKS) {
            let x = self.x(mark.at);
            match flags.last_mut() {
                Some((last, fault, numbers)) if x - *last < 160 => {
                    *fault |= mark.fault;
                    *numbers += &format!(",{number}");
                }
                _ => flags.push((x, mark.fault, format!("▾{number}"))),
            }
        }
        let y = self.y + 12;
        for (x, fault, numbers) in flags {
            let (x, colour) = (tenths(x - 40), if fault { "#b3261e" } else { "#000" });
            self.text += &format!(
                "<text x=\"{x}\" y=\"{y}\" font-size=\"11\" fill=\"{colour}\">{numbers}</text>\n"
            );
        }
        self.y += LANE;
    }

    fn updates(&mut self, course: &Course) {
        let mut seen = BTreeSet::new();
        let services = course.updates.iter().map(|update| update.service.as_str());
        let services: Vec<&str> = services.filter(|service| seen.insert(*service)).collect();
        for service in services {
            let y = self.y;
            self.name(y, &format!("{service}: update"));
            for update in course.updates.iter().filter(|update| update.service == service) {
                let fill = match update.state {
                    UpdateState::Updating => "#7fb2e5",
                    UpdateState::RollbackStarted => "#e8a33d",
                    UpdateState::Completed | UpdateState::RollbackCompleted => "#d9ead3",
                    UpdateState::Paused | UpdateState::RollbackPaused => "#e6b8af",
                };
                self.rect((update.from, update.until), (y + 3, LANE - 6), fill);
                let x = self.x(update.from) / 10 + 4;
                if (self.x(update.until) - self.x(update.from)) / 10 > 90 {
                    self.label(x, y + 14, "start", 10, update.state.word());
                }
            }
            self.y += LANE;
        }
    }

    fn lane(&mut self, name: &str, bars: &[Bar]) {
        let y = self.y;
        self.name(y, name);
        for bar in bars {
            let ends = bar.phases.iter().skip(1).map(|(at, _)| *at).chain([bar.end]);
            for ((from, phase), until) in bar.phases.iter().zip(ends) {
                // What is to stop may last beside its successor: it gets the foot of the lane.
                let (fill, place) = match phase {
                    Phase::Starting => ("#f3d36b", (y + 2, LANE - 8)),
                    Phase::Running => ("#5aa469", (y + 2, LANE - 4)),
                    Phase::Stopping => ("#8c8c8c", (y + LANE - 6, 4)),
                };
                self.rect((*from, until), place, fill);
                // Versions are told apart by hatching and by their number, not by colour.
                let angle = [0, 45, 135, 90][bar.generation % 4];
                if angle > 0 {
                    self.rect((*from, until), place, &format!("url(#lines{angle})"));
                }
            }
            let (from, until) = (self.x(bar.phases[0].0), self.x(bar.end));
            if (until - from) / 10 > 26 {
                let text = format!("v{}", bar.generation + 1);
                self.label(from / 10 + 4, y + 12, "start", 10, &text);
            }
        }
        for bar in bars {
            let until = self.x(bar.end);
            if bar.failed {
                let x = tenths(until);
                self.text += &format!(
                    "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"13\" \
                     fill=\"#b3261e\">✗</text>\n",
                    y + 15
                );
            }
        }
        self.y += LANE;
    }

    fn capacity(&mut self, service: &str, steps: &[(SimTime, u32)], end: SimTime) {
        let most = steps.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
        let (y, height) = (self.y + 6, 44);
        self.label(LEFT - 8, y + 12, "end", 11, &format!("{service}: running"));
        self.label(LEFT - 8, y + 26, "end", 10, &format!("0 to {most}"));
        let level = |count: u32| y + height - u64::from(count) * height / u64::from(most);
        let mut path = format!("M{} {}", LEFT, y + height);
        for (at, count) in steps {
            path += &format!(" H{} V{}", tenths(self.x(*at)), level(*count));
        }
        path += &format!(" H{} V{} Z", tenths(self.x(end)), y + height);
        self.text += &format!("<path d=\"{path}\" fill=\"#cfe3d4\" stroke=\"#3d7a4b\"/>\n");
        self.y += height + 14;
    }

    fn axis(&mut self, top: u64) {
        let y = self.y + 4;
        let second = 1_000_000_000;
        let steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 86_400];
        let fits = |step: &u64| self.end / (step * second) <= 12;
        let step = steps.into_iter().find(fits).unwrap_or(self.end / second / 8 + 1);
        let mut at = 0;
        while at <= self.end {
            let x = tenths(self.x(SimTime(at)));
            self.text += &format!(
                "<line x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{y}\" stroke=\"#000\" \
                 stroke-opacity=\"0.12\"/>\n<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" \
                 font-size=\"10\">{} s</text>\n",
                y + 12,
                at / second
            );
            at += step * second;
        }
        self.y = y + 22;
    }

    fn legend(&mut self, course: &Course) {
        for (mark, number) in course.marks.iter().zip(1..).take(MARKS) {
            let text: String = mark.text.chars().take(120).collect();
            let what = if mark.fault { "fault: " } else { "" };
            self.label(LEFT, self.y + 10, "start", 10, &format!("{number}  {what}{text}"));
            self.y += 15;
        }
        if course.marks.len() > MARKS {
            let more = format!("… {} more", course.marks.len() - MARKS);
            self.label(LEFT, self.y + 10, "start", 10, &more);
            self.y += 15;
        }
    }

    fn key(&mut self) {
        let text = "yellow: starting, green: running, grey: told to stop, ✗: failed; vN: the N-th \
                    version of the service's tasks, told apart by their hatching";
        self.label(LEFT, self.y + 12, "start", 10, text);
        self.y += 18;
    }
}

fn tenths(x: u64) -> String {
    format!("{}.{}", x / 10, x % 10)
}
