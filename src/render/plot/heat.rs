//! One number over the keys that vary: a row for each value of the first, a column for each of the
//! second.

use crate::base::xml::escaped;
use crate::render::plot::{Metric, Panel, fitted, scaled, width};
use crate::sweep::grid::Axis;
use crate::sweep::results::Header;
use crate::sweep::summary::Summary;

/// Size of a field, if there is room.
const FIELD: (i64, i64) = (72, 36);

/// Narrowest and lowest field; in a field that is smaller than [`TOLD`] nothing is written.
const LEAST: (i64, i64) = (4, 4);
const TOLD: (i64, i64) = (44, 18);

/// Room for all fields, beyond which they get smaller.
const ROOM: (i64, i64) = (640, 290);

/// Widest value of a key.
const VALUE: i64 = 150;

const TOP: i64 = 78;

/// Size of the texts in fields.
const SMALL: i64 = 12;

/// How faint the smallest number is, in hundredths.
const FAINT: i64 = 8;

/// Strengths, in hundredths, from which on a text is seen better in the other colour: by night, and
/// by day. There the field has a relative luminance of 0.18, as far from black as from white.
const STRONG: (i64, i64) = (60, 80);

/// Steps of the legend.
const STEPS: i64 = 24;

/// The map.
struct Map<'a> {
    panel: Panel,
    metric: Metric,
    rows: Option<&'a Axis>,
    columns: &'a Axis,
    field: (i64, i64),
    left: i64,
    /// Smallest and greatest number.
    range: (i64, i64),
}

/// The panel. `varying` are the places of one or two axes.
pub(super) fn panel(
    header: &Header,
    cells: &[Summary],
    varying: &[usize],
    metric: Metric,
) -> Panel {
    let axes = &header.vary;
    let columns = &axes[*varying.last().expect("one key varies at least")];
    let rows = (varying.len() > 1).then(|| &axes[varying[0]]);
    let numbers: Vec<Option<i64>> = cells.iter().map(|cell| metric.of(cell)).collect();
    let known = || numbers.iter().flatten().copied();
    let range = (known().min().unwrap_or(0), known().max().unwrap_or(0));
    let counts = (columns.values.len() as i64, rows.map_or(1, |axis| axis.values.len() as i64));
    let fits = |room: i64, count: i64, most: i64, least: i64| (room / count).clamp(least, most);
    let field =
        (fits(ROOM.0, counts.0, FIELD.0, LEAST.0), fits(ROOM.1, counts.1, FIELD.1, LEAST.1));
    let widest = |axis: &Axis| axis.values.iter().map(|value| width(value, 13)).max().unwrap_or(0);
    let left = rows.map_or(0, |axis| widest(axis).min(VALUE) + 10);
    let (down, across) =
        (rows.map(|axis| format!("down: {}", axis.key)), format!("across: {}", columns.key));
    let title = metric.title();
    let texts = [Some(&title), down.as_ref(), Some(&across)];
    let widest = texts.iter().flatten().map(|text| width(text, 14)).max().unwrap_or(0);
    let wide = (left + counts.0 * field.0).max(widest.min(ROOM.0)).max(left + 260);
    let high = TOP + counts.1 * field.1 + 76;
    let mut map = Map { panel: Panel::new(wide, high), metric, rows, columns, field, left, range };
    map.panel.label((0, 20), "start", " font-size=\"14\"", &title);
    for (text, y) in down.iter().chain([&across]).zip([42, 62]) {
        map.panel.label((0, y), "start", " class=\"dim\"", &fitted(text, wide, 13));
    }
    for (number, value) in numbers.iter().enumerate() {
        // Other axes have one value each, so that the cells are in the order of rows and columns.
        let (row, column) = (number as i64 / counts.0, number as i64 % counts.0);
        map.cell(row, column, *value);
    }
    let bottom = TOP + counts.1 * field.1;
    map.names(bottom);
    map.legend(bottom + 50);
    map.panel
}

impl Map<'_> {
    /// How strong a number is shown, in hundredths.
    fn strength(&self, value: i64) -> i64 {
        let (low, high) = self.range;
        if low == high {
            return FAINT;
        }
        FAINT + scaled(value.saturating_sub(low), high.saturating_sub(low), 100 - FAINT)
    }

    fn cell(&mut self, row: i64, column: i64, value: Option<i64>) {
        let (wide, high) = self.field;
        let (x, y) = (self.left + column * wide, TOP + row * high);
        let (shown, strength) = match value {
            Some(value) => (self.metric.shown(value), self.strength(value)),
            None => ("-".to_string(), 0),
        };
        let names = [
            self.rows.map(|axis| format!("{}={}", axis.key, axis.values[row as usize])),
            Some(format!("{}={}", self.columns.key, self.columns.values[column as usize])),
        ];
        let names: Vec<String> = names.into_iter().flatten().collect();
        let names = escaped(&names.join(", "));
        let opacity = format!("{}.{:02}", strength / 100, strength % 100);
        self.panel.line(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\" class=\"heat\" \
             fill-opacity=\"{opacity}\"><title>{names}: {shown}</title></rect>"
        ));
        if wide >= TOLD.0 && high >= TOLD.1 && width(&shown, SMALL) <= wide - 2 {
            let class = match strength {
                faint if faint < STRONG.0 => "lo",
                strong if strong > STRONG.1 => "hi",
                _ => "mid",
            };
            let more = format!(" font-size=\"{SMALL}\" class=\"{class}\" pointer-events=\"none\"");
            self.panel.label((x + wide / 2, y + high / 2 + 4), "middle", &more, &shown);
        }
    }

    /// Values of the keys, as many as fit.
    fn names(&mut self, bottom: i64) {
        let (wide, high) = self.field;
        let Map { columns: axis, left, .. } = *self;
        let longest = axis.values.iter().map(|value| width(value, 13)).max().unwrap_or(0);
        let room = longest.min(VALUE) + 8;
        for (at, value) in axis.values.iter().enumerate().step_by(every(wide, room)) {
            let value = fitted(value, VALUE, 13);
            // None stands out of the panel.
            let half = width(&value, 13) / 2;
            let x = left + at as i64 * wide + wide / 2;
            let x = x.clamp(half, (self.panel.width - half).max(half));
            self.panel.label((x, bottom + 20), "middle", " class=\"dim\"", &value);
        }
        let Some(axis) = self.rows else { return };
        for (at, value) in axis.values.iter().enumerate().step_by(every(high, 16)) {
            let y = TOP + at as i64 * high + high / 2 + 4;
            let value = fitted(value, VALUE, 13);
            self.panel.label((left - 8, y), "end", " class=\"dim\"", &value);
        }
    }

    /// From the smallest number to the greatest.
    fn legend(&mut self, top: i64) {
        let ((low, high), metric, left) = (self.range, self.metric, self.left);
        let (from, to) = (metric.shown(low), metric.shown(high));
        if low == high {
            let text = format!("{from} everywhere");
            self.panel.label((left, top + 11), "start", " class=\"dim\"", &text);
            return;
        }
        self.panel.label((left, top + 11), "start", " class=\"dim\"", &from);
        let begin = left + width(&from, 13) + 8;
        for step in 0..STEPS {
            let strength = FAINT + (100 - FAINT) * step / (STEPS - 1);
            let (x, opacity) =
                (begin + step * 5, format!("{}.{:02}", strength / 100, strength % 100));
            self.panel.line(format_args!(
                "<rect x=\"{x}\" y=\"{top}\" width=\"5\" height=\"14\" class=\"heat\" \
                 fill-opacity=\"{opacity}\"/>"
            ));
        }
        let end = begin + STEPS * 5 + 8;
        self.panel.label((end, top + 11), "start", " class=\"dim\"", &to);
    }
}

/// Of how many neighbours one is named, so that names do not touch.
fn every(step: i64, room: i64) -> usize {
    (room / step + i64::from(room % step > 0)).max(1) as usize
}
