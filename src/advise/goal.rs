//! Goals: a quantity, a comparison, a bound.

use crate::advise::key::{WHOLE, decimal};
use crate::advise::numbers::{NEVER, Numbers};
use crate::base::time::Span;
use crate::plan::range::rank;
use crate::scenario::problem::nearest;

/// The most goals of a question.
pub const MOST_GOALS: usize = 12;

/// What a goal is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Quantity {
    /// How long the update takes.
    Duration,
    /// Fewest replicas that serve while the good version is rolled out.
    Capacity,
    /// The same while a failing one is.
    CapacityIfBad,
    /// Replicas that a failing version reaches.
    BadImageExposure,
    /// Time until it is noticed.
    Detection,
    /// Time until all replicas serve again.
    Restore,
    /// How long its rollback takes.
    Rollback,
    /// Fewest replicas that serve from the moment it is noticed.
    CapacityInRollback,
    /// Requests without an answer.
    LostRequests,
    /// Tasks beyond those that are wanted, at the peak.
    Extra,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 10] = [
        Quantity::Duration,
        Quantity::Capacity,
        Quantity::CapacityIfBad,
        Quantity::BadImageExposure,
        Quantity::Detection,
        Quantity::Restore,
        Quantity::Rollback,
        Quantity::CapacityInRollback,
        Quantity::LostRequests,
        Quantity::Extra,
    ];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Quantity::Duration => "duration",
            Quantity::Capacity => "capacity",
            Quantity::CapacityIfBad => "capacity_if_bad",
            Quantity::BadImageExposure => "bad_image_exposure",
            Quantity::Detection => "detection",
            Quantity::Restore => "restore",
            Quantity::Rollback => "rollback",
            Quantity::CapacityInRollback => "capacity_in_rollback",
            Quantity::LostRequests => "lost_requests",
            Quantity::Extra => "extra",
        }
    }

    /// Whether it is a time, in nanoseconds.
    pub fn is_time(self) -> bool {
        matches!(
            self,
            Quantity::Duration | Quantity::Detection | Quantity::Restore | Quantity::Rollback
        )
    }

    /// Whether more is better.
    pub fn wants_much(self) -> bool {
        matches!(self, Quantity::Capacity | Quantity::CapacityIfBad | Quantity::CapacityInRollback)
    }

    /// Whether it is about versions that fail.
    pub fn is_of_failing(self) -> bool {
        match self {
            Quantity::CapacityIfBad
            | Quantity::BadImageExposure
            | Quantity::Detection
            | Quantity::Restore
            | Quantity::Rollback
            | Quantity::CapacityInRollback => true,
            Quantity::Duration | Quantity::Capacity | Quantity::LostRequests | Quantity::Extra => {
                false
            }
        }
    }

    /// Whether it depends on how a rollback goes.
    pub fn is_of_rollback(self) -> bool {
        matches!(
            self,
            Quantity::CapacityIfBad
                | Quantity::Restore
                | Quantity::Rollback
                | Quantity::CapacityInRollback
        )
    }
}

/// What a quantity is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// A time.
    Time(Span),
    /// A number.
    Count(i64),
    /// A share of the wanted replicas or, of lost requests, of all of them; in millionths.
    Share(u32),
}

/// A goal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goal {
    /// The service that it is for, if it names one.
    pub service: Option<String>,
    /// That service's place among those that are searched; see [`for_services`].
    pub of: usize,
    /// What it is about.
    pub quantity: Quantity,
    /// Whether the bound itself does not do.
    pub strict: bool,
    /// The bound.
    pub bound: Bound,
    /// As it was given, without spaces.
    pub text: String,
}

impl Goal {
    /// Reads a goal.
    ///
    /// ```
    /// use swarmsim::advise::goal::{Bound, Goal, Quantity};
    /// let goal = Goal::parse("capacity >= 75%").unwrap();
    /// assert_eq!((goal.quantity, goal.bound), (Quantity::Capacity, Bound::Share(750_000)));
    /// assert!(Goal::parse("durration<10m").unwrap_err().contains("did you mean duration?"));
    /// ```
    ///
    /// # Errors
    /// What is wrong with it, and a hint.
    pub fn parse(text: &str) -> Result<Goal, String> {
        let all: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (service, text) = match all.split_once(':') {
            Some((service, goal)) => (Some(service.to_string()), goal.to_string()),
            None => (None, all.clone()),
        };
        let Some(at) = text.find(['<', '>', '=']) else {
            let hint = "such as duration<10m, capacity>=75% or bad_image_exposure<=1";
            return Err(format!("a goal is NAME, a comparison and a bound, {hint}; {}", names()));
        };
        let (name, rest) = text.split_at(at);
        let known = Quantity::ALL.into_iter().find(|quantity| quantity.word() == name);
        let Some(quantity) = known else {
            let near = nearest(name, Quantity::ALL.map(Quantity::word));
            let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
            return Err(format!("there is no quantity {name}; {near}{}", names()));
        };
        let comparisons = if quantity.wants_much() { [">=", ">"] } else { ["<=", "<"] };
        let of = comparisons.into_iter().find_map(|sign| Some((sign, rest.strip_prefix(sign)?)));
        let Some((sign, bound)) = of else {
            let [wide, strict] = comparisons;
            let good = if quantity.wants_much() { "much" } else { "little" };
            return Err(format!("of {name} {good} is good: it is compared by {wide} or {strict}"));
        };
        let bound = read_bound(quantity, bound)?;
        Ok(Goal { service, of: 0, quantity, strict: sign.len() == 1, bound, text: all })
    }

    /// Reads goals.
    ///
    /// # Errors
    /// Every mistake, each with the goal that it is in.
    pub fn parse_all(texts: &[String], has_traffic: bool) -> Result<Vec<Goal>, Vec<String>> {
        let (mut goals, mut wrong) = (Vec::new(), Vec::new());
        for text in texts {
            match Goal::parse(text) {
                Ok(goal) if goal.quantity == Quantity::LostRequests && !has_traffic => {
                    let hint = "give `traffic` in the x-swarmsim block";
                    wrong.push(format!("{text}: nobody makes requests; {hint}"));
                }
                Ok(goal) if goals.contains(&goal) => wrong.push(format!("{text}: is there twice")),
                Ok(goal) => goals.push(goal),
                Err(why) => wrong.push(format!("{text}: {why}")),
            }
        }
        if goals.len() > MOST_GOALS {
            wrong.push(format!("{}: more than {MOST_GOALS} goals", goals.len()));
        }
        if wrong.is_empty() { Ok(goals) } else { Err(wrong) }
    }

    /// Whether a run meets it.
    pub fn is_met(&self, run: &Numbers) -> bool {
        let value = run.value(self.quantity);
        let (value, bound) = self.sides(value, run);
        match (self.quantity.wants_much(), self.strict) {
            (true, false) => value >= bound,
            (true, true) => value > bound,
            (false, false) => value <= bound,
            (false, true) => value < bound,
        }
    }

    /// A value and the bound on the same scale.
    fn sides(&self, value: i64, run: &Numbers) -> (i128, i128) {
        let scale = i128::from(WHOLE);
        match self.bound {
            // Longer than every bound, whatever it is a share of.
            _ if value == NEVER => (i128::MAX, i128::MAX - 1),
            Bound::Time(span) => (i128::from(value), i128::from(span.0)),
            Bound::Count(number) => (i128::from(value), i128::from(number)),
            Bound::Share(share) => {
                let whole = match self.quantity {
                    Quantity::LostRequests => run.requests,
                    _ => run.want,
                };
                (i128::from(value) * scale, i128::from(whole) * i128::from(share))
            }
        }
    }

    /// How many of these runs miss it.
    pub fn misses(&self, runs: &[Numbers]) -> usize {
        runs.iter().filter(|run| !self.is_met(run)).count()
    }

    /// Whether it holds in so many runs, as far as some of them are known: the worst end of their
    /// range meets it, so that fewer miss it than lie beyond that end. Once it does not hold it
    /// never will, however the others end.
    pub fn may_hold(&self, known: &[Numbers], runs: usize) -> bool {
        self.misses(known) < rank(runs)
    }

    /// How far the worst end is from the bound, in thousandths of the larger of them; nothing if
    /// it is met.
    pub fn excess(&self, known: &[Numbers], runs: usize) -> u64 {
        let missing = |run: &&Numbers| !self.is_met(run);
        let mut far: Vec<u64> = known.iter().filter(missing).map(|run| self.beyond(run)).collect();
        far.sort_unstable_by(|a, b| b.cmp(a));
        far.get(rank(runs) - 1).copied().unwrap_or(0)
    }

    fn beyond(&self, run: &Numbers) -> u64 {
        let value = run.value(self.quantity);
        if value == NEVER {
            return 1_000;
        }
        let (value, bound) = self.sides(value, run);
        let larger = value.max(bound).max(1);
        // A bound that is just met but must not be is a thousandth away.
        ((value - bound).abs() * 1_000 / larger).clamp(1, 999) as u64
    }
}

/// The goals of services that are searched together, those of the first goal first: a goal is for
/// the service that it names, or for each. Of several services each goal names its own.
///
/// ```
/// use swarmsim::advise::goal::{Goal, for_services};
/// let goals = ["duration<10m", "web:capacity>=3"].map(|goal| Goal::parse(goal).unwrap());
/// let all = for_services(&goals, &["vote", "web"]);
/// let texts: Vec<(usize, &str)> = all.iter().map(|goal| (goal.of, goal.text.as_str())).collect();
/// assert_eq!(texts, [(0, "vote:duration<10m"), (1, "web:duration<10m"), (1, "web:capacity>=3")]);
/// ```
pub fn for_services(goals: &[Goal], services: &[&str]) -> Vec<Goal> {
    let mut all = Vec::new();
    for goal in goals {
        for (of, service) in services.iter().enumerate() {
            if goal.service.as_ref().is_some_and(|named| named != service) {
                continue;
            }
            let text = match &goal.service {
                None if services.len() > 1 => format!("{service}:{}", goal.text),
                _ => goal.text.clone(),
            };
            all.push(Goal { of, text, ..goal.clone() });
        }
    }
    all
}

fn names() -> String {
    format!("the names are {}", Quantity::ALL.map(Quantity::word).join(", "))
}

fn read_bound(quantity: Quantity, text: &str) -> Result<Bound, String> {
    let name = quantity.word();
    if quantity.is_time() {
        let span = Span::parse_go(text).ok().filter(|span| *span > Span::ZERO);
        let wrong = || format!("{name} is a time, such as 90s or 10m, and `{text}` is none");
        return span.map(Bound::Time).ok_or_else(wrong);
    }
    if let Some(percent) = text.strip_suffix('%') {
        let share = decimal(percent).filter(|hundredths| *hundredths <= 1_000 * WHOLE);
        let wrong = || format!("`{text}` is no percentage from 0% to 1000%");
        return share.map(|share| Bound::Share(share / 100)).ok_or_else(wrong);
    }
    let number = text.parse::<u32>().map(|number| Bound::Count(i64::from(number)));
    number.map_err(|_| {
        format!("{name} is a whole number or a percentage, such as 3 or 75%, and `{text}` is none")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(quantity: Quantity, value: i64) -> Numbers {
        let mut numbers = Numbers::default();
        (numbers.want, numbers.requests) = (4, 1_000);
        numbers.set(quantity, value);
        numbers
    }

    fn met(goal: &str, value: i64) -> bool {
        let goal = Goal::parse(goal).unwrap();
        goal.is_met(&run(goal.quantity, value))
    }

    #[test]
    fn goals_are_met_up_to_their_bound() {
        let minute = 60_000_000_000;
        assert!(met("duration<=1m", minute) && !met("duration<1m", minute));
        assert!(met(" duration < 1m1s ", minute) && !met("duration<=1m", NEVER));
        assert!(met("capacity>=75%", 3) && !met("capacity>75%", 3) && !met("capacity>=75%", 2));
        assert!(met("capacity>=3", 3) && !met("capacity>3", 3));
        assert!(met("bad_image_exposure<=25%", 1) && !met("bad_image_exposure<=24.9%", 1));
        assert!(met("lost_requests<=0.1%", 1) && !met("lost_requests<0.1%", 1));
        assert!(met("extra<=0", 0) && !met("extra<=0", 1) && !met("restore<1h", NEVER));
        assert!(!met("bad_image_exposure<=1000%", NEVER));
    }

    #[test]
    fn every_mistake_is_told_with_the_names() {
        let texts = [
            "durration<10m",
            "duration",
            "duration>10m",
            "capacity<=1",
            "duration<10",
            "detection<-1s",
            "capacity>=x%",
            "extra<=1.5",
            "lost_requests<1",
            "extra<=2",
            "extra <= 2",
        ];
        let wrong = Goal::parse_all(&texts.map(str::to_string), false).unwrap_err();
        assert_eq!(wrong.len(), 10, "{wrong:#?}");
        let hint = "the names are duration, capacity, capacity_if_bad, bad_image_exposure, \
                    detection, restore, rollback, capacity_in_rollback, lost_requests, extra";
        assert_eq!(
            wrong[0],
            format!("durration<10m: there is no quantity durration; did you mean duration? {hint}")
        );
        assert!(wrong[1].ends_with(hint), "{}", wrong[1]);
        assert_eq!(wrong[2], "duration>10m: of duration little is good: it is compared by <= or <");
        assert!(wrong[8].contains("nobody makes requests") && wrong[9].contains("twice"));
    }

    /// Of 39 runs none may miss, of 79 one may; a miss among the first few already says so.
    #[test]
    fn a_goal_holds_if_the_worst_end_of_the_range_meets_it() {
        let goal = Goal::parse("extra<=1").unwrap();
        let runs = |values: &[i64]| -> Vec<Numbers> {
            values.iter().map(|value| run(Quantity::Extra, *value)).collect()
        };
        assert!(goal.may_hold(&runs(&[1; 39]), 39) && !goal.may_hold(&runs(&[1, 2]), 39));
        assert!(goal.may_hold(&runs(&[1, 2]), 79) && !goal.may_hold(&runs(&[2, 2]), 79));
        assert_eq!((goal.excess(&runs(&[1, 2]), 39), goal.excess(&runs(&[1, 2]), 79)), (500, 0));
        assert_eq!(goal.excess(&runs(&[NEVER]), 39), 1_000);
    }
}
