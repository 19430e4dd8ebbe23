//! From the text of a scenario to a checked model.

pub mod expect;
pub mod fault;
pub mod model;
pub mod problem;
pub mod syntax;
