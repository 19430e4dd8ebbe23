//! Values in, text out; no decisions.

pub mod json;
pub mod rows;
pub mod text;
