//! Compose files of version 3, read as `docker stack deploy` reads them.
//!
//! Text → tree with positions (the scenario's YAML reader) → values → variables put in → schema of
//! the version → [`ComposeFile`] → a [`Deployment`]: what is created or updated, in Docker's order,
//! with one service spec for each service. Every mistake is noted with its place, and which of them
//! Docker would tell. Nothing here reads files or the environment: both are arguments.
//!
//! Source: cli surface 5. Upstream: docker cli `cli/compose`, `cli/command/stack`.

mod deploy;
pub mod edit;
mod file;
mod interpolate;
mod mistake;
mod mounts;
mod objects;
mod plan;
mod ports;
pub mod run;
mod schema;
mod schema_table;
mod service;
pub mod template;
#[cfg(test)]
mod tests;
mod unsupported;
mod value;
mod written;

pub use file::{ComposeFile, Refusal, Surroundings, env_files, read};
pub use objects::{IMAGE as IMAGE_LABEL, NAMESPACE as NAMESPACE_LABEL};
pub use plan::{Deployment, ServicePlan};
