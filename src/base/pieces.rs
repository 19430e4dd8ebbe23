//! A dense map from ids to values that lie in pieces, none of which is moved when others come.
//!
//! [`IdVec`](crate::base::ids::IdVec) is one piece of memory: simpler, and a step faster to look
//! into. When it grows to megabytes, each time it outgrows its room it leaves a hole of that size;
//! this leaves none.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use crate::base::ids::Id;

/// A list that is filled and emptied again and again keeps room for so many values. More at one
/// time is a burst, which gives the rest of its room back: it would stay to the end of the run.
pub const KEPT_ROOM: usize = 4_096;

/// Values of a piece.
const PIECE: usize = 4_096;

/// A map to which each id that is asked for has been added, with a default value.
#[derive(Clone)]
pub struct IdPieces<I, T> {
    /// All but the last are full.
    pieces: Vec<Vec<T>>,
    len: usize,
    id: PhantomData<I>,
}

impl<I: Id, T: Default> IdPieces<I, T> {
    /// An empty map.
    pub const fn new() -> Self {
        IdPieces { pieces: Vec::new(), len: 0, id: PhantomData }
    }

    /// The value, if the id is in range.
    pub fn get(&self, id: I) -> Option<&T> {
        self.pieces.get(id.index() / PIECE)?.get(id.index() % PIECE)
    }

    /// The value of `id`, after filling up with default ones as far as it.
    pub fn entry(&mut self, id: I) -> &mut T {
        if self.len <= id.index() {
            self.fill_up(id);
        }
        &mut self[id]
    }

    #[cold]
    fn fill_up(&mut self, id: I) {
        while self.len <= id.index() {
            if self.len / PIECE == self.pieces.len() {
                // Most maps are small.
                let room = if self.pieces.is_empty() { 0 } else { PIECE };
                self.pieces.push(Vec::with_capacity(room));
            }
            self.pieces[self.len / PIECE].push(T::default());
            self.len += 1;
        }
    }

    /// All ids.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.len).map(I::from_index)
    }

    /// All values in the order of their ids.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.ids().map(|id| (id, &self[id]))
    }

    /// Removes all values; keeps the room of the first piece.
    pub fn clear(&mut self) {
        self.pieces.truncate(1);
        self.pieces.iter_mut().for_each(Vec::clear);
        self.len = 0;
    }

    /// The same, empty.
    #[must_use]
    pub fn emptied(mut self) -> Self {
        self.clear();
        self
    }
}

impl<I: Id, T: Default> Default for IdPieces<I, T> {
    fn default() -> Self {
        IdPieces::new()
    }
}

impl<I: Id, T> Index<I> for IdPieces<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.pieces[id.index() / PIECE][id.index() % PIECE]
    }
}

impl<I: Id, T> IndexMut<I> for IdPieces<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.pieces[id.index() / PIECE][id.index() % PIECE]
    }
}

impl<I: Id + fmt::Debug, T: Default + fmt::Debug> fmt::Debug for IdPieces<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::TaskIx;

    #[test]
    fn a_map_of_several_pieces_is_one_map() {
        let mut map: IdPieces<TaskIx, usize> = IdPieces::new();
        let id = TaskIx::from_index;
        for value in 0..2 * PIECE {
            *map.entry(id(value)) = value;
        }
        assert_eq!((map.ids().len(), map.pieces.len()), (2 * PIECE, 2));
        assert_eq!(map.get(id(2 * PIECE)), None);
        *map.entry(id(2 * PIECE + 1)) = 7;
        assert_eq!((map[id(2 * PIECE)], map[id(2 * PIECE + 1)]), (0, 7), "filled up");
        assert!(map.iter().take(2 * PIECE).all(|(id, value)| id.index() == *value));
        assert_eq!(map.iter().next_back(), Some((id(2 * PIECE + 1), &7)));
    }

    #[test]
    fn an_emptied_map_begins_anew() {
        let mut map: IdPieces<TaskIx, usize> = IdPieces::new();
        *map.entry(TaskIx::from_index(PIECE)) = 7;
        let mut map = map.emptied();
        assert_eq!((map.ids().len(), map.get(TaskIx::from_index(0))), (0, None));
        assert_eq!(*map.entry(TaskIx::from_index(PIECE)), 0);
    }
}
