//! Every task, change by change, as `docker service ps` shows it.
//!
//! What changes by itself, the age of a state, is left to the page; so is the order of the rows,
//! which follows from the place of a name among the names, and the time of creation.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::base::ids::{ServiceIx, TaskIx};
use crate::client::ps::cells;
use crate::client::rows::TaskRow;
use crate::client::table::natural;
use crate::render::course::{Bar, Lane};
use crate::render::report::html::micros;
use crate::render::rows::Rows;
use crate::timeline::record::{Fact, Record, RequestOutcome, ServiceChange, SlotKey, TaskChange};
use crate::timeline::words::printable;

/// The tasks of a run.
pub(super) struct Tasks {
    /// Lanes with tasks with changes, and the texts that these name by place.
    pub(super) document: Value,
    /// Where a task stands, counted through all lanes.
    places: BTreeMap<TaskIx, usize>,
    lanes: BTreeMap<(ServiceIx, SlotKey), usize>,
    owners: BTreeMap<TaskIx, usize>,
}

impl Tasks {
    /// Where a task stands, counted through all lanes.
    pub(super) fn place(&self, task: TaskIx) -> Option<usize> {
        self.places.get(&task).copied()
    }

    /// How many lanes there are.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The lane that a fact is about.
    pub(super) fn lane(&self, fact: &Fact) -> Option<usize> {
        match fact {
            Fact::Waiting { service, slot: Some(slot), .. } => self.lanes.get(&(*service, *slot)),
            fact => self.owners.get(&task(fact)?),
        }
        .copied()
    }

    /// The tasks of a timeline, which has these lanes.
    pub(super) fn of(records: &[Record], lanes: &[Lane]) -> Tasks {
        let mut courses = courses(records);
        let rows = courses.values().flat_map(|course| &course.changes);
        let names = rows.filter_map(|(_, row)| row.as_ref().map(|cells| cells[1].clone()));
        let mut names: Vec<String> = names.collect();
        names.sort_by(|a, b| order(a, b));
        names.dedup();
        let mut texts = Texts::default();
        let (mut places, mut owners) = (BTreeMap::new(), BTreeMap::new());
        let keys = lanes.iter().enumerate().map(|(no, lane)| (lane.key, no)).collect();
        let lanes: Vec<Value> = lanes
            .iter()
            .enumerate()
            .map(|(no, lane)| {
                let mut tasks = Vec::new();
                for bar in &lane.bars {
                    places.insert(bar.task, places.len());
                    owners.insert(bar.task, no);
                    let course = courses.remove(&bar.task).unwrap_or_default();
                    tasks.push(course.document(bar, &names, &mut texts));
                }
                json!({ "name": lane.name, "service": lane.service, "tasks": tasks })
            })
            .collect();
        let document = json!({ "lanes": lanes, "names": names, "texts": texts.list });
        Tasks { document, places, lanes: keys, owners }
    }
}

/// The task that a fact is about.
pub(super) fn task(fact: &Fact) -> Option<TaskIx> {
    match fact {
        Fact::Task { task, .. }
        | Fact::Container { task, .. }
        | Fact::Health { task, .. }
        | Fact::Backend { task, .. } => Some(*task),
        Fact::Request {
            outcome:
                RequestOutcome::Answered(task)
                | RequestOutcome::Refused(task)
                | RequestOutcome::Lost(task)
                | RequestOutcome::Cut(task),
            ..
        } => Some(*task),
        _ => None,
    }
}

/// What became of one task.
#[derive(Default)]
struct Course {
    /// When it was created.
    created: u64,
    /// The cells from a moment on, and the moment of its state; none once it is gone.
    changes: Vec<(u64, Option<[String; 8]>)>,
    stamps: Vec<u64>,
    /// When its service was removed.
    hidden: Option<u64>,
}

/// A fold over the records; a task is looked at once an instant.
fn courses(records: &[Record]) -> BTreeMap<TaskIx, Course> {
    let mut courses: BTreeMap<TaskIx, Course> = BTreeMap::new();
    let mut owners = BTreeMap::new();
    let mut rows = Rows::default();
    let mut touched = BTreeSet::new();
    for (no, record) in records.iter().enumerate() {
        rows.take(record);
        match &record.fact {
            Fact::Task { task, change } => {
                if let TaskChange::Created(created) = change {
                    owners.entry(*task).or_insert(created.service);
                }
                touched.insert(*task);
            }
            Fact::Service { service, change: ServiceChange::Removed } => {
                for (task, _) in owners.iter().filter(|(_, owner)| **owner == *service) {
                    if let Some(course) = courses.get_mut(task) {
                        course.hidden = Some(micros(record.at));
                    }
                }
            }
            _ => {}
        }
        if records.get(no + 1).is_none_or(|next| next.at > record.at) {
            for task in std::mem::take(&mut touched) {
                courses.entry(task).or_default().change(micros(record.at), rows.task(task));
            }
        }
    }
    courses
}

impl Course {
    fn change(&mut self, at: u64, row: Option<TaskRow>) {
        if let (Some(row), true) = (&row, self.changes.is_empty()) {
            self.created = micros(row.created);
        }
        let stamp = row.as_ref().map_or(0, |row| micros(row.stamp));
        let cells = row.map(|row| cells(&row).map(|cell| printable(&cell)));
        let same = self.changes.last().is_some_and(|(_, last)| *last == cells);
        if !same || self.stamps.last() != Some(&stamp) {
            self.changes.push((at, cells));
            self.stamps.push(stamp);
        }
    }

    fn document(self, bar: &Bar, names: &[String], texts: &mut Texts) -> Value {
        let first = self.changes.iter().find_map(|(_, cells)| cells.clone());
        let [id, _, image, .., ports] = first.unwrap_or_default();
        let changes: Vec<Value> = self
            .changes
            .iter()
            .zip(self.stamps)
            .map(|((at, cells), stamp)| match cells {
                None => json!([at]),
                Some([_, name, _, node, desired, state, err, _]) => {
                    let name = names.binary_search_by(|known| order(known, name)).unwrap_or(0);
                    let mut text = |text| texts.place(text);
                    json!([at, name, text(node), text(desired), text(state), stamp, text(err)])
                }
            })
            .collect();
        json!({
            "n": bar.ordinal, "v": bar.generation + 1, "failed": bar.failed, "id": id,
            "image": texts.place(&image),
            "ports": texts.place(&ports), "created": self.created, "hidden": self.hidden,
            "changes": changes,
        })
    }
}

/// Texts that are kept once.
#[derive(Default)]
struct Texts {
    list: Vec<String>,
    known: BTreeMap<String, usize>,
}

impl Texts {
    fn place(&mut self, text: &str) -> usize {
        if let Some(place) = self.known.get(text) {
            return *place;
        }
        self.list.push(text.to_string());
        self.known.insert(text.to_string(), self.list.len() - 1);
        self.list.len() - 1
    }
}

/// Docker's order, in which different texts are never equal.
fn order(a: &str, b: &str) -> Ordering {
    natural(a, b).then_with(|| a.cmp(b))
}
