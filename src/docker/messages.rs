//! What goes into a controller and what comes out; the contract is told in
//! [`crate::docker::controller`].

use std::sync::Arc;

use crate::base::chance::Key;
use crate::base::time::{SimTime, Span};
use crate::docker::behaviour::{Engine, Health, Image, Latencies};
use crate::docker::container::Signal;
use crate::docker::health::{ProbeResult, Probing};
use crate::docker::timers::Timer;
use crate::swarmkit::agent::exec::{OpResult, Operation};

/// What the containers of one version of a service have in common on nodes of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// Image reference as stored.
    pub image_name: Arc<str>,
    /// The same as scenarios and faults speak of it.
    pub image_key: Arc<str>,
    /// What the image does.
    pub image: Arc<Image>,
    /// The program to start, for the text of its absence.
    pub program: Arc<str>,
    /// [`health::effective`](crate::docker::health::effective) of service and image.
    pub probing: Option<Probing>,
    /// [`container::stop_grace`](crate::docker::container::stop_grace) of the service.
    pub grace: Span,
    /// Whether the task has a network other than the default bridge: an overlay network or a
    /// published ingress port (semantics 13.5).
    pub has_service_binding: bool,
    /// Which engine the node runs.
    pub engine: Engine,
    /// How long things take with this image on such a node.
    pub latencies: Latencies,
    /// The service's key.
    pub key: Key,
    /// `Timing::gossip_converge_delay`.
    pub gossip_converge_delay: Span,
    /// Whether probes that change nothing are wanted too.
    pub list_probes: bool,
}

/// Whether the image can be had on the task's node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Supply {
    /// It is there.
    Present,
    /// A registry has it.
    Download,
    /// Nobody has it.
    Missing,
    /// It is not there, and the registry does not answer in time (Q49).
    TimedOut,
}

/// What a controller is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// Begin an operation. Ignored while another is in progress.
    Begin {
        /// Which.
        operation: Operation,
        /// For Start: added to the drawn latency, for other containers being started on the node.
        congestion: Span,
    },
    /// Cancel the operation in progress; its result follows, at once or later.
    Cancel,
    /// A timer is due.
    Timer(Timer),
    /// A signal from outside.
    Signal(Signal),
    /// Its process leaves by itself, with this code.
    Exit(i32),
    /// The node lost power.
    NodeCrashed,
    /// The software answers its probes differently from now on.
    BehaviourChanged(Arc<Health>),
    /// The image can be had otherwise from now on. A pull that has ended is not repeated.
    PullOutcomeChanged(Supply),
}

/// What a controller asks for and tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Say [`Input::Timer`] with this timer.
    At {
        /// From now.
        after: Span,
        /// Which.
        timer: Timer,
        /// Whether it keeps a run going.
        foreground: bool,
    },
    /// A foreground timer that was asked for will be dropped.
    Abandon(Timer),
    /// The operation has ended.
    Done(OpResult),
    /// Something became true.
    Fact(Fact),
}

/// What became true of a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Its image has been downloaded to the node.
    Pulled,
    /// It exists.
    Created,
    /// Its process runs.
    Started,
    /// A signal was sent to it.
    Signalled(Signal),
    /// Its process ended with this code.
    Died(i32),
    /// It was deleted.
    Removed,
    /// A probe ended.
    Probe {
        /// When it was started.
        started: SimTime,
        /// How it ended.
        result: ProbeResult,
        /// Failures in a row that count, this one included.
        streak: u32,
    },
    /// It turned healthy.
    Healthy,
    /// It turned unhealthy.
    Unhealthy,
    /// It joined the load balancer of its node.
    Activated,
    /// It gets no new connections there any more.
    Deactivated,
    /// It is gone from there.
    Gone,
}
