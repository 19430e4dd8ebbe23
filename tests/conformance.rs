//! The recorded cases: what SwarmKit did, the model does.

use std::collections::BTreeMap;
use std::path::Path;

use swarmsim::conform::case::Case;
use swarmsim::conform::compare::{Verdict, compare};
use swarmsim::conform::event::{Event, What};
use swarmsim::conform::read::{Input, open};
use swarmsim::conform::replay::{replay, replay_under};
use swarmsim::sim::race::RaceOrder;
use swarmsim::swarmkit::task::{TaskState, UpdateState};

/// Cases whose several runs differed, where the usual order has another outcome than most runs had.
/// (All of these outcomes were recorded; only their frequency differs.)
const UNUSUAL: &[&str] = &[
    "replicas-image-and-down-none",
    "ties-fail-at-update",
    "random-0021",
    "random-0022",
    "random-0045",
    "random-0109",
    "random-0145",
    "random-0151",
    "random-0196",
    "random-0239",
];

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(file);
    let documents = open(&path).expect("the cases are there");
    let case = |document| match document {
        Ok(Input::Case(case)) => *case,
        _ => panic!("{file} holds cases only"),
    };
    documents.map(case).collect()
}

fn case(id: &str) -> Case {
    let found = cases("hand.jsonl.gz").into_iter().find(|case| case.id == id);
    found.unwrap_or_else(|| panic!("there is no case {id}"))
}

/// How many cases conform under each order that was needed.
fn orders(cases: &[Case]) -> BTreeMap<&'static str, usize> {
    let mut orders = BTreeMap::new();
    for case in cases {
        let replayed = replay(case);
        if matches!(replayed.verdict, Verdict::Conforms { .. }) {
            *orders.entry(replayed.order).or_default() += 1;
        }
    }
    orders
}

#[test]
fn the_page_has_the_race_orders() {
    let all: Vec<Case> =
        cases("hand.jsonl.gz").into_iter().chain(cases("random.jsonl.gz")).collect();
    let orders = orders(&all);
    let page = include_str!("../docs/conformance.md");
    let usual = orders["default"];
    let sum: usize = orders.values().sum();
    let mut rows = vec![format!("| conformance cases | {} | {sum} | {usual} |", all.len())];
    rows.extend(orders.iter().map(|(order, cases)| format!("| `{order}` | {cases} |")));
    for row in rows {
        assert!(page.contains(&row), "docs/conformance.md lacks the row\n{row}");
    }
}

/// Ids of the cases that no order tried reproduces.
fn differing(cases: &[Case]) -> Vec<&str> {
    let differs = |case: &&Case| matches!(replay(case).verdict, Verdict::Differs(_));
    cases.iter().filter(differs).map(|case| case.id.as_str()).collect()
}

/// Of the cases that the usual order reproduces, those where that is not the usual outcome.
fn unusual(cases: &[Case]) -> Vec<&str> {
    let unusual = |case: &&Case| {
        let events = replay_under(case, &RaceOrder::usual(), false);
        matches!(compare(case, &events), Verdict::Conforms { outcome } if outcome != case.usual)
    };
    cases.iter().filter(unusual).map(|case| case.id.as_str()).collect()
}

#[test]
fn all_hand_written_cases_conform() {
    let cases = cases("hand.jsonl.gz");
    assert_eq!(cases.len(), 123);
    assert_eq!(differing(&cases), [""; 0]);
}

#[test]
fn all_random_cases_conform() {
    let cases = cases("random.jsonl.gz");
    assert_eq!(cases.len(), 500);
    assert_eq!(differing(&cases), [""; 0]);
}

#[test]
fn the_usual_order_has_the_usual_outcome() {
    let cases: Vec<Case> =
        cases("hand.jsonl.gz").into_iter().chain(cases("random.jsonl.gz")).collect();
    assert_eq!(unusual(&cases), UNUSUAL);
}

/// Outcomes of a case by the orders that lead to them.
fn outcomes(case: &Case) -> BTreeMap<usize, Vec<&'static str>> {
    let mut outcomes: BTreeMap<usize, Vec<&'static str>> = BTreeMap::new();
    for order in RaceOrder::all() {
        let events = replay_under(case, &order, false);
        if let Verdict::Conforms { outcome } = compare(case, &events) {
            outcomes.entry(outcome).or_default().push(order.name());
        }
    }
    outcomes
}

#[test]
fn both_outcomes_of_the_rollback_race_are_reproduced() {
    let case = case("rollback-auto");
    let found = outcomes(&case);
    let recorded: Vec<usize> = (0..case.expect.len()).collect();
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), recorded);
    assert!(found[&case.usual].contains(&"default"), "{found:?}");
    let other = 1 - case.usual;
    assert!(found[&other].contains(&"orchestrator-last"), "{found:?}");
    // They part over the replacement of the failed task: from the bad image, or the restored one.
    let replacement = |order: &RaceOrder| {
        replay_under(&case, order, false).into_iter().find_map(|event| match event.what {
            What::TaskNew(task) if task.id == "2.3" => Some(task.img),
            _ => None,
        })
    };
    let named = |name| RaceOrder::all().into_iter().find(|order| order.name() == name);
    assert_eq!(replacement(&RaceOrder::usual()).as_deref(), Some("v2"));
    let other = named("orchestrator-last").expect("it is one of them");
    assert_eq!(replacement(&other).as_deref(), Some("v1"));
}

#[test]
fn one_event_changed_is_a_difference() {
    let case = case("rollback-auto");
    let events = replay_under(&case, &RaceOrder::usual(), false);
    let differs = |events: &[Event]| matches!(compare(&case, events), Verdict::Differs(_));
    assert!(!differs(&events));
    let (mut tried, mut last) = (0, None);
    for (place, event) in events.iter().enumerate() {
        if event.at > case.end || event.normal_form().is_none() {
            continue;
        }
        let mut without = events.clone();
        without.remove(place);
        assert!(differs(&without), "without {event:?}");
        let mut later = events.clone();
        later[place].at.0 += 1;
        assert!(differs(&later), "a nanosecond later: {event:?}");
        let mut other = events.clone();
        match &mut other[place].what {
            What::Task(task) => task.obs = Some(TaskState::Orphaned),
            What::TaskNew(task) => task.des = TaskState::Remove,
            What::Service(service) => service.status = Some(UpdateState::Paused),
            _ => continue,
        }
        assert!(differs(&other), "changed: {event:?}");
        (tried, last) = (tried + 1, Some(event.at));
    }
    assert!(tried > 20 && last.is_some(), "{tried} events");
}
