//! Ids and numbers that never mix, and vectors that take only their own id.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

/// An id that is a position in an [`IdVec`].
pub trait Id: Copy {
    /// The id of position `index`.
    fn from_index(index: usize) -> Self;
    /// The position.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl Id for $name {
            #[inline]
            fn from_index(index: usize) -> Self {
                let number = u32::try_from(index + 1).expect("ids have 32 bits");
                $name(NonZeroU32::new(number).expect("one more than a position is not zero"))
            }
            #[inline]
            fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.index())
            }
        }
    )*};
}

ids! {
    /// A node of the cluster.
    NodeIx, "n";
    /// A service. Never used again after its removal.
    ServiceIx, "s";
    /// A task. Never used again after its deletion.
    TaskIx, "t";
    /// One version of what a task is made from, stored once however many tasks carry it.
    TemplateIx, "template";
    /// One version of a service's ports and resolution mode, stored once.
    EndpointIx, "endpoint";
    /// A record of the timeline.
    RecordNo, "#";
}

/// The replica's number, 1..N; of a global service the node's place, which is never shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotNo(pub u32);

/// The number of a task within its slot: the first has 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ordinal(pub u32);

/// The version of a service's spec: the store index its writer had read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SpecVersion(pub u64);

/// One run of one service's updater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RunNo(pub u32);

/// The leadership of one manager.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Term(pub u16);

macro_rules! plain_debug {
    ($($name:ident, $prefix:literal;)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )*};
}

plain_debug! {
    SlotNo, "slot";
    Ordinal, "#";
    SpecVersion, "v";
    RunNo, "run";
    Term, "term";
}

/// The identifier that Swarm draws for a service, a task or a node: 25 characters of base 36.
///
/// Identifiers sort as numbers and as texts alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Identifier {
    high: u64,
    low: u64,
}

impl Identifier {
    /// The identifier made of two words.
    pub const fn new(high: u64, low: u64) -> Identifier {
        Identifier { high, low }
    }

    /// Its 16 bytes, the highest first.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_be_bytes()
    }
}

impl std::str::FromStr for Identifier {
    type Err = ();

    /// Reads 25 characters of base 36, as [`Display`](fmt::Display) writes them.
    fn from_str(text: &str) -> Result<Identifier, ()> {
        if text.len() != 25 {
            return Err(());
        }
        let value = text.bytes().try_fold(0_u128, |value, byte| {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'z' => byte - b'a' + 10,
                _ => return Err(()),
            };
            value.checked_mul(36).and_then(|v| v.checked_add(u128::from(digit))).ok_or(())
        })?;
        Ok(Identifier { high: (value >> 64) as u64, low: value as u64 })
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        /// Twelve digits fit in 64 bits, which are divided faster.
        const TWELVE: u128 = 36u128.pow(12);
        let mut text = [b'0'; 25];
        let mut rest = u128::from(self.high) << 64 | u128::from(self.low);
        for part in text.rchunks_mut(12) {
            // One division of 128 bits, not two.
            let ahead = rest / TWELVE;
            let mut digits = (rest - ahead * TWELVE) as u64;
            rest = ahead;
            for place in part.iter_mut().rev() {
                *place = DIGITS[(digits % 36) as usize];
                digits /= 36;
            }
        }
        f.write_str(std::str::from_utf8(&text).expect("base 36 is ASCII"))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A dense map from ids to values.
#[derive(Clone, PartialEq, Eq)]
pub struct IdVec<I, T> {
    items: Vec<T>,
    id: PhantomData<I>,
}

impl<I: Id, T> IdVec<I, T> {
    /// An empty map.
    pub const fn new() -> Self {
        IdVec { items: Vec::new(), id: PhantomData }
    }

    /// Adds a value; its id is the next one.
    pub fn push(&mut self, value: T) -> I {
        self.items.push(value);
        I::from_index(self.items.len() - 1)
    }

    /// The id that the next [`push`](Self::push) will give.
    pub fn next_id(&self) -> I {
        I::from_index(self.items.len())
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The value, if the id is in range.
    pub fn get(&self, id: I) -> Option<&T> {
        self.items.get(id.index())
    }

    /// The value, if the id is in range.
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.items.get_mut(id.index())
    }

    /// The value of `id`, after filling up with default ones as far as it.
    pub fn entry(&mut self, id: I) -> &mut T
    where
        T: Default,
    {
        if self.items.len() <= id.index() {
            self.items.resize_with(id.index() + 1, T::default);
        }
        &mut self.items[id.index()]
    }

    /// All values in the order of their ids.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.items.iter().enumerate().map(|(index, value)| (I::from_index(index), value))
    }

    /// All ids.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.items.len()).map(I::from_index)
    }

    /// Room for `more` values without growing on the way.
    pub fn reserve(&mut self, more: usize) {
        self.items.reserve(more);
    }

    /// Removes all values; keeps the room.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// The same, empty.
    #[must_use]
    pub fn emptied(mut self) -> Self {
        self.clear();
        self
    }
}

impl<I: Id, T> Default for IdVec<I, T> {
    fn default() -> Self {
        IdVec::new()
    }
}

impl<I: Id, T> Index<I> for IdVec<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.items[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for IdVec<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.index()]
    }
}

impl<I: Id + fmt::Debug, T: fmt::Debug> fmt::Debug for IdVec<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

const _: () = assert!(size_of::<Option<TaskIx>>() == 4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_sort_as_their_texts_do() {
        let (small, large) = (Identifier::new(0, 35), Identifier::new(0, 36));
        assert_eq!(small.to_string(), "000000000000000000000000z");
        assert_eq!(large.to_string(), "0000000000000000000000010");
        assert!(small < large && small.to_string() < large.to_string());
        assert_eq!(Identifier::new(u64::MAX, u64::MAX).to_string().len(), 25);
    }

    #[test]
    fn identifiers_read_as_they_print() {
        for id in
            [Identifier::new(0, 0), Identifier::new(u64::MAX, u64::MAX), Identifier::new(7, 9)]
        {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!("z".repeat(25).parse::<Identifier>(), Err(()), "more than 128 bits");
        assert_eq!("A".repeat(25).parse::<Identifier>(), Err(()));
        assert_eq!("0".parse::<Identifier>(), Err(()));
    }
}
