//! A column of numbers, sorted as it grows.
//!
//! Sorted parts whose lengths double, as carrying does in counting: a new number costs the
//! logarithm of their count, and the k-th smallest can be asked for at any time.

/// So many new numbers are sorted at a time.
const FRESH: usize = 1_024;

/// Numbers in any order; equal ones count as many times as they were put in.
#[derive(Clone, Default, Debug)]
pub struct Column {
    /// Each sorted, and longer than the next one.
    parts: Vec<Vec<i64>>,
    fresh: Vec<i64>,
}

impl Column {
    /// Puts a number in.
    pub fn push(&mut self, value: i64) {
        self.fresh.push(value);
        if self.fresh.len() >= FRESH {
            self.settle();
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Vec::len).sum::<usize>() + self.fresh.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sorts what is new.
    #[expect(clippy::stable_sort_primitive, reason = "it finds two sorted halves and merges them")]
    fn settle(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        self.fresh.sort_unstable();
        self.parts.push(std::mem::take(&mut self.fresh));
        while let [.., longer, last] = self.parts.as_mut_slice()
            && longer.len() <= last.len()
        {
            longer.reserve_exact(last.len());
            longer.append(last);
            longer.sort();
            self.parts.pop();
        }
    }

    /// The number in place `at`, counted from 0, of all of them sorted; absent if there are not so
    /// many.
    pub fn at(&mut self, at: usize) -> Option<i64> {
        self.settle();
        if at >= self.len() {
            return None;
        }
        let mut low = *self.parts.iter().filter_map(|part| part.first()).min()?;
        let mut high = *self.parts.iter().filter_map(|part| part.last()).max()?;
        // The smallest number that more than `at` do not exceed.
        while low < high {
            let middle = ((i128::from(low) + i128::from(high)) >> 1) as i64;
            let not_above = |part: &Vec<i64>| part.partition_point(|value| *value <= middle);
            if self.parts.iter().map(not_above).sum::<usize>() > at {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(low)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_list(
            values in prop::collection::vec(prop_oneof![any::<i64>(), -3i64..3], 0..5_000),
            looks in prop::collection::vec(0usize..5_000, 0..4),
        ) {
            let mut column = Column::default();
            let mut sorted = Vec::new();
            for (count, value) in values.iter().enumerate() {
                column.push(*value);
                sorted.push(*value);
                if looks.contains(&count) {
                    sorted.sort_unstable();
                    prop_assert_eq!(column.at(count / 2), sorted.get(count / 2).copied());
                }
            }
            sorted.sort_unstable();
            prop_assert_eq!((column.len(), column.is_empty()), (sorted.len(), sorted.is_empty()));
            for at in [0, 1, sorted.len() / 3, sorted.len().saturating_sub(1), sorted.len()] {
                prop_assert_eq!(column.at(at), sorted.get(at).copied());
            }
        }
    }

    #[test]
    fn few_parts_are_kept() {
        let mut column = Column::default();
        (0..100 * FRESH as i64).for_each(|value| column.push(value * 7_919 % 65_537));
        assert!(column.parts.len() <= 8, "{}", column.parts.len());
        let room: usize = column.parts.iter().map(Vec::capacity).sum();
        assert!(room <= column.len() + 2 * FRESH, "{room}");
    }
}
