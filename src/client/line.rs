//! A docker command line, with what the client makes of it.

use std::fmt;
use std::sync::Arc;

use crate::client::command::{DockerCommand, parse};
use crate::client::failure::CliFailure;
use crate::client::words;

/// A command line as it is typed. What it asks for does not depend on the cluster, so it is found
/// out once, however often the line is carried out. Cheap to clone.
///
/// ```
/// use swarmsim::client::line::CommandLine;
/// let line = CommandLine::new("docker service ls");
/// assert!(line.command().is_ok());
/// assert_eq!(CommandLine::new("docker service").command().unwrap_err().code, 0);
/// ```
#[derive(Clone)]
pub struct CommandLine {
    text: Arc<str>,
    command: Arc<Result<DockerCommand, CliFailure>>,
}

impl CommandLine {
    /// Splits a line into words and parses them.
    pub fn new(text: &str) -> CommandLine {
        let command = match words::split(text) {
            Ok(words) => parse(&words),
            Err(text) => Err(CliFailure::error(text)),
        };
        CommandLine { text: text.into(), command: Arc::new(command) }
    }

    /// The line as typed.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// What it asks for.
    ///
    /// # Errors
    /// How the command ends at once: what it prints, and its exit code.
    pub fn command(&self) -> Result<&DockerCommand, &CliFailure> {
        self.command.as_ref().as_ref()
    }
}

/// Equal lines ask for the same.
impl PartialEq for CommandLine {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CommandLine {}

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}
