//! What a scenario expects, claimed of each of many runs: in how many does it hold?

use serde::{Deserialize, Serialize};

use crate::expect::evaluate;
use crate::expect::laws::broken_laws;
use crate::scenario::expect::{Claims, Expect};
use crate::scenario::model::Scenario;
use crate::sweep::stats::{self, Interval};
use crate::timeline::ends::Footer;
use crate::timeline::record::Record;

/// An expectation, as results have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claimed {
    /// Its line in the file; 0 = it comes from no file.
    pub line: u32,
    /// In the words of scenario files.
    pub text: String,
}

/// The expectations of a scenario.
pub fn of(scenario: &Scenario) -> Vec<Claimed> {
    let of = |expect: &Expect| Claimed { line: expect.line, text: scenario.expectation(expect) };
    scenario.expect.iter().map(of).collect()
}

/// Which expectations do not hold in a run, by their places in the scenario.
///
/// Laws are looked at only if the scenario says something about them: they are about the simulator,
/// and `swarmsim run` and `verify` look at all of them.
pub fn failed(scenario: &Scenario, records: &[Record], footer: &Footer) -> Vec<u32> {
    let about_laws = |claims: &Claims| matches!(claims, Claims::LawsBroken(_));
    let broken = if scenario.expect.iter().any(|expect| about_laws(&expect.claims)) {
        broken_laws(scenario, records, footer)
    } else {
        Vec::new()
    };
    let verdicts = evaluate(scenario, records, footer, &broken);
    (0..).zip(&verdicts).filter(|(_, verdict)| !verdict.holds()).map(|(place, _)| place).collect()
}

/// In how many runs something does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Failures {
    /// How many.
    pub runs: u64,
    /// The first of them: number of its replicate.
    pub first: Option<u64>,
}

impl Failures {
    /// It does not hold in this replicate.
    pub fn add(&mut self, replicate: u64) {
        self.runs += 1;
        self.first = Some(self.first.map_or(replicate, |first| first.min(replicate)));
    }

    /// In how many of so many runs it holds, with the 95 % interval of the share.
    pub fn held(&self, of: u64) -> (u64, Interval) {
        let held = of - self.runs;
        (held, stats::share(held, of))
    }
}
