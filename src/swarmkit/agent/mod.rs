//! A node's agent: its assignments, and one task manager per task.
