//! The nodes in the order of preference of a service: fewest of its tasks, fewest tasks, then
//! chance.
//!
//! Chance gives each node a place once. Nodes with as many tasks are a level, and of a level only
//! which places are taken is kept; so a task that comes or goes costs two bits.

use fixedbitset::FixedBitSet;

use crate::base::chance::Key;
use crate::base::ids::{IdVec, NodeIx, ServiceIx};
use crate::swarmkit::choices::Choices;

/// How many tasks a node has: of the service, and in all.
pub(super) type Load = (u32, u32);

/// The nodes in the order of preference of one service.
#[derive(Clone, Debug)]
pub(super) struct Order {
    service: ServiceIx,
    key: Key,
    /// What chance says of each node, and which it is, ascending: the place of a node is its
    /// position here.
    by_chance: Vec<(u32, NodeIx)>,
    /// The places, for nodes that were met.
    places: IdVec<NodeIx, Option<u32>>,
    /// Ascending by load.
    levels: Vec<Level>,
}

/// Nodes with as many tasks.
#[derive(Clone, Debug)]
struct Level {
    load: Load,
    /// Their places.
    nodes: FixedBitSet,
    count: u32,
}

impl Order {
    /// The order of a service, of these nodes with their loads.
    pub(super) fn new(
        (service, key): (ServiceIx, Key),
        choices: &Choices,
        nodes: impl Iterator<Item = (NodeIx, Load)>,
    ) -> Order {
        let mut order =
            Order { service, key, by_chance: Vec::new(), places: IdVec::new(), levels: Vec::new() };
        order.take_in(choices, nodes.collect());
        order
    }

    /// Whose order it is.
    pub(super) fn service(&self) -> ServiceIx {
        self.service
    }

    /// A node that it has not met, or that was gone. All levels are made anew: nodes are there, as
    /// a rule, before services are.
    pub(super) fn learn(&mut self, choices: &Choices, node: NodeIx, load: Load) {
        let others =
            self.levels.iter().flat_map(|level| self.nodes_of(level).map(|n| (n, level.load)));
        let mut all: Vec<(NodeIx, Load)> = others.collect();
        all.push((node, load));
        self.take_in(choices, all);
    }

    /// Gives these nodes, of which some may be new, their places, and makes the levels anew.
    fn take_in(&mut self, choices: &Choices, nodes: Vec<(NodeIx, Load)>) {
        for (node, _) in &nodes {
            if self.places.entry(*node).is_none() {
                self.by_chance.push((choices.node_rank(self.key, *node), *node));
            }
        }
        self.by_chance.sort_unstable();
        for (place, (_, node)) in self.by_chance.iter().enumerate() {
            self.places[*node] = Some(place as u32);
        }
        self.levels.clear();
        for (node, load) in nodes {
            self.insert(node, load);
        }
    }

    /// A node comes to a level.
    pub(super) fn insert(&mut self, node: NodeIx, load: Load) {
        let place = self.place(node);
        let at = match self.levels.binary_search_by_key(&load, |level| level.load) {
            Ok(at) => at,
            Err(at) => self.begin_level(at, load),
        };
        let level = &mut self.levels[at];
        level.count += 1;
        level.nodes.insert(place);
    }

    /// A node leaves its level.
    pub(super) fn remove(&mut self, node: NodeIx, load: Load) {
        let place = self.place(node);
        let at = self.levels.binary_search_by_key(&load, |level| level.load);
        let level = &mut self.levels[at.expect("a node is on the level of its load")];
        level.count -= 1;
        level.nodes.remove(place);
    }

    /// A new level, in the room of an empty one if there is one. Gives its position.
    fn begin_level(&mut self, at: usize, load: Load) -> usize {
        let empty = self.levels.iter().position(|level| level.count == 0);
        let Some(empty) = empty else {
            let nodes = FixedBitSet::with_capacity(self.by_chance.len());
            self.levels.insert(at, Level { load, nodes, count: 0 });
            return at;
        };
        self.levels[empty].load = load;
        if empty < at {
            self.levels[empty..at].rotate_left(1);
            at - 1
        } else {
            self.levels[at..=empty].rotate_right(1);
            at
        }
    }

    /// All nodes, the preferred one first.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeIx> + '_ {
        self.levels.iter().flat_map(|level| self.nodes_of(level))
    }

    fn nodes_of(&self, level: &Level) -> impl Iterator<Item = NodeIx> {
        level.nodes.ones().map(|place| self.by_chance[place].1)
    }

    fn place(&self, node: NodeIx) -> usize {
        self.places[node].expect("a node that is counted was met") as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::chance::{Role, Seed, Whom};
    use crate::base::ids::Id;

    fn key() -> Key {
        Seed(1).key(Whom::Service, "web")
    }

    /// The order as the rule has it: one comparison after the other.
    fn sorted(loads: &[Option<Load>]) -> Vec<NodeIx> {
        let node = NodeIx::from_index;
        let places = loads.iter().enumerate().filter_map(|(index, load)| {
            Some(((*load)?, Choices::drawn().node_rank(key(), node(index)), node(index)))
        });
        let places: BTreeSet<_> = places.collect();
        places.into_iter().map(|(.., node)| node).collect()
    }

    #[test]
    fn nodes_are_in_order_whatever_comes_and_goes() {
        let mut loads: Vec<Option<Load>> = vec![Some((0, 0)); 100];
        let node = NodeIx::from_index;
        let known = (0..100).map(|index| (node(index), (0, 0)));
        let whose = (ServiceIx::from_index(0), key());
        let mut order = Order::new(whose, &Choices::drawn(), known);
        assert!(order.nodes().eq(sorted(&loads)));
        for step in 0..2_000_u32 {
            let word = key().word(Role::NodePick, 1, step);
            let index = (word % 100) as usize;
            // Some nodes leave and come back, some learn of tasks of others, most of its own.
            let next = match (loads[index], word >> 32 & 7) {
                (None, _) => Some((0, 0)),
                (Some(_), 0) => None,
                (Some((own, all)), 1) => Some((own, all + 1)),
                (Some((own, all)), 2 | 3) => Some((own.saturating_sub(1), all.saturating_sub(1))),
                (Some((own, all)), _) => Some((own + 1, all + 1)),
            };
            if let Some(load) = loads[index] {
                order.remove(node(index), load);
            }
            if let Some(load) = next {
                order.insert(node(index), load);
            }
            loads[index] = next;
            assert!(order.nodes().eq(sorted(&loads)), "step {step}");
        }
        assert!(order.levels.len() <= 101, "empty levels are used again");
    }

    #[test]
    fn a_node_that_comes_later_finds_its_place() {
        let node = NodeIx::from_index;
        let mut loads: Vec<Option<Load>> = Vec::new();
        let whose = (ServiceIx::from_index(0), key());
        let mut order = Order::new(whose, &Choices::drawn(), std::iter::empty());
        for index in 0..50 {
            let load = (index % 3, index % 5);
            loads.push(Some(load));
            order.learn(&Choices::drawn(), node(index as usize), load);
            assert!(order.nodes().eq(sorted(&loads)), "{index}");
        }
    }
}
