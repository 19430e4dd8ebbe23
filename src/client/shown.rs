//! What a row of the progress display shows: frequent rows as what they say, others as text.
//!
//! Source: cli surface 4.5. A rollout shows rows by the hundred, and hardly anybody reads them:
//! those that come again and again are compared, copied and digested as numbers, and become text
//! where a reader wants text. Equal texts are equal values, wherever they come from: whoever has a
//! text asks [`Shown::of`], which recognises what is frequent.

use std::fmt;
use std::sync::Arc;

use crate::client::screen::{Name, Says};
use crate::swarmkit::task::TaskState;

/// A row without the space that ends every line of Docker's.
///
/// ```
/// use swarmsim::client::shown::Shown;
/// let row = Shown::from("overall progress: 1 out of 2 tasks");
/// assert_eq!(row, Shown::Tasks { running: 1, wish: 2, rolling_back: false });
/// assert_eq!(row.to_string(), "overall progress: 1 out of 2 tasks");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// How many tasks run.
    Tasks {
        /// So many.
        running: u64,
        /// Of so many.
        wish: u64,
        /// Whether this is on the way back.
        rolling_back: bool,
    },
    /// A slot of whose task nothing is known yet.
    Slot {
        /// The number that the client gave it.
        number: u64,
        /// Of so many.
        of: u64,
    },
    /// A slot whose task is on its way, with its bar.
    Bar {
        /// The number that the client gave it.
        number: u64,
        /// Of so many.
        of: u64,
        /// How far the task is.
        state: TaskState,
    },
    /// So many seconds until the service counts as converged.
    Countdown(u64),
    /// Everything else.
    Text(Arc<str>),
}

impl Shown {
    /// What a text says; `keep` stores one that is not frequent.
    pub fn of(text: &str, keep: impl FnOnce(&str) -> Arc<str>) -> Shown {
        match frequent(text) {
            Some(shown) if shown.to_string() == text => shown,
            _ => Shown::Text(keep(text)),
        }
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Shown {
        Shown::of(text, |text| text.into())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, says) = match *self {
            Shown::Tasks { running, wish, rolling_back } => {
                (Name::Overall, Says::Tasks { running, wish, rolling_back })
            }
            Shown::Slot { number, of } => return write!(f, "{}:", Name::Slot { number, of }),
            Shown::Bar { number, of, state } => (Name::Slot { number, of }, Says::Bar(state)),
            Shown::Countdown(seconds) => (Name::Verify, Says::WaitingToVerify(seconds)),
            Shown::Text(ref text) => return f.write_str(text),
        };
        write!(f, "{name}: {says}")
    }
}

/// What a text says if its numbers and words are taken at face value; the rest is not looked at.
fn frequent(text: &str) -> Option<Shown> {
    let number = |text: &str| text.parse::<u64>().ok();
    let slot = |text: &str| text.split_once('/').and_then(|(n, of)| number(n).zip(number(of)));
    let Some((name, says)) = text.split_once(": ") else {
        return slot(text.strip_suffix(':')?).map(|(number, of)| Shown::Slot { number, of });
    };
    if name == "verify" {
        let seconds = says.strip_prefix("Waiting ")?.split(' ').next()?;
        return number(seconds).map(Shown::Countdown);
    }
    if name == "overall progress" {
        let back = says.strip_prefix("rolling back update: ");
        let (running, rest) = back.unwrap_or(says).split_once(" out of ")?;
        let (running, wish) = (number(running)?, number(rest.strip_suffix(" tasks")?)?);
        return Some(Shown::Tasks { running, wish, rolling_back: back.is_some() });
    }
    let (number, of) = slot(name)?;
    let state = TaskState::from_word(says.split(' ').next()?)?;
    Some(Shown::Bar { number, of, state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_frequent_is_recognised_by_its_text() {
        let bar = "[======================================>            ]";
        for (shown, text) in [
            (Shown::Countdown(5), "verify: Waiting 5 seconds to verify that tasks are stable..."),
            (
                Shown::Tasks { running: 1, wish: 12, rolling_back: true },
                "overall progress: rolling back update: 1 out of 12 tasks",
            ),
            (Shown::Slot { number: 1, of: 20 }, "1/20:"),
            (
                Shown::Bar { number: 1, of: 2, state: TaskState::Ready },
                &format!("1/2: ready     {bar}"),
            ),
        ] {
            assert_eq!(shown.to_string(), text);
            assert_eq!(Shown::from(text), shown);
        }
    }

    #[test]
    fn what_is_only_like_it_is_text() {
        for text in [
            "",
            "web",
            "verify: Service web converged",
            "verify: Waiting +5 seconds to verify that tasks are stable...",
            "verify: Waiting 5 seconds",
            "overall progress: 01 out of 2 tasks",
            "overall progress: waiting for new tasks",
            "1/2: ",
            "1/2",
            "1/x:",
            "1/2: ready",
            "1/2: ready     [>]",
            "1/2: task: non-zero exit (1)",
        ] {
            assert_eq!(Shown::from(text), Shown::Text(text.into()));
        }
    }

    proptest! {
        #[test]
        fn a_text_comes_back_as_the_value_it_is_of(
            (a, b, kind, back) in (any::<u64>(), any::<u64>(), 0..4_u8, any::<bool>()),
            state in proptest::sample::select(TaskState::ALL.to_vec()),
        ) {
            let shown = match kind {
                0 => Shown::Tasks { running: a, wish: b, rolling_back: back },
                1 => Shown::Bar { number: a, of: b, state },
                2 => Shown::Slot { number: a, of: b },
                _ => Shown::Countdown(a),
            };
            prop_assert_eq!(Shown::from(shown.to_string().as_str()), shown);
        }
    }
}
