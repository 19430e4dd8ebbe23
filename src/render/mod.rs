//! Values in, text out; no decisions.

pub mod json;
pub mod plot;
pub mod rows;
pub mod sweep;
pub mod text;
