//! `advise`: what it finds is what trying everything finds, what contradicts is called so, and the
//! patch does what is said of it.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::{Output, Place, blocks, is_as_shown, swarmsim};

use swarmsim::advise::goal::{Goal, Quantity, for_services};
use swarmsim::advise::grid::{Cost, Grid, Setting};
use swarmsim::advise::numbers::Numbers;
use swarmsim::advise::search::{Answer, Question, point, search, slowest};
use swarmsim::advise::setup::Wish;
use swarmsim::advise::trial::Ground;
use swarmsim::base::time::Span;
use swarmsim::compose::run::{Request, load};
use swarmsim::plan::mode::Mode;
use swarmsim::plan::range::Range;
use swarmsim::plan::stage::{Base, Deploy};
use swarmsim::swarmkit::spec::ServiceSpec;

/// Enough for ranges, few enough for a debug build.
const RUNS: usize = 5;

fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

/// The ground and the grid of services of a shipped stack, deployed over the tag `previous`.
fn ground(stack: &str, services: &[&str], vary: &[&str]) -> (Ground, Grid) {
    let read = |name: &str| {
        let path = format!("{}/stacks/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("it is there")
    };
    let (text, files) = (read(stack), BTreeMap::new());
    let request =
        Request { name: stack, text: &text, behaviour: None, overrides: &[], files: &files };
    let new = load(request).expect("it is valid");
    let modes = Mode::all(Span::from_secs(60), Span::from_secs(60)).to_vec();
    let seed = new.scenario.seed;
    let (images, base) = (BTreeMap::new(), Base::Previous);
    let services: Vec<String> = services.iter().map(|key| (*key).to_string()).collect();
    let ground = Ground { new, base, images, services, modes, seed };
    let deploy = Deploy::new(ground.new.clone(), Base::Previous, &ground.images).unwrap();
    let spec = |key: &String| {
        let service = deploy.services.iter().find(|of| of.key == *key).unwrap();
        service.new.as_ref().unwrap()
    };
    let specs: Vec<&ServiceSpec> = ground.services.iter().map(spec).collect();
    let vary: Vec<String> = vary.iter().map(|text| (*text).to_string()).collect();
    let only: Vec<String> =
        vary.iter().map(|text| text.split('=').next().unwrap_or("").to_string()).collect();
    let wish = Wish::parse(&vary, &only).unwrap();
    let (grid, _) = ground.grid(&specs, &wish).unwrap();
    (ground, grid)
}

/// Every setting of a grid with all of its runs.
struct Everything {
    settings: Vec<(Setting, Cost, Vec<Vec<Numbers>>)>,
}

impl Everything {
    fn of(ground: &Ground, grid: &Grid) -> Everything {
        let all = (0..=grid.axes.len()).flat_map(|keys| grid.level(keys));
        let settings: Vec<_> = all
            .map(|setting| {
                let runs = ground.numbers_shared(&grid.changes(&setting), 0, RUNS);
                (setting.clone(), grid.cost(&setting), runs)
            })
            .collect();
        assert_eq!(settings.len() as u64, grid.size());
        Everything { settings }
    }

    /// Whether the worst end of the range of a goal's number meets it; written anew.
    fn holds(goal: &Goal, runs: &[Vec<Numbers>]) -> bool {
        let rolled_out = runs.iter().flatten().all(|run| run.is_rolled_out);
        let runs = &runs[goal.of];
        let values = runs.iter().map(|run| run.value(goal.quantity)).collect();
        let range = Range::of(values).expect("there are runs");
        let end = if goal.quantity.wants_much() { range.low } else { range.high };
        let mut of_end = runs[0].clone();
        of_end.set(goal.quantity, end);
        rolled_out && goal.is_met(&of_end)
    }

    fn cheapest(&self, goals: &[Goal]) -> Option<&Setting> {
        let meets = |runs: &[Vec<Numbers>]| goals.iter().all(|goal| Everything::holds(goal, runs));
        let all = self.settings.iter().filter(|(_, _, runs)| meets(runs));
        let best = all.min_by_key(|(_, cost, runs)| (*cost, slowest(runs)));
        best.map(|(setting, _, _)| setting)
    }

    /// The smallest sets of goals that no setting meets.
    fn conflicts(&self, goals: &[Goal]) -> Vec<Vec<usize>> {
        let chosen =
            |set: u32| -> Vec<usize> { (0..goals.len()).filter(|at| set >> at & 1 == 1).collect() };
        let sets = (1_u32..1 << goals.len()).map(chosen);
        let impossible: Vec<Vec<usize>> = sets
            .filter(|set| {
                let goals: Vec<Goal> = set.iter().map(|at| goals[*at].clone()).collect();
                self.cheapest(&goals).is_none()
            })
            .collect();
        let least = impossible.iter().map(Vec::len).min().unwrap_or(0);
        impossible.into_iter().filter(|set| set.len() == least).collect()
    }

    /// The points that no other one beats.
    fn front(&self, compared: &[Quantity]) -> BTreeSet<Vec<i64>> {
        let all = |runs: &[Vec<Numbers>]| runs.iter().flatten().all(|run| run.is_rolled_out);
        let rolled = self.settings.iter().filter(|(_, _, runs)| all(runs));
        let points: BTreeSet<Vec<i64>> = rolled.map(|(_, _, runs)| point(runs, compared)).collect();
        let beats = |one: &Vec<i64>, other: &Vec<i64>| {
            one != other && one.iter().zip(other).all(|(one, other)| one <= other)
        };
        points.iter().filter(|of| !points.iter().any(|other| beats(other, of))).cloned().collect()
    }
}

/// Searches a small grid for several questions and compares with everything.
fn confirmed(
    stack: &str,
    services: &[&str],
    vary: &[&str],
    questions: &[&[&str]],
) -> BTreeSet<String> {
    let (ground, grid) = ground(stack, services, vary);
    let everything = Everything::of(&ground, &grid);
    let mut kinds = BTreeSet::new();
    for goals in questions {
        let texts: Vec<String> = goals.iter().map(|goal| (*goal).to_string()).collect();
        let goals = for_services(&Goal::parse_all(&texts, false).unwrap(), services);
        let question = Question { goals: goals.clone(), runs: RUNS, screen: 2, most: 1_000 };
        let advice = search(&ground, &grid, &question);
        assert!(advice.scope.is_whole(), "{:?}", advice.scope);
        let cheapest = everything.cheapest(&goals);
        let kind = match &advice.answer {
            Answer::AsItIs => {
                assert_eq!(cheapest, Some(&grid.today()), "{stack} {texts:?}");
                "as it is"
            }
            Answer::Change(tried) => {
                assert_eq!(Some(&tried.setting), cheapest, "{stack} {texts:?}");
                assert_eq!(tried.seeds(), RUNS);
                "change"
            }
            Answer::None { conflict, nearest } => {
                assert_eq!(cheapest, None, "{stack} {texts:?}");
                let conflicts = everything.conflicts(&goals);
                assert!(conflicts.contains(conflict), "{texts:?}: {conflict:?} {conflicts:?}");
                assert_eq!(nearest.seeds(), RUNS);
                if conflict.len() > 1 { "contradiction" } else { "impossible" }
            }
            Answer::Stuck => panic!("{stack} {texts:?}: stuck"),
        };
        kinds.insert(kind.to_string());
        let front: BTreeSet<Vec<i64>> =
            advice.front.iter().map(|tried| point(&tried.runs, &advice.compared)).collect();
        assert_eq!(front, everything.front(&advice.compared), "{stack} {texts:?}");
    }
    kinds
}

/// Acceptance, first stack: a health check, start-first, rollback.
#[test]
fn the_web_stack_is_advised_as_an_exhaustive_search_would() {
    let vary = ["parallelism=2,0", "delay=0s,90s", "monitor=2m", "retries=2"];
    let kinds = confirmed(
        "web.yml",
        &["web"],
        &vary,
        &[
            &["duration<10m", "capacity>=75%", "bad_image_exposure<=1"],
            &["duration<1m"],
            &["detection<1m", "bad_image_exposure<=1"],
            &["duration<3m", "bad_image_exposure<=1"],
            &["capacity>=3", "duration<=2m"],
        ],
    );
    assert!(kinds.contains("change") && kinds.contains("contradiction"), "{kinds:?}");
    assert!(kinds.contains("as it is"), "{kinds:?}");
}

/// Second stack: two replicas without a health check, both at once.
#[test]
fn the_vote_stack_is_advised_as_an_exhaustive_search_would() {
    let vary = ["parallelism=1", "delay=5s,20s", "order=start-first", "failure_action=rollback"];
    let kinds = confirmed(
        "vote.yml",
        &["vote"],
        &vary,
        &[
            &["capacity>=1"],
            &["capacity>=100%", "restore<5m"],
            &["capacity>=100%", "extra<=0"],
            &["capacity>=50%", "extra<=0", "duration<15s"],
        ],
    );
    assert!(kinds.contains("change") && kinds.len() > 1, "{kinds:?}");
}

/// Third stack: one replica with a slow check.
#[test]
fn the_monitoring_stack_is_advised_as_an_exhaustive_search_would() {
    let vary = ["order=start-first", "failure_action=rollback", "interval=5s", "retries=2"];
    let kinds = confirmed(
        "monitoring.yml",
        &["prometheus"],
        &vary,
        &[
            &["capacity>=1"],
            &["capacity>=1", "extra<=0"],
            &["detection<4m", "capacity_if_bad>=1"],
            &["duration<1m"],
        ],
    );
    assert!(kinds.contains("change") && kinds.len() > 1, "{kinds:?}");
}

/// Two services of one stack at once: one grid, goals of each, a contradiction across both.
#[test]
fn services_together_are_advised_as_an_exhaustive_search_would() {
    let vary = ["parallelism=1", "order=start-first", "failure_action=rollback"];
    let kinds = confirmed(
        "vote.yml",
        &["vote", "worker"],
        &vary,
        &[
            &["capacity>=1"],
            &["vote:capacity>=100%", "worker:restore<10m"],
            &["vote:duration<7s", "vote:extra<=1", "worker:capacity>=1"],
            &["duration<1h"],
            &["capacity>=1", "worker:duration<9s"],
        ],
    );
    assert!(kinds.contains("change") && kinds.contains("as it is"), "{kinds:?}");
    assert!(kinds.contains("contradiction"), "{kinds:?}");
}

/// How a rollback goes is searched as everything else is.
#[test]
fn rollbacks_are_advised_as_an_exhaustive_search_would() {
    let vary = [
        "parallelism=3",
        "monitor=2m",
        "rollback_parallelism=1,2",
        "rollback_delay=20s",
        "rollback_order=start-first",
    ];
    let kinds = confirmed(
        "web.yml",
        &["web"],
        &vary,
        &[
            &["rollback<30s", "detection<10m"],
            &["rollback<1m", "capacity_in_rollback>=1"],
            &["detection<10m", "capacity_in_rollback>=3"],
            &["restore<3m", "duration<4m"],
        ],
    );
    assert!(kinds.contains("change") && kinds.len() > 1, "{kinds:?}");
}

/// A grid that is too large is tried in part; what is then found is one of the grid all the same.
#[test]
fn a_part_of_a_grid_is_searched_from_the_cheap_end() {
    let vary = ["parallelism=2,0", "delay=0s,90s", "monitor=2m,3m", "retries=2"];
    let (ground, grid) = ground("web.yml", &["web"], &vary);
    let texts = ["duration<10m".to_string(), "bad_image_exposure<=1".to_string()];
    let goals = Goal::parse_all(&texts, false).unwrap();
    let of = |most: usize| {
        let question = Question { goals: goals.clone(), runs: RUNS, screen: 1, most };
        search(&ground, &grid, &question)
    };
    let (part, whole) = (of(30), of(1_000));
    assert_eq!((grid.size(), grid.levels()), (54, vec![1, 7, 18, 20, 8]));
    assert_eq!((part.scope.tried, part.scope.whole_to), (30, 2));
    assert_eq!((whole.scope.tried, whole.scope.whole_to), (54, 4));
    let cost = |answer: &Answer| match answer {
        Answer::Change(tried) => tried.cost,
        other => panic!("{other:?}"),
    };
    // What the cheapest changes is in the part that was tried as a whole.
    assert_eq!(cost(&whole.answer), cost(&part.answer));
    assert_eq!(cost(&whole.answer).keys, 2);
    let nothing = of(1);
    assert_eq!((nothing.scope.tried, nothing.scope.whole_to), (1, 0));
    assert!(matches!(nothing.answer, Answer::None { .. }));
}

const SMALL: &[&str] = &[
    "advise",
    "stacks/web.yml",
    "--image",
    "web=shop/web:1.5",
    "--only",
    "delay,monitor",
    "--replicates",
    "5",
];

fn small(more: &[&str]) -> Output {
    swarmsim(&[SMALL, more].concat())
}

const GOALS: &[&str] = &["--goal", "duration<10m", "--goal", "bad_image_exposure<=1"];
const CONTRADICTION: &[&str] = &["--goal", "duration<2m", "--goal", "bad_image_exposure<=1"];

#[test]
fn threads_make_no_difference_and_seeds_do() {
    let cases = [(GOALS, "text"), (GOALS, "json"), (CONTRADICTION, "markdown")];
    for (goals, format) in cases {
        let of = |more: &[&str]| small(&[goals, &["--format", format], more].concat());
        let one = of(&["--threads", "1"]);
        assert_eq!(one, of(&["--threads", "5"]));
        assert_eq!(one, of(&["--seed", "3"]), "the file's seed");
        assert_ne!(one, of(&["--seed", "99"]));
    }
}

#[test]
fn contradictory_goals_are_called_so() {
    let output = small(CONTRADICTION);
    assert_eq!(output.code, Some(1), "{output:?}");
    for text in [
        "No setting of the grid meets all goals of web.\n",
        "These contradict each other: duration<2m and bad_image_exposure<=1.\n",
        "  Each of them can be met alone.\n",
        "\nNearest\n",
    ] {
        assert!(output.stdout.contains(text), "{text}\n{}", output.stdout);
    }
    let output = small(&["--goal", "capacity>3"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stdout.contains("None meets capacity>3, whatever"), "{}", output.stdout);
    // A goal more that can always be met is no part of the contradiction.
    let more = small(&[CONTRADICTION, &["--goal", "capacity>=3", "--format", "json"]].concat());
    assert_eq!(
        json(&more)["services"][0]["conflict"],
        serde_json::json!(["duration<2m", "bad_image_exposure<=1"])
    );
}

/// A unified diff put into a text.
fn patched(text: &str, patch: &str) -> String {
    let old: Vec<&str> = text.lines().collect();
    let (mut new, mut at) = (Vec::new(), 0);
    for line in patch.lines().skip(2) {
        if let Some(head) = line.strip_prefix("@@ -") {
            let from: usize = head.split([',', ' ']).next().unwrap().parse().unwrap();
            new.extend(&old[at..from - 1]);
            at = from - 1;
            continue;
        }
        let (mark, rest) = line.split_at(1);
        if mark != "+" {
            assert_eq!(old[at], rest);
            at += 1;
        }
        if mark != "-" {
            new.push(rest);
        }
    }
    new.extend(&old[at..]);
    new.join("\n") + "\n"
}

/// The patched file does what was said of the change, number by number, and passes the gate.
#[test]
fn the_patch_does_what_is_said_of_it() {
    let place = Place::new("advise-patch");
    let text = std::fs::read_to_string("stacks/web.yml").expect("it is there");
    place.write("web.yml", &text);
    let run = |more: &[&str]| {
        let arguments = [&["advise", "web.yml"], &SMALL[2..], GOALS, more].concat();
        place.swarmsim(&arguments)
    };
    assert_eq!(run(&["--gate"]).code, Some(1));
    let before = run(&["--format", "json"]);
    assert_eq!(before.code, Some(0), "{before:?}");
    let before = &json(&before)["services"][0];
    assert_eq!(before["answer"], "change");
    assert_eq!(before["today"]["goals_met"][1], false);
    let patch = before["patch"].as_str().expect("a patch");
    place.write("web.yml", patched(&text, patch));
    let after = run(&["--format", "json", "--gate"]);
    assert_eq!(after.code, Some(0), "{after:?}");
    let after = &json(&after)["services"][0];
    assert_eq!(after["answer"], "as it is");
    assert_eq!(after["today"]["numbers"], before["advised"]["numbers"]);
}

/// Of services that are searched together there is one patch, which changes each of them.
#[test]
fn services_together_have_one_patch() {
    let place = Place::new("advise-together");
    let text = std::fs::read_to_string("stacks/vote.yml").expect("it is there");
    place.write("vote.yml", &text);
    let run = |more: &[&str]| {
        let arguments = "advise vote.yml --together --service vote --service worker --replicates 5 \
                         --only order,failure_action,rollback_order --mode exits-at-once --goal \
                         capacity>=2 --goal restore<10m --format";
        let words: Vec<&str> = arguments.split_whitespace().chain(more.iter().copied()).collect();
        place.swarmsim(&words)
    };
    let before = run(&["json"]);
    assert_eq!(before.code, Some(0), "{before:?}");
    let before = json(&before);
    let services = before["services"].as_array().expect("a list");
    assert_eq!(services.len(), 1, "{before}");
    let before = &services[0];
    assert_eq!(before["service"], "vote and worker");
    let goals =
        ["vote:capacity>=2", "worker:capacity>=2", "vote:restore<10m", "worker:restore<10m"];
    assert_eq!(before["goals"], serde_json::json!(goals));
    let changes = before["advised"]["changes"].as_array().expect("a list");
    let keys: Vec<&str> = changes.iter().map(|of| of["key"].as_str().unwrap()).collect();
    for key in ["vote.deploy.update_config.order", "worker.deploy.update_config.failure_action"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
    let patch = before["patch"].as_str().expect("a patch");
    assert_eq!(patch.matches("--- ").count(), 1, "{patch}");
    place.write("vote.yml", patched(&text, patch));
    let after = run(&["json", "--gate"]);
    assert_eq!(after.code, Some(0), "{after:?}");
    let after = &json(&after)["services"][0];
    assert_eq!(after["answer"], "as it is");
    assert_eq!(after["today"]["numbers"], before["advised"]["numbers"]);
    assert!(run(&["markdown"]).stdout.contains("### `vote` and `worker`\n"));
    assert!(run(&["text"]).stdout.contains("\nvote and worker meet all goals as they stand.\n"));
}

#[test]
fn goals_for_services_that_are_not_there_are_told() {
    let output = small(&["--goal", "wbe:duration<1m", "--goal", "web:capacity>=1"]);
    assert_eq!(output.code, Some(2), "{output:?}");
    let why = "--goal wbe:duration<1m: the services that are updated are web";
    assert!(output.stderr.contains(why), "{output:?}");
    let goal = ["--goal", "capacity>=1", "--vary", "rollback_failure_action=rollback"];
    let output = small(&goal);
    assert!(output.stderr.contains("is one of pause, continue"), "{output:?}");
}

/// What holds today is what `plan` says of the file.
#[test]
fn today_is_as_planned() {
    let today = json(&small(&[GOALS, &["--format", "json"]].concat()));
    let today = &today["services"][0]["today"]["numbers"];
    let plan = ["plan", "stacks/web.yml", "--image", "web=shop/web:1.5", "--runs", "5"];
    let plan = json(&swarmsim(&[&plan[..], &["--format", "json"]].concat()));
    let services = plan["good"]["services"].as_array().expect("a list");
    let good = services.iter().find(|of| of["name"] == "web_web").expect("it is there");
    for end in ["median", "low", "high"] {
        assert_eq!(today["duration"][end], good["took_ns"][end]);
        assert_eq!(today["capacity"][end], good["least"][end]);
    }
    let of_bad = plan["bad"].as_array().expect("a list");
    let reached = of_bad.iter().map(|bad| bad["reached"]["high"].as_i64().unwrap()).max();
    assert_eq!(today["bad_image_exposure"]["high"].as_i64(), reached);
    let least = of_bad.iter().map(|bad| bad["least"]["low"].as_i64().unwrap()).min();
    assert_eq!(today["capacity_if_bad"]["low"].as_i64(), least);
    assert!(today["detection"]["high"].is_null(), "the sick one is not noticed");
    assert_eq!(today["detection"]["mode"], "sick-later");
    assert_eq!(today["extra"]["median"], good["extra_tasks"]);
}

#[test]
fn what_comes_from_elsewhere_is_changed_by_hand() {
    let place = Place::new("advise-by-hand");
    place.write(
        "a.yml",
        "x-update: &update {parallelism: 2, order: stop-first}\nservices:\n  web:\n    image: \
         app:1\n    deploy: {replicas: 2, update_config: *update}\n",
    );
    let output = place.swarmsim(&[
        "advise",
        "a.yml",
        "--goal",
        "capacity>=1",
        "--only",
        "parallelism",
        "--replicates",
        "2",
    ]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("deploy.update_config.parallelism: 2 → 1\n"));
    assert!(output.stdout.contains("To be made by hand"), "{}", output.stdout);
    assert!(output.stdout.contains("web has no health check"), "{}", output.stdout);
}

#[test]
fn every_mistake_of_the_command_line_is_told_at_once() {
    let output = small(&[
        "--goal",
        "durration<1m",
        "--goal",
        "lost_requests<1",
        "--vary",
        "delay=x",
        "--vary",
        "dellay=1s",
        "--mode",
        "explodes",
        "--image",
        "wep=a:1",
    ]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 6, "{}", output.stderr);
    for (line, text) in lines.iter().zip([
        "error: --goal durration<1m: there is no quantity durration; did you mean duration? the",
        "error: --goal lost_requests<1: nobody makes requests; give `traffic` in the x-swarmsim",
        "error: --vary delay=x: delay is a time from 0s to 24h, such as 30s, and `x` is not",
        "error: --vary dellay=1s: there is no such key; did you mean delay? the keys are ",
        "error: --mode explodes: the modes are image-missing, exits-at-once, never-healthy, ",
        "error: --image wep=a:1: there is no service wep; did you mean web?",
    ]) {
        assert!(line.starts_with(text), "{line}");
    }
}

#[test]
fn exit_codes_are_as_documented() {
    let goal = ["--goal", "duration<1h"];
    assert_eq!(small(&goal).code, Some(0), "as it stands");
    assert_eq!(small(&[&goal[..], &["--gate"]].concat()).code, Some(0));
    assert_eq!(small(&["--goal", "capacity>=75%", "--service", "proxy"]).code, Some(2));
    assert_eq!(swarmsim(&["advise", "stacks/web.yml"]).code, Some(2), "a goal is needed");
    let of = |file: &str| swarmsim(&["advise", file, "--goal", "duration<1h"]);
    assert_eq!(of("stacks/none.yml").code, Some(7));
    assert_eq!(of("scenarios/vote.yaml").code, Some(3));
    let same = ["advise", "stacks/web.yml", "--against", "stacks/web.yml"];
    let same = swarmsim(&[&same[..], &goal].concat());
    assert_eq!(same.code, Some(3), "{same:?}");
    assert!(same.stderr.contains("there is nothing to advise"), "{}", same.stderr);
    let plot = ["--plot", "no/such/place.svg"];
    assert_eq!(small(&[&goal[..], &plot].concat()).code, Some(7));
    let plot = ["advise", "stacks/vote.yml", "--plot", "p.svg", "--only", "order"];
    let plot = swarmsim(&[&plot[..], &goal].concat());
    assert_eq!(plot.code, Some(2), "{plot:?}");
    // A key without a meaning, and a value that the file's version does not know.
    let place = Place::new("advise-codes");
    place.write("a.yml", "version: '3.0'\nservices:\n  web: {image: 'app:1'}\n");
    let behaviour = "images:\n  app:2: {health: fail, healthcheck: {interval: 5s}}\n";
    place.write("b.yml", behaviour);
    let front = ["advise", "a.yml", "--behaviour", "b.yml"];
    let of = |more: &[&str]| place.swarmsim(&[&front[..], &goal[..], more].concat());
    let wrong = of(&["--vary", "retries=2", "--vary", "order=start-first"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("--vary retries: web has no health check"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("--vary order: "), "{}", wrong.stderr);
    // The good version itself is never healthy.
    let stuck = of(&["--image", "web=app:2", "--only", "delay", "--replicates", "1"]);
    assert_eq!(stuck.code, Some(6), "{stuck:?}");
    assert!(stuck.stdout.contains("is rolled out with none of these settings"));
}

/// Requests count if there are any.
#[test]
fn lost_requests_are_counted() {
    let place = Place::new("advise-traffic");
    place.write(
        "a.yml",
        "services:\n  web:\n    image: app:2\n    ports: ['80:80']\n    deploy: {replicas: 2}\n\
         x-swarmsim:\n  images:\n    app:2: {serves_after: 3s}\n  traffic:\n    - {port: 80, \
         rate: 20/s}\n",
    );
    let output = place.swarmsim(&[
        "advise",
        "a.yml",
        "--goal",
        "lost_requests<=0.1%",
        "--only",
        "order,parallelism",
        "--replicates",
        "2",
        "--format",
        "json",
    ]);
    let service = &json(&output)["services"][0];
    let lost = &service["today"]["numbers"]["lost_requests"];
    // Without a health check a task gets requests three seconds before it answers them.
    assert!(lost["low"].as_i64() > Some(20), "{lost}");
    assert_eq!(output.code, Some(1), "{output:?}");
}

/// Each `console` block of the page is a command and all that it prints.
#[test]
fn what_the_page_shows_is_printed() {
    let blocks = blocks(include_str!("../docs/advise.md"), "console");
    assert!(blocks.len() >= 4, "{}", blocks.len());
    for block in blocks {
        is_as_shown(block, &[0, 1], swarmsim);
    }
}

/// `just gallery` makes it anew.
#[test]
fn the_picture_is_as_the_tool_draws_it() {
    let place = Place::new("advise-plot");
    let path = place.path("p.svg").display().to_string();
    let output = swarmsim(&[
        "advise",
        "stacks/web.yml",
        "--image",
        "web=shop/web:1.5",
        "--goal",
        "duration<10m",
        "--goal",
        "capacity>=75%",
        "--goal",
        "bad_image_exposure<=1",
        "--goal",
        "extra<=1",
        "--only",
        "parallelism,delay,monitor,order",
        "--plot",
        &path,
    ]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let shown = include_str!("../docs/gallery/advise.svg");
    assert!(place.read("p.svg") == shown, "docs/gallery/advise.svg is not what the tool draws");
    assert!(include_str!("../docs/advise.md").contains("(gallery/advise.svg)"));
}
