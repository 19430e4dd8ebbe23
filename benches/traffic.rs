//! A thousand requests a second for an hour, through an update, against the same hour without them.
//!
//! Expected: 50 ms at most for the requests (they are counted, not made, while nothing changes).
//!
//! Method: 9 rounds, in turn; medians.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use common::{finish, is_measured, median, timed};
use swarmsim::scenario::load;
use swarmsim::scenario::model::Scenario;
use swarmsim::sim::world::Simulation;

fn scenario(traffic: &str) -> Arc<Scenario> {
    let text = format!(
        "name: traffic\nseed: 1\ncluster: {{nodes: 3}}\n{traffic}script:\n\
         - docker service create --name web --replicas 6 -p 80:80 --update-delay 10s w:1\n\
         - wait: 30m\n- docker service update --image w:2 web\n- wait: 27m\n"
    );
    Arc::new(load(&text).expect("a scenario"))
}

fn main() {
    let (with, without) = (scenario("traffic: [{port: 80, rate: 1000/s}]\n"), scenario(""));
    let records = |scenario| finish(&mut Simulation::new(scenario)).records;
    println!("records: {} with traffic, {} without", records(&with), records(&without));
    if !is_measured() {
        return;
    }
    let ms = |scenario: &Arc<Scenario>| {
        let run = || drop(black_box(finish(&mut Simulation::new(scenario))));
        timed(run).0.as_secs_f64() * 1e3
    };
    let rounds: Vec<[f64; 2]> = (0..9).map(|_| [ms(&with), ms(&without)]).collect();
    let middle = |of: &dyn Fn(&[f64; 2]) -> f64| median(rounds.iter().map(of).collect());
    println!("an hour with 1 000/s  {:>8.2} ms", middle(&|round| round[0]));
    println!("the same without      {:>8.2} ms", middle(&|round| round[1]));
    println!(
        "the requests          {:>8.2} ms   (50 at most)",
        middle(&|round| round[0] - round[1])
    );
}
