//! Equal scenario and seed, equal bytes: twice, copied, on threads, in debug and in release.

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use swarmsim::base::chance::Seed;
use swarmsim::base::time::SimTime;
use swarmsim::scenario::{self, Scenario};
use swarmsim::sim::world::Simulation;
use swarmsim::sweep::measure::Measure;
use swarmsim::timeline::codec;
use swarmsim::timeline::ends::{Footer, Timeline};
use swarmsim::timeline::record::{CommandFact, Fact, Record, SlotKey, Stream};
use swarmsim::timeline::sink::{NoSink, Sink as _};
use swarmsim::timeline::verify::shape;

use support::{broken, timeline};

/// Every shipped scenario with the name of its file.
fn shipped() -> Vec<(String, Arc<Scenario>)> {
    let load = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let name = file.file_stem().expect("it has a name").to_string_lossy().to_string();
        let scenario = scenario::load(&text);
        (name, Arc::new(scenario.unwrap_or_else(|problems| panic!("{problems:?}"))))
    };
    support::scenarios().into_iter().map(load).collect()
}

fn run(scenario: &Arc<Scenario>) -> Timeline {
    let mut records = Vec::new();
    let footer = Simulation::new(scenario).run(&mut records);
    timeline(scenario, records, footer)
}

/// Digest, and what else the footer counts.
fn pin(name: &str, footer: &Footer) -> String {
    format!(
        "{name:<22} {} records, {} events, until {}: {}\n",
        footer.records, footer.events, footer.at, footer.digest
    )
}

#[test]
fn twice_the_same_bytes() {
    for (name, scenario) in shipped() {
        let (first, second) = (codec::to_text(&run(&scenario)), codec::to_text(&run(&scenario)));
        assert!(first.lines().count() > 10, "{name}");
        assert!(first == second, "{name}");
    }
}

/// Whoever looks at the cluster only misses what commands print and draw if nothing goes wrong, and
/// nothing else.
#[test]
fn without_screens_all_else_is_the_same() {
    let shown = |record: &&Record| {
        let Fact::Command(fact) = &record.fact else { return false };
        let row = matches!(fact, CommandFact::Row { .. });
        row || matches!(fact, CommandFact::Printed { stream: Stream::Out, .. })
    };
    let mut rows = 0;
    for (name, scenario) in shipped() {
        let (mut whole, mut undrawn): (Vec<Record>, Vec<Record>) = (Vec::new(), Vec::new());
        let ended = Simulation::new(&scenario).run(&mut whole);
        let other = Simulation::undrawn(&scenario, Seed(scenario.seed)).run(&mut undrawn);
        assert_eq!((ended.at, ended.stop), (other.at, other.stop), "{name}");
        rows += whole.iter().filter(shown).count();
        assert_eq!(undrawn.iter().filter(shown).count(), 0, "{name}");
        let facts = |records: Vec<Record>| -> Vec<(SimTime, Fact)> {
            let others = records.into_iter().filter(|record| !shown(&record));
            others.map(|record| (record.at, record.fact)).collect()
        };
        assert!(facts(whole) == facts(undrawn), "{name}");
    }
    assert!(rows > 100);
}

/// A sweep does not look at single requests, and yet its numbers are those of a whole run; also
/// where a run ends at a limit in the middle of its requests.
#[test]
fn summed_requests_are_the_same_numbers() {
    let measured = |mut simulation: Simulation| {
        let mut measure = Measure::default();
        let footer = simulation.run(&mut measure);
        (measure.row().expect("it ended"), footer.at, footer.stop, footer.events)
    };
    let step_by_step = |mut simulation: Simulation| {
        let mut measure = Measure::default();
        let mut stop = simulation.run_until(SimTime::ZERO, &mut measure);
        while stop.is_none() {
            stop = simulation.step(&mut measure);
        }
        let footer = simulation.footer(stop.expect("it ended"));
        measure.finish(&footer);
        (measure.row().expect("it ended"), footer.at, footer.stop, footer.events)
    };
    let mut requests = 0;
    for (name, scenario) in shipped() {
        for (seed, events) in [(1, None), (2, None), (3, Some(300)), (3, Some(301)), (3, Some(302))]
        {
            let mut scenario = (*scenario).clone();
            scenario.limits.events = events.unwrap_or(scenario.limits.events);
            let (scenario, seed) = (Arc::new(scenario), Seed(seed));
            let undrawn = || Simulation::undrawn(&scenario, seed).without_digest();
            let (each, summed) = (measured(undrawn()), measured(undrawn().summing_requests()));
            assert_eq!(summed, each, "{name}, {seed:?}, {events:?}");
            assert_eq!(step_by_step(undrawn()), each, "{name}, {seed:?}, {events:?}");
            if events.is_none() {
                let whole = measured(Simulation::with_seed(&scenario, seed));
                assert_eq!((each.0, each.1, &each.2), (whole.0, whole.1, &whole.2), "{name}");
            }
            requests += each.0.requests;
        }
    }
    assert!(requests > 1_000);
}

/// The same list in debug and in release, and on every machine. A change of it must be explained.
#[test]
fn digests_are_pinned() {
    let pins: String =
        shipped().iter().map(|(name, scenario)| pin(name, &run(scenario).footer)).collect();
    insta::assert_snapshot!(pins);
}

/// The room is that of another scenario, whose run ended, or was cut off in the middle.
#[test]
fn in_the_room_of_another_run_the_same_bytes() {
    let mut room: Option<Simulation> = None;
    for (name, scenario) in shipped() {
        for seed in [Seed(1), Seed(2)] {
            let ended = |mut simulation: Simulation| {
                let mut records = Vec::new();
                let footer = simulation.run(&mut records);
                ((records, footer), simulation)
            };
            let (new, other) = ended(Simulation::with_seed(&scenario, seed));
            let room_of = room.take().unwrap_or(other);
            let (reused, last) = ended(room_of.anew(&scenario, seed));
            assert!(new == reused, "{name}, {seed:?}");
            let mut cut = last.anew(&scenario, seed);
            for _ in 0..new.1.events / 2 {
                assert_eq!(cut.step(&mut NoSink), None, "{name}");
            }
            room = Some(cut);
        }
    }
}

#[test]
fn a_copy_in_the_middle_ends_in_the_same_bytes() {
    for (name, scenario) in shipped() {
        let whole = run(&scenario);
        for part in [1, 3, 9] {
            let mut simulation = Simulation::new(&scenario);
            let mut records = Vec::new();
            for _ in 0..whole.footer.events * part / 10 {
                assert_eq!(simulation.step(&mut records), None, "{name}");
            }
            let (mut copy, mut copied) = (simulation.clone(), records.clone());
            // The original goes on first: nothing of it may be shared with the copy.
            let footer = simulation.run(&mut records);
            assert!(timeline(&scenario, records, footer) == whole, "{name}: original, {part}");
            let footer = copy.run(&mut copied);
            assert!(timeline(&scenario, copied, footer) == whole, "{name}: copy, {part}");
        }
    }
}

#[test]
fn on_threads_as_one_by_one() {
    let all = shipped();
    let alone: Vec<String> = all.iter().map(|(name, s)| pin(name, &run(s).footer)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((name, scenario)) = all.get(at % all.len()) else { return done };
            // Each of them runs on several threads in the end.
            if at >= 4 * all.len() {
                return done;
            }
            done.push((at % all.len(), pin(name, &run(scenario).footer)));
        }
    };
    let together: Vec<(usize, String)> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(work));
        threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect()
    });
    assert_eq!(together.len(), 4 * all.len());
    for (at, pinned) in together {
        assert_eq!(pinned, alone[at]);
    }
}

#[test]
fn laws_hold_and_the_shape_is_right() {
    for (name, scenario) in shipped() {
        let whole = run(&scenario);
        assert_eq!(shape(&whole), [], "{name}");
        let broken = broken(&scenario, &whole.records, &whole.footer);
        assert!(broken.is_empty(), "{name}: {broken:#?}");
    }
}

/// The first roll-out of four slots, in the order in which the slots come.
fn first_order(records: &[Record]) -> Vec<SlotKey> {
    let slots = records.iter().find_map(|record| match &record.fact {
        Fact::Run { slots, .. } if slots.len() == 4 => Some(slots.to_vec()),
        _ => None,
    });
    slots.expect("four slots are rolled")
}

#[test]
fn other_seeds_give_other_orders_of_the_slots() {
    let (_, vote) = shipped().into_iter().find(|(name, _)| name == "vote").expect("it is there");
    let mut orders = BTreeSet::new();
    for seed in 0..20 {
        let scenario = Arc::new(Scenario { seed, ..(*vote).clone() });
        let order = first_order(&run(&scenario).records);
        let mut sorted = order.clone();
        sorted.sort();
        let all: Vec<SlotKey> =
            (1..=4).map(|n| SlotKey::Slot(swarmsim::base::ids::SlotNo(n))).collect();
        assert_eq!(sorted, all, "seed {seed}");
        orders.insert(order);
    }
    assert!(orders.len() > 1, "20 seeds give one order: {orders:?}");
}
