//! Race orders: who goes first among those awake in one instant.
//!
//! The real system leaves this open (semantics 17, N3 to N7, N12); a table from classes of loops to
//! ranks fixes it. The default is fitted to the usual outcomes of the conformance cases; the others
//! move single rows to the end, which is how those cases' other outcomes were recorded.

use crate::kernel::agenda::{RANKS, Rank};
use crate::swarmkit::ctx::Class;

/// A rank for each class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RaceOrder {
    name: &'static str,
    ranks: [u8; Class::ALL.len()],
}

/// From first to last. Timers of the updater go before news (races 6 and 7), requests and the
/// orchestrators' news before the updater's own (races 1 and 8), failures before free workers (race
/// 2), and an ended updater is off the list before the orchestrators look (race 3).
const USUAL: [Class; Class::ALL.len()] = [
    Class::Node,
    Class::Request,
    Class::Report,
    Class::Allocator,
    Class::WorkerTimer,
    Class::FinalWatch,
    Class::UpdaterRemoval,
    Class::UpdaterStart,
    Class::Enforcer,
    Class::EarlyFailureWatch,
    Class::Orchestrator,
    Class::FailureWatch,
    Class::Worker,
    Class::LateFailureWatch,
    Class::DelayedStart,
    Class::Scheduler,
    Class::Reaper,
    Class::Client,
];

/// The orders that a replay tries, the usual one first; as the recorded runs of the cases were
/// named.
const ORDERS: [(&str, &[Class]); 7] = [
    ("default", &[]),
    ("orchestrator-last", &[Class::Orchestrator]),
    ("failure-watch-last", &[Class::FailureWatch]),
    ("worker-last", &[Class::Worker, Class::WorkerTimer]),
    ("restart-last", &[Class::DelayedStart]),
    (
        "updater-last",
        &[
            Class::FailureWatch,
            Class::Worker,
            Class::WorkerTimer,
            Class::FinalWatch,
            Class::UpdaterRemoval,
        ],
    ),
    ("orchestrator-and-restart-last", &[Class::Orchestrator, Class::DelayedStart]),
];

/// Ranks from here on are behind all usual ones.
const BEHIND: usize = RANKS - 8;
const _: () = assert!(Class::ALL.len() <= BEHIND);

impl RaceOrder {
    /// The usual order.
    pub fn usual() -> RaceOrder {
        let (name, last) = ORDERS[0];
        RaceOrder::with_last(name, last)
    }

    /// All orders that a replay tries, the usual one first.
    pub fn all() -> Vec<RaceOrder> {
        ORDERS.into_iter().map(|(name, last)| RaceOrder::with_last(name, last)).collect()
    }

    /// The usual order with some classes moved to the end, in the order given.
    fn with_last(name: &'static str, last: &[Class]) -> RaceOrder {
        let mut ranks = [0; Class::ALL.len()];
        for (place, class) in USUAL.iter().enumerate() {
            let moved = last.iter().position(|moved| moved == class);
            ranks[*class as usize] = moved.map_or(place, |behind| BEHIND + behind) as u8;
        }
        RaceOrder { name, ranks }
    }

    /// Its name, as `conform` reports it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The rank of a class.
    pub fn rank(&self, class: Class) -> Rank {
        Rank::new(self.ranks[class as usize])
    }
}
