//! Crashes at random: an exponential waiting time from a table, since `ln` differs between
//! platforms.

use crate::base::chance::{Key, Role};
use crate::base::time::Span;

/// −ln(1 − p) at p = 0, 1/16, …, 15/16, in millionths; beyond the last the tail is halved again and
/// again.
const QUANTILES: [i64; 16] = [
    0, 64_539, 133_531, 207_639, 287_682, 374_693, 470_004, 575_364, 693_147, 826_679, 980_829,
    1_163_151, 1_386_294, 1_673_976, 2_079_442, 2_772_589,
];

/// −ln of one sixteenth's last sixteenth: what one more round through the table adds.
const ROUND: i64 = 2_772_589;

/// Time from the start of a task's process to its crash, with the given mean.
pub fn time_to_crash(mean: Span, key: Key, slot: u32, ordinal: u32) -> Span {
    let mut word = key.word(Role::Crash, slot, ordinal);
    let mut millionths = 0;
    // Memoryless: the last sixteenth is the whole distribution again, one round later.
    while word >> 60 == 15 && millionths < 10 * ROUND {
        millionths += ROUND;
        word <<= 4;
    }
    let place = (word >> 60) as usize;
    let (low, high) = (QUANTILES[place], QUANTILES.get(place + 1).copied().unwrap_or(ROUND));
    let within = i64::try_from((word << 4) >> 44).unwrap_or(0);
    millionths += low + (((high - low) * within) >> 20);
    let ns = i128::from(mean.0) * i128::from(millionths) / 1_000_000;
    Span(i64::try_from(ns).unwrap_or(i64::MAX))
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
