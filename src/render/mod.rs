//! Values in, text out; no decisions.

pub mod advise;
pub mod check;
pub mod course;
pub mod demo;
pub mod json;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod plan;
pub mod plot;
pub mod report;
pub mod rows;
pub mod sweep;
pub mod text;
