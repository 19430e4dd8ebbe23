//! How long the update takes against what it leaves, of which more is better, such as the fewest
//! running tasks.

use crate::base::time::Span;
use crate::base::xml::escaped;
use crate::render::plot::{Panel, fitted, scaled, width};
use crate::render::text::seconds;
use crate::sweep::grid;
use crate::sweep::results::Header;
use crate::sweep::summary::{Number, Summary};

/// The panel, and the field inside its axes.
const SIZE: (i64, i64) = (640, 416);
const LEFT: i64 = 64;
const TOP: i64 = 34;
const WIDTH: i64 = 556;
const HEIGHT: i64 = 270;

/// Radius of a point, and room around it that no name may use.
const RADIUS: i64 = 5;

/// Height of a line of text.
const LINE: i64 = 16;

/// Widest name of a point.
const NAME: i64 = 240;

/// Something that has both numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::render) struct Point {
    pub(in crate::render) label: String,
    /// Whether it has its name even if it is beaten.
    pub(in crate::render) is_named: bool,
    /// Median of the duration.
    pub(in crate::render) took: i64,
    /// Median of the number of which more is better.
    pub(in crate::render) least: i64,
}

/// What is drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::render) struct Tradeoff<'t> {
    /// May be empty.
    pub(in crate::render) title: &'t str,
    /// What goes up, in words.
    pub(in crate::render) up: &'t str,
    /// The same behind a number.
    pub(in crate::render) unit: &'t str,
    /// What names the points; may be empty.
    pub(in crate::render) named_by: &'t str,
    pub(in crate::render) points: Vec<Point>,
}

/// Left, top, right, bottom.
type Frame = (i64, i64, i64, i64);

/// The field between the axes, the greatest numbers in it, and where there is no room any more.
struct Chart<'t> {
    panel: Panel,
    unit: &'t str,
    longest: i64,
    highest: i64,
    taken: Vec<Frame>,
}

/// The panel of a sweep. Cells without an update, or that never converged, are not in it.
pub(super) fn of_sweep(header: &Header, cells: &[Summary]) -> Panel {
    let varying = super::varying(&header.vary);
    let point = |(number, cell): (usize, &Summary)| {
        let values = grid::values(&header.vary, number);
        let label = varying.iter().map(|at| values[*at]).collect::<Vec<_>>().join(" ");
        let took = cell.number(Number::Duration)?.median.value;
        let least = cell.number(Number::LeastRunning)?.median.value;
        Some(Point { label, is_named: true, took, least })
    };
    let points: Vec<Point> = cells.iter().enumerate().filter_map(point).collect();
    let keys: Vec<&str> = varying.iter().map(|at| header.vary[*at].label()).collect();
    let (title, up, unit) = ("", "fewest running (median, tasks)", "running");
    panel(&Tradeoff { title, up, unit, named_by: &keys.join(", "), points })
}

/// The panel. Points that no other one beats in both numbers are joined by a line. Names stand
/// where there is room for them.
pub(in crate::render) fn panel(tradeoff: &Tradeoff<'_>) -> Panel {
    let points = &tradeoff.points;
    let longest = points.iter().map(|p| p.took).max().unwrap_or(0).max(1);
    let highest = points.iter().map(|p| p.least).max().unwrap_or(0).max(1);
    let panel = Panel::new(SIZE.0, SIZE.1);
    let mut chart = Chart { panel, unit: tradeoff.unit, longest, highest, taken: Vec::new() };
    if !tradeoff.title.is_empty() {
        chart.panel.label((LEFT, 10), "start", "", tradeoff.title);
        chart.taken.push((LEFT, 0, LEFT + width(tradeoff.title, 13), 14));
    }
    chart.axes(tradeoff.up);
    let (front, beaten): (Vec<&Point>, Vec<&Point>) =
        points.iter().partition(|point| !is_beaten(point, points));
    chart.front(&front);
    for point in points {
        let (x, y) = chart.place(point);
        let room = RADIUS + 1;
        chart.taken.push((x - room, y - room, x + room, y + room));
    }
    for (points, class) in [(&beaten, "other"), (&front, "front")] {
        for point in points {
            chart.point(point, class);
        }
    }
    // Those that have to be named come first, and of these the front.
    let to_name = front.iter().chain(&beaten).filter(|point| point.is_named);
    let to_name = to_name.chain(front.iter().filter(|point| !point.is_named));
    let nameless = to_name.filter(|point| !chart.name(point)).count();
    chart.legend(nameless, tradeoff.named_by);
    chart.panel
}

impl Chart<'_> {
    fn place(&self, point: &Point) -> (i64, i64) {
        let x = LEFT + scaled(point.took, self.longest, WIDTH);
        (x, TOP + HEIGHT - scaled(point.least, self.highest, HEIGHT))
    }

    fn axes(&mut self, up: &str) {
        let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
        let dim = " class=\"dim\"";
        for quarter in 0..=4 {
            let x = LEFT + WIDTH * quarter / 4;
            let took = seconds(Span(scaled(self.longest, 4, quarter)));
            self.panel.line(format_args!("<path d=\"M{x} {TOP}V{bottom}\" class=\"line\"/>"));
            self.panel.label((x, bottom + 20), "middle", dim, &took);
        }
        // Tasks are whole: steps of which at most eight fit.
        let step = (self.highest / 8 + i64::from(self.highest % 8 > 0)).max(1);
        for least in (0..=self.highest).step_by(step as usize) {
            let y = bottom - scaled(least, self.highest, HEIGHT);
            self.panel.line(format_args!("<path d=\"M{LEFT} {y}H{right}\" class=\"line\"/>"));
            self.panel.label((LEFT - 8, y + 4), "end", dim, &least.to_string());
        }
        self.panel
            .line(format_args!("<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" class=\"axis\"/>"));
        let (x, half) = (LEFT + WIDTH / 2, TOP + HEIGHT / 2);
        self.panel.label((x, bottom + 44), "middle", "", "the update takes (median, seconds)");
        let turned = format!(" transform=\"rotate(-90 16 {half})\"");
        self.panel.label((16, half), "middle", &turned, up);
    }

    /// Joins what no other point beats.
    fn front(&mut self, front: &[&Point]) {
        let mut front = front.to_vec();
        front.sort_by_key(|point| (point.took, point.least));
        let places = front.iter().map(|point| self.place(point));
        let path: Vec<String> = places.map(|(x, y)| format!("{x},{y}")).collect();
        let path = path.join(" ");
        self.panel.line(format_args!("<polyline points=\"{path}\" class=\"path\"/>"));
    }

    fn point(&mut self, point: &Point, class: &str) {
        let (x, y) = self.place(point);
        let (label, took) = (escaped(&point.label), seconds(Span(point.took)));
        let (least, unit) = (point.least, self.unit);
        self.panel.line(format_args!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{RADIUS}\" class=\"{class}\">\
             <title>{label}: {took}, {least} {unit}</title></circle>"
        ));
    }

    /// Writes the name of a point beside it, on the first side where it covers nothing. Whether
    /// there was room.
    fn name(&mut self, point: &Point) -> bool {
        let (x, y) = self.place(point);
        let text = fitted(&point.label, NAME, 13);
        let wide = width(&text, 13);
        let (right, left) = (x + RADIUS + 4, x - RADIUS - 4 - wide);
        let (above, below) = (y - RADIUS - 1 - LINE, y + RADIUS + 1);
        let sides = [
            (right, above),
            (left, above),
            (right, y - LINE / 2),
            (x - wide / 2, above),
            (left, y - LINE / 2),
            (right, below),
            (left, below),
            (x - wide / 2, below),
        ];
        let free = sides.into_iter().map(|(x, y)| (x, y, x + wide, y + LINE)).find(|frame| {
            frame.0 > LEFT + 2
                && frame.2 <= LEFT + WIDTH + 12
                && frame.1 >= TOP - LINE - RADIUS - 1
                && frame.3 < TOP + HEIGHT
                && self.taken.iter().all(|taken| !overlap(*taken, *frame))
        });
        let Some(frame) = free else { return false };
        self.taken.push(frame);
        self.panel.label((frame.0, frame.3 - 4), "start", " class=\"name\"", &text);
        true
    }

    fn legend(&mut self, nameless: usize, keys: &str) {
        if !keys.is_empty() {
            let text = fitted(&format!("named by {keys}"), WIDTH, 13);
            self.panel.label((LEFT - 5, SIZE.1 - 8), "start", " class=\"dim\"", &text);
        }
        let y = SIZE.1 - 30;
        self.panel.line(format_args!(
            "<circle cx=\"{LEFT}\" cy=\"{}\" r=\"{RADIUS}\" class=\"front\"/>",
            y - 4
        ));
        self.panel.label((LEFT + 12, y), "start", " class=\"dim\"", "no other is better in both");
        let second = LEFT + 240;
        self.panel.line(format_args!(
            "<circle cx=\"{second}\" cy=\"{}\" r=\"{RADIUS}\" class=\"other\"/>",
            y - 4
        ));
        let text = match nameless {
            0 => "another is".to_string(),
            some => format!("another is ({some} without room for a name)"),
        };
        self.panel.label((second + 12, y), "start", " class=\"dim\"", &text);
    }
}

fn overlap(one: Frame, other: Frame) -> bool {
    one.0 < other.2 && other.0 < one.2 && one.1 < other.3 && other.1 < one.3
}

/// Whether another cell is as good in both numbers and better in one.
fn is_beaten(point: &Point, points: &[Point]) -> bool {
    points.iter().any(|other| {
        other.took <= point.took
            && other.least >= point.least
            && (other.took, other.least) != (point.took, point.least)
    })
}
