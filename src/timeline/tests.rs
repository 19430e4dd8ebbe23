use std::io::Cursor;

use crate::base::ids::{Id, RecordNo};
use crate::base::time::SimTime;
use crate::swarmkit::task::TaskState;
use crate::timeline::ends::Timeline;
use crate::timeline::read::read;
use crate::timeline::record::{BackendChange, CommandFact, Fact, Record, Stream, TaskChange};
use crate::timeline::view::View;
use crate::timeline::{explain, verify};

fn small() -> Timeline {
    read(Cursor::new(include_str!("codec/small.jsonl"))).unwrap_or_else(|error| panic!("{error}"))
}

fn numbers(found: &[RecordNo]) -> Vec<usize> {
    found.iter().map(|no| no.index()).collect()
}

#[test]
fn a_view_is_the_cluster_at_a_moment() {
    let records = small().records;
    let view = View::at(&records, SimTime(500_000_000));
    let (task, row) = view.tasks.first_key_value().expect("there is one task");
    assert!(row.runs() && row.serves());
    assert_eq!(row.node, view.nodes.keys().next().copied());
    assert_eq!((row.stamp, row.stored), (SimTime(410_000_000), SimTime(500_000_000)));
    let service = row.service;
    assert_eq!(view.tasks_of(service).map(|(task, _)| task).collect::<Vec<_>>(), [*task]);

    let mut view = View::of(&records);
    let row = &view.tasks[task];
    assert_eq!((row.desired, row.runs()), (TaskState::Shutdown, false));
    assert_eq!(row.backend, Some(BackendChange::Joined));
    let run = view.services[&service].run.as_ref().expect("an updater ran");
    assert_eq!((run.slots.len(), run.parallelism), (1, 1));

    let mut gone = records[15].clone();
    gone.fact = crate::timeline::record::Fact::Task { task: *task, change: TaskChange::Deleted };
    view.apply(&gone);
    assert_eq!((view.tasks.len(), view.slots.len()), (0, 0));
}

#[test]
fn causes_are_walked_back_to_the_command() {
    let records = small().records;
    let chain = explain::explain(&records, RecordNo::from_index(17));
    let text: Vec<_> =
        chain.iter().map(|link| format!("{:>3} {}", link.no.index(), link.line)).collect();
    insta::assert_snapshot!(text.join("\n"));
    assert_eq!(explain::explain(&records, RecordNo::from_index(99)), []);
}

#[test]
fn events_are_found_by_what_people_write() {
    let records = small().records;
    let find = |text: &str| numbers(&explain::matches(&records, text));
    assert_eq!(find("#3"), [3]);
    assert_eq!(find("99"), [] as [usize; 0]);
    assert_eq!(find("rollback_started"), [17]);
    assert_eq!(find("0.6"), [] as [usize; 0]);
    assert_eq!(find("web.1#1"), [4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 17]);
    assert_eq!(find("web.1"), [4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17]);
    assert_eq!(find("eb.1#"), [4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 17]);
    assert_eq!(find(""), [] as [usize; 0]);
    let meant = |records: &[Record], text| explain::meant(records, text).map(RecordNo::index);
    let printed = |text: &str| {
        let printed = CommandFact::Printed { step: 0, stream: Stream::Out, text: text.into() };
        Record { fact: Fact::Command(printed), ..records[17].clone() }
    };
    let told = [&records[..], &[printed("rollback_started"), printed("Name: web")]].concat();
    let after = records.len();
    assert_eq!(
        (meant(&told, "rollback_started"), meant(&told, "Name:")),
        (Some(17), Some(after + 1))
    );
    assert_eq!(meant(&told, "nothing of the kind"), None);
    assert_eq!(explain::default_event(&records).map(RecordNo::index), Some(17));
    assert_eq!(explain::default_event(&records[..17]).map(RecordNo::index), Some(13));
    assert_eq!(explain::default_event(&[]), None);
}

#[test]
fn a_damaged_shape_is_found() {
    let timeline = small();
    assert_eq!(verify::shape(&timeline), []);
    let mut damaged = timeline.clone();
    damaged.records[4].at = SimTime(1);
    damaged.records[6].because = Some(RecordNo::from_index(6));
    damaged.footer.records = 17;
    damaged.footer.at = SimTime(5);
    let told = timeline.footer.digest.to_string();
    let found: Vec<_> = verify::shape(&damaged).iter().map(ToString::to_string).collect();
    assert_eq!(
        found[..4],
        [
            "record 4 is earlier than the one before it",
            "record 6 names 6 as its cause, which is no earlier record",
            "the footer counts 17 records, and there are 19",
            "the footer is earlier than the last record",
        ]
    );
    assert!(found[4].starts_with(&format!("the footer's digest is {told}, and that of")));
    assert_eq!(found.len(), 5);
}

#[test]
fn the_first_difference_is_shown_with_what_is_around_it() {
    let left = small().records;
    assert_eq!(verify::first_difference(&left, &left, 2), None);
    let mut right = left.clone();
    right.truncate(12);
    right[11].at = SimTime(650_000_000);
    let difference = verify::first_difference(&left, &right, 2).expect("they differ");
    assert_eq!(difference.no.index(), 11);
    insta::assert_debug_snapshot!(difference);
}
