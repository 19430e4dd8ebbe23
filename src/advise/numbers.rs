//! The numbers of one setting with one seed: of the run of the good version and of one run for
//! each way to fail.

use crate::advise::goal::Quantity;
use crate::base::time::Span;
use crate::plan::mode::Mode;
use crate::plan::range::Range;
use crate::plan::watch::ServiceSeen;
use crate::swarmkit::task::UpdateState;

/// The value of what did not come to an end while the runs looked on.
pub const NEVER: i64 = i64::MAX;

/// The numbers of a service in all cases with one seed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Numbers {
    /// Whether the good version was rolled out, with all replicas serving in the end.
    pub is_rolled_out: bool,
    /// Replicas that are wanted.
    pub want: i64,
    /// Requests made while the good version was rolled out.
    pub requests: i64,
    /// The failing versions that were tried, each with its numbers.
    pub failing: Vec<OfMode>,
    values: [i64; Quantity::ALL.len()],
}

/// What one failing version did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OfMode {
    /// How it fails.
    pub mode: Mode,
    /// Fewest serving replicas.
    pub least: i64,
    /// Replicas that it reached.
    pub reached: i64,
    /// When it was noticed.
    pub detected: i64,
    /// From when on all replicas served.
    pub whole_after: i64,
    /// From when it was noticed until its rollback was complete.
    pub rollback: i64,
    /// Fewest serving replicas from when it was noticed; of one that never was, throughout.
    pub least_then: i64,
}

impl OfMode {
    /// The numbers of a run with a failing version. One that was only slow, and in the end serves
    /// everywhere, is not bad: there is nothing to notice.
    fn of(mode: Mode, seen: &ServiceSeen) -> OfMode {
        let completed = seen.update == Some(UpdateState::Completed);
        let came_up = matches!(mode, Mode::SlowStart(_)) && completed && seen.whole_after.is_some();
        let (reached, detected) = match seen.detected {
            _ if came_up => (0, 0),
            Some(at) => (seen.reached as i64, at.0),
            None => (seen.reached as i64, NEVER),
        };
        let whole_after = seen.whole_after.map_or(NEVER, |at| at.0);
        let rolled_back = seen.update == Some(UpdateState::RollbackCompleted);
        let rollback = match (seen.detected, seen.took) {
            _ if came_up => 0,
            (Some(from), Some(to)) if rolled_back => (to.0 - from.0).max(0),
            _ => NEVER,
        };
        let least_then = seen.detected.map_or(seen.least, |from| least_from(seen, from)) as i64;
        let least = seen.least as i64;
        OfMode { mode, least, reached, detected, whole_after, rollback, least_then }
    }

    /// Its part in a quantity of failing versions.
    pub fn value(&self, quantity: Quantity) -> i64 {
        match quantity {
            Quantity::CapacityIfBad => self.least,
            Quantity::Detection => self.detected,
            Quantity::Restore => self.whole_after,
            Quantity::Rollback => self.rollback,
            Quantity::CapacityInRollback => self.least_then,
            _ => self.reached,
        }
    }
}

impl Numbers {
    /// The numbers of a seed; `steady` tasks are there anyway. A version that failed in a run
    /// without being deployed has no numbers, and counts as never noticed.
    pub fn of(good: &ServiceSeen, bad: &[(Mode, Option<ServiceSeen>)], steady: i64) -> Numbers {
        let none = ServiceSeen::default();
        let failing: Vec<OfMode> = bad
            .iter()
            .map(|(mode, seen)| OfMode::of(*mode, seen.as_ref().unwrap_or(&none)))
            .collect();
        let completed = good.update == Some(UpdateState::Completed);
        let mut numbers = Numbers {
            is_rolled_out: completed && good.whole_after.is_some(),
            want: good.want as i64,
            requests: good.requests as i64,
            failing,
            values: [0; Quantity::ALL.len()],
        };
        let took = good.took.filter(|_| completed).map_or(NEVER, |took| took.0);
        numbers.set(Quantity::Duration, took);
        numbers.set(Quantity::Capacity, good.least as i64);
        numbers.set(Quantity::LostRequests, good.lost as i64);
        numbers.set(Quantity::Extra, (good.most_tasks as i64 - steady).max(0));
        for quantity in Quantity::ALL.into_iter().filter(|quantity| quantity.is_of_failing()) {
            let all = numbers.failing.iter().map(|of| of.value(quantity));
            let worst = if quantity.wants_much() { all.min() } else { all.max() };
            numbers.set(quantity, worst.unwrap_or(0));
        }
        numbers
    }

    /// The number of a quantity; of failing versions the worst.
    pub fn value(&self, quantity: Quantity) -> i64 {
        self.values[quantity as usize]
    }

    /// Sets the number of a quantity.
    pub fn set(&mut self, quantity: Quantity, value: i64) {
        self.values[quantity as usize] = value;
    }
}

/// The fewest that served at a moment or later.
fn least_from(seen: &ServiceSeen, moment: Span) -> u64 {
    let before = seen.serving.iter().rev().find(|(from, _)| *from <= moment);
    let later = seen.serving.iter().filter(|(from, _)| *from > moment);
    before.into_iter().chain(later).map(|(_, serving)| *serving).min().unwrap_or(seen.least)
}

/// The median of a quantity of services together: of times the longest, of numbers the sum.
pub fn together(runs: &[Vec<Numbers>], quantity: Quantity) -> i64 {
    let medians = runs.iter().map(|runs| range(runs, quantity).map_or(NEVER, |of| of.median));
    if quantity.is_time() {
        medians.max().unwrap_or(NEVER)
    } else {
        medians.fold(0, i64::saturating_add)
    }
}

/// The range of a quantity over runs.
pub fn range(runs: &[Numbers], quantity: Quantity) -> Option<Range> {
    Range::of(runs.iter().map(|run| run.value(quantity)).collect())
}

/// The worst end of the range of a quantity.
pub fn worst(runs: &[Numbers], quantity: Quantity) -> i64 {
    let range = range(runs, quantity);
    range.map_or(NEVER, |range| if quantity.wants_much() { range.low } else { range.high })
}

/// The way to fail to which a quantity of failing versions owes its worst value, the first of them;
/// none if all are alike.
pub fn culprit(runs: &[Numbers], quantity: Quantity) -> Option<Mode> {
    let all = runs.iter().flat_map(|run| &run.failing);
    let key = |of: &&OfMode| {
        let value = of.value(quantity);
        if quantity.wants_much() { value.saturating_neg() } else { value }
    };
    let most = all.clone().map(|of| key(&of)).max()?;
    if all.clone().all(|of| key(&of) == most) {
        return None;
    }
    all.into_iter().find(|of| key(of) == most).map(|of| of.mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(update: UpdateState, seconds: i64) -> ServiceSeen {
        let span = Some(Span::from_secs(seconds));
        ServiceSeen {
            want: 3,
            least: 2,
            update: Some(update),
            took: span,
            whole_after: span,
            reached: 1,
            most_tasks: 4,
            ..ServiceSeen::default()
        }
    }

    #[test]
    fn of_failing_versions_the_worst_counts() {
        let good = seen(UpdateState::Completed, 60);
        let caught = ServiceSeen {
            detected: Some(Span::from_secs(5)),
            ..seen(UpdateState::RollbackCompleted, 20)
        };
        let stays = ServiceSeen { reached: 3, least: 0, ..seen(UpdateState::Completed, 0) };
        let stays = ServiceSeen { whole_after: None, ..stays };
        let sick = Mode::SickAfter(Span::from_secs(60));
        let slow = Mode::SlowStart(Span::from_secs(60));
        let bad = [(Mode::NeverHealthy, Some(caught.clone())), (sick, Some(stays))];
        let numbers = Numbers::of(&good, &bad, 3);
        let values = Quantity::ALL.map(|quantity| numbers.value(quantity));
        assert_eq!(values, [60_000_000_000, 2, 0, 3, NEVER, NEVER, NEVER, 0, 0, 1]);
        assert!(numbers.is_rolled_out);
        let culprits = [Quantity::Detection, Quantity::CapacityIfBad]
            .map(|quantity| culprit(std::slice::from_ref(&numbers), quantity));
        assert_eq!(culprits, [Some(sick), Some(sick)]);
        // A slow version that comes up is none that anybody has to notice.
        let came_up = Some(seen(UpdateState::Completed, 90));
        let numbers = Numbers::of(&good, &[(slow, came_up)], 3);
        assert_eq!(numbers.value(Quantity::BadImageExposure), 0);
        assert_eq!(numbers.value(Quantity::Detection), 0);
        assert_eq!(numbers.value(Quantity::Restore), 90_000_000_000);
        // One that was never deployed was never noticed.
        let numbers = Numbers::of(&caught, &[(slow, None)], 3);
        assert_eq!(numbers.value(Quantity::Detection), NEVER);
        assert!(!numbers.is_rolled_out && numbers.value(Quantity::Duration) == NEVER);
    }
    /// From the verdict on: the rollback's time, and what serves meanwhile.
    #[test]
    fn a_rollback_is_looked_at_from_when_it_begins() {
        let seconds = Span::from_secs;
        let serving = vec![(seconds(0), 3), (seconds(3), 1), (seconds(8), 2), (seconds(15), 3)];
        let rolled_back = ServiceSeen {
            least: 1,
            serving,
            detected: Some(seconds(9)),
            ..seen(UpdateState::RollbackCompleted, 20)
        };
        let of = |seen: &ServiceSeen| OfMode::of(Mode::NeverHealthy, seen);
        let numbers = of(&rolled_back);
        assert_eq!((numbers.rollback, numbers.least_then), (11_000_000_000, 2));
        assert_eq!(numbers.value(Quantity::CapacityIfBad), 1);
        let earlier = ServiceSeen { detected: Some(seconds(5)), ..rolled_back.clone() };
        assert_eq!(of(&earlier).least_then, 1);
        let paused = ServiceSeen { update: Some(UpdateState::Paused), ..rolled_back.clone() };
        assert_eq!((of(&paused).rollback, of(&paused).least_then), (NEVER, 2));
        let unseen = ServiceSeen { detected: None, ..rolled_back };
        assert_eq!((of(&unseen).rollback, of(&unseen).least_then), (NEVER, 1));
    }

    #[test]
    fn of_services_together_times_are_the_longest_and_numbers_add_up() {
        let of = |duration: i64, extra: i64| {
            let mut numbers = Numbers::default();
            numbers.set(Quantity::Duration, duration);
            numbers.set(Quantity::Extra, extra);
            vec![numbers; 3]
        };
        let runs = [of(5, 1), of(7, 2)];
        assert_eq!(together(&runs, Quantity::Duration), 7);
        assert_eq!(together(&runs, Quantity::Extra), 3);
        assert_eq!(together(&[of(5, 1), of(NEVER, 2)], Quantity::Duration), NEVER);
    }
}
