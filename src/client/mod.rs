//! The docker client: an actor that parses command lines, polls, and ends with an exit code.
