//! Values in, text out; no decisions.

pub mod text;
