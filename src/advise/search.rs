//! The search: many settings with few seeds, and whatever is told with all of them.
//!
//! A goal holds if the worst end of its range over all runs meets it, so that no more runs miss it
//! than lie beyond that end ([`Goal::may_hold`]). Run n has the same seed for every setting. A
//! setting that misses a goal in so many of its first runs will miss it with all of them, so that
//! whoever is ruled out by few seeds is ruled out rightly, and whoever is not is run on. What is
//! found is what running every setting with every seed would find.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::advise::conflict;
use crate::advise::front::front;
use crate::advise::goal::{Goal, Quantity};
use crate::advise::grid::{Cost, Grid, Setting};
use crate::advise::numbers::{NEVER, Numbers, together, worst};
use crate::advise::trial::Ground;
use crate::base::time::SECOND;
use crate::plan::range::rank;

/// Of the front at most so many are told, the cheapest; each takes all seeds.
const FRONT_MOST: usize = 40;

/// So many seeds more are run at once while a setting may still turn out not to do.
const STEP: usize = 8;

/// So many of those that seem nearest are run with all seeds, if none meets all goals.
const NEAREST: usize = 8;

/// What is searched for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The goals.
    pub goals: Vec<Goal>,
    /// Runs of each case of what is told.
    pub runs: usize,
    /// Runs of each case of every setting.
    pub screen: usize,
    /// Settings that are tried at most.
    pub most: usize,
}

/// A setting with its numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// Which.
    pub setting: Setting,
    /// What it costs.
    pub cost: Cost,
    /// Its numbers by service, with the first seeds or with all.
    pub runs: Vec<Vec<Numbers>>,
}

impl Tried {
    /// With how many seeds it was run.
    pub fn seeds(&self) -> usize {
        self.runs.first().map_or(0, Vec::len)
    }

    /// The runs of the service that a goal is for.
    pub fn of(&self, goal: &Goal) -> &[Numbers] {
        &self.runs[goal.of]
    }

    /// Whether the good versions are rolled out in every run, as far as is known.
    pub fn is_rolled_out(&self) -> bool {
        self.runs.iter().flatten().all(|run| run.is_rolled_out)
    }
}

/// Which part of the grid was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Settings in the grid.
    pub size: u64,
    /// Settings that were tried.
    pub tried: usize,
    /// All settings that change at most so many keys were.
    pub whole_to: usize,
}

impl Scope {
    /// Whether all of the grid was.
    pub fn is_whole(&self) -> bool {
        self.size == self.tried as u64
    }
}

/// What is advised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The file meets all goals as it stands.
    AsItIs,
    /// The cheapest setting that does.
    Change(Tried),
    /// None does.
    None {
        /// A smallest set of goals that none meets, as places in the question.
        conflict: Vec<usize>,
        /// What misses the fewest goals, and these by the least.
        nearest: Tried,
    },
    /// With none is even the good version rolled out.
    Stuck,
}

/// The result of a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advice {
    /// The file as it stands.
    pub today: Tried,
    /// What was tried.
    pub scope: Scope,
    /// What is compared on the front, the first of them the duration.
    pub compared: Vec<Quantity>,
    /// Settings that no other one beats, by duration.
    pub front: Vec<Tried>,
    /// More of them, which cost more.
    pub front_more: usize,
    /// What is advised.
    pub answer: Answer,
}

/// Searches a grid.
pub fn search(ground: &Ground, grid: &Grid, question: &Question) -> Advice {
    let mut search = Search { ground, grid, question, tried: Vec::new() };
    let whole_to = search.screen_all();
    search.run_on(0, question.runs);
    let scope = Scope { size: grid.size(), tried: search.tried.len(), whole_to };
    let answer = search.answer();
    let compared = search.compared();
    let (front, front_more) = search.front(&compared);
    Advice { today: search.tried[0].clone(), scope, compared, front, front_more, answer }
}

struct Search<'s> {
    ground: &'s Ground,
    grid: &'s Grid,
    question: &'s Question,
    /// The file as it stands is the first.
    tried: Vec<Tried>,
}

impl Search<'_> {
    /// Tries settings with few seeds: level by level as long as whole levels fit, then what goes
    /// on from the best. To which level all were tried.
    fn screen_all(&mut self) -> usize {
        let (levels, most) = (self.grid.levels(), self.question.most as u64);
        let all_to =
            |keys: usize| levels[..=keys].iter().fold(0, |all: u64, of| all.saturating_add(*of));
        let fits = |keys: &usize| all_to(*keys) <= most;
        let whole_to = (0..levels.len()).take_while(fits).last().unwrap_or(0);
        for keys in 0..=whole_to {
            self.screen(self.grid.level(keys));
        }
        for keys in whole_to + 1..levels.len() {
            let room = self.question.most.saturating_sub(self.tried.len());
            let share = room.div_ceil(levels.len() - keys);
            let further = self.further(keys - 1, share);
            self.screen(further);
        }
        whole_to
    }

    /// Settings that change one key more than the best of those that change so many.
    fn further(&self, keys: usize, most: usize) -> Vec<Setting> {
        let mut best: Vec<&Tried> = self.tried.iter().filter(|t| t.cost.keys == keys).collect();
        best.sort_by_cached_key(|tried| (self.distance(tried), tried.cost));
        let mut known = BTreeSet::new();
        let further = best.into_iter().flat_map(|tried| self.grid.further(&tried.setting));
        further.filter(|setting| known.insert(setting.clone())).take(most).collect()
    }

    fn screen(&mut self, settings: Vec<Setting>) {
        let (grid, ground, seeds) = (self.grid, self.ground, self.seeds());
        let one = |setting: Setting| {
            let runs = ground.numbers(&grid.changes(&setting), 0, seeds);
            Tried { cost: grid.cost(&setting), setting, runs }
        };
        self.tried.par_extend(settings.into_par_iter().map(one));
    }

    fn seeds(&self) -> usize {
        self.question.screen.clamp(1, self.question.runs)
    }

    /// Runs a setting on, to so many seeds.
    fn run_on(&mut self, place: usize, to: usize) {
        let (grid, ground) = (self.grid, self.ground);
        let tried = &mut self.tried[place];
        let from = tried.seeds();
        if from < to {
            let changes = grid.changes(&tried.setting);
            let more = ground.numbers_shared(&changes, from, to);
            tried.runs.iter_mut().zip(more).for_each(|(runs, more)| runs.extend(more));
        }
    }

    /// Whether a setting may meet the goals of a set, as far as is known.
    fn may_meet(&self, tried: &Tried, set: u32) -> bool {
        let in_set = |(at, _): &(usize, &Goal)| set >> at & 1 == 1;
        let mut goals = self.question.goals.iter().enumerate().filter(in_set);
        tried.is_rolled_out()
            && goals.all(|(_, goal)| goal.may_hold(tried.of(goal), self.question.runs))
    }

    /// Whether a setting meets the goals of a set, run on for as long as it may.
    fn meets(&mut self, place: usize, set: u32) -> bool {
        loop {
            let tried = &self.tried[place];
            if !self.may_meet(tried, set) {
                return false;
            }
            let known = tried.seeds();
            if known == self.question.runs {
                return true;
            }
            let to = if known < STEP { STEP } else { self.question.runs };
            self.run_on(place, to.min(self.question.runs));
        }
    }

    /// Places of what may meet the goals of a set, the cheapest first.
    fn candidates(&self, set: u32) -> Vec<usize> {
        let may = |place: &usize| self.may_meet(&self.tried[*place], set);
        let mut places: Vec<usize> = (0..self.tried.len()).filter(may).collect();
        places.sort_by_key(|place| (self.tried[*place].cost, *place));
        places
    }

    fn all_goals(&self) -> u32 {
        (1_u32 << self.question.goals.len()) - 1
    }

    fn answer(&mut self) -> Answer {
        let all = self.all_goals();
        if self.meets(0, all) {
            return Answer::AsItIs;
        }
        if let Some(place) = self.cheapest(all) {
            return Answer::Change(self.tried[place].clone());
        }
        if !self.tried.iter().any(Tried::is_rolled_out) {
            return Answer::Stuck;
        }
        let goals = self.question.goals.len();
        let conflict = conflict::smallest(goals, |set| {
            let candidates = self.candidates(set);
            candidates.into_iter().any(|place| self.meets(place, set))
        });
        // That they cannot all be met is known already.
        let conflict = conflict.unwrap_or_else(|| (0..goals).collect());
        Answer::None { conflict, nearest: self.nearest() }
    }

    /// The cheapest setting that meets the goals: the fewest keys, then the least change, then the
    /// fastest (of several services the slowest counts), then the first.
    fn cheapest(&mut self, set: u32) -> Option<usize> {
        let candidates = self.candidates(set);
        let mut found: Option<(i64, usize)> = None;
        for place in candidates {
            if found.is_some_and(|(_, of)| self.tried[of].cost < self.tried[place].cost) {
                break;
            }
            if self.meets(place, set) {
                let takes = slowest(&self.tried[place].runs);
                if found.is_none_or(|(fastest, _)| takes < fastest) {
                    found = Some((takes, place));
                }
            }
        }
        found.map(|(_, place)| place)
    }

    /// Whether the good version is not rolled out, how many goals are missed, and by how much in
    /// all.
    fn distance(&self, tried: &Tried) -> (bool, usize, u64) {
        let excess = |goal: &Goal| goal.excess(tried.of(goal), self.seen(tried));
        let far: Vec<u64> = self.question.goals.iter().map(excess).collect();
        let missed = far.iter().filter(|far| **far > 0).count();
        (!tried.is_rolled_out(), missed, far.iter().sum())
    }

    /// Of how many runs the known ones are taken to be all: a miss among few seeds counts.
    fn seen(&self, tried: &Tried) -> usize {
        if tried.seeds() < rank(self.question.runs) { 1 } else { self.question.runs }
    }

    fn nearest(&mut self) -> Tried {
        let mut places: Vec<usize> = (0..self.tried.len()).collect();
        let key = |search: &Search<'_>, place: usize| {
            let tried = &search.tried[place];
            (search.distance(tried), tried.cost, place)
        };
        places.sort_by_cached_key(|place| key(self, *place));
        places.truncate(NEAREST);
        for place in &places {
            self.run_on(*place, self.question.runs);
        }
        let best = places.into_iter().min_by_key(|place| key(self, *place));
        self.tried[best.unwrap_or(0)].clone()
    }

    /// What is compared on the front: the classic four, and what goals ask for besides.
    fn compared(&self) -> Vec<Quantity> {
        let classic = [
            Quantity::Duration,
            Quantity::Capacity,
            Quantity::BadImageExposure,
            Quantity::Detection,
        ];
        let asked = self.question.goals.iter().map(|goal| goal.quantity);
        let more: BTreeSet<Quantity> = asked.filter(|of| !classic.contains(of)).collect();
        classic.into_iter().chain(more).collect()
    }

    fn front(&mut self, compared: &[Quantity]) -> (Vec<Tried>, usize) {
        let mut places = self.unbeaten((0..self.tried.len()).collect(), compared);
        let more = places.len().saturating_sub(FRONT_MOST);
        places.truncate(FRONT_MOST);
        for place in &places {
            self.run_on(*place, self.question.runs);
        }
        let places = self.unbeaten(places, compared);
        let mut front: Vec<Tried> = places.into_iter().map(|at| self.tried[at].clone()).collect();
        front.sort_by_cached_key(|tried| (point(&tried.runs, compared), tried.cost));
        (front, more)
    }

    /// Those of some settings that no other of them beats, the cheapest first.
    fn unbeaten(&self, mut places: Vec<usize>, compared: &[Quantity]) -> Vec<usize> {
        places.retain(|place| self.tried[*place].is_rolled_out());
        places.sort_by_key(|place| (self.tried[*place].cost, *place));
        let points: Vec<Vec<i64>> =
            places.iter().map(|place| point(&self.tried[*place].runs, compared)).collect();
        front(&points).into_iter().map(|at| places[at]).collect()
    }
}

/// The worst end of the range of the slowest service.
pub fn slowest(runs: &[Vec<Numbers>]) -> i64 {
    runs.iter().map(|runs| worst(runs, Quantity::Duration)).max().unwrap_or(NEVER)
}

/// The medians of what is compared, times in whole seconds; less is better. Of several services the
/// longest time and the sum of numbers.
pub fn point(runs: &[Vec<Numbers>], compared: &[Quantity]) -> Vec<i64> {
    let median = |quantity: &Quantity| {
        let median = together(runs, *quantity);
        match quantity {
            _ if median == NEVER => NEVER,
            of if of.is_time() => (median + SECOND / 2) / SECOND,
            of if of.wants_much() => -median,
            _ => median,
        }
    };
    compared.iter().map(median).collect()
}
