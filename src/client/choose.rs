//! What the attached client looks at in one poll, chosen from the up-to-date tasks of a service.
//!
//! Source: cli surface 4.1 step 6, 4.2, 4.3. Upstream: docker cli
//! `cli/command/service/progress/progress.go` `tasksBySlot`, `tasksByNode`.

use std::sync::Arc;

use crate::base::ids::Identifier;
use crate::base::time::Span;
use crate::client::rows::{Place, TaskRow, UpdateRow};
use crate::swarmkit::spec::{Mode, ServiceSpec};
use crate::swarmkit::task::{TaskState, UpdateState};

/// More replicas (or nodes) than this get no line of their own.
pub const MAX_LINES: u64 = 20;

/// What one poll sees.
#[derive(Clone, PartialEq, Debug)]
pub struct PollView {
    /// Monitor period of the update configuration, if one is stored.
    pub monitor: Option<Span>,
    /// Mode: the number of replicas.
    pub mode: Mode,
    /// State and message of the update status.
    pub update: Option<(UpdateState, Arc<str>)>,
    /// Chosen tasks that run and shall run; of a global service only those on nodes that are up; of
    /// a job those that are on their way.
    pub running: u64,
    /// Chosen tasks that are complete.
    pub completed: u64,
    /// Number of chosen tasks. Of a global service: nodes with an up-to-date task.
    pub total: u64,
    /// Whether every chosen task runs.
    pub all_running: bool,
    /// The chosen tasks by place; needed only where lines are drawn, that is up to [`MAX_LINES`].
    pub entries: Vec<Entry>,
}

/// A chosen task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Slot or node.
    pub place: Place,
    /// Desired state.
    pub desired: TaskState,
    /// Observed state.
    pub state: TaskState,
    /// Error.
    pub err: Option<String>,
    /// Whether its node is not down.
    pub up: bool,
}

/// A task that may be chosen: as much of it as matters here.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Slot or node.
    pub place: Place,
    /// Node it is assigned to.
    pub node: Option<Identifier>,
    /// Desired state.
    pub desired: TaskState,
    /// Observed state.
    pub state: TaskState,
    /// Error.
    pub err: Option<&'a str>,
}

impl Candidate<'_> {
    fn entry(&self, up: bool) -> Entry {
        Entry {
            place: self.place,
            desired: self.desired,
            state: self.state,
            err: self.err.map(String::from),
            up,
        }
    }
}

impl<'a> From<&'a TaskRow> for Candidate<'a> {
    fn from(row: &'a TaskRow) -> Self {
        Candidate {
            place: row.place,
            node: row.node.as_ref().map(|(id, _)| *id),
            desired: row.desired,
            state: row.state,
            err: row.err.as_deref(),
        }
    }
}

/// Chooses one task per slot (or node): the lowest desired state wins, then the lowest observed
/// state, then the first given. Tasks in or headed for `remove` or `orphaned` are not seen, and in
/// a replicated service none on a node that is down. Of a job's tasks the lowest observed state
/// wins.
///
/// `tasks` are those that are up to date (semantics 3); `is_down` answers for a node's id. `room`
/// is where the entries go: those of the view before, which are forgotten.
pub fn choose<'a>(
    spec: &ServiceSpec,
    update: Option<&UpdateRow>,
    tasks: impl IntoIterator<Item = impl Into<Candidate<'a>>>,
    is_down: impl Fn(Identifier) -> bool,
    room: Vec<Entry>,
) -> PollView {
    // By place; tasks are given slot by slot, so a new one mostly comes last.
    let mut chosen = room;
    chosen.clear();
    let job = spec.mode.is_job();
    let rank = |desired, state| (if job { state } else { desired }, state);
    tasks.into_iter().for_each(|task| {
        let task: Candidate<'_> = task.into();
        if task.desired >= TaskState::Remove || task.state >= TaskState::Remove {
            return;
        }
        let node = match task.place {
            Place::Slot(_) => task.node,
            Place::Node(node) => Some(node),
        };
        let up = node.is_none_or(|node| !is_down(node));
        if !up && !job && matches!(task.place, Place::Slot(_)) {
            return;
        }
        match place_among(&chosen, task.place) {
            Ok(at) => {
                let known = &mut chosen[at];
                if rank(known.desired, known.state) > rank(task.desired, task.state) {
                    *known = task.entry(up);
                }
            }
            Err(at) => chosen.insert(at, task.entry(up)),
        }
    });
    let runs = |task: &Entry| {
        if job {
            task.state < TaskState::Complete
        } else {
            task.up && !task.desired.is_terminal() && task.state == TaskState::Running
        }
    };
    let total = chosen.len() as u64;
    let (mut running, mut completed, mut all_running) = (0, 0, true);
    for task in &chosen {
        running += u64::from(runs(task));
        completed += u64::from(task.state == TaskState::Complete);
        all_running &= task.state == TaskState::Running;
    }
    let lines = match spec.mode {
        Mode::Replicated { replicas } => replicas,
        Mode::ReplicatedJob { total_completions, .. } => total_completions,
        Mode::Global | Mode::GlobalJob => total,
    };
    PollView {
        monitor: spec.update.and_then(|config| config.monitor),
        mode: spec.mode,
        update: update.map(|status| (status.state, status.message.clone())),
        running,
        completed,
        total,
        all_running,
        entries: if lines <= MAX_LINES { chosen } else { Vec::new() },
    }
}

/// Where a place is among entries, or belongs.
fn place_among(entries: &[Entry], place: Place) -> Result<usize, usize> {
    match entries.last() {
        Some(last) if last.place >= place => {
            entries.binary_search_by_key(&place, |entry| entry.place)
        }
        _ => Err(entries.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SimTime;
    use crate::client::ls::tests::service;

    fn task(place: Place, node: u64, desired: TaskState, state: TaskState) -> TaskRow {
        TaskRow {
            id: Identifier::new(0, 1),
            service_id: Identifier::new(0, 2),
            service: "web".into(),
            place,
            image: "a:1".into(),
            node: Some((Identifier::new(0, node), "n".into())),
            desired,
            state,
            err: None,
            stamp: SimTime::ZERO,
            created: SimTime::ZERO,
            version: 1,
            ports: Vec::new(),
        }
    }

    #[test]
    fn the_lowest_states_win_and_down_nodes_do_not_count() {
        use TaskState::{Assigned, Failed, Ready, Remove, Running, Shutdown};
        let spec = service("--replicas 4 a").spec;
        let slot = Place::Slot;
        let tasks = [
            task(slot(1), 1, Running, Running),
            task(slot(1), 1, Ready, Assigned),
            task(slot(2), 1, Shutdown, Failed),
            task(slot(2), 1, Running, Running),
            task(slot(3), 9, Running, Running),
            task(slot(4), 1, Remove, Running),
        ];
        let view = choose(&spec, None, &tasks, |node| node == Identifier::new(0, 9), Vec::new());
        let found: Vec<_> = view.entries.iter().map(|e| (e.place, e.desired, e.state)).collect();
        assert_eq!(found, [(slot(1), Ready, Assigned), (slot(2), Running, Running)]);
        assert_eq!((view.running, view.total, view.all_running), (1, 2, false));
    }

    #[test]
    fn a_global_service_counts_nodes_that_are_down() {
        use TaskState::{Running, Shutdown};
        let spec = service("--mode global a").spec;
        let node = |n: u64| Place::Node(Identifier::new(0, n));
        let tasks = [
            task(node(1), 1, Running, Running),
            task(node(2), 2, Shutdown, Running),
            task(node(3), 3, Running, Running),
        ];
        let view = choose(&spec, None, &tasks, |node| node == Identifier::new(0, 3), Vec::new());
        assert_eq!((view.running, view.total, view.all_running), (1, 3, true));
        assert_eq!(view.entries.iter().map(|e| e.up).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn many_replicas_have_no_entries() {
        let spec = service("--replicas 21 a").spec;
        let tasks: Vec<_> = (1..=21)
            .map(|n| task(Place::Slot(n), 1, TaskState::Running, TaskState::Running))
            .collect();
        let view = choose(&spec, None, &tasks, |_| false, Vec::new());
        assert_eq!((view.running, view.entries.len(), view.all_running), (21, 0, true));
    }
}
