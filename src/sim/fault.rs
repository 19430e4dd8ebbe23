//! Faults: scripted ones at their time, seeded ones at a drawn time and place.

use std::sync::Arc;

use crate::base::chance::{Role, Whom, below};
use crate::base::ids::{NodeIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::docker::behaviour::Health;
use crate::docker::controller::Input as DockerInput;
use crate::scenario::fault::{Choice, Death, Software, What, When};
use crate::sim::ahead::{Edge, Event};
use crate::sim::world::Simulation;
use crate::swarmkit::ctx::Class;
use crate::swarmkit::task::{Availability, TaskState};
use crate::timeline::record::Fact;

impl Simulation {
    /// Files the beginning and the end of every fault.
    pub(super) fn file_faults(&mut self) {
        let scenario = self.scenario.clone();
        for (number, fault) in scenario.faults.iter().enumerate() {
            let key = self.seed.key(Whom::Fault, &number.to_string());
            let at = match fault.when {
                When::At(at) => at,
                When::Between(from, to) => {
                    let width = (to.0 - from.0).max(0) as u64;
                    let word = key.word(Role::Fault, 0, 0);
                    Span(from.0 + below(word, width.saturating_add(1)) as i64)
                }
            };
            let begins = SimTime::ZERO.after(at);
            let number = number as u32;
            self.file(begins, Class::Request, Event::Fault(number, Edge::Begins), None);
            if let Some(lasts) = fault.lasts {
                let ends = begins.after(lasts);
                self.file(ends, Class::Request, Event::Fault(number, Edge::Ends), None);
            }
        }
    }

    /// A fault begins or ends.
    pub(super) fn fault(&mut self, number: u32, edge: Edge) {
        let scenario = self.scenario.clone();
        let what = &scenario.faults[number as usize].what;
        let now = self.now();
        let text: Arc<str> = match edge {
            Edge::Begins => words(what).into(),
            Edge::Ends => format!("over: {}", words(what)).into(),
        };
        self.manager.store.journal.wake(None);
        let fact = Fact::Fault { fault: number, text };
        let cause = Some(self.manager.store.journal.note(now, fact));
        let begins = edge == Edge::Begins;
        match what {
            What::NodeCrash(choice) => {
                if let Some(node) = self.choose_node(number, choice) {
                    self.node_power(cause, node, !begins);
                }
            }
            What::NodeReturn(choice) => {
                if let Some(node) = self.choose_node(number, choice) {
                    self.node_power(cause, node, true);
                }
            }
            What::NodePartition(choice) => {
                let Some(node) = self.choose_node(number, choice) else { return };
                self.on_nodes(cause, |engine, cx| {
                    if begins {
                        engine.lose_contact(cx, node);
                    } else {
                        engine.bring_back(cx, node);
                    }
                });
            }
            What::NodeAvailability(choice, availability) => {
                let Some(node) = self.choose_node(number, choice) else { return };
                let availability = if begins { *availability } else { Availability::Active };
                self.activate(cause, |_, ctx| {
                    ctx.store.set_availability(ctx.now, node, availability);
                });
            }
            What::Kill { service, slot, death } => {
                if let Some(task) = self.choose_task(number, service, *slot) {
                    let death = *death;
                    self.on_nodes(cause, |engine, cx| match death {
                        Death::Signal(number) => engine.signal(cx, task, number == 9),
                        Death::Exit(code) => engine.exit(cx, task, code.into()),
                    });
                }
            }
            What::CrashRate(Software::Image(image), rate) => {
                let rate = begins.then_some(*rate);
                self.engine.change_software(|software| software.set_crash_rate(image, rate));
            }
            What::CrashRate(Software::Service(service), rate) => {
                let found = self.manager.store.service_named(service);
                let stored = found.and_then(|found| self.manager.store.service(found));
                let image = stored.map(|s| s.now.spec.task.container.image.clone());
                let rate = begins.then_some(*rate);
                if let Some(image) = image {
                    self.engine.change_software(|s| s.set_crash_rate(&image, rate));
                }
            }
            What::Health(image, health) => {
                let new = if begins { Some(health.clone()) } else { None };
                self.health_changes(cause, image, new);
            }
            What::Pull(image, pull) => {
                let pull = begins.then(|| pull.clone());
                self.engine.change_software(|software| software.set_pull(image, pull));
            }
            What::ImageRemoved(image) => {
                self.engine.change_software(|software| software.set_removed(image, begins));
            }
            What::RegistryDown => {
                self.engine.change_software(|software| software.set_registry_down(begins));
            }
            What::LeaderChange => self.change_leader(cause),
        }
    }

    fn node_power(&mut self, cause: Option<crate::base::ids::RecordNo>, node: NodeIx, on: bool) {
        self.on_nodes(cause, |engine, cx| {
            if on {
                engine.bring_back(cx, node);
            } else {
                engine.crash_node(cx, node);
            }
        });
    }

    fn health_changes(
        &mut self,
        cause: Option<crate::base::ids::RecordNo>,
        image: &str,
        health: Option<Health>,
    ) {
        self.engine.change_software(|software| software.set_health(image, health.clone()));
        let key = crate::scenario::model::image_key(image);
        let now_is = health.unwrap_or_else(|| self.scenario.image(image).health);
        let now_is = Arc::new(now_is);
        self.on_nodes(cause, |engine, cx| {
            engine.tell_containers_of(cx, &key, &DockerInput::BehaviourChanged(now_is));
        });
    }

    fn change_leader(&mut self, cause: Option<crate::base::ids::RecordNo>) {
        let now = self.now();
        let term = self.manager.leader.term().0 + 1;
        self.manager.store.journal.note(now, Fact::Leader { term });
        let interval = self.manager.timing.status_interval.0 as u64;
        let phase = self.manager.choices.status_phase(self.cluster_key, term, interval);
        self.engine.set_status_phase(phase);
        self.manager.change_leader(now, cause);
        self.after_leader_change();
    }

    /// The node of a fault: the one named, or a drawn one of those that exist.
    fn choose_node(&self, fault: u32, choice: &Choice) -> Option<NodeIx> {
        match choice {
            Choice::Named(name) => self.manager.store.node_named(name),
            Choice::Any => {
                let nodes: Vec<NodeIx> = self.manager.store.nodes().map(|(ix, _)| ix).collect();
                let key = self.seed.key(Whom::Fault, &fault.to_string());
                let place = below(key.word(Role::Fault, 0, 1), nodes.len() as u64) as usize;
                nodes.get(place).copied()
            }
        }
    }

    /// The task of a fault: a live one of that slot, or of a drawn slot.
    fn choose_task(&self, fault: u32, service: &str, slot: Option<u32>) -> Option<TaskIx> {
        let store = &self.manager.store;
        let service = store.service_named(service)?;
        let live: Vec<TaskIx> = store
            .slots(service)
            .filter(|key| slot.is_none_or(|n| crate::swarmkit::choices::address(*key) == n))
            .flat_map(|key| store.tasks_of_slot(service, key))
            .filter(|task| {
                let state = store.task_ever(*task).state;
                (TaskState::Starting..=TaskState::Running).contains(&state)
            })
            .collect();
        let key = self.seed.key(Whom::Fault, &fault.to_string());
        let place = below(key.word(Role::Fault, 0, 2), live.len() as u64) as usize;
        live.get(place).copied()
    }
}

fn words(what: &What) -> String {
    let node = |choice: &Choice| match choice {
        Choice::Named(name) => name.clone(),
        Choice::Any => "a node".to_string(),
    };
    match what {
        What::NodeCrash(choice) => format!("{} loses power", node(choice)),
        What::NodeReturn(choice) => format!("{} returns", node(choice)),
        What::NodePartition(choice) => format!("{} loses contact", node(choice)),
        What::NodeAvailability(choice, to) => format!("{} is set to {}", node(choice), to.word()),
        What::Kill { service, slot, death } => {
            let whom = match slot {
                Some(slot) => format!("{service}.{slot}"),
                None => format!("a task of {service}"),
            };
            match death {
                Death::Signal(9) => format!("{whom} is killed"),
                Death::Signal(number) => format!("{whom} gets signal {number}"),
                Death::Exit(code) => format!("{whom} exits with code {code}"),
            }
        }
        What::CrashRate(Software::Image(name) | Software::Service(name), _) => {
            format!("{name} crashes at random")
        }
        What::Health(image, _) => format!("{image} answers its probes differently"),
        What::Pull(image, _) => format!("pulls of {image} go differently"),
        What::ImageRemoved(image) => format!("{image} is removed everywhere"),
        What::RegistryDown => "the registry does not answer".to_string(),
        What::LeaderChange => "another manager becomes leader".to_string(),
    }
}
