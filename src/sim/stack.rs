//! `docker stack`: a client that sends one request after the other.
//!
//! Source: cli surface 5.6. Upstream: docker cli `cli/command/stack/deploy_composefile.go`,
//! `remove.go`. A line is printed when its request is sent, and takes effect when it arrives.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::chance::{Role, Whom};
use crate::base::ids::{Identifier, RecordNo, ServiceIx};
use crate::client::command::{DockerCommand, ListOptions, Wait};
use crate::client::failure::CliFailure;
use crate::client::stack::{DETACH_NOTICE, ResolveImage, StackDeploy, nothing_found};
use crate::client::{ls, ps, table};
use crate::compose::{Deployment, IMAGE_LABEL, NAMESPACE_LABEL, Refusal, ServicePlan};
use crate::compose::{Surroundings, read};
use crate::sim::ahead::Event;
use crate::sim::rows::{service_row, task_rows};
use crate::sim::script::ScriptEvent;
use crate::sim::world::Simulation;
use crate::swarmkit::controlapi;
use crate::swarmkit::ctx::Class;
use crate::timeline::record::Stream;

/// What stacks have made, and the commands that are making more.
#[derive(Clone, Debug, Default)]
pub(super) struct Stacks {
    runs: BTreeMap<u32, Run>,
    /// Networks, secrets and configs, each with its stack.
    objects: BTreeMap<(Kind, String), String>,
    /// What was read so far, by file and stack. It depends on the scenario's texts alone.
    read: BTreeMap<(String, String), Deployed>,
}

/// A file that docker has read.
#[derive(Clone, Debug)]
struct Deployed {
    /// What it prints at once.
    warnings: Arc<str>,
    deployment: Arc<Deployment>,
}

/// Something of a stack that is no service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// A secret.
    Secret,
    /// A config.
    Config,
    /// An overlay network.
    Network,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Secret => "secret",
            Kind::Config => "config",
            Kind::Network => "network",
        }
    }
}

/// A command under way.
#[derive(Clone, Debug)]
struct Run {
    /// What it was, until the manager was asked what there is.
    begins: Option<Begins>,
    work: VecDeque<Work>,
    /// Services to watch at the end, with the errors of the way.
    services: VecDeque<(ServiceIx, String)>,
    wait: Wait,
    /// Requests sent.
    sent: u32,
    /// Whether stacks are removed; and those of which something was not.
    removing: bool,
    failed: BTreeSet<String>,
}

#[derive(Clone, Debug)]
enum Begins {
    Deploy(Box<StackDeploy>, Arc<Deployment>),
    Remove(Vec<String>),
}

/// One request, or a text on the way.
#[derive(Clone, Debug)]
enum Work {
    Create(Kind, String, String),
    Remove(Kind, String),
    RemoveService(ServiceIx),
    /// The specs are made now that what they name is there.
    Specs(Box<StackDeploy>, Arc<Deployment>),
    Service(Box<ServicePlan>, Option<(ServiceIx, u64)>),
    /// Networks that must be there.
    Look(Vec<String>),
    Say(String),
}

impl Stacks {
    /// Before the first command of another run, which has the same files.
    pub(super) fn anew(self) -> Stacks {
        Stacks { read: self.read, ..Stacks::default() }
    }

    /// Whether a stack has made it.
    pub(super) fn has(&self, kind: Kind, name: &str) -> bool {
        self.objects.contains_key(&(kind, name.to_string()))
    }

    /// Whether a step's command is one of these and under way.
    pub(super) fn is_running(&self, step: u32) -> bool {
        self.runs.contains_key(&step)
    }
}

impl Simulation {
    /// Begins a command that sends several requests. False if it is not one of those.
    pub(super) fn begin_stack(&mut self, step: u32, command: &DockerCommand) -> bool {
        // What is printed at once follows from the step that was typed.
        let typed = self.manager.store.journal.latest();
        let (begins, wait) = match command {
            DockerCommand::StackDeploy(deploy) => match self.deployment(deploy) {
                Err(failure) => {
                    self.fail(step, &failure);
                    return true;
                }
                Ok(Deployed { warnings, deployment }) => {
                    let mut text = warnings.to_string();
                    if deploy.detach_left_out {
                        text.push_str(DETACH_NOTICE);
                    }
                    self.manager.store.journal.wake(typed);
                    self.print(step, Stream::Err, &text);
                    let wait = deploy.wait;
                    (Begins::Deploy(deploy.clone(), deployment), wait)
                }
            },
            DockerCommand::StackRm { stacks } => (Begins::Remove(stacks.clone()), Wait::default()),
            _ => return false,
        };
        let begins = Some(begins);
        let (work, services) = (VecDeque::new(), VecDeque::new());
        let (removing, failed) = (false, BTreeSet::new());
        let run = Run { begins, work, services, wait, sent: 0, removing, failed };
        self.clients.stacks.runs.insert(step, run);
        self.send(step);
        true
    }

    /// The file of a command, as a deployment.
    fn deployment(&mut self, deploy: &StackDeploy) -> Result<Deployed, CliFailure> {
        let [path] = deploy.files.as_slice() else {
            return Err(CliFailure::error("several Compose files at once: not simulated"));
        };
        let key = (path.clone(), deploy.stack.clone());
        if let Some(read) = self.clients.stacks.read.get(&key) {
            return Ok(read.clone());
        }
        let files = &self.scenario.files;
        let Some(text) = files.get(path) else {
            return Err(CliFailure::error(format_args!("open {path}: no such file or directory")));
        };
        let environment = &self.scenario.environment;
        let file = read(text, Surroundings { environment, files, path })
            .map_err(|refusal| CliFailure::error(refusal.docker))?;
        let deployment = Arc::new(file.lower(&deploy.stack, path));
        let read = Deployed { warnings: file.warnings.into(), deployment };
        self.clients.stacks.read.insert(key, read.clone());
        Ok(read)
    }

    /// The next request goes out.
    fn send(&mut self, step: u32) {
        let Some(run) = self.clients.stacks.runs.get_mut(&step) else { return };
        run.sent += 1;
        // Words 1 to 100 of a step are names that the daemon might choose.
        let word = self.cluster_key.word(Role::Client, 1000 + run.sent, step);
        let after = self.scenario.cluster.request.at(word);
        let cause = self.manager.store.journal.latest();
        let event = Event::Script(ScriptEvent::Request(step));
        self.file(self.now().after(after), Class::Request, event, cause);
    }

    /// A request of such a command arrives; then the next one is sent.
    pub(super) fn stack_request(&mut self, step: u32, cause: Option<RecordNo>) {
        let Some(mut run) = self.clients.stacks.runs.remove(&step) else { return };
        let done = match (run.begins.take(), run.work.pop_front()) {
            (Some(begins), _) => {
                self.list_stack(begins, &mut run);
                Ok(())
            }
            (None, Some(work)) => self.work(step, work, &mut run, cause),
            (None, None) => Ok(()),
        };
        self.manager.store.journal.wake(cause);
        if let Err(failure) = done {
            return self.fail(step, &failure);
        }
        self.go_on(step, run);
    }

    /// Says what comes next and sends it, or ends.
    fn go_on(&mut self, step: u32, mut run: Run) {
        loop {
            match run.work.front() {
                None => break,
                Some(Work::Say(text)) => {
                    let text = text.clone();
                    self.print(step, Stream::Err, &text);
                    run.work.pop_front();
                }
                Some(Work::Look(names)) => {
                    if let Some(name) = names.iter().find(|name| !self.has_network(name)) {
                        let failure = CliFailure::error(format_args!(
                            "network \"{name}\" is declared as external, but could not be found. \
                             You need to create a swarm-scoped network before the stack is deployed"
                        ));
                        return self.fail(step, &failure);
                    }
                    run.work.pop_front();
                }
                Some(Work::Specs(..)) => {
                    let Some(Work::Specs(deploy, deployment)) = run.work.pop_front() else {
                        break;
                    };
                    match self.plans(&deploy, &deployment) {
                        Ok(plans) => run.work.extend(plans),
                        Err(failure) => return self.fail(step, &failure),
                    }
                }
                Some(work) => {
                    let line = self.line(work);
                    self.print(step, Stream::Out, &line);
                    self.clients.stacks.runs.insert(step, run);
                    return self.send(step);
                }
            }
        }
        if !run.failed.is_empty() {
            let text = |stack| format!("failed to remove some resources from stack: {stack}\n");
            let text: String = run.failed.into_iter().map(text).collect();
            self.print(step, Stream::Err, &text);
            return self.end_step(step, 1);
        }
        if run.wait.detach {
            run.services.clear();
        }
        self.attach(step, run.services, Vec::new(), run.wait.quiet, 1);
    }

    fn line(&self, work: &Work) -> String {
        match work {
            Work::Create(kind, name, _) => format!("Creating {} {name}", kind.word()),
            Work::Remove(kind, name) => format!("Removing {} {name}", kind.word()),
            Work::RemoveService(service) => {
                let spec = &self.manager.store.service_ever(*service).now.spec;
                format!("Removing service {}", spec.name)
            }
            Work::Service(plan, None) => format!("Creating service {}", plan.spec.name),
            Work::Service(plan, Some((service, _))) => {
                let id = self.manager.store.service_ever(*service).id;
                format!("Updating service {} (id: {id})", plan.spec.name)
            }
            Work::Specs(..) | Work::Look(_) | Work::Say(_) => String::new(),
        }
    }

    /// The manager said what there is: this is what there is to do.
    fn list_stack(&self, begins: Begins, run: &mut Run) {
        match begins {
            Begins::Remove(stacks) => {
                run.removing = true;
                for stack in &stacks {
                    self.removals(stack, &mut run.work);
                }
            }
            Begins::Deploy(deploy, deployment) => {
                if deploy.prune {
                    for (name, service) in self.services_of(&deploy.stack) {
                        let key = name.strip_prefix(&format!("{}_", deploy.stack)).unwrap_or(&name);
                        if !deployment.keys.contains(key) {
                            run.work.push_back(Work::RemoveService(service));
                        }
                    }
                }
                run.work.push_back(Work::Look(deployment.external_networks.clone()));
                for (kind, names) in [
                    (Kind::Network, &deployment.networks),
                    (Kind::Secret, &deployment.secrets),
                    (Kind::Config, &deployment.configs),
                ] {
                    let missing = names.iter().filter(|name| !self.clients.stacks.has(kind, name));
                    let create =
                        |name: &String| Work::Create(kind, name.clone(), deploy.stack.clone());
                    run.work.extend(missing.map(create));
                }
                run.work.push_back(Work::Specs(deploy, deployment));
            }
        }
    }

    fn removals(&self, stack: &str, work: &mut VecDeque<Work>) {
        let before = work.len();
        let services = self.services_of(stack).into_iter();
        work.extend(services.map(|(_, service)| Work::RemoveService(service)));
        let of_stack = self.clients.stacks.objects.iter().filter(|(_, of)| *of == stack);
        work.extend(of_stack.map(|((kind, name), _)| Work::Remove(*kind, name.clone())));
        if work.len() == before {
            work.push_back(Work::Say(nothing_found(stack)));
        }
    }

    pub(super) fn has_network(&self, name: &str) -> bool {
        self.scenario.cluster.networks.contains(name)
            || self.clients.stacks.has(Kind::Network, name)
    }

    /// Services of a stack by name.
    fn services_of(&self, stack: &str) -> BTreeMap<String, ServiceIx> {
        let of_stack = |(ix, service): (ServiceIx, &crate::swarmkit::store::Service)| {
            let spec = &service.now.spec;
            let own = spec.labels.get(NAMESPACE_LABEL).is_some_and(|name| name == stack);
            own.then(|| (spec.name.clone(), ix))
        };
        self.manager.store.services().filter_map(of_stack).collect()
    }

    /// The services to create and to update.
    fn plans(
        &self,
        deploy: &StackDeploy,
        deployment: &Deployment,
    ) -> Result<Vec<Work>, CliFailure> {
        let refused = |refusal: &Refusal| CliFailure::error(&refusal.docker);
        let plans = deployment.services.as_ref().map_err(refused)?;
        for plan in plans {
            self.check_files(&plan.spec).map_err(|failure| {
                CliFailure::error(format_args!("service {}: {}", plan.key, failure.stderr.trim()))
            })?;
        }
        let existing = self.services_of(&deploy.stack);
        let work = |plan: &ServicePlan| {
            let mut plan = plan.clone();
            let known = existing.get(&plan.spec.name).copied();
            let stored = known.map(|service| self.spec_of(service));
            let same = stored.as_ref().filter(|stored| {
                stored.labels.get(IMAGE_LABEL).is_some_and(|image| *image == plan.image)
            });
            match (deploy.resolve, same) {
                (ResolveImage::Always, _) | (ResolveImage::Changed, None) => {}
                (ResolveImage::Changed | ResolveImage::Never, Some(stored)) => {
                    plan.spec.task.container.image.clone_from(&stored.task.container.image);
                }
                (ResolveImage::Never, None) => {
                    plan.spec.task.container.image.clone_from(&plan.image);
                }
            }
            if let Some(stored) = stored {
                plan.spec.task.force_update = stored.task.force_update;
            }
            let known = known.map(|service| (service, self.version_of(service)));
            Work::Service(Box::new(plan), known)
        };
        Ok(plans.iter().map(work).collect())
    }

    fn work(
        &mut self,
        step: u32,
        work: Work,
        run: &mut Run,
        cause: Option<RecordNo>,
    ) -> Result<(), CliFailure> {
        match work {
            Work::Create(kind, name, stack) => {
                self.clients.stacks.objects.insert((kind, name), stack);
            }
            Work::Remove(kind, name) => drop(self.clients.stacks.objects.remove(&(kind, name))),
            Work::RemoveService(service) => {
                let gone = self.activate(cause, |_, ctx| controlapi::remove_service(ctx, service));
                if let Err(refused) = gone {
                    let stored = self.manager.store.service_ever(service);
                    let id = stored.id;
                    if run.removing {
                        let labels = &stored.now.spec.labels;
                        run.failed.extend(labels.get(NAMESPACE_LABEL).cloned());
                    }
                    let what = CliFailure::daemon(refused).stderr;
                    let text = format!("Failed to remove service {id}: {}", what.trim_end());
                    self.print(step, Stream::Err, &text);
                }
            }
            Work::Service(plan, existing) => {
                let service = self.deploy_service(*plan, existing, cause)?;
                let id = self.manager.store.service_ever(service).id.to_string();
                run.services.push_back((service, id));
            }
            Work::Specs(..) | Work::Look(_) | Work::Say(_) => {}
        }
        Ok(())
    }

    fn deploy_service(
        &mut self,
        plan: ServicePlan,
        existing: Option<(ServiceIx, u64)>,
        cause: Option<RecordNo>,
    ) -> Result<ServiceIx, CliFailure> {
        let name = plan.spec.name.clone();
        let verb = if existing.is_some() { "update" } else { "create" };
        let failed = |failure: CliFailure| {
            let text = failure.stderr.trim_end();
            CliFailure::error(format_args!("failed to {verb} service {name}: {text}"))
        };
        if let Some(refused) = plan.refused {
            return Err(failed(CliFailure::daemon(refused)));
        }
        self.check_references(&plan.spec).map_err(failed)?;
        let refused = |refused| failed(CliFailure::daemon(refused));
        let Some((service, version)) = existing else {
            let key = self.seed.key(Whom::Service, &name);
            let nth = self.manager.store.version() as u32;
            let block = key.block(Role::Identifier, 0, nth, 0);
            let id = Identifier::new(block[0], block[1]);
            let made =
                self.activate(cause, |_, ctx| controlapi::create_service(ctx, plan.spec, id, key));
            return made.map_err(refused);
        };
        if self.manager.store.service(service).is_none() {
            let id = self.manager.store.service_ever(service).id;
            return Err(failed(CliFailure::daemon(format_args!("service {id} not found"))));
        }
        self.activate(cause, |_, ctx| controlapi::update_service(ctx, service, plan.spec, version))
            .map_err(refused)?;
        Ok(service)
    }

    /// Names of all stacks with the number of their services.
    pub(super) fn list_stacks(&self, options: &ListOptions) -> Result<String, CliFailure> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (_, service) in self.manager.store.services() {
            if let Some(stack) = service.now.spec.labels.get(NAMESPACE_LABEL) {
                *counts.entry(stack.clone()).or_default() += 1;
            }
        }
        let mut rows: Vec<Vec<String>> =
            counts.into_iter().map(|(name, count)| vec![name, count.to_string()]).collect();
        rows.sort_by(|a, b| table::natural(&a[0], &b[0]));
        match &options.format {
            Some(format) => {
                let columns = [("Name", "NAME"), ("Services", "SERVICES")];
                table::formatted(format, &columns, &rows)
            }
            None => Ok(table::aligned(&["NAME", "SERVICES"], &rows)),
        }
    }

    /// The tasks of a stack.
    pub(super) fn stack_tasks(
        &self,
        stack: &str,
        options: &ListOptions,
    ) -> Result<String, CliFailure> {
        let services = self.services_of(stack);
        let store = &self.manager.store;
        let rows: Vec<_> =
            services.values().flat_map(|service| task_rows(store, *service, |_| true)).collect();
        if rows.is_empty() {
            return Err(CliFailure::error(format_args!("nothing found in stack: {stack}")));
        }
        ps::ps(&rows, options, "", self.now())
    }

    /// The services of a stack; nothing if there are none.
    pub(super) fn stack_services(
        &self,
        stack: &str,
        options: &ListOptions,
    ) -> Result<Option<String>, CliFailure> {
        let services: BTreeSet<ServiceIx> = self.services_of(stack).into_values().collect();
        let store = &self.manager.store;
        let rows: Vec<_> =
            services.iter().filter_map(|service| service_row(store, *service)).collect();
        if rows.is_empty() { Ok(None) } else { ls::ls(&rows, options).map(Some) }
    }
}
