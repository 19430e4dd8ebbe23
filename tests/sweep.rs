//! `swarmsim sweep` and `merge`: the numbers are those of runs, and do not depend on who did which
//! part of them, or in how many goes.

mod support;

use support::{Place, swarmsim};

const WHOAMI: &str = "scenarios/whoami-one-replica.yaml";
const VARY: &str = "script.update.--update-monitor=5s,10s";

fn sweep(more: &[&str]) -> String {
    let mut arguments = vec!["sweep", WHOAMI, "--replicates", "130", "--vary", VARY];
    arguments.extend(more);
    let output = swarmsim(&arguments);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    output.stdout
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
    let told = "error: 128 runs are missing, the first of cell 0, replicate 64\n";
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
    let told = format!("error: {path}: is there already; go on with --resume\n");
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

/// A known truth. One new task is watched for a minute; its process crashes at random, with a mean
/// of 100 s: the update is rolled back with the probability 1 - exp(-60/100) = 45.1 %.
#[test]
fn false_rollbacks_are_as_likely_as_reckoned() {
    let place = Place::new("sweep-truth");
    place.write(
        "crash.yaml",
        "name: crash
images:
  web:1: {}
  web:2: {crash_rate: {mean: 100s, code: 1}}
script:
  - docker service create --detach --name web --update-failure-action rollback
    --update-monitor 60s web:1
  - wait: converged
  - docker service update --detach --image web:2 web
  - wait: {state: [completed, rollback_completed], service: web}
  - docker service rm web
",
    );
    let path = place.path("crash.yaml").display().to_string();
    let output = swarmsim(&["sweep", &path, "--replicates", "2000", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let outcomes = &value["cells"][0]["outcomes"];
    let (low, high) = (outcomes[2]["low"].as_f64(), outcomes[2]["high"].as_f64());
    assert!(low < Some(0.451) && Some(0.451) < high, "{low:?} {high:?}");
    let runs = |at: usize| outcomes[at]["runs"].as_u64().expect("a number");
    assert_eq!(runs(1) + runs(2), 2_000, "completed or rolled back");
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
    assert_eq!(svg.matches("<circle").count(), 2);
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
    assert_eq!(
        told(&["sweep", WHOAMI, "--replicates", "1", "--results", "/no/such/dir/r.jsonl"]).0,
        Some(7)
    );
}
