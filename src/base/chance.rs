//! Chance with addresses: every draw is a pure function of (seed, whom, role, occasion).
//!
//! No generator is shared, stored or advanced, so nothing that is added to a scenario moves the
//! luck of anything else. One ChaCha8 block holds all latencies of a task; each purpose has its
//! fixed word. The algorithm is written out here because golden files depend on it; `rand_chacha`
//! is the referee of a test.
//!
//! To add a draw: append a [`Role`] or take an unused word of a later block. Never renumber.

use wide::u32x4;

/// Version of the algorithm, the roles and the word tables; part of every timeline's header.
pub const CHANCE_VERSION: u32 = 1;

/// The seed of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Seed(pub u64);

/// What is to be drawn for: the seed together with the name of a service, a node or a fault.
///
/// Derived once, when the thing is created, and kept with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key([u32; 8]);

/// The kind of thing that a [`Key`] names, so that a node and a service of one name differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Whom {
    /// The manager and everything that belongs to no other.
    Cluster = 0,
    /// A service, by name.
    Service = 1,
    /// A node, by name.
    Node = 2,
    /// A fault, by its place in the scenario.
    Fault = 3,
    /// A request source, by name.
    Client = 4,
}

/// What a number is about. Appended to, never renumbered; a test pins the first word of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Role {
    /// A task: block 0 holds its identifier and latencies (see [`word`]), later blocks its probes.
    Task = 0,
    /// The order in which a service's slots are handed to the updater; ordinal = number of the
    /// reconcile.
    SlotOrder = 1,
    /// Which of several equal nodes takes a task.
    NodePick = 2,
    /// Which side of a documented race comes first; slot and ordinal are those of the failed task.
    Race = 3,
    /// Identifiers of services and nodes.
    Identifier = 4,
    /// The phase of the manager's status timer; ordinal = term of leadership.
    StatusPhase = 5,
    /// A node's heartbeat period; ordinal counts heartbeats.
    Heartbeat = 6,
    /// How long a change of the load balancer takes to reach another node.
    Gossip = 7,
    /// Where a node's round robin starts.
    BalancerStart = 8,
    /// The docker client: time from the command to the manager.
    Client = 9,
    /// When or whom a seeded fault strikes.
    Fault = 10,
    /// A crash rate: time to the next crash of a task.
    Crash = 11,
    /// Time between two requests of a source that arrive at random; slot and ordinal are the high
    /// and the low half of the request's number.
    Arrival = 12,
    /// Which of the addresses of a service a client takes; numbered as arrivals are.
    Resolve = 13,
}

/// The fixed words of block 0 of a task.
pub mod word {
    /// High half of the identifier.
    pub const ID_HIGH: usize = 0;
    /// Low half of the identifier.
    pub const ID_LOW: usize = 1;
    /// Pull and create: preparing → ready.
    pub const PREPARE: usize = 2;
    /// Starting → container start.
    pub const START: usize = 3;
    /// Stop signal → exit, and kill → exit.
    pub const STOP: usize = 4;
    /// Exit → report of the node.
    pub const CLEANUP: usize = 5;
    /// Arrival of an assignment → first step of the agent.
    pub const ACCEPT: usize = 6;
    /// Between the retry second and the stop signal.
    pub const SIGNAL: usize = 7;
}

impl Seed {
    /// The key of something by its kind and name.
    pub fn key(self, whom: Whom, name: &str) -> Key {
        // A block keyed by the seed absorbs the name eight bytes at a time: a small sponge, so that
        // keys of different names are unrelated. Not cryptography, only well mixed.
        let mut key = [0u32; 8];
        key[0] = self.0 as u32;
        key[1] = (self.0 >> 32) as u32;
        key[2] = whom as u32;
        key[3] = name.len() as u32;
        for chunk in name.as_bytes().chunks(16) {
            let mut padded = [0u8; 16];
            padded[..chunk.len()].copy_from_slice(chunk);
            for (word, bytes) in key[4..].iter_mut().zip(padded.chunks(4)) {
                *word ^= u32::from_le_bytes(bytes.try_into().expect("chunks of four"));
            }
            key = mix(key);
        }
        Key(mix(key))
    }
}

impl Key {
    /// Eight words about (role, slot, ordinal), block `n`.
    pub fn block(self, role: Role, slot: u32, ordinal: u32, n: u64) -> [u64; 8] {
        debug_assert!(slot < 1 << 24, "slots have 24 bits in an address");
        let stream =
            u64::from(role as u8) << 56 | u64::from(slot & 0xff_ffff) << 32 | u64::from(ordinal);
        chacha8(self.0, stream, n)
    }

    /// The first word of block 0.
    pub fn word(self, role: Role, slot: u32, ordinal: u32) -> u64 {
        self.block(role, slot, ordinal, 0)[0]
    }
}

/// Reduces a word to `0..bound` by multiplication, without rejection: no value is likelier than
/// another by more than bound / 2^64.
pub fn below(word: u64, bound: u64) -> u64 {
    (u128::from(word) * u128::from(bound) >> 64) as u64
}

/// Whether something of the given probability, in parts per million, happens.
pub fn happens(word: u64, ppm: u32) -> bool {
    below(word, 1_000_000) < u64::from(ppm)
}

/// A permutation of `items`, from the words of `key` for this role and occasion.
pub fn shuffle<T>(items: &mut [T], key: Key, role: Role, ordinal: u32) {
    let mut block = [0; 8];
    for (draw, last) in (1..items.len()).rev().enumerate() {
        if draw % 8 == 0 {
            block = key.block(role, 0, ordinal, (draw / 8) as u64);
        }
        items.swap(last, below(block[draw % 8], last as u64 + 1) as usize);
    }
}

fn mix(key: [u32; 8]) -> [u32; 8] {
    let block = chacha8(key, 0, 0);
    let mut out = [0; 8];
    for (pair, word) in out.chunks_mut(2).zip(block) {
        pair[0] = word as u32;
        pair[1] = (word >> 32) as u32;
    }
    out
}

/// A row of the state of `ChaCha8`: the four columns go through the same steps at once.
type Row = u32x4;

/// One `ChaCha8` block: 64 bytes as eight little-endian words.
fn chacha8([k0, k1, k2, k3, k4, k5, k6, k7]: [u32; 8], stream: u64, counter: u64) -> [u64; 8] {
    const SIGMA: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
    let place = [counter as u32, (counter >> 32) as u32, stream as u32, (stream >> 32) as u32];
    let input = [SIGMA, [k0, k1, k2, k3], [k4, k5, k6, k7], place].map(Row::new);
    let mut rows = input;
    for _ in 0..4 {
        let [a, b, c, d] = quarters(rows);
        // The diagonals become columns, and columns again.
        let [a, b, c, d] = quarters([a, moved::<1>(b), moved::<2>(c), moved::<3>(d)]);
        rows = [a, moved::<3>(b), moved::<2>(c), moved::<1>(d)];
    }
    let mut out = [0u64; 8];
    for (pair, (row, first)) in out.chunks_exact_mut(2).zip(rows.into_iter().zip(input)) {
        let [low, high, lower, higher] = (row + first).to_array();
        pair[0] = u64::from(high) << 32 | u64::from(low);
        pair[1] = u64::from(higher) << 32 | u64::from(lower);
    }
    out
}

/// The quarter rounds of all four columns.
#[inline]
fn quarters([mut a, mut b, mut c, mut d]: [Row; 4]) -> [Row; 4] {
    a += b;
    d = turned::<16>(d ^ a);
    c += d;
    b = turned::<12>(b ^ c);
    a += b;
    d = turned::<8>(d ^ a);
    c += d;
    b = turned::<7>(b ^ c);
    [a, b, c, d]
}

/// Each column's bits moved to the left, around.
#[inline]
fn turned<const BITS: u32>(row: Row) -> Row {
    row << BITS | row >> (32 - BITS)
}

/// The columns moved to the left, around.
#[inline]
fn moved<const BY: usize>(row: Row) -> Row {
    let columns = row.to_array();
    Row::new(std::array::from_fn(|at| columns[(at + BY) % 4]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

    /// The referee: `rand_chacha` gives the same words for the same (key, stream, block).
    #[test]
    fn blocks_are_those_of_rand_chacha() {
        for (seed, stream, counter) in
            [(0u64, 0u64, 0u64), (7, 1 << 56, 3), (u64::MAX, u64::MAX, 1 << 33)]
        {
            let key = Seed(seed).key(Whom::Service, "web").0;
            let bytes: Vec<u8> = key.iter().flat_map(|word| word.to_le_bytes()).collect();
            let mut referee = ChaCha8Rng::from_seed(bytes.try_into().expect("32 bytes"));
            referee.set_stream(stream);
            referee.set_word_pos(u128::from(counter) * 16);
            let expected: Vec<u64> = (0..8).map(|_| referee.next_u64()).collect();
            assert_eq!(chacha8(key, stream, counter).to_vec(), expected);
        }
    }

    /// Golden files depend on these: a change here is a new `CHANCE_VERSION`.
    #[test]
    fn the_first_word_of_each_role_is_pinned() {
        let key = Seed(7).key(Whom::Service, "whoami");
        let words: Vec<u64> = [
            Role::Task,
            Role::SlotOrder,
            Role::NodePick,
            Role::Race,
            Role::Identifier,
            Role::StatusPhase,
            Role::Heartbeat,
            Role::Gossip,
            Role::BalancerStart,
            Role::Client,
            Role::Fault,
            Role::Crash,
            Role::Arrival,
            Role::Resolve,
        ]
        .into_iter()
        .map(|role| key.word(role, 1, 2))
        .collect();
        insta::assert_debug_snapshot!(words);
    }

    #[test]
    fn names_and_kinds_have_keys_of_their_own() {
        let keys = [
            Seed(1).key(Whom::Service, "a"),
            Seed(2).key(Whom::Service, "a"),
            Seed(1).key(Whom::Node, "a"),
            Seed(1).key(Whom::Service, "b"),
            Seed(1).key(Whom::Service, "a\0"),
            Seed(1).key(Whom::Service, ""),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "key {index} is not its own");
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_depends_on_the_occasion() {
        let key = Seed(3).key(Whom::Service, "web");
        let mut first: Vec<u32> = (0..100).collect();
        let mut second = first.clone();
        shuffle(&mut first, key, Role::SlotOrder, 1);
        shuffle(&mut second, key, Role::SlotOrder, 2);
        assert_ne!(first, second);
        first.sort_unstable();
        assert_eq!(first, (0..100).collect::<Vec<u32>>());
    }

    #[test]
    fn reduction_stays_below_its_bound() {
        assert_eq!(below(u64::MAX, 10), 9);
        assert_eq!(below(0, 10), 0);
        assert_eq!(below(1 << 63, 10), 5);
        assert!(happens(0, 1) && !happens(u64::MAX, 999_999) && !happens(0, 0));
    }
}
