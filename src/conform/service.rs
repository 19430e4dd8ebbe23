//! The service of a case (section 1.1), as spec of the store and as change of one.
//!
//! These are values of SwarmKit's API, one level below Docker's: a zero is a zero, and what is
//! absent stays absent so that SwarmKit's defaults apply (semantics 1.6).

use std::collections::BTreeMap;

use ordered_float::OrderedFloat;
use serde::Deserialize;

use crate::base::time::Span;
use crate::conform::words::{word, word_opt};
use crate::swarmkit::spec::{
    ContainerSpec, FailureAction, Mode, Placement, RestartCondition, RestartPolicy, ServiceSpec,
    TaskTemplate, UpdateConfig, UpdateOrder,
};

/// The name of the one service of a case; refusals name it.
pub const SERVICE_NAME: &str = "svc";

/// A service as a case writes it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSpec {
    /// Replicated or global.
    pub mode: CaseMode,
    /// Replicas; none in a global service.
    #[serde(default)]
    pub replicas: u64,
    /// Key into the images of the case.
    pub image: String,
    /// Part of the task spec.
    #[serde(default)]
    pub env: Vec<String>,
    /// `key=value`: labels of the service, not of its tasks.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Placement constraints.
    #[serde(default)]
    pub constraints: Vec<String>,
    /// Absent = SwarmKit's defaults.
    #[serde(default)]
    pub update: Option<CaseUpdateConfig>,
    /// Absent = SwarmKit's defaults.
    #[serde(default)]
    pub rollback: Option<CaseUpdateConfig>,
    /// Absent = any, 5 s, no limit.
    #[serde(default)]
    pub restart: Option<CaseRestart>,
}

/// The modes that cases have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseMode {
    /// That many replicas.
    Replicated,
    /// One on every node that fits.
    Global,
}

/// Update or rollback configuration; what is absent is zero, but for `monitor`.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseUpdateConfig {
    /// Slots at a time; 0 = all.
    pub parallelism: u64,
    /// Nanoseconds.
    pub delay: i64,
    /// Nanoseconds; absent = 5 s, 0 = 0.
    pub monitor: Option<i64>,
    /// What a failure leads to.
    #[serde(deserialize_with = "word")]
    pub failure_action: FailureAction,
    /// Share of the dirty slots that may fail, a 32-bit float.
    pub max_failure_ratio: f32,
    /// Which of old and new goes first.
    #[serde(deserialize_with = "word")]
    pub order: UpdateOrder,
}

/// Restart policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseRestart {
    /// Absent = any.
    #[serde(deserialize_with = "word_opt")]
    pub condition: Option<RestartCondition>,
    /// Nanoseconds; absent = 5 s, 0 = 0.
    pub delay: Option<i64>,
    /// 0 = no limit.
    pub max_attempts: u64,
    /// Nanoseconds; absent or 0 = for ever.
    pub window: Option<i64>,
}

/// The fields that a step `update` replaces; absent = kept.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpecChange {
    /// See [`CaseSpec::mode`]; SwarmKit refuses such a change.
    pub mode: Option<CaseMode>,
    /// See [`CaseSpec::replicas`].
    pub replicas: Option<u64>,
    /// See [`CaseSpec::image`].
    pub image: Option<String>,
    /// See [`CaseSpec::env`].
    pub env: Option<Vec<String>>,
    /// See [`CaseSpec::labels`].
    pub labels: Option<Vec<String>>,
    /// See [`CaseSpec::constraints`].
    pub constraints: Option<Vec<String>>,
    /// The whole object.
    pub update: Option<CaseUpdateConfig>,
    /// The whole object.
    pub rollback: Option<CaseUpdateConfig>,
    /// The whole object.
    pub restart: Option<CaseRestart>,
}

/// A field that a step `update` drops.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cleared {
    /// Environment.
    Env,
    /// Labels.
    Labels,
    /// Placement constraints.
    Constraints,
    /// Update configuration.
    Update,
    /// Rollback configuration.
    Rollback,
    /// Restart policy.
    Restart,
}

impl CaseSpec {
    /// The spec that the step `create` submits.
    pub fn to_service_spec(&self) -> ServiceSpec {
        ServiceSpec {
            name: SERVICE_NAME.to_string(),
            labels: labels(&self.labels),
            task: TaskTemplate {
                container: ContainerSpec {
                    image: self.image.clone(),
                    env: self.env.clone(),
                    ..ContainerSpec::default()
                },
                restart: self.restart.map(RestartPolicy::from),
                placement: placement(&self.constraints),
                ..TaskTemplate::default()
            },
            mode: mode(self.mode, self.replicas),
            update: self.update.map(UpdateConfig::from),
            rollback: self.rollback.map(UpdateConfig::from),
            endpoint: None,
        }
    }
}

/// Applies a step `update` to the current spec: first what is set, then what is cleared.
pub fn apply(spec: &mut ServiceSpec, set: &SpecChange, clear: &[Cleared]) {
    let replicas = match spec.mode {
        Mode::Replicated { replicas } => replicas,
        Mode::Global | Mode::GlobalJob | Mode::ReplicatedJob { .. } => 0,
    };
    if let Some(kind) = set.mode {
        spec.mode = mode(kind, set.replicas.unwrap_or(replicas));
    } else if let (Mode::Replicated { .. }, Some(replicas)) = (spec.mode, set.replicas) {
        spec.mode = Mode::Replicated { replicas };
    }
    if let Some(image) = &set.image {
        spec.task.container.image.clone_from(image);
    }
    if let Some(env) = &set.env {
        spec.task.container.env.clone_from(env);
    }
    if let Some(list) = &set.labels {
        spec.labels = labels(list);
    }
    if let Some(list) = &set.constraints {
        spec.task.placement = placement(list);
    }
    if let Some(update) = set.update {
        spec.update = Some(update.into());
    }
    if let Some(rollback) = set.rollback {
        spec.rollback = Some(rollback.into());
    }
    if let Some(restart) = set.restart {
        spec.task.restart = Some(restart.into());
    }
    for field in clear {
        match field {
            Cleared::Env => spec.task.container.env.clear(),
            Cleared::Labels => spec.labels.clear(),
            Cleared::Constraints => spec.task.placement = None,
            Cleared::Update => spec.update = None,
            Cleared::Rollback => spec.rollback = None,
            Cleared::Restart => spec.task.restart = None,
        }
    }
}

impl From<CaseUpdateConfig> for UpdateConfig {
    fn from(config: CaseUpdateConfig) -> UpdateConfig {
        UpdateConfig {
            parallelism: config.parallelism,
            delay: Span(config.delay),
            monitor: config.monitor.map(Span),
            failure_action: config.failure_action,
            max_failure_ratio: OrderedFloat(config.max_failure_ratio),
            order: config.order,
        }
    }
}

impl From<CaseRestart> for RestartPolicy {
    fn from(restart: CaseRestart) -> RestartPolicy {
        RestartPolicy {
            condition: restart.condition.unwrap_or(RestartCondition::Any),
            delay: restart.delay.map(Span),
            max_attempts: restart.max_attempts,
            window: restart.window.map(Span),
        }
    }
}

fn mode(kind: CaseMode, replicas: u64) -> Mode {
    match kind {
        CaseMode::Replicated => Mode::Replicated { replicas },
        CaseMode::Global => Mode::Global,
    }
}

fn labels(list: &[String]) -> BTreeMap<String, String> {
    list.iter()
        .map(|label| label.split_once('=').unwrap_or((label, "")))
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

fn placement(constraints: &[String]) -> Option<Placement> {
    if constraints.is_empty() {
        return None;
    }
    Some(Placement { constraints: constraints.to_vec(), ..Placement::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> ServiceSpec {
        serde_json::from_str::<CaseSpec>(json).expect(json).to_service_spec()
    }

    const FULL: &str = r#"{"mode":"replicated","image":"v1","replicas":3,
        "env":["A=1"],"labels":["a=b"],"constraints":["node.labels.zone==a"],
        "update":{"parallelism":0,"delay":2000000000,"failure_action":"rollback",
        "max_failure_ratio":0.3,"order":"start-first","monitor":0},
        "restart":{"condition":"on-failure","window":4000000000}}"#;

    #[test]
    fn a_zero_is_a_zero_and_what_is_absent_stays_absent() {
        let full = spec(FULL);
        let update = UpdateConfig {
            parallelism: 0,
            delay: Span::from_secs(2),
            monitor: Some(Span::ZERO),
            failure_action: FailureAction::Rollback,
            max_failure_ratio: OrderedFloat(0.3),
            order: UpdateOrder::StartFirst,
        };
        let restart = RestartPolicy {
            condition: RestartCondition::OnFailure,
            delay: None,
            max_attempts: 0,
            window: Some(Span::from_secs(4)),
        };
        assert_eq!(full.update, Some(update));
        assert_eq!(full.rollback, None);
        assert_eq!(full.task.restart, Some(restart));
        assert_eq!(full.labels, BTreeMap::from([("a".to_string(), "b".to_string())]));
        let bare = spec(r#"{"mode":"global","image":"v1"}"#);
        assert_eq!((bare.mode, bare.task.placement, bare.task.restart), (Mode::Global, None, None));
    }

    #[test]
    fn a_change_replaces_whole_objects_and_keeps_the_rest() {
        let mut changed = spec(FULL);
        let set: SpecChange = serde_json::from_str(
            r#"{"image":"v2","replicas":5,"restart":{"condition":"none"},"constraints":[]}"#,
        )
        .expect("a change");
        apply(&mut changed, &set, &[Cleared::Update, Cleared::Labels]);
        let mut expected = spec(FULL);
        expected.task.container.image = "v2".to_string();
        expected.mode = Mode::Replicated { replicas: 5 };
        expected.task.restart = Some(RestartPolicy {
            condition: RestartCondition::None,
            delay: None,
            max_attempts: 0,
            window: None,
        });
        expected.task.placement = None;
        expected.update = None;
        expected.labels.clear();
        assert_eq!(changed, expected);
    }

    #[test]
    fn replicas_of_a_global_service_are_not_invented() {
        let mut global = spec(r#"{"mode":"global","image":"v1"}"#);
        apply(&mut global, &SpecChange { replicas: Some(3), ..SpecChange::default() }, &[]);
        assert_eq!(global.mode, Mode::Global);
    }
}
