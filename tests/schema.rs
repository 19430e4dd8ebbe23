//! The JSON Schema of scenarios and the reader know the same keys.

use std::collections::BTreeSet;

use serde_json::Value;
use support::swarmsim;
use swarmsim::scenario::load;

mod support;

/// A definition, and a scenario with a key in that place that nobody knows.
const PLACES: [(&str, &str); 21] = [
    ("", "script: []\nqqqqqqqq: 1"),
    ("cluster", "script: []\ncluster: {qqqqqqqq: 1}"),
    ("node", "script: []\ncluster: {nodes: [{role: manager, qqqqqqqq: 1}]}"),
    ("latencies", "script: []\ncluster: {latency: {qqqqqqqq: 1}}"),
    ("quantity", "script: []\ncluster: {request: {uniform: [1s, 2s], qqqqqqqq: 1}}"),
    ("image", "script: []\nimages: {a: {qqqqqqqq: 1}}"),
    ("healthcheck", "script: []\nimages: {a: {healthcheck: {qqqqqqqq: 1}}}"),
    ("exit", "script: []\nimages: {a: {exit: {after: 1s, code: 1, qqqqqqqq: 1}}}"),
    ("sigterm", "script: []\nimages: {a: {sigterm: {qqqqqqqq: 1}}}"),
    ("crash_rate", "script: []\nimages: {a: {crash_rate: {mean: 1s, qqqqqqqq: 1}}}"),
    ("health", "script: []\nimages: {a: {health: {ok_until: 1s, qqqqqqqq: 1}}}"),
    ("step", "script: [{run: docker service ls, qqqqqqqq: 1}]"),
    ("wait", "script: [{wait: {settled: 1s, qqqqqqqq: 1}}]"),
    ("traffic", "script: []\ntraffic: [{port: 80, rate: 1/s, qqqqqqqq: 1}]"),
    ("fault", "script: []\nfaults: [{at: 1s, leader: change, qqqqqqqq: 1}]"),
    (
        "waves",
        "script: [docker service create --name w a]\n\
        expect: [{service: w, waves: {qqqqqqqq: 1}}]",
    ),
    (
        "expect_service",
        "script: [docker service create --name w a]\nexpect: [{service: w, qqqqqqqq: 1}]",
    ),
    (
        "expect_requests",
        "script: [docker service create --name w a]\nexpect: [{requests: w, qqqqqqqq: 1}]",
    ),
    ("expect_step", "script: [docker service ls]\nexpect: [{step: 1, qqqqqqqq: 1}]"),
    ("expect_laws", "script: [docker service ls]\nexpect: [{laws_broken: [], qqqqqqqq: 1}]"),
    ("limits", "script: []\nlimits: {qqqqqqqq: 1}"),
];

fn schema() -> Value {
    let printed = swarmsim(&["schema"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&printed.stdout).unwrap()
}

/// The properties of a definition, or of the one of its alternatives that is an object of known
/// keys.
fn properties(schema: &Value, definition: &str) -> BTreeSet<String> {
    let place = if definition.is_empty() { schema } else { &schema["$defs"][definition] };
    let alternatives = place["anyOf"].as_array().into_iter().flatten();
    let object = [place]
        .into_iter()
        .chain(alternatives)
        .find(|place| place["properties"].is_object())
        .unwrap_or_else(|| panic!("{definition} is no object"));
    assert_eq!(object["additionalProperties"], false, "{definition}");
    object["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_schema_knows_the_keys_that_the_reader_knows() {
    let schema = schema();
    for (definition, text) in PLACES {
        let problems = load(&format!("name: a\n{text}\n")).unwrap_err();
        let hint = problems.0.iter().find_map(|problem| {
            let keys = problem.hint.as_deref()?.strip_prefix("the keys are ")?;
            problem.message.contains("qqqqqqqq").then_some(keys)
        });
        let hint = hint.unwrap_or_else(|| panic!("{definition}: {problems:?}"));
        let known: BTreeSet<String> = hint.split(", ").map(str::to_string).collect();
        assert_eq!(properties(&schema, definition), known, "{definition}");
    }
}

/// Every object of known keys is compared above, and every reference leads somewhere.
#[test]
fn nothing_in_the_schema_is_left_out() {
    let schema = schema();
    let text = schema.to_string();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let closed = definition.to_string().contains("\"additionalProperties\":false");
        let compared = PLACES.iter().any(|(place, _)| place == name);
        assert_eq!(closed, compared, "{name}");
        assert!(text.contains(&format!("\"#/$defs/{name}\"")), "{name} is used nowhere");
    }
    for reference in text.split("\"#/$defs/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schema["$defs"][name].is_object(), "{name}");
    }
}
