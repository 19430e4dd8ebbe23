//! Which runs a forecast's numbers come from: for each range the run at its lower end, the one in
//! the middle and the one at its upper end, by their seeds.

use std::sync::Arc;

use rayon::prelude::*;

use crate::base::time::Span;
use crate::plan::forecast;
use crate::plan::mode::Mode;
use crate::plan::range::rank;
use crate::plan::stage::{Case, Deploy};
use crate::plan::watch::{Seen, ServiceSeen};
use crate::scenario::model::Scenario;
use crate::sweep::replicate::seed;
use crate::sweep::stats::quantile;

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

/// The numbers of every case with the runs that they come from. Of a case in which a version fails
/// only the service that fails is told, of the good one all that are updated. The runs are those of
/// [`forecast::forecast`] with the same arguments.
pub fn trace(
    deploy: &Deploy,
    modes: &[Mode],
    runs: usize,
    first_seed: u64,
) -> Vec<(Case, Vec<Traced>)> {
    let all = deploy.updated().flat_map(|place| modes.iter().map(move |mode| (place, *mode)));
    let failing = all.filter(|(place, mode)| deploy.can_fail(*place, *mode));
    let failing = failing.map(|(place, mode)| Case::Bad(place, mode));
    let cases = std::iter::once(Case::Good).chain(failing);
    cases.map(|case| (case, of_case(deploy, case, runs, first_seed))).collect()
}

fn of_case(deploy: &Deploy, case: Case, runs: usize, first_seed: u64) -> Vec<Traced> {
    let scenario: Arc<Scenario> = deploy.scenario(case);
    let one = |number: usize| {
        let seed = seed(first_seed, number as u64).0;
        (forecast::run(deploy, case, &scenario, seed).0, seed)
    };
    let seen: Vec<(Seen, u64)> = (0..runs).into_par_iter().map(one).collect();
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
            traced.extend(ends(Some(name.into()), number, &seen, value));
        }
    }
    let end = |seen: &Seen| seen.client.map(|(took, _)| took.0);
    traced.extend(ends(None, Number::ClientEnd, &seen, end));
    traced
}

/// The same places of the sorted values as a [`Range`](crate::plan::range::Range) has.
fn ends(
    service: Option<Arc<str>>,
    number: Number,
    seen: &[(Seen, u64)],
    value: impl Fn(&Seen) -> Option<i64>,
) -> Option<Traced> {
    let with_seed = |(seen, seed): &(Seen, u64)| Some((value(seen)?, *seed));
    let mut values: Vec<(i64, u64)> = seen.iter().filter_map(with_seed).collect();
    values.sort_unstable();
    let (count, beyond) = (values.len(), rank(values.len()));
    let low = *values.get(beyond - 1)?;
    let runs = [low, values[quantile(count, 500)], values[count - beyond]];
    Some(Traced { service, number, runs })
}
