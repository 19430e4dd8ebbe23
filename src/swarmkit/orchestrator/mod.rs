//! The control loops of one leader.
