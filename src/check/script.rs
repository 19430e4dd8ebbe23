//! The lines of a scenario's script that create services: as they stand before the first update.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::client::command::{DockerCommand, parse};
use crate::compose::ServicePlan;
use crate::compose::edit::Edit;
use crate::scenario::Scenario;
use crate::scenario::model::Action;
use crate::scenario::problem::Place;
use crate::swarmkit::spec::{HealthConfig, ServiceSpec};

/// A key of a stack file, and the flag of `docker service create` that says the same.
const FLAGS: &[(&[&str], &str)] = &[
    (&["deploy", "mode"], "--mode"),
    (&["deploy", "replicas"], "--replicas"),
    (&["deploy", "restart_policy", "condition"], "--restart-condition"),
    (&["deploy", "restart_policy", "max_attempts"], "--restart-max-attempts"),
    (&["deploy", "rollback_config", "failure_action"], "--rollback-failure-action"),
    (&["deploy", "update_config", "delay"], "--update-delay"),
    (&["deploy", "update_config", "failure_action"], "--update-failure-action"),
    (&["deploy", "update_config", "max_failure_ratio"], "--update-max-failure-ratio"),
    (&["deploy", "update_config", "monitor"], "--update-monitor"),
    (&["deploy", "update_config", "order"], "--update-order"),
    (&["deploy", "update_config", "parallelism"], "--update-parallelism"),
    (&["healthcheck", "interval"], "--health-interval"),
    (&["healthcheck", "start_interval"], "--health-start-interval"),
    (&["healthcheck", "start_period"], "--health-start-period"),
    (&["stop_grace_period"], "--stop-grace-period"),
];

/// Lines that make services.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Script {
    lines: Vec<Line>,
}

/// A docker command line; its place is that of its step.
#[derive(Clone, PartialEq, Debug)]
struct Line {
    words: Vec<String>,
    place: Place,
    /// What it creates; nothing if it is about nodes.
    spec: Option<Arc<ServiceSpec>>,
}

impl Script {
    /// The lines that create services and change nodes, in order, up to the first that changes a
    /// service or deploys a stack. Nothing if no service is created.
    pub(super) fn of(scenario: &Scenario) -> Option<Script> {
        let mut lines: Vec<Line> = Vec::new();
        let mut names = BTreeSet::new();
        for step in &scenario.script {
            let Action::Docker(line) = &step.action else { continue };
            let mut words = shell_words::split(line.text()).ok()?;
            let place = Place { line: step.line, column: 1 };
            match line.command() {
                Ok(DockerCommand::ServiceCreate { spec, .. }) => {
                    // Without a name docker makes one up; a second of the same name is refused.
                    if spec.name.is_empty() || !names.insert(spec.name.clone()) {
                        continue;
                    }
                    words.retain(|word| word != "-d" && !word.starts_with("--detach"));
                    words.insert(3, "--detach".to_string());
                    lines.push(Line { words, place, spec: Some(spec.clone()) });
                }
                Ok(DockerCommand::NodeUpdate { .. }) => {
                    lines.push(Line { words, place, spec: None });
                }
                Ok(
                    DockerCommand::ServiceUpdate(_)
                    | DockerCommand::ServiceRollback { .. }
                    | DockerCommand::ServiceScale { .. }
                    | DockerCommand::ServiceRm { .. }
                    | DockerCommand::StackDeploy(_)
                    | DockerCommand::StackRm { .. },
                ) => break,
                _ => {}
            }
        }
        (!names.is_empty()).then_some(Script { lines })
    }

    /// Its services, in the order of their names.
    pub(super) fn plans(&self) -> Vec<ServicePlan> {
        let plan = |line: &Line| {
            let spec = line.spec.as_deref()?;
            Some(ServicePlan {
                key: spec.name.clone(),
                image: spec.task.container.image.clone(),
                spec: ServiceSpec::clone(spec),
                refused: None,
                place: line.place,
            })
        };
        let mut plans: Vec<ServicePlan> = self.lines.iter().filter_map(plan).collect();
        plans.sort_by(|a, b| a.key.cmp(&b.key));
        plans
    }

    /// Its command lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.lines.iter().map(|line| shell_words::join(&line.words))
    }

    /// Names of its services.
    pub(super) fn names(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.spec.as_ref()).map(|s| s.name.as_str()).collect()
    }

    /// Whether a service's line has the flag that says what a key of a stack file does.
    pub(super) fn says(&self, service: &str, path: &[&str]) -> bool {
        let Some(flag) = flag(path) else { return false };
        let given = |line: &Line| {
            line.flags().iter().any(|word| {
                word == flag || word.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='))
            })
        };
        self.lines.iter().any(|line| line.creates(service) && given(line))
    }

    /// The same with flags in place of keys of a stack file; nothing where there is no such flag.
    pub(super) fn edited(&self, service: &str, edits: &[Edit]) -> Option<Script> {
        if edits.is_empty() {
            return None;
        }
        let flags: Option<Vec<[String; 2]>> = edits
            .iter()
            .map(|edit| Some([flag(edit.path)?.to_string(), edit.value.clone()]))
            .collect();
        self.with(service, flags?.concat())
    }

    /// The same with a health check in place of what a service says of it.
    pub(super) fn checked(
        &self,
        service: &str,
        check: &HealthConfig,
        probe: &str,
    ) -> Option<Script> {
        let mut script = self.clone();
        for line in script.lines.iter_mut().filter(|line| line.creates(service)) {
            line.words.retain(|word| word != "--no-healthcheck");
        }
        let (interval, timeout) = (check.interval.to_string(), check.timeout.to_string());
        let retries = check.retries.to_string();
        let flags = [
            ["--health-cmd", probe],
            ["--health-interval", &interval],
            ["--health-timeout", &timeout],
            ["--health-retries", &retries],
        ];
        script.with(service, flags.concat().into_iter().map(str::to_string).collect())
    }

    /// The same with more flags for a service: of a flag that is there twice the last counts.
    fn with(&self, service: &str, flags: Vec<String>) -> Option<Script> {
        let mut script = self.clone();
        let line = script.lines.iter_mut().find(|line| line.creates(service))?;
        let image = line.flags().len();
        line.words.splice(image..image, flags);
        let Ok(DockerCommand::ServiceCreate { spec, .. }) = parse(&line.words) else { return None };
        line.spec = Some(spec);
        Some(script)
    }
}

/// A change of keys as flags; nothing if there is no flag for one of them.
pub(super) fn told(edits: &[Edit]) -> Option<String> {
    let flags: Option<Vec<String>> =
        edits.iter().map(|edit| Some(format!("{} {}", flag(edit.path)?, edit.value))).collect();
    flags.filter(|flags| !flags.is_empty()).map(|flags| flags.join(" "))
}

fn flag(path: &[&str]) -> Option<&'static str> {
    FLAGS.iter().find(|(known, _)| *known == path).map(|(_, flag)| *flag)
}

impl Line {
    fn creates(&self, service: &str) -> bool {
        self.spec.as_ref().is_some_and(|spec| spec.name == service)
    }

    /// What stands before the image.
    fn flags(&self) -> &[String] {
        let after = 1 + self.spec.as_ref().map_or(0, |spec| spec.task.container.args.len());
        self.words.get(..self.words.len().saturating_sub(after)).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;
    use crate::scenario::load;

    const VOTE: &str = "
name: vote
script:
- docker node update --availability drain node-1
- docker service create --name vote -d --update-delay=10s app:1 serve --update-monitor 9s
- docker service create app:1
- docker service create --name=other --no-healthcheck app:2
- docker service update --update-delay 20s vote
- docker service create --name late app:1
cluster: {nodes: 2}
";

    fn script() -> Script {
        Script::of(&load(VOTE).expect("a scenario")).expect("it creates services")
    }

    #[test]
    fn services_are_those_before_the_first_update() {
        let script = script();
        assert_eq!(script.names(), ["vote", "other"]);
        let plans = script.plans();
        let keys: Vec<&str> = plans.iter().map(|plan| plan.key.as_str()).collect();
        assert_eq!(keys, ["other", "vote"]);
        let delay = plans[1].spec.update.map(|update| update.delay);
        assert_eq!((delay, plans[1].place.line), (Some(Span::from_secs(10)), 5));
        assert_eq!(script.lines().count(), 3, "the line about the node is kept");
    }

    #[test]
    fn keys_are_flags() {
        let script = script();
        let update = |key: &'static str| ["deploy", "update_config", key];
        assert!(script.says("vote", &update("delay")));
        assert!(!script.says("vote", &update("monitor")), "that is for the program");
        assert!(!script.says("other", &update("delay")));
        let path: &[&str] = &["deploy", "update_config", "delay"];
        let edits = [Edit { path, value: "30s".to_string() }];
        let edited = script.edited("vote", &edits).expect("there is a flag");
        assert_eq!(
            edited.lines().nth(1).as_deref(),
            Some(
                "docker service create --detach --name vote '--update-delay=10s' --update-delay \
                 30s app:1 serve --update-monitor 9s"
            )
        );
        let delay = edited.plans()[1].spec.update.map(|update| update.delay);
        assert_eq!(delay, Some(Span::from_secs(30)));
        assert_eq!(told(&edits).as_deref(), Some("--update-delay 30s"));
        let ports: &[&str] = &["ports"];
        assert_eq!(told(&[Edit { path: ports, value: String::new() }]), None);
    }

    #[test]
    fn a_health_check_takes_the_place_of_none() {
        let two = Span::from_secs(2);
        let check = HealthConfig { interval: two, timeout: two, retries: 5, ..Default::default() };
        let checked = script().checked("other", &check, "check").expect("it is there");
        let own = checked.plans()[0].spec.task.container.healthcheck.clone().expect("a check");
        assert_eq!((own.interval, own.retries, own.is_none()), (two, 5, false));
    }
}
