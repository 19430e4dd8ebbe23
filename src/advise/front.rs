//! The trade-off front: settings that no other one beats.

/// Whether `one` is nowhere worse than `other`, and somewhere better. Less is better everywhere.
pub fn dominates(one: &[i64], other: &[i64]) -> bool {
    one != other && one.iter().zip(other).all(|(one, other)| one <= other)
}

/// Places of the points that no other one dominates. Of equal ones the first is taken.
///
/// ```
/// use swarmsim::advise::front::front;
/// let points = [vec![1, 5], vec![2, 2], vec![2, 2], vec![3, 3], vec![5, 1]];
/// assert_eq!(front(&points), [0, 1, 4]);
/// ```
pub fn front(points: &[Vec<i64>]) -> Vec<usize> {
    let mut front: Vec<usize> = Vec::new();
    for (place, point) in points.iter().enumerate() {
        let beaten = |known: &usize| points[*known] == *point || dominates(&points[*known], point);
        if front.iter().any(beaten) {
            continue;
        }
        front.retain(|known| !dominates(point, &points[*known]));
        front.push(place);
    }
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_dominates_itself_or_what_is_better_somewhere() {
        assert!(dominates(&[1, 2], &[1, 3]) && dominates(&[0, 0], &[1, 1]));
        assert!(!dominates(&[1, 2], &[1, 2]) && !dominates(&[1, 3], &[2, 2]));
        assert_eq!(front(&[]), Vec::<usize>::new());
    }

    /// A later point that beats earlier ones takes their place; all that are left out are beaten.
    #[test]
    fn the_front_is_what_comparing_all_pairs_gives() {
        let points: Vec<Vec<i64>> =
            (1..60_i64).map(|n| vec![n * 37 % 11, n * 53 % 13, n * 29 % 17]).collect();
        let front = front(&points);
        for (place, point) in points.iter().enumerate() {
            let beaten = points.iter().any(|other| dominates(other, point));
            let first = points.iter().position(|other| other == point) == Some(place);
            assert_eq!(front.contains(&place), !beaten && first, "{point:?}");
        }
        assert!(front.len() > 2 && front.len() < 40, "{front:?}");
    }
}
