//! The script: one step after the other in the first terminal, steps with a time in a second one.

use crate::base::ids::{RecordNo, ServiceIx};
use crate::base::time::{SimTime, Span};
use crate::scenario::model::{Action, Scenario, Wait};
use crate::sim::ahead::Event;
use crate::sim::rows::{is_ahead, is_complete, job_tasks};
use crate::sim::world::Simulation;
use crate::swarmkit::ctx::Class;
use crate::swarmkit::spec::Mode;
use crate::swarmkit::store::{Change, Store, Task, What};
use crate::swarmkit::task::{NodeState, TaskState};
use crate::timeline::record::{CommandFact, Fact, Stream};

/// What the script and its commands wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScriptEvent {
    /// A step begins.
    Step(u32),
    /// The request of a step's command reaches the manager.
    Request(u32),
    /// The attached client of a step looks again.
    Poll(u32),
    /// A source of requests has its turn.
    Traffic(u32),
    /// A wait of that step is over, if nothing changed since.
    WaitOver(u32, u32),
}

/// Where the script is.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The step that the first terminal is in.
    current: Option<u32>,
    /// What it waits for.
    waiting: Option<Wait>,
    /// Changes whenever a wait for quiet begins anew.
    quiet: u32,
    last: SimTime,
    /// Steps with a time that have not begun or not ended.
    second: u32,
}

impl Script {
    /// Before the first step.
    pub(super) fn new(scenario: &Scenario) -> Script {
        let timed = scenario.script.iter().filter(|step| step.at.is_some()).count();
        Script { current: None, waiting: None, quiet: 0, last: SimTime::ZERO, second: timed as u32 }
    }

    /// When the last step ended.
    pub(super) fn last_step(&self) -> SimTime {
        self.last
    }

    /// Whether a step of the first terminal has not ended.
    pub(super) fn is_waiting(&self) -> bool {
        self.current.is_some()
    }

    /// What the script waits for, in words; nothing if it is done.
    pub(super) fn waits_for(&self) -> Option<String> {
        let step = self.current?;
        Some(match &self.waiting {
            Some(wait) => format!("step {} waits: {}", step + 1, words(wait)),
            None => format!("step {}: its command has not returned", step + 1),
        })
    }
}

fn words(wait: &Wait) -> String {
    match wait {
        Wait::Converged => "converged".to_string(),
        Wait::UpdateDone => "update-done".to_string(),
        Wait::UpdateState(states) => {
            let words: Vec<&str> = states.iter().map(|state| state.word()).collect();
            format!("update state {}", words.join(" or "))
        }
        Wait::For(span) => span.to_string(),
        Wait::Settled(span) => format!("settled for {span}"),
    }
}

impl Simulation {
    /// Files the first step and those with a time.
    pub(super) fn start_script(&mut self) {
        let scenario = self.scenario.clone();
        for (number, step) in scenario.script.iter().enumerate() {
            if let Some(at) = step.at {
                let event = Event::Script(ScriptEvent::Step(number as u32));
                self.file(SimTime::ZERO.after(at), Class::Client, event, None);
            }
        }
        for (number, traffic) in scenario.traffic.iter().enumerate() {
            if let Some(from) = traffic.from {
                let event = Event::Script(ScriptEvent::Traffic(number as u32));
                self.file_background(SimTime::ZERO.after(from), Class::Client, event);
            }
        }
        self.next_step(None);
    }

    /// The first terminal goes on to its next step.
    fn next_step(&mut self, after: Option<u32>) {
        let from = after.map_or(0, |step| step as usize + 1);
        let scenario = self.scenario.clone();
        let mut rest = scenario.script.iter().enumerate().skip(from);
        let next = rest.find(|(_, step)| step.at.is_none()).map(|(number, _)| number as u32);
        self.script.current = next;
        self.script.waiting = None;
        if let Some(step) = next {
            let event = Event::Script(ScriptEvent::Step(step));
            self.file(self.now(), Class::Client, event, None);
        }
    }

    /// A step has ended.
    pub(super) fn step_done(&mut self, step: u32) {
        self.script.last = self.now();
        if self.script.current == Some(step) {
            self.next_step(Some(step));
        } else {
            self.script.second = self.script.second.saturating_sub(1);
        }
    }

    /// Something that the script or its commands waited for.
    pub(super) fn script_event(&mut self, event: ScriptEvent, cause: Option<RecordNo>) {
        match event {
            ScriptEvent::Step(step) => self.begin_step(step),
            ScriptEvent::Request(step) => self.request(step, cause),
            ScriptEvent::Poll(step) => self.poll(step, cause),
            ScriptEvent::Traffic(number) => self.traffic(number),
            ScriptEvent::WaitOver(step, quiet) => {
                self.manager.store.journal.wake(cause);
                if self.script.current == Some(step) && self.script.quiet == quiet {
                    self.wait_over(step);
                }
            }
        }
    }

    fn begin_step(&mut self, step: u32) {
        self.tell_traffic();
        let scenario = self.scenario.clone();
        let action = &scenario.script[step as usize].action;
        let now = self.now();
        self.manager.store.journal.wake(None);
        let line = match action {
            Action::Docker(line) => line.text().clone(),
            Action::Curl(curl) if curl.times > 1 => {
                format!("curl {}  x{}", curl.url, curl.times).into()
            }
            Action::Curl(curl) => format!("curl {}", curl.url).into(),
            Action::Wait { until, service: None } => format!("wait: {}", words(until)).into(),
            Action::Wait { until, service: Some(service) } => {
                format!("wait: {} (service {service})", words(until)).into()
            }
        };
        self.manager.store.journal.note(now, Fact::Command(CommandFact::Typed { step, line }));
        match action {
            Action::Docker(line) => self.type_command(step, line),
            Action::Curl(curl) => {
                for _ in 0..curl.times {
                    self.curl(step, curl);
                }
                self.end_step(step, 0);
            }
            Action::Wait { until, .. } => self.begin_wait(step, until),
        }
    }

    /// Notes the exit code of a step, and goes on.
    pub(super) fn end_step(&mut self, step: u32, code: u8) {
        self.tell_traffic();
        let now = self.now();
        self.manager.store.journal.note(now, Fact::Command(CommandFact::Exited { step, code }));
        self.step_done(step);
    }

    /// Notes what a step prints.
    pub(super) fn print(&mut self, step: u32, stream: Stream, text: &str) {
        let text = text.strip_suffix('\n').unwrap_or(text);
        if !text.is_empty() && (self.tells.screens || stream == Stream::Err) {
            let now = self.now();
            let fact = CommandFact::Printed { step, stream, text: text.into() };
            self.manager.store.journal.note(now, Fact::Command(fact));
        }
    }

    fn begin_wait(&mut self, step: u32, until: &Wait) {
        self.script.waiting = Some(until.clone());
        match until {
            Wait::For(span) | Wait::Settled(span) => self.file_wait_over(step, *span),
            Wait::Converged | Wait::UpdateDone | Wait::UpdateState(_) => self.check_wait(),
        }
    }

    fn wait_over(&mut self, step: u32) {
        match self.script.waiting {
            // Nothing changed, and yet something is under way that takes longer.
            Some(Wait::Settled(span)) if !self.is_settled(step) => self.file_wait_over(step, span),
            _ => self.end_step(step, 0),
        }
    }

    fn file_wait_over(&mut self, step: u32, span: Span) {
        self.script.quiet += 1;
        let event = ScriptEvent::WaitOver(step, self.script.quiet);
        self.file(self.now().after(span), Class::Client, Event::Script(event), None);
    }

    /// What the script waits for may have come; called whenever the store changed.
    pub(super) fn hear_for_wait(&mut self) {
        let of_services = |change: &Change| matches!(change.what, What::Service(..));
        match (self.script.current, &self.script.waiting) {
            (Some(step), &Some(Wait::Settled(span))) => {
                if self.concerns_wait(step) {
                    self.file_wait_over(step, span);
                }
            }
            // An update state changes only by a write of its service; most changes are of tasks.
            (_, Some(Wait::UpdateState(_))) if !self.manager.changes().iter().any(of_services) => {}
            _ => self.check_wait(),
        }
    }

    /// Looks whether what the script waits for has come.
    fn check_wait(&mut self) {
        let (Some(step), Some(wait)) = (self.script.current, &self.script.waiting) else {
            return;
        };
        if !self.has_come(step, wait) {
            return;
        }
        self.script.waiting = None;
        self.script.quiet += 1;
        let event = ScriptEvent::WaitOver(step, self.script.quiet);
        let cause = self.manager.store.journal.latest();
        self.file(self.now(), Class::Client, Event::Script(event), cause);
    }

    /// An updater may end without a change of the store.
    pub(super) fn check_update_done(&mut self) {
        if matches!(self.script.waiting, Some(Wait::UpdateDone)) {
            self.check_wait();
        }
    }

    /// The service that a waiting step looks at; `None` = all of them.
    fn awaited(&self, step: u32) -> Option<&str> {
        match &self.scenario.script[step as usize].action {
            Action::Wait { service, .. } => service.as_deref(),
            Action::Docker(_) | Action::Curl(_) => None,
        }
    }

    fn is_awaited(&self, step: u32, service: ServiceIx) -> bool {
        let service = self.manager.store.service(service);
        self.awaited(step).is_none_or(|name| service.is_some_and(|s| s.now.spec.name == name))
    }

    /// Whether what changed last is of the service that the step looks at.
    fn concerns_wait(&self, step: u32) -> bool {
        let store = &self.manager.store;
        let Some(wanted) = self.awaited(step).and_then(|name| store.service_named(name)) else {
            return true;
        };
        self.manager.changes().iter().any(|change| match &change.what {
            What::TaskCreated(task) | What::TaskUpdated(task) | What::TaskDeleted(task) => {
                store.task_ever(task.task).service == wanted
            }
            What::Service(service, _) | What::ServiceDeleted(service) => *service == wanted,
            What::Node(_) | What::NodeDeleted(_) | What::Commit => false,
        })
    }

    /// Whether no update runs and no task is on its way to running or to its end. A task without a
    /// node, or on a lost one, may stay as it is for ever and does not count.
    fn is_settled(&self, step: u32) -> bool {
        let store = &self.manager.store;
        let moves = |task: &Task| {
            let on_live_node = task.node.and_then(|node| store.node(node));
            let under_way = if task.desired <= TaskState::Running {
                task.state < TaskState::Running
            } else {
                task.state <= TaskState::Running
            };
            under_way && on_live_node.is_some_and(|node| node.state == NodeState::Ready)
        };
        let updates = store.services().any(|(service, _)| {
            self.is_awaited(step, service)
                && (!update_done(store, service) || self.manager.leader.is_updating(service))
        });
        !updates
            && !store.tasks().any(|(_, task)| self.is_awaited(step, task.service) && moves(task))
    }

    fn has_come(&self, step: u32, wait: &Wait) -> bool {
        let store = &self.manager.store;
        let services = store.services().map(|(service, _)| service);
        let mut services = services.filter(|service| self.is_awaited(step, *service)).peekable();
        match wait {
            Wait::Converged => {
                services.peek().is_some() && services.all(|s| is_converged(store, s))
            }
            Wait::UpdateDone => {
                services.peek().is_some()
                    && services
                        .all(|s| update_done(store, s) && !self.manager.leader.is_updating(s))
            }
            Wait::UpdateState(states) => services.any(|s| {
                let status = store.service(s).and_then(|s| s.now.update);
                status.is_some_and(|status| states.contains(&status.state))
            }),
            Wait::For(_) | Wait::Settled(_) => false,
        }
    }
}

/// The client's notion: as many up-to-date tasks run, and shall run, as are wished (cli surface
/// 4.2); a job is complete.
pub(super) fn is_converged(store: &Store, service: ServiceIx) -> bool {
    let Some(stored) = store.service(service) else { return false };
    let want = match stored.now.spec.mode {
        Mode::Replicated { replicas } => replicas,
        // Without a task either the orchestrator has made none yet, or no node is eligible: the
        // client waits either way (docker cli `progress.go` `globalProgressUpdater`).
        Mode::Global if stored.wanted_running == 0 => return false,
        Mode::Global => u64::from(stored.wanted_running),
        Mode::ReplicatedJob { total_completions, .. } => {
            return job_tasks(store, service, is_complete) == total_completions;
        }
        Mode::GlobalJob => {
            return job_tasks(store, service, is_complete) > 0
                && job_tasks(store, service, is_ahead) == 0;
        }
    };
    if u64::from(stored.running) < want {
        return false;
    }
    let up = |slot| {
        store.tasks_of_slot(service, slot).any(|task| {
            let snapshot = store.snapshot(task);
            snapshot.state == TaskState::Running
                && snapshot.is_runnable()
                && !crate::swarmkit::orchestrator::is_task_dirty(store, &stored.now, snapshot)
        })
    };
    store.slots(service).filter(|slot| up(*slot)).count() as u64 >= want
}

fn update_done(store: &Store, service: ServiceIx) -> bool {
    let status = store.service(service).and_then(|s| s.now.update);
    !status.is_some_and(|status| status.state.is_under_way())
}
