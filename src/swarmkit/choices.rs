//! The one door for free choices: what the real system leaves open (semantics 17).
//!
//! An answer is drawn from the seed, or given by whoever replays a recording or a case. A given
//! answer is a choice, never a time. Nothing else in the transcription is free.

use std::collections::BTreeMap;

use crate::base::chance::{self, Key, Role, word};
use crate::base::dist::Knot;
use crate::base::ids::{Id, Identifier, NodeIx, Ordinal, SlotNo};
use crate::swarmkit::store::Store;
use crate::timeline::record::SlotKey;

/// Answers to free choices.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    given: Option<Box<Given>>,
    /// Number of identifiers given out in order of creation.
    created: u64,
    /// Number of slot orders drawn.
    orders: u32,
    /// The latest task of each slot; kept only where [`Given::task_turns`] asks for it.
    latest: BTreeMap<SlotKey, Ordinal>,
}

/// Answers that somebody gives. What is not given falls back to a fixed rule, so that a replay has
/// no chance.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// N1: order in which slots are handed to the updater; those not listed come after, ascending.
    /// One list for each updater run, the last one for all further runs.
    pub slot_orders: Vec<Vec<u32>>,
    /// N1, told by its result: the turn of every task's creation. A slot is handed over when it is
    /// the turn of its next task; goes before `slot_orders`. For a recording of one service.
    pub task_turns: BTreeMap<(SlotKey, Ordinal), usize>,
    /// Order in which nodes are visited; those not listed come after, by name.
    pub node_order: Vec<String>,
    /// N8: the node of a task, by slot and ordinal.
    pub placement: BTreeMap<(SlotKey, Ordinal), NodeIx>,
    /// Whether identifiers fall instead of rise with the order of creation.
    pub reverse_ids: bool,
    /// N5: tasks whose failure the updater hears of before the orchestrator.
    pub updater_first: Vec<(SlotKey, Ordinal)>,
    /// N3: tasks whose failure the updater's watch hears of after its workers.
    pub watch_last: Vec<(SlotKey, Ordinal)>,
    /// N9: phase of the status timer.
    pub status_phase: Option<u64>,
    /// N9, told by its result: whether the manager stores that these tasks run before it hears of
    /// their end. For tasks that run for less than its interval.
    pub seen_running: BTreeMap<(SlotKey, Ordinal), bool>,
    /// Order of the identifiers of tasks, which is that of every list of tasks in the store. Those
    /// not listed come after, in order of creation.
    pub id_order: BTreeMap<(SlotKey, Ordinal), u64>,
    /// Order in which containers were started that one message told a node to start: the first of
    /// them has the node to itself. Those not listed come after.
    pub start_order: BTreeMap<(SlotKey, Ordinal), usize>,
    /// Containers that start faster or slower than the median, by the columns of what was
    /// measured. Which of two things comes first may hang on that: a start, and a timer or a
    /// command that knows nothing of it.
    pub starts: BTreeMap<(SlotKey, Ordinal), Knot>,
}

/// When the updater's watch hears of a failed task, among the others who hear of it (semantics N3,
/// N5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatchTurn {
    /// Before the orchestrator: the updater acts before the task is restarted.
    BeforeOrchestrator,
    /// After the orchestrator, before the workers.
    BeforeWorkers,
    /// After the workers: one more slot may be handed over.
    AfterWorkers,
}

/// N5: three to one for the restart (27 to 9 and more in the recordings).
const UPDATER_FIRST_PPM: u32 = 250_000;
/// N3: about six to one for the failure before the hand-over.
const WORKER_FIRST_PPM: u32 = 1_000_000 / 7;

impl Choices {
    /// Everything is drawn from the seed.
    pub fn drawn() -> Choices {
        Choices::default()
    }

    /// What is given, and fixed rules for the rest.
    pub fn given(given: Given) -> Choices {
        Choices { given: Some(Box::new(given)), ..Choices::default() }
    }

    /// The given answers, if there are any.
    pub fn hints(&self) -> Option<&Given> {
        self.given.as_deref()
    }

    /// N1: orders the slots of a replicated service for an updater run. `of` names the slot of an
    /// item.
    pub fn order_slots<T>(&mut self, key: Key, items: &mut [T], of: impl Fn(&T) -> SlotKey) {
        let turn = self.orders;
        self.orders += 1;
        match &self.given {
            None => chance::shuffle(items, key, Role::SlotOrder, turn),
            Some(given) if !given.task_turns.is_empty() => {
                let latest = &self.latest;
                items.sort_by_key(|item| {
                    let slot = of(item);
                    let next = latest.get(&slot).map_or(1, |Ordinal(number)| number + 1);
                    let turn = given.task_turns.get(&(slot, Ordinal(next)));
                    (turn.copied().unwrap_or(usize::MAX), slot)
                });
            }
            Some(given) => {
                let last = given.slot_orders.len().saturating_sub(1);
                let order = given.slot_orders.get(last.min(turn as usize));
                let place = |slot: SlotKey| match slot {
                    SlotKey::Slot(SlotNo(number)) => order
                        .and_then(|o| o.iter().position(|n| *n == number))
                        .map_or((1, number as usize), |place| (0, place)),
                    SlotKey::Node(node) => (1, node.index()),
                };
                items.sort_by_key(|item| place(of(item)));
            }
        }
    }

    /// Orders the nodes that a global service visits.
    pub fn order_nodes(&mut self, store: &Store, key: Key, nodes: &mut [NodeIx]) {
        match &self.given {
            None => {
                let turn = self.orders;
                self.orders += 1;
                chance::shuffle(nodes, key, Role::SlotOrder, turn);
            }
            Some(given) => {
                let order = &given.node_order;
                nodes.sort_by_key(|node| {
                    let name = &store.node_ever(*node).name;
                    let place = order.iter().position(|n| **n == **name);
                    (place.unwrap_or(usize::MAX), name.clone())
                });
            }
        }
    }

    /// The identifier of a new task.
    pub fn task_id(&mut self, key: Key, slot: SlotKey, ordinal: Ordinal) -> Identifier {
        match &self.given {
            None => {
                let block = key.block(Role::Task, address(slot), ordinal.0, 0);
                Identifier::new(block[word::ID_HIGH], block[word::ID_LOW])
            }
            Some(given) => {
                self.created += 1;
                if !given.task_turns.is_empty() {
                    self.latest.insert(slot, ordinal);
                }
                let later = given.id_order.len() as u64 + self.created;
                let place = given.id_order.get(&(slot, ordinal)).copied().unwrap_or(later);
                Identifier::new(0, if given.reverse_ids { u64::MAX - place } else { place })
            }
        }
    }

    /// N8: the node that was taken for a task, if that is given.
    pub fn given_node(&self, slot: SlotKey, ordinal: Ordinal) -> Option<NodeIx> {
        self.given.as_ref()?.placement.get(&(slot, ordinal)).copied()
    }

    /// N8: order among nodes that are equal for a service.
    pub fn node_rank(&self, service: Key, node: NodeIx) -> u32 {
        match &self.given {
            None => (service.word(Role::NodePick, 0, node.index() as u32) >> 32) as u32,
            Some(_) => node.index() as u32,
        }
    }

    /// N3 and N5: when the updater's watch hears of the failure of a task of its.
    pub fn watch_turn(&self, key: Key, slot: SlotKey, ordinal: Ordinal) -> WatchTurn {
        match &self.given {
            None => {
                let block = key.block(Role::Race, address(slot), ordinal.0, 0);
                if chance::happens(block[0], UPDATER_FIRST_PPM) {
                    WatchTurn::BeforeOrchestrator
                } else if chance::happens(block[1], WORKER_FIRST_PPM) {
                    WatchTurn::AfterWorkers
                } else {
                    WatchTurn::BeforeWorkers
                }
            }
            Some(given) if given.updater_first.contains(&(slot, ordinal)) => {
                WatchTurn::BeforeOrchestrator
            }
            Some(given) if given.watch_last.contains(&(slot, ordinal)) => WatchTurn::AfterWorkers,
            Some(_) => WatchTurn::BeforeWorkers,
        }
    }

    /// N9: phase of the status timer within its interval.
    pub fn status_phase(&self, cluster: Key, term: u16, interval_ns: u64) -> u64 {
        match &self.given {
            Some(given) => given.status_phase.unwrap_or(0) % interval_ns.max(1),
            None => chance::below(cluster.word(Role::StatusPhase, 0, u32::from(term)), interval_ns),
        }
    }
}

/// A slot as the address of a draw.
pub fn address(slot: SlotKey) -> u32 {
    match slot {
        SlotKey::Slot(number) => number.0,
        SlotKey::Node(node) => node.index() as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::chance::{Seed, Whom};

    #[test]
    fn identifiers_have_the_given_order_and_others_come_after() {
        let task = |slot, ordinal| (SlotKey::Slot(SlotNo(slot)), Ordinal(ordinal));
        let id_order = BTreeMap::from([(task(1, 1), 1), (task(1, 2), 0)]);
        let mut choices = Choices::given(Given { id_order, ..Given::default() });
        let key = Seed(1).key(Whom::Service, "web");
        let ids = [task(1, 1), task(1, 2), task(1, 3), task(1, 4)]
            .map(|(slot, ordinal)| choices.task_id(key, slot, ordinal));
        assert!(ids[1] < ids[0] && ids[0] < ids[2] && ids[2] < ids[3]);
    }

    #[test]
    fn identifiers_fall_if_that_is_given() {
        for reverse_ids in [false, true] {
            let mut choices = Choices::given(Given { reverse_ids, ..Given::default() });
            let key = Seed(1).key(Whom::Service, "web");
            let slot = SlotKey::Slot(SlotNo(1));
            let ids = [1, 2, 3].map(|ordinal| choices.task_id(key, slot, Ordinal(ordinal)));
            let expected = [1, 2, 3].map(|n| if reverse_ids { u64::MAX - n } else { n });
            assert_eq!(ids, expected.map(|number| Identifier::new(0, number)));
        }
    }

    #[test]
    fn the_orders_given_are_taken_in_turn_and_the_last_stays() {
        let slot_orders = vec![vec![2, 1, 3], vec![3, 2, 1]];
        let mut choices = Choices::given(Given { slot_orders, ..Given::default() });
        let key = Seed(1).key(Whom::Service, "web");
        let orders = [0; 3].map(|_| {
            let mut slots = [1, 2, 3].map(|number| SlotKey::Slot(SlotNo(number)));
            choices.order_slots(key, &mut slots, |slot| *slot);
            slots.map(address)
        });
        assert_eq!(orders, [[2, 1, 3], [3, 2, 1], [3, 2, 1]]);
    }

    #[test]
    fn draws_have_their_own_addresses() {
        let node = <NodeIx as crate::base::ids::Id>::from_index;
        assert_eq!(address(SlotKey::Slot(SlotNo(7))), 7);
        assert_eq!(address(SlotKey::Node(node(3))), 3);
        let key = Seed(1).key(Whom::Service, "web");
        let ranks = [0, 1, 2, 3].map(|n| Choices::drawn().node_rank(key, node(n)));
        let mut different = ranks.to_vec();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 4, "{ranks:?}");
        let given = Choices::given(Given::default());
        assert_eq!([0, 1].map(|n| given.node_rank(key, node(n))), [0, 1]);
    }

    /// A quarter before the orchestrator, a seventh of the others after the workers.
    #[test]
    fn the_odds_of_the_race_are_the_recorded_ones() {
        let key = Seed(1).key(Whom::Service, "web");
        let choices = Choices::drawn();
        let (mut before, mut after) = (0, 0);
        for ordinal in 1..=10_000 {
            match choices.watch_turn(key, SlotKey::Slot(SlotNo(1)), Ordinal(ordinal)) {
                WatchTurn::BeforeOrchestrator => before += 1,
                WatchTurn::AfterWorkers => after += 1,
                WatchTurn::BeforeWorkers => {}
            }
        }
        assert!((2_350..=2_650).contains(&before), "{before}");
        assert!((950..=1_200).contains(&after), "{after}");
    }

    #[test]
    fn the_turns_of_the_watch_are_those_given() {
        use WatchTurn::{AfterWorkers, BeforeOrchestrator, BeforeWorkers};
        let task = |slot, ordinal| (SlotKey::Slot(SlotNo(slot)), Ordinal(ordinal));
        let (updater_first, watch_last) = (vec![task(1, 2)], vec![task(2, 2)]);
        let choices = Choices::given(Given { updater_first, watch_last, ..Given::default() });
        let key = Seed(1).key(Whom::Service, "web");
        let turns = [task(1, 1), task(1, 2), task(2, 1), task(2, 2)]
            .map(|(slot, ordinal)| choices.watch_turn(key, slot, ordinal));
        assert_eq!(turns, [BeforeWorkers, BeforeOrchestrator, BeforeWorkers, AfterWorkers]);
    }

    #[test]
    fn the_phase_of_the_status_timer_lies_within_its_interval() {
        let key = Seed(1).key(Whom::Service, "web");
        for (status_phase, interval, phase) in
            [(None, 50, 0), (Some(20), 50, 20), (Some(120), 50, 20), (Some(20), 0, 0)]
        {
            let choices = Choices::given(Given { status_phase, ..Given::default() });
            assert_eq!(choices.status_phase(key, 1, interval), phase);
        }
        let phases: Vec<u64> =
            (0..100).map(|term| Choices::drawn().status_phase(key, term, 50)).collect();
        let all: std::collections::BTreeSet<u64> = phases.into_iter().collect();
        assert!(all.len() > 30 && all.first() < Some(&10) && all.last() > Some(&40), "{all:?}");
        assert!(all.last() < Some(&50), "{all:?}");
    }

    #[test]
    fn turns_order_the_slots_by_their_next_tasks() {
        let slot = |number| SlotKey::Slot(SlotNo(number));
        let names = [(1, 1), (2, 1), (3, 1), (3, 2), (1, 2), (3, 3), (1, 3)];
        let task_turns = names
            .iter()
            .enumerate()
            .map(|(turn, (number, ordinal))| ((slot(*number), Ordinal(*ordinal)), turn))
            .collect();
        let mut choices = Choices::given(Given { task_turns, ..Given::default() });
        let key = Seed(1).key(Whom::Service, "web");
        let order = |choices: &mut Choices| {
            let mut slots = [slot(1), slot(2), slot(3)];
            choices.order_slots(key, &mut slots, |slot| *slot);
            slots
        };
        for number in 1..=3 {
            choices.task_id(key, slot(number), Ordinal(1));
        }
        assert_eq!(order(&mut choices), [slot(3), slot(1), slot(2)]);
        choices.task_id(key, slot(3), Ordinal(2));
        assert_eq!(order(&mut choices), [slot(1), slot(3), slot(2)]);
    }
}
