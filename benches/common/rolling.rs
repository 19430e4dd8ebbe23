//! A rolling update of a large service, in turn with the floor, a bare heap with as many toy slots.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use swarmsim::timeline::ends::Stop;

use crate::common::{bare_heap, before_update, finish, median, rollout, timed};

/// What is rolled out.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) tasks: u32,
    pub(crate) nodes: u32,
    /// 0 = all at once.
    pub(crate) parallelism: u32,
    pub(crate) rounds: usize,
}

pub(crate) const fn case(tasks: u32, nodes: u32, parallelism: u32, rounds: usize) -> Case {
    Case { tasks, nodes, parallelism, rounds }
}

/// Medians of the rounds; seconds are those of all tasks.
pub(crate) struct Rolled {
    pub(crate) seconds: f64,
    pub(crate) floor: f64,
    /// Taken per round.
    pub(crate) ratio: f64,
    pub(crate) events: u64,
    pub(crate) digest: String,
}

impl Case {
    pub(crate) fn measured(self) -> Rolled {
        let Case { tasks, nodes, parallelism, rounds } = self;
        let settled = before_update(&rollout(tasks.into(), nodes, parallelism.into()));
        let workers = if parallelism == 0 { tasks } else { parallelism };
        let (mut ours, mut ratios, mut floors) = (Vec::new(), Vec::new(), Vec::new());
        let (mut events, mut digest) = (0, String::new());
        for _ in 0..rounds {
            let mut simulation = settled.clone();
            let before = simulation.footer(Stop::Quiet).events;
            let (time, footer) = timed(|| finish(&mut simulation));
            drop(simulation);
            let (floor, _) = timed(|| bare_heap(tasks, workers));
            events = footer.events - before;
            digest = footer.digest.to_string();
            ours.push(time.as_secs_f64());
            floors.push(floor.as_secs_f64());
            ratios.push(time.as_secs_f64() / floor.as_secs_f64());
        }
        let (seconds, floor, ratio) = (median(ours), median(floors), median(ratios));
        Rolled { seconds, floor, ratio, events, digest }
    }
}
