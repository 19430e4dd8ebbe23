//! Swarm's words in JSON: a word that is not one of the closed set is an error that lists the set.

use serde::de::{Deserialize, Deserializer, Error};

use crate::base::time::SimTime;
use crate::swarmkit::spec::{FailureAction, RestartCondition, UpdateOrder};
use crate::swarmkit::task::{Availability, NodeState, TaskState, UpdateState};

/// A closed set of words.
pub(super) trait Word: Copy {
    /// Read from its word.
    fn from_word(word: &str) -> Option<Self>;
    /// All words, for the error message.
    fn all() -> Vec<&'static str>;
}

/// For `#[serde(deserialize_with)]` on a mandatory field.
pub(super) fn word<'de, D: Deserializer<'de>, T: Word>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    T::from_word(&text).ok_or_else(|| {
        D::Error::custom(format!("unknown word `{text}`, expected one of {}", T::all().join(", ")))
    })
}

/// For `#[serde(default, deserialize_with)]` on a field that may be absent.
pub(super) fn word_opt<'de, D: Deserializer<'de>, T: Word>(from: D) -> Result<Option<T>, D::Error> {
    word(from).map(Some)
}

/// For a moment: nanoseconds since the start, not negative.
pub(super) fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<SimTime, D::Error> {
    u64::deserialize(from).map(SimTime)
}

macro_rules! words {
    ($($name:ident: $from:path, $all:expr;)*) => {$(
        impl Word for $name {
            fn from_word(word: &str) -> Option<Self> {
                $from(word)
            }
            fn all() -> Vec<&'static str> {
                $all
            }
        }
    )*};
}

words! {
    FailureAction: FailureAction::from_word, FailureAction::WORDS.to_vec();
    UpdateOrder: UpdateOrder::from_word, UpdateOrder::WORDS.to_vec();
    RestartCondition: RestartCondition::from_word, RestartCondition::WORDS.to_vec();
    TaskState: TaskState::from_word, TaskState::ALL.map(TaskState::word).to_vec();
    Availability: Availability::from_word, vec!["active", "pause", "drain"];
    NodeState: NodeState::from_word, vec!["unknown", "down", "ready", "disconnected"];
}

/// `none` or an update state.
#[derive(Clone, Copy)]
pub(super) struct UpdateStatusWord(pub(super) Option<UpdateState>);

impl Word for UpdateStatusWord {
    fn from_word(word: &str) -> Option<Self> {
        if word == "none" {
            return Some(UpdateStatusWord(None));
        }
        UpdateState::from_word(word).map(|state| UpdateStatusWord(Some(state)))
    }
    fn all() -> Vec<&'static str> {
        std::iter::once("none").chain(UpdateState::ALL.map(UpdateState::word)).collect()
    }
}
