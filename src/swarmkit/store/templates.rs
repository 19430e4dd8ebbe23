//! What tasks are made from: each version is stored once, however many tasks carry it.

use std::sync::Arc;

use crate::base::ids::{EndpointIx, IdVec, TemplateIx};
use crate::swarmkit::spec::{EndpointSpec, ServiceSpec, TaskTemplate};

/// All templates and endpoints that services ever had. Equal ones have equal ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    all: IdVec<TemplateIx, Template>,
    /// What is left of templates without what may differ in a task that stays, each once.
    cores: Vec<TaskTemplate>,
    endpoints: IdVec<EndpointIx, Option<EndpointSpec>>,
}

#[derive(Clone, Debug)]
struct Template {
    task: Arc<TaskTemplate>,
    image: Arc<str>,
    /// Its place among the cores.
    core: usize,
}

impl Templates {
    pub(super) fn task(&self, template: TemplateIx) -> &Arc<TaskTemplate> {
        &self.all[template].task
    }

    pub(super) fn image(&self, template: TemplateIx) -> &Arc<str> {
        &self.all[template].image
    }

    pub(super) fn endpoint(&self, endpoint: EndpointIx) -> Option<&EndpointSpec> {
        self.endpoints[endpoint].as_ref()
    }

    /// Whether two templates differ in placement and registry credentials at most.
    ///
    /// Upstream: `manager/orchestrator/task.go` `IsTaskDirty`.
    pub(super) fn are_alike(&self, one: TemplateIx, other: TemplateIx) -> bool {
        self.all[one].core == self.all[other].core
    }

    /// The ids of what a spec's tasks are made from.
    pub(super) fn intern(&mut self, spec: &ServiceSpec) -> (TemplateIx, EndpointIx) {
        let known = self.all.iter().find(|(_, t)| *t.task == spec.task).map(|(ix, _)| ix);
        let template = known.unwrap_or_else(|| self.learn(&spec.task));
        let known = self.endpoints.iter().find(|(_, e)| **e == spec.endpoint).map(|(ix, _)| ix);
        let endpoint = known.unwrap_or_else(|| self.endpoints.push(spec.endpoint.clone()));
        (template, endpoint)
    }

    fn learn(&mut self, task: &TaskTemplate) -> TemplateIx {
        let core = task.core();
        let core = self.cores.iter().position(|known| *known == core).unwrap_or_else(|| {
            self.cores.push(core);
            self.cores.len() - 1
        });
        let image = task.container.image.as_str().into();
        self.all.push(Template { task: Arc::new(task.clone()), image, core })
    }
}
