//! The facts of a timeline's lines. Ids are rebuilt from names, in the order of their declaration.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;

use crate::base::ids::{
    Id, Identifier, NodeIx, Ordinal, RecordNo, ServiceIx, SlotNo, SpecVersion, TaskIx,
};
use crate::base::time::SimTime;
use crate::client::shown::Shown;
use crate::swarmkit::spec::ServiceSpec;
use crate::swarmkit::task::{
    Availability, NodeState, StatusMessage, TaskState, UpdateMessage, UpdateState,
};
use crate::timeline::fields::{Fields, Mistake, as_number, as_text, clip, mistake, unknown_word};
use crate::timeline::names::{Names, Place};
use crate::timeline::record::{
    BackendChange, CommandFact, ContainerChange, Fact, HealthChange, Maker, NodeChange,
    ProbeResult, Record, RequestCounts, RequestOutcome, ServiceChange, Signal, SlotKey, Stream,
    TaskChange, TaskCreated, TaskStatus, UpdateStatus, Waiting,
};
use crate::timeline::spec_json;

/// Reasons of a node's state that Swarm gives (semantics 10.1).
pub const NODE_MESSAGES: [&str; 5] = [
    "",
    "heartbeat failure",
    "Node moved to \"unknown\" state due to leadership change in cluster",
    "heartbeat failure for node in \"unknown\" state",
    "node session closed",
];

/// All kinds of records.
pub const KINDS: [&str; 14] = [
    "command",
    "service",
    "update",
    "run",
    "task",
    "container",
    "health",
    "backend",
    "node",
    "request",
    "requests",
    "fault",
    "waiting",
    "leader",
];

/// What the lines so far declared.
#[derive(Default)]
pub(super) struct Reader {
    names: Names,
    services: BTreeMap<String, ServiceIx>,
    nodes: BTreeMap<String, NodeIx>,
    tasks: BTreeMap<String, TaskIx>,
    texts: BTreeSet<Arc<str>>,
    specs: Vec<Arc<ServiceSpec>>,
}

impl Reader {
    /// Reads a record of which the kind was taken; `expected` is its number.
    pub(super) fn record(
        &mut self,
        kind: &str,
        mut f: Fields,
        expected: usize,
    ) -> Result<Record, Mistake> {
        let no: usize = f.number("no")?;
        if no != expected {
            return Err(mistake(
                format!("the record has number {no}, but is number {expected}"),
                "records are numbered in order from 0; was a line taken out or doubled?",
            ));
        }
        let at = f.time("at")?;
        let because = f.number_if::<u32>("because")?.map(record_no).transpose()?;
        let fact = self.fact(kind, &mut f)?;
        f.done()?;
        self.names.observe(&fact);
        Ok(Record { at, because, fact })
    }

    fn fact(&mut self, kind: &str, f: &mut Fields) -> Result<Fact, Mistake> {
        Ok(match kind {
            "command" => Fact::Command(self.command(f)?),
            "service" => self.service_fact(f)?,
            "update" => Fact::Update { service: self.service(f)?, status: self.status(f)? },
            "run" => Fact::Run {
                service: self.service(f)?,
                slots: f
                    .list("slots")?
                    .into_iter()
                    .map(|slot| self.slot_of(&slot))
                    .collect::<Result<_, _>>()?,
                parallelism: f.number("parallelism")?,
            },
            "task" => self.task_fact(f)?,
            "container" => Fact::Container { task: self.task(f)?, change: container(f)? },
            "health" => Fact::Health { task: self.task(f)?, change: health(f)? },
            "backend" => Fact::Backend { task: self.task(f)?, change: backend(f)? },
            "node" => self.node_fact(f)?,
            "request" => Fact::Request {
                port: f.number_if("port")?.unwrap_or(0),
                node: self.node(f)?,
                service: self.service_if(f)?,
                outcome: self.outcome(f)?,
            },
            "requests" => Fact::Requests {
                traffic: f.number("traffic")?,
                service: self.service_if(f)?,
                since: f.time("since")?,
                counts: counts(f)?,
            },
            "fault" => Fact::Fault { fault: f.number("fault")?, text: f.text("text")?.into() },
            "waiting" => Fact::Waiting {
                service: self.service(f)?,
                slot: f.find("slot").map(|slot| self.slot_of(&slot)).transpose()?,
                reason: self.waiting(f)?,
            },
            "leader" => Fact::Leader { term: f.number("term")? },
            other => return Err(unknown_word("kind", other, &KINDS)),
        })
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.texts.insert(text.clone());
        text
    }

    fn spec(&mut self, value: Value) -> Result<Arc<ServiceSpec>, Mistake> {
        let spec = spec_json::read(value)?;
        // The previous spec is nearly always the one before: share it, as the run did.
        if let Some(known) = self.specs.iter().rev().take(8).find(|known| ***known == spec) {
            return Ok(known.clone());
        }
        let spec = Arc::new(spec);
        self.specs.push(spec.clone());
        Ok(spec)
    }

    fn service(&self, f: &mut Fields) -> Result<ServiceIx, Mistake> {
        let name = f.text("service")?;
        known(&self.services, &name, "service", "created")
    }

    fn service_if(&self, f: &mut Fields) -> Result<Option<ServiceIx>, Mistake> {
        let Some(value) = f.find("service") else { return Ok(None) };
        let name = as_text(value, "service")?;
        known(&self.services, &name, "service", "created").map(Some)
    }

    fn node(&self, f: &mut Fields) -> Result<NodeIx, Mistake> {
        let name = f.text("node")?;
        known(&self.nodes, &name, "node", "joined")
    }

    fn task(&self, f: &mut Fields) -> Result<TaskIx, Mistake> {
        let name = f.text("task")?;
        known(&self.tasks, &name, "task", "created")
    }

    fn slot_of(&self, value: &Value) -> Result<SlotKey, Mistake> {
        if let Value::String(name) = value {
            return known(&self.nodes, name, "node", "joined").map(SlotKey::Node);
        }
        as_number(value, "slot").map(|slot| SlotKey::Slot(SlotNo(slot)))
    }

    fn command(&mut self, f: &mut Fields) -> Result<CommandFact, Mistake> {
        let step = f.number("step")?;
        let change = f.text("change")?;
        Ok(match change.as_str() {
            "typed" => CommandFact::Typed { step, line: f.text("line")?.into() },
            "printed" => CommandFact::Printed {
                step,
                stream: f.word("stream", &["out", "err"], |word| match word {
                    "out" => Some(Stream::Out),
                    "err" => Some(Stream::Err),
                    _ => None,
                })?,
                text: f.text("text")?.into(),
            },
            "row" => {
                let row = f.number("row")?;
                let text = f.text("text")?;
                CommandFact::Row { step, row, shows: Shown::of(&text, |text| self.text(text)) }
            }
            "exited" => CommandFact::Exited { step, code: f.number("code")? },
            other => {
                return Err(unknown_word("change", other, &["typed", "printed", "row", "exited"]));
            }
        })
    }

    fn service_fact(&mut self, f: &mut Fields) -> Result<Fact, Mistake> {
        let change = f.text("change")?;
        if change == "created" {
            return self.service_created(f);
        }
        let service = self.service(f)?;
        let change = match change.as_str() {
            "spec" => {
                let version = SpecVersion(f.number("version")?);
                let spec = self.spec(f.value("spec")?)?;
                let previous = f.find("previous").map(|value| self.spec(value)).transpose()?;
                ServiceChange::Spec { spec, version, previous }
            }
            "removed" => ServiceChange::Removed,
            other => return Err(unknown_word("change", other, &["created", "spec", "removed"])),
        };
        Ok(Fact::Service { service, change })
    }

    fn service_created(&mut self, f: &mut Fields) -> Result<Fact, Mistake> {
        let name = f.text("service")?;
        let id = identifier(f)?;
        let version = SpecVersion(f.number("version")?);
        let spec = self.spec(f.value("spec")?)?;
        let service = ServiceIx::from_index(self.services.len());
        let fact = Fact::Service { service, change: ServiceChange::Created { id, spec, version } };
        self.names.observe(&fact);
        same_name(&name, &self.names.service(service).to_string())?;
        self.services.insert(name, service);
        Ok(fact)
    }

    fn node_fact(&mut self, f: &mut Fields) -> Result<Fact, Mistake> {
        let change = f.text("change")?;
        if change == "joined" {
            return self.node_joined(f);
        }
        let node = self.node(f)?;
        let change = match change.as_str() {
            "state" => {
                let state = node_state(f)?;
                let message = f.text("message")?;
                let known = NODE_MESSAGES.into_iter().find(|known| *known == message);
                let message =
                    known.ok_or_else(|| unknown_word("message", &message, &NODE_MESSAGES))?;
                NodeChange::State { state, message }
            }
            "availability" => NodeChange::Availability(availability(f)?),
            "labels" => NodeChange::Labels(f.texts_or_empty("labels")?.into()),
            "removed" => NodeChange::Removed,
            "crashed" => NodeChange::Crashed,
            "booted" => NodeChange::Booted,
            other => {
                let known =
                    ["joined", "state", "availability", "labels", "removed", "crashed", "booted"];
                return Err(unknown_word("change", other, &known));
            }
        };
        Ok(Fact::Node { node, change })
    }

    fn node_joined(&mut self, f: &mut Fields) -> Result<Fact, Mistake> {
        let shown = f.text("node")?;
        let id = identifier(f)?;
        let name: Arc<str> = f.text("name")?.into();
        let manager = f.flag("manager")?;
        let (availability, state) = (availability(f)?, node_state(f)?);
        let node = NodeIx::from_index(self.nodes.len());
        let change = NodeChange::Joined { id, name, manager, availability, state };
        let fact = Fact::Node { node, change };
        self.names.observe(&fact);
        same_name(&shown, &self.names.node(node).to_string())?;
        self.nodes.insert(shown, node);
        Ok(fact)
    }

    fn task_fact(&mut self, f: &mut Fields) -> Result<Fact, Mistake> {
        let change = f.text("change")?;
        if change == "created" {
            return self.task_created(f);
        }
        let task = self.task(f)?;
        let change = match change.as_str() {
            "desired" => TaskChange::Desired(task_state(f, "desired")?),
            "assigned" => TaskChange::Assigned { node: self.node(f)?, message: status_message(f)? },
            "status" => TaskChange::Status(TaskStatus {
                state: task_state(f, "state")?,
                message: status_message(f)?,
                err: match f.find("err") {
                    None => None,
                    Some(value) => Some(as_text(value, "err")?.into()),
                },
                exit: f.number_if("exit")?,
                stamp: f.time("stamp")?,
            }),
            "deleted" => TaskChange::Deleted,
            other => {
                let known = ["created", "desired", "assigned", "status", "deleted"];
                return Err(unknown_word("change", other, &known));
            }
        };
        Ok(Fact::Task { task, change })
    }

    fn task_created(&mut self, f: &mut Fields) -> Result<Fact, Mistake> {
        let name = f.text("task")?;
        let created = TaskCreated {
            id: identifier(f)?,
            service: self.service(f)?,
            slot: self.slot_of(&f.value("slot")?)?,
            ordinal: Ordinal(f.number("ordinal")?),
            image: {
                let image = f.text("image")?;
                self.text(&image)
            },
            version: SpecVersion(f.number("version")?),
            desired: task_state(f, "desired")?,
            maker: f.word("maker", &["orchestrator", "updater", "restart"], |word| match word {
                "orchestrator" => Some(Maker::Orchestrator),
                "updater" => Some(Maker::Updater),
                "restart" => Some(Maker::Restart),
                _ => None,
            })?,
        };
        same_name(&name, &self.names.place_name(Place::of(&created)).to_string())?;
        if self.tasks.contains_key(&name) {
            return Err(mistake(
                format!("the task {} is created a second time", clip(&name)),
                "each task of a slot has a number of its own",
            ));
        }
        let task = TaskIx::from_index(self.tasks.len());
        self.tasks.insert(name, task);
        Ok(Fact::Task { task, change: TaskChange::Created(created) })
    }

    fn status(&self, f: &mut Fields) -> Result<Option<UpdateStatus>, Mistake> {
        let state = f.text("state")?;
        if state == "absent" {
            return Ok(None);
        }
        let words = UpdateState::ALL.map(UpdateState::word);
        let state =
            UpdateState::from_word(&state).ok_or_else(|| unknown_word("state", &state, &words))?;
        let text = f.text("message")?;
        let some = TaskIx::from_index(0);
        let kinds = [
            UpdateMessage::InProgress,
            UpdateMessage::Completed,
            UpdateMessage::RollbackCompleted,
            UpdateMessage::ManuallyRequested,
            UpdateMessage::PausedBy(some),
            UpdateMessage::RolledBackBy(some),
            UpdateMessage::RollbackPausedBy(some),
        ];
        let kind = kinds.into_iter().find(|kind| kind.parts().0.trim_end() == text);
        let message = match kind {
            Some(UpdateMessage::PausedBy(_)) => UpdateMessage::PausedBy(self.task(f)?),
            Some(UpdateMessage::RolledBackBy(_)) => UpdateMessage::RolledBackBy(self.task(f)?),
            Some(UpdateMessage::RollbackPausedBy(_)) => {
                UpdateMessage::RollbackPausedBy(self.task(f)?)
            }
            Some(plain) => plain,
            None => {
                let known = kinds.map(|kind| kind.parts().0.trim_end());
                return Err(unknown_word("message", &text, &known));
            }
        };
        let started = f.time("started")?;
        let completed = f.number_if("completed")?.map(SimTime);
        Ok(Some(UpdateStatus { state, message, started, completed }))
    }

    fn outcome(&self, f: &mut Fields) -> Result<RequestOutcome, Mistake> {
        let outcome = f.text("outcome")?;
        Ok(match outcome.as_str() {
            "answered" => RequestOutcome::Answered(self.task(f)?),
            "refused" => RequestOutcome::Refused(self.task(f)?),
            "lost" => RequestOutcome::Lost(self.task(f)?),
            "cut" => RequestOutcome::Cut(self.task(f)?),
            "unreachable" => RequestOutcome::Unreachable,
            "no_backend" => RequestOutcome::NoBackend,
            "no_service" => RequestOutcome::NoService,
            other => {
                let known = [
                    "answered",
                    "refused",
                    "lost",
                    "cut",
                    "unreachable",
                    "no_backend",
                    "no_service",
                ];
                return Err(unknown_word("outcome", other, &known));
            }
        })
    }

    fn waiting(&self, f: &mut Fields) -> Result<Waiting, Mistake> {
        let reason = f.text("reason")?;
        Ok(match reason.as_str() {
            "old_task_to_stop" => Waiting::OldTaskToStop(self.task(f)?),
            "new_task_to_run" => Waiting::NewTaskToRun(self.task(f)?),
            "delay" => Waiting::Delay(f.span("span")?),
            "workers" => Waiting::Workers,
            "final_watch" => Waiting::FinalWatch(f.span("span")?),
            "restart_delay" => Waiting::RestartDelay(self.task(f)?, f.span("span")?),
            "slot_given_up" => Waiting::SlotGivenUp,
            "failure_forgiven" => Waiting::FailureForgiven(self.task(f)?, f.span("span")?),
            "failure_tolerated" => {
                Waiting::FailureTolerated(self.task(f)?, f.number("failures")?, f.number("of")?)
            }
            "not_restarted" => Waiting::NotRestarted(self.task(f)?),
            other => {
                let known = [
                    "old_task_to_stop",
                    "new_task_to_run",
                    "delay",
                    "workers",
                    "final_watch",
                    "restart_delay",
                    "slot_given_up",
                    "failure_forgiven",
                    "failure_tolerated",
                    "not_restarted",
                ];
                return Err(unknown_word("reason", other, &known));
            }
        })
    }
}

fn record_no(number: u32) -> Result<RecordNo, Mistake> {
    if number == u32::MAX {
        return Err(mistake("\"because\" is out of range", "a cause is an earlier record"));
    }
    Ok(RecordNo::from_index(number as usize))
}

fn known<I: Copy>(
    map: &BTreeMap<String, I>,
    name: &str,
    what: &str,
    how: &str,
) -> Result<I, Mistake> {
    map.get(name).copied().ok_or_else(|| {
        mistake(
            format!("the {what} \"{}\" is not known yet", clip(name)),
            format!("it must be {how} by an earlier record"),
        )
    })
}

fn same_name(shown: &str, right: &str) -> Result<(), Mistake> {
    if shown == right {
        return Ok(());
    }
    Err(mistake(
        format!("the name is \"{}\", but its parts say \"{}\"", clip(shown), clip(right)),
        "name and parts are written together; was the line edited?",
    ))
}

fn identifier(f: &mut Fields) -> Result<Identifier, Mistake> {
    let text = f.text("id")?;
    Identifier::from_str(&text).map_err(|()| {
        mistake(
            format!("\"{}\" is no identifier", clip(&text)),
            "an identifier has 25 characters 0-9 a-z",
        )
    })
}

fn task_state(f: &mut Fields, key: &str) -> Result<TaskState, Mistake> {
    f.word(key, &TaskState::ALL.map(TaskState::word), TaskState::from_word)
}

fn status_message(f: &mut Fields) -> Result<StatusMessage, Mistake> {
    let known = StatusMessage::ALL.map(StatusMessage::text);
    f.word("message", &known, StatusMessage::from_text)
}

fn node_state(f: &mut Fields) -> Result<NodeState, Mistake> {
    let all = [NodeState::Unknown, NodeState::Down, NodeState::Ready, NodeState::Disconnected];
    f.word("state", &all.map(NodeState::word), |word| {
        all.into_iter().find(|state| state.word() == word)
    })
}

fn availability(f: &mut Fields) -> Result<Availability, Mistake> {
    f.word("availability", &["active", "pause", "drain"], Availability::from_word)
}

fn container(f: &mut Fields) -> Result<ContainerChange, Mistake> {
    let change = f.text("change")?;
    Ok(match change.as_str() {
        "created" => ContainerChange::Created,
        "started" => ContainerChange::Started,
        "signalled" => {
            ContainerChange::Signalled(f.word("signal", &["stop", "kill"], |word| match word {
                "stop" => Some(Signal::Stop),
                "kill" => Some(Signal::Kill),
                _ => None,
            })?)
        }
        "died" => ContainerChange::Died(f.number("code")?),
        "removed" => ContainerChange::Removed,
        other => {
            let known = ["created", "started", "signalled", "died", "removed"];
            return Err(unknown_word("change", other, &known));
        }
    })
}

fn counts(f: &mut Fields) -> Result<RequestCounts, Mistake> {
    Ok(RequestCounts {
        answered: f.number("answered")?,
        refused: f.number_or_zero("refused")?,
        lost: f.number_or_zero("lost")?,
        cut: f.number_or_zero("cut")?,
        unreachable: f.number_or_zero("unreachable")?,
        no_backend: f.number_or_zero("no_backend")?,
        no_service: f.number_or_zero("no_service")?,
        unfinished: f.number_or_zero("unfinished")?,
    })
}

fn health(f: &mut Fields) -> Result<HealthChange, Mistake> {
    let change = f.text("change")?;
    Ok(match change.as_str() {
        "probe" => {
            let started = f.time("started")?;
            let result = f.text("result")?;
            let result = match result.as_str() {
                "passed" => ProbeResult::Passed,
                "failed" => ProbeResult::Failed(f.number("code")?),
                "timed_out" => ProbeResult::TimedOut(f.span("timeout")?),
                other => {
                    return Err(unknown_word("result", other, &["passed", "failed", "timed_out"]));
                }
            };
            HealthChange::Probe { started, result, streak: f.number("streak")? }
        }
        "healthy" => HealthChange::Healthy,
        "unhealthy" => HealthChange::Unhealthy,
        other => return Err(unknown_word("change", other, &["probe", "healthy", "unhealthy"])),
    })
}

fn backend(f: &mut Fields) -> Result<BackendChange, Mistake> {
    f.word("change", &["joined", "drained", "left"], |word| match word {
        "joined" => Some(BackendChange::Joined),
        "drained" => Some(BackendChange::Drained),
        "left" => Some(BackendChange::Left),
        _ => None,
    })
}
