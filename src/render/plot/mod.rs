//! Results as pictures: panels side by side. Of a sweep they are the trade-off of duration and
//! running tasks, and a heat map of one number over the keys that vary.

mod heat;
mod metric;
mod tradeoff;

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::base::xml::escaped;
use crate::sweep::grid::Axis;
use crate::sweep::results::Header;
use crate::sweep::summary::Summary;

pub use metric::Metric;
pub(super) use tradeoff::{Point, Tradeoff, panel};

/// Height of the line with the name of the scenario.
const TITLE: i64 = 44;

/// Room between two panels.
const GAP: i64 = 24;

/// About the widest letter of a sans-serif font, in tenths of a pixel for each pixel of its size:
/// texts are placed by it, since whoever draws them has its own font.
const LETTER: i64 = 6;

/// Colours by day and by night. A picture in a page follows the reader's choice.
///
/// On the fields of a heat map texts are black or white, whichever is seen better: faint fields
/// take `lo`, strong ones `hi`, and what is between is strong by night and faint by day.
const STYLE: &str = "<style>
svg { --bg: #fff; --fg: #24292f; --dim: #57606a; --line: #d0d7de; --front: #0a5cc4; \
--other: #8b949e; --heat: #0a5cc4; --lo: #000; --mid: #000; --hi: #fff; }
@media (prefers-color-scheme: dark) { svg { --bg: #16181b; --fg: #e6e6e6; --dim: #9aa0a6; \
--line: #3a3d41; --front: #6cb6ff; --other: #768390; --heat: #6cb6ff; --lo: #fff; --mid: #000; \
--hi: #000; } }
text { fill: var(--fg); } .dim { fill: var(--dim); }
.lo { fill: var(--lo); } .mid { fill: var(--mid); } .hi { fill: var(--hi); }
.name { paint-order: stroke; stroke: var(--bg); stroke-width: 4; stroke-linejoin: round; }
.line { stroke: var(--line); fill: none; } .axis { stroke: var(--dim); fill: none; }
.front { fill: var(--front); } .other { fill: var(--other); }
.path { stroke: var(--front); fill: none; stroke-dasharray: 5 4; } .heat { fill: var(--heat); }
</style>";

/// A part of the picture: its size, and what is in it, seen from its upper left corner.
pub(super) struct Panel {
    width: i64,
    height: i64,
    text: String,
}

impl Panel {
    fn new(width: i64, height: i64) -> Panel {
        Panel { width, height, text: String::new() }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.text.write_fmt(line).expect("a text takes everything");
        self.text.push('\n');
    }

    /// A text; `anchor` is `start`, `middle` or `end`, and `more` are attributes.
    fn label(&mut self, (x, y): (i64, i64), anchor: &str, more: &str, text: &str) {
        let text = escaped(text);
        self.line(format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{more}>{text}</text>"
        ));
    }
}

/// Whether a heat map can be drawn of it: one or two keys vary.
pub fn has_heat(axes: &[Axis]) -> bool {
    (1..=2).contains(&varying(axes).len())
}

/// Places of the axes with more than one value.
fn varying(axes: &[Axis]) -> Vec<usize> {
    (0..axes.len()).filter(|at| axes[*at].values.len() > 1).collect()
}

/// Writes the picture: the trade-off and, if two keys vary or a metric is asked for, a heat map
/// beside it.
///
/// # Errors
/// Those of writing.
pub fn svg(
    out: &mut impl Write,
    header: &Header,
    cells: &[Summary],
    heat: Option<Metric>,
) -> io::Result<()> {
    let varying = varying(&header.vary);
    let heat = heat.or((varying.len() == 2).then_some(Metric::DEFAULT));
    let mut panels = vec![tradeoff::of_sweep(header, cells)];
    if let Some(metric) = heat.filter(|_| has_heat(&header.vary)) {
        panels.push(heat::panel(header, cells, &varying, metric));
    }
    let last = header.seed.wrapping_add(header.replicates.saturating_sub(1));
    let seeds = format!("seeds {} to {last}", header.seed);
    out.write_all(picture(&header.scenario, &seeds, &panels).as_bytes())
}

/// The picture of some panels, below a title with something beside it.
pub(super) fn picture(title: &str, aside: &str, panels: &[Panel]) -> String {
    let gaps = GAP * (panels.len() as i64 + 1);
    let wide = panels.iter().map(|panel| panel.width).sum::<i64>() + gaps;
    let high = panels.iter().map(|panel| panel.height).max().unwrap_or(0) + TITLE + GAP;
    let title = fitted(title, wide / 2, 16);
    let mut head = Panel::new(wide, TITLE);
    head.label((GAP, 30), "start", " font-size=\"16\"", &title);
    head.label((wide - GAP, 30), "end", " class=\"dim\"", aside);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" \
         viewBox=\"0 0 {wide} {high}\" font-family=\"sans-serif\" font-size=\"13\">\n{STYLE}\n\
         <rect width=\"100%\" height=\"100%\" style=\"fill: var(--bg)\"/>\n{}",
        head.text
    );
    let mut x = GAP;
    for panel in panels {
        text += &format!("<g transform=\"translate({x} {TITLE})\">\n{}</g>\n", panel.text);
        x += panel.width + GAP;
    }
    text + "</svg>\n"
}

/// Pixels that a text takes, at most, in a size.
fn width(text: &str, size: i64) -> i64 {
    text.chars().count() as i64 * size * LETTER / 10
}

/// A text, cut if it is wider than that.
fn fitted(text: &str, most: i64, size: i64) -> String {
    if width(text, size) <= most {
        return text.to_string();
    }
    let letters = (most * 10 / (size * LETTER)).max(1) as usize;
    text.chars().take(letters - 1).chain(['…']).collect()
}

/// `value` of `of`, on a line of that length.
fn scaled(value: i64, of: i64, length: i64) -> i64 {
    (i128::from(value) * i128::from(length) / i128::from(of.max(1))) as i64
}
