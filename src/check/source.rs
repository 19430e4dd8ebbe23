//! Where services come from, and how a run makes them: a stack file that is deployed, or the lines
//! of a script that create services.

use std::collections::BTreeSet;

use crate::check::script::Script;
use crate::check::subject::Unreadable;
use crate::compose::edit::{self, Edit};
use crate::compose::{ServicePlan, Surroundings, read};
use crate::scenario::Scenario;
use crate::scenario::json::text;
use crate::swarmkit::spec::HealthConfig;

/// What a probe of a proposed health check runs. Nobody but the author knows what it should be,
/// and the simulator asks the image how it ends.
const PROBE: &str = "check";

/// Where services come from.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Source {
    /// A stack file, and the stack that it is deployed as.
    Stack {
        /// Path of the file among those of the scenario.
        file: String,
        /// Its text.
        text: String,
        /// Name of the stack.
        stack: String,
    },
    /// Lines of a scenario's script.
    Script(Script),
}

impl Source {
    fn around<'s>(scenario: &'s Scenario, file: &'s str) -> Surroundings<'s> {
        Surroundings { environment: &scenario.environment, files: &scenario.files, path: file }
    }

    /// Its services.
    ///
    /// # Errors
    /// Docker would refuse it.
    pub(super) fn plans(&self, scenario: &Scenario) -> Result<Vec<ServicePlan>, Unreadable> {
        match self {
            Source::Stack { file, text, stack } => {
                let refused = |refusal: crate::compose::Refusal| Unreadable(refusal.docker);
                let read = read(text, Source::around(scenario, file)).map_err(refused)?;
                read.lower(stack, file).services.map_err(refused)
            }
            Source::Script(script) => Ok(script.plans()),
        }
    }

    /// The same with keys of a service set; nothing where that cannot be done.
    pub(super) fn edited(&self, service: &str, edits: &[Edit]) -> Option<Source> {
        match self {
            Source::Stack { file, text, stack } => {
                let text = edit::apply(text, service, edits)?;
                Some(Source::Stack { file: file.clone(), text, stack: stack.clone() })
            }
            Source::Script(script) => script.edited(service, edits).map(Source::Script),
        }
    }

    /// The same with a health check in place of what a service says of it, for a run: as a file it
    /// is not what its author wrote.
    pub(super) fn checked(
        &self,
        scenario: &Scenario,
        service: &str,
        check: &HealthConfig,
    ) -> Option<Source> {
        let test = vec!["CMD".to_string(), PROBE.to_string()];
        let check = &HealthConfig { test, ..check.clone() };
        match self {
            Source::Stack { file, text, stack } => {
                let read = read(text, Source::around(scenario, file)).ok()?;
                let text = read.with_healthcheck(service, check)?.written();
                Some(Source::Stack { file: file.clone(), text, stack: stack.clone() })
            }
            Source::Script(script) => script.checked(service, check, PROBE).map(Source::Script),
        }
    }

    /// Puts what it reads among the files of a world.
    pub(super) fn put(&self, world: &mut Scenario) {
        if let Source::Stack { file, text, .. } = self {
            world.files.insert(file.clone(), text.clone());
        }
    }

    /// The steps that make its services, a line each as they stand in a script.
    pub(super) fn begin(&self) -> String {
        match self {
            Source::Stack { file, stack, .. } => {
                let (file, stack) = (shell_words::quote(file), shell_words::quote(stack));
                step(&format!("docker stack deploy -c {file} --detach {stack}"))
            }
            Source::Script(script) => script.lines().map(|line| step(&line)).collect(),
        }
    }

    /// The step that takes them away.
    pub(super) fn end(&self) -> String {
        match self {
            Source::Stack { stack, .. } => {
                step(&format!("docker stack rm {}", shell_words::quote(stack)))
            }
            Source::Script(script) => {
                step(&format!("docker service rm {}", script.names().join(" ")))
            }
        }
    }

    /// Whether a command line is the one of [`Source::end`].
    pub(super) fn is_end(line: &str) -> bool {
        line.starts_with("docker stack rm ") || line.starts_with("docker service rm ")
    }
}

fn step(line: &str) -> String {
    format!("- {}\n", text(line).to_json())
}

/// The ports that services publish.
pub(super) fn ports(plans: &[ServicePlan]) -> BTreeSet<u32> {
    let endpoints = plans.iter().filter_map(|plan| plan.spec.endpoint.as_ref());
    endpoints.flat_map(|endpoint| &endpoint.ports).map(|port| port.published).collect()
}
