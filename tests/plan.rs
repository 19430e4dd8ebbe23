//! `swarmsim plan`: what changes restarts what the rule says, a forecast is what runs do, and every
//! way to fail ends as can be reckoned by hand.

#[path = "plan/explain.rs"]
mod explain;
mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::{Output, Place, blocks, is_as_shown, swarmsim};

use swarmsim::compose::run::{Request, Stack, load};
use swarmsim::plan::forecast::{Room, forecast, run};
use swarmsim::plan::range::Range;
use swarmsim::plan::stage::{Base, Case, Deploy};

const WEB: &[&str] = &["plan", "stacks/web.yml", "--image", "web=shop/web:1.5"];

fn with<'a>(front: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [front, more].concat()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

#[test]
fn a_plan_for_people() {
    let web = swarmsim(WEB);
    assert_eq!(web.code, Some(0), "{}", web.stderr);
    insta::assert_snapshot!("web", web.stdout);
    let vote = swarmsim(&["plan", "stacks/vote.yml"]);
    assert_eq!(vote.code, Some(1), "{}", vote.stderr);
    insta::assert_snapshot!("vote", vote.stdout);
}

#[test]
fn a_plan_for_a_merge_request() {
    let web = swarmsim(&with(WEB, &["--format", "markdown"]));
    assert_eq!(web.code, Some(0));
    insta::assert_snapshot!("web-markdown", web.stdout);
}

#[test]
fn a_plan_for_programs() {
    let web = swarmsim(&with(WEB, &["--format", "json", "--runs", "3"]));
    assert_eq!(web.code, Some(0));
    insta::assert_snapshot!("web-json", web.stdout);
}

#[test]
fn every_format_of_every_shipped_stack_is_written() {
    for stack in ["stacks/web.yml", "stacks/vote.yml", "stacks/monitoring.yml"] {
        for format in ["text", "json", "markdown"] {
            let output = swarmsim(&["plan", stack, "--runs", "2", "--format", format]);
            assert!(matches!(output.code, Some(0 | 1)), "{stack} {format}: {output:?}");
            if format == "json" {
                assert_eq!(json(&output)["runs"], 2);
            }
        }
    }
}

#[test]
fn threads_make_no_difference_and_seeds_do() {
    let of = |more: &[&str]| swarmsim(&with(WEB, &with(&["--format", "json"], more)));
    let one = of(&["--threads", "1"]);
    assert_eq!(one, of(&["--threads", "4"]));
    assert_eq!(one, of(&["--seed", "3"]), "the file's seed");
    assert_ne!(one, of(&["--seed", "99"]));
}

/// A service with fixed latencies; `{}` stands for more of its keys.
const SERVICE: &str = "
services:
  web:
    image: app:1
    environment: [A=1]
    ports: ['80:80']
    deploy:
      replicas: 3
      labels: {team: one}
      placement: {constraints: [node.role == worker]}
      update_config: {delay: 1s}
x-swarmsim:
  cluster: {nodes: 3}
";

/// A plan from `SERVICE` to the same with one text replaced.
fn changed(from: &str, to: &str) -> (Value, Option<i32>) {
    assert!(SERVICE.contains(from), "{from}");
    let place = Place::new(&format!("plan-changed-{}", to.len() * 1000 + from.len()));
    place.write("old.yml", SERVICE);
    place.write("new.yml", SERVICE.replace(from, to));
    let arguments = ["plan", "new.yml", "--against", "old.yml", "--runs", "2", "--format", "json"];
    let output = place.swarmsim(&arguments);
    (json(&output), output.code)
}

/// What restarts by the table of semantics 3, and what the runs then do: an update only where tasks
/// restart.
#[test]
fn each_kind_of_change_restarts_what_the_rule_says() {
    let completed = Value::from("completed");
    for (from, to, restart, part, update) in [
        ("app:1", "app:2", "all", "task", &completed),
        ("A=1", "A=2", "all", "task", &completed),
        ("'80:80'", "'81:80'", "all", "endpoint", &completed),
        ("replicas: 3", "replicas: 5", "none", "mode", &Value::Null),
        ("team: one", "team: two", "none", "labels", &Value::Null),
        ("delay: 1s", "delay: 9s", "none", "update", &Value::Null),
        // All three run on the two workers, where they may stay.
        ("[node.role == worker]", "[node.role != manager]", "misplaced", "placement", &Value::Null),
        // Nobody may stay.
        ("[node.role == worker]", "[node.role == manager]", "misplaced", "placement", &completed),
    ] {
        let (plan, code) = changed(from, to);
        let service = &plan["services"][0];
        assert_eq!(service["restart"], restart, "{to}: {service}");
        let fields = service["fields"].as_array().expect("a list");
        assert!(!fields.is_empty() && fields.iter().all(|f| f["part"] == part), "{to}: {service}");
        let seen = &plan["good"]["services"][0];
        assert_eq!(&seen["updates"][0]["state"], update, "{to}: {seen}");
        let new = if to == "replicas: 5" { 2 } else { 3 * u64::from(update == &completed) };
        assert_eq!(seen["new_tasks"]["high"], new, "{to}: {seen}");
        assert_eq!(plan["good"]["client"]["exits"][0]["code"], 0, "{to}");
        // Without a health check a version that never serves is not noticed.
        assert_eq!(code, Some(i32::from(restart == "all")), "{to}");
        // What cannot be missing is not: the image is the old one.
        let missing = plan["bad"].as_array().expect("a list").iter();
        let missing = missing.filter(|bad| bad["mode"] == "image-missing").count();
        assert_eq!(missing, usize::from(to == "app:2"), "{to}");
    }
}

#[test]
fn nothing_changed_is_left_alone() {
    let (plan, code) = changed("app:1", "app:1");
    assert_eq!((code, &plan["answer"]), (Some(0), &Value::from("yes")));
    assert_eq!(plan["services"][0]["restart"], "none");
    assert_eq!(plan["bad"].as_array().map(Vec::len), Some(0));
}

/// Three replicas, one at a time, watched for ten seconds; `{order}` and `{action}` are replaced.
/// A probe every two seconds takes its 50 ms, two failures make a container unhealthy.
const WATCHED: &str = "
services:
  web:
    image: app:1
    ports: ['80:80']
    healthcheck: {test: check, interval: 2s, timeout: 1s, retries: 2}
    deploy:
      replicas: 3
      update_config: {order: ORDER, failure_action: ACTION, monitor: 10s}
x-swarmsim:
  cluster: {nodes: 3}
  images: {app:1: {serves_after: 1s}, app:2: {like: 'app:1'}}
  traffic: [{port: 80, every: 200ms}]
";

fn watched(name: &str, order: &str, action: &str, more: &[&str]) -> (Value, Option<i32>) {
    let place = Place::new(&format!("plan-{name}"));
    place.write("s.yml", WATCHED.replace("ORDER", order).replace("ACTION", action));
    let front = ["plan", "s.yml", "--image", "web=app:2", "--runs", "9", "--format", "json"];
    let output = place.swarmsim(&with(&front, more));
    (json(&output), output.code)
}

/// The forecast of one mode.
fn mode<'p>(plan: &'p Value, mode: &str) -> &'p Value {
    let all = plan["bad"].as_array().expect("a list");
    all.iter().find(|bad| bad["mode"] == mode).unwrap_or_else(|| panic!("{mode} is not there"))
}

/// Lowest and highest of a number, in tenths of a second.
fn tenths(number: &Value) -> (i64, i64) {
    let of = |key: &str| number[key].as_i64().expect("a number") / 100_000_000;
    (of("low"), of("high"))
}

fn lies(number: &Value, from: i64, to: i64) {
    let (low, high) = tenths(number);
    assert!(from <= low && high <= to, "{low} to {high}, not {from} to {to}: {number}");
}

/// A count lies between two.
fn between(number: &Value, low: i64, high: i64) {
    let of = |key: &str| number[key].as_i64().expect("a number");
    assert!(low <= of("low") && of("high") <= high, "not {low} to {high}: {number}");
}

fn state(bad: &Value) -> &str {
    assert_eq!(bad["updates"].as_array().map(Vec::len), Some(1), "{bad}");
    bad["updates"][0]["state"].as_str().expect("a state")
}

fn exit(bad: &Value) -> i64 {
    assert_eq!(bad["client"]["exits"].as_array().map(Vec::len), Some(1), "{bad}");
    bad["client"]["exits"][0]["code"].as_i64().expect("a code")
}

/// Start-first with a rollback: the old replica of a slot stays until the new one is healthy, so
/// nobody is ever missing, and a failure before that counts whatever the monitor.
#[test]
fn start_first_with_a_rollback_withstands_what_fails_from_the_start() {
    let (plan, code) = watched("rollback", "start-first", "rollback", &[]);
    assert_eq!(code, Some(0), "{}", plan["answer"]);
    let good = &plan["good"]["services"][0];
    // Three slots of 2 s to the first probe, three times up to 0.6 s of Swarm and container, and
    // the ten seconds of the monitor. Two seconds after its stop each old replica is gone.
    lies(&good["took_ns"], 165, 185);
    assert_eq!((&good["least"]["low"], &good["requests_lost"]), (&3.into(), &0.into()));
    assert!(good["requests"].as_i64() > Some(9 * 200), "{good}");
    // A slot takes 2.5 s and the end of its old task more than 3 s: while the third slot begins,
    // the old tasks of the first and the second are still there.
    assert_eq!(good["extra_tasks"], 3);
    for required in ["image-missing", "exits-at-once", "never-healthy", "slow-start"] {
        let bad = mode(&plan, required);
        assert_eq!((&bad["verdict"], state(bad)), (&"caught".into(), "rollback_completed"));
        assert_eq!((&bad["least"]["low"], &bad["on_bad"]["high"]), (&3.into(), &0.into()), "{bad}");
        // The failure and the worker that is free for the next slot are seen at the same moment:
        // which comes first is chance, so that a second slot may be reached.
        between(&bad["reached"], 1, 2);
        assert_eq!(exit(bad), 0, "{bad}");
        assert_eq!(bad["whole_after_ns"]["high"], 0, "{bad}");
    }
    // A pull that fails takes no time; an exit half a second after the start; two probes of 2 s.
    lies(&mode(&plan, "image-missing")["detected_ns"], 0, 6);
    lies(&mode(&plan, "exits-at-once")["detected_ns"], 6, 14);
    lies(&mode(&plan, "never-healthy")["detected_ns"], 42, 70);
    // Healthy for a minute, the update over after twenty seconds: it stays.
    let sick = mode(&plan, "sick-later");
    assert_eq!((&sick["verdict"], state(sick)), (&"outage".into(), "completed"));
    assert_eq!((&sick["reached"]["low"], &sick["detected_ns"]), (&3.into(), &Value::Null));
    assert_eq!(exit(sick), 0);
}

/// A version that turns sick within the monitor is noticed, one that is slow by less than the
/// health check allows comes up.
#[test]
fn how_long_a_version_fails_or_is_slow_decides() {
    let more = ["--sick-after", "3s", "--slow-start", "1500ms"];
    let (plan, code) = watched("spans", "start-first", "rollback", &more);
    assert_eq!(code, Some(0));
    let sick = mode(&plan, "sick-later");
    // Running 2 s after the start, sick from 4 s on, two failed probes by 6.2 s, and the end of the
    // container. By then the third slot, at 2.5 s each, is done: all of them turn sick.
    assert_eq!(state(sick), "rollback_completed", "{sick}");
    lies(&sick["detected_ns"], 75, 100);
    assert_eq!((&sick["verdict"], &sick["reached"]["low"]), (&"outage".into(), &3.into()));
    assert_eq!((&sick["unnoticed_runs"], &sick["on_bad"]["high"]), (&0.into(), &0.into()));
    let slow = mode(&plan, "slow-start");
    // The probe at 2 s fails, the one at 4 s passes.
    assert_eq!((&slow["verdict"], state(slow)), (&"comes up".into(), "completed"), "{slow}");
    assert_eq!((&slow["on_bad"]["low"], &slow["least"]["low"]), (&3.into(), &3.into()));
    lies(&slow["took_ns"], 220, 250);
}

/// Stop-first with a pause: the slot that fails is lost, the others stay, and docker says so.
#[test]
fn stop_first_with_a_pause_loses_one_slot() {
    let (plan, code) = watched("pause", "stop-first", "pause", &[]);
    assert_eq!(code, Some(0), "{}", plan["answer"]);
    let good = &plan["good"]["services"][0];
    assert_eq!((&good["least"]["low"], &good["least"]["high"]), (&2.into(), &2.into()));
    for required in ["image-missing", "exits-at-once", "never-healthy"] {
        let bad = mode(&plan, required);
        assert_eq!((&bad["verdict"], state(bad)), (&"caught".into(), "paused"), "{bad}");
        assert_eq!((&bad["whole_after_ns"], exit(bad)), (&Value::Null, 1), "{bad}");
        // As above, a second slot may be reached.
        between(&bad["least"], 1, 2);
        between(&bad["reached"], 1, 2);
        between(&bad["on_bad"], 1, 2);
    }
}

/// `continue` counts nothing: every slot is replaced.
#[test]
fn to_continue_is_to_take_every_slot() {
    let (plan, code) = watched("continue", "stop-first", "continue", &[]);
    assert_eq!((code, &plan["answer"]), (Some(1), &"no".into()));
    let bad = mode(&plan, "exits-at-once");
    assert_eq!((&bad["verdict"], &bad["detected_ns"]), (&"outage".into(), &Value::Null));
    assert_eq!((&bad["reached"]["low"], &bad["on_bad"]["low"]), (&3.into(), &3.into()));
    // Nothing counts, so nobody notices that the new version never was.
    let (plan, code) = watched("continue-over", "start-first", "continue", &[]);
    let missing = mode(&plan, "image-missing");
    assert_eq!((code, &missing["detected_ns"]), (Some(1), &Value::Null), "{missing}");
    assert_ne!(missing["verdict"], "caught", "{missing}");
}

/// A first deploy, and services without replicas: nothing that could fail runs now.
#[test]
fn what_does_not_run_yet_does_not_fail() {
    let place = Place::new("plan-first");
    place.write("none.yml", "services: {}\n");
    place.write("s.yml", "services: {web: {image: 'app:1'}}\n");
    place.write("zero.yml", "services: {web: {image: 'app:1', deploy: {replicas: 0}}}\n");
    let against = ["plan", "s.yml", "--against", "none.yml", "--runs", "2"];
    for arguments in [&against[..], &["plan", "zero.yml", "--runs", "2"], &["plan", "none.yml"]] {
        let output = place.swarmsim(arguments);
        assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
        assert!(output.stdout.ends_with("Yes: it is rolled out.\n"), "{}", output.stdout);
    }
}

/// The printed scenario of a case is the run that was counted.
#[test]
fn a_case_can_be_run() {
    let place = Place::new("plan-scenario");
    place.write("s.yml", WATCHED.replace("ORDER", "start-first").replace("ACTION", "rollback"));
    let front = ["plan", "s.yml", "--image", "web=app:2", "--seed", "5"];
    let printed = place.swarmsim(&with(&front, &["--scenario", "web:never-healthy"]));
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    place.write("case.yaml", &printed.stdout);
    let ran = place.swarmsim(&["run", "case.yaml", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let update = &json(&ran)["services"][0]["updates"][0];
    assert_eq!(update["state"], "rollback_completed");
    let counted = place.swarmsim(&with(&front, &["--runs", "1", "--format", "json"]));
    let counted = json(&counted);
    // From the deploy to its request, and from one commit to the next.
    let took = mode(&counted, "never-healthy")["took_ns"]["median"].as_i64().expect("a number");
    let since = took - update["took_ns"].as_i64().expect("a number");
    assert!((0..100_000_000).contains(&since), "{since}");
    let good = place.swarmsim(&with(&front, &["--scenario", "good"]));
    place.write("good.yaml", &good.stdout);
    assert_eq!(place.swarmsim(&["check", "good.yaml"]).code, Some(0));
    let unknown = place.swarmsim(&with(&front, &["--scenario", "db:never-healthy"]));
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("with the services web and the modes"), "{}", unknown.stderr);
}

/// No room beside the old task, and no limit to the wait for it: docker hangs, and the plan does
/// not.
#[test]
fn what_cannot_be_rolled_out_is_said() {
    let place = Place::new("plan-stuck");
    let stack = "
services:
  web:
    image: app:1
    deploy:
      update_config: {order: start-first}
      resources: {reservations: {memory: 6G}}
x-swarmsim: {cluster: {nodes: 1}}
";
    place.write("s.yml", stack);
    let output = place.swarmsim(&["plan", "s.yml", "--runs", "2"]);
    assert_eq!(output.code, Some(6), "{}", output.stderr);
    assert!(output.stdout.contains("docker does not end"), "{}", output.stdout);
    assert!(output.stdout.ends_with("No: even the good version is not rolled out in every run.\n"));
    place.write("s.yml", stack.replace("nodes: 1", "nodes: 2"));
    let roomy = place.swarmsim(&["plan", "s.yml", "--runs", "2"]);
    assert_eq!(roomy.code, Some(1), "{}", roomy.stdout);
    assert!(roomy.stdout.contains("extra at the peak: 1 task, 6 GiB"), "{}", roomy.stdout);
}

/// Nobody serves while both replicas of two are replaced, and that long requests are lost: five in
/// a second, each counted by the balancer, which knows nothing of what is called serving here.
#[test]
fn what_does_not_serve_loses_requests() {
    let place = Place::new("plan-lost");
    let stack = "
services:
  web:
    image: app:1
    ports: ['80:80']
    deploy: {replicas: 2, update_config: {parallelism: 2}}
x-swarmsim:
  cluster: {nodes: 2}
  images: {app:1: {serves_after: 4s}, app:2: {like: 'app:1'}}
  traffic: [{port: 80, every: 200ms}]
";
    place.write("s.yml", stack);
    let front = ["plan", "s.yml", "--image", "web=app:2", "--format", "json", "--runs", "9"];
    let plan = json(&place.swarmsim(&front));
    let seen = &plan["good"]["services"][0];
    assert_eq!((&seen["least"]["high"], &seen["new_tasks"]["high"]), (&0.into(), &2.into()));
    // The old ones leave the balancer, two seconds and a stop later the new ones start, and serve
    // four seconds after that.
    lies(&seen["least_for_ns"], 60, 80);
    let lost = seen["requests_lost"].as_i64().expect("a number") * 10 / 9;
    let dark = seen["least_for_ns"]["median"].as_i64().expect("a number") / 20_000_000;
    assert!((lost - dark).abs() <= dark / 10, "{lost} and {dark} tenths of requests");
    let text = place.swarmsim(&["plan", "s.yml", "--image", "web=app:2", "--runs", "2"]).stdout;
    let told = "Even if all goes well there is a time at which no replica of s_web serves.\n";
    assert!(text.contains(told), "{text}");
}

/// What runs now, or is said to, does not come up: there is nothing to be deployed over.
#[test]
fn an_old_version_that_does_not_come_up_is_told() {
    let place = Place::new("plan-never-up");
    let block = "x-swarmsim: {images: {app:1: {present: false}}}";
    place.write("s.yml", format!("services: {{web: {{image: 'app:1'}}}}\n{block}\n"));
    let output = place.swarmsim(&["plan", "s.yml", "--image", "web=app:2", "--runs", "2"]);
    assert_eq!(output.code, Some(6), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("  the old stack does not come up: "), "{}", output.stdout);
}

/// What docker refuses is told with its words, in every format, and nothing is called caught that
/// was never deployed.
#[test]
fn what_docker_refuses_is_told() {
    let place = Place::new("plan-refused");
    place.write("old.yml", "services: {web: {image: 'app:1', ports: ['80:80']}}\n");
    let new = "services: {web: {image: 'app:2'}, two: {image: 'app:1', ports: ['80:80']}}\n";
    place.write("new.yml", new);
    let front = ["plan", "new.yml", "--against", "old.yml", "--runs", "2"];
    let text = place.swarmsim(&front);
    assert_eq!(text.code, Some(6), "{}{}", text.stdout, text.stderr);
    let says = "docker says: failed to create service new_two: Error response from daemon: ";
    assert!(text.stdout.contains(says), "{}", text.stdout);
    assert!(text.stdout.contains("  not tried   not noticed"), "{}", text.stdout);
    assert!(!text.stdout.contains("caught  "), "{}", text.stdout);
    let page = place.swarmsim(&with(&front, &["--format", "markdown"])).stdout;
    assert!(page.contains("* `docker says: failed to create service"), "{page}");
    let plan = json(&place.swarmsim(&with(&front, &["--format", "json"])));
    let said = plan["good"]["docker_says"]["text"].as_str().expect("a text");
    assert!(said.contains("port '80' is already in use"), "{said}");
    assert_eq!(
        (&plan["good"]["docker_says"]["runs"], &plan["answer"]),
        (&2.into(), &"stuck".into())
    );
}

/// A limit of the simulator is named, and what it ended has no answer.
#[test]
fn limits_that_end_runs_are_told() {
    let place = Place::new("plan-limits");
    let stack = "services: {web: {image: 'app:1', deploy: {replicas: 5}}}\n\
                 x-swarmsim: {limits: {tasks: 7}}\n";
    place.write("s.yml", stack);
    let front = ["plan", "s.yml", "--runs", "2"];
    let text = place.swarmsim(&front);
    assert_eq!(text.code, Some(6), "{}", text.stderr);
    let told = "  2 of 2 runs ended by the limit of tasks (limits in x-swarmsim)\n";
    assert!(text.stdout.contains(told), "{}", text.stdout);
    assert!(text.stdout.ends_with("Nobody knows: the simulator gave up before the end.\n"));
    let page = place.swarmsim(&with(&front, &["--format", "markdown"])).stdout;
    assert!(page.contains("**Nobody knows**") && page.contains("by the limit of tasks"), "{page}");
    let plan = json(&place.swarmsim(&with(&front, &["--format", "json"])));
    assert_eq!(
        (&plan["good"]["ended_by_limit"]["tasks"], &plan["answer"]),
        (&2.into(), &"unknown".into())
    );
    place.write("s.yml", stack.replace("tasks: 7", "events: 3"));
    let text = place.swarmsim(&front);
    assert_eq!(text.code, Some(6), "{}", text.stderr);
    assert!(text.stdout.contains("ended by the limit of events"), "{}", text.stdout);
}

/// What somebody may miss is a statement of its own: nobody has to be asked about a port that
/// another service takes over.
#[test]
fn what_is_gone_has_to_be_looked_at() {
    let place = Place::new("plan-look");
    let service = |name: &str, ports: &str, replicas: u64| {
        format!(
            "  {name}:\n    image: app:1\n    ports: [{ports}]\n    deploy: {{replicas: \
             {replicas}}}\n"
        )
    };
    place.write("old.yml", format!("services:\n{}", service("web", "'80:80', '81:81'", 3)));
    let front = ["plan", "new.yml", "--against", "old.yml", "--runs", "1"];
    for (new, looks) in [
        (service("web", "'80:80', '81:81'", 2), vec![]),
        (
            service("web", "'80:80', '81:81'", 0),
            vec!["new_web goes from 3 replicas to 0: nothing of it runs then"],
        ),
        (
            service("web", "'80:80'", 0),
            vec![
                "new_web goes from 3 replicas to 0: nothing of it runs then",
                "new_web published port 81/tcp, and nobody does any more",
            ],
        ),
    ] {
        place.write("new.yml", format!("services:\n{new}"));
        let plan = json(&place.swarmsim(&with(&front, &["--format", "json"])));
        assert_eq!(plan["looks"], Value::from(looks.clone()), "{new}");
        let text = place.swarmsim(&front);
        let first = text.stdout.lines().find(|line| line.starts_with("Look: "));
        assert_eq!(first.is_some(), !looks.is_empty(), "{}", text.stdout);
        if looks.is_empty() {
            continue;
        }
        assert_eq!((&plan["answer"], text.code), (&"look".into(), Some(0)), "{}", text.stdout);
        assert!(text.stdout.ends_with("Apart from that it is rolled out.\n"), "{}", text.stdout);
        let page = place.swarmsim(&with(&front, &["--format", "markdown"])).stdout;
        assert!(page.contains("**Look**: it is rolled out"), "{page}");
    }
}

/// A version that turns sick again and again is never whole, however long one looks.
#[test]
fn a_version_that_comes_and_goes_is_not_whole() {
    let place = Place::new("plan-flaps");
    let stack = "
services:
  web:
    image: app:1
    healthcheck: {test: check, interval: 1s, timeout: 1s, retries: 2}
    stop_grace_period: 1s
    deploy: {replicas: 2, restart_policy: {delay: 1s}, update_config: {parallelism: 2}}
";
    place.write("s.yml", stack);
    let front = ["plan", "s.yml", "--runs", "5", "--sick-after"];
    // Whatever part of its life such a version is in when the forecast ends.
    for sick in ["7s", "8s", "9s", "10s", "11s", "12s"] {
        let plan = json(&place.swarmsim(&with(&front, &[sick, "--format", "json"])));
        let bad = mode(&plan, "sick-later");
        assert_eq!(
            (&bad["whole_after_ns"], &bad["comes_and_goes_runs"]),
            (&Value::Null, &5.into())
        );
    }
    let text = place.swarmsim(&with(&front, &["10s"])).stdout;
    assert!(text.contains("whole for a while, and never for good\n"), "{text}");
}

/// What runs serves when the deploy is typed, however slowly it came up.
#[test]
fn the_old_version_serves_before_it_is_replaced() {
    let place = Place::new("plan-slow-old");
    let stack = "
services:
  web:
    image: app:1
    healthcheck: {test: check, interval: 2s, timeout: 1s, retries: 30}
    deploy: {replicas: 2, update_config: {order: start-first}}
x-swarmsim: {images: {app:1: {serves_after: 20s}, app:2: {like: 'app:1'}}}
";
    place.write("new.yml", stack.replace("app:1\n", "app:2\n"));
    let old = stack.lines().filter(|line| !line.contains("healthcheck"));
    place.write("old.yml", old.collect::<Vec<_>>().join("\n"));
    let line = ["plan", "new.yml", "--against", "old.yml", "--runs", "3", "--format", "json"];
    let plan = json(&place.swarmsim(&line));
    let least = &plan["good"]["services"][0]["least"];
    assert_eq!((&least["low"], &least["high"]), (&2.into(), &2.into()), "{plan}");
}

/// The stack's name is the file's, or another.
#[test]
fn a_stack_can_have_another_name() {
    let place = Place::new("plan-name");
    place.write("docker-compose.yml", "services: {web: {image: 'app:1'}}\n");
    let front = ["plan", "docker-compose.yml", "--runs", "1"];
    let usual = place.swarmsim(&front).stdout;
    assert!(usual.starts_with("docker-compose.yml: deployed as stack over "), "{usual}");
    let shop = place.swarmsim(&with(&front, &["--name", "shop", "--image", "shop_web=app:2"]));
    assert_eq!(shop.code, Some(1), "{}", shop.stderr);
    assert!(shop.stdout.contains("  shop_web  all tasks restart\n"), "{}", shop.stdout);
    let wrong = place.swarmsim(&with(&front, &["--name", "a shop"]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("--name a shop: a stack's name has letters"), "{}", wrong.stderr);
}

/// Jobs do not serve, and end by themselves.
#[test]
fn a_stack_with_a_job() {
    let place = Place::new("plan-job");
    let stack = "
services:
  migrate:
    image: job:1
    deploy: {mode: replicated-job, restart_policy: {condition: on-failure}}
  web:
    image: app:1
";
    place.write("s.yml", stack);
    let output = place.swarmsim(&["plan", "s.yml", "--runs", "2", "--format", "json"]);
    let plan = json(&output);
    assert_eq!(plan["good"]["client"]["exits"][0]["code"], 0, "{plan}");
    let services = plan["bad"].as_array().expect("a list").iter().map(|bad| &bad["service"]);
    assert!(services.clone().count() > 0 && services.into_iter().all(|name| name == "s_web"));
}

#[test]
fn services_that_come_and_go_are_told() {
    let place = Place::new("plan-come-and-go");
    place.write("old.yml", "services: {web: {image: 'app:1'}, gone: {image: 'app:1'}}");
    place.write("new.yml", "services: {web: {image: 'app:1'}, born: {image: 'app:1'}}");
    let output = place.swarmsim(&["plan", "new.yml", "--against", "old.yml", "--runs", "2"]);
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    for line in [
        "  new_born  is created: nothing watches it, nothing can be rolled back\n",
        "  new_gone  is not in the new file: without --prune it stays\n",
        "  left alone: new_web\n",
    ] {
        assert!(output.stdout.contains(line), "{}", output.stdout);
    }
}

/// All mistakes of both files, with their places.
#[test]
fn mistakes_of_both_files_are_told_at_once() {
    let place = Place::new("plan-mistakes");
    place.write("new.yml", "services:\n  web:\n    image: app:2\n    prots: ['80:80']\n");
    place.write("old.yml", "services:\n  web:\n    image: app:1\n    deploy: {replicas: x}\n");
    let output = place.swarmsim(&["plan", "new.yml", "--against", "old.yml"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""));
    assert!(output.stderr.contains("new.yml:4:5: "), "{}", output.stderr);
    assert!(output.stderr.contains("old.yml:4:24: "), "{}", output.stderr);
    let missing = place.swarmsim(&["plan", "new.yml", "--against", "none.yml"]);
    assert_eq!(missing.code, Some(7), "{}", missing.stderr);
    assert!(missing.stderr.contains("new.yml:4:5: ") && missing.stderr.contains("none.yml"));
}

#[test]
fn wrong_arguments_are_told_at_once() {
    let wrong = swarmsim(&[
        "plan",
        "stacks/web.yml",
        "--image",
        "wbe=app:2",
        "--image",
        "web=A:",
        "--image",
        "web",
    ]);
    assert_eq!(wrong.code, Some(2));
    let told = "error: --image wbe=app:2: there is no service wbe; did you mean web?\n\
                error: --image web=A:: A: is no image reference\n\
                error: --image web: SERVICE=IMAGE was expected\n";
    assert_eq!(wrong.stderr, told);
    let scenario = swarmsim(&["plan", "scenarios/whoami-autorollback.yaml"]);
    assert_eq!(scenario.code, Some(3));
    assert!(scenario.stderr.contains("is no stack file"), "{}", scenario.stderr);
    assert_eq!(swarmsim(&["plan", "stacks/web.yml", "--sick-after", "0s"]).code, Some(2));
    assert_eq!(swarmsim(&["plan", "stacks/web.yml", "--runs", "0"]).code, Some(2));
}

/// Variables, anchors, merge keys, floats and dollar signs come through the copy that is deployed:
/// what is not changed is left alone.
#[test]
fn the_deployed_copy_is_the_file() {
    let place = Place::new("plan-copy");
    place.write("extra.env", "FROM_FILE=it's $HOME\n");
    let stack = "
version: '3.8'
x-base: &base
  logging: {driver: json-file, options: {max-size: 10m}}
  env_file: extra.env
services:
  web:
    <<: *base
    image: app:${TAG:-1}
    command: [sh, -c, 'echo $$HOME ${WHO}']
    environment: {N: 1.50, YES: yes, EMPTY: , OCT: 010}
    deploy:
      update_config: {max_failure_ratio: 0.2}
      resources: {limits: {cpus: '0.5'}}
    labels: {a: \"line\\nbreak: {x}\", 'on': off}
x-swarmsim: {environment: {WHO: me, EMPTY: full}}
";
    place.write("s.yml", stack);
    let front = ["plan", "s.yml", "--against", "s.yml", "--runs", "1"];
    let same = place.swarmsim(&front);
    assert!(same.stdout.contains("left alone: s_web"), "{}{}", same.stdout, same.stderr);
    // What the run deploys is what the file says: another deploy of it changes nothing.
    let good = place.swarmsim(&with(&front, &["--scenario", "good"])).stdout;
    let mut case: Value = Value::Null;
    if let Some(line) = good.lines().find(|line| line.starts_with("  \"after.yml\": ")) {
        case = serde_json::from_str(&line["  \"after.yml\": ".len()..]).expect("a text");
    }
    let written = case.as_str().expect("a text");
    place.write("copy.yml", written);
    let spec = |file: &str| {
        place.write(
            "t.yaml",
            format!(
                "name: t\nenvironment: {{WHO: me, EMPTY: full}}\nscript:\n- docker stack \
             deploy -c {file} s\n- wait: converged\n- docker service inspect s_web\n"
            ),
        );
        let out = place.swarmsim(&["run", "t.yaml"]);
        assert_eq!(out.code, Some(0), "{}{}", out.stdout, out.stderr);
        let inspected = out.stdout.split("docker service inspect s_web").nth(1).map(str::to_string);
        inspected.expect("it is printed")
    };
    assert_eq!(spec("copy.yml"), spec("s.yml"));
    assert!(written.contains("0.2") && !written.contains("x-base"), "{written}");
}

/// A stack of random settings, the same for the same number.
fn random_stack(number: u64) -> Stack {
    // Steps of a linear congruence, of which the upper bits are taken.
    let mut state = number.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(3_037_000_493);
    let mut below = |most: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let order = ["start-first", "stop-first"][below(2) as usize];
    let check = match below(3) {
        0 => String::new(),
        _ => format!(
            "    healthcheck: {{test: check, interval: {}s, timeout: 2s, retries: 3}}\n",
            1 + below(5)
        ),
    };
    let update = format!(
        "{{parallelism: {}, delay: {}s, monitor: {}s, order: {order}}}",
        below(4),
        below(4),
        1 + below(9)
    );
    let image = format!(
        "{{serves_after: {}ms, sigterm: {{exits_after: {}ms, code: 0}}, latency: {{prepare: \
         {{uniform: [1s, {}s]}}}}}}",
        below(2000),
        below(2000),
        2 + below(8)
    );
    let text = format!(
        "services:\n  web:\n    image: app:1\n{check}    stop_grace_period: {}s\n    deploy: \
         {{replicas: {}, update_config: {update}}}\nx-swarmsim:\n  cluster: {{nodes: {}}}\n  \
         images: {{app:1: {image}}}\n",
        5 + below(10),
        1 + below(8),
        1 + below(4),
    );
    let files = BTreeMap::new();
    let request =
        Request { name: "s.yml", text: &text, behaviour: None, overrides: &[], files: &files };
    load(request).unwrap_or_else(|mistaken| panic!("{text}\n{mistaken:?}"))
}

/// How many of so many fresh runs of each of so many stacks lie within the range of 39: of the time
/// until the update was completed, and until docker ended.
fn within(stacks: u64, fresh: u64) -> (u64, u64) {
    let mut held = (0, 0);
    for number in 0..stacks {
        let deploy = Deploy::new(random_stack(number), Base::Previous, &BTreeMap::new());
        let deploy = deploy.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        let told = forecast(&deploy, &[], 39, 1_000 * number).good;
        assert_eq!(told.never_up, 0, "{number}");
        let ranges = [told.services["s_web"].took, told.client.took];
        let [update, client] = ranges.map(|range| range.expect("it ends"));
        assert_eq!((update.runs, client.runs), (39, 39), "{number}");
        let holds = |range: Range, took: i64| u64::from((range.low..=range.high).contains(&took));
        let scenario = deploy.scenario(Case::Good);
        for seed in 0..fresh {
            let seed = 1_000_000_000 + 1_000 * number + seed;
            let (seen, _) = run(&mut Room::default(), &deploy, Case::Good, &scenario, seed);
            held.0 += holds(update, seen.services["s_web"].took.expect("it ends").0);
            held.1 += holds(client, seen.client.expect("it ends").0.0);
        }
    }
    held
}

/// The experiment of docs/plan.md: 200 stacks, ten fresh runs each. Docker's end is a time without
/// steps, so that its range holds 95 % of fresh runs: 1900, with a standard deviation of 11. The
/// manager works in steps of a tenth of a second, and what is equal to an end is held as well.
#[test]
fn ranges_hold_what_they_promise() {
    let (update, client) = within(200, 10);
    assert!((1860..=1940).contains(&client), "{client} of 2000");
    assert!((1860..=1990).contains(&update), "{update} of 2000");
    let page = include_str!("../docs/plan.md");
    let told = format!("{client} of 2000 ends of docker and {update} of 2000 updates");
    assert!(page.contains(&told), "docs/plan.md does not say: {told}");
}

/// Each `console` block of the pages is a command and all that it prints, up to a line of dots.
#[test]
fn what_the_page_shows_is_printed() {
    let pages = [include_str!("../docs/plan.md"), include_str!("../docs/operators.md")];
    for page in pages {
        let blocks = blocks(page, "console");
        assert!(blocks.len() >= 2, "{page}");
        for block in blocks {
            is_as_shown(block, &[0, 1], swarmsim);
        }
    }
}
