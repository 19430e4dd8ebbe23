//! Expectations written back.

use crate::scenario::expect::{Claims, Expect, RequestClaim, ServiceClaim, StepClaim};
use crate::scenario::json::{list, map, plain, text};
use crate::scenario::model::StepNo;
use crate::scenario::print::span;
use crate::scenario::syntax::Tree;

/// Claims with one key, such as `prints`, become one list under it; no other key is given twice by
/// a file.
pub(super) fn expect(expect: &Expect) -> Tree {
    let mut entries =
        vec![("since", expect.window.since.map(step)), ("after", expect.window.after.map(step))];
    match &expect.claims {
        Claims::Service(service) => {
            entries.push(("service", Some(text(&service.service))));
            entries.push(("always", service.always.then(|| plain(true))));
            entries.extend(service.claims.iter().map(service_claim).map(some));
        }
        Claims::Requests { service, claims } => {
            entries.push(("requests", Some(text(service))));
            entries.extend(claims.iter().map(request_claim).map(some));
        }
        Claims::Step { step: number, claims } => {
            entries.push(("step", Some(step(*number))));
            entries.extend(claims.iter().filter_map(single_step_claim).map(some));
            let printed = claims.iter().filter_map(|claim| match claim {
                StepClaim::Prints(part) => Some(text(part)),
                _ => None,
            });
            let not_printed = claims.iter().filter_map(|claim| match claim {
                StepClaim::PrintsNot(part) => Some(text(part)),
                _ => None,
            });
            entries.push(("prints", super::many(printed.collect())));
            entries.push(("prints_not", super::many(not_printed.collect())));
        }
        Claims::LawsBroken(laws) => {
            entries.push(("laws_broken", Some(list(laws.iter().map(text)))));
        }
    }
    map(entries)
}

fn some((key, tree): (&'static str, Tree)) -> (&'static str, Option<Tree>) {
    (key, Some(tree))
}

/// A step by its number, counted from 1.
fn step(step: StepNo) -> Tree {
    plain(step.0 + 1)
}

fn service_claim(claim: &ServiceClaim) -> (&'static str, Tree) {
    match claim {
        ServiceClaim::Update(state) => ("update", text(state.map_or("none", |state| state.word()))),
        ServiceClaim::Message(part) => ("message", text(part)),
        ServiceClaim::Image(image) => ("image", text(image)),
        ServiceClaim::PreviousImage(image) => {
            ("previous_image", text(image.as_deref().unwrap_or("none")))
        }
        ServiceClaim::Replicas(count) => ("replicas", plain(count)),
        ServiceClaim::Running(count) => ("running", plain(count)),
        ServiceClaim::RunningAtLeast(count) => ("running_at_least", plain(count)),
        ServiceClaim::RunningAtMost(count) => ("running_at_most", plain(count)),
        ServiceClaim::TasksCreated(count) => ("tasks_created", plain(count)),
        ServiceClaim::SlotsUntouched(count) => ("slots_untouched", plain(count)),
        ServiceClaim::SlotsReplaced(count) => ("slots_replaced", plain(count)),
        ServiceClaim::Waves { sizes, apart } => {
            let sizes = list(sizes.iter().map(plain));
            ("waves", map([("sizes", Some(sizes)), ("apart", Some(span(*apart)))]))
        }
        ServiceClaim::States(states) => {
            ("states", list(states.iter().map(|state| text(state.word()))))
        }
        ServiceClaim::NeverRunning(image) => ("never_running", text(image)),
        ServiceClaim::UnavailableAtLeast(time) => ("unavailable_at_least", span(*time)),
        ServiceClaim::UnavailableAtMost(time) => ("unavailable_at_most", span(*time)),
        ServiceClaim::UpdateTakesAtLeast(time) => ("update_takes_at_least", span(*time)),
        ServiceClaim::UpdateTakesAtMost(time) => ("update_takes_at_most", span(*time)),
    }
}

fn request_claim(claim: &RequestClaim) -> (&'static str, Tree) {
    match claim {
        RequestClaim::Failed(count) => ("failed", plain(count)),
        RequestClaim::FailedAtLeast(count) => ("failed_at_least", plain(count)),
        RequestClaim::FailedAtMost(count) => ("failed_at_most", plain(count)),
        RequestClaim::Answered(count) => ("answered", plain(count)),
        RequestClaim::AnsweredAtLeast(count) => ("answered_at_least", plain(count)),
        RequestClaim::AnsweredByTasks(count) => ("answered_by_tasks", plain(count)),
        RequestClaim::AnsweredByImage(image) => ("answered_by_image", text(image)),
        RequestClaim::Alternate(wanted) => ("alternate", plain(wanted)),
    }
}

fn single_step_claim(claim: &StepClaim) -> Option<(&'static str, Tree)> {
    match claim {
        StepClaim::Exit(code) => Some(("exit", plain(code))),
        StepClaim::DurationAtLeast(time) => Some(("duration_at_least", span(*time))),
        StepClaim::DurationAtMost(time) => Some(("duration_at_most", span(*time))),
        StepClaim::Prints(_) | StepClaim::PrintsNot(_) => None,
    }
}
