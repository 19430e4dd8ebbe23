//! Quantities that vary in life, as data: a fixed value, a uniform range, or a table of quantiles.

use crate::base::chance::below;
use crate::base::time::Span;

/// A length of time that is drawn anew for each occasion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// Always the same.
    Fixed(Span),
    /// Every value from the first to the second is equally likely.
    Uniform(Span, Span),
    /// Five quantiles, 0 10 50 90 100 %, as the calibration tables of the recordings give them;
    /// linear between.
    Quantiles([Span; 5]),
}

/// One of the values that [`Quantity::Quantiles`] is given by: a column of a calibration table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Knot {
    /// The least that was measured.
    Least,
    /// A tenth of what was measured is less.
    Tenth,
    /// Half of what was measured is less.
    Median,
    /// A tenth of what was measured is more.
    Ninetieth,
    /// The most that was measured.
    Most,
}

impl Knot {
    /// All of them, ascending.
    pub const ALL: [Knot; 5] =
        [Knot::Least, Knot::Tenth, Knot::Median, Knot::Ninetieth, Knot::Most];
}

/// Where the quantiles of [`Quantity::Quantiles`] lie, in parts per 1000.
const KNOTS: [u64; 5] = [0, 100, 500, 900, 1000];

impl Quantity {
    /// A fixed number of milliseconds.
    pub const fn ms(ms: i64) -> Quantity {
        Quantity::Fixed(Span::from_ms(ms))
    }

    /// Quantiles in milliseconds.
    pub const fn quantiles_ms(q: [i64; 5]) -> Quantity {
        Quantity::Quantiles([
            Span::from_ms(q[0]),
            Span::from_ms(q[1]),
            Span::from_ms(q[2]),
            Span::from_ms(q[3]),
            Span::from_ms(q[4]),
        ])
    }

    /// The value that belongs to a drawn word. Larger words give larger values.
    pub fn at(&self, word: u64) -> Span {
        match self {
            Quantity::Fixed(span) => *span,
            Quantity::Uniform(low, high) => between(*low, *high, word),
            Quantity::Quantiles(values) => {
                // The upper bits choose the segment, what is left of the draw the place in it.
                let place = below(word, 1_000_000_000);
                let segment =
                    KNOTS.iter().rposition(|k| k * 1_000_000 <= place).unwrap_or(0).min(3);
                let (from, to) = (KNOTS[segment] * 1_000_000, KNOTS[segment + 1] * 1_000_000);
                let (low, high) = (values[segment].0, values[segment + 1].0);
                let (width, part, of) = (high - low, (place - from) as i64, (to - from) as i64);
                // The same in 64 bits where it fits, which it does up to nine seconds.
                let step = match width.checked_mul(part) {
                    Some(product) => product / of,
                    None => (i128::from(width) * i128::from(part) / i128::from(of)) as i64,
                };
                Span(low + step)
            }
        }
    }

    /// The value at a column of the table; of a range the corresponding place.
    pub fn knot(&self, knot: Knot) -> Span {
        match (self, knot) {
            (Quantity::Quantiles(values), _) => values[knot as usize],
            (_, Knot::Least) => self.at(0),
            (_, Knot::Tenth) => self.at(u64::MAX / 10),
            (_, Knot::Median) => self.median(),
            (_, Knot::Ninetieth) => self.at(u64::MAX / 10 * 9),
            (_, Knot::Most) => self.at(u64::MAX),
        }
    }

    /// The middle: half of the draws are below it.
    pub fn median(&self) -> Span {
        self.at(1 << 63)
    }
}

/// −ln(1 − p) at p = 0, 1/16, …, 15/16, in millionths; beyond the last the tail is halved again and
/// again.
const QUANTILES: [i64; 16] = [
    0, 64_539, 133_531, 207_639, 287_682, 374_693, 470_004, 575_364, 693_147, 826_679, 980_829,
    1_163_151, 1_386_294, 1_673_976, 2_079_442, 2_772_589,
];

/// −ln of one sixteenth's last sixteenth: what one more round through the table adds.
const ROUND: i64 = 2_772_589;

/// The exponential waiting time with that mean that belongs to a drawn word; from a table, since
/// `ln` differs between platforms.
pub fn exponential(mean: Span, mut word: u64) -> Span {
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

fn between(low: Span, high: Span, word: u64) -> Span {
    let width = high.0.saturating_sub(low.0).max(0) as u64;
    Span(low.0 + below(word, width.saturating_add(1)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_met_and_grow() {
        let quantity = Quantity::quantiles_ms([10, 20, 30, 60, 100]);
        assert_eq!(quantity.at(0), Span::from_ms(10));
        assert_eq!(quantity.median(), Span::from_ms(30));
        assert!(quantity.at(u64::MAX) <= Span::from_ms(100));
        assert!(quantity.at(u64::MAX) > Span::from_ms(99));
        let mut last = Span::ZERO;
        for step in 0..1000u64 {
            let value = quantity.at(step * (u64::MAX / 1000));
            assert!(value >= last);
            last = value;
        }
    }

    #[test]
    fn knots_are_the_columns_of_the_table() {
        let knots = |quantity: &Quantity| Knot::ALL.map(|knot| quantity.knot(knot));
        let table = Quantity::quantiles_ms([10, 20, 30, 60, 100]);
        assert_eq!(knots(&table), [10, 20, 30, 60, 100].map(Span::from_ms));
        assert_eq!(table.knot(Knot::Median), table.median());
        assert_eq!(knots(&Quantity::ms(7)), [Span::from_ms(7); 5]);
        let range = Quantity::Uniform(Span(0), Span(10));
        assert_eq!(knots(&range), [Span(0), Span(1), Span(5), Span(9), Span(10)]);
    }

    #[test]
    fn uniform_includes_both_ends() {
        let quantity = Quantity::Uniform(Span(5), Span(7));
        assert_eq!(quantity.at(0), Span(5));
        assert_eq!(quantity.at(u64::MAX), Span(7));
        assert_eq!(Quantity::Uniform(Span(5), Span(5)).at(u64::MAX), Span(5));
    }
}
