//! The values that are tried where nobody names them: the file's own, and sensible steps around
//! them. `docs/advise.md` says where each comes from.

use crate::advise::grid::Axis;
use crate::advise::key::{Key, Value, WHOLE, whole_seconds};
use crate::base::time::{SECOND, Span};
use crate::docker::behaviour::Image;
use crate::docker::health::merged;
use crate::swarmkit::defaults::{MONITOR, UPDATE_CONFIG, health};
use crate::swarmkit::spec::{FailureAction, HealthConfig, ServiceSpec, UpdateOrder};

/// Delays that are always tried: none, which is Swarm's default, and the ten seconds of Docker's
/// own examples (`docker service create --update-delay`).
const DELAYS: [Span; 2] = [Span::ZERO, Span::from_secs(10)];

/// From the verdict to what comes of it: the kill after ten seconds, and some; as in rule L06 of
/// `check`.
const MARGIN: Span = Span::from_secs(15);

/// What the settings are those of.
#[derive(Clone, Copy, Debug)]
pub struct Today<'t> {
    /// The service.
    pub spec: &'t ServiceSpec,
    /// How the software in its image behaves.
    pub image: &'t Image,
    /// Its replicas.
    pub slots: u64,
    /// How long a version serves that turns sick, if such a one counts.
    pub sick_after: Option<Span>,
    /// Whether a rollback may come about: else how it goes has no meaning.
    pub rolls_back: bool,
}

impl Today<'_> {
    /// The health check with the image's and the engine's defaults put in; absent if there is none.
    pub fn healthcheck(&self) -> Option<HealthConfig> {
        let own = self.spec.task.container.healthcheck.as_ref();
        merged(own, self.image.healthcheck.as_ref())
    }

    /// What holds today, defaults filled in; absent where the key has no meaning.
    pub fn own(&self, key: Key) -> Option<Value> {
        if key.is_rollback() && !self.rolls_back {
            return None;
        }
        let config = if key.is_rollback() { self.spec.rollback } else { self.spec.update };
        let update = config.unwrap_or(UPDATE_CONFIG);
        if !key.is_health() {
            return Some(match key {
                Key::Delay | Key::RollbackDelay => Value::Time(update.delay),
                Key::Monitor | Key::RollbackMonitor => {
                    Value::Time(update.monitor.unwrap_or(MONITOR))
                }
                Key::Order | Key::RollbackOrder => Value::Order(update.order),
                Key::FailureAction | Key::RollbackFailureAction => {
                    Value::Action(update.failure_action)
                }
                Key::MaxFailureRatio => Value::Share(ratio(update.max_failure_ratio.0)),
                _ => Value::Count(update.parallelism),
            });
        }
        let health = self.healthcheck()?;
        Some(match key {
            Key::Interval => Value::Time(health.interval),
            Key::Timeout => Value::Time(health.timeout),
            Key::StartPeriod => Value::Time(health.start_period),
            _ => Value::Count(health.retries.max(0) as u64),
        })
    }

    /// Values around the own one.
    fn steps(&self, key: Key) -> Vec<Value> {
        let health = self.healthcheck();
        match key {
            Key::Parallelism => {
                let parts = [1, 2, self.slots.div_ceil(4), self.slots.div_ceil(2), 0];
                parts.map(Value::Count).into()
            }
            Key::Delay => DELAYS.into_iter().chain(self.seen()).map(Value::Time).collect(),
            Key::Monitor => [MONITOR].into_iter().chain(self.seen()).map(Value::Time).collect(),
            Key::Order | Key::RollbackOrder => {
                [UpdateOrder::StopFirst, UpdateOrder::StartFirst].map(Value::Order).into()
            }
            Key::FailureAction => {
                [FailureAction::Pause, FailureAction::Rollback].map(Value::Action).into()
            }
            Key::MaxFailureRatio => {
                // One failure is forgiven where the good version fails at times, too.
                let one = WHOLE.div_ceil(self.slots.clamp(1, 1_000) as u32);
                let one = self.image.crash_rate.is_some().then_some(one.div_ceil(10_000) * 10_000);
                [Some(0), one].into_iter().flatten().map(Value::Share).collect()
            }
            Key::Interval => health.map_or(Vec::new(), |check| {
                [half(check.interval), health::START_INTERVAL].map(Value::Time).into()
            }),
            Key::Timeout => {
                health.map_or(Vec::new(), |check| vec![Value::Time(half(check.timeout))])
            }
            Key::Retries => [2, health::RETRIES as u64].map(Value::Count).into(),
            Key::StartPeriod => {
                let boot = Span(self.image.serves_after.0 / 2 * 3);
                [Span::ZERO, rounded(boot, 5)].map(Value::Time).into()
            }
            Key::RollbackParallelism => [1, self.slots.div_ceil(2), 0].map(Value::Count).into(),
            // Nobody has to be kept from the version before: there is nothing to wait for.
            Key::RollbackDelay => vec![Value::Time(Span::ZERO)],
            Key::RollbackMonitor => vec![Value::Time(MONITOR)],
            Key::RollbackFailureAction => {
                [FailureAction::Pause, FailureAction::Continue].map(Value::Action).into()
            }
        }
    }

    /// As long as the health check takes to call a running task unhealthy, and that long after a
    /// version that turns sick has done so. Whoever waits so long between two slots has seen it
    /// before the next one is touched, and whoever monitors so long notices at all.
    fn seen(&self) -> Vec<Span> {
        let Some(check) = self.healthcheck() else { return Vec::new() };
        let seen = check.interval.times(check.retries + 1).plus(check.timeout).plus(MARGIN);
        let all = [Some(seen), self.sick_after.map(|after| after.plus(seen))];
        all.into_iter().flatten().map(|span| rounded(span, 10)).collect()
    }

    /// The axis of a key with the values that are named, or else with the usual steps; absent if
    /// the key has no meaning here.
    pub fn axis(&self, key: Key, named: Option<&[Value]>) -> Option<Axis> {
        let own = self.own(key)?;
        let values = named.map_or_else(|| self.steps(key), <[Value]>::to_vec);
        let same = |a: Value, b: Value| a.distance(b, self.slots.max(1)) == 0;
        let at_most_all = |value: Value| match (key, value) {
            (Key::Parallelism | Key::RollbackParallelism, Value::Count(number))
                if number >= self.slots =>
            {
                Value::Count(0)
            }
            (_, value) => value,
        };
        let mut others: Vec<Value> = Vec::new();
        for value in
            values.into_iter().map(|value| if named.is_some() { value } else { at_most_all(value) })
        {
            let known = same(value, at_most_all(own)) || others.iter().any(|of| same(*of, value));
            if !known {
                others.push(value);
            }
        }
        Some(Axis { service: 0, key, own, others })
    }
}

/// A 32-bit float of a spec in millionths.
fn ratio(ratio: f32) -> u32 {
    (f64::from(ratio) * f64::from(WHOLE)).round().clamp(0.0, f64::from(u32::MAX)) as u32
}

fn half(span: Span) -> Span {
    if span.0 >= 2 * SECOND { whole_seconds(Span(span.0 / 2)) } else { span }
}

/// Rounded up to a multiple of so many seconds.
fn rounded(span: Span, seconds: i64) -> Span {
    let unit = seconds * SECOND;
    Span((span.0.max(0) + unit - 1) / unit * unit)
}

#[cfg(test)]
mod tests;
