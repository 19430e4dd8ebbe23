//! Many runs of every case, and what they have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::base::chance::Seed;
use crate::base::time::{SimTime, Span};
use crate::plan::mode::Mode;
use crate::plan::range::Range;
use crate::plan::stage::{Case, Deploy};
use crate::plan::watch::{Seen, ServiceSeen, Watch};
use crate::scenario::model::Scenario;
use crate::sim::world::Simulation;
use crate::swarmkit::task::UpdateState;
use crate::sweep::replicate::seed;
use crate::timeline::ends::Stop;
use crate::timeline::sink::Sink;

pub use crate::sim::room::Room;

/// The forecast of a deploy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forecast {
    /// Runs of each case.
    pub runs: usize,
    /// Seed of the first run of each case; the others follow.
    pub seed: u64,
    /// If the new version is as it is described.
    pub good: Summary,
    /// If the new version of a service fails.
    pub bad: Vec<Failing>,
}

/// The forecast for a service whose new version fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failing {
    /// Place of the service in [`Deploy::services`].
    pub place: usize,
    /// How it fails.
    pub mode: Mode,
    /// When the docker client ends, in nanoseconds.
    pub client: Client,
    /// The numbers of the service that fails.
    pub service: ServiceSummary,
    /// Runs that a limit of the simulator ended.
    pub cut: Cut,
}

/// The runs of a case together. Times are in nanoseconds since the deploy was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Runs in which the old stack did not come up, so that nothing was deployed.
    pub never_up: usize,
    /// Why it did not, or stood still later, in the first such run.
    pub stuck: Option<Arc<str>>,
    /// What docker said in the first run in which it ended with another code than 0, and in how
    /// many runs it did.
    pub said: Option<(Arc<str>, usize)>,
    /// Runs that a limit of the simulator ended.
    pub cut: Cut,
    /// The docker client.
    pub client: Client,
    /// The services by name.
    pub services: BTreeMap<Arc<str>, ServiceSummary>,
}

/// Limits of the simulator, each with the runs that it ended. Their numbers are those of the part
/// before.
pub type Cut = BTreeMap<&'static str, usize>;

/// The docker client that deploys in the foreground.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Client {
    /// When it ended, of the runs in which it did.
    pub took: Option<Range>,
    /// Exit codes, each with the number of runs.
    pub exits: BTreeMap<u8, usize>,
    /// Runs in which it had not ended when they were given up.
    pub hangs: usize,
}

/// The numbers of a service in all runs of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceSummary {
    /// Replicas that are wanted.
    pub want: u64,
    /// When the update (or its rollback) ended, of the runs in which it did.
    pub took: Option<Range>,
    /// Fewest serving replicas.
    pub least: Option<Range>,
    /// How long that was.
    pub least_for: Option<Range>,
    /// How long fewer served than are wanted.
    pub short_for: Option<Range>,
    /// From when on all served, of the runs in which they go on doing so.
    pub whole_after: Option<Range>,
    /// Runs in which they serve again for a while, and then no longer.
    pub comes_and_goes: usize,
    /// When the update was paused or rolled back, of the runs in which it was.
    pub detected: Option<Range>,
    /// Slots that had a task of the failing version.
    pub reached: Option<Range>,
    /// Slots that are left on it.
    pub on_bad: Option<Range>,
    /// Tasks made since the deploy.
    pub new_tasks: Option<Range>,
    /// Tasks that held resources at one time, at the peak.
    pub most_tasks: Option<Range>,
    /// How updates stand at the end, each with the number of runs; `None` = there was none.
    pub updates: BTreeMap<Option<&'static str>, usize>,
    /// Runs in which tasks of the failing version were made, and the update neither paused nor
    /// rolled back, or completed with some of them for all that.
    pub unnoticed: usize,
    /// Runs in which no replica served at some time.
    pub outages: usize,
    /// Requests made, in all runs.
    pub requests: u64,
    /// Of them not answered.
    pub lost: u64,
    /// Serving replicas over time, in the first run.
    pub course: Vec<(Span, u64)>,
}

/// Runs one run of a case: its numbers, and when it was over.
pub fn run(
    room: &mut Room,
    deploy: &Deploy,
    case: Case,
    scenario: &Arc<Scenario>,
    seed: u64,
) -> (Seen, SimTime) {
    let bad = match case {
        Case::Good => None,
        Case::Bad(place, _) => deploy.bad_image(place),
    };
    let mut watch = Watch::new(scenario, bad);
    let new = |scenario: &_, seed| Simulation::undrawn(scenario, seed).without_digest();
    let simulation = room.next(scenario, Seed(seed), new);
    let mut stop = simulation.run_until(SimTime::ZERO, &mut watch);
    while stop.is_none() && !watch.is_over() {
        stop = simulation.step(&mut watch);
    }
    let footer = simulation.footer(stop.unwrap_or(Stop::ScriptDone));
    watch.finish(&footer);
    (watch.seen(), footer.at)
}

/// Every case with what was seen in its runs, in the order of their seeds; the good one first.
pub type Runs = Vec<(Case, Vec<Seen>)>;

/// Runs every case with the same seeds, on all threads. The result does not depend on these.
pub fn runs(deploy: &Deploy, modes: &[Mode], runs: usize, first_seed: u64) -> Runs {
    let all = deploy.updated().flat_map(|place| modes.iter().map(move |mode| (place, *mode)));
    let failing = all.filter(|(place, mode)| deploy.can_fail(*place, *mode));
    let failing = failing.map(|(place, mode)| Case::Bad(place, mode));
    let cases = std::iter::once(Case::Good).chain(failing);
    let staged: Vec<(Case, Arc<Scenario>)> =
        cases.map(|case| (case, deploy.scenario(case))).collect();
    let one = |room: &mut Room, number: usize| {
        let (case, scenario) = &staged[number / runs];
        run(room, deploy, *case, scenario, seed(first_seed, (number % runs) as u64).0).0
    };
    let all: Vec<Seen> =
        (0..staged.len() * runs).into_par_iter().map_init(Room::default, one).collect();
    let mut all = all.into_iter();
    let seen = |(case, _): (Case, _)| (case, all.by_ref().take(runs).collect());
    staged.into_iter().map(seen).collect()
}

/// What the runs of every case come to.
pub fn forecast(deploy: &Deploy, modes: &[Mode], runs: usize, first_seed: u64) -> Forecast {
    Forecast::of(deploy, &self::runs(deploy, modes, runs, first_seed), first_seed)
}

impl Forecast {
    /// What runs come to that were made with `first_seed` and those after it.
    pub fn of(deploy: &Deploy, runs: &Runs, first_seed: u64) -> Forecast {
        let good = runs.first().map_or(&[][..], |(_, seen)| seen);
        let bad = runs.iter().filter_map(|(case, seen)| {
            let Case::Bad(place, mode) = *case else { return None };
            let name = deploy.services[place].name.as_str();
            let of_service = seen.iter().filter_map(|seen| seen.services.get(name));
            let service = of(&of_service.collect::<Vec<_>>());
            Some(Failing { place, mode, client: client(seen), service, cut: cut(seen) })
        });
        let bad = bad.collect();
        Forecast { runs: good.len(), seed: first_seed, good: summary(good), bad }
    }
}

fn summary(seen: &[Seen]) -> Summary {
    let mut services: BTreeMap<Arc<str>, Vec<&ServiceSeen>> = BTreeMap::new();
    for (name, service) in seen.iter().flat_map(|seen| &seen.services) {
        services.entry(name.clone()).or_default().push(service);
    }
    Summary {
        stuck: seen.iter().find_map(|seen| seen.stuck.clone()),
        said: said(seen),
        cut: cut(seen),
        never_up: seen.iter().filter(|seen| !seen.deployed).count(),
        client: client(seen),
        services: services.into_iter().map(|(name, all)| (name, of(&all))).collect(),
    }
}

fn cut(seen: &[Seen]) -> Cut {
    let mut cut = Cut::new();
    for limit in seen.iter().filter_map(|seen| seen.cut) {
        *cut.entry(limit.word()).or_default() += 1;
    }
    cut
}

fn said(seen: &[Seen]) -> Option<(Arc<str>, usize)> {
    let mut all = seen.iter().filter_map(|seen| seen.said.clone());
    all.next().map(|first| (first, 1 + all.count()))
}

fn client(seen: &[Seen]) -> Client {
    let ended = seen.iter().filter_map(|seen| seen.client);
    let mut exits = BTreeMap::new();
    for (_, code) in ended.clone() {
        *exits.entry(code).or_default() += 1;
    }
    let took: Vec<i64> = ended.map(|(took, _)| took.0).collect();
    Client { hangs: seen.len() - took.len(), took: Range::of(took), exits }
}

fn of(seen: &[&ServiceSeen]) -> ServiceSummary {
    let spans = |number: fn(&ServiceSeen) -> Option<Span>| {
        Range::of(seen.iter().filter_map(|seen| number(seen)).map(|span| span.0).collect())
    };
    let counts = |number: fn(&ServiceSeen) -> u64| {
        Range::of(seen.iter().map(|seen| number(seen) as i64).collect())
    };
    let mut updates = BTreeMap::new();
    for seen in seen {
        *updates.entry(seen.update.map(UpdateState::word)).or_default() += 1;
    }
    let unnoticed = |seen: &&&ServiceSeen| {
        let completed = seen.update == Some(UpdateState::Completed);
        seen.reached > 0 && (seen.detected.is_none() || completed && seen.on_bad > 0)
    };
    ServiceSummary {
        want: seen.first().map_or(0, |seen| seen.want),
        took: spans(|seen| seen.took),
        least: counts(|seen| seen.least),
        least_for: spans(|seen| Some(seen.least_for)),
        short_for: spans(|seen| Some(seen.short_for)),
        whole_after: spans(|seen| seen.whole_after),
        comes_and_goes: seen.iter().filter(|seen| seen.comes_and_goes).count(),
        detected: spans(|seen| seen.detected),
        reached: counts(|seen| seen.reached),
        on_bad: counts(|seen| seen.on_bad),
        new_tasks: counts(|seen| seen.new_tasks),
        most_tasks: counts(|seen| seen.most_tasks),
        updates,
        unnoticed: seen.iter().filter(unnoticed).count(),
        outages: seen.iter().filter(|seen| seen.want > 0 && seen.least == 0).count(),
        requests: seen.iter().map(|seen| seen.requests).sum(),
        lost: seen.iter().map(|seen| seen.lost).sum(),
        course: seen.first().map(|seen| seen.serving.clone()).unwrap_or_default(),
    }
}
