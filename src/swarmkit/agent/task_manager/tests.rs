use super::*;
use crate::swarmkit::task::StatusMessage as M;
use TaskState as S;

fn report(state: TaskState, message: M, exit: Option<i32>) -> Effect {
    Effect::Report(Status { state, message, err: None, exit })
}

fn error(state: TaskState, message: M, err: &str, exit: Option<i32>) -> Effect {
    Effect::Report(Status { state, message, err: Some(err.into()), exit })
}

fn tell(manager: &mut TaskManager, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    manager.handle(input, &mut out);
    out
}

fn done(exit: Option<i32>) -> Input {
    Input::OpDone(OpResult::Done { exit })
}

fn cancelled(exit: Option<i32>) -> Input {
    Input::OpDone(OpResult::Cancelled { exit })
}

fn failed(text: &str, exit: Option<i32>) -> Input {
    Input::OpDone(OpResult::Failed { error: text.into(), exit })
}

/// A task manager after these inputs, whose effects were as other tests say.
fn after(inputs: impl IntoIterator<Item = Input>) -> TaskManager {
    let mut manager = TaskManager::new();
    for input in inputs {
        tell(&mut manager, input);
    }
    manager
}

fn running() -> TaskManager {
    after([Input::Assigned { desired: S::Running }, done(None), done(None)])
}

#[test]
fn a_task_wanted_running_climbs_without_waiting() {
    let mut manager = TaskManager::new();
    assert_eq!(
        tell(&mut manager, Input::Assigned { desired: S::Running }),
        [
            report(S::Accepted, M::Accepted, None),
            report(S::Preparing, M::Preparing, None),
            Effect::Begin(Operation::Prepare),
        ]
    );
    assert_eq!(
        tell(&mut manager, done(None)),
        [
            report(S::Ready, M::Prepared, None),
            report(S::Starting, M::Starting, None),
            Effect::Begin(Operation::Start),
        ]
    );
    assert_eq!(
        tell(&mut manager, done(None)),
        [report(S::Running, M::Started, None), Effect::Begin(Operation::Wait)]
    );
    assert_eq!(tell(&mut manager, done(Some(0))), [report(S::Complete, M::Finished, Some(0))]);
}

#[test]
fn a_task_wanted_ready_waits_for_running() {
    let mut manager = after([Input::Assigned { desired: S::Ready }]);
    assert_eq!(tell(&mut manager, done(None)), [report(S::Ready, M::Prepared, None)]);
    assert_eq!(
        tell(&mut manager, Input::Updated { desired: S::Running }),
        [report(S::Starting, M::Starting, None), Effect::Begin(Operation::Start)]
    );
}

/// Q26, Q27: the running task is reported once more, with exit code -1, and waits a second.
#[test]
fn stopping_a_running_task_costs_a_second() {
    let mut manager = running();
    assert_eq!(
        tell(&mut manager, Input::Updated { desired: S::Shutdown }),
        [Effect::CancelOperation]
    );
    assert_eq!(
        tell(&mut manager, cancelled(Some(-1))),
        [report(S::Running, M::Started, Some(-1)), Effect::Retry]
    );
    assert_eq!(tell(&mut manager, Input::RetryElapsed), [Effect::Begin(Operation::Shutdown)]);
    assert_eq!(tell(&mut manager, done(Some(143))), [report(S::Shutdown, M::Shutdown, Some(143))]);
}

#[test]
fn a_task_that_waits_ready_is_shut_down_without_the_second() {
    let mut manager = after([Input::Assigned { desired: S::Ready }, done(None)]);
    assert_eq!(
        tell(&mut manager, Input::Updated { desired: S::Shutdown }),
        [Effect::Begin(Operation::Shutdown)]
    );
    assert_eq!(tell(&mut manager, done(Some(0))), [report(S::Shutdown, M::Shutdown, Some(0))]);
}

/// Semantics 16.3, branch O: a task whose first assignment says shutdown.
#[test]
fn a_task_that_comes_condemned_is_accepted_and_shut_down() {
    let mut manager = TaskManager::new();
    assert_eq!(
        tell(&mut manager, Input::Assigned { desired: S::Shutdown }),
        [report(S::Accepted, M::Accepted, None), Effect::Begin(Operation::Shutdown)]
    );
    assert_eq!(tell(&mut manager, done(None)), [report(S::Shutdown, M::Shutdown, None)]);
}

/// Q28: no re-report, since nothing of the status has changed.
#[test]
fn running_wanted_during_a_pull_costs_a_second() {
    let mut manager = after([Input::Assigned { desired: S::Ready }]);
    assert_eq!(
        tell(&mut manager, Input::Updated { desired: S::Running }),
        [Effect::CancelOperation]
    );
    assert_eq!(tell(&mut manager, cancelled(None)), [Effect::Retry]);
    assert_eq!(tell(&mut manager, Input::RetryElapsed), [Effect::Begin(Operation::Prepare)]);
}

/// A cancelled operation may succeed all the same; then nothing is lost.
#[test]
fn an_operation_that_ends_well_although_cancelled_costs_no_second() {
    let mut manager = after([Input::Assigned { desired: S::Ready }]);
    tell(&mut manager, Input::Updated { desired: S::Running });
    assert_eq!(
        tell(&mut manager, done(None)),
        [
            report(S::Ready, M::Prepared, None),
            report(S::Starting, M::Starting, None),
            Effect::Begin(Operation::Start),
        ]
    );
}

#[test]
fn an_update_in_the_retry_second_acts_at_once() {
    let mut manager = after([Input::Assigned { desired: S::Ready }]);
    tell(&mut manager, Input::Updated { desired: S::Running });
    tell(&mut manager, cancelled(None));
    assert_eq!(
        tell(&mut manager, Input::Updated { desired: S::Shutdown }),
        [Effect::Begin(Operation::Shutdown)]
    );
    assert_eq!(tell(&mut manager, Input::RetryElapsed), [], "the operation is in progress");
}

#[test]
fn desired_states_never_go_down_and_a_second_cancel_says_nothing() {
    let mut manager = running();
    assert_eq!(tell(&mut manager, Input::Updated { desired: S::Running }), []);
    assert_eq!(tell(&mut manager, Input::Updated { desired: S::Ready }), []);
    tell(&mut manager, Input::Updated { desired: S::Shutdown });
    assert_eq!(tell(&mut manager, Input::Updated { desired: S::Remove }), []);
    assert_eq!(manager.desired(), S::Remove);
}

#[test]
fn a_failure_before_starting_rejects_and_keeps_the_message() {
    let mut manager = after([Input::Assigned { desired: S::Ready }]);
    let text = "No such image: app:gone";
    assert_eq!(
        tell(&mut manager, failed(text, None)),
        [error(S::Rejected, M::Preparing, text, None)]
    );
}

/// Its manager takes the wish, has nothing to do, and says so; once for each wish.
#[test]
fn an_ended_task_is_reported_again_when_more_is_wished() {
    let mut manager = after([Input::Assigned { desired: S::Ready }]);
    tell(&mut manager, failed("No such image: app:gone", None));
    let wish = |desired| Input::Updated { desired };
    assert_eq!(tell(&mut manager, wish(S::Running)), [Effect::ReportAgain]);
    assert_eq!(tell(&mut manager, wish(S::Shutdown)), [Effect::ReportAgain]);
    assert_eq!(tell(&mut manager, wish(S::Shutdown)), []);
    tell(&mut manager, Input::Removed);
    assert_eq!(tell(&mut manager, wish(S::Remove)), []);
}

#[test]
fn a_failure_from_starting_on_fails_and_keeps_the_message() {
    let mut manager = after([Input::Assigned { desired: S::Running }, done(None)]);
    let text = "task: non-zero exit (1)";
    assert_eq!(
        tell(&mut manager, failed(text, Some(1))),
        [error(S::Failed, M::Starting, text, Some(1))]
    );
    let mut manager = running();
    assert_eq!(
        tell(&mut manager, failed(text, Some(1))),
        [error(S::Failed, M::Started, text, Some(1))]
    );
}

/// Q49: the error is shown once, and the task stays where it is.
#[test]
fn a_temporary_error_is_retried_every_second() {
    let mut manager = after([Input::Assigned { desired: S::Ready }]);
    let temporary = || Input::OpDone(OpResult::Temporary { error: "time-out".into() });
    assert_eq!(
        tell(&mut manager, temporary()),
        [error(S::Preparing, M::Preparing, "time-out", None), Effect::Retry]
    );
    assert_eq!(tell(&mut manager, Input::RetryElapsed), [Effect::Begin(Operation::Prepare)]);
    assert_eq!(tell(&mut manager, temporary()), [Effect::Retry]);
    tell(&mut manager, Input::RetryElapsed);
    assert_eq!(tell(&mut manager, done(None)), [report(S::Ready, M::Prepared, None)]);
}

/// Q30: the process left with code 0 while it was waited for to become healthy.
#[test]
fn exit_zero_while_starting_flashes_running() {
    let mut manager = after([Input::Assigned { desired: S::Running }, done(None)]);
    assert_eq!(
        tell(&mut manager, done(None)),
        [report(S::Running, M::Started, None), Effect::Begin(Operation::Wait)]
    );
    assert_eq!(tell(&mut manager, done(Some(0))), [report(S::Complete, M::Finished, Some(0))]);
}

#[test]
fn a_removed_task_is_closed_after_its_operation() {
    let mut manager = running();
    assert_eq!(tell(&mut manager, Input::Removed), [Effect::CancelOperation]);
    assert_eq!(tell(&mut manager, Input::Removed), []);
    assert_eq!(
        tell(&mut manager, cancelled(Some(-1))),
        [report(S::Running, M::Started, Some(-1)), Effect::Retry]
    );
    assert_eq!(tell(&mut manager, Input::RetryElapsed), [Effect::Begin(Operation::Remove)]);
    assert_eq!(tell(&mut manager, Input::Updated { desired: S::Remove }), []);
    assert_eq!(tell(&mut manager, done(Some(0))), [Effect::Closed]);
    assert_eq!(tell(&mut manager, Input::EngineRestarted), []);
}

#[test]
fn a_task_that_has_ended_is_removed_at_once() {
    let mut manager = running();
    tell(&mut manager, failed("task: non-zero exit (1)", Some(1)));
    assert_eq!(tell(&mut manager, Input::Removed), [Effect::Begin(Operation::Remove)]);
    assert_eq!(tell(&mut manager, done(Some(1))), [Effect::Closed]);
}

/// Surprise 39: after a power cut the agent goes on with the status it kept.
#[test]
fn a_restarted_engine_goes_on_from_the_kept_status() {
    let mut manager = running();
    assert_eq!(tell(&mut manager, Input::EngineRestarted), [Effect::Begin(Operation::Wait)]);
    let text = "task: non-zero exit (255)";
    assert_eq!(
        tell(&mut manager, failed(text, Some(255))),
        [error(S::Failed, M::Started, text, Some(255))]
    );
}

#[test]
fn what_does_not_apply_does_nothing() {
    let mut manager = after([Input::Assigned { desired: S::Ready }, done(None)]);
    let before = manager.clone();
    assert_eq!(tell(&mut manager, done(Some(3))), []);
    assert_eq!(tell(&mut manager, Input::RetryElapsed), []);
    assert_eq!(tell(&mut manager, Input::Assigned { desired: S::Ready }), []);
    assert_eq!(manager, before);
}

#[test]
fn a_task_is_at_rest_when_it_has_ended_and_can_be_taken_up_again() {
    let mut manager = running();
    assert!(!manager.is_at_rest(), "it waits for its end");
    tell(&mut manager, failed("task: non-zero exit (1)", Some(1)));
    assert!(manager.is_at_rest());
    let mut again = TaskManager::left(manager.desired(), manager.status().clone());
    assert_eq!(again, manager);
    assert_eq!(tell(&mut again, Input::Removed), [Effect::Begin(Operation::Remove)]);
    assert!(!again.is_at_rest(), "it is being removed");
    assert!(!TaskManager::new().is_at_rest(), "it has not begun");
}
