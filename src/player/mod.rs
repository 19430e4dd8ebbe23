//! A run to be watched: forwards, backwards, and into other futures.
//!
//! A [`Player`] is pure: keys, typed lines and passing time in, a state out that is drawn. A future
//! is simulated whole when it is begun; the clock then only says how much of it is seen, so a step
//! back shows exactly what was there before. What an onlooker does at some moment makes another
//! future: the same scenario with one step or one fault more, run from its beginning. Up to that
//! moment the two are equal, since nothing in a run depends on what is ahead of it.

pub mod act;
pub mod future;
pub mod screen;
pub mod state;

pub use act::{Action, Key};
pub use future::Future;
pub use state::{Mode, Panel, Player};
