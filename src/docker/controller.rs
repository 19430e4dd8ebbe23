//! The container executor of one task (semantics 11).
//!
//! Upstream: moby `daemon/cluster/executor/container/controller.go` `Prepare`, `Start`, `Wait`,
//! `Shutdown`, `Remove`; `adapter.go`. It answers the operations of the agent's task manager, whose
//! interface ([`crate::swarmkit::agent::exec`]) it shares, as upstream.
//!
//! # Wiring
//!
//! * One [`Controller`] per task, made when the task is assigned, dropped when its task manager is
//!   closed. What tasks have in common lies in one shared [`Template`] per version of the service
//!   and kind of node.
//! * `handle(now, input, &mut effects)`; carry the effects out in their order.
//! * [`Effect::At`]: say [`Input::Timer`] that much later; file it as foreground or background.
//!   Timers that no longer apply may be delivered or not: the machine drops them.
//!   [`Effect::Abandon`] tells that such a *foreground* timer will be dropped, so that it need not
//!   keep a run going; it may be ignored.
//! * [`Effect::Done`]: the result of the operation, for the task manager, at this instant, when
//!   `handle` has returned. `Begin` may give it at once.
//! * [`Effect::Fact`]: what became true, in order. `Activated`, `Deactivated` and `Gone` are
//!   `join`, `drain` and `leave` of the node's own [`Balancer`](crate::docker::balancer::Balancer)
//!   now, of others after gossip; they come for tasks with a service binding only.
//! * [`Fact::Pulled`]: the node has the image now; controllers made later get [`Supply::Present`].
//! * A power cut: [`Input::NodeCrashed`], no effects but `Abandon`. The task manager hears nothing
//!   until the engine is back (`EngineRestarted`); its next operation finds the container ended
//!   with code 255. The node's backends are for whoever models gossip: no `Gone` comes.
//!
//! Draws: the words of block 0 of the task's address; probes use later blocks.
//!
//! Deviations: creating and starting a container are not cut short by a cancellation; the two stops
//! that can run at once (unhealthy, and order-down) share one kill timer, that of the first. Where
//! a container that was stopped as unhealthy while starting has died and its Start was cancelled
//! meanwhile, upstream chooses at random which of both it notices; here the death.

use std::sync::Arc;

use crate::base::chance::{Role, word};
use crate::base::dist::Quantity;
use crate::base::effects::Effects;
use crate::base::time::{SimTime, Span};
use crate::docker::behaviour::{Command, Engine, Exit, Health, Latencies};
use crate::docker::container::{Container, Listening, NOT_FOUND, Signal, State};
use crate::docker::health::{Course, Monitor, Planned, Verdict};
pub use crate::docker::messages::{Effect, Fact, Input, Supply, Template};
use crate::docker::texts;
use crate::docker::timers::Timers;
pub use crate::docker::timers::{Timer, TimerKind};
use crate::swarmkit::agent::exec::{OpResult, Operation};

/// The pull of a controller: there is one, whatever happens to Prepare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pull {
    NotBegun,
    Running,
    Succeeded,
    /// The registry's answer; only asked for if the image is not present.
    Failed {
        timed_out: bool,
    },
}

/// A task's place in the load balancer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Binding {
    Inactive,
    Active,
    Drained,
}

/// What is drawn for a container.
#[derive(Clone, Copy)]
enum Draw {
    Prepare,
    Start,
    Stop,
    CleanUp,
    Signal,
}

/// Where in the task's block each [`Draw`] lies.
const DRAWN: [usize; 5] = [word::PREPARE, word::START, word::STOP, word::CLEANUP, word::SIGNAL];

/// What few containers have.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Rare {
    /// A crash at random, counted from the start.
    crash: Option<Exit>,
    /// While the process runs, if there is a health check.
    monitor: Option<Monitor>,
}

/// The executor of one task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Controller {
    template: Arc<Template>,
    slot: u32,
    ordinal: u32,
    /// What is drawn for the container: the words of each [`Draw`].
    words: [u64; DRAWN.len()],
    container: Container,
    rare: Option<Box<Rare>>,
    operation: Option<Operation>,
    /// The operation in progress was cancelled and has not answered yet.
    cancelled: bool,
    supply: Supply,
    pull: Pull,
    binding: Binding,
    /// The container is being, or was, stopped because it was unhealthy.
    unhealthy: bool,
    /// Shutdown has reached its stop and waits for the end of the process.
    stopping: bool,
    timers: Timers,
}

const _: () = assert!(size_of::<Controller>() <= 128);

impl Controller {
    /// The controller of a new task. `slot`: the replica's number, or the place of a global task's
    /// node; `ordinal`: the number of the task in its slot; `crash`: a drawn end, counted from the
    /// start.
    pub fn new(
        template: Arc<Template>,
        slot: u32,
        ordinal: u32,
        supply: Supply,
        crash: Option<Exit>,
    ) -> Controller {
        let block = template.key.block(Role::Task, slot, ordinal, 0);
        Controller {
            template,
            slot,
            ordinal,
            words: DRAWN.map(|word| block[word]),
            container: Container::absent(),
            rare: crash.map(|crash| Box::new(Rare { crash: Some(crash), monitor: None })),
            operation: None,
            cancelled: false,
            supply,
            pull: Pull::NotBegun,
            binding: Binding::Inactive,
            unhealthy: false,
            stopping: false,
            timers: Timers::default(),
        }
    }

    /// The controller of a task that has ended, and whose container is as it was left.
    pub fn left(
        template: Arc<Template>,
        slot: u32,
        ordinal: u32,
        container: Container,
    ) -> Controller {
        let controller = Controller::new(template, slot, ordinal, Supply::Present, None);
        Controller { container, ..controller }
    }

    /// Whether nothing comes from here until an operation begins, and nothing but what the
    /// container is would be missed.
    pub fn is_at_rest(&self) -> bool {
        self.operation.is_none()
            && !self.has_monitor()
            && self.timers.are_idle()
            && self.binding == Binding::Inactive
            && !matches!(self.container.state(), State::Running | State::Exiting)
    }

    /// The container.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// What the task is made from.
    pub fn template(&self) -> &Arc<Template> {
        &self.template
    }

    /// What a connection to the container meets at `now`.
    pub fn listening(&self, now: SimTime) -> Listening {
        self.container.listening(now, &self.template.image)
    }

    /// Takes one input; hands over what follows from it, in order. Inputs that do not apply do
    /// nothing.
    pub fn handle(&mut self, now: SimTime, input: Input, out: &mut impl Effects<Effect>) {
        match input {
            Input::Begin { operation, congestion } => {
                if self.operation.is_none() {
                    self.operation = Some(operation);
                    self.begin(now, operation, congestion, out);
                }
            }
            Input::Cancel => self.cancel(out),
            Input::Timer(timer) => {
                if self.timers.consume(timer) {
                    self.due(now, timer.kind, out);
                }
            }
            Input::Signal(signal) => {
                if self.container.state() == State::Running {
                    self.send(now, signal, out);
                }
            }
            Input::Exit(code) => {
                if self.container.exit(now, code) {
                    self.expect_end(now, true, out);
                }
            }
            Input::NodeCrashed => self.lose_power(now, out),
            Input::BehaviourChanged(health) => self.change_behaviour(now, health, out),
            Input::PullOutcomeChanged(supply) => self.supply = supply,
        }
    }

    fn begin(
        &mut self,
        now: SimTime,
        operation: Operation,
        congestion: Span,
        out: &mut impl Effects<Effect>,
    ) {
        match operation {
            Operation::Prepare => self.prepare(out),
            Operation::Start if self.container.state() == State::Created => {
                let latency = self.draw(|l| &l.start, Draw::Start).plus(congestion);
                self.arm(TimerKind::Started, latency, true, out);
            }
            Operation::Start => self.done(None, out),
            Operation::Wait => {
                if !self.is_up() {
                    self.finish_wait(out);
                }
            }
            Operation::Shutdown | Operation::Remove => self.shut_down(now, out),
        }
    }

    fn due(&mut self, now: SimTime, kind: TimerKind, out: &mut impl Effects<Effect>) {
        match kind {
            TimerKind::Pulled => self.pulled(out),
            TimerKind::Created => self.created(out),
            TimerKind::Started => self.started(now, out),
            TimerKind::Exited => self.exited(out),
            TimerKind::CleanedUp => self.cleaned_up(out),
            TimerKind::GraceOver => self.send(now, Signal::Kill, out),
            TimerKind::ProbeEnded => self.probe_ended(now, out),
            TimerKind::ShutdownSignal => {
                self.stopping = true;
                if self.is_up() { self.stop(now, out) } else { self.finish_shutdown(out) }
            }
            TimerKind::UnhealthySignal => self.stop(now, out),
        }
    }

    fn cancel(&mut self, out: &mut impl Effects<Effect>) {
        match self.operation {
            Some(Operation::Prepare) if self.timers.is_live(TimerKind::Pulled) => {
                self.end_operation(OpResult::Cancelled { exit: None }, out);
            }
            // Waiting for health. A stop of the unhealthy container must be over first.
            Some(Operation::Start)
                if self.container.state() == State::Running && !self.unhealthy =>
            {
                self.end_operation(OpResult::Cancelled { exit: None }, out);
            }
            Some(Operation::Start) => self.cancelled = true,
            Some(Operation::Wait) => {
                self.end_operation(OpResult::Cancelled { exit: Some(-1) }, out);
            }
            // The container is being created, or stopped: that goes on.
            Some(Operation::Prepare | Operation::Shutdown | Operation::Remove) | None => {}
        }
    }
}

/// Prepare (semantics 11.2).
impl Controller {
    fn prepare(&mut self, out: &mut impl Effects<Effect>) {
        if self.container.state() != State::Absent {
            return self.done(None, out);
        }
        match self.pull {
            Pull::NotBegun if self.supply == Supply::Download => {
                self.pull = Pull::Running;
                let latency = self.draw(|l| &l.pull, Draw::Prepare);
                self.arm(TimerKind::Pulled, latency, true, out);
            }
            Pull::NotBegun => {
                self.end_pull();
                self.create(out);
            }
            Pull::Running => {}
            Pull::Succeeded => self.create(out),
            Pull::Failed { .. } if self.supply == Supply::Present => self.create(out),
            // The pull is not repeated, and neither is the time it took.
            Pull::Failed { timed_out } => self.fail_to_prepare(timed_out, out),
        }
    }

    fn end_pull(&mut self) {
        self.pull = match self.supply {
            Supply::Present | Supply::Download => Pull::Succeeded,
            Supply::Missing => Pull::Failed { timed_out: false },
            Supply::TimedOut => Pull::Failed { timed_out: true },
        };
    }

    fn pulled(&mut self, out: &mut impl Effects<Effect>) {
        self.end_pull();
        if self.pull == Pull::Succeeded {
            out.push(Effect::Fact(Fact::Pulled));
        }
        if self.operation == Some(Operation::Prepare) {
            self.create(out);
        }
    }

    fn create(&mut self, out: &mut impl Effects<Effect>) {
        let latency = self.draw(|l| &l.prepare, Draw::Prepare);
        self.arm(TimerKind::Created, latency, true, out);
    }

    fn created(&mut self, out: &mut impl Effects<Effect>) {
        match self.pull {
            Pull::Failed { timed_out } if self.supply != Supply::Present => {
                self.fail_to_prepare(timed_out, out);
            }
            _ => {
                self.container.create();
                out.push(Effect::Fact(Fact::Created));
                self.done(None, out);
            }
        }
    }

    fn fail_to_prepare(&mut self, timed_out: bool, out: &mut impl Effects<Effect>) {
        let template = &self.template;
        let result = if timed_out && template.engine >= Engine::V29 {
            OpResult::Temporary { error: texts::REGISTRY_TIME_OUT.into() }
        } else {
            let error = texts::missing_image(template.engine, &template.image_name);
            OpResult::Failed { error, exit: None }
        };
        self.end_operation(result, out);
    }
}

/// Start and Wait (semantics 11.3, 11.4).
impl Controller {
    fn started(&mut self, now: SimTime, out: &mut impl Effects<Effect>) {
        let template = &*self.template;
        if template.image.command == Command::NotFound {
            self.container.fail_to_start(NOT_FOUND);
            let error = texts::command_not_found(template.engine, &template.program);
            return self.end_operation(OpResult::Failed { error, exit: Some(NOT_FOUND) }, out);
        }
        let exit = self.own_exit();
        self.container.start(now, exit);
        out.push(Effect::Fact(Fact::Started));
        // A crash at random may be years away: nobody waits for it.
        let by_chance = exit.is_some() && exit == self.crash();
        self.expect_end(now, !by_chance, out);
        if self.template.probing.is_some() {
            let monitor = Some(Monitor::new(now));
            self.rare = Some(Box::new(Rare { crash: self.crash(), monitor }));
            self.plan_probe(now, out);
            if std::mem::take(&mut self.cancelled) {
                self.end_operation(OpResult::Cancelled { exit: None }, out);
            }
        } else {
            self.cancelled = false;
            self.activate(out);
            self.done(None, out);
        }
    }

    fn crash(&self) -> Option<Exit> {
        self.rare.as_ref().and_then(|rare| rare.crash)
    }

    /// The first of the ends that the process has in itself.
    fn own_exit(&self) -> Option<Exit> {
        let image = &self.template.image;
        let concerned = image.only_slots.as_ref().is_none_or(|slots| slots.contains(&self.slot));
        let own = image.exit.filter(|_| concerned);
        own.into_iter().chain(self.crash()).min_by_key(|exit| exit.after)
    }

    /// Files the moment at which the engine will notice the end of the process, as far as it is
    /// known.
    fn expect_end(&mut self, now: SimTime, foreground: bool, out: &mut impl Effects<Effect>) {
        if let Some(end) = self.container.end() {
            let noticed = end.at.after(self.draw(|l| &l.stop, Draw::Stop));
            self.arm(TimerKind::Exited, noticed.since(now.min(noticed)), foreground, out);
        }
    }

    fn exited(&mut self, out: &mut impl Effects<Effect>) {
        let code = self.container.die();
        self.end_monitor();
        for kind in [TimerKind::ProbeEnded, TimerKind::GraceOver, TimerKind::UnhealthySignal] {
            self.disarm(kind, out);
        }
        out.push(Effect::Fact(Fact::Died(code)));
        let cleanup = self.draw(|l| &l.cleanup, Draw::CleanUp);
        if cleanup.0 > 0 {
            self.arm(TimerKind::CleanedUp, cleanup, true, out);
        } else {
            self.cleaned_up(out);
        }
    }

    fn cleaned_up(&mut self, out: &mut impl Effects<Effect>) {
        self.container.clean_up();
        if self.binding != Binding::Inactive {
            self.binding = Binding::Inactive;
            out.push(Effect::Fact(Fact::Gone));
        }
        match self.operation {
            Some(Operation::Start) => {
                self.cancelled = false;
                // Code 0 is a success, even of a container that never was healthy (Q30).
                let result = self.judged_by_code(None);
                self.end_operation(result, out);
            }
            Some(Operation::Wait) => self.finish_wait(out),
            Some(Operation::Shutdown | Operation::Remove) if self.stopping => {
                self.finish_shutdown(out);
            }
            _ => {}
        }
    }

    fn finish_wait(&mut self, out: &mut impl Effects<Effect>) {
        let result = self.judged_by_code(Some(0));
        self.end_operation(result, out);
    }

    fn judged_by_code(&self, success: Option<i32>) -> OpResult {
        match self.container.exit_code().unwrap_or(0) {
            0 => OpResult::Done { exit: success },
            code => OpResult::Failed {
                error: texts::non_zero_exit(code, self.unhealthy),
                exit: Some(code),
            },
        }
    }
}

/// Health (semantics 12).
impl Controller {
    fn course(&self) -> Option<Course<'_>> {
        let template = &*self.template;
        Some(Course {
            probing: template.probing.as_ref()?,
            image: &template.image,
            duration: &template.latencies.probe,
            engine: template.engine,
            key: template.key,
            slot: self.slot,
            ordinal: self.ordinal,
            list_probes: template.list_probes,
        })
    }

    fn has_monitor(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.monitor.is_some())
    }

    fn with_monitor<R>(
        &mut self,
        act: impl FnOnce(&mut Monitor, &Course<'_>) -> Option<R>,
    ) -> Option<R> {
        let mut rare = self.rare.take()?;
        let monitor = rare.monitor.as_mut().zip(self.course());
        let result = monitor.and_then(|(monitor, course)| act(monitor, &course));
        self.rare = Some(rare);
        result
    }

    fn end_monitor(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.monitor = None;
        }
    }

    fn probe_ended(&mut self, now: SimTime, out: &mut impl Effects<Effect>) {
        let ended = self.with_monitor(|monitor, course| monitor.end(now, course));
        let Some(ended) = ended else { return };
        if ended.listed {
            let (started, result, streak) = (ended.started, ended.result, ended.streak);
            out.push(Effect::Fact(Fact::Probe { started, result, streak }));
        }
        match ended.verdict {
            Some(Verdict::Healthy) => {
                out.push(Effect::Fact(Fact::Healthy));
                self.turned_healthy(out);
            }
            Some(Verdict::Unhealthy) => {
                out.push(Effect::Fact(Fact::Unhealthy));
                self.turned_unhealthy(out);
            }
            None => {}
        }
        self.plan_probe(now, out);
    }

    fn plan_probe(&mut self, now: SimTime, out: &mut impl Effects<Effect>) {
        let planned = self.with_monitor(Monitor::plan);
        self.file_probe(now, planned, out);
    }

    fn file_probe(
        &mut self,
        now: SimTime,
        planned: Option<Planned>,
        out: &mut impl Effects<Effect>,
    ) {
        if let Some(Planned { end, foreground }) = planned {
            self.arm(TimerKind::ProbeEnded, end.since(now.min(end)), foreground, out);
        }
    }

    fn change_behaviour(
        &mut self,
        now: SimTime,
        health: Arc<Health>,
        out: &mut impl Effects<Effect>,
    ) {
        if !self.has_monitor() {
            return;
        }
        let planned = self.with_monitor(|monitor, course| monitor.change(now, health, course));
        self.disarm(TimerKind::ProbeEnded, out);
        self.file_probe(now, planned, out);
    }

    fn turned_healthy(&mut self, out: &mut impl Effects<Effect>) {
        if self.operation == Some(Operation::Start) && !self.unhealthy {
            self.activate(out);
            self.done(None, out);
        }
    }

    /// The executor stops the container by itself, without the agent's second. It listens during
    /// Start and Wait only.
    fn turned_unhealthy(&mut self, out: &mut impl Effects<Effect>) {
        if !matches!(self.operation, Some(Operation::Start | Operation::Wait)) {
            return;
        }
        self.unhealthy = true;
        let latency = self.draw(|l| &l.unhealthy_signal, Draw::Signal);
        let settling = self.leave_balancer(out);
        self.arm(TimerKind::UnhealthySignal, settling.plus(latency), true, out);
    }
}

/// Shutdown and Remove (semantics 11.5, 11.7).
impl Controller {
    fn shut_down(&mut self, now: SimTime, out: &mut impl Effects<Effect>) {
        self.stopping = false;
        if self.pull == Pull::Running {
            self.disarm(TimerKind::Pulled, out);
            self.pull = Pull::Failed { timed_out: false };
        }
        let settling = self.leave_balancer(out);
        let latency = if self.container.state() == State::Running {
            self.draw(|l| &l.signal, Draw::Signal)
        } else {
            Span::ZERO
        };
        let wait = settling.plus(latency);
        if wait.0 > 0 {
            self.arm(TimerKind::ShutdownSignal, wait, true, out);
        } else {
            self.due(now, TimerKind::ShutdownSignal, out);
        }
    }

    /// Leaves the load balancer. Gives the wait that follows, which every task with a binding has,
    /// in the balancer or not.
    fn leave_balancer(&mut self, out: &mut impl Effects<Effect>) -> Span {
        if !self.template.has_service_binding {
            return Span::ZERO;
        }
        if self.binding == Binding::Active {
            self.binding = Binding::Drained;
            out.push(Effect::Fact(Fact::Deactivated));
        }
        self.template.gossip_converge_delay
    }

    /// The stop signal, and the kill after the grace period unless the process is known to leave
    /// before.
    fn stop(&mut self, now: SimTime, out: &mut impl Effects<Effect>) {
        if self.container.state() != State::Running {
            return;
        }
        self.send(now, Signal::Stop, out);
        let grace = self.template.grace;
        let kill_at = now.after(grace);
        if self.container.end().is_some_and(|end| end.at < kill_at) {
            return;
        }
        if grace.0 <= 0 {
            self.send(now, Signal::Kill, out);
        } else if !self.timers.is_live(TimerKind::GraceOver) {
            self.arm(TimerKind::GraceOver, grace, true, out);
        }
    }

    fn send(&mut self, now: SimTime, signal: Signal, out: &mut impl Effects<Effect>) {
        out.push(Effect::Fact(Fact::Signalled(signal)));
        if self.container.signal(now, signal, &self.template.image) {
            self.expect_end(now, true, out);
        }
    }

    fn finish_shutdown(&mut self, out: &mut impl Effects<Effect>) {
        let exit = self.container.exit_code();
        if self.operation == Some(Operation::Remove) && self.container.remove() {
            out.push(Effect::Fact(Fact::Removed));
        }
        self.done(exit, out);
    }
}

/// What all operations share.
impl Controller {
    /// Whether there is a process, or the engine has not cleaned up after it.
    fn is_up(&self) -> bool {
        matches!(self.container.state(), State::Running | State::Exiting)
    }

    fn activate(&mut self, out: &mut impl Effects<Effect>) {
        if self.template.has_service_binding {
            self.binding = Binding::Active;
            out.push(Effect::Fact(Fact::Activated));
        }
    }

    fn done(&mut self, exit: Option<i32>, out: &mut impl Effects<Effect>) {
        self.end_operation(OpResult::Done { exit }, out);
    }

    fn end_operation(&mut self, result: OpResult, out: &mut impl Effects<Effect>) {
        self.operation = None;
        out.push(Effect::Done(result));
    }

    fn lose_power(&mut self, now: SimTime, out: &mut impl Effects<Effect>) {
        for kind in TimerKind::ALL {
            self.disarm(kind, out);
        }
        self.container.lose_power(now);
        self.end_monitor();
        self.operation = None;
        self.cancelled = false;
        self.pull = Pull::NotBegun;
        self.binding = Binding::Inactive;
        self.unhealthy = false;
        self.stopping = false;
    }

    fn draw(&self, which: impl Fn(&Latencies) -> &Quantity, draw: Draw) -> Span {
        which(&self.template.latencies).at(self.words[draw as usize])
    }

    fn arm(
        &mut self,
        kind: TimerKind,
        after: Span,
        foreground: bool,
        out: &mut impl Effects<Effect>,
    ) {
        self.disarm(kind, out);
        let timer = self.timers.arm(kind, foreground);
        out.push(Effect::At { after, timer, foreground });
    }

    fn disarm(&mut self, kind: TimerKind, out: &mut impl Effects<Effect>) {
        if let Some(timer) = self.timers.disarm(kind) {
            out.push(Effect::Abandon(timer));
        }
    }
}

#[cfg(test)]
mod tests;
