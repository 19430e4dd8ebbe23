//! Trade-offs as pictures: how long the update takes against what it leaves, of which more is
//! better. That of a sweep has the fewest running tasks.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::base::time::Span;
use crate::base::xml::escaped;
use crate::render::text::seconds;
use crate::sweep::grid;
use crate::sweep::results::Header;
use crate::sweep::summary::{Number, Summary};

/// The whole picture, and the field inside its axes.
const SIZE: (i64, i64) = (720, 440);
const FIELD: (i64, i64, i64, i64) = (90, 60, 600, 310);

/// Something that has both numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Point {
    pub(super) label: String,
    /// Whether the label stands there even if the point is beaten.
    pub(super) is_named: bool,
    /// Median of the duration.
    pub(super) took: i64,
    /// Median of the number of which more is better, such as the fewest running tasks.
    pub(super) least: i64,
}

/// A picture, or one of several below each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Panel<'p> {
    pub(super) title: &'p str,
    /// What goes up.
    pub(super) up: &'p str,
    pub(super) points: Vec<Point>,
}

/// The field between the axes, and the greatest numbers in it.
struct Chart {
    text: String,
    longest: i64,
    highest: i64,
}

/// Writes the picture. Cells without an update, or that never converged, are not in it; those that
/// no other cell beats in both numbers are joined by a line.
///
/// # Errors
/// Those of writing.
pub fn svg(out: &mut impl Write, header: &Header, cells: &[Summary]) -> io::Result<()> {
    let point = |(number, cell): (usize, &Summary)| {
        let label = grid::values(&header.vary, number).join(" ");
        let took = cell.number(Number::Duration)?.median.value;
        let least = cell.number(Number::LeastRunning)?.median.value;
        Some(Point { label, is_named: true, took, least })
    };
    let points: Vec<Point> = cells.iter().enumerate().filter_map(point).collect();
    let panel = Panel { title: &header.scenario, up: "fewest running (median)", points };
    out.write_all(panels(&[panel]).as_bytes())
}

/// The picture of panels below each other.
pub(super) fn panels(panels: &[Panel<'_>]) -> String {
    let (wide, high) = (SIZE.0, SIZE.1 * panels.len() as i64);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (place, panel) in panels.iter().enumerate() {
        let points = &panel.points;
        let longest = points.iter().map(|p| p.took).max().unwrap_or(0).max(1);
        let highest = points.iter().map(|p| p.least).max().unwrap_or(0).max(1);
        let mut chart = Chart { text: String::new(), longest, highest };
        chart.axes(panel);
        chart.front(points);
        for point in points {
            chart.point(point, is_beaten(point, points));
        }
        if place == 0 {
            text.push_str(&chart.text);
        } else {
            let down = SIZE.1 * place as i64;
            text.push_str(&format!("<g transform=\"translate(0 {down})\">\n{}</g>\n", chart.text));
        }
    }
    text + "</svg>\n"
}

impl Chart {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.text.write_fmt(line).expect("a text takes everything");
        self.text.push('\n');
    }

    fn place(&self, point: &Point) -> (i64, i64) {
        let (left, top, width, height) = FIELD;
        let x = left + scaled(point.took, self.longest, width);
        (x, top + height - scaled(point.least, self.highest, height))
    }

    fn axes(&mut self, panel: &Panel<'_>) {
        let (left, top, width, height) = FIELD;
        let (right, bottom) = (left + width, top + height);
        let (title, up) = (escaped(panel.title), escaped(panel.up));
        self.line(format_args!(
            "<text x=\"{left}\" y=\"20\" font-size=\"16\">{title}</text>\n\
             <path d=\"M{left} {top}V{bottom}H{right}\" fill=\"none\" stroke=\"#333\"/>"
        ));
        for quarter in 0..=4 {
            let (x, y) = (left + width * quarter / 4, bottom + 20);
            let took = seconds(Span(scaled(self.longest, 4, quarter)));
            self.line(format_args!(
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{took}</text>"
            ));
            // Tasks are whole.
            if (self.highest * quarter).unsigned_abs().is_multiple_of(4) {
                let (x, y) = (left - 8, bottom - height * quarter / 4 + 4);
                let least = self.highest * quarter / 4;
                self.line(format_args!(
                    "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{least}</text>"
                ));
            }
        }
        let (x, y, half) = (left + width / 2, bottom + 45, top + height / 2);
        self.line(format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">the update takes (median)</text>\n\
             <text transform=\"translate(30 {half}) rotate(-90)\" \
             text-anchor=\"middle\">{up}</text>"
        ));
    }

    /// Joins what no other point beats.
    fn front(&mut self, points: &[Point]) {
        let mut front: Vec<&Point> = points.iter().filter(|p| !is_beaten(p, points)).collect();
        front.sort_by_key(|p| (p.took, p.least));
        let places = front.iter().map(|point| self.place(point));
        let path: Vec<String> = places.map(|(x, y)| format!("{x},{y}")).collect();
        let path = path.join(" ");
        self.line(format_args!(
            "<polyline points=\"{path}\" fill=\"none\" stroke=\"#06c\" stroke-dasharray=\"5 4\"/>"
        ));
    }

    fn point(&mut self, point: &Point, beaten: bool) {
        let (x, y) = self.place(point);
        let fill = if beaten { "#999" } else { "#06c" };
        // Near the right edge the text goes to the left of its point.
        let at_edge = x > FIELD.0 + FIELD.2 * 3 / 4;
        let (from, anchor) = if at_edge { (x - 9, "end") } else { (x + 9, "start") };
        // Two rows, so that what is beaten does not cover what is not.
        let (above, label) = (if beaten { y - 20 } else { y - 7 }, escaped(&point.label));
        self.line(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{fill}\"/>"));
        if point.is_named || !beaten {
            self.line(format_args!(
                "<text x=\"{from}\" y=\"{above}\" text-anchor=\"{anchor}\">{label}</text>"
            ));
        }
    }
}

/// `value` of `of`, on a line of that length.
fn scaled(value: i64, of: i64, length: i64) -> i64 {
    (i128::from(value) * i128::from(length) / i128::from(of)) as i64
}

/// Whether another cell is as good in both numbers and better in one.
fn is_beaten(point: &Point, points: &[Point]) -> bool {
    points.iter().any(|other| {
        other.took <= point.took
            && other.least >= point.least
            && (other.took, other.least) != (point.took, point.least)
    })
}
