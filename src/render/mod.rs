//! Values in, text out; no decisions.
