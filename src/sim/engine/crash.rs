//! Crashes at random.

use crate::base::chance::{Key, Role};
use crate::base::dist::exponential;
use crate::base::time::Span;

/// Time from the start of a task's process to its crash, with the given mean.
pub fn time_to_crash(mean: Span, key: Key, slot: u32, ordinal: u32) -> Span {
    exponential(mean, key.word(Role::Crash, slot, ordinal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::chance::{Seed, Whom};

    #[test]
    fn the_mean_is_the_mean() {
        let key = Seed(1).key(Whom::Service, "web");
        let mean = Span::from_secs(100);
        let sum: i128 = (0..20_000).map(|n| i128::from(time_to_crash(mean, key, 1, n).0)).sum();
        let average = sum / 20_000;
        let off = (average - i128::from(mean.0)).abs();
        assert!(off < i128::from(mean.0) / 50, "average {average}");
    }
}
