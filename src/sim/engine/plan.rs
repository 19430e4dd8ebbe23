//! How software behaves now: the scenario's images, changed by faults; and what a new container is
//! made from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::dist::Quantity;
use crate::base::ids::NodeIx;
use crate::base::time::Span;
use crate::docker::behaviour::{
    CrashRate, Exit, Health, Image, Latencies, LatencyChanges, Presence,
};
use crate::docker::container::stop_grace;
use crate::docker::controller::{Supply, Template};
use crate::docker::health;
use crate::scenario::fault::Pull;
use crate::scenario::model::{Scenario, image_key};
use crate::sim::engine::Engine;
use crate::sim::engine::crash::time_to_crash;
use crate::swarmkit::defaults::Timing;
use crate::swarmkit::store::{Store, Task};

/// How software behaves now.
#[derive(Clone, Debug)]
pub struct Software {
    timing: Timing,
    accept: Quantity,
    /// Distinct sets of latencies that nodes have.
    kinds: Vec<LatencyChanges>,
    health: BTreeMap<String, Health>,
    pulls: BTreeMap<String, Pull>,
    removed: BTreeSet<String>,
    registry_down: bool,
    crash_images: BTreeMap<String, CrashRate>,
}

impl Software {
    /// As the scenario has it, before any fault.
    pub fn new(scenario: &Scenario) -> Software {
        let cluster = &scenario.cluster;
        let general = Latencies::measured(cluster.engine).changed_by(&cluster.latency);
        let mut kinds: Vec<LatencyChanges> = Vec::new();
        for node in &cluster.nodes {
            if !kinds.contains(&node.latency) {
                kinds.push(node.latency.clone());
            }
        }
        Software {
            timing: Timing::default(),
            accept: general.accept,
            kinds,
            health: BTreeMap::new(),
            pulls: BTreeMap::new(),
            removed: BTreeSet::new(),
            registry_down: false,
            crash_images: BTreeMap::new(),
        }
    }

    /// The place of a node's latencies among the distinct ones.
    pub fn kind(&self, latency: &LatencyChanges) -> u16 {
        self.kinds.iter().position(|kind| kind == latency).unwrap_or(0) as u16
    }

    /// Upstream's waiting times.
    pub(super) fn timing(&self) -> &Timing {
        &self.timing
    }

    /// From the sending of an assignment until the agent acts on it: drawn for a new task (`word`
    /// is its own), the least of it for one that is known.
    pub fn delivery(&self, word: Option<u64>) -> Span {
        self.accept.at(word.unwrap_or(0))
    }

    /// How long an engine takes to be back, or an agent to have a session again (semantics 10.5).
    /// The recordings have two engines that were started again: ready after 0.87 and 1.46 s.
    pub fn engine_start(&self, restarted: bool) -> Span {
        if restarted { Span::from_ms(1100) } else { Span::from_ms(100) }
    }

    /// When a container crashes at random: by a fault or, without one, as its image does.
    pub fn crash(&self, template: &Template, slot: u32, ordinal: u32) -> Option<Exit> {
        let fault = self.crash_images.get(&*template.image_key);
        let rate = fault.or(template.image.crash_rate.as_ref())?;
        let after = time_to_crash(rate.mean, template.key, slot, ordinal);
        Some(Exit { after, code: rate.code })
    }

    /// Sets or clears what an image's probes answer.
    pub fn set_health(&mut self, image: &str, health: Option<Health>) {
        put(&mut self.health, image_key(image), health);
    }

    /// Sets or clears how pulls of an image go.
    pub fn set_pull(&mut self, image: &str, pull: Option<Pull>) {
        put(&mut self.pulls, image_key(image), pull);
    }

    /// Sets or clears how often an image's process crashes.
    pub fn set_crash_rate(&mut self, image: &str, rate: Option<CrashRate>) {
        put(&mut self.crash_images, image_key(image), rate);
    }

    /// Removes an image from all nodes and registries, or puts it back.
    pub fn set_removed(&mut self, image: &str, removed: bool) {
        if removed {
            self.removed.insert(image_key(image));
        } else {
            self.removed.remove(&image_key(image));
        }
    }

    /// Whether registries answer.
    pub fn set_registry_down(&mut self, down: bool) {
        self.registry_down = down;
    }
}

fn put<V>(map: &mut BTreeMap<String, V>, key: String, value: Option<V>) {
    match value {
        Some(value) => {
            map.insert(key, value);
        }
        None => {
            map.remove(&key);
        }
    }
}

impl Engine {
    /// Changes how software behaves; templates are made anew.
    pub fn change_software(&mut self, change: impl FnOnce(&mut Software)) {
        change(&mut self.software);
        self.software_changed = true;
        self.templates.clear();
        self.images.clear();
    }

    /// What the containers of a task's version are made from on such a node.
    pub(super) fn template(&mut self, store: &Store, task: &Task, node: NodeIx) -> Arc<Template> {
        let kind = self.nodes[node].kind;
        let key = (task.template, task.endpoint, kind);
        if let Some(known) = self.templates.get(&key) {
            return known.clone();
        }
        let spec = store.template(task.template);
        let name = store.image(task.template);
        let (image_key, image) = self.image(name);
        let cluster = &self.scenario.cluster;
        let mut latencies = Latencies::measured(cluster.engine)
            .changed_by(&cluster.latency)
            .changed_by(&self.software.kinds[usize::from(kind)])
            .changed_by(&image.latency);
        if let Some(Pull::Takes(takes)) = self.software.pulls.get(&*image_key) {
            latencies.pull = takes.clone();
        }
        let container = &spec.container;
        let endpoint = store.endpoint(task.endpoint);
        let published =
            endpoint.is_some_and(crate::swarmkit::spec::EndpointSpec::publishes_ingress);
        let program = container.command.first().or(container.args.first());
        let template = Arc::new(Template {
            image_name: name.clone(),
            image_key,
            probing: health::effective(container.healthcheck.as_ref(), image.healthcheck.as_ref()),
            image,
            program: program.map_or("/app/no-such-program", String::as_str).into(),
            grace: stop_grace(container.stop_grace_period),
            has_service_binding: published || !spec.networks.is_empty(),
            engine: cluster.engine,
            latencies,
            key: store.service_ever(task.service).key,
            gossip_converge_delay: self.software.timing.gossip_converge_delay,
            list_probes: false,
        });
        self.templates.insert(key, template.clone());
        template
    }

    /// An image as it behaves now, under the name by which scenarios and faults speak of it.
    fn image(&mut self, name: &Arc<str>) -> (Arc<str>, Arc<Image>) {
        if let Some(known) = self.images.get(name) {
            return known.clone();
        }
        let key = image_key(name);
        let mut image = self.scenario.image(name);
        if let Some(health) = self.software.health.get(&key) {
            image.health = health.clone();
        }
        let known = (Arc::from(key), Arc::new(image));
        self.images.insert(name.clone(), known.clone());
        known
    }

    /// Whether the image can be had on a node (semantics 11.2).
    pub(super) fn supply(&self, template: &Template, node: NodeIx, store: &Store) -> Supply {
        let (name, key) = (&*template.image_name, &*template.image_key);
        if self.software.removed.contains(key) {
            return Supply::Missing;
        }
        let present = match &template.image.present {
            Presence::Nowhere => return Supply::Missing,
            Presence::Everywhere => {
                let downloads = template.latencies.pull != Quantity::Fixed(Span::ZERO)
                    || self.software.pulls.contains_key(key);
                !downloads
            }
            Presence::Nodes(nodes) => {
                let on = nodes.get(&*store.node_ever(node).name).copied().unwrap_or(false);
                return if on { Supply::Present } else { Supply::Missing };
            }
        };
        if present || self.nodes[node].has_pulled(name) {
            return Supply::Present;
        }
        match self.software.pulls.get(key) {
            Some(Pull::Fails) => Supply::Missing,
            _ if self.software.registry_down => Supply::TimedOut,
            _ => Supply::Download,
        }
    }
}
