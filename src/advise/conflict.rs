//! Goals that contradict each other: a smallest set that no setting meets.

/// A smallest set of goals of which nothing meets all, as their numbers; of several the first in
/// order. `is_met` says whether something meets all goals of a set, which is given as bits. Nothing
/// if all goals can be met together.
///
/// ```
/// use swarmsim::advise::conflict::smallest;
/// // One setting meets goals 0 and 1, another one goals 1 and 2.
/// let met = [0b011, 0b110];
/// let conflict = smallest(3, |set| met.iter().any(|of| of & set == set));
/// assert_eq!(conflict, Some(vec![0, 2]));
/// ```
pub fn smallest(goals: usize, mut is_met: impl FnMut(u32) -> bool) -> Option<Vec<usize>> {
    let all = 1_u32 << goals.min(31);
    let mut sets: Vec<u32> = (1..all).collect();
    // Of sets of one size the one with the earlier goals comes first.
    sets.sort_by_key(|set| (set.count_ones(), set.reverse_bits() ^ u32::MAX));
    let conflict = sets.into_iter().find(|set| !is_met(*set))?;
    Some((0..goals).filter(|goal| conflict >> goal & 1 == 1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(goals: usize, met: &[u32]) -> Option<Vec<usize>> {
        smallest(goals, |set| met.iter().any(|of| of & set == set))
    }

    #[test]
    fn the_smallest_set_is_found() {
        assert_eq!(of(3, &[0b111]), None);
        assert_eq!(of(3, &[]), Some(vec![0]));
        assert_eq!(of(3, &[0b101]), Some(vec![1]));
        // Each pair can be met, but not all three.
        assert_eq!(of(3, &[0b011, 0b101, 0b110]), Some(vec![0, 1, 2]));
        assert_eq!(of(4, &[0b0111, 0b1011]), Some(vec![2, 3]));
    }

    /// Leaving out any goal of the set makes it possible.
    #[test]
    fn it_is_minimal() {
        let met = [0b01011, 0b11001, 0b10110, 0b00111, 0b11100];
        let conflict = of(5, &met).unwrap();
        let bits = |goals: &[usize]| goals.iter().fold(0_u32, |set, goal| set | 1 << goal);
        let possible = |set: u32| met.iter().any(|of| of & set == set);
        assert!(!possible(bits(&conflict)));
        for left_out in &conflict {
            assert!(possible(bits(&conflict) & !(1 << left_out)), "{conflict:?} {left_out}");
        }
    }
}
