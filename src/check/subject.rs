//! Services with what their runs need, as rules see them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::base::time::Span;
use crate::check::measured::{Up, count, deployed};
use crate::check::script::Script;
use crate::check::source::{Source, ports};
use crate::compose::ServicePlan;
use crate::docker::behaviour::Image;
use crate::docker::health;
use crate::scenario::Scenario;
use crate::scenario::files::deploy_words;
use crate::scenario::model::{Action, image_key};
use crate::scenario::problem::Place;
use crate::scenario::syntax::{self, Entry, Tree, Value};
use crate::swarmkit::defaults;
use crate::swarmkit::spec::{
    FailureAction, HealthConfig, Mode, PortConfig, Protocol, PublishMode, RestartPolicy,
    ServiceSpec, UpdateConfig, UpdateOrder,
};

/// Why there is nothing to be checked, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Services and the world that they are made in.
pub(super) struct Subject<'s> {
    /// Cluster, images, files, variables and seed are taken from it.
    pub(super) scenario: &'s Scenario,
    /// Where its services come from.
    pub(super) source: Source,
    /// A stack file's text as a tree.
    tree: Option<Tree>,
    /// How long a rollout may take.
    pub(super) window: Option<Span>,
    plans: Vec<ServicePlan>,
    /// How each came up on its own, by full name.
    ups: BTreeMap<String, Up>,
}

impl<'s> Subject<'s> {
    /// The stack file `file` that a scenario deploys.
    pub(super) fn stack(
        scenario: &'s Scenario,
        file: &str,
        window: Option<Span>,
    ) -> Result<Subject<'s>, Unreadable> {
        let text = scenario.files.get(file).cloned();
        let text = text.ok_or_else(|| Unreadable(format!("there is no file {file}")))?;
        let stack = stack_of(scenario, file);
        let stack =
            stack.ok_or_else(|| Unreadable(format!("no line of the script deploys {file}")))?;
        let tree = syntax::parse(&text).map_err(|problems| Unreadable(problems.to_string()))?;
        let source = Source::Stack { file: file.to_string(), text, stack };
        Subject::new(scenario, source, Some(tree), window)
    }

    /// The services that a scenario's script creates.
    pub(super) fn script(
        scenario: &'s Scenario,
        window: Option<Span>,
    ) -> Result<Subject<'s>, Unreadable> {
        let script = Script::of(scenario).ok_or_else(|| {
            Unreadable("its script creates no service before it changes one".to_string())
        })?;
        Subject::new(scenario, Source::Script(script), None, window)
    }

    fn new(
        scenario: &'s Scenario,
        source: Source,
        tree: Option<Tree>,
        window: Option<Span>,
    ) -> Result<Subject<'s>, Unreadable> {
        let plans = source.plans(scenario)?;
        let ups = BTreeMap::new();
        let mut subject = Subject { scenario, source, tree, window, plans, ups };
        subject.ups = deployed(&subject)?;
        Ok(subject)
    }

    /// The same with its services from another source, which is this one changed.
    pub(super) fn with(&self, source: Source) -> Result<Subject<'s>, Unreadable> {
        let tree = match &source {
            Source::Stack { text, .. } => {
                Some(syntax::parse(text).map_err(|problems| Unreadable(problems.to_string()))?)
            }
            Source::Script(_) => None,
        };
        Subject::new(self.scenario, source, tree, self.window)
    }

    /// Its services that run on and on and are to run at all, by name.
    pub(super) fn services(&self) -> impl Iterator<Item = Service<'_>> {
        let runs = |plan: &&ServicePlan| {
            !plan.spec.mode.is_job() && plan.spec.mode != Mode::Replicated { replicas: 0 }
        };
        self.plans.iter().filter(runs).map(|plan| Service {
            subject: self,
            plan,
            up: self.ups.get(&plan.spec.name).copied(),
        })
    }

    /// Its machines, in words.
    pub(super) fn nodes(&self) -> String {
        count(self.scenario.cluster.nodes.len() as u64, "node")
    }

    /// The ports that its services publish.
    pub(super) fn ports(&self) -> BTreeSet<u32> {
        ports(&self.plans)
    }
}

/// The stack that a file is first deployed as.
fn stack_of(scenario: &Scenario, file: &str) -> Option<String> {
    scenario.script.iter().find_map(|step| {
        let Action::Docker(line) = &step.action else { return None };
        let words = shell_words::split(line.text()).ok()?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ["docker", "stack", "deploy" | "up", rest @ ..] = words.as_slice() else { return None };
        let (files, stack) = deploy_words(rest);
        stack.filter(|_| files.iter().any(|path| path == file))
    })
}

/// A service of the file.
pub(super) struct Service<'s> {
    pub(super) subject: &'s Subject<'s>,
    pub(super) plan: &'s ServicePlan,
    /// How it came up; absent if it did not.
    pub(super) up: Option<Up>,
}

impl Service<'_> {
    /// Its name in the cluster.
    pub(super) fn name(&self) -> &str {
        &self.plan.spec.name
    }

    pub(super) fn spec(&self) -> &ServiceSpec {
        &self.plan.spec
    }

    /// Its update configuration with defaults put in.
    pub(super) fn update(&self) -> UpdateConfig {
        self.spec().update.unwrap_or(defaults::UPDATE_CONFIG)
    }

    /// How long a failure counts after a task came up.
    pub(super) fn monitor(&self) -> Span {
        self.update().monitor.unwrap_or(defaults::MONITOR)
    }

    /// Whether a failure has a consequence, and the file says which: its author counts on it.
    pub(super) fn counts_on_failure(&self) -> bool {
        let action = self.update().failure_action;
        let said = self.says(&["deploy", "update_config", "failure_action"]);
        action == FailureAction::Rollback || action == FailureAction::Pause && said
    }

    /// Tasks that run when it has come up.
    pub(super) fn replicas(&self) -> Option<u64> {
        self.up.map(|up| up.running).filter(|running| *running > 0)
    }

    /// Slots at a time, as a number of slots.
    pub(super) fn at_a_time(&self, replicas: u64) -> u64 {
        match self.update().parallelism {
            0 => replicas,
            some => some.min(replicas),
        }
    }

    pub(super) fn is_start_first(&self) -> bool {
        self.update().order == UpdateOrder::StartFirst
    }

    pub(super) fn restart(&self) -> RestartPolicy {
        self.spec().task.restart.unwrap_or(defaults::RESTART_POLICY)
    }

    /// From the stop signal to the kill.
    pub(super) fn grace(&self) -> Span {
        self.spec().task.container.stop_grace_period.unwrap_or(defaults::STOP_GRACE_PERIOD)
    }

    /// How its software behaves.
    pub(super) fn image(&self) -> Image {
        self.subject.scenario.image(&self.plan.image)
    }

    /// Whether somebody described that.
    pub(super) fn is_described(&self) -> bool {
        self.subject.scenario.images.contains_key(&image_key(&self.plan.image))
    }

    /// The name of an image that is described nowhere: the next version.
    pub(super) fn next_image(&self) -> String {
        let key = image_key(&self.plan.image);
        let name = key.rsplit_once(':').map_or(key.as_str(), |(name, _)| name);
        let known = &self.subject.scenario.images;
        let tags = std::iter::once("next".to_string()).chain((2..).map(|n| format!("next{n}")));
        let mut names = tags.map(|tag| format!("{name}:{tag}"));
        names.find(|name| !known.contains_key(name) && *name != key).unwrap_or_default()
    }

    /// Its health check with the engine's defaults put in; absent if it has none.
    pub(super) fn healthcheck(&self) -> Option<HealthConfig> {
        let own = self.spec().task.container.healthcheck.as_ref();
        health::merged(own, self.image().healthcheck.as_ref())
    }

    /// A TCP port that it publishes on every node.
    pub(super) fn web_port(&self) -> Option<u32> {
        let fits = |port: &&PortConfig| {
            port.publish_mode == PublishMode::Ingress
                && port.protocol == Protocol::Tcp
                && port.published != 0
        };
        self.ports().iter().find(fits).map(|port| port.published)
    }

    pub(super) fn ports(&self) -> &[PortConfig] {
        self.spec().endpoint.as_ref().map_or(&[], |endpoint| &endpoint.ports)
    }

    pub(super) fn has_host_port(&self) -> bool {
        self.ports().iter().any(|port| port.publish_mode == PublishMode::Host)
    }

    /// Whether it keeps something where a second task would write as well.
    pub(super) fn keeps_data(&self) -> bool {
        let mounts = &self.spec().task.container.mounts;
        mounts.iter().any(|mount| !mount.read_only && mount.kind != "tmpfs")
    }

    /// Longest that an ordinary update of all its slots should take, and then `more`.
    pub(super) fn long_enough(&self, more: Span) -> Span {
        let replicas = self.replicas().unwrap_or(1);
        let batches = replicas.div_ceil(self.at_a_time(replicas).max(1)).min(1000) as i64;
        let startup = self.up.map_or(Span::ZERO, |up| up.startup);
        let update = self.update();
        let slot = startup.plus(self.grace()).plus(update.delay).plus(Span::from_secs(5));
        let watch = self.monitor().plus(update.delay);
        whole(slot.times(batches).plus(watch).plus(more)).min(Span::from_secs(3000))
    }

    /// Whether the file has a key below the service, merged ones included; of a script, whether the
    /// service's line has the flag that says the same.
    pub(super) fn says(&self, path: &[&str]) -> bool {
        if let Source::Script(script) = &self.subject.source {
            return script.says(&self.plan.key, path);
        }
        let mut tree = self.entry().map(|entry| &entry.value);
        for key in path {
            tree = tree.and_then(|tree| merged(tree, key));
        }
        tree.is_some()
    }

    /// Keys of the services that it names in `depends_on`, a list or a map.
    pub(super) fn depends_on(&self) -> Vec<String> {
        let named = self.entry().and_then(|entry| merged(&entry.value, "depends_on"));
        match named.map(|tree| &tree.value) {
            Some(Value::Seq(items)) => items.iter().map(|item| item.text().to_string()).collect(),
            Some(Value::Map(entries)) => entries.iter().map(|entry| entry.key.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// The place of a key below the service, or of the nearest one above it.
    pub(super) fn place(&self, path: &[&str]) -> Place {
        let Some(entry) = self.entry() else { return self.plan.place };
        let (mut place, mut tree) = (entry.place, &entry.value);
        for key in path {
            let Value::Map(entries) = &tree.value else { break };
            let Some(next) = entries.iter().find(|entry| entry.key == *key) else { break };
            (place, tree) = (next.place, &next.value);
        }
        place
    }

    fn entry(&self) -> Option<&Entry> {
        let services = self.subject.tree.as_ref()?.get("services")?;
        let Value::Map(entries) = &services.value else { return None };
        entries.iter().find(|entry| entry.key == self.plan.key)
    }
}

/// The value of a key, also from what is merged in with `<<`.
fn merged<'t>(tree: &'t Tree, key: &str) -> Option<&'t Tree> {
    tree.get(key).or_else(|| match &tree.get("<<")?.value {
        Value::Seq(items) => items.iter().find_map(|item| merged(item, key)),
        Value::Map(_) => tree.get("<<").and_then(|tree| merged(tree, key)),
        Value::Scalar(_) => None,
    })
}

/// Rounded up to whole seconds.
pub(super) fn whole(span: Span) -> Span {
    rounded(span, 1)
}

/// Rounded up to a multiple of so many seconds.
pub(super) fn rounded(span: Span, secs: i64) -> Span {
    let unit = Span::from_secs(secs).0;
    Span(span.0.max(0).saturating_add(unit - 1) / unit * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up() {
        assert_eq!(rounded(Span::from_ms(10_001), 10), Span::from_secs(20));
        assert_eq!(rounded(Span::from_secs(20), 10), Span::from_secs(20));
        assert_eq!(whole(Span::from_ms(-5)), Span::ZERO);
    }

    #[test]
    fn merged_keys_are_seen() {
        let tree = syntax::parse("a: {<<: {b: {c: 1}}, d: 2}\ne: {<<: [{f: 3}, {g: 4}]}").unwrap();
        let find = |path: [&str; 2]| {
            path.iter().try_fold(&tree, |tree, key| merged(tree, key)).map(Tree::text)
        };
        assert_eq!(find(["a", "d"]), Some("2"));
        assert_eq!(find(["e", "g"]), Some("4"));
        assert!(find(["a", "b"]).is_some() && find(["a", "x"]).is_none());
    }
}
