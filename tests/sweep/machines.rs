//! The examples of sweeps on many machines: whoever starts the shards, the whole is the same bytes
//! as that of one sweep.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use swarmsim::compose::run::{Request, load};

use super::support::{Output, Place, output, swarmsim};

const SHARDS: u32 = 3;

/// What is swept: values with spaces and braces have to survive every shell.
const ARGUMENTS: [&str; 5] = [
    "scenarios/whoami-one-replica.yaml",
    "--replicates",
    "130",
    "--vary",
    "images.lucj/whoami:2.0.health=fail,{ok_until: 30s}",
];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sweep").join(name)
}

/// A command at the root of the repository that finds our program, and before it what is in
/// `first`.
#[expect(clippy::disallowed_methods, reason = "programs are found where a shell finds them")]
fn command(program: &str, first: &Path) -> Command {
    let ours = Path::new(env!("CARGO_BIN_EXE_swarmsim")).parent().expect("it is in a directory");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let rest = std::env::split_paths(&path);
    let all = [first.to_path_buf(), ours.to_path_buf()].into_iter().chain(rest);
    let mut command = Command::new(program);
    command.env("PATH", std::env::join_paths(all).expect("paths without colons"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn is_there(program: &str, arguments: &[&str]) -> bool {
    let tried = Command::new(program).args(arguments).output();
    tried.is_ok_and(|output| output.status.success())
}

/// The sweep in one piece: what is printed and what is kept.
fn whole(place: &Place) -> (String, String) {
    let path = place.path("one.jsonl").display().to_string();
    let mut arguments = vec!["sweep", "--results", &path];
    arguments.extend(ARGUMENTS);
    let output = swarmsim(&arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    (output.stdout, place.read("one.jsonl"))
}

fn succeeded(output: Output) -> Output {
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    output
}

/// Where GNU parallel is not installed, a script of that name does its jobs in turn.
#[test]
fn gnu_parallel_runs_the_shards() {
    let place = Place::new("sweep-parallel");
    if !is_there("parallel", &["--version"]) {
        place.write("parallel", include_str!("parallel-in-turn.sh"));
        let runnable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(place.path("parallel"), runnable).expect("it is ours");
    }
    let (told, kept) = whole(&place);
    let directory = place.path("shards").display().to_string();
    for _again in 0..2 {
        let mut script = command("sh", &place.path(""));
        script.arg(example("parallel.sh")).args([&directory, &SHARDS.to_string()]);
        let output = succeeded(output(script.args(ARGUMENTS)));
        assert_eq!(output.stdout, told);
        assert_eq!(place.read("shards/whole.jsonl"), kept);
    }
}

#[test]
fn ray_runs_the_shards() {
    let place = Place::new("sweep-ray");
    if !is_there("python3", &["--version"]) {
        return;
    }
    let script = example("ray_sweep.py");
    let compile = "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')";
    succeeded(output(command("python3", &place.path("")).args(["-c", compile]).arg(&script)));
    let (told, kept) = whole(&place);
    let directory = place.path("shards").display().to_string();
    let python = |first: &[&str]| {
        let mut command = command("python3", &place.path(""));
        command.arg(&script).args(first).args([&directory, &SHARDS.to_string()]).args(ARGUMENTS);
        succeeded(output(&mut command))
    };
    if is_there("python3", &["-c", "import ray"]) {
        assert_eq!(python(&[]).stdout, told);
    } else {
        std::fs::create_dir(place.path("shards")).expect("it can be made");
        let printed = python(&["--print"]).stdout;
        assert_eq!(printed.lines().count(), SHARDS as usize + 1);
        let mut last = String::new();
        for line in printed.lines() {
            last = succeeded(output(command("sh", &place.path("")).args(["-c", line]))).stdout;
        }
        assert_eq!(last, told);
    }
    assert_eq!(place.read("shards/whole.jsonl"), kept);
}

/// Each element of the array gets what Slurm tells it.
#[test]
fn a_job_array_of_slurm_runs_the_shards() {
    let place = Place::new("sweep-slurm");
    let (told, kept) = whole(&place);
    let directory = place.path("shards").display().to_string();
    for shard in (1..=SHARDS).rev() {
        let mut script = command("sh", &place.path(""));
        script.arg(example("slurm.sh")).arg(&directory).args(ARGUMENTS);
        script.env("SLURM_ARRAY_TASK_ID", shard.to_string());
        script.env("SLURM_ARRAY_TASK_COUNT", SHARDS.to_string());
        succeeded(output(script.env("SLURM_CPUS_PER_TASK", "2")));
    }
    assert_whole(&place, &told, &kept);
}

/// The shards that are in the directory make the whole.
fn assert_whole(place: &Place, told: &str, kept: &str) {
    let merged = place.path("merged.jsonl").display().to_string();
    let shards: Vec<String> = (1..=SHARDS)
        .map(|shard| place.path(&format!("shards/{shard}.jsonl")).display().to_string())
        .collect();
    let mut arguments = vec!["merge", "--results", &merged];
    arguments.extend(shards.iter().map(String::as_str));
    assert_eq!(succeeded(swarmsim(&arguments)).stdout, told);
    assert_eq!(place.read("merged.jsonl"), kept);
}

/// The command of the stack file, with the environment that Swarm gives to each task of the job:
/// the slot 0 is written as the identifier of the node.
#[test]
fn a_job_of_swarm_runs_the_shards() {
    let place = Place::new("sweep-swarm");
    let (told, kept) = whole(&place);
    let text = std::fs::read_to_string(example("swarm.yml")).expect("it is there");
    let request = Request {
        name: "swarm.yml",
        text: &text,
        behaviour: None,
        overrides: &[],
        files: &BTreeMap::new(),
    };
    let stack = load(request).expect("it is valid");
    let services = stack.file.lower("sweep", "swarm.yml").services.expect("it is valid");
    let [service] = services.as_slice() else { panic!("one service") };
    let container = &service.spec.task.container;
    let words = container.command.clone();
    std::fs::create_dir(place.path("shards")).expect("it can be made");
    // Seen from the directory of the results.
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join(ARGUMENTS[0]).display().to_string();
    let mut arguments = ARGUMENTS;
    arguments[0] = &scenario;
    for slot in 0..SHARDS {
        let mut task = command(&words[0], &place.path(""));
        task.args(&words[1..]);
        for variable in &container.env {
            let (name, value) = variable.split_once('=').expect("a variable with a value");
            let node = "kohz31yrlbkk9xplcmvyjvhew".to_string();
            let expanded = if slot == 0 { node } else { slot.to_string() };
            task.env(name, value.replace("{{.Task.Slot}}", &expanded));
        }
        task.env("SHARDS", SHARDS.to_string()).env("SWEEP", shell_words::join(arguments));
        task.env("DIRECTORY", place.path("shards"));
        succeeded(output(&mut task));
    }
    assert_whole(&place, &told, &kept);
}

/// The stack file is one that Docker takes, and its job ends in the simulator as well.
#[test]
fn the_job_of_swarm_is_a_job() {
    let file = example("swarm.yml").display().to_string();
    let output = succeeded(swarmsim(&["run", &file, "--all"]));
    assert!(output.stdout.contains("swarm_shard"), "{}", output.stdout);
    for slot in 0..8 {
        assert!(output.stdout.contains(&format!("swarm_shard.{slot}")), "{slot}");
    }
    assert!(!output.stdout.contains("swarm_shard.8"));
}
