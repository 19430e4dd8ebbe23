//! A terminal recording, asciicast version 2: the lines of `run` at the moments of which they tell.

use serde_json::json;

use crate::base::ids::{Id, RecordNo};
use crate::render::report::Report;
use crate::render::text::{Colour, Narrator};
use crate::timeline::sink::Sink;
use crate::timeline::words::Weight;

/// Players skip pauses longer than this, in seconds.
const IDLE: u32 = 2;

/// Docker's views are drawn for a terminal of this width; some of its tables are wider.
const WIDTH: usize = 120;

/// The recording.
pub(super) fn asciicast(report: &Report<'_>) -> String {
    let mut text = String::new();
    let mut width = WIDTH;
    let mut narrator = Narrator::new(Vec::new(), Colour::Coloured, Weight::Reason);
    for (place, record) in report.timeline.records.iter().enumerate() {
        narrator.record(RecordNo::from_index(place), record);
        let said = std::mem::take(narrator.out());
        if said.is_empty() {
            continue;
        }
        let said = String::from_utf8_lossy(&said).replace('\n', "\r\n");
        width = said.lines().map(columns).max().unwrap_or(0).max(width);
        let (seconds, micros) = (record.at.0 / 1_000_000_000, record.at.0 / 1_000 % 1_000_000);
        text += &format!("[{seconds}.{micros:06}, \"o\", {}]\n", json!(said));
    }
    let header = json!({
        "version": 2, "width": width, "height": 36, "idle_time_limit": IDLE, "title": report.name,
    });
    format!("{header}\n{text}")
}

/// Columns of a line, of which colours take none.
fn columns(line: &str) -> usize {
    let mut pieces = line.split('\u{1b}');
    let plain = pieces.next().map_or(0, |piece| piece.chars().count());
    plain
        + pieces
            .map(|piece| piece.split_once('m').map_or(0, |(_, rest)| rest.chars().count()))
            .sum::<usize>()
}
