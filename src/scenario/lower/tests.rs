use proptest::prelude::*;

use crate::scenario::{load, load_with};

/// Every shipped scenario is valid, opens with its question, and bears its file's name.
#[test]
fn shipped_scenarios_are_valid() {
    let mut count = 0;
    for entry in std::fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        // The museum has a test of its own.
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.display().to_string();
        match load(&text) {
            Ok(scenario) => {
                assert_eq!(format!("scenarios/{}.yaml", scenario.name), name);
                assert!(scenario.question.ends_with('?'), "{name}: {}", scenario.question);
                for word in ["# Expectation: ", "# Vary: "] {
                    assert!(text.contains(word), "{name} lacks {word}");
                }
            }
            Err(problems) => panic!("{}", problems.render(&name, &text)),
        }
        count += 1;
    }
    assert!(count >= 9, "only {count} scenarios");
}

fn mistakes(text: &str) -> String {
    match load(text) {
        Ok(_) => "no mistakes\n".to_string(),
        Err(problems) => problems.render("a.yaml", text),
    }
}

#[test]
fn mistakes_in_the_frame() {
    insta::assert_snapshot!(mistakes(
        "nmae: a
seed: -1
cluster:
  engine: 27
  nodes:
    - {name: a, role: worker, cpus: two, memory: 8, availability: drained}
    - {name: a, labels: [ssd], latency: {stop: {unifrom: [1s, 2s]}}}
    - {latency: {pull: {uniform: [2s, 1s]}, start: {quantiles: [1s, 2s]}}}
  task_history_limit: many
  request: [1s, 2s]
watch: 30
limits: {time: -1h, events: 1e9, tasks: 99999999999999999999}
"
    ));
    insta::assert_snapshot!(mistakes("- a\n"));
    insta::assert_snapshot!(mistakes("name:\nscript: {}\ncluster: {nodes: [{role: worker}]}\n"));
}

#[test]
fn mistakes_in_images() {
    insta::assert_snapshot!(mistakes(
        "name: a
images:
  web: {health: okay, serves_after: 10}
  web:latest: {}
  web:2: {like: web:3, sigterm: ignore, command: missing}
  web:3: {like: web:2}
  web:4: {like: wbe:2, present: {node-9: true, node-1: maybe}}
  web:5: {exit: {after: 1d}, only_slots: [0], crash_rate: {code: 300}}
  web:6: {healthcheck: {intervall: 5s, retries: 0, timeout: 1000000h}}
  web:7: {health: {pattern: '012'}, sigterm: {code: 1}, exit: 3}
  web:8: {health: {ok_until: 1s, pattern: '1'}}
script: []
"
    ));
}

#[test]
fn mistakes_in_the_script_and_traffic() {
    insta::assert_snapshot!(mistakes(
        "name: a
script:
  - dokcer service ls
  - docker servcie ls
  - docker ps
  - docker service create --name 'web
  - {run: docker service create --name web nginx, as: 7}
  - {run: docker service ls, as: x}
  - {run: docker service ls, as: x, att: 5s}
  - {wait: convergd}
  - {wait: 10}
  - {wait: 5s, at: 3s}
  - {wait: {state: [paused, done], service: wbe}}
  - {wait: {until: converged, settled: 5s}}
  - {wait: 1s, run: docker service ls}
  - curl localhost:80
  - curl http://localhost:99999/
  - curl http://localhost/ x0
  - [docker, service, ls]
traffic:
  - {port: 0, rate: 50}
  - {port: 80}
  - {port: 80, every: 0s, node: nod-1, from: 5s, until: 4s}
"
    ));
}

#[test]
fn mistakes_in_faults() {
    insta::assert_snapshot!(mistakes(
        "name: a
images: {web:1: {}}
script: [docker service create --name web web:1]
faults:
  - {at: 90s, node: worker-2, crash: true}
  - {node: node-1, crash: true}
  - {at: 1s, between: [1s, 2s], node: node-1, crash: yes}
  - {at: 1s, crash: true}
  - {at: 1s, service: wbe, slot: 0, kill: SIGKIL}
  - {at: 1s, service: web, kill: 9, for: 3s}
  - {at: 1s, image: web:2, health: fail}
  - {at: 1s, image: web:1}
  - {at: 1s, image: web:1, pull: slow, health: ok}
  - {between: [60s, 10s], leader: change}
  - {at: 1s, registry: up}
  - {at: 1s, node: node-1, availability: drian}
"
    ));
}

#[test]
fn mistakes_in_expectations() {
    insta::assert_snapshot!(mistakes(
        "name: a
images: {web:1: {}}
script:
  - {run: docker service create --name web web:1, as: create}
  - {wait: converged, as: up}
expect:
  - {service: web, runing: 2}
  - {service: web}
  - {service: wbe, running: two}
  - {service: web, update: rolledback, always: true}
  - {service: web, image: web:11, previous_image: none, since: up, after: create}
  - {service: web, during: creat, running: 1}
  - {service: web, during: 3, since: up, running: 1}
  - {service: web, waves: {sizes: [2, 0]}}
  - {service: web, states: [running, ready]}
  - {requests: web, failed: none}
  - {step: create, exit: 256, prints: [a, []]}
  - {service: web, step: create, exit: 0}
  - {laws_broken: one}
  - {failed: 0}
"
    ));
}

#[test]
fn mistakes_of_overrides_come_together() {
    let sets = ["seed".to_string(), "images.x.y=1".to_string()];
    let text = "name: a\nscript: []\n";
    let problems = load_with(text, &sets).unwrap_err();
    insta::assert_snapshot!(problems.render("a.yaml", text));
    let problems = load_with(text, &["sede=1".to_string()]).unwrap_err();
    insta::assert_snapshot!(problems.render("a.yaml", text));
}

/// Two mistakes that people make do not make a third.
#[test]
fn a_service_of_a_misspelt_line_is_not_missed() {
    let text = "name: a\nscript: [dcoker service create --name web nginx]\n\
                expect: [{service: web, running: 1}]\n";
    assert_eq!(load(text).unwrap_err().0.len(), 1);
}

#[test]
fn the_question_is_read_from_the_comment() {
    let question = |comment: &str| {
        let text = format!("{comment}\nname: a\nscript: []\n");
        load(&text).unwrap().question
    };
    assert_eq!(question("# Question: who\n#   is it?\n# Vary: x"), "who is it?");
    assert_eq!(question("# who is it?\n#\n# more"), "who is it?");
    assert_eq!(question("# A file.\n# Question: who?\n"), "who?");
    assert_eq!(question(""), "");
}

/// The examples of the reference: a block marked `yaml` is a whole file, one marked `yaml NAME` is
/// the section of that name in a file that has all the names which the examples use.
#[test]
fn examples_of_the_reference_are_valid() {
    let document = include_str!("../../../docs/scenario.md");
    let mut blocks = 0;
    let mut rest = document;
    while let Some((_, after)) = rest.split_once("\n```yaml") {
        let (mark, after) = after.split_once('\n').unwrap();
        let (block, after) = after.split_once("\n```").unwrap();
        rest = after;
        blocks += 1;
        let text = whole_file(mark.trim(), block);
        if let Err(problems) = load(&text) {
            panic!("an example of {mark:?}:\n{}", problems.render("docs/scenario.md", &text));
        }
    }
    assert!(blocks >= 8, "only {blocks} examples");
}

fn whole_file(section: &str, block: &str) -> String {
    if section.is_empty() {
        return block.to_string();
    }
    let mut file = format!("name: example\n{section}:\n");
    for line in block.lines() {
        file.push_str("  ");
        file.push_str(line);
        file.push('\n');
    }
    for (name, text) in [
        ("cluster", "  nodes: 2\n"),
        ("images", "  shop/web:1: {}\n  shop/web:2: {}\n"),
        (
            "script",
            "  - {run: docker service create --name web shop/web:1, as: create}\n  \
             - {run: docker service update --image shop/web:2 web, as: update}\n",
        ),
    ] {
        if name != section {
            file = format!("{file}{name}:\n{text}");
        }
    }
    file
}

/// Whatever is made of the language's own words, there is a model or there are problems.
fn yaml_like() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "name",
        "seed",
        "cluster",
        "nodes",
        "images",
        "script",
        "faults",
        "expect",
        "watch",
        "limits",
        "traffic",
        "like",
        "a",
        "health",
        "service",
        "step",
        "wait",
        "run",
        "as",
        "at",
        "between",
        "node",
        "crash",
        "port",
        "rate",
        "kill",
        "since",
        "10s",
        "-1",
        "99999999999999",
        "NaN",
        "true",
        "null",
        "x.y",
        "docker service create --name a",
        "'",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "- ",
        "\n",
        "\n  ",
        ": ",
        "&a ",
        "*a ",
        "curl http://a",
        "latency",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

fn nested() -> impl Strategy<Value = String> {
    let word = "[a-z]{1,4}|[0-9]{1,3}(ms|s|)|-?[0-9]{1,25}|true|null|''";
    let key = prop::sample::select(vec![
        "name", "cluster", "nodes", "images", "script", "faults", "expect", "watch", "service",
        "limits", "traffic", "like", "health", "exit", "wait", "run", "as", "at", "node", "crash",
        "port", "rate", "kill", "since", "waves", "pull", "latency", "present", "state", "labels",
    ]);
    word.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map(key.clone(), inner, 0..6).prop_map(|map| {
                let entries: Vec<String> =
                    map.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_words_panic(text in yaml_like()) {
        let _ = load(&text).map_err(|problems| problems.render("f", &text));
    }

    #[test]
    fn no_tree_panics(text in nested()) {
        let _ = load(&text).map_err(|problems| problems.render("f", &text));
    }

    #[test]
    fn no_override_panics(set in "[a-z.=\\[{1-9-]{0,20}") {
        let text = "name: a\nscript: [docker service ls]\nexpect: []\n";
        let _ = load_with(text, &[set, "script.1.--a=b".to_string()]);
    }
}
