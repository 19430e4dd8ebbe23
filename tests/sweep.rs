//! `swarmsim sweep` and `merge`: the numbers are those of runs, and do not depend on who did which
//! part of them, or in how many goes.

#[cfg(unix)]
#[path = "sweep/endings.rs"]
mod endings;
#[cfg(unix)]
#[path = "sweep/machines.rs"]
mod machines;
mod support;
#[cfg(unix)]
#[path = "sweep/terminal.rs"]
mod terminal;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use support::{Place, swarmsim};
use swarmsim::sweep::measure::Outcome;
use swarmsim::sweep::replicate::{Chunk, Runner};
use swarmsim::sweep::stats::share;

const WHOAMI: &str = "scenarios/whoami-one-replica.yaml";
const VARY: &str = "script.update.--update-monitor=5s,10s";

fn sweep(more: &[&str]) -> String {
    let mut arguments = vec!["sweep", WHOAMI, "--replicates", "130", "--vary", VARY];
    arguments.extend(more);
    let output = swarmsim(&arguments);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    output.stdout
}

/// A sweep in which expectations need not hold.
fn sweep_with(more: &[&str]) {
    let output = swarmsim(&[&["sweep", WHOAMI, "--vary", VARY], more].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[test]
fn a_sweep_for_people() {
    insta::assert_snapshot!(sweep(&[]));
}

#[test]
fn threads_make_no_difference() {
    let one = sweep(&["--format", "json", "--threads", "1"]);
    assert_eq!(one, sweep(&["--format", "json", "--threads", "3"]));
    let value: serde_json::Value = serde_json::from_str(&one).expect("JSON");
    assert_eq!(value["cells"].as_array().map(Vec::len), Some(2));
    assert_eq!(value["cells"][1]["set"][0], "script.update.--update-monitor=10s");
}

/// A replicate is the run that its seed gives.
#[test]
fn a_replicate_is_a_run() {
    let one = ["sweep", WHOAMI, "--replicates", "1", "--seed", "91", "--format", "json"];
    let swept: serde_json::Value = serde_json::from_str(&swarmsim(&one).stdout).expect("JSON");
    let run = swarmsim(&["run", WHOAMI, "--seed", "91", "--format", "json"]).stdout;
    let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
    let number = |key: &str| {
        let numbers = swept["cells"][0]["numbers"].as_array().expect("a list");
        let found = numbers.iter().find(|number| number["number"] == key).expect("it is there");
        found["median"]["value"].clone()
    };
    let service = &run["services"][0];
    assert_eq!(number("short_for_ns"), service["short_for_ns"]);
    assert_eq!(number("unavailable_for_ns"), service["unavailable_for_ns"]);
    assert_eq!(number("least_running"), service["least_running"]);
    assert_eq!(number("requests_lost"), service["requests_failed"]);
    assert_eq!(swept["cells"][0]["outcomes"][2]["runs"], 1, "rolled back");
    assert_eq!(service["updates"][0]["state"], "rollback_completed");
    // The status has the moment of the last change, one commit apart from the stamps in it.
    let took = service["updates"][0]["took_ns"].as_i64().expect("a number");
    let duration = number("duration_ns").as_i64().expect("a number");
    assert!((0..1_000_000_000).contains(&(duration - took)), "{duration} {took}");
}

#[test]
fn shards_make_the_whole() {
    let place = Place::new("sweep-shards");
    let path = |name: &str| place.path(name).display().to_string();
    let whole = sweep(&["--results", &path("whole.jsonl")]);
    for shard in ["1/3", "2/3", "3/3"] {
        let file = path(&format!("{}.jsonl", &shard[..1]));
        sweep(&["--results", &file, "--shard", shard]);
    }
    let merged = path("merged.jsonl");
    let shards: Vec<String> = ["3", "1", "2"].map(|n| path(&format!("{n}.jsonl"))).into();
    let mut arguments = vec!["merge", "--results", &merged];
    arguments.extend(shards.iter().map(String::as_str));
    let output = swarmsim(&arguments);
    assert_eq!((output.code, output.stdout), (Some(0), whole));
    assert_eq!(place.read("merged.jsonl"), place.read("whole.jsonl"));

    let missing = swarmsim(&["merge", &shards[0], &shards[1]]);
    assert_eq!(missing.code, Some(3));
    let told = "error: 128 runs are missing, the first of cell 0, replicate 64\n--partial shows \
                what there is\n";
    assert_eq!(missing.stderr, told);
    let twice = swarmsim(&["merge", &shards[0], &shards[0]]);
    let told = "error: cell 0 from replicate 128 on is there twice\n";
    assert_eq!((twice.code, twice.stderr.as_str()), (Some(3), told));
}

/// Whatever a sweep was stopped at, going on gives the bytes of a sweep that was not.
#[test]
fn an_interrupted_sweep_goes_on() {
    let place = Place::new("sweep-resume");
    let path = place.path("r.jsonl").display().to_string();
    let told = sweep(&["--results", &path]);
    let whole = place.read("r.jsonl");
    for kept in [whole.len() - 1, whole.len() / 2, whole.find('\n').expect("lines") + 1] {
        place.write("r.jsonl", &whole[..kept]);
        assert_eq!(sweep(&["--results", &path, "--resume"]), told);
        assert_eq!(place.read("r.jsonl"), whole, "{kept}");
    }
    let again = ["sweep", WHOAMI, "--results", &path, "--replicates", "130", "--vary", VARY];
    let refused = swarmsim(&again);
    let told = format!(
        "error: {path}: is there already; --resume goes on with it, if it is of this sweep\n"
    );
    assert_eq!((refused.code, refused.stderr), (Some(7), told));
    let other = ["sweep", WHOAMI, "--results", &path, "--resume", "--replicates", "9"];
    let refused = swarmsim(&other);
    let told = format!("error: {path} has the results of another sweep\n");
    assert_eq!((refused.code, refused.stderr), (Some(3), told));
    place.write("r.jsonl", whole.replacen("\"rows\":[[2", "\"rows\":[[9", 1));
    let refused = swarmsim(&["merge", &path]);
    let told = format!("error: {path}: line 2: there is no such outcome\n");
    assert_eq!((refused.code, refused.stderr), (Some(3), told));
}

#[test]
fn a_precision_stops_a_sweep_early() {
    let arguments =
        ["sweep", WHOAMI, "--replicates", "100000", "--precision", "2%", "--format", "json"];
    let value: serde_json::Value =
        serde_json::from_str(&swarmsim(&arguments).stdout).expect("JSON");
    assert_eq!(value["cells"][0]["runs"], 1_024);
}

/// One new task is watched for `monitor`; its process crashes at random, with a mean of 100 s: the
/// update is rolled back with the probability 1 - exp(-monitor/100 s).
fn crash(monitor: &str) -> String {
    format!(
        "name: crash
images:
  web:1: {{}}
  web:2: {{crash_rate: {{mean: 100s, code: 1}}}}
script:
  - docker service create --detach --name web --update-failure-action rollback
    --update-monitor {monitor} web:1
  - wait: converged
  - docker service update --detach --image web:2 web
  - as: done
    wait: {{state: [completed, rollback_completed], service: web}}
  - docker service rm web
expect:
  - {{service: web, after: done, update: completed}}
  - {{service: web, after: done, replicas: 1}}
"
    )
}

/// A known truth: with a monitor of a minute, 45.1 % of the good updates are rolled back.
#[test]
fn false_rollbacks_are_as_likely_as_reckoned() {
    let place = Place::new("sweep-truth");
    place.write("crash.yaml", crash("60s"));
    let path = place.path("crash.yaml").display().to_string();
    let output = swarmsim(&["sweep", &path, "--replicates", "2000", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let outcomes = &value["cells"][0]["outcomes"];
    let (low, high) = (outcomes[2]["low"].as_f64(), outcomes[2]["high"].as_f64());
    assert!(low < Some(0.451) && Some(0.451) < high, "{low:?} {high:?}");
    let runs = |at: usize| outcomes[at]["runs"].as_u64().expect("a number");
    assert_eq!(runs(1) + runs(2), 2_000, "completed or rolled back");
}

/// The promise of a 95 % interval, held against runs: of 2 000 sweeps of 64 runs each, so many have
/// an interval with the true probability in it. A monitor of 40 s makes it 1 - exp(-0.4), for which
/// Wilson's interval of 64 draws covers 95.5 % by the binomial distribution.
#[test]
fn intervals_hold_the_truth_as_often_as_they_promise() {
    const TRUTH: f64 = 0.329_679_953_964_360_7;
    let mut scenario = swarmsim::scenario::load(&crash("40s")).expect("it is valid");
    scenario.expect.clear();
    let cells = [Arc::new(scenario)];
    let threads = rayon::ThreadPoolBuilder::new().build().expect("threads");
    let stop = AtomicBool::new(false);
    let runner = Runner { threads: &threads, cells: &cells, first_seed: 1, stop: &stop };
    let (mut covered, mut sweeps) = (0, 0);
    let chunks = (0..2_000).map(|sweep| Chunk { cell: 0, from: sweep * 64, count: 64 });
    let run = runner.run_all(chunks, |_, runs| {
        let rolled_back = runs.iter().filter(|run| run.row.outcome == Outcome::RolledBack);
        let interval = share(rolled_back.count() as u64, runs.len() as u64);
        covered += u32::from(interval.low <= TRUTH && TRUTH <= interval.high);
        sweeps += 1;
        Ok::<(), ()>(())
    });
    assert_eq!((run, sweeps), (Ok(()), 2_000));
    let per_mille = covered * 1_000 / sweeps;
    assert!((940..=965).contains(&per_mille), "{per_mille}");
}

/// Expectations are counted, the first seed that fails is named, and `run` shows that it fails.
#[test]
fn expectations_are_counted() {
    let place = Place::new("sweep-expect");
    place.write("crash.yaml", crash("60s"));
    let path = |name: &str| place.path(name).display().to_string();
    let file = path("crash.yaml");
    let sweep = |more: &[&str]| {
        let vary = "script.1.--update-monitor=30s,60s";
        let all = [&["sweep", &file, "--replicates", "200", "--seed", "5", "--vary", vary], more];
        let output = swarmsim(&all.concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output
    };
    let told = sweep(&[]);
    insta::assert_snapshot!(told.stdout);
    let repeat = told.stderr.strip_prefix("the first run that is not as expected: swarmsim ");
    let repeat = shell_words::split(repeat.expect("a command")).expect("a command line");
    let repeat: Vec<&str> = repeat.iter().map(String::as_str).collect();
    let run = swarmsim(&repeat);
    assert!(run.code == Some(1) && run.stdout.contains("FAIL web: update completed"));

    let value: serde_json::Value =
        serde_json::from_str(&sweep(&["--format", "json"]).stdout).expect("JSON");
    for cell in value["cells"].as_array().expect("a list") {
        let (expected, expectations) = (&cell["expected"], &cell["expectations"]);
        assert_eq!(expected["runs"], cell["outcomes"][1]["runs"], "completed");
        assert_eq!(expectations[0]["runs"], expected["runs"]);
        assert_eq!((&expectations[0]["line"], &expectations[1]["line"]), (&14.into(), &15.into()));
        assert_eq!(
            (&expectations[1]["runs"], &expectations[1]["failing_seed"]),
            (&200.into(), &serde_json::Value::Null)
        );
        // No seed before the first failing one fails.
        let first = expectations[0]["failing_seed"].as_u64().expect("a seed");
        let set = cell["set"][0].as_str().expect("a text");
        for seed in 5..=first {
            let seed = seed.to_string();
            let run = swarmsim(&["run", &file, "--seed", &seed, "--set", set, "--quiet"]);
            assert_eq!(run.code, Some(i32::from(seed == first.to_string())), "{seed}");
        }
    }
    let csv = sweep(&["--format", "csv"]).stdout;
    let head = csv.lines().next().expect("a head");
    assert!(head.ends_with(",share,share_low,share_high,failing_seed"), "{head}");
    assert_eq!(csv.lines().filter(|line| line.contains(",expect.1,")).count(), 2);

    let (one, two, whole) = (path("1.jsonl"), path("2.jsonl"), path("w.jsonl"));
    sweep(&["--results", &whole]);
    sweep(&["--results", &one, "--shard", "1/2"]);
    sweep(&["--results", &two, "--shard", "2/2"]);
    let merged = path("m.jsonl");
    let merge = swarmsim(&["merge", &two, &one, "--results", &merged]);
    assert_eq!((merge.code, merge.stdout), (Some(0), told.stdout));
    assert_eq!(place.read("m.jsonl"), place.read("w.jsonl"));
    let damaged = place.read("w.jsonl").replacen("\"failed\":[[0,[0]]", "\"failed\":[[0,[2]]", 1);
    let damaged = damaged.replacen("\"failed\":[[1,[0]]", "\"failed\":[[1,[2]]", 1);
    assert_ne!(damaged, place.read("w.jsonl"));
    place.write("w.jsonl", damaged);
    let why = format!("error: {whole}: line 2: there is no such run or expectation\n");
    assert_eq!(swarmsim(&["merge", &whole]).stderr, why);
}

/// What a stack file does not say is told once, not for each combination.
#[test]
fn assumptions_are_told_once() {
    let place = Place::new("sweep-assumed");
    place.write("web.yml", "services: {web: {image: nginx, deploy: {replicas: 2}}}\n");
    let path = place.path("web.yml").display().to_string();
    let vary = "watch=10s,20s,30s";
    let one = swarmsim(&["sweep", &path, "--replicates", "1"]);
    let three = swarmsim(&["sweep", &path, "--replicates", "1", "--vary", vary]);
    assert_eq!((one.code, three.code), (Some(0), Some(0)));
    assert!(one.stderr.lines().count() > 2 && one.stderr.starts_with("assumed: "), "{one:?}");
    assert_eq!(one.stderr, three.stderr);
}

#[test]
fn tables_and_pictures_of_machines() {
    let csv = sweep(&["--format", "csv"]);
    let mut lines = csv.lines();
    let fields = |line: &str| line.split(',').count();
    let head = lines.next().expect("a head");
    assert!(head.starts_with("script.update.--update-monitor,number,runs,of,least,median,"));
    assert!(lines.clone().count() > 20 && lines.all(|line| fields(line) == fields(head)), "{csv}");
    let place = Place::new("sweep-plot");
    let path = place.path("p.svg").display().to_string();
    sweep(&["--plot", &path]);
    let svg = place.read("p.svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    // Two points and two of the legend; a map only where two keys vary, or if it is asked for.
    assert_eq!((svg.matches("<circle").count(), svg.matches("class=\"heat\"").count()), (4, 0));
    sweep(&["--plot", &path, "--heat", "duration.p95"]);
    assert_eq!(place.read("p.svg").matches("<title>script.update.--update-monitor=").count(), 2);
}

/// A field for each combination, in its place, with its number.
#[test]
fn a_heat_map_of_two_keys() {
    let place = Place::new("sweep-heat");
    let path = place.path("p.svg").display().to_string();
    let plot = |more: &[&str]| {
        let vary = ["--vary", "images.lucj/whoami:2.0.health=fail,ok,hang"];
        let all = [&["--replicates", "20", "--plot", &path], &vary[..], more].concat();
        sweep_with(&all);
        place.read("p.svg")
    };
    let svg = plot(&[]);
    let field = |svg: &str, monitor: &str, health: &str| {
        let name = format!(
            "script.update.--update-monitor={monitor}, images.lucj/whoami:2.0.health={health}: "
        );
        let at = svg.find(&name).unwrap_or_else(|| panic!("{name} is not in {svg}"));
        let rest = &svg[at + name.len()..];
        let rect = svg[..at].rfind("<rect ").expect("it has a place");
        let place = svg[rect..at].split('"').nth(1).expect("x").to_string();
        (rest[..rest.find('<').expect("an end")].to_string(), place)
    };
    let duration = |monitor: &str, health: &str| field(&svg, monitor, health).0;
    assert!(svg.contains("the update takes (median, in seconds)"));
    assert!(duration("5s", "ok").ends_with('s') && duration("5s", "ok") != duration("5s", "fail"));
    let column = |health: &str| field(&svg, "5s", health).1.parse::<i64>().expect("a number");
    assert!(column("fail") < column("ok") && column("ok") < column("hang"));
    let rolled_back = plot(&["--heat", "rolled-back"]);
    assert_eq!(field(&rolled_back, "10s", "fail").0, "100.0 %");
    assert_eq!(field(&rolled_back, "10s", "ok").0, "0.0 %");
}

/// The picture of `docs/sweep.md` is the one that the command beside it draws.
#[test]
fn the_picture_of_the_page_is_drawn() {
    let place = Place::new("sweep-picture");
    let path = place.path("p.svg").display().to_string();
    let page = include_str!("../docs/sweep.md");
    let command = page.split("```sh\n").find_map(|block| block.strip_prefix("swarmsim "));
    let command = command.and_then(|block| block.split("```").next()).expect("a command");
    let words = shell_words::split(&command.replace("\\\n", " ")).expect("a command line");
    let words = words.iter().map(|word| match word.as_str() {
        "docs/gallery/sweep.svg" => path.as_str(),
        word => word,
    });
    assert_eq!(swarmsim(&words.collect::<Vec<&str>>()).code, Some(0));
    assert!(place.read("p.svg") == include_str!("../docs/gallery/sweep.svg"), "`just gallery`");
}

#[test]
fn mistakes_are_told() {
    let told = |arguments: &[&str]| {
        let output = swarmsim(arguments);
        (output.code, output.stderr.lines().next().unwrap_or("").to_string())
    };
    let vary = |vary: &str| told(&["sweep", WHOAMI, "--vary", vary]);
    assert_eq!(
        vary("seed"),
        (
            Some(2),
            "error: invalid value 'seed' for '--vary <KEY=VALUE,VALUE…>': `seed` is not of the \
             form KEY=VALUE,VALUE…"
                .to_string()
        )
    );
    assert_eq!(
        vary("script.nobody.--update-delay=1s"),
        (
            Some(3),
            "--set: `nobody.--update-delay` is not in the list, in the path \
             `script.nobody.--update-delay`"
                .to_string()
        )
    );
    assert_eq!(told(&["sweep", WHOAMI, "--replicates", "0"]).0, Some(2));
    assert_eq!(told(&["sweep", WHOAMI, "--precision", "0"]).0, Some(2));
    assert_eq!(told(&["sweep", WHOAMI, "--shard", "4/3", "--results", "x"]).0, Some(2));
    assert_eq!(told(&["sweep", "no/such.yaml"]).0, Some(7));
    assert_eq!(told(&["sweep", WHOAMI, "--heat", "duration"]).0, Some(2), "without --plot");
    let heat = told(&["sweep", WHOAMI, "--plot", "p.svg", "--heat", "duration"]);
    let none = "error: --heat needs one or two keys that vary (--vary)";
    assert_eq!(heat, (Some(2), none.to_string()));
    let twice = told(&["sweep", WHOAMI, "--vary", "watch=1s", "--vary", "watch=2s"]);
    assert_eq!(twice, (Some(2), "error: --vary is given `watch` twice".to_string()));
    if cfg!(not(feature = "parquet")) {
        let (code, told) = told(&["sweep", WHOAMI, "--parquet", "p.parquet"]);
        assert!(code == Some(2) && told.contains("--features parquet`"), "{told}");
    }
    assert_eq!(
        told(&["sweep", WHOAMI, "--replicates", "1", "--results", "/no/such/dir/r.jsonl"]).0,
        Some(7)
    );
}
