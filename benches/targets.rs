//! All that we hold to be good enough, measured in one go: a table of what is wanted at least, what
//! is so, how it compares with the floor, and whether it is met.
//!
//! Expected: every row met. `docs/performance.md` says which are not, and why.
//!
//! Method: that of the benchmarks of each part, whose code this one runs (`benches/common`): fresh
//! medians, ratios to something measured in the same round, one thread unless said. The floor of a
//! replaced task is a toy slot on a bare heap; that of the agenda is the heap; that of a start is
//! an empty program. Rows of a million tasks take some minutes and 5 GB: `-- huge` adds them.

mod common;
#[path = "common/hold.rs"]
mod hold;
#[path = "common/peak.rs"]
mod peak;
#[path = "common/rolling.rs"]
mod rolling;
#[path = "common/starts.rs"]
mod starts;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{bare_heap, finish, is_measured, median, probed, timed, whoami};
use rolling::{Rolled, case};
use swarmsim::base::chance::Seed;
use swarmsim::base::time::SimTime;
use swarmsim::docker::behaviour::Health;
use swarmsim::scenario::model::Scenario;
use swarmsim::sim::world::Simulation;
use swarmsim::sweep::replicate::{CHUNK, Chunk, Runner};
use swarmsim::timeline::sink::NoSink;

/// What a figure has to be.
#[derive(Clone, Copy)]
enum Wanted {
    AtMost(f64),
    AtLeast(f64),
    /// Nobody said.
    Told,
}

use Wanted::{AtLeast, AtMost, Told};

/// The table, printed line by line: some take minutes.
struct Table {
    missed: usize,
    rows: usize,
}

impl Table {
    fn begin() -> Table {
        println!("{:<52} {:>12} {:>12} {:<10} {:>8}", "", "must", "figure", "", "× floor");
        Table { missed: 0, rows: 0 }
    }

    fn row(&mut self, name: &str, wanted: Wanted, figure: f64, unit: &str, ratio: Option<f64>) {
        let (must, met) = match wanted {
            AtMost(most) => (format!("≤ {most}"), figure <= most),
            AtLeast(least) => (format!("≥ {least}"), figure >= least),
            Told => (String::new(), true),
        };
        let verdict = match wanted {
            Told => "",
            _ if met => "met",
            _ => "missed",
        };
        self.rows += usize::from(!verdict.is_empty());
        self.missed += usize::from(!met);
        let figure = if figure < 100.0 { format!("{figure:.2}") } else { format!("{figure:.0}") };
        let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        println!("{name:<52} {must:>12} {figure:>12} {unit:<10} {ratio:>8}  {verdict}");
    }
}

/// A replaced task: its time, the time of its events, the whole against the toy.
fn replaced(table: &mut Table, tasks: u32, most: [Wanted; 4]) -> [f64; 4] {
    let rounds = match tasks {
        0..=10_000 => 21,
        10_001..=100_000 => 5,
        _ => 1,
    };
    let nodes = if tasks > 100_000 { 10_000 } else { 1_000 };
    let mut micros = [0.0; 4];
    for (at, parallelism) in [10, 1_000, 0].into_iter().enumerate() {
        let Rolled { seconds, ratio, events, .. } =
            case(tasks, nodes, parallelism, rounds).measured();
        micros[at] = seconds * 1e6 / f64::from(tasks);
        let how = match parallelism {
            0 => "all at once".to_string(),
            some => format!("{some} at a time"),
        };
        let name = format!("a replaced task, {tasks} tasks, {how}");
        table.row(&name, most[at], micros[at], "µs", Some(ratio));
        if parallelism == 10 {
            let name = format!("an agenda event, {tasks} tasks, {how}");
            table.row(&name, most[3], seconds * 1e9 / events as f64, "ns", None);
            micros[3] = ratio;
        }
    }
    micros
}

fn rolling_updates(table: &mut Table, huge: bool) {
    let [small, _, _, ratio] = replaced(table, 1_000, [AtMost(2.0), Told, Told, AtMost(180.0)]);
    table.row("the whole run ÷ the toy, 1000 tasks, 10 at a time", AtMost(8.5), ratio, "", None);
    let [large, ..] = replaced(table, 100_000, [AtMost(2.0), Told, AtMost(3.6), AtMost(180.0)]);
    let growth = large * 100.0 / small;
    table.row("time(100 000) ÷ time(1 000), 10 at a time", AtMost(150.0), growth, "", None);
    if huge {
        let wanted = [AtMost(2.5), Told, AtMost(10.0), AtMost(225.0)];
        let [most, ..] = replaced(table, 1_000_000, wanted);
        let name = "a task of 1 000 000 ÷ one of 1 000, 10 at a time";
        table.row(name, AtMost(1.5), most / small, "", None);
    }
}

/// From and to when a service of [`probed`] is looked at, which does nothing but answer.
const LOOK: (SimTime, SimTime) = (SimTime(600_000_000_000), SimTime(3_500_000_000_000));

/// Seconds that looking takes, making the service included or not.
fn looked(tasks: u32, health: Health, making: bool) -> f64 {
    let scenario = probed(tasks.into(), (tasks / 100).max(10), health);
    let mut simulation = Simulation::new(&scenario);
    let mut until = |moment| {
        let (time, stop) = timed(|| simulation.run_until(moment, &mut NoSink));
        assert_eq!(stop, None, "the service is looked at before its update");
        time.as_secs_f64()
    };
    let made = until(LOOK.0);
    until(LOOK.1) + if making { made } else { 0.0 }
}

/// Probes that change nothing. As long as all answer well no event is filed for them; answers that
/// alternate are computed ahead, when the container starts.
fn probes(table: &mut Table, huge: bool) {
    let probes = LOOK.1.0 as f64 / 5e9;
    let tasks = if huge { 1_000_000 } else { 100_000 };
    let name = format!("a probe that changes nothing, {tasks} healthy tasks");
    let seconds = looked(tasks, Health::Ok, false);
    table.row(&name, AtMost(165.0), seconds * 1e9 / probes / f64::from(tasks), "ns", None);
    let rounds = (0..5).map(|_| {
        let alternating = looked(1_000, Health::Pattern(vec![true, false]), true);
        alternating - looked(1_000, Health::Ok, true)
    });
    let seconds = median(rounds.collect());
    let name = "the same, answers that alternate, 1000 tasks";
    table.row(name, AtMost(165.0), seconds * 1e9 / probes / 1_000.0, "ns", None);
}

fn agenda(table: &mut Table) {
    for (half_now, most) in [(false, 1.1), (true, 0.7)] {
        for size in [100, 1_000, 10_000] {
            let (ours, _, ratio) = hold::ratio(size, half_now);
            let share = if half_now { "half" } else { "none" };
            let name = format!("the agenda ÷ the heap, {size} entries, {share} due now");
            table.row(&name, AtMost(most), ratio, &format!("({ours:.0} ns)"), None);
        }
    }
}

const RUNS: u32 = 2_000;

/// Runs in the room of the one before, as a sweep does them.
fn runs_in_one_room(scenario: &Arc<Scenario>, runs: u32) {
    let mut simulation = Simulation::new(scenario);
    for _ in 0..runs {
        black_box(finish(&mut simulation));
        simulation = simulation.anew(scenario, Seed(scenario.seed));
    }
}

fn exercise(table: &mut Table) {
    let scenario = whoami();
    let micros = |run: &dyn Fn()| timed(run).0.as_secs_f64() * 1e6 / f64::from(RUNS);
    let rounds: Vec<[f64; 3]> = (0..9)
        .map(|_| {
            let new = micros(&|| {
                for _ in 0..RUNS {
                    black_box(finish(&mut Simulation::new(&scenario)));
                }
            });
            let floor = micros(&|| {
                for _ in 0..RUNS {
                    black_box(bare_heap(2, 1));
                }
            });
            [new, micros(&|| runs_in_one_room(&scenario, RUNS)), floor]
        })
        .collect();
    let middle = |of: &dyn Fn(&[f64; 3]) -> f64| median(rounds.iter().map(of).collect());
    for (at, name) in [(0, "a whoami run"), (1, "the same in the room of the one before")] {
        let (time, ratio) = (middle(&|of| of[at]), middle(&|of| of[at] / of[2]));
        table.row(name, AtMost(30.0), time, "µs", Some(ratio));
        table.row("  runs a second, one thread", AtLeast(33_000.0), 1e6 / time, "", None);
    }
    let both = median((0..9).map(|_| on_two_threads(&scenario)).collect());
    table.row("  runs a second, two threads", AtLeast(60_000.0), both, "", None);
}

/// Runs a second of two threads that work side by side, each in a room of its own.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn on_two_threads(scenario: &Arc<Scenario>) -> f64 {
    let start = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            // As a sweep does it: threads that count the owners of one wait for each other.
            let own = Arc::new((**scenario).clone());
            scope.spawn(move || runs_in_one_room(&own, RUNS));
        }
    });
    2.0 * f64::from(RUNS) / start.elapsed().as_secs_f64()
}

/// The shipped exercise as `swarmsim sweep` runs it, with its requests.
fn sweep(table: &mut Table) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/whoami-autorollback.yaml");
    let text = std::fs::read_to_string(file).expect("it is shipped");
    let whole = swarmsim::scenario::load(&text).expect("it is valid");
    let unclaimed = Scenario { expect: Vec::new(), ..whole.clone() };
    for (name, scenario, threads, wanted) in [
        ("a sweep of the exercise, runs a second, one thread", &unclaimed, 1, Told),
        ("  two threads", &unclaimed, 2, AtLeast(60_000.0)),
        ("  two threads, each run held against its claims", &whole, 2, Told),
    ] {
        let cells = [Arc::new(scenario.clone())];
        let second = median((0..9).map(|_| swept(&cells, threads)).collect());
        table.row(name, wanted, second, "", None);
    }
}

/// Runs a second of a sweep.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn swept(cells: &[Arc<Scenario>], threads: usize) -> f64 {
    const CHUNKS: u64 = 100;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let stop = AtomicBool::new(false);
    let runner = Runner { threads: &pool, cells, first_seed: 1, stop: &stop };
    let chunks = (0..CHUNKS).map(|n| Chunk { cell: 0, from: n * CHUNK, count: CHUNK });
    let start = std::time::Instant::now();
    let mut runs = 0;
    let swept = runner.run_all(chunks, |_, rows| {
        runs += rows.len();
        Ok::<(), ()>(())
    });
    assert_eq!((swept, runs as u64), (Ok(()), CHUNKS * CHUNK));
    runs as f64 / start.elapsed().as_secs_f64()
}

fn command_line(table: &mut Table) {
    for starts::Started { name, micros, ratio, most } in starts::measured() {
        if name == "empty" {
            table.row("start of an empty program", Told, micros, "µs", None);
            continue;
        }
        let unit = format!("({:.2} ms)", micros / 1e3);
        let name = format!("swarmsim {name} ÷ an empty program");
        table.row(&name, AtMost(most), ratio, &unit, None);
    }
}

fn memory(table: &mut Table, huge: bool) {
    let mib = 1_048_576.0;
    let above = peak::peak_of("whoami") - peak::peak_of("nothing");
    table.row(
        "peak memory of a whoami run above an empty one",
        AtMost(8.0),
        above / mib,
        "MiB",
        None,
    );
    let sweep = peak::peak_of("sweep 1000000") / 1e6;
    table.row("peak memory of a sweep of a million runs", AtMost(300.0), sweep, "MB", None);
    let sizes: &[u32] = if huge { &[100_000, 1_000_000] } else { &[100_000] };
    for tasks in sizes {
        let nodes = tasks / 100;
        for (parallelism, how, most) in [(10, "10 at a time", 600.0), (0, "all at once", 1_000.0)] {
            let peak = peak::peak_of(&format!("updated {tasks} {nodes} {parallelism}"));
            let name = format!("memory of a task, {tasks} updated {how}");
            table.row(&name, AtMost(most), peak / f64::from(*tasks), "bytes", None);
        }
    }
}

fn main() {
    if peak::answered() {
        return;
    }
    if !is_measured() {
        // That the rows can be made: the smallest of them.
        assert!(looked(20, Health::Ok, true) > 0.0);
        runs_in_one_room(&whoami(), 2);
        return;
    }
    let huge = std::env::args().any(|argument| argument == "huge");
    let mut table = Table::begin();
    agenda(&mut table);
    exercise(&mut table);
    sweep(&mut table);
    command_line(&mut table);
    rolling_updates(&mut table, huge);
    probes(&mut table, huge);
    memory(&mut table, huge);
    let Table { missed, rows } = table;
    println!("\n{} of {rows} met, {missed} missed", rows - missed);
    if !huge {
        println!("without the rows of a million tasks: `-- huge` adds them");
    }
}
