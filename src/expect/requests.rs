//! Claims about the requests of a window.

use std::collections::BTreeSet;

use crate::base::ids::{ServiceIx, TaskIx};
use crate::expect::reading::Reading;
use crate::expect::{Claim, claim, count};
use crate::scenario::expect::{RequestClaim, Window};
use crate::scenario::model::image_key;
use crate::timeline::record::{Fact, RequestOutcome};

/// One claim after the other.
pub(super) fn evaluate(
    reading: &Reading,
    window: Window,
    name: &str,
    claims: &[RequestClaim],
) -> Vec<Claim> {
    let Seen { answers, by_nobody, failed } = seen(reading, window, name);
    let answered = answers.len() as u64 + by_nobody;
    let unknown = |text: String| {
        claim(text, false, "nobody knows: these are told by the second (`told: each`)")
    };
    let requests = |bound: &str, wanted: u64, (what, found): (&str, u64), holds: bool| {
        let wanted = count(wanted, "request", "requests");
        claim(format!("{name}: {bound}{wanted} {what}"), holds, found)
    };
    let (failures, replies) = (("failed", failed), ("answered", answered));
    claims
        .iter()
        .map(|one| match one {
            RequestClaim::Failed(n) => requests("", *n, failures, failed == *n),
            RequestClaim::FailedAtLeast(n) => requests("at least ", *n, failures, failed >= *n),
            RequestClaim::FailedAtMost(n) => requests("at most ", *n, failures, failed <= *n),
            RequestClaim::Answered(n) => requests("", *n, replies, answered == *n),
            RequestClaim::AnsweredAtLeast(n) => requests("at least ", *n, replies, answered >= *n),
            RequestClaim::AnsweredByTasks(n) if by_nobody > 0 => {
                unknown(format!("{name}: {}", count(*n, "task answered", "tasks answered")))
            }
            RequestClaim::AnsweredByImage(image) if by_nobody > 0 => {
                unknown(format!("{name}: answered by {image} only"))
            }
            RequestClaim::Alternate(wanted) if by_nobody > 0 => {
                unknown(format!("{name}: {} in turn", if *wanted { "tasks answer" } else { "not" }))
            }
            RequestClaim::AnsweredByTasks(n) => {
                let tasks = distinct(&answers);
                claim(
                    format!("{name}: {}", count(*n, "task answered", "tasks answered")),
                    tasks == *n,
                    tasks,
                )
            }
            RequestClaim::AnsweredByImage(image) => by_image(reading, name, &answers, image),
            RequestClaim::Alternate(wanted) => {
                let text =
                    format!("{name}: {} in turn", if *wanted { "tasks answer" } else { "not" });
                let found = alternate(&answers);
                claim(text, found == *wanted, if found { "they do" } else { "they do not" })
            }
        })
        .collect()
}

/// The requests of a window.
#[derive(Default)]
struct Seen {
    /// Who answered, in order.
    answers: Vec<TaskIx>,
    /// Answers of those that are told by the second, of which nobody knows who gave them.
    by_nobody: u64,
    failed: u64,
}

fn seen(reading: &Reading, window: Window, name: &str) -> Seen {
    let part = reading.part(window);
    let wanted = reading.service_ever(name);
    // A port that nobody publishes belongs to no service: such a request failed for all.
    let concerned = |service: &Option<ServiceIx>| service.is_none() || *service == wanted;
    let mut seen = Seen::default();
    for record in &reading.records[part.from..part.to] {
        match &record.fact {
            Fact::Request { service, outcome, .. } if concerned(service) => match outcome {
                RequestOutcome::Answered(task) => seen.answers.push(*task),
                _ => seen.failed += 1,
            },
            Fact::Requests { service, counts, .. } if concerned(service) => {
                seen.by_nobody += u64::from(counts.answered);
                seen.failed += counts.failed();
            }
            _ => {}
        }
    }
    seen
}

fn distinct(answers: &[TaskIx]) -> u64 {
    let mut tasks = answers.to_vec();
    tasks.sort_unstable();
    tasks.dedup();
    tasks.len() as u64
}

fn by_image(reading: &Reading, name: &str, answers: &[TaskIx], image: &str) -> Claim {
    let last = reading.state(reading.records.len());
    let text = format!("{name}: answered by {image} only");
    let (key, mut seen) = (image_key(image), BTreeSet::new());
    let other = answers
        .iter()
        .filter(|task| seen.insert(**task))
        .filter_map(|task| last.tasks.get(task))
        .find(|task| image_key(&task.image) != key);
    claim(text, other.is_none(), other.map_or("", |task| &task.image))
}

/// Of the first k answers no two come from one task, and each later one from the task k before.
fn alternate(answers: &[TaskIx]) -> bool {
    let k = distinct(answers) as usize;
    distinct(&answers[..k]) as usize == k
        && answers.iter().zip(answers.iter().skip(k)).all(|(before, after)| before == after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::Id;

    #[test]
    fn in_turn_means_the_same_order_again_and_again() {
        for (answers, expected) in [
            (&[0, 1, 2, 0, 1, 2, 0][..], true),
            (&[1, 0], true),
            (&[0, 0], true),
            (&[], true),
            (&[0, 0, 1], false),
            (&[0, 1, 1, 0], false),
            (&[0, 1, 0, 2], false),
        ] {
            let answers: Vec<TaskIx> =
                answers.iter().map(|task| TaskIx::from_index(*task)).collect();
            assert_eq!(alternate(&answers), expected, "{answers:?}");
        }
    }
}
