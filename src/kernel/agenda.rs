//! The agenda: what is due when, in one total order.
//!
//! The order is (time, rank, sequence). Entries of later instants lie in a heap by (time,
//! sequence); those of the present instant lie in one first-in first-out lane per rank, and the
//! lowest lane that is not empty is served. So an entry filed for now is behind everything of its
//! rank that is already due, and before everything of a higher rank. No comparison looks at an
//! event.
//!
//! The entry served last stays at the top of the heap until the next one is filed or asked for:
//! most events file another, which then takes its place with one walk down instead of two.
//!
//! Nothing is ever searched or removed: whoever cancels a timer drops the event when it comes.
//! An entry is foreground or background; [`Agenda::foreground`] counts the former that are still
//! ahead.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use crate::base::pieces::KEPT_ROOM;
use crate::base::time::SimTime;

/// How many ranks there are.
pub const RANKS: usize = 32;

/// Order among events of one instant: lower goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Rank(u8);

impl Rank {
    /// A rank below [`RANKS`].
    pub const fn new(rank: u8) -> Rank {
        assert!((rank as usize) < RANKS);
        Rank(rank)
    }
}

/// What is due, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due<E> {
    /// The moment.
    pub at: SimTime,
    /// What.
    pub event: E,
    /// Whether it was filed in the background.
    pub background: bool,
}

#[derive(Clone, Copy)]
struct Entry<E> {
    at: SimTime,
    /// Sequence number, with the rank and the background flag in its lowest bits: one word less to
    /// move.
    seq: u64,
    event: E,
}

const RANK_BITS: u32 = 5;
const BACKGROUND: u64 = 1 << RANK_BITS;
const SEQ_SHIFT: u32 = RANK_BITS + 1;
const _: () = assert!(RANKS == 1 << RANK_BITS);

impl<E> Entry<E> {
    fn rank(&self) -> usize {
        (self.seq & (RANKS as u64 - 1)) as usize
    }
    fn is_background(&self) -> bool {
        self.seq & BACKGROUND != 0
    }
    /// Time and sequence as one number, which is compared without a branch.
    fn key(&self) -> u128 {
        u128::from(self.at.0) << 64 | u128::from(self.seq)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl<E> Eq for Entry<E> {}
impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
/// Reversed, since the standard heap gives the greatest first.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// The queue of everything that is ahead.
#[derive(Clone)]
pub struct Agenda<E> {
    heap: BinaryHeap<Entry<E>>,
    /// The top of the heap has been served, and is there no more for anybody else.
    hole: bool,
    lanes: [VecDeque<(E, bool)>; RANKS],
    /// A bit for each lane that is not empty.
    waiting: u32,
    now: SimTime,
    seq: u64,
    foreground: usize,
}

impl<E: Copy> Agenda<E> {
    /// An empty agenda at the start of time.
    pub fn new() -> Self {
        Agenda {
            heap: BinaryHeap::new(),
            hole: false,
            lanes: std::array::from_fn(|_| VecDeque::new()),
            waiting: 0,
            now: SimTime::ZERO,
            seq: 0,
            foreground: 0,
        }
    }

    /// The same, in the room of this one.
    #[must_use]
    pub fn anew(mut self) -> Self {
        self.heap.clear();
        self.lanes.iter_mut().for_each(VecDeque::clear);
        Agenda { heap: self.heap, lanes: self.lanes, ..Agenda::new() }
    }

    /// The present instant: that of the event served last, or the one passed to since.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// How many foreground entries are ahead.
    pub fn foreground(&self) -> usize {
        self.foreground
    }

    /// How many entries are ahead, background ones included.
    pub fn len(&self) -> usize {
        self.heap.len() - usize::from(self.hole)
            + self.lanes.iter().map(VecDeque::len).sum::<usize>()
    }

    /// Whether nothing is ahead.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0 && self.heap.len() == usize::from(self.hole)
    }

    /// Files a foreground event.
    pub fn file(&mut self, at: SimTime, rank: Rank, event: E) {
        self.foreground += 1;
        self.put(at, rank, event, false);
    }

    /// Files an event that alone does not keep a run going.
    pub fn file_background(&mut self, at: SimTime, rank: Rank, event: E) {
        self.put(at, rank, event, true);
    }

    fn put(&mut self, at: SimTime, rank: Rank, event: E, background: bool) {
        assert!(at >= self.now, "an event was filed for the past: {at}, now {}", self.now);
        if at == self.now {
            self.enqueue(rank.0 as usize, event, background);
        } else {
            self.seq += 1;
            let flag = if background { BACKGROUND } else { 0 };
            let seq = self.seq << SEQ_SHIFT | flag | u64::from(rank.0);
            let entry = Entry { at, seq, event };
            if std::mem::take(&mut self.hole) {
                *self.heap.peek_mut().expect("the hole is its top") = entry;
            } else {
                self.heap.push(entry);
            }
        }
    }

    /// When the first entry of a later instant is due.
    fn later(&self) -> Option<SimTime> {
        match self.heap.as_slice() {
            [top, ..] if !self.hole => Some(top.at),
            // The children of the top; a heap's slice has them behind it.
            [_, left, right, ..] => Some(left.at.min(right.at)),
            [_, only] => Some(only.at),
            [] | [_] => None,
        }
    }

    fn fill_hole(&mut self) {
        if std::mem::take(&mut self.hole) {
            self.heap.pop();
            if self.heap.capacity() > KEPT_ROOM.max(8 * self.heap.len()) {
                self.heap.shrink_to(KEPT_ROOM);
            }
        }
    }

    fn enqueue(&mut self, rank: usize, event: E, background: bool) {
        self.lanes[rank].push_back((event, background));
        self.waiting |= 1 << rank;
    }

    /// When the next entry is due.
    pub fn next_at(&self) -> Option<SimTime> {
        if self.waiting != 0 { Some(self.now) } else { self.later() }
    }

    /// Moves the clock to a moment before all entries: as if one filed for it were taken.
    ///
    /// # Panics
    /// If an entry is due by then, or it is in the past.
    pub fn pass_to(&mut self, at: SimTime) {
        assert!(at >= self.now && self.next_at().is_none_or(|next| at < next));
        self.now = at;
    }

    /// Takes the next entry, and moves the clock to it.
    pub fn pop(&mut self) -> Option<Due<E>> {
        if self.waiting == 0 {
            self.fill_hole();
            let first = *self.heap.peek()?;
            self.hole = true;
            self.now = first.at;
            if self.later() != Some(first.at) {
                // Alone in its instant, as most are: no need of a lane.
                let (at, background) = (first.at, first.is_background());
                self.foreground -= usize::from(!background);
                return Some(Due { at, event: first.event, background });
            }
            self.turn_to_instant_of(&first);
        }
        let rank = self.waiting.trailing_zeros() as usize;
        let (event, background) = self.lanes[rank].pop_front().expect("the lane's bit is set");
        if self.lanes[rank].is_empty() {
            self.waiting &= !(1 << rank);
            if self.lanes[rank].capacity() > KEPT_ROOM {
                self.lanes[rank].shrink_to(KEPT_ROOM);
            }
        }
        self.foreground -= usize::from(!background);
        Some(Due { at: self.now, event, background })
    }

    /// Moves an entry and all others of its instant to the lanes.
    fn turn_to_instant_of(&mut self, first: &Entry<E>) {
        self.enqueue(first.rank(), first.event, first.is_background());
        self.fill_hole();
        while self.heap.peek().is_some_and(|entry| entry.at == self.now) {
            let entry = self.heap.pop().expect("just seen");
            self.enqueue(entry.rank(), entry.event, entry.is_background());
        }
    }
}

impl<E: Copy> Default for Agenda<E> {
    fn default() -> Self {
        Agenda::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOW: Rank = Rank::new(1);
    const HIGH: Rank = Rank::new(9);

    fn drain(agenda: &mut Agenda<u32>) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| agenda.pop()).map(|due| (due.at.0, due.event)).collect()
    }

    #[test]
    fn order_is_time_then_rank_then_sequence() {
        let mut agenda = Agenda::new();
        agenda.file(SimTime(5), HIGH, 1);
        agenda.file(SimTime(5), LOW, 2);
        agenda.file(SimTime(5), LOW, 3);
        agenda.file(SimTime(4), HIGH, 4);
        assert_eq!(drain(&mut agenda), [(4, 4), (5, 2), (5, 3), (5, 1)]);
    }

    #[test]
    fn an_event_for_now_waits_behind_its_own_rank_only() {
        let mut agenda = Agenda::new();
        agenda.file(SimTime(5), LOW, 1);
        agenda.file(SimTime(5), HIGH, 2);
        agenda.file(SimTime(5), HIGH, 3);
        assert_eq!(agenda.pop().map(|due| due.event), Some(1));
        assert_eq!(agenda.pop().map(|due| due.event), Some(2));
        agenda.file(SimTime(5), LOW, 4);
        agenda.file(SimTime(5), HIGH, 5);
        assert_eq!(drain(&mut agenda), [(5, 4), (5, 3), (5, 5)]);
    }

    #[test]
    fn background_entries_are_not_counted() {
        let mut agenda = Agenda::new();
        agenda.file(SimTime(1), LOW, 1);
        agenda.file_background(SimTime(2), LOW, 2);
        assert_eq!((agenda.foreground(), agenda.len()), (1, 2));
        agenda.pop();
        assert_eq!((agenda.foreground(), agenda.len()), (0, 1));
        agenda.pop();
        assert!(agenda.is_empty());
    }

    #[test]
    #[should_panic(expected = "for the past")]
    fn the_past_is_closed() {
        let mut agenda = Agenda::new();
        agenda.file(SimTime(5), LOW, 1);
        agenda.pop();
        agenda.file(SimTime(4), LOW, 2);
    }

    #[test]
    fn the_clock_may_pass_to_a_moment_that_nobody_waits_for() {
        let mut agenda = Agenda::new();
        agenda.file(SimTime(5), LOW, 1);
        agenda.file(SimTime(9), LOW, 2);
        agenda.pop();
        agenda.pass_to(SimTime(8));
        agenda.file(SimTime(8), LOW, 3);
        assert_eq!(drain(&mut agenda), [(8, 3), (9, 2)]);
        agenda.pass_to(SimTime(20));
        assert_eq!(agenda.now(), SimTime(20));
    }

    #[test]
    #[should_panic(expected = "next")]
    fn the_clock_passes_nobody_by() {
        let mut agenda = Agenda::new();
        agenda.file(SimTime(5), LOW, 1);
        agenda.pass_to(SimTime(5));
    }

    proptest! {
        /// Against the plainest possible model: a list, searched for its least (time, rank,
        /// sequence).
        #[test]
        fn it_behaves_as_a_sorted_list(
            steps in prop::collection::vec((0u64..4, 0u8..4, any::<bool>()), 1..200)
        ) {
            let mut agenda = Agenda::new();
            let mut model: Vec<(SimTime, u8, u32)> = Vec::new();
            let mut number = 0;
            for (delay, rank, take) in steps {
                if take {
                    let least = model.iter().copied().min();
                    model.retain(|entry| Some(*entry) != least);
                    let popped = agenda.pop().map(|due| (due.at, due.event));
                    prop_assert_eq!(popped, least.map(|(at, _, n)| (at, n)));
                } else {
                    let at = SimTime(agenda.now().0 + delay);
                    agenda.file(at, Rank::new(rank), number);
                    model.push((at, rank, number));
                    number += 1;
                }
                prop_assert_eq!(agenda.len(), model.len());
                prop_assert_eq!(agenda.foreground(), model.len());
            }
        }
    }
}
