//! How the software in an image behaves, in the words of the recordings' format.
//!
//! Times count from the start of the process. Plain data; [`crate::docker::container`] acts on it.

use std::collections::BTreeMap;

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::swarmkit::spec::HealthConfig;

/// An image: what its process does, and how long things take with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Where it can be had.
    pub present: Presence,
    /// The image's own HEALTHCHECK.
    pub healthcheck: Option<HealthConfig>,
    /// Probes fail, and requests are refused, until this long after the start.
    pub serves_after: Span,
    /// Answer of a probe once serving.
    pub health: Health,
    /// Leaving by itself.
    pub exit: Option<Exit>,
    /// Reaction to the stop signal.
    pub sigterm: Sigterm,
    /// Whether the program to start exists.
    pub command: Command,
    /// If given, the failing part (`exit`, `health`) applies to tasks of these slots only.
    pub only_slots: Option<Vec<u32>>,
    /// Crashes at random: expected crashes per hour of running, in millionths.
    pub crash_rate: Option<CrashRate>,
    /// Latencies that differ from the node's.
    pub latency: LatencyChanges,
}

impl Default for Image {
    fn default() -> Self {
        Image {
            present: Presence::Everywhere,
            healthcheck: None,
            serves_after: Span::ZERO,
            health: Health::Ok,
            exit: None,
            sigterm: Sigterm::Exits { after: Span::ZERO, code: 0 },
            command: Command::Ok,
            only_slots: None,
            crash_rate: None,
            latency: LatencyChanges::default(),
        }
    }
}

/// Where an image can be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Presence {
    /// On every node, or a registry has it.
    Everywhere,
    /// Nowhere.
    Nowhere,
    /// By node name; nodes not named have it not.
    Nodes(BTreeMap<String, bool>),
}

/// Answer of a probe once serving.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// Good.
    Ok,
    /// Bad.
    Fail,
    /// None: runs into the timeout.
    Hang,
    /// Good until then, bad afterwards.
    OkUntil(Span),
    /// One answer per probe, `true` = good, repeated for ever. Never empty.
    Pattern(Vec<bool>),
}

/// Leaving by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// After the start.
    pub after: Span,
    /// With this code.
    pub code: i32,
}

/// Reaction to the stop signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sigterm {
    /// Leaves that long after it with this code.
    Exits {
        /// After the signal.
        after: Span,
        /// With this code.
        code: i32,
    },
    /// None: only the kill ends it, with code 137.
    Ignored,
}

/// Whether the program to start exists in the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// It does.
    Ok,
    /// The start fails.
    NotFound,
}

/// A process that crashes at random.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrashRate {
    /// Mean time between crashes of one task.
    pub mean: Span,
    /// Exit code of a crash.
    pub code: i32,
}

/// How long things take on a node. Measured defaults: [`Latencies::measured`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Latencies {
    /// Assignment received → the agent's first step.
    pub accept: Quantity,
    /// Pull attempt and creation of the container: preparing → ready, for an image that is present.
    pub prepare: Quantity,
    /// Download of an image that is not present; added to `prepare` on its first use on a node.
    pub pull: Quantity,
    /// Starting → container start, alone on its node.
    pub start: Quantity,
    /// Added to `start` for each other container being started on the node at that moment.
    pub start_each_other: Quantity,
    /// Stop signal → exit, beyond what the image itself waits; also kill → exit.
    pub stop: Quantity,
    /// Exit → the node's report of it.
    pub cleanup: Quantity,
    /// End of the agent's retry second → stop signal.
    pub signal: Quantity,
    /// Unhealthy → stop signal.
    pub unhealthy_signal: Quantity,
    /// One probe that answers.
    pub probe: Quantity,
}

/// Latencies of one image or node that differ from the general ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LatencyChanges {
    /// See [`Latencies::accept`].
    pub accept: Option<Quantity>,
    /// See [`Latencies::prepare`].
    pub prepare: Option<Quantity>,
    /// See [`Latencies::pull`].
    pub pull: Option<Quantity>,
    /// See [`Latencies::start`].
    pub start: Option<Quantity>,
    /// See [`Latencies::start_each_other`].
    pub start_each_other: Option<Quantity>,
    /// See [`Latencies::stop`].
    pub stop: Option<Quantity>,
    /// See [`Latencies::cleanup`].
    pub cleanup: Option<Quantity>,
    /// See [`Latencies::signal`].
    pub signal: Option<Quantity>,
    /// See [`Latencies::unhealthy_signal`].
    pub unhealthy_signal: Option<Quantity>,
    /// See [`Latencies::probe`].
    pub probe: Option<Quantity>,
}

/// Which engine the nodes run, where versions differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Engine {
    /// Docker Engine 20.10.9: behaves as 20.10 but for the final watch of an update, which is no
    /// longer than the monitor period. So did every engine before it; see [`Engine::watches_late`].
    V20_10_9,
    /// Docker Engine 20.10, as recorded.
    V20_10,
    /// Docker Engine 28, as recorded.
    V28,
    /// The newest, 29.7: behaves as 28 but for the text of a missing image.
    #[default]
    V29,
}

impl Engine {
    /// Whether it is of the line 20.10, of which one version was recorded.
    pub fn is_20_10(self) -> bool {
        self <= Engine::V20_10
    }

    /// Whether the final watch of an update is longer than the delay. Source: the release notes of
    /// 20.10.10 of 2021-10-25 (moby/moby#42875, which brought moby/swarmkit#3003); all lines since
    /// have it.
    pub fn watches_late(self) -> bool {
        self >= Engine::V20_10
    }
}

impl Latencies {
    /// Measured values (minimum, 10 %, median, 90 %, maximum) of the recordings' calibration
    /// tables.
    pub fn measured(engine: Engine) -> Latencies {
        let old = engine.is_20_10();
        let q = Quantity::quantiles_ms;
        Latencies {
            // assigned → preparing (node time), less the 100 ms of the assignment batch
            accept: q(if old { [2, 3, 6, 15, 112] } else { [2, 3, 5, 8, 60] }),
            // preparing → ready
            prepare: q(if old { [11, 14, 28, 52, 102] } else { [12, 14, 23, 31, 54] }),
            pull: Quantity::Fixed(Span::ZERO),
            // starting → container start, one task
            start: q(if old { [153, 181, 215, 279, 442] } else { [118, 133, 158, 190, 347] }),
            // the same table: growth of the median per task started together
            start_each_other: Quantity::ms(if old { 125 } else { 43 }),
            // SIGTERM → container exit, image exits at once
            stop: q(if old { [18, 20, 27, 50, 113] } else { [71, 89, 108, 151, 290] }),
            // container exit → shutdown or failed (node time)
            cleanup: q(if old { [38, 46, 56, 100, 122] } else { [0, 0, 0, 0, 6] }),
            // shutdown seen by the node → SIGTERM sent, less the retry second
            signal: q(if old { [9, 11, 15, 27, 120] } else { [10, 12, 15, 23, 79] }),
            // unhealthy event → SIGTERM sent
            unhealthy_signal: q(if old { [8, 9, 12, 22, 23] } else { [9, 9, 11, 17, 24] }),
            // probe duration
            probe: q(if old { [27, 42, 53, 75, 137] } else { [39, 46, 59, 79, 159] }),
        }
    }
}

impl Latencies {
    /// These latencies, but for those that `changes` gives.
    #[must_use]
    pub fn changed_by(mut self, changes: &LatencyChanges) -> Latencies {
        let pairs = [
            (&mut self.accept, &changes.accept),
            (&mut self.prepare, &changes.prepare),
            (&mut self.pull, &changes.pull),
            (&mut self.start, &changes.start),
            (&mut self.start_each_other, &changes.start_each_other),
            (&mut self.stop, &changes.stop),
            (&mut self.cleanup, &changes.cleanup),
            (&mut self.signal, &changes.signal),
            (&mut self.unhealthy_signal, &changes.unhealthy_signal),
            (&mut self.probe, &changes.probe),
        ];
        for (latency, change) in pairs {
            if let Some(change) = change {
                latency.clone_from(change);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_differ_by_line_and_by_their_final_watch() {
        let engines = [Engine::V20_10_9, Engine::V20_10, Engine::V28, Engine::V29];
        assert_eq!(engines.map(Engine::is_20_10), [true, true, false, false]);
        assert_eq!(engines.map(Engine::watches_late), [false, true, true, true]);
    }
}
