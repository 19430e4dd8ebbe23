//! The trade-offs of a service as a picture: duration against capacity, and against the replicas
//! that a bad version does not reach. Of both more is better.

use crate::advise::goal::Quantity;
use crate::advise::numbers::{NEVER, Numbers, together};
use crate::advise::search::{Answer, Tried};
use crate::render::advise::Advised;
use crate::render::advise::words::changes;
use crate::render::plot::{Point, Tradeoff, panel, picture};

/// The picture.
pub fn svg(advised: &Advised) -> String {
    let serving = |tried: &Tried| median(tried, Quantity::Capacity);
    let unreached = |tried: &Tried| {
        let first = |runs: &Vec<Numbers>| runs.first().map(|run| run.want);
        let want: i64 = tried.runs.iter().map(first).sum::<Option<i64>>()?;
        Some((want - median(tried, Quantity::BadImageExposure)?).max(0))
    };
    let panels = [
        panel(&Tradeoff {
            title: "what serves during the update",
            up: "fewest serving (median, replicas)",
            unit: "serving",
            named_by: "what changes in the file",
            points: points(advised, serving),
        }),
        panel(&Tradeoff {
            title: "what a bad version spares",
            up: "not reached (median, replicas)",
            unit: "not reached",
            named_by: "",
            points: points(advised, unreached),
        }),
    ];
    picture(&advised.name(), "", &panels)
}

fn median(tried: &Tried, quantity: Quantity) -> Option<i64> {
    Some(together(&tried.runs, quantity)).filter(|median| *median != NEVER)
}

/// The front, the file as it stands and what is advised. Of settings at one place the first is
/// told: today's, then the advised one, then the cheapest one. Those that are beaten in the picture
/// have no label, unless they are one of the first two.
fn points(advised: &Advised, up: impl Fn(&Tried) -> Option<i64>) -> Vec<Point> {
    let advice = &advised.advice;
    let chosen = match &advice.answer {
        Answer::Change(tried) => Some((tried, "advised: ")),
        Answer::None { nearest, .. } => Some((nearest, "nearest: ")),
        Answer::AsItIs | Answer::Stuck => None,
    };
    let mut front: Vec<&Tried> = advice.front.iter().collect();
    front.sort_by_key(|tried| tried.cost);
    let today = std::iter::once((&advice.today, "today: "));
    let all = today.chain(chosen).chain(front.into_iter().map(|tried| (tried, "")));
    let mut points: Vec<Point> = Vec::new();
    for (tried, mark) in all {
        let Some((took, least)) = median(tried, Quantity::Duration).zip(up(tried)) else {
            continue;
        };
        if points.iter().all(|known| (known.took, known.least) != (took, least)) {
            let label = format!("{mark}{}", changes(&advised.grid, tried));
            points.push(Point { label, is_named: !mark.is_empty(), took, least });
        }
    }
    points
}
