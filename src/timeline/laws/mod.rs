//! Laws: what holds in every timeline, and what users expect to hold.
//!
//! Each law has an id, one sentence, a severity and one file with its family. It sees records and
//! the view before each of them, never the simulator. The same code runs during a run (the checker
//! is a sink) and on a file. An invariant is never broken by any recorded case (semantics 17.1);
//! breaking one is our defect. A promise is what users expect and Swarm itself sometimes breaks;
//! breaking one is a finding.

mod health;
mod history;
mod ladder;
mod nodes;
mod promises;
mod restarts;
mod slots;
mod time;
mod updates;
mod versions;

use crate::base::ids::{Id, NodeIx, RecordNo, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::swarmkit::defaults;
use crate::swarmkit::task::NodeState;
use crate::timeline::ends::Footer;
use crate::timeline::names::Names;
use crate::timeline::record::{Fact, Record, SlotKey};
use crate::timeline::sink::Sink;
use crate::timeline::view::{TaskView, View};

/// What a law is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LawInfo {
    /// Its name: family and subject.
    pub id: &'static str,
    /// What holds, in one sentence.
    pub statement: &'static str,
    /// What it means if it does not.
    pub severity: Severity,
}

/// What a violation means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// A defect of the simulator.
    Invariant,
    /// A finding about the simulated system.
    Promise,
}

/// A broken law.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The record that broke it; absent if the end of the timeline shows it.
    pub no: Option<RecordNo>,
    /// When.
    pub at: SimTime,
    /// Which.
    pub law: &'static LawInfo,
    /// What happened instead, in one sentence.
    pub text: String,
}

/// What a timeline does not say, and laws must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Tasks kept per slot; negative = all.
    pub history_limit: i64,
    /// How long a delayed start waits for the old task.
    pub old_task_timeout: Span,
    /// By how much a watcher may lag behind the store.
    pub hop: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            history_limit: defaults::TASK_HISTORY_LIMIT,
            old_task_timeout: defaults::Timing::default().old_task_timeout,
            hop: Span::from_ms(20),
        }
    }
}

/// What a law is shown: one record, and what was before it.
pub struct Step<'a> {
    /// The record.
    pub record: &'a Record,
    /// Its number.
    pub no: RecordNo,
    /// The cluster before it.
    pub before: &'a View,
    /// All names, those it declares included.
    pub names: &'a Names,
    /// What the timeline does not say.
    pub settings: &'a Settings,
}

impl Step<'_> {
    fn at(&self) -> SimTime {
        self.record.at
    }

    fn name(&self, task: TaskIx) -> String {
        self.names.task(task).to_string()
    }

    fn task(&self, task: TaskIx) -> Option<&TaskView> {
        self.before.tasks.get(&task)
    }

    /// Whether a node is there and not down.
    fn is_up(&self, node: NodeIx) -> bool {
        self.before.nodes.get(&node).is_some_and(|node| node.state != NodeState::Down)
    }
}

/// Takes what a law finds.
pub struct Notes<'a> {
    law: &'static LawInfo,
    no: Option<RecordNo>,
    at: SimTime,
    found: &'a mut Vec<Violation>,
}

impl Notes<'_> {
    /// The law is broken.
    pub fn broken(&mut self, text: String) {
        self.found.push(Violation { no: self.no, at: self.at, law: self.law, text });
    }
}

/// One law.
pub trait Law {
    /// What it is.
    fn info(&self) -> &'static LawInfo;

    /// Whether it looks at commands and requests too. They change nothing of the cluster, and where
    /// there is traffic most records are of these: only laws that ask for them are shown them.
    fn looks_at_all(&self) -> bool {
        false
    }

    /// Looks at the next record.
    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>);

    /// Looks at the end: the cluster, at the moment the run ended.
    fn finish(&mut self, end: &End<'_>, notes: &mut Notes<'_>) {
        let _ = (end, notes);
    }
}

/// The end of a timeline.
pub struct End<'a> {
    /// When the run ended.
    pub at: SimTime,
    /// The cluster then.
    pub view: &'a View,
    /// All names.
    pub names: &'a Names,
    /// What the timeline does not say.
    pub settings: &'a Settings,
}

/// All laws.
pub fn all() -> Vec<Box<dyn Law>> {
    vec![
        Box::new(time::Order::default()),
        Box::new(time::Cause),
        Box::new(ladder::State),
        Box::new(ladder::Desired),
        Box::new(ladder::Identity::default()),
        Box::new(ladder::Deleted),
        Box::new(health::Running::default()),
        Box::new(health::Streak::default()),
        Box::new(health::Healthy::default()),
        Box::new(health::Unhealthy::default()),
        Box::new(slots::StopFirst::default()),
        Box::new(slots::StartFirst),
        Box::new(updates::Lanes::default()),
        Box::new(updates::Once::default()),
        Box::new(updates::Action::default()),
        Box::new(updates::Completed),
        Box::new(updates::Started),
        Box::new(updates::Absent),
        Box::new(versions::Current::default()),
        Box::new(restarts::Delay::default()),
        Box::new(nodes::Assigned),
        Box::new(nodes::Crashed::default()),
        Box::new(history::Live::default()),
        Box::new(history::Limit::default()),
        Box::new(promises::OldSpec),
        Box::new(promises::SlotsDown::default()),
        Box::new(promises::Paused::default()),
    ]
}

/// Checks all laws, record by record.
pub struct Checker {
    /// Those that look at all records come last.
    laws: Vec<Box<dyn Law>>,
    /// How many of them look at the cluster only.
    of_cluster: usize,
    settings: Settings,
    view: View,
    names: Names,
    found: Vec<Violation>,
}

impl Checker {
    /// A checker that has seen nothing.
    pub fn new(settings: Settings) -> Checker {
        let (view, names) = (View::default(), Names::default());
        let mut laws = all();
        laws.sort_by_key(|law| law.looks_at_all());
        let of_cluster = laws.partition_point(|law| !law.looks_at_all());
        Checker { laws, of_cluster, settings, view, names, found: Vec::new() }
    }

    /// What was broken, in order of the records, then of the laws' ids.
    pub fn violations(mut self) -> Vec<Violation> {
        let place = |no: Option<RecordNo>| no.map_or(usize::MAX, Id::index);
        self.found.sort_by_key(|found| (place(found.no), found.law.id));
        self.found
    }
}

impl Sink for Checker {
    fn record(&mut self, no: RecordNo, record: &Record) {
        self.names.observe(&record.fact);
        let Checker { laws, of_cluster, settings, view, names, found } = self;
        let step = Step { record, no, before: view, names, settings };
        let first = match record.fact {
            Fact::Command(_) | Fact::Request { .. } | Fact::Requests { .. } => *of_cluster,
            _ => 0,
        };
        for law in &mut laws[first..] {
            let mut notes = Notes { law: law.info(), no: Some(no), at: record.at, found };
            law.observe(&step, &mut notes);
        }
        self.view.apply(record);
    }

    fn finish(&mut self, footer: &Footer) {
        let Checker { laws, settings, view, names, found, .. } = self;
        let end = End { at: footer.at, view, names, settings };
        for law in laws {
            let mut notes = Notes { law: law.info(), no: None, at: footer.at, found };
            law.finish(&end, &mut notes);
        }
    }
}

/// Checks all laws over a whole timeline with Swarm's own settings.
pub fn check_all(records: &[Record], footer: &Footer) -> Vec<Violation> {
    check_with(Settings::default(), records, footer)
}

/// Checks all laws over a whole timeline.
pub fn check_with(settings: Settings, records: &[Record], footer: &Footer) -> Vec<Violation> {
    let mut checker = Checker::new(settings);
    for (place, record) in records.iter().enumerate() {
        checker.record(RecordNo::from_index(place), record);
    }
    checker.finish(footer);
    checker.violations()
}

/// Which leader's time it is: a new leader starts things without the old one's waiting (semantics
/// 6.7).
fn is_leader_change(fact: &Fact) -> bool {
    matches!(fact, Fact::Leader { .. })
}

/// Whether a slot belongs to a replicated service.
fn is_replica(slot: SlotKey) -> bool {
    matches!(slot, SlotKey::Slot(_))
}
