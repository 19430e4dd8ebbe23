//! What tasks are made from: each version is stored once, however many tasks carry it.

use std::sync::Arc;

use crate::base::ids::{EndpointIx, IdVec, TemplateIx};
use crate::swarmkit::spec::{EndpointSpec, ServiceSpec, TaskTemplate};

/// All templates and endpoints that services ever had, in the first spec that had them. Equal ones
/// have equal ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    all: IdVec<TemplateIx, Template>,
    endpoints: IdVec<EndpointIx, Arc<ServiceSpec>>,
}

#[derive(Clone, Debug)]
struct Template {
    spec: Arc<ServiceSpec>,
    image: Arc<str>,
    /// The first one that is alike.
    like: TemplateIx,
}

impl Templates {
    pub(super) fn task(&self, template: TemplateIx) -> &TaskTemplate {
        &self.all[template].spec.task
    }

    pub(super) fn image(&self, template: TemplateIx) -> &Arc<str> {
        &self.all[template].image
    }

    pub(super) fn endpoint(&self, endpoint: EndpointIx) -> Option<&EndpointSpec> {
        self.endpoints[endpoint].endpoint.as_ref()
    }

    /// Whether two templates differ in placement and registry credentials at most.
    ///
    /// Upstream: `manager/orchestrator/task.go` `IsTaskDirty`.
    pub(super) fn are_alike(&self, one: TemplateIx, other: TemplateIx) -> bool {
        self.all[one].like == self.all[other].like
    }

    /// The ids of what a spec's tasks are made from.
    pub(super) fn intern(&mut self, spec: &Arc<ServiceSpec>) -> (TemplateIx, EndpointIx) {
        let of_template = |known: &Template| known.spec.task == spec.task;
        let template = self.all.iter().find(|(_, known)| of_template(known)).map(|(ix, _)| ix);
        let template = template.unwrap_or_else(|| self.learn(spec));
        let of_endpoint = |known: &ServiceSpec| known.endpoint == spec.endpoint;
        let endpoint = self.endpoints.iter().find(|(_, known)| of_endpoint(known));
        let endpoint = endpoint.map(|(ix, _)| ix);
        (template, endpoint.unwrap_or_else(|| self.endpoints.push(spec.clone())))
    }

    fn learn(&mut self, spec: &Arc<ServiceSpec>) -> TemplateIx {
        let alike = self.all.iter().find(|(_, known)| known.spec.task.is_alike(&spec.task));
        let like = alike.map_or(self.all.next_id(), |(ix, _)| ix);
        let image = spec.task.container.image.as_str().into();
        self.all.push(Template { spec: spec.clone(), image, like })
    }
}
