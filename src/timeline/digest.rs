//! A digest over the records: BLAKE3 of a fixed binary form, the same for a run and for its file.
//!
//! The form is compact and injective: variable-length integers, differences to the record before,
//! lengths before texts. Ids count in the order of their declaration, since a live run may leave
//! gaps in its ids which a file cannot know. A row of a progress display that is frequent is what
//! it says in numbers ([`Shown`]), every other row its text. Nothing is allocated per record
//! (performance 6: hashing buffers of 64 KiB costs a fifth of hashing each change).

use std::fmt;
use std::sync::Arc;

use crate::base::ids::{Id, NodeIx, RecordNo, ServiceIx, TaskIx};
use crate::base::pieces::IdPieces;
use crate::base::time::{SimTime, Span};
use crate::client::shown::Shown;
use crate::swarmkit::spec::ServiceSpec;
use crate::swarmkit::task::{StatusMessage, TaskState, UpdateMessage};
use crate::timeline::ends::{DigestValue, Footer};
use crate::timeline::record::{
    CommandFact, ContainerChange, Fact, HealthChange, NodeChange, ProbeResult, Record,
    RequestOutcome, ServiceChange, SlotKey, TaskChange, UpdateStatus, Waiting,
};
use crate::timeline::sink::Sink;
use crate::timeline::spec_json;

/// Hashed at once; large enough for BLAKE3 to work on several blocks side by side.
const BUFFER: usize = 64 * 1024;

/// What a run of an exercise comes to.
const SHORT_RUN: usize = 4 * 1024;

/// So many specs are told apart; more would make each further one cost more.
const KNOWN_SPECS: usize = 16;

/// A sink that digests.
#[derive(Clone)]
pub struct Digest {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
    services: Numbers<ServiceIx>,
    nodes: Numbers<NodeIx>,
    tasks: Numbers<TaskIx>,
    /// Specs met so far, each different from all before.
    specs: Vec<Arc<ServiceSpec>>,
    at: SimTime,
    no: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Digest::new()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("records", &self.no).finish_non_exhaustive()
    }
}

/// Numbers of ids in the order of their declaration.
#[derive(Clone)]
struct Numbers<I> {
    given: u32,
    /// So many of the first ids were declared in their own order, and need no table.
    in_order: u32,
    /// Of all others: from 1 on; 0 for an id that was never declared.
    others: IdPieces<I, u32>,
}

impl<I: Id> Numbers<I> {
    const fn new() -> Self {
        Numbers { given: 0, in_order: 0, others: IdPieces::new() }
    }

    fn declare(&mut self, id: I) -> u64 {
        if self.given == self.in_order && id.index() == self.in_order as usize {
            self.in_order += 1;
            self.given += 1;
        } else if self.of(id) == 0 {
            self.given += 1;
            *self.others.entry(id) = self.given;
        }
        self.of(id)
    }

    /// From 1 on; 0 for an id that was never declared.
    #[inline]
    fn of(&self, id: I) -> u64 {
        if id.index() < self.in_order as usize {
            return id.index() as u64 + 1;
        }
        self.others.get(id).map_or(0, |number| u64::from(*number))
    }

    fn clear(&mut self) {
        (self.given, self.in_order) = (0, 0);
        self.others.clear();
    }
}

impl Digest {
    /// The digest of no records.
    pub fn new() -> Digest {
        Digest {
            hasher: blake3::Hasher::new(),
            // Grows to the size of the buffer only in runs that are that long.
            buffer: Vec::with_capacity(SHORT_RUN),
            services: Numbers::new(),
            nodes: Numbers::new(),
            tasks: Numbers::new(),
            specs: Vec::new(),
            at: SimTime::ZERO,
            no: 0,
        }
    }

    /// The digest of these records.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> DigestValue {
        let mut digest = Digest::new();
        records.into_iter().for_each(|record| digest.take(record));
        digest.value()
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &Record) {
        self.number(record.at.0.wrapping_sub(self.at.0));
        self.at = record.at;
        match record.because {
            None => self.number(0),
            // An earlier record, so the distance is at least 1.
            Some(cause) => self.number(self.no.wrapping_sub(cause.index() as u64)),
        }
        self.no += 1;
        self.fact(&record.fact);
        if self.buffer.len() >= BUFFER {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
            // A record that names all slots of a large service is rare.
            self.buffer.shrink_to(2 * BUFFER);
        }
    }

    /// The digest of all records so far. More may follow.
    pub fn value(&self) -> DigestValue {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.buffer);
        DigestValue(*hasher.finalize().as_bytes())
    }

    /// Forgets everything; keeps the room.
    pub fn reset(&mut self) {
        self.hasher.reset();
        self.buffer.clear();
        self.services.clear();
        self.nodes.clear();
        self.tasks.clear();
        self.specs.clear();
        (self.at, self.no) = (SimTime::ZERO, 0);
    }

    fn byte(&mut self, byte: u8) {
        self.buffer.push(byte);
    }

    /// A small number is its own byte; before a larger one goes a byte that says how many bytes
    /// it has, the lowest of which comes first.
    #[inline]
    fn number(&mut self, number: u64) {
        if number < 0x80 {
            return self.buffer.push(number as u8);
        }
        let bytes = 8 - number.leading_zeros() / 8;
        let word = u128::from(number) << 8 | u128::from(0x80 | bytes);
        // All at once, and then without those that are zero: faster than one byte after the other.
        let length = self.buffer.len() + 1 + bytes as usize;
        self.buffer.extend_from_slice(&word.to_le_bytes());
        self.buffer.truncate(length);
    }

    /// A signed number: small ones of both signs stay short.
    fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    fn span(&mut self, span: Span) {
        self.signed(span.0);
    }

    /// A moment as its distance from now.
    fn moment(&mut self, moment: SimTime) {
        self.signed(self.at.0.wrapping_sub(moment.0) as i64);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn state(&mut self, state: TaskState) {
        // Multiples of 32.
        self.byte((state.number() / 32) as u8);
    }

    /// A spec is digested once; from then on its number stands for it. Of the older ones only so
    /// many are known.
    fn spec(&mut self, spec: &Arc<ServiceSpec>) {
        let is_it = |known: &Arc<ServiceSpec>| Arc::ptr_eq(known, spec) || *known == *spec;
        if let Some(number) = self.specs.iter().position(is_it) {
            return self.number(number as u64 + 1);
        }
        if self.specs.len() < KNOWN_SPECS {
            self.specs.push(spec.clone());
        }
        self.number(0);
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 4]);
        spec_json::write(&mut self.buffer, spec);
        let length = (self.buffer.len() - start - 4) as u32;
        self.buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    fn service(&mut self, service: ServiceIx) {
        self.number(self.services.of(service));
    }

    fn node(&mut self, node: NodeIx) {
        self.number(self.nodes.of(node));
    }

    #[inline]
    fn task(&mut self, task: TaskIx) {
        self.number(self.tasks.of(task));
    }

    fn slot(&mut self, slot: SlotKey) {
        match slot {
            SlotKey::Slot(slot) => {
                self.byte(0);
                self.number(u64::from(slot.0));
            }
            SlotKey::Node(node) => {
                self.byte(1);
                self.node(node);
            }
        }
    }

    /// One byte says which fact and which of its changes; what follows is fixed by it.
    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Command(command) => self.command_fact(command),
            Fact::Service { service, change } => self.service_fact(*service, change),
            Fact::Update { service, status } => self.update_fact(*service, *status),
            Fact::Run { service, slots, parallelism } => {
                self.byte(0x30);
                self.service(*service);
                self.number(slots.len() as u64);
                slots.iter().for_each(|slot| self.slot(*slot));
                self.number(u64::from(*parallelism));
            }
            Fact::Task { task, change } => self.task_fact(*task, change),
            Fact::Container { task, change } => {
                self.byte(0x50 + container_code(*change));
                self.task(*task);
                if let ContainerChange::Died(code) = change {
                    self.signed(i64::from(*code));
                }
            }
            Fact::Health { task, change } => self.health_fact(*task, *change),
            Fact::Backend { task, change } => {
                self.byte(0x70 + *change as u8);
                self.task(*task);
            }
            Fact::Node { node, change } => self.node_fact(*node, change),
            Fact::Request { port, node, service, outcome } => {
                self.byte(0x90);
                self.number(u64::from(*port));
                self.node(*node);
                self.service_if(*service);
                self.outcome(*outcome);
            }
            Fact::Requests { traffic, service, since, counts } => {
                self.byte(if counts.unfinished == 0 { 0x91 } else { 0x92 });
                self.number(u64::from(*traffic));
                self.service_if(*service);
                self.number(since.0);
                self.number(u64::from(counts.answered));
                counts.failures().iter().for_each(|(.., count)| self.number(u64::from(*count)));
                if counts.unfinished > 0 {
                    self.number(u64::from(counts.unfinished));
                }
            }
            Fact::Fault { fault, text } => {
                self.byte(0xa0);
                self.number(u64::from(*fault));
                self.text(text);
            }
            Fact::Waiting { service, slot, reason } => {
                self.byte(0xb0 + u8::from(slot.is_some()));
                self.service(*service);
                if let Some(slot) = slot {
                    self.slot(*slot);
                }
                self.waiting(*reason);
            }
            Fact::Leader { term } => {
                self.byte(0xc0);
                self.number(u64::from(*term));
            }
        }
    }

    fn command_fact(&mut self, command: &CommandFact) {
        match command {
            CommandFact::Typed { step, line } => {
                self.byte(0x01);
                self.number(u64::from(*step));
                self.text(line);
            }
            CommandFact::Printed { step, stream, text } => {
                self.byte(0x02 + *stream as u8);
                self.number(u64::from(*step));
                self.text(text);
            }
            CommandFact::Row { step, row, shows } => self.row_fact(*step, *row, shows),
            CommandFact::Exited { step, code } => {
                self.byte(0x05);
                self.number(u64::from(*step));
                self.byte(*code);
            }
        }
    }

    fn row_fact(&mut self, step: u32, row: u16, shows: &Shown) {
        self.byte(match shows {
            Shown::Text(_) => 0x04,
            Shown::Countdown(_) => 0x06,
            Shown::Bar { .. } => 0x07,
            Shown::Tasks { rolling_back, .. } => 0x08 + u8::from(*rolling_back),
            Shown::Slot { .. } => 0x0a,
        });
        self.number(u64::from(step));
        self.number(u64::from(row));
        match shows {
            Shown::Text(text) => self.text(text),
            Shown::Countdown(seconds) => self.number(*seconds),
            Shown::Slot { number, of } => {
                self.number(*number);
                self.number(*of);
            }
            Shown::Bar { number, of, state } => {
                self.number(*number);
                self.number(*of);
                self.state(*state);
            }
            Shown::Tasks { running, wish, .. } => {
                self.number(*running);
                self.number(*wish);
            }
        }
    }

    fn service_fact(&mut self, service: ServiceIx, change: &ServiceChange) {
        match change {
            ServiceChange::Created { id, spec, version } => {
                self.byte(0x10);
                let number = self.services.declare(service);
                self.number(number);
                self.buffer.extend_from_slice(&id.to_bytes());
                self.number(version.0);
                self.spec(spec);
            }
            ServiceChange::Spec { spec, version, previous } => {
                self.byte(0x11 + u8::from(previous.is_some()));
                self.service(service);
                self.number(version.0);
                self.spec(spec);
                if let Some(previous) = previous {
                    self.spec(previous);
                }
            }
            ServiceChange::Removed => {
                self.byte(0x13);
                self.service(service);
            }
        }
    }

    fn update_fact(&mut self, service: ServiceIx, status: Option<UpdateStatus>) {
        let Some(status) = status else {
            self.byte(0x20);
            return self.service(service);
        };
        self.byte(0x21 + u8::from(status.completed.is_some()));
        self.service(service);
        self.byte(status.state as u8);
        let (code, task) = match status.message {
            UpdateMessage::InProgress => (0, None),
            UpdateMessage::Completed => (1, None),
            UpdateMessage::RollbackCompleted => (2, None),
            UpdateMessage::ManuallyRequested => (3, None),
            UpdateMessage::PausedBy(task) => (4, Some(task)),
            UpdateMessage::RolledBackBy(task) => (5, Some(task)),
            UpdateMessage::RollbackPausedBy(task) => (6, Some(task)),
        };
        self.byte(code);
        if let Some(task) = task {
            self.task(task);
        }
        self.moment(status.started);
        if let Some(completed) = status.completed {
            self.moment(completed);
        }
    }

    fn task_fact(&mut self, task: TaskIx, change: &TaskChange) {
        match change {
            TaskChange::Created(created) => {
                self.byte(0x40 + created.maker as u8);
                let number = self.tasks.declare(task);
                self.number(number);
                self.buffer.extend_from_slice(&created.id.to_bytes());
                self.service(created.service);
                self.slot(created.slot);
                self.number(u64::from(created.ordinal.0));
                self.text(&created.image);
                self.number(created.version.0);
                self.state(created.desired);
            }
            TaskChange::Desired(state) => {
                self.byte(0x43);
                self.task(task);
                self.state(*state);
            }
            TaskChange::Assigned { node, message } => {
                self.byte(0x44);
                self.task(task);
                self.node(*node);
                self.byte(message_code(*message));
            }
            TaskChange::Status(status) => {
                let (err, exit) = (&status.err, status.exit);
                self.byte(0x46 + u8::from(err.is_some()) + 2 * u8::from(exit.is_some()));
                self.task(task);
                self.state(status.state);
                self.byte(message_code(status.message));
                self.moment(status.stamp);
                if let Some(err) = err {
                    self.text(err);
                }
                if let Some(exit) = exit {
                    self.signed(i64::from(exit));
                }
            }
            TaskChange::Deleted => {
                self.byte(0x45);
                self.task(task);
            }
        }
    }

    fn health_fact(&mut self, task: TaskIx, change: HealthChange) {
        match change {
            HealthChange::Probe { started, result, streak } => {
                match result {
                    ProbeResult::Passed => self.byte(0x60),
                    ProbeResult::Failed(code) => {
                        self.byte(0x61);
                        self.signed(i64::from(code));
                    }
                    ProbeResult::TimedOut(timeout) => {
                        self.byte(0x62);
                        self.span(timeout);
                    }
                }
                self.task(task);
                self.moment(started);
                self.number(u64::from(streak));
            }
            HealthChange::Healthy => {
                self.byte(0x63);
                self.task(task);
            }
            HealthChange::Unhealthy => {
                self.byte(0x64);
                self.task(task);
            }
        }
    }

    fn node_fact(&mut self, node: NodeIx, change: &NodeChange) {
        match change {
            NodeChange::Joined { id, name, manager, availability, state } => {
                self.byte(0x80);
                let number = self.nodes.declare(node);
                self.number(number);
                self.buffer.extend_from_slice(&id.to_bytes());
                self.text(name);
                self.byte(u8::from(*manager));
                self.byte(*availability as u8);
                self.byte(*state as u8);
            }
            NodeChange::State { state, message } => {
                self.byte(0x81);
                self.node(node);
                self.byte(*state as u8);
                self.text(message);
            }
            NodeChange::Availability(availability) => {
                self.byte(0x82);
                self.node(node);
                self.byte(*availability as u8);
            }
            NodeChange::Labels(labels) => {
                self.byte(0x83);
                self.node(node);
                self.number(labels.len() as u64);
                labels.iter().for_each(|label| self.text(label));
            }
            NodeChange::Removed => {
                self.byte(0x84);
                self.node(node);
            }
            NodeChange::Crashed => {
                self.byte(0x85);
                self.node(node);
            }
            NodeChange::Booted => {
                self.byte(0x86);
                self.node(node);
            }
        }
    }

    fn service_if(&mut self, service: Option<ServiceIx>) {
        match service {
            None => self.byte(0),
            Some(service) => {
                self.byte(1);
                self.service(service);
            }
        }
    }

    fn outcome(&mut self, outcome: RequestOutcome) {
        let (code, task) = match outcome {
            RequestOutcome::Answered(task) => (0, Some(task)),
            RequestOutcome::Refused(task) => (1, Some(task)),
            RequestOutcome::Lost(task) => (2, Some(task)),
            RequestOutcome::NoBackend => (3, None),
            RequestOutcome::NoService => (4, None),
            RequestOutcome::Cut(task) => (5, Some(task)),
            RequestOutcome::Unreachable => (6, None),
        };
        self.byte(code);
        if let Some(task) = task {
            self.task(task);
        }
    }

    fn waiting(&mut self, reason: Waiting) {
        let (code, task, span) = match reason {
            Waiting::OldTaskToStop(task) => (0, Some(task), None),
            Waiting::NewTaskToRun(task) => (1, Some(task), None),
            Waiting::Delay(span) => (2, None, Some(span)),
            Waiting::Workers => (3, None, None),
            Waiting::FinalWatch(span) => (4, None, Some(span)),
            Waiting::RestartDelay(task, span) => (5, Some(task), Some(span)),
            Waiting::SlotGivenUp => (6, None, None),
            Waiting::FailureForgiven(task, span) => (7, Some(task), Some(span)),
            Waiting::FailureTolerated(task, ..) => (8, Some(task), None),
            Waiting::NotRestarted(task) => (9, Some(task), None),
        };
        self.byte(code);
        if let Some(task) = task {
            self.task(task);
        }
        if let Some(span) = span {
            self.span(span);
        }
        if let Waiting::FailureTolerated(_, failures, of) = reason {
            self.number(u64::from(failures));
            self.number(u64::from(of));
        }
    }
}

impl Sink for Digest {
    fn record(&mut self, _: RecordNo, record: &Record) {
        self.take(record);
    }
    fn finish(&mut self, _: &Footer) {}
}

fn container_code(change: ContainerChange) -> u8 {
    match change {
        ContainerChange::Created => 0,
        ContainerChange::Started => 1,
        ContainerChange::Signalled(signal) => 2 + signal as u8,
        ContainerChange::Died(_) => 4,
        ContainerChange::Removed => 5,
    }
}

fn message_code(message: StatusMessage) -> u8 {
    message as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_in_the_order_of_their_declaration() {
        let id = TaskIx::from_index;
        let mut numbers: Numbers<TaskIx> = Numbers::new();
        // Two in their own order, a gap, and one that comes late.
        let declared = [0, 1, 4, 2, 1, 4].map(|index| numbers.declare(id(index)));
        assert_eq!(declared, [1, 2, 3, 4, 2, 3]);
        let known = [0, 1, 2, 3, 4, 9].map(|index| numbers.of(id(index)));
        assert_eq!(known, [1, 2, 4, 0, 3, 0]);
        numbers.clear();
        assert_eq!((numbers.of(id(0)), numbers.declare(id(4)), numbers.of(id(4))), (0, 1, 1));
    }
}
