//! Facts, and what follows from facts alone. Knows neither store nor world: a law cannot peek.

pub mod record;
