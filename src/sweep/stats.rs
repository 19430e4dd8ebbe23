//! Intervals: what a number of runs says about all runs.
//!
//! All are 95 % intervals. Shares have Wilson's; quantiles have those of order statistics, which
//! hold for every distribution. Only additions, multiplications, divisions and square roots are
//! used, which are the same on every machine.

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Up to so many values the ranks of an interval are exact, above they are those of the normal
/// approximation.
const EXACT: usize = 1_000;

/// A lower and an upper bound.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// Wilson's interval of a share of which `hits` of `of` were seen.
///
/// ```
/// use swarmsim::sweep::stats::share;
/// let all = share(100, 100);
/// assert!(all.low > 0.96 && all.high == 1.0);
/// ```
pub fn share(hits: u64, of: u64) -> Interval {
    if of == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = of as f64;
    let p = hits as f64 / n;
    let z2 = Z * Z;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let low = if hits == 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if hits == of { 1.0 } else { (middle + half).min(1.0) };
    Interval { low, high }
}

/// Place, counted from 0, of the quantile of `per_mille` among `count` sorted values: the smallest
/// value that at least that share does not exceed.
pub fn quantile(count: usize, per_mille: u32) -> usize {
    let rank = (count as u64 * u64::from(per_mille)).div_ceil(1_000).max(1);
    (rank as usize - 1).min(count.saturating_sub(1))
}

/// Places of the two values between which the quantile of all runs lies; a bound is absent if so
/// few values do not allow to say it.
///
/// The number of values below the quantile is binomial: the k-th value (from 1) is not above it
/// unless fewer than k values are below.
pub fn quantile_bounds(count: usize, per_mille: u32) -> (Option<usize>, Option<usize>) {
    let p = f64::from(per_mille) / 1_000.0;
    if count > EXACT {
        let (middle, half) = (count as f64 * p, Z * (count as f64 * p * (1.0 - p)).sqrt());
        let (low, high) = ((middle - half).floor(), (middle + half).ceil());
        let low = (low >= 1.0).then_some(low as usize - 1);
        return (low, (high < count as f64).then_some(high as usize));
    }
    let below = binomial(count, p);
    // Largest rank whose tail is still short enough, and the smallest on the other side.
    let (mut low, mut sum) = (None, 0.0);
    for (rank, chance) in below.iter().enumerate() {
        sum += chance;
        if sum > 0.025 {
            break;
        }
        low = Some(rank);
    }
    let (mut high, mut sum) = (None, 0.0);
    for rank in (0..=count).rev() {
        sum += below[rank];
        if sum > 0.025 {
            break;
        }
        high = Some(rank - 1);
    }
    (low, high)
}

/// Probabilities of 0, 1 … `n` hits.
fn binomial(n: usize, p: f64) -> Vec<f64> {
    // Starts in the middle, where nothing is lost to smallness, and is scaled at the end.
    let middle = (n as f64 * p) as usize;
    let odds = p / (1.0 - p);
    let mut chances = vec![0.0; n + 1];
    chances[middle] = 1.0;
    for k in middle..n {
        chances[k + 1] = chances[k] * odds * (n - k) as f64 / (k + 1) as f64;
    }
    for k in (1..=middle).rev() {
        chances[k - 1] = chances[k] / odds * k as f64 / (n - k + 1) as f64;
    }
    let all: f64 = chances.iter().sum();
    chances.into_iter().map(|chance| chance / all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::chance::{Role, Seed, Whom, happens};

    #[test]
    fn shares_are_wilsons() {
        // Worked by hand: 8 of 10 with z = 1.96 is 0.490 to 0.943.
        let Interval { low, high } = share(8, 10);
        assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4, "{low} {high}");
        assert_eq!(share(0, 0), Interval { low: 0.0, high: 1.0 });
        assert_eq!((share(0, 50).low, share(50, 50).high), (0.0, 1.0));
    }

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let places: Vec<usize> = [500, 950, 1_000, 1].map(|q| quantile(10, q)).into();
        assert_eq!(places, [4, 9, 9, 0]);
        assert_eq!((quantile(1, 500), quantile(0, 500)), (0, 0));
    }

    /// A table of the median's interval, as books have it: of 10 values the second and the ninth,
    /// of five none.
    #[test]
    fn bounds_of_the_median_are_those_of_tables() {
        assert_eq!(quantile_bounds(5, 500), (None, None));
        assert_eq!(quantile_bounds(6, 500), (Some(0), Some(5)));
        assert_eq!(quantile_bounds(10, 500), (Some(1), Some(8)));
        assert_eq!(quantile_bounds(100, 500), (Some(39), Some(60)));
        assert_eq!(quantile_bounds(100, 950), (Some(89), Some(99)));
        assert_eq!(quantile_bounds(20, 950), (Some(16), None));
    }

    #[test]
    fn the_approximation_meets_the_exact_bounds() {
        for per_mille in [500, 950] {
            let exact = quantile_bounds(EXACT, per_mille);
            let near = quantile_bounds(EXACT + 1, per_mille);
            for (exact, near) in [(exact.0, near.0), (exact.1, near.1)] {
                assert!(exact.unwrap().abs_diff(near.unwrap()) <= 2, "{exact:?} {near:?}");
            }
        }
    }

    /// Known truths: of 2 000 samples of 1 000 draws each, 95 % of the intervals hold the truth.
    #[test]
    fn intervals_cover_what_they_promise() {
        const SAMPLES: u32 = 2_000;
        const DRAWS: u32 = 1_000;
        let key = Seed(1).key(Whom::Cluster, "coverage");
        let (mut of_share, mut of_median) = (0, 0);
        for sample in 0..SAMPLES {
            let mut words: Vec<u64> = (0..DRAWS / 8)
                .flat_map(|block| key.block(Role::Fault, 0, sample, u64::from(block)))
                .collect();
            let hits = words.iter().filter(|word| happens(**word, 130_000)).count();
            let interval = share(hits as u64, u64::from(DRAWS));
            of_share += u32::from(interval.low <= 0.13 && 0.13 <= interval.high);
            words.sort_unstable();
            let (low, high) = quantile_bounds(words.len(), 500);
            let holds = words[low.unwrap()] <= 1 << 63 && 1 << 63 <= words[high.unwrap()];
            of_median += u32::from(holds);
        }
        let per_mille = |hits: u32| hits * 1_000 / SAMPLES;
        assert!((940..=965).contains(&per_mille(of_share)), "{}", per_mille(of_share));
        assert!((940..=965).contains(&per_mille(of_median)), "{}", per_mille(of_median));
    }
}
