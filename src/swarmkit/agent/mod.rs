//! A node's agent: one task manager per task, climbing the ladder of states.
//!
//! # Wiring
//!
//! Keep a [`TaskManager`](task_manager::TaskManager) beside the executor's controller of the same
//! task, and carry messages between the two; neither knows the other. All of it happens at one
//! instant:
//!
//! | From | To |
//! |---|---|
//! | assignment of an unknown task | `TaskManager::new()`, then `Input::Assigned` |
//! | assignment of a known task | `Input::Updated` |
//! | removal, or absence from a complete set | `Input::Removed` |
//! | `Effect::Begin(op)` | the controller's `Input::Begin` |
//! | `Effect::CancelOperation` | the controller's `Input::Cancel` |
//! | the controller's `Effect::Done(result)` | `Input::OpDone(result)` |
//! | `Effect::Retry` | `Input::RetryElapsed` after `Timing::agent_retry`, never cancelled |
//! | `Effect::Report(status)` | the status reporter; the time stamp of the status is now |
//! | `Effect::Closed` | forget the task manager and the controller |
//! | the node's power is cut | nothing, until it is back: then `Input::EngineRestarted` |
//!
//! Effects are to be carried out in their order, but an answer of the other machine waits until the
//! one that asked has returned: an operation may end at once, and then gives an `OpDone` for the
//! task manager that has just begun it.

pub mod exec;
pub mod task_manager;
