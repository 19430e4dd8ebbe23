//! The load balancer of one service, as one node sees it (semantics 13).
//!
//! Upstream: moby `daemon/libnetwork/service_linux.go` `addLBBackend`, `rmLBBackend`; the kernel's
//! IPVS with the round-robin scheduler. Every node has its own view and its own rotation: tell the
//! task's own node at once, and each other node when gossip has reached it, by a call of its own.
//! What arrives in the wrong order or twice does no harm.

use crate::base::chance::below;
use crate::base::ids::TaskIx;

/// The backends of one service on one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Balancer {
    /// In the order of the tasks, so that the order does not depend on how the news travelled.
    backends: Vec<Backend>,
    /// How many of them have a weight.
    weighted: u32,
    /// Who was picked last.
    last: Option<TaskIx>,
    /// Where the first pick falls.
    start: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Backend {
    task: TaskIx,
    /// False: weight 0, no new connections.
    weighted: bool,
}

impl Balancer {
    /// A balancer without backends. `start` is the drawn word that says where its rotation begins.
    pub fn new(start: u64) -> Balancer {
        Balancer { backends: Vec::new(), weighted: 0, last: None, start }
    }

    /// The task gets new connections from now on.
    pub fn join(&mut self, task: TaskIx) {
        match self.find(task) {
            Ok(place) => self.set(place, true),
            Err(place) => {
                self.backends.insert(place, Backend { task, weighted: true });
                self.weighted += 1;
            }
        }
    }

    /// The task gets no new connections any more, and stays for those it has: weight 0. A task that
    /// never joined is none of ours.
    pub fn drain(&mut self, task: TaskIx) {
        if let Ok(place) = self.find(task) {
            self.set(place, false);
        }
    }

    /// The task is gone.
    pub fn leave(&mut self, task: TaskIx) {
        if let Ok(place) = self.find(task) {
            self.set(place, false);
            self.backends.remove(place);
        }
    }

    /// The task that gets the next connection: the one after the last, in turn. None if there is
    /// none with a weight.
    pub fn pick(&mut self) -> Option<TaskIx> {
        if self.weighted == 0 {
            return None;
        }
        let count = self.backends.len();
        let first = match self.last {
            Some(last) => self.backends.partition_point(|backend| backend.task <= last),
            None => below(self.start, count as u64) as usize,
        };
        let found = (first..first + count)
            .map(|place| self.backends[place % count])
            .find(|backend| backend.weighted)?;
        self.last = Some(found.task);
        Some(found.task)
    }

    /// What [`Balancer::pick`] would leave after so many calls.
    pub fn skip(&mut self, picks: u64) {
        // Whole rounds change nothing but who was last, which one round tells.
        let round = u64::from(self.weighted);
        let rest = picks.checked_sub(1).and_then(|picks| Some(picks.checked_rem(round)? + 1));
        for _ in 0..rest.unwrap_or(0) {
            self.pick();
        }
    }

    /// How many backends get new connections.
    pub fn weighted(&self) -> usize {
        self.weighted as usize
    }

    /// All backends in order, and whether they get new connections.
    pub fn backends(&self) -> impl ExactSizeIterator<Item = (TaskIx, bool)> {
        self.backends.iter().map(|backend| (backend.task, backend.weighted))
    }

    fn find(&self, task: TaskIx) -> Result<usize, usize> {
        self.backends.binary_search_by_key(&task, |backend| backend.task)
    }

    fn set(&mut self, place: usize, weighted: bool) {
        let backend = &mut self.backends[place];
        match (backend.weighted, weighted) {
            (false, true) => self.weighted += 1,
            (true, false) => self.weighted -= 1,
            _ => {}
        }
        backend.weighted = weighted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::Id as _;

    fn task(number: usize) -> TaskIx {
        TaskIx::from_index(number)
    }

    fn with(tasks: impl IntoIterator<Item = usize>) -> Balancer {
        let mut balancer = Balancer::new(0);
        tasks.into_iter().for_each(|number| balancer.join(task(number)));
        balancer
    }

    fn picks(balancer: &mut Balancer, count: usize) -> Vec<Option<usize>> {
        (0..count).map(|_| balancer.pick().map(crate::base::ids::Id::index)).collect()
    }

    #[test]
    fn successive_requests_are_answered_in_turn() {
        let mut balancer = with([2, 0, 1]);
        assert_eq!(picks(&mut balancer, 5), [Some(0), Some(1), Some(2), Some(0), Some(1)]);
    }

    #[test]
    fn the_rotation_begins_where_the_word_says() {
        let mut balancer = Balancer::new(u64::MAX / 2 + 1);
        (0..4).for_each(|number| balancer.join(task(number)));
        assert_eq!(picks(&mut balancer, 3), [Some(2), Some(3), Some(0)]);
    }

    #[test]
    fn to_skip_is_to_pick() {
        for picks in 0..20 {
            let (mut a, mut b) = (with(0..5), with(0..5));
            for balancer in [&mut a, &mut b] {
                balancer.drain(task(3));
                balancer.pick();
            }
            a.skip(picks);
            (0..picks).for_each(|_| _ = b.pick());
            // Whoever was last counts, also when others come and go.
            for balancer in [&mut a, &mut b] {
                balancer.join(task(7));
                balancer.drain(task(0));
            }
            assert_eq!(a.pick(), b.pick(), "{picks}");
        }
        let mut none = Balancer::new(3);
        none.skip(7);
        assert_eq!(none.pick(), None);
    }

    #[test]
    fn a_drained_backend_gets_none() {
        let mut balancer = with(0..3);
        balancer.pick();
        balancer.drain(task(1));
        assert_eq!(picks(&mut balancer, 3), [Some(2), Some(0), Some(2)]);
        assert_eq!(
            balancer.backends().collect::<Vec<_>>(),
            [(task(0), true), (task(1), false), (task(2), true)]
        );
    }

    #[test]
    fn without_a_backend_there_is_no_answer() {
        assert_eq!(Balancer::new(7).pick(), None);
        let mut balancer = with([0]);
        balancer.drain(task(0));
        assert_eq!(balancer.pick(), None);
        balancer.leave(task(0));
        assert_eq!((balancer.pick(), balancer.weighted()), (None, 0));
    }

    #[test]
    fn the_turn_survives_who_joins_and_who_leaves() {
        let mut balancer = with(0..4);
        assert_eq!(picks(&mut balancer, 2), [Some(0), Some(1)]);
        balancer.leave(task(1));
        assert_eq!(picks(&mut balancer, 1), [Some(2)]);
        balancer.leave(task(3));
        balancer.join(task(5));
        assert_eq!(picks(&mut balancer, 4), [Some(5), Some(0), Some(2), Some(5)]);
    }

    #[test]
    fn news_in_the_wrong_order_or_twice_does_no_harm() {
        let mut balancer = with([0]);
        balancer.leave(task(1));
        balancer.drain(task(1));
        balancer.join(task(0));
        balancer.drain(task(0));
        balancer.drain(task(0));
        assert_eq!((balancer.weighted(), balancer.pick()), (0, None));
        balancer.join(task(0));
        assert_eq!((balancer.weighted(), balancer.pick()), (1, Some(task(0))));
    }
}
