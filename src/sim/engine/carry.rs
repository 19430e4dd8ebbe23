//! Messages between the machines of a task, and what they ask for.
//!
//! A task's agent and its container answer each other within an instant. What else they ask for is
//! carried out as it comes.

use crate::base::effects::Effects;
use crate::base::ids::TaskIx;
use crate::base::time::Span;
use crate::docker::container::Signal as DockerSignal;
use crate::docker::controller::{
    Controller, Effect as DockerEffect, Fact as DockerFact, Input as DockerInput,
};
use crate::docker::health::ProbeResult as DockerProbe;
use crate::sim::engine::{
    BackendNews, Engine, EngineCtx, EngineEvent, Message, Notes, Running, Spread,
};
use crate::swarmkit::agent::exec::Operation;
use crate::swarmkit::agent::task_manager::{Effect as AgentEffect, Input as AgentInput};
use crate::timeline::record::{
    BackendChange, ContainerChange, Fact, HealthChange, ProbeResult, Signal,
};

impl Engine {
    /// Carries a message to a task's machines, and everything that follows in this instant. Every
    /// message gets at most one answer, so none waits behind another.
    pub(super) fn drive(&mut self, cx: &mut EngineCtx<'_>, task: TaskIx, first: Message) {
        let Some(mut running) = self.tasks.entry(task).running.take() else { return };
        if running.notes.latest.is_some() {
            cx.store.journal.wake(running.notes.latest);
        }
        let mut closed = false;
        let mut next = Some(first);
        while let Some(message) = next {
            let Running { agent, container, notes } = &mut *running;
            let now = cx.now;
            let carried = Carried { engine: self, cx, task, notes };
            next = match message {
                Message::Agent(input) => {
                    let mut out = OfAgent { carried, container, answer: None, closed: false };
                    agent.handle(input, &mut out);
                    closed |= out.closed;
                    out.answer.map(Message::Docker)
                }
                Message::Docker(input) => {
                    let mut out = OfContainer { carried, answer: None, pulled: false };
                    container.handle(now, input, &mut out);
                    let OfContainer { answer, pulled, .. } = out;
                    // Its name is in what the machine has in hand until it returns.
                    if pulled {
                        let image = container.template().image_name.clone();
                        self.nodes[notes.node].pulled(image);
                    }
                    answer.map(Message::Agent)
                }
            };
        }
        if closed {
            self.nodes[running.notes.node].forget(task, running.notes.starting);
            self.keep_room(running);
        } else {
            self.tasks[task].running = Some(running);
        }
    }
}

/// What both machines' effects are carried out on.
struct Carried<'a, 'c> {
    engine: &'a mut Engine,
    cx: &'a mut EngineCtx<'c>,
    task: TaskIx,
    notes: &'a mut Notes,
}

/// What an agent asks for.
struct OfAgent<'a, 'c> {
    carried: Carried<'a, 'c>,
    container: &'a Controller,
    /// What its executor is told.
    answer: Option<DockerInput>,
    closed: bool,
}

impl OfAgent<'_, '_> {
    fn answer(&mut self, input: DockerInput) {
        debug_assert!(self.answer.is_none(), "one at a time");
        self.answer = Some(input);
    }
}

impl Effects<AgentEffect> for OfAgent<'_, '_> {
    fn push(&mut self, effect: AgentEffect) {
        let Carried { engine, cx, task, notes } = &mut self.carried;
        match effect {
            AgentEffect::Begin(operation) => {
                let congestion = engine.congestion(cx, *task, notes, self.container, operation);
                self.answer(DockerInput::Begin { operation, congestion });
            }
            AgentEffect::CancelOperation => self.answer(DockerInput::Cancel),
            AgentEffect::Report(status) => engine.report(cx, *task, notes, &status),
            AgentEffect::ReportAgain => engine.report_again(cx, *task, notes),
            AgentEffect::Retry => {
                let incarnation = engine.nodes[notes.node].incarnation();
                let retry = engine.software.timing().agent_retry;
                cx.ask(retry, EngineEvent::Retry(*task, incarnation), true);
            }
            AgentEffect::Closed => self.closed = true,
        }
    }
}

/// What an executor asks for.
struct OfContainer<'a, 'c> {
    carried: Carried<'a, 'c>,
    /// What its agent is told.
    answer: Option<AgentInput>,
    /// Its node has the image now.
    pulled: bool,
}

impl Effects<DockerEffect> for OfContainer<'_, '_> {
    fn push(&mut self, effect: DockerEffect) {
        let Carried { engine, cx, task, notes } = &mut self.carried;
        match effect {
            DockerEffect::At { after, timer, foreground } => {
                cx.ask(after, EngineEvent::Container(*task, timer), foreground);
            }
            // Deviation: a dead timer keeps the run going until it is due; it is never far.
            DockerEffect::Abandon(_) => {}
            DockerEffect::Done(result) => {
                engine.started(notes);
                debug_assert!(self.answer.is_none(), "one at a time");
                self.answer = Some(AgentInput::OpDone(result));
            }
            DockerEffect::Fact(fact) => self.pulled |= !engine.note(cx, *task, notes, fact),
        }
    }
}

/// What effects come to.
impl Engine {
    /// How much longer an operation takes because of the others on its node.
    fn congestion(
        &mut self,
        cx: &EngineCtx<'_>,
        task: TaskIx,
        notes: &mut Notes,
        container: &Controller,
        operation: Operation,
    ) -> Span {
        if operation != Operation::Start || std::mem::replace(&mut notes.starting, true) {
            return Span::ZERO;
        }
        let each = container.template().latencies.start_each_other.median();
        let others = each.times(i64::from(self.nodes[notes.node].begin_start()));
        let stored = cx.store.task_ever(task);
        others.plus(self.starts.off((stored.slot, stored.ordinal)))
    }

    /// It is no more among those being started on its node.
    fn started(&mut self, notes: &mut Notes) {
        if std::mem::take(&mut notes.starting) {
            self.nodes[notes.node].end_start();
        }
    }

    /// Notes what became true of a container; false if it is of the node alone.
    fn note(
        &mut self,
        cx: &mut EngineCtx<'_>,
        task: TaskIx,
        notes: &mut Notes,
        fact: DockerFact,
    ) -> bool {
        let container = |change| Fact::Container { task, change };
        let health = |change| Fact::Health { task, change };
        let fact = match fact {
            DockerFact::Pulled => return false,
            DockerFact::Created => container(ContainerChange::Created),
            DockerFact::Started => {
                self.started(notes);
                container(ContainerChange::Started)
            }
            DockerFact::Signalled(signal) => container(ContainerChange::Signalled(match signal {
                DockerSignal::Stop => Signal::Stop,
                DockerSignal::Kill => Signal::Kill,
            })),
            DockerFact::Died(code) => container(ContainerChange::Died(code)),
            DockerFact::Removed => container(ContainerChange::Removed),
            DockerFact::Probe { started, result, streak } => {
                let result = match result {
                    DockerProbe::Passed => ProbeResult::Passed,
                    DockerProbe::Failed(code) => ProbeResult::Failed(code),
                    DockerProbe::TimedOut(after) => ProbeResult::TimedOut(after),
                };
                health(HealthChange::Probe { started, result, streak })
            }
            DockerFact::Healthy => health(HealthChange::Healthy),
            DockerFact::Unhealthy => health(HealthChange::Unhealthy),
            DockerFact::Activated => self.backend(cx, task, notes, BackendChange::Joined),
            DockerFact::Deactivated => self.backend(cx, task, notes, BackendChange::Drained),
            DockerFact::Gone => self.backend(cx, task, notes, BackendChange::Left),
        };
        notes.latest = Some(cx.store.journal.note(cx.now, fact));
        cx.store.journal.wake(notes.latest);
        true
    }

    fn backend(
        &mut self,
        cx: &EngineCtx<'_>,
        task: TaskIx,
        notes: &Notes,
        change: BackendChange,
    ) -> Fact {
        let (at, node) = (cx.now, notes.node);
        if self.balancers_are_asked {
            let spread = Spread::Gossip;
            self.backends.push(BackendNews { at, task, node, change, spread });
        }
        Fact::Backend { task, change }
    }
}
