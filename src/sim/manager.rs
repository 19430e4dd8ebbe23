//! The managing side of a world: the store, the leader on it, and the filing of what the leader
//! asks for.
//!
//! Both worlds, the engine's and the scripted one of the conformance cases, have one of these; the
//! loops of the leader cannot tell which.

use crate::base::ids::{RecordNo, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::choices::Choices;
use crate::swarmkit::ctx::{Ask, Ctx, Out};
use crate::swarmkit::defaults::Timing;
use crate::swarmkit::leader::{Leader, Setup};
use crate::swarmkit::store::{Change, Store};

/// Store, leader and free choices.
#[derive(Clone, Debug)]
pub struct Manager {
    /// The store.
    pub store: Store,
    /// The leader.
    pub leader: Leader,
    /// Free choices.
    pub choices: Choices,
    /// Upstream's waiting times.
    pub timing: Timing,
    out: Out,
    changes: Vec<Change>,
    setup: Setup,
}

impl Manager {
    /// A manager with an empty store, whose leader has not begun.
    pub fn new(setup: Setup, history_limit: i64, choices: Choices, timing: Timing) -> Manager {
        Manager {
            store: Store::new(history_limit),
            leader: Leader::new(crate::base::ids::Term(0), setup),
            choices,
            timing,
            out: Out::default(),
            changes: Vec::new(),
            setup,
        }
    }

    /// The same, in the room of this one.
    #[must_use]
    pub fn anew(
        mut self,
        setup: Setup,
        history_limit: i64,
        choices: Choices,
        timing: Timing,
    ) -> Manager {
        self.out.asks.clear();
        self.changes.clear();
        Manager {
            store: self.store.anew(history_limit),
            leader: self.leader.anew(crate::base::ids::Term(0), setup),
            choices,
            timing,
            out: Out { asks: self.out.asks, soon: self.out.soon, ..Out::default() },
            changes: self.changes,
            setup,
        }
    }

    /// Lets somebody act on the store because of `cause`, then tells the leader's loops what
    /// changed.
    pub fn activate<R>(
        &mut self,
        now: SimTime,
        cause: Option<RecordNo>,
        act: impl FnOnce(&mut Leader, &mut Ctx<'_>) -> R,
    ) -> R {
        let Manager { store, leader, choices, timing, out, changes, .. } = self;
        store.journal.wake(cause);
        out.soon.clear();
        let mut ctx = Ctx { now, store, out, choices, timing };
        let result = act(leader, &mut ctx);
        ctx.store.commit();
        ctx.store.take_changes(changes);
        if !changes.is_empty() {
            leader.hear(&mut ctx, changes);
        }
        result
    }

    /// Puts a new leader in the place of the old one, on the same store.
    pub fn change_leader(&mut self, now: SimTime, cause: Option<RecordNo>) {
        let term = crate::base::ids::Term(self.leader.term().0 + 1);
        self.leader = Leader::new(term, self.setup);
        // Whatever the old leader waited for keeps nobody any more.
        self.out.holds = 0;
        self.activate(now, cause, crate::swarmkit::leader::Leader::begin);
    }

    /// What changed in the last activation.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What changed in the last activation, and the store in whose journal is noted what follows.
    pub fn news(&mut self) -> (&[Change], &mut Store) {
        (&self.changes, &mut self.store)
    }

    /// Hands over what was asked for in the last activation.
    pub fn asks(&mut self) -> std::vec::Drain<'_, Ask> {
        self.out.asks.drain(..)
    }

    /// Tasks with which something will be done soon, as the last activation has it.
    pub fn soon(&self) -> &[TaskIx] {
        &self.out.soon
    }

    /// How many waits keep the run going without a foreground timer.
    pub fn holds(&self) -> i64 {
        self.out.holds
    }
}
