//! A timeline as text: JSON Lines, one header, the records in order, one footer (docs/timeline.md).
//!
//! Fields have a fixed order and hold integers, texts and lists only, so equal runs are equal
//! bytes. Times are nanoseconds. Ids are written as names. [`crate::timeline::read`] is the way
//! back.

use std::io::{self, Write};

use crate::base::ids::{Id, RecordNo, ServiceIx};
use crate::timeline::ends::{Footer, Header, Stop, Timeline};
use crate::timeline::json::{Object, quote};
use crate::timeline::names::Names;
use crate::timeline::record::{
    BackendChange, CommandFact, ContainerChange, Fact, HealthChange, Maker, NodeChange,
    ProbeResult, Record, RequestOutcome, ServiceChange, Signal, SlotKey, Stream, TaskChange,
    UpdateStatus, Waiting,
};
use crate::timeline::sink::Sink;
use crate::timeline::spec_json;

/// Full lines are handed on in pieces of at least this size.
const CHUNK: usize = 64 * 1024;

/// A sink that writes a timeline.
///
/// It buffers for itself. After the first error it writes nothing more; [`Writer::end`] returns it.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    lines: Vec<u8>,
    names: Names,
    error: Option<io::Error>,
}

impl<W: Write> Writer<W> {
    /// Begins a timeline.
    pub fn new(out: W, header: &Header) -> Writer<W> {
        let mut lines = Vec::with_capacity(CHUNK + 4096);
        write_header(&mut lines, header);
        Writer { out, lines, names: Names::default(), error: None }
    }

    /// Hands the rest on and gives the output back, or the first error of writing to it.
    pub fn end(mut self) -> io::Result<W> {
        self.hand_on();
        match self.error {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }

    fn hand_on(&mut self) {
        if self.error.is_none() {
            self.error = self.out.write_all(&self.lines).err();
        }
        self.lines.clear();
    }
}

impl<W: Write> Sink for Writer<W> {
    fn record(&mut self, no: RecordNo, record: &Record) {
        self.names.observe(&record.fact);
        write_record(&mut self.lines, &self.names, no, record);
        if self.lines.len() >= CHUNK {
            self.hand_on();
        }
    }

    fn finish(&mut self, footer: &Footer) {
        write_footer(&mut self.lines, footer);
        self.hand_on();
    }
}

/// The whole text of a timeline.
pub fn to_text(timeline: &Timeline) -> String {
    let mut writer = Writer::new(Vec::new(), &timeline.header);
    for (place, record) in timeline.records.iter().enumerate() {
        writer.record(RecordNo::from_index(place), record);
    }
    writer.finish(&timeline.footer);
    let bytes = writer.end().expect("a vector takes everything");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

fn write_header(out: &mut Vec<u8>, header: &Header) {
    let mut o = Object::open(out);
    o.text("kind", "header");
    o.number("format", super::ends::FORMAT_VERSION);
    o.text("program", &header.program);
    o.number("chance", header.chance);
    o.number("seed", header.seed.0);
    // Line breaks between the tokens of JSON are white space, and inside a text there are none.
    let scenario = header.scenario.trim();
    if scenario.contains(['\n', '\r']) {
        o.raw("scenario", &scenario.replace(['\n', '\r'], " "));
    } else {
        o.raw("scenario", scenario);
    }
    o.close();
    out.push(b'\n');
}

fn write_footer(out: &mut Vec<u8>, footer: &Footer) {
    let mut o = Object::open(out);
    o.text("kind", "footer");
    match &footer.stop {
        Stop::ScriptDone => o.text("stop", "script_done"),
        Stop::Quiet => o.text("stop", "quiet"),
        Stop::Stuck(reason) => {
            o.text("stop", "stuck");
            o.text("reason", reason);
        }
        Stop::Limit(limit) => {
            o.text("stop", "limit");
            o.text("limit", limit.word());
        }
    }
    o.number("at", footer.at.0);
    o.number("records", footer.records);
    o.number("events", footer.events);
    o.plain("digest", footer.digest);
    o.close();
    out.push(b'\n');
}

/// Writes a record as one line at the end of `out`. `names` must have observed it and all before
/// it.
pub fn write_record(out: &mut Vec<u8>, names: &Names, no: RecordNo, record: &Record) {
    let mut o = Object::open(out);
    o.number("no", no.index() as u64);
    o.number("at", record.at.0);
    if let Some(because) = record.because {
        o.number("because", because.index() as u64);
    }
    Facts { o: &mut o, names }.fact(&record.fact);
    o.close();
    out.push(b'\n');
}

struct Facts<'a, 'b> {
    o: &'a mut Object<'b>,
    names: &'a Names,
}

impl Facts<'_, '_> {
    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Command(command) => self.command(command),
            Fact::Service { service, change } => self.service(*service, change),
            Fact::Update { service, status } => self.update(*service, *status),
            Fact::Run { service, slots, parallelism } => {
                self.kind("run");
                self.name_service(*service);
                let names = self.names;
                self.o.list("slots", slots.iter(), |out, slot| write_slot(out, names, *slot));
                self.o.number("parallelism", *parallelism);
            }
            Fact::Task { task, change } => {
                self.kind("task");
                self.o.shown("task", self.names.task(*task));
                self.task(change);
            }
            Fact::Container { task, change } => {
                self.kind("container");
                self.o.shown("task", self.names.task(*task));
                self.container(*change);
            }
            Fact::Health { task, change } => {
                self.kind("health");
                self.o.shown("task", self.names.task(*task));
                self.health(*change);
            }
            Fact::Backend { task, change } => {
                self.kind("backend");
                self.o.shown("task", self.names.task(*task));
                self.change(match change {
                    BackendChange::Joined => "joined",
                    BackendChange::Drained => "drained",
                    BackendChange::Left => "left",
                });
            }
            Fact::Node { node, change } => {
                self.kind("node");
                self.o.shown("node", self.names.node(*node));
                self.node(change);
            }
            Fact::Request { .. } | Fact::Requests { .. } => self.requests(fact),
            Fact::Fault { fault, text } => {
                self.kind("fault");
                self.o.number("fault", *fault);
                self.o.text("text", text);
            }
            Fact::Waiting { service, slot, reason } => {
                self.kind("waiting");
                self.name_service(*service);
                if let Some(slot) = slot {
                    self.slot(*slot);
                }
                self.waiting(*reason);
            }
            Fact::Leader { term } => {
                self.kind("leader");
                self.o.number("term", *term);
            }
        }
    }

    fn kind(&mut self, kind: &str) {
        self.o.text("kind", kind);
    }

    fn change(&mut self, change: &str) {
        self.o.text("change", change);
    }

    fn name_service(&mut self, service: ServiceIx) {
        self.o.shown("service", self.names.service(service));
    }

    fn slot(&mut self, slot: SlotKey) {
        match slot {
            SlotKey::Slot(slot) => self.o.number("slot", slot.0),
            SlotKey::Node(node) => self.o.shown("slot", self.names.node(node)),
        }
    }

    fn command(&mut self, command: &CommandFact) {
        self.kind("command");
        match command {
            CommandFact::Typed { step, line } => {
                self.o.number("step", *step);
                self.change("typed");
                self.o.text("line", line);
            }
            CommandFact::Printed { step, stream, text } => {
                self.o.number("step", *step);
                self.change("printed");
                let stream = match stream {
                    Stream::Out => "out",
                    Stream::Err => "err",
                };
                self.o.text("stream", stream);
                self.o.text("text", text);
            }
            CommandFact::Row { step, row, shows } => {
                self.o.number("step", *step);
                self.change("row");
                self.o.number("row", *row);
                self.o.shown("text", shows);
            }
            CommandFact::Exited { step, code } => {
                self.o.number("step", *step);
                self.change("exited");
                self.o.number("code", *code);
            }
        }
    }

    fn service(&mut self, service: ServiceIx, change: &ServiceChange) {
        self.kind("service");
        self.name_service(service);
        match change {
            ServiceChange::Created { id, spec, version } => {
                self.change("created");
                self.o.plain("id", id);
                self.o.number("version", version.0);
                self.o.value("spec", |out| spec_json::write(out, spec));
            }
            ServiceChange::Spec { spec, version, previous } => {
                self.change("spec");
                self.o.number("version", version.0);
                self.o.value("spec", |out| spec_json::write(out, spec));
                if let Some(previous) = previous {
                    self.o.value("previous", |out| spec_json::write(out, previous));
                }
            }
            ServiceChange::Removed => self.change("removed"),
        }
    }

    fn update(&mut self, service: ServiceIx, status: Option<UpdateStatus>) {
        self.kind("update");
        self.name_service(service);
        let Some(status) = status else { return self.o.text("state", "absent") };
        self.o.text("state", status.state.word());
        let (message, task) = status.message.parts();
        self.o.text("message", message.trim_end());
        if let Some(task) = task {
            self.o.shown("task", self.names.task(task));
        }
        self.o.number("started", status.started.0);
        if let Some(completed) = status.completed {
            self.o.number("completed", completed.0);
        }
    }

    fn task(&mut self, change: &TaskChange) {
        match change {
            TaskChange::Created(created) => {
                self.change("created");
                self.o.plain("id", created.id);
                self.name_service(created.service);
                self.slot(created.slot);
                self.o.number("ordinal", created.ordinal.0);
                self.o.text("image", &created.image);
                self.o.number("version", created.version.0);
                self.o.text("desired", created.desired.word());
                self.o.text("maker", maker_word(created.maker));
            }
            TaskChange::Desired(state) => {
                self.change("desired");
                self.o.text("desired", state.word());
            }
            TaskChange::Assigned { node, message } => {
                self.change("assigned");
                self.o.shown("node", self.names.node(*node));
                self.o.text("message", message.text());
            }
            TaskChange::Status(status) => {
                self.change("status");
                self.o.text("state", status.state.word());
                self.o.text("message", status.message.text());
                if let Some(err) = &status.err {
                    self.o.text("err", err);
                }
                if let Some(exit) = status.exit {
                    self.o.number("exit", exit);
                }
                self.o.number("stamp", status.stamp.0);
            }
            TaskChange::Deleted => self.change("deleted"),
        }
    }

    fn container(&mut self, change: ContainerChange) {
        match change {
            ContainerChange::Created => self.change("created"),
            ContainerChange::Started => self.change("started"),
            ContainerChange::Signalled(signal) => {
                self.change("signalled");
                let signal = match signal {
                    Signal::Stop => "stop",
                    Signal::Kill => "kill",
                };
                self.o.text("signal", signal);
            }
            ContainerChange::Died(code) => {
                self.change("died");
                self.o.number("code", code);
            }
            ContainerChange::Removed => self.change("removed"),
        }
    }

    fn health(&mut self, change: HealthChange) {
        match change {
            HealthChange::Probe { started, result, streak } => {
                self.change("probe");
                self.o.number("started", started.0);
                match result {
                    ProbeResult::Passed => self.o.text("result", "passed"),
                    ProbeResult::Failed(code) => {
                        self.o.text("result", "failed");
                        self.o.number("code", code);
                    }
                    ProbeResult::TimedOut(timeout) => {
                        self.o.text("result", "timed_out");
                        self.o.number("timeout", timeout.0);
                    }
                }
                self.o.number("streak", streak);
            }
            HealthChange::Healthy => self.change("healthy"),
            HealthChange::Unhealthy => self.change("unhealthy"),
        }
    }

    fn node(&mut self, change: &NodeChange) {
        match change {
            NodeChange::Joined { id, name, manager, availability, state } => {
                self.change("joined");
                self.o.plain("id", id);
                self.o.text("name", name);
                self.o.flag("manager", *manager);
                self.o.text("availability", availability.word());
                self.o.text("state", state.word());
            }
            NodeChange::State { state, message } => {
                self.change("state");
                self.o.text("state", state.word());
                self.o.text("message", message);
            }
            NodeChange::Availability(availability) => {
                self.change("availability");
                self.o.text("availability", availability.word());
            }
            NodeChange::Labels(labels) => {
                self.change("labels");
                self.o.list("labels", labels.iter(), |out, label| quote(out, label));
            }
            NodeChange::Removed => self.change("removed"),
            NodeChange::Crashed => self.change("crashed"),
            NodeChange::Booted => self.change("booted"),
        }
    }

    fn requests(&mut self, fact: &Fact) {
        match fact {
            Fact::Request { port, node, service, outcome } => {
                self.kind("request");
                if *port != 0 {
                    self.o.number("port", *port);
                }
                self.o.shown("node", self.names.node(*node));
                if let Some(service) = service {
                    self.name_service(*service);
                }
                self.outcome(*outcome);
            }
            Fact::Requests { traffic, service, since, counts } => {
                self.kind("requests");
                self.o.number("traffic", *traffic);
                if let Some(service) = service {
                    self.name_service(*service);
                }
                self.o.number("since", since.0);
                self.o.number("answered", counts.answered);
                for (word, _, count) in counts.failures() {
                    if count > 0 {
                        self.o.number(word, count);
                    }
                }
                if counts.unfinished > 0 {
                    self.o.number("unfinished", counts.unfinished);
                }
            }
            _ => {}
        }
    }

    fn outcome(&mut self, outcome: RequestOutcome) {
        let (word, task) = match outcome {
            RequestOutcome::Answered(task) => ("answered", Some(task)),
            RequestOutcome::Refused(task) => ("refused", Some(task)),
            RequestOutcome::Lost(task) => ("lost", Some(task)),
            RequestOutcome::Cut(task) => ("cut", Some(task)),
            RequestOutcome::Unreachable => ("unreachable", None),
            RequestOutcome::NoBackend => ("no_backend", None),
            RequestOutcome::NoService => ("no_service", None),
        };
        self.o.text("outcome", word);
        if let Some(task) = task {
            self.o.shown("task", self.names.task(task));
        }
    }

    fn waiting(&mut self, reason: Waiting) {
        let (word, task, span) = match reason {
            Waiting::OldTaskToStop(task) => ("old_task_to_stop", Some(task), None),
            Waiting::NewTaskToRun(task) => ("new_task_to_run", Some(task), None),
            Waiting::Delay(span) => ("delay", None, Some(span)),
            Waiting::Workers => ("workers", None, None),
            Waiting::FinalWatch(span) => ("final_watch", None, Some(span)),
            Waiting::RestartDelay(task, span) => ("restart_delay", Some(task), Some(span)),
            Waiting::SlotGivenUp => ("slot_given_up", None, None),
            Waiting::FailureForgiven(task, span) => ("failure_forgiven", Some(task), Some(span)),
            Waiting::FailureTolerated(task, ..) => ("failure_tolerated", Some(task), None),
            Waiting::NotRestarted(task) => ("not_restarted", Some(task), None),
        };
        self.o.text("reason", word);
        if let Some(task) = task {
            self.o.shown("task", self.names.task(task));
        }
        if let Some(span) = span {
            self.o.number("span", span.0);
        }
        if let Waiting::FailureTolerated(_, failures, of) = reason {
            self.o.number("failures", failures);
            self.o.number("of", of);
        }
    }
}

/// Our word for who made a task.
pub fn maker_word(maker: Maker) -> &'static str {
    match maker {
        Maker::Orchestrator => "orchestrator",
        Maker::Updater => "updater",
        Maker::Restart => "restart",
    }
}

fn write_slot(out: &mut Vec<u8>, names: &Names, slot: SlotKey) {
    match slot {
        SlotKey::Slot(slot) => write!(out, "{}", slot.0).expect("a vector takes everything"),
        SlotKey::Node(node) => quote(out, &names.node(node).to_string()),
    }
}

#[cfg(test)]
mod tests;
