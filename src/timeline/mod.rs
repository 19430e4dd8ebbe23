//! Facts, and what follows from facts alone. Knows neither store nor world: a law cannot peek.
//!
//! [`record`] says what can become true; a [`sink::Sink`] takes it, live or from a file that
//! [`codec`] wrote and [`read`] reads. Digest, view, laws, metrics and explanations are folds over
//! the same records.

pub mod codec;
mod differences;
pub mod digest;
pub mod ends;
pub mod explain;
mod fields;
mod json;
pub mod laws;
pub mod names;
#[cfg(test)]
mod random;
pub mod read;
mod read_facts;
pub mod record;
pub mod sink;
pub mod spec_json;
pub mod verify;
pub mod view;
pub mod words;

#[cfg(test)]
mod tests;
