//! How a command line ends before it does anything.

use std::fmt;

/// The end of a command that never reached the cluster, or that the cluster refused: what it
/// prints, and its exit code. `--help` is one too, with code 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CliFailure {
    /// Text on standard output.
    pub stdout: String,
    /// Text on standard error.
    pub stderr: String,
    /// Exit code: 125 for a flag that cannot be parsed, 1 for everything else (cli surface 1.6).
    pub code: u8,
}

impl CliFailure {
    /// An error of the client: one line on standard error, exit code 1.
    pub fn error(text: impl fmt::Display) -> CliFailure {
        CliFailure { stdout: String::new(), stderr: format!("{text}\n"), code: 1 }
    }

    /// An error that the daemon answered with (cli surface 1.5): the same with its prefix.
    pub fn daemon(text: impl fmt::Display) -> CliFailure {
        CliFailure::error(format_args!("Error response from daemon: {text}"))
    }

    /// Text that was asked for, such as a usage text: standard output, exit code 0.
    pub fn help(text: String) -> CliFailure {
        CliFailure { stdout: text, stderr: String::new(), code: 0 }
    }
}

impl fmt::Display for CliFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stdout)?;
        f.write_str(&self.stderr)
    }
}
