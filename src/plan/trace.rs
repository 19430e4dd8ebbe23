//! Which runs a forecast's numbers come from: for each range the run at its lower end, the one in
//! the middle and the one at its upper end, by their seeds.

use std::sync::Arc;

use crate::base::time::Span;
use crate::plan::forecast::Runs;
use crate::plan::range::places;
use crate::plan::stage::{Case, Deploy};
use crate::plan::watch::{Seen, ServiceSeen};
use crate::sweep::replicate::seed;

/// A number with the runs that it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traced {
    /// Of which service; of the docker client if there is none.
    pub service: Option<Arc<str>>,
    /// What it is.
    pub number: Number,
    /// Lower end, middle and upper end of its range: the value, and the seed of a run that has it.
    pub runs: [(i64, u64); 3],
}

/// A number of a run; times are in nanoseconds since the deploy was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Number {
    /// When the docker client ended.
    ClientEnd,
    /// When the update or its rollback ended.
    UpdateEnd,
    /// When the update was paused or rolled back.
    Detected,
    /// Fewest serving replicas.
    Least,
    /// From when on all serve again.
    WholeAfter,
    /// Slots that a failing version reaches.
    Reached,
}

impl Number {
    /// Those of a service.
    const OF_SERVICE: [Number; 5] =
        [Number::Detected, Number::UpdateEnd, Number::Least, Number::WholeAfter, Number::Reached];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Number::ClientEnd => "docker ends after",
            Number::UpdateEnd => "update ends after",
            Number::Detected => "noticed after",
            Number::Least => "serve at the fewest",
            Number::WholeAfter => "whole after",
            Number::Reached => "reached",
        }
    }

    /// Whether it is a time.
    pub fn is_time(self) -> bool {
        !matches!(self, Number::Least | Number::Reached)
    }

    fn of(self, seen: &ServiceSeen) -> Option<i64> {
        let time = |span: Option<Span>| span.map(|span| span.0);
        match self {
            Number::ClientEnd => None,
            Number::UpdateEnd => time(seen.took),
            Number::Detected => time(seen.detected),
            Number::Least => Some(seen.least as i64),
            Number::WholeAfter => time(seen.whole_after),
            Number::Reached => Some(seen.reached as i64),
        }
    }
}

/// The numbers of every case with the runs that they come from; `first_seed` is that of the first
/// run. Of a case in which a version fails only the service that fails is told, of the good one all
/// that are updated.
pub fn trace(deploy: &Deploy, runs: &Runs, first_seed: u64) -> Vec<(Case, Vec<Traced>)> {
    runs.iter().map(|(case, seen)| (*case, of_case(deploy, *case, seen, first_seed))).collect()
}

fn of_case(deploy: &Deploy, case: Case, seen: &[Seen], first_seed: u64) -> Vec<Traced> {
    let places: Vec<usize> = match case {
        Case::Good => deploy.updated().collect(),
        Case::Bad(place, _) => vec![place],
    };
    let mut traced = Vec::new();
    for place in places {
        let name = deploy.services[place].name.as_str();
        for number in Number::OF_SERVICE {
            if case == Case::Good && number == Number::Reached {
                continue;
            }
            let value = |seen: &Seen| number.of(seen.services.get(name)?);
            let runs = ends(seen, first_seed, value);
            traced.extend(runs.map(|runs| Traced { service: Some(name.into()), number, runs }));
        }
    }
    let end = ends(seen, first_seed, |seen| seen.client.map(|(took, _)| took.0));
    let number = Number::ClientEnd;
    traced.extend(end.map(|runs| Traced { service: None, number, runs }));
    traced
}

/// The ends and the middle of the range of a number, each with the seed of its run.
fn ends(
    seen: &[Seen],
    first_seed: u64,
    value: impl Fn(&Seen) -> Option<i64>,
) -> Option<[(i64, u64); 3]> {
    let seed_of = |number| seed(first_seed, number).0;
    let with_seed = |(seen, number): (&Seen, u64)| Some((value(seen)?, seed_of(number)));
    let mut values: Vec<(i64, u64)> = seen.iter().zip(0..).filter_map(with_seed).collect();
    values.sort_unstable();
    Some(places(values.len())?.map(|place| values[place]))
}
