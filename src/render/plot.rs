//! The trade-off of a sweep as a picture: how long the update takes against how few tasks run.

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
const FIELD: (i64, i64, i64, i64) = (90, 50, 600, 320);

/// A cell that has both numbers.
struct Point {
    label: String,
    /// Median of the duration.
    took: i64,
    /// Median of the fewest running tasks.
    least: i64,
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
        Some(Point { label, took, least })
    };
    let points: Vec<Point> = cells.iter().enumerate().filter_map(point).collect();
    let longest = points.iter().map(|p| p.took).max().unwrap_or(0).max(1);
    let highest = points.iter().map(|p| p.least).max().unwrap_or(0).max(1);
    let mut chart = Chart { text: String::new(), longest, highest };
    chart.axes(&header.scenario);
    chart.front(&points);
    for point in &points {
        chart.point(point, is_beaten(point, &points));
    }
    chart.text.push_str("</svg>\n");
    out.write_all(chart.text.as_bytes())
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

    fn axes(&mut self, scenario: &str) {
        let (left, top, width, height) = FIELD;
        let (right, bottom) = (left + width, top + height);
        let (name, (wide, high)) = (escaped(scenario), SIZE);
        self.line(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"{left}\" y=\"28\" font-size=\"16\">{name}</text>\n\
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
             <text transform=\"translate(30 {half}) rotate(-90)\" text-anchor=\"middle\">fewest \
             running (median)</text>"
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
        let (above, label) = (y - 7, escaped(&point.label));
        self.line(format_args!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{fill}\"/>\n\
             <text x=\"{from}\" y=\"{above}\" text-anchor=\"{anchor}\">{label}</text>"
        ));
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
