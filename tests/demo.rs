//! What one setting does: the page shows it, and it is so.

use support::swarmsim;
use swarmsim::base::time::Span;
use swarmsim::demo::{Shown, Topic};
use swarmsim::swarmkit::task::UpdateState;

mod support;

const TOPICS: [&str; 6] = ["parallelism", "delay", "monitor", "order", "ratio", "health"];

#[test]
fn the_page_shows_what_is_printed() {
    let page = include_str!("../docs/demo.md");
    for topic in TOPICS {
        let shown = swarmsim(&["demo", topic]);
        assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
        let block = format!("```console\n$ swarmsim demo {topic}\n{}```\n", shown.stdout);
        assert!(page.contains(&block), "docs/demo.md lacks\n{block}");
        let long = shown.stdout.lines().find(|line| line.chars().count() > 100);
        assert_eq!(long, None, "{topic}");
    }
}

#[test]
fn the_runs_are_drawn() {
    let out = std::env::temp_dir().join(format!("swarmsim-demo-{}.svg", std::process::id()));
    let path = out.to_str().unwrap();
    assert_eq!(swarmsim(&["demo", "order", "--out", path]).code, Some(0));
    let drawn = std::fs::read_to_string(&out).unwrap();
    std::fs::remove_file(&out).unwrap();
    let shown = include_str!("../docs/gallery/demo-order.svg");
    assert!(drawn == shown, "docs/gallery/demo-order.svg is not what the tool draws: just gallery");
    assert_eq!(swarmsim(&["demo", "order", "--out", "no/such/folder/a.svg"]).code, Some(7));
    assert_eq!(swarmsim(&["demo", "colour"]).code, Some(2));
}

fn took(run: &Shown) -> Span {
    run.web.updates.last().unwrap().took
}

fn states(topic: Topic) -> Vec<UpdateState> {
    topic.show().iter().map(|run| run.web.updates.last().unwrap().state).collect()
}

#[test]
fn every_lesson_is_true() {
    use UpdateState::{Completed, RollbackCompleted};
    let [one, three, all] = &Topic::Parallelism.show()[..] else { panic!("three values") };
    assert!(took(one) > took(three) && took(three) > took(all));
    let least = [one, three, all].map(|run| run.web.least_running);
    assert_eq!(least, [Some(5), Some(3), Some(0)]);
    let [none, some, long] = &Topic::Delay.show()[..] else { panic!("three values") };
    let per_slot = |run: &Shown| took(run).0 - took(none).0;
    // Four slots, and the delay of the last one takes the place of a part of the watch.
    assert_eq!(per_slot(some) / 1_000_000_000, 21);
    assert_eq!(per_slot(long) / 1_000_000_000, 71);
    assert_eq!([none, some, long].map(|run| run.web.least_running), [Some(3); 3]);
    assert_eq!(states(Topic::Monitor), [Completed, RollbackCompleted]);
    let orders: Vec<_> = Topic::Order.show().iter().map(|run| run.web.least_running).collect();
    assert_eq!(orders, [Some(1), Some(2)]);
    assert_eq!(states(Topic::Ratio), [RollbackCompleted, RollbackCompleted, Completed]);
    let lost: Vec<_> = Topic::Health.show().iter().map(|run| run.web.failed > 0).collect();
    assert_eq!(lost, [true, false]);
}
