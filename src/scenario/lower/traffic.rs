//! `traffic:`.

use crate::base::time::{SECOND, Span};
use crate::scenario::lower::Names;
use crate::scenario::lower::reader::Reader;
use crate::scenario::model::{Arrivals, Target, Told, Traffic};
use crate::scenario::syntax::Tree;

/// Most requests per second of a source.
const MAX_RATE: u64 = 100_000;

/// The time between two at that rate.
const SHORTEST: Span = Span(SECOND / MAX_RATE as i64);

/// Most connections that a source keeps.
const MAX_CONNECTIONS: u64 = 100_000;

const ARRIVALS: [(&str, Arrivals); 2] =
    [("steady", Arrivals::Steady), ("random", Arrivals::Random)];

const TOLD: [(&str, Told); 2] = [("each", Told::Each), ("each-second", Told::EachSecond)];

pub(super) fn traffic(reader: &mut Reader, tree: &Tree, names: &Names) -> Vec<Traffic> {
    let items = reader.seq(tree, "traffic");
    items.iter().filter_map(|item| source(reader, item, names)).collect()
}

fn source(reader: &mut Reader, tree: &Tree, names: &Names) -> Option<Traffic> {
    let mut fields = reader.map(tree, "traffic")?;
    let port = fields.take("port");
    let service = fields.take("service");
    let rate = fields.take("rate").map(|tree| rate(reader, tree));
    let every = fields.take("every").map(|tree| reader.positive_span(tree));
    let arrivals = fields.take("arrivals");
    let arrivals = arrivals.and_then(|tree| reader.word(tree, "way of arriving", &ARRIVALS));
    let connections = fields.take("connections");
    let connections = connections.and_then(|tree| reader.whole(tree, 1, MAX_CONNECTIONS));
    let takes = fields.take("takes").and_then(|tree| reader.span(tree));
    let told = fields.take("told").and_then(|tree| reader.word(tree, "way of telling", &TOLD));
    let node = fields.take("node").and_then(|tree| names.node(reader, tree));
    let from = fields.take("from").and_then(|tree| reader.span(tree));
    let until = fields.take("until").map(|tree| (tree, reader.span(tree)));
    reader.finish(fields);
    let until = until.and_then(|(tree, until)| {
        if until.is_some_and(|until| until <= from.unwrap_or_default()) {
            reader.wrong(tree, "is not later than `from`", None);
        }
        until
    });
    if port.is_some() == service.is_some() || rate.is_some() == every.is_some() {
        let message = "needs either `port` or `service`, and either `rate` or `every`";
        reader.wrong(tree, message, None);
    }
    let target = match (port, service) {
        (Some(port), _) => Target::Port(reader.whole(port, 1, 65_535)? as u16),
        (None, service) => Target::Service(named(reader, service?, names)),
    };
    let every = rate.or(every)??;
    if every < SHORTEST {
        reader.wrong(tree, "makes more than 100000 requests a second", None);
        return None;
    }
    Some(Traffic {
        line: tree.place.line,
        target,
        every,
        arrivals: arrivals.unwrap_or(Arrivals::Steady),
        connections: connections.unwrap_or_default() as u32,
        takes: takes.unwrap_or_default(),
        told: told.unwrap_or(told_by_default(every)),
        node,
        from,
        until,
    })
}

fn named(reader: &mut Reader, tree: &Tree, names: &Names) -> String {
    names.check_service(reader, tree);
    tree.text().to_string()
}

/// Requests that follow one another faster than ten a second are told by the second: a record for
/// each of a thousand would be all that one sees of a run.
pub(crate) fn told_by_default(every: Span) -> Told {
    if every < Span::from_ms(100) { Told::EachSecond } else { Told::Each }
}

/// `50/s`, `30/m` or `10/h` as the time between two.
fn rate(reader: &mut Reader, tree: &Tree) -> Option<Span> {
    let (count, unit) = tree.text().split_once('/').unwrap_or((tree.text(), ""));
    let unit = match unit {
        "s" => Some(SECOND),
        "m" => Some(60 * SECOND),
        "h" => Some(3600 * SECOND),
        _ => None,
    };
    let count = count.parse::<u64>().ok().filter(|count| (1..=MAX_RATE).contains(count));
    let every = unit.zip(count).map(|(unit, count)| Span(unit / count as i64));
    if every.is_none() {
        let hint = "write it like 50/s, 30/m or 10/h".to_string();
        reader.wrong(tree, "is not a rate", Some(hint));
    }
    every
}
