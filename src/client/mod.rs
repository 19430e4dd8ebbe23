//! The docker client: an actor that parses command lines, polls, and ends with an exit code.
//!
//! Everything here is text and data: a line becomes words ([`words`]), words become a command
//! ([`command`]) whose flags follow the grammars of [`flags`] and [`values`]; create and update
//! flags become a service spec ([`spec_create`], [`spec_update`]). Nothing here knows the cluster:
//! what the manager validates is the control API's. Source of all rules: "cli surface".
//!
//! What is printed is made from [`rows`] alone: [`ps`], [`ls`], [`inspect`], [`pretty`], [`node`].
//! A command that waits is a [`progress::Progress`], which is shown a [`choose::PollView`] per
//! poll.

pub mod age;
pub mod choose;
pub mod clock;
pub mod command;
pub mod failure;
pub mod flags;
pub mod golang;
pub mod image;
pub mod inspect;
pub mod json;
pub mod line;
pub mod ls;
pub mod naming;
pub mod node;
pub mod ports;
pub mod pretty;
pub mod progress;
pub mod ps;
pub mod references;
pub mod rows;
mod screen;
pub mod shown;
pub mod spec_create;
pub mod spec_update;
pub mod stack;
pub mod table;
pub mod tables;
pub mod usage;
pub mod values;
pub mod words;
