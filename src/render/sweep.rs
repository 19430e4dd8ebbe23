//! The result of a sweep: a table for people, CSV and JSON for machines.

use std::io::{self, Write};

use serde::Serialize;

use crate::base::time::Span;
use crate::render::text::seconds;
use crate::sweep::claims::{Claimed, Failures};
use crate::sweep::grid::{self, Axis};
use crate::sweep::measure::Outcome;
use crate::sweep::replicate::seed;
use crate::sweep::results::Header;
use crate::sweep::stats::Interval;
use crate::sweep::summary::{Number, Quantile, Spread, Summary};

/// Widest label of a cell in the table.
const LABEL: usize = 18;

/// Writes the result for people: a table of the cells, if there are several, and each in full.
///
/// # Errors
/// Those of writing.
pub fn text(out: &mut impl Write, header: &Header, cells: &[Summary]) -> io::Result<()> {
    let axes = &header.vary;
    let last = header.seed.wrapping_add(header.replicates.saturating_sub(1));
    writeln!(out, "{}: seeds {} to {last}", header.scenario, header.seed)?;
    if let Some(shard) = header.shard {
        let (number, of) = (shard.number, shard.of);
        writeln!(out, "shard {number} of {of} only; `swarmsim merge` puts them together")?;
    }
    if cells.len() > 1 {
        table(out, header, cells)?;
    }
    for (number, cell) in cells.iter().enumerate() {
        writeln!(out)?;
        for assignment in grid::assignments(axes, number) {
            writeln!(out, "{assignment}")?;
        }
        whole_cell(out, cell)?;
        claims(out, header, number, cell)?;
    }
    writeln!(out, "\nIn brackets: 95 % intervals for all runs, from those that were made.")
}

/// One line a cell: what people compare.
fn table(out: &mut impl Write, header: &Header, cells: &[Summary]) -> io::Result<()> {
    let axes = &header.vary;
    let claims = (0..cells.len()).any(|cell| !header.claimed(cell).is_empty());
    let labels: Vec<String> = (0..cells.len()).map(|cell| label(axes, cell)).collect();
    let names: Vec<&str> = axes.iter().map(Axis::label).collect();
    let title = cut(&names.join(" "));
    let width = labels.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let width = width.max(title.chars().count());
    let last = if claims { "  expected" } else { "" };
    writeln!(
        out,
        "\n{title:<width$}     done   rolled   paused    other    takes  95 % in  least  \
         reached{last}"
    )?;
    for (label, cell) in labels.iter().zip(cells) {
        let share = |outcome| percent(cell.outcome(outcome).runs, cell.runs);
        let other = [Outcome::NoUpdate, Outcome::RollbackPaused, Outcome::Unfinished];
        let other = other.iter().map(|outcome| cell.outcome(*outcome).runs).sum();
        let number = |number, show: &dyn Fn(&Spread) -> i64| {
            cell.number(number).map_or("-".to_string(), |spread| shown(number, show(spread)))
        };
        let held = percent(cell.runs - cell.any_claim.runs, cell.runs);
        let last = if claims { format!("  {held:>8}") } else { String::new() };
        writeln!(
            out,
            "{label:<width$}  {:>7}  {:>7}  {:>7}  {:>7}  {:>7}  {:>7}  {:>5}  {:>7}{last}",
            share(Outcome::Completed),
            share(Outcome::RolledBack),
            share(Outcome::Paused),
            percent(other, cell.runs),
            number(Number::Duration, &|spread| spread.median.value),
            number(Number::Duration, &|spread| spread.most.value),
            number(Number::LeastRunning, &|spread| spread.least),
            number(Number::Reached, &|spread| spread.greatest),
        )?;
    }
    Ok(())
}

fn label(axes: &[Axis], cell: usize) -> String {
    cut(&grid::values(axes, cell).join(" "))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LABEL {
        return text.to_string();
    }
    text.chars().take(LABEL - 1).chain(['…']).collect()
}

/// Everything that is known of a cell.
fn whole_cell(out: &mut impl Write, cell: &Summary) -> io::Result<()> {
    let plural = if cell.runs == 1 { "run" } else { "runs" };
    writeln!(out, "  {} {plural}", cell.runs)?;
    for (outcome, share) in Outcome::ALL.iter().zip(&cell.outcomes) {
        if share.runs > 0 {
            let (percent, Interval { low, high }) =
                (percent(share.runs, cell.runs), share.interval);
            let text = format!("{percent} [{:.1}, {:.1}]", low * 100.0, high * 100.0);
            writeln!(out, "  {:<17} {text}", outcome.word())?;
        }
    }
    for number in [
        Number::Duration,
        Number::Detected,
        Number::WholeAfter,
        Number::ShortFor,
        Number::UnavailableFor,
    ] {
        if let Some(spread) = cell.number(number).filter(|spread| spread.greatest > 0) {
            let median = quantile(number, &spread.median);
            let most = quantile(number, &spread.most);
            let mut what = words(number);
            if spread.runs < cell.runs {
                let share = percent(spread.runs, cell.runs);
                writeln!(out, "  {what:<17} in {share} of the runs:")?;
                what = "";
            }
            writeln!(out, "  {what:<17} median {median}, 95 % within {most}")?;
        }
    }
    for number in [Number::LeastRunning, Number::Reached] {
        if let Some(spread) = cell.number(number).filter(|spread| spread.greatest > 0) {
            let Spread { least, median, greatest, .. } = spread;
            let range = if least == greatest {
                format!("{least} in every run")
            } else {
                format!("{least} to {greatest}, median {}", quantile(number, median))
            };
            writeln!(out, "  {:<17} {range}", words(number))?;
        }
    }
    if cell.requests > 0 {
        let share = percent(cell.lost, cell.requests);
        writeln!(out, "  {:<17} {} of {}, {share}", "requests lost", cell.lost, cell.requests)?;
    }
    Ok(())
}

/// Which expectations hold, and in how many of the runs.
fn claims(out: &mut impl Write, header: &Header, at: usize, cell: &Summary) -> io::Result<()> {
    let claimed = header.claimed(at);
    if claimed.is_empty() || cell.runs == 0 {
        return Ok(());
    }
    let held = |failures: &Failures| {
        let (held, Interval { low, high }) = failures.held(cell.runs);
        let share = percent(held, cell.runs);
        format!("{share} [{:.1}, {:.1}]", low * 100.0, high * 100.0)
    };
    let all = claimed.len();
    let what = if all == 1 { "it holds" } else { "all of them hold" };
    let share = held(&cell.any_claim);
    writeln!(out, "  {:<17} {all}; {what} in {share} of the runs", "expectations")?;
    for (Claimed { line, text }, failures) in claimed.iter().zip(&cell.claims) {
        let Some(first) = failures.first else { continue };
        let (seed, share) = (seed(header.seed, first).0, held(failures));
        let place = if *line > 0 { format!("line {line}: ") } else { String::new() };
        writeln!(out, "    {share}, not with seed {seed}: {place}{text}")?;
    }
    Ok(())
}

/// What a number is called.
fn words(number: Number) -> &'static str {
    match number {
        Number::Duration => "update took",
        Number::Detected => "failure seen",
        Number::WholeAfter => "whole again after",
        Number::ShortFor => "replicas missing",
        Number::UnavailableFor => "none running",
        Number::LeastRunning => "fewest running",
        Number::Reached => "slots reached",
        Number::Lost => "requests lost",
    }
}

fn quantile(number: Number, quantile: &Quantile) -> String {
    let Quantile { value, low, high } = *quantile;
    let bound = |bound: Option<i64>| {
        let text = bound.map_or("?".to_string(), |at| shown(number, at));
        text.trim_end_matches('s').to_string()
    };
    format!("{} [{}, {}]", shown(number, value), bound(low), bound(high))
}

fn shown(number: Number, value: i64) -> String {
    if number.is_time() { seconds(Span(value)) } else { value.to_string() }
}

/// With one decimal; never rounded to all or nothing.
fn percent(part: u64, of: u64) -> String {
    if of == 0 {
        return "-".to_string();
    }
    let tenths = (u128::from(part) * 2_000 + u128::from(of)) / (u128::from(of) * 2);
    let tenths = match (part, tenths) {
        (1.., 0) => return "<0.1 %".to_string(),
        (_, 1_000) if part < of => return ">99.9 %".to_string(),
        (_, tenths) => tenths,
    };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Writes a line for each cell and number.
///
/// # Errors
/// Those of writing.
pub fn csv(out: &mut impl Write, header: &Header, cells: &[Summary]) -> io::Result<()> {
    let axes = &header.vary;
    for axis in axes {
        write!(out, "{},", field(&axis.key))?;
    }
    writeln!(
        out,
        "number,runs,of,least,median,median_low,median_high,p95,p95_low,p95_high,greatest,\
         share,share_low,share_high,failing_seed"
    )?;
    let whole = |value: Option<i64>| value.map_or(String::new(), |value| value.to_string());
    for (number, cell) in cells.iter().enumerate() {
        let mut front = String::new();
        for value in grid::values(axes, number) {
            front.push_str(&field(value));
            front.push(',');
        }
        for (outcome, share) in Outcome::ALL.iter().zip(&cell.outcomes) {
            let (runs, interval) = (share.runs, share.interval);
            share_line(out, &front, outcome.word(), (runs, interval), cell.runs, None)?;
        }
        let of_all = (!cell.claims.is_empty()).then_some(("expect".to_string(), &cell.any_claim));
        let of_each = (1..).zip(&cell.claims).map(|(n, claim)| (format!("expect.{n}"), claim));
        for (name, claim) in of_all.into_iter().chain(of_each) {
            let failing = claim.first.map(|first| seed(header.seed, first).0);
            share_line(out, &front, &name, claim.held(cell.runs), cell.runs, failing)?;
        }
        for (number, spread) in Number::ALL.iter().zip(&cell.numbers) {
            let Some(Spread { runs, least, median, most, greatest }) = spread else { continue };
            let (m, p) = (median, most);
            writeln!(
                out,
                "{front}{},{runs},{},{least},{},{},{},{},{},{},{greatest},,,,",
                number.key(),
                cell.runs,
                m.value,
                whole(m.low),
                whole(m.high),
                p.value,
                whole(p.low),
                whole(p.high)
            )?;
        }
    }
    Ok(())
}

/// A line of CSV for what is true of some of the runs.
fn share_line(
    out: &mut impl Write,
    front: &str,
    name: &str,
    (runs, interval): (u64, Interval),
    of: u64,
    failing_seed: Option<u64>,
) -> io::Result<()> {
    let part = runs as f64 / (of as f64).max(1.0);
    let (Interval { low, high }, seed) = (interval, failing_seed.map(|seed| seed.to_string()));
    let seed = seed.unwrap_or_default();
    writeln!(out, "{front}{name},{runs},{of},,,,,,,,,{part},{low},{high},{seed}")
}

/// A field of CSV: in quotes where it has to be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

#[derive(Serialize)]
struct Document<'a> {
    scenario: &'a str,
    digest: &'a str,
    seed: u64,
    replicates: u64,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    set: Vec<String>,
    runs: u64,
    outcomes: Vec<ShareOf>,
    numbers: Vec<SpreadOf>,
    requests: u64,
    requests_lost: u64,
    /// Of runs in which all expectations hold; absent if there are none.
    expected: Option<HeldOf>,
    expectations: Vec<ExpectationOf>,
}

#[derive(Serialize)]
struct HeldOf {
    runs: u64,
    low: f64,
    high: f64,
    failing_seed: Option<u64>,
}

#[derive(Serialize)]
struct ExpectationOf {
    line: u32,
    text: String,
    #[serde(flatten)]
    held: HeldOf,
}

#[derive(Serialize)]
struct ShareOf {
    outcome: &'static str,
    runs: u64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct SpreadOf {
    number: &'static str,
    runs: u64,
    least: i64,
    median: QuantileOf,
    p95: QuantileOf,
    greatest: i64,
}

#[derive(Serialize)]
struct QuantileOf {
    value: i64,
    low: Option<i64>,
    high: Option<i64>,
}

impl From<Quantile> for QuantileOf {
    fn from(Quantile { value, low, high }: Quantile) -> Self {
        QuantileOf { value, low, high }
    }
}

/// Writes one JSON document, with a line break at its end.
///
/// # Errors
/// Those of writing.
pub fn json(out: &mut impl Write, header: &Header, cells: &[Summary]) -> io::Result<()> {
    let axes = &header.vary;
    let held = |failures: &Failures, of: u64| {
        let (runs, Interval { low, high }) = failures.held(of);
        let failing_seed = failures.first.map(|first| seed(header.seed, first).0);
        HeldOf { runs, low, high, failing_seed }
    };
    let cell = |(number, cell): (usize, &Summary)| Cell {
        set: grid::assignments(axes, number),
        runs: cell.runs,
        outcomes: (Outcome::ALL.iter().zip(&cell.outcomes))
            .map(|(outcome, share)| {
                let Interval { low, high } = share.interval;
                ShareOf { outcome: outcome.word(), runs: share.runs, low, high }
            })
            .collect(),
        numbers: (Number::ALL.iter().zip(&cell.numbers))
            .filter_map(|(number, spread)| {
                let Spread { runs, least, median, most, greatest } = (*spread)?;
                let (median, p95) = (median.into(), most.into());
                Some(SpreadOf { number: number.key(), runs, least, median, p95, greatest })
            })
            .collect(),
        requests: cell.requests,
        requests_lost: cell.lost,
        expected: (!cell.claims.is_empty()).then(|| held(&cell.any_claim, cell.runs)),
        expectations: (header.claimed(number).iter().zip(&cell.claims))
            .map(|(Claimed { line, text }, failures)| {
                let (line, text) = (*line, text.clone());
                ExpectationOf { line, text, held: held(failures, cell.runs) }
            })
            .collect(),
    };
    let document = Document {
        scenario: &header.scenario,
        digest: &header.digest,
        seed: header.seed,
        replicates: header.replicates,
        cells: cells.iter().enumerate().map(cell).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        let shown = [(0, 3), (1, 3), (3, 3), (1, 10_000), (9_999, 10_000), (0, 0)];
        let shown: Vec<String> = shown.map(|(part, of)| percent(part, of)).into();
        assert_eq!(shown, ["0.0 %", "33.3 %", "100.0 %", "<0.1 %", ">99.9 %", "-"]);
    }

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        assert_eq!(field("a b"), "a b");
        assert_eq!(field("{a: 1, b: \"x\"}"), "\"{a: 1, b: \"\"x\"\"}\"");
    }
}
