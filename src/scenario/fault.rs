//! Faults: what goes wrong, when, and for how long.
//!
//! A fault strikes at a moment of the run or, seeded, at a drawn one (role `Fault` of
//! [`crate::base::chance`], keyed by the fault's place in the scenario).

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::docker::behaviour::{CrashRate, Health};
use crate::swarmkit::task::Availability;

/// A fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Line in the file, counted from 1; 0 = it comes from no file.
    pub line: u32,
    /// When it strikes.
    pub when: When,
    /// What.
    pub what: What,
    /// After which it is over; absent = never. Only where [`What::can_end`].
    pub lasts: Option<Span>,
}

/// When a fault strikes. Times count from the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Then.
    At(Span),
    /// At a drawn moment, all of them equally likely; the second is not before the first.
    Between(Span, Span),
}

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The node loses power: engine and containers are gone. Its end is the node's return.
    NodeCrash(Choice),
    /// The node's engine is started again.
    NodeReturn(Choice),
    /// The manager and the node do not hear each other; its containers go on.
    NodePartition(Choice),
    /// An operator changes the node's availability. Its end is `active`.
    NodeAvailability(Choice, Availability),
    /// The process of a task ends, if there is one.
    Kill {
        /// Of which service.
        service: String,
        /// In which slot; absent = a drawn one of those that run.
        slot: Option<u32>,
        /// How.
        death: Death,
    },
    /// Tasks crash at random.
    CrashRate(Software, CrashRate),
    /// Probes of the image are answered otherwise, in containers that run and in new ones.
    Health(String, Health),
    /// Pulls of the image take that long or fail, wherever it is not present.
    Pull(String, Pull),
    /// The image is deleted from every node and from the registry; running containers are not
    /// affected.
    ImageRemoved(String),
    /// Every pull fails.
    RegistryDown,
    /// Another manager becomes leader (or the same one anew).
    LeaderChange,
}

/// A node, or one drawn by the seed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Choice {
    /// This one.
    Named(String),
    /// A drawn one of those that are up (of those that are down, for a return).
    Any,
}

/// How a process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Death {
    /// By a signal from outside; its exit code is 128 and the signal.
    Signal(u8),
    /// By itself with this exit code.
    Exit(u8),
}

/// Whose tasks are meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Software {
    /// Those of an image, by its [`image_key`](crate::scenario::model::image_key).
    Image(String),
    /// Those of a service.
    Service(String),
}

/// What becomes of pulls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pull {
    /// They take that long.
    Takes(Quantity),
    /// They fail.
    Fails,
}

impl What {
    /// Whether it is a state that can end, rather than a blow.
    pub fn can_end(&self) -> bool {
        match self {
            What::NodeCrash(_)
            | What::NodePartition(_)
            | What::NodeAvailability(..)
            | What::CrashRate(..)
            | What::Health(..)
            | What::Pull(..)
            | What::ImageRemoved(_)
            | What::RegistryDown => true,
            What::NodeReturn(_) | What::Kill { .. } | What::LeaderChange => false,
        }
    }
}
