//! What a forecast means for whoever deploys: is a failing version caught, how long may a CI job
//! take, and is the answer yes?

use crate::base::time::Span;
use crate::plan::forecast::{Client, Failing, Forecast, Summary};
use crate::plan::look::looks;
use crate::plan::mode::Mode;
use crate::plan::stage::{Case, Deploy};
use crate::swarmkit::task::UpdateState;

/// What becomes of a failing version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// In every run it is noticed, and some replica serves all the time.
    Caught,
    /// In every run all replicas serve in the end, on the new version: it was only slow.
    ComesUp,
    /// In some run no replica serves at some time.
    Outage,
    /// In some run the version stays, and nobody notices.
    Missed,
    /// In some run it was not deployed at all, or the simulator gave up before the end.
    Untried,
}

impl Verdict {
    /// The verdict on a failing version.
    pub fn of(failing: &Failing, runs: usize) -> Verdict {
        let service = &failing.service;
        let is_slow = matches!(failing.mode, Mode::SlowStart(_));
        let completed = [Some(UpdateState::Completed.word())];
        let completed = service.updates.keys().all(|state| completed.contains(state));
        let whole = service.whole_after.is_some_and(|range| range.runs == runs);
        // A version that was not deployed was not caught either.
        let tried = service.updates.values().sum::<usize>() == runs
            && service.reached.is_some_and(|range| range.low > 0);
        if !tried || !failing.cut.is_empty() {
            Verdict::Untried
        } else if service.outages > 0 {
            Verdict::Outage
        } else if service.unnoticed == 0 {
            Verdict::Caught
        } else if is_slow && whole && completed {
            Verdict::ComesUp
        } else {
            Verdict::Missed
        }
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Caught => "caught",
            Verdict::ComesUp => "comes up",
            Verdict::Outage => "outage",
            Verdict::Missed => "not caught",
            Verdict::Untried => "not tried",
        }
    }

    /// Whether it is good enough for a mode that has to be caught.
    pub fn is_good(self) -> bool {
        matches!(self, Verdict::Caught | Verdict::ComesUp)
    }
}

/// The answer of a forecast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The good version is rolled out, and every mode that has to be caught is.
    Yes,
    /// The same; but the deploy takes something away that somebody may miss.
    Look,
    /// The good version is rolled out, but one that fails is not caught, or takes all replicas.
    No,
    /// Already the good version is not rolled out in every run.
    Stuck,
    /// Nobody knows: a limit of the simulator ended runs that the answer depends on.
    Unknown,
}

impl Answer {
    /// The answer of a forecast of a deploy.
    pub fn of(deploy: &Deploy, forecast: &Forecast) -> Answer {
        let cut = |failing: &Failing| failing.mode.is_required() && !failing.cut.is_empty();
        if !forecast.good.cut.is_empty() || forecast.bad.iter().any(cut) {
            return Answer::Unknown;
        }
        if !is_rolled_out(deploy, &forecast.good, forecast.runs) {
            return Answer::Stuck;
        }
        let bad = |failing: &Failing| {
            failing.mode.is_required() && !Verdict::of(failing, forecast.runs).is_good()
        };
        if forecast.bad.iter().any(bad) {
            Answer::No
        } else if looks(&deploy.services).is_empty() {
            Answer::Yes
        } else {
            Answer::Look
        }
    }

    /// Its word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::Look => "look",
            Answer::No => "no",
            Answer::Stuck => "stuck",
            Answer::Unknown => "unknown",
        }
    }
}

/// Whether in every run the client ended with success, and every update was completed with all
/// replicas serving.
pub fn is_rolled_out(deploy: &Deploy, good: &Summary, runs: usize) -> bool {
    let completed = [None, Some(UpdateState::Completed.word())];
    let of_file = deploy.services.iter().filter(|service| service.new.is_some());
    good.client.exits.get(&0) == Some(&runs)
        && of_file.into_iter().all(|service| {
            good.services.get(service.name.as_str()).is_some_and(|seen| {
                seen.updates.keys().all(|state| completed.contains(state))
                    && seen.whole_after.is_some_and(|range| range.runs == runs)
            })
        })
}

/// How long a CI job should wait for the docker client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeout {
    /// Longer than the client takes in any case in which it ends: the upper end of the slowest
    /// case's range, rounded up to 10 s below a minute and to a minute above.
    pub wait: Span,
    /// That upper end.
    pub slowest: Span,
    /// The slowest case.
    pub case: Case,
    /// Cases in which the client does not end by itself in every run, and so is ended by the
    /// timeout.
    pub hangs: Vec<Case>,
}

impl Timeout {
    /// The timeout of a forecast; nothing if the client never ended.
    pub fn of(forecast: &Forecast) -> Option<Timeout> {
        let bad = forecast.bad.iter().map(|f| (Case::Bad(f.place, f.mode), &f.client));
        let all: Vec<(Case, &Client)> =
            [(Case::Good, &forecast.good.client)].into_iter().chain(bad).collect();
        let mut slowest: Option<(Case, i64)> = None;
        for (case, client) in &all {
            let Some(took) = client.took else { continue };
            if slowest.is_none_or(|(_, longest)| took.high > longest) {
                slowest = Some((*case, took.high));
            }
        }
        let (case, high) = slowest?;
        let hangs = all.iter().filter(|(_, client)| client.hangs > 0).map(|(case, _)| *case);
        Some(Timeout {
            wait: rounded(Span(high)),
            slowest: Span(high),
            case,
            hangs: hangs.collect(),
        })
    }
}

/// Up to 10 s below a minute, to a whole minute above.
fn rounded(span: Span) -> Span {
    let unit =
        if span.0 <= Span::from_secs(60).0 { Span::from_secs(10) } else { Span::from_secs(60) };
    // A client that ends in an instant is given time as well.
    unit.times(span.0.div_euclid(unit.0) + i64::from(span.0.rem_euclid(unit.0) > 0 || span.0 <= 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_round() {
        let round = |seconds| rounded(Span::from_secs(seconds)).whole_secs();
        assert_eq!(
            [0, 1, 10, 11, 59, 60, 61, 120, 121].map(round),
            [10, 10, 10, 20, 60, 60, 120, 120, 180]
        );
    }
}
