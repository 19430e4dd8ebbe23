//! The docker client as an actor: it sends requests, polls, and ends with an exit code.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::chance::{Role, Whom};
use crate::base::ids::{Identifier, RecordNo, ServiceIx};
use crate::base::time::SimTime;
use crate::client::choose::{Entry, PollView, choose};
use crate::client::command::{DockerCommand, ServiceUpdate, UpdateRequest, Wait};
use crate::client::failure::CliFailure;
use crate::client::line::CommandLine;
use crate::client::naming::random_name;
use crate::client::progress::{Next, POLL_INTERVAL, PollResult, Progress, ProgressOutput};
use crate::client::rows::UpdateRow;
use crate::client::shown::Shown;
use crate::client::stack::nothing_found;
use crate::client::{inspect, ls, node, pretty, ps};
use crate::sim::ahead::Event;
use crate::sim::rows::{candidates, node_rows, service_row, task_rows, update_row};
use crate::sim::script::ScriptEvent;
use crate::sim::stack::{Kind, Stacks};
use crate::sim::world::Simulation;
use crate::swarmkit::controlapi;
use crate::swarmkit::ctx::Class;
use crate::swarmkit::orchestrator::is_task_dirty;
use crate::swarmkit::spec::{Mode, ServiceSpec};
use crate::swarmkit::store::{Service, ServiceSnapshot, Store};
use crate::swarmkit::task::NodeState;
use crate::timeline::record::{CommandFact, Fact, Stream, UpdateStatus};

/// Terminals of scripts are so wide.
const COLUMNS: u16 = 120;

/// The commands under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    pending: BTreeMap<u32, CommandLine>,
    /// In the order of their steps.
    attached: Vec<Attached>,
    /// What a poll draws, until it is told.
    drawn: Vec<ProgressOutput>,
    pub(super) stacks: Stacks,
}

impl Clients {
    /// Before the first command of another run, which may have the same files.
    pub(super) fn anew(self, same_files: bool) -> Clients {
        let stacks = if same_files { self.stacks.anew() } else { Stacks::default() };
        Clients { stacks, ..Clients::default() }
    }
}

/// A client that waits for its service to converge.
#[derive(Clone, Debug)]
struct Attached {
    step: u32,
    service: ServiceIx,
    progress: Progress,
    /// First poll; all others follow on its grid.
    first: SimTime,
    /// For when a poll is filed.
    filed: Option<SimTime>,
    /// Services still to be watched, one after the other, and errors to be printed at the end.
    rest: VecDeque<(ServiceIx, String)>,
    errors: Vec<String>,
    quiet: bool,
    /// The update status that it saw last, and its words.
    status: Option<(UpdateStatus, UpdateRow)>,
    /// What it saw last, and in which version of the store: most polls come because time passed.
    view: Option<(u64, PollView)>,
}

impl Attached {
    /// One poll, which adds to `drawn`.
    fn poll(
        &mut self,
        now: SimTime,
        store: &Store,
        snapshot: &ServiceSnapshot,
        drawn: &mut Vec<ProgressOutput>,
    ) -> PollResult {
        let version = store.version();
        if let Some((seen, view)) = &self.view
            && *seen == version
        {
            return self.progress.poll_again(now, view, drawn);
        }
        let room = self.view.take().map_or(Vec::new(), |(_, view)| view.entries);
        let view = self.look(store, snapshot, room);
        let result = self.progress.poll(now, &view, drawn);
        self.view = Some((version, view));
        result
    }

    /// What there is to see of its service.
    fn look(&mut self, store: &Store, snapshot: &ServiceSnapshot, room: Vec<Entry>) -> PollView {
        if self.status.as_ref().map(|(status, _)| *status) != snapshot.update {
            self.status = snapshot.update.map(|status| (status, update_row(store, status)));
        }
        let status = self.status.as_ref().map(|(_, row)| row);
        let job = store.service(self.service).and_then(|stored| stored.job);
        let current = |task| {
            job.is_none_or(|job| job.has(task))
                && !is_task_dirty(store, snapshot, store.snapshot(task))
        };
        let tasks = candidates(store, self.service, current);
        // Nobody is down, as a rule, and then nothing is collected.
        let down = store.nodes().filter(|(_, node)| node.state == NodeState::Down);
        let down: Vec<Identifier> = down.map(|(_, node)| node.id).collect();
        choose(&snapshot.spec, status, tasks, |node| down.contains(&node), room)
    }

    /// When to file the next poll: the first on the client's grid at or after `at`, unless an
    /// earlier one is filed.
    fn file_at(&mut self, at: SimTime) -> Option<SimTime> {
        let interval = POLL_INTERVAL.0 as u64;
        let since = at.0.saturating_sub(self.first.0);
        let on_grid = SimTime(self.first.0 + since.div_ceil(interval) * interval);
        let is_first = self.filed.is_none_or(|filed| on_grid < filed);
        is_first.then(|| *self.filed.insert(on_grid))
    }
}

/// How the first part of a command ended.
enum Ended {
    /// With this exit code.
    At(u8),
    /// It goes on, watching services.
    Watching { services: VecDeque<(ServiceIx, String)>, errors: Vec<String>, quiet: bool },
}

impl Simulation {
    /// A docker command line is typed.
    pub(super) fn type_command(&mut self, step: u32, line: &CommandLine) {
        match line.command() {
            Err(failure) => self.fail(step, failure),
            Ok(command) => {
                if self.begin_stack(step, command) {
                    return;
                }
                self.clients.pending.insert(step, line.clone());
                let word = self.cluster_key.word(Role::Client, 0, step);
                let after = self.scenario.cluster.request.at(word);
                let cause = self.manager.store.journal.latest();
                let event = Event::Script(ScriptEvent::Request(step));
                self.file(self.now().after(after), Class::Request, event, cause);
            }
        }
    }

    pub(super) fn fail(&mut self, step: u32, failure: &CliFailure) {
        self.print(step, Stream::Out, &failure.stdout);
        self.print(step, Stream::Err, &failure.stderr);
        self.end_step(step, failure.code);
    }

    /// The request of a command reaches the manager.
    pub(super) fn request(&mut self, step: u32, cause: Option<RecordNo>) {
        if self.clients.stacks.is_running(step) {
            return self.stack_request(step, cause);
        }
        let Some(line) = self.clients.pending.remove(&step) else { return };
        let Ok(command) = line.command() else { return };
        let ended = self.carry_out(step, command, cause);
        self.manager.store.journal.wake(cause);
        match ended {
            Err(failure) => self.fail(step, &failure),
            Ok(Ended::At(code)) => self.end_step(step, code),
            Ok(Ended::Watching { services, errors, quiet }) => {
                self.attach(step, services, errors, quiet, 1);
            }
        }
    }

    fn carry_out(
        &mut self,
        step: u32,
        command: &DockerCommand,
        cause: Option<RecordNo>,
    ) -> Result<Ended, CliFailure> {
        match command {
            DockerCommand::ServiceCreate { spec, wait } => {
                self.check_references(spec)?;
                let mut spec = spec.clone();
                if spec.name.is_empty() {
                    Arc::make_mut(&mut spec).name = self.unused_name(step);
                }
                let key = self.seed.key(Whom::Service, &spec.name);
                let nth = self.manager.store.version() as u32;
                let block = key.block(Role::Identifier, 0, nth, 0);
                let id = Identifier::new(block[0], block[1]);
                let made =
                    self.activate(cause, |_, ctx| controlapi::create_service(ctx, spec, id, key));
                let service = made.map_err(CliFailure::daemon)?;
                Ok(self.after_request(step, service, &id.to_string(), *wait))
            }
            DockerCommand::ServiceUpdate(update) => self.update(step, update, cause),
            DockerCommand::ServiceRollback { service, wait } => {
                let found = self.find_service(service)?;
                let version = self.version_of(found);
                self.activate(cause, |_, ctx| controlapi::rollback_service(ctx, found, version))
                    .map_err(CliFailure::daemon)?;
                Ok(self.after_request(step, found, service, *wait))
            }
            DockerCommand::ServiceScale { targets, wait } => {
                let mut services = VecDeque::new();
                let mut errors = Vec::new();
                for target in targets {
                    match self.scale(&target.service, &target.replicas, cause) {
                        Ok((service, line)) => {
                            self.print(step, Stream::Out, &line);
                            services.push_back((service, target.service.clone()));
                        }
                        Err(error) => errors.push(error),
                    }
                }
                if wait.detach {
                    services.clear();
                }
                Ok(Ended::Watching { services, errors, quiet: wait.quiet })
            }
            DockerCommand::ServiceRm { services } => {
                let (mut removed, mut errors) = (String::new(), String::new());
                for name in services {
                    match self.find_service(name) {
                        Ok(service) => {
                            let gone = self
                                .activate(cause, |_, ctx| controlapi::remove_service(ctx, service));
                            match gone {
                                Ok(()) => removed.push_str(&format!("{name}\n")),
                                Err(refused) => errors.push_str(&format!("{refused}\n")),
                            }
                        }
                        Err(failure) => errors.push_str(&failure.stderr),
                    }
                }
                Ok(self.printed(step, &removed, &errors))
            }
            DockerCommand::NodeUpdate { node, change } => {
                let found = self.find_node(node)?;
                let stored = self.manager.store.node_ever(found);
                let mut labels = stored.labels.clone();
                for key in &change.label_rm {
                    labels.remove(key);
                }
                labels.extend(change.label_add.iter().cloned());
                let labels = (labels != stored.labels).then_some(labels);
                let availability = change.availability;
                self.activate(cause, |_, ctx| {
                    controlapi::update_node(ctx, found, availability, labels)
                })
                .map_err(CliFailure::daemon)?;
                self.print(step, Stream::Out, node);
                Ok(Ended::At(0))
            }
            DockerCommand::NodeRm { nodes, force } => {
                let (mut removed, mut errors) = (String::new(), String::new());
                for name in nodes {
                    let gone = self.find_node(name).and_then(|node| {
                        self.activate(cause, |_, ctx| controlapi::remove_node(ctx, node, *force))
                            .map_err(CliFailure::daemon)
                    });
                    match gone {
                        Ok(()) => removed.push_str(&format!("{name}\n")),
                        Err(failure) => errors.push_str(&failure.stderr),
                    }
                }
                Ok(self.printed(step, &removed, &errors))
            }
            _ if !self.tells.screens => Ok(Ended::At(0)),
            query => self.answer(step, query),
        }
    }

    fn printed(&mut self, step: u32, out: &str, errors: &str) -> Ended {
        self.print(step, Stream::Out, out);
        self.print(step, Stream::Err, errors);
        Ended::At(u8::from(!errors.is_empty()))
    }

    /// The commands that only look.
    fn answer(&mut self, step: u32, query: &DockerCommand) -> Result<Ended, CliFailure> {
        let now = self.now();
        let store = &self.manager.store;
        let engine = self.scenario.cluster.engine;
        let mut errors = String::new();
        let out = match query {
            DockerCommand::ServiceLs(options) => {
                let rows: Vec<_> =
                    store.services().filter_map(|(ix, _)| service_row(store, ix)).collect();
                ls::ls(&rows, options)?
            }
            DockerCommand::ServicePs { services, options } => {
                let mut rows = Vec::new();
                let mut found = 0;
                for name in services {
                    match self.find_service(name) {
                        Ok(service) => {
                            found += 1;
                            rows.extend(task_rows(store, service, |_| true));
                        }
                        Err(_) => errors.push_str(&format!("no such service: {name}\n")),
                    }
                }
                if found == 0 { String::new() } else { ps::ps(&rows, options, "", now)? }
            }
            DockerCommand::ServiceInspect { services, pretty: human } => {
                let mut rows = Vec::new();
                for name in services {
                    match self.find_service(name).ok().and_then(|ix| service_row(store, ix)) {
                        Some(row) => rows.push(row),
                        None => errors.push_str(&format!("no such service: {name}\n")),
                    }
                }
                if *human { pretty::pretty(&rows, now) } else { inspect::inspect(&rows) }
            }
            DockerCommand::NodeLs(options) => node::ls(&node_rows(store, engine), options)?,
            DockerCommand::NodeInspect { nodes, pretty: human } => {
                let all = node_rows(store, engine);
                let mut rows = Vec::new();
                for name in nodes {
                    let is = |row: &&crate::client::rows::NodeRow| {
                        *row.name == **name
                            || row.id.to_string() == *name
                            || name == "self" && row.is_self
                    };
                    match all.iter().find(is) {
                        Some(row) => rows.push(row.clone()),
                        None => errors.push_str(&format!(
                            "Error response from daemon: node {name} not found\n"
                        )),
                    }
                }
                if *human { node::pretty(&rows) } else { node::inspect(&rows) }
            }
            DockerCommand::NodePs { nodes, options } => {
                let on = |name: &str| nodes.is_empty() || nodes.iter().any(|n| n == name);
                let mut rows = Vec::new();
                for (service, _) in store.services() {
                    let all = task_rows(store, service, |_| true);
                    rows.extend(
                        all.into_iter()
                            .filter(|row| row.node.as_ref().is_some_and(|(_, name)| on(name))),
                    );
                }
                ps::ps(&rows, options, "", now)?
            }
            DockerCommand::StackLs(options) => self.list_stacks(options)?,
            DockerCommand::StackPs { stack, options } => self.stack_tasks(stack, options)?,
            DockerCommand::StackServices { stack, options } => {
                let found = self.stack_services(stack, options)?;
                if found.is_none() {
                    self.print(step, Stream::Err, &nothing_found(stack));
                }
                found.unwrap_or_default()
            }
            _ => unreachable!("commands that write are carried out elsewhere"),
        };
        Ok(self.printed(step, &out, &errors))
    }

    fn update(
        &mut self,
        step: u32,
        update: &ServiceUpdate,
        cause: Option<RecordNo>,
    ) -> Result<Ended, CliFailure> {
        let service = self.find_service(&update.service)?;
        let version = self.version_of(service);
        let spec = self.spec_of(service);
        match update.request(&spec)? {
            UpdateRequest::Rollback => {
                self.activate(cause, |_, ctx| controlapi::rollback_service(ctx, service, version))
            }
            UpdateRequest::Spec(spec) => {
                self.check_references(&spec)?;
                self.activate(cause, |_, ctx| {
                    controlapi::update_service(ctx, service, spec, version)
                })
            }
        }
        .map_err(CliFailure::daemon)?;
        Ok(self.after_request(step, service, &update.service, update.wait))
    }

    /// The client looks up what a spec names (cli surface 1.5), and so it has to be there.
    pub(super) fn check_references(&self, spec: &ServiceSpec) -> Result<(), CliFailure> {
        const BUILT_IN: [&str; 4] = ["bridge", "host", "ingress", "none"];
        self.check_files(spec)?;
        let is_known = |name: &str| self.has_network(name) || BUILT_IN.contains(&name);
        match spec.task.networks.iter().find(|network| !is_known(&network.target)) {
            Some(network) => {
                Err(CliFailure::daemon(format_args!("network {} not found", network.target)))
            }
            None => Ok(()),
        }
    }

    /// The same of secrets and configs alone.
    pub(super) fn check_files(&self, spec: &ServiceSpec) -> Result<(), CliFailure> {
        let (cluster, container) = (&self.scenario.cluster, &spec.task.container);
        for (kind, what, known, files) in [
            (Kind::Secret, "secret", &cluster.secrets, &container.secrets),
            (Kind::Config, "config", &cluster.configs, &container.configs),
        ] {
            let is_known = |name: &str| known.contains(name) || self.clients.stacks.has(kind, name);
            if let Some(file) = files.iter().find(|file| !is_known(&file.source)) {
                return Err(CliFailure::error(format_args!("{what} not found: {}", file.source)));
            }
        }
        Ok(())
    }

    /// The name that the daemon gives to a service without one.
    fn unused_name(&self, step: u32) -> String {
        let name = |nth: u32| random_name(self.cluster_key.word(Role::Client, 1 + nth, step));
        let names = (0..100).map(name);
        let mut unused = names.filter(|name| self.manager.store.service_named(name).is_none());
        unused.next().unwrap_or_else(|| name(0))
    }

    fn scale(
        &mut self,
        name: &str,
        replicas: &Result<u64, String>,
        cause: Option<RecordNo>,
    ) -> Result<(ServiceIx, String), String> {
        let replicas = replicas.clone()?;
        let plain = |failure: CliFailure| format!("{name}: {}", failure.stderr.trim_end());
        let service = self.find_service(name).map_err(plain)?;
        let version = self.version_of(service);
        let mut spec = (*self.spec_of(service)).clone();
        match &mut spec.mode {
            Mode::Replicated { replicas: wish } => *wish = replicas,
            Mode::ReplicatedJob { total_completions, .. } => *total_completions = replicas,
            Mode::Global | Mode::GlobalJob => {
                let rule = "scale can only be used with replicated or replicated-job mode";
                return Err(format!("{name}: {rule}"));
            }
        }
        self.activate(cause, |_, ctx| controlapi::update_service(ctx, service, spec, version))
            .map_err(|refused| plain(CliFailure::daemon(refused)))?;
        Ok((service, format!("{name} scaled to {replicas}")))
    }

    pub(super) fn spec_of(&self, service: ServiceIx) -> std::sync::Arc<ServiceSpec> {
        let stored = self.manager.store.service(service);
        stored.expect("the service was just found").now.spec.clone()
    }

    pub(super) fn version_of(&self, service: ServiceIx) -> u64 {
        self.manager.store.service(service).map_or(0, |stored| stored.meta_version)
    }

    /// By full id, else by name, else by a prefix of the id that only one has (cli surface 3.1).
    fn find_service(&self, wanted: &str) -> Result<ServiceIx, CliFailure> {
        let store = &self.manager.store;
        let id: Option<Identifier> = wanted.parse().ok();
        let by_id = id.and_then(|id| store.services().find(|(_, service)| service.id == id));
        let named = || store.service_named(wanted);
        if let Some(found) = by_id.map(|(ix, _)| ix).or_else(named) {
            return Ok(found);
        }
        let begins = |(_, service): &(_, &Service)| service.id.to_string().starts_with(wanted);
        let found: Vec<ServiceIx> = store.services().filter(begins).map(|(ix, _)| ix).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(CliFailure::daemon(format!("service {wanted} not found"))),
            many => {
                let count = many.len();
                let text = format!("service {wanted} is ambiguous ({count} matches found)");
                Err(CliFailure::daemon(text))
            }
        }
    }

    fn find_node(&self, wanted: &str) -> Result<crate::base::ids::NodeIx, CliFailure> {
        let store = &self.manager.store;
        let id: Option<Identifier> = wanted.parse().ok();
        let by_id = store.nodes().find(|(_, node)| Some(node.id) == id);
        let own = || store.nodes().find(|(_, node)| node.manager && wanted == "self");
        by_id
            .or_else(own)
            .map(|(ix, _)| ix)
            .or_else(|| store.node_named(wanted))
            .ok_or_else(|| CliFailure::daemon(format!("node {wanted} not found")))
    }

    /// The argument is echoed; then the client waits, unless it is detached.
    fn after_request(&mut self, step: u32, service: ServiceIx, echo: &str, wait: Wait) -> Ended {
        if wait.detach || wait.quiet {
            self.print(step, Stream::Out, echo);
        } else {
            self.row(step, 0, echo.into());
        }
        if wait.detach {
            return Ended::At(0);
        }
        let services = VecDeque::from([(service, echo.to_string())]);
        Ended::Watching { services, errors: Vec::new(), quiet: wait.quiet }
    }

    fn row(&mut self, step: u32, row: u16, shows: Shown) {
        if !self.tells.screens {
            return;
        }
        let now = self.now();
        let fact = CommandFact::Row { step, row, shows };
        self.manager.store.journal.note(now, Fact::Command(fact));
    }

    /// Watches the next service, or ends the command.
    pub(super) fn attach(
        &mut self,
        step: u32,
        mut rest: VecDeque<(ServiceIx, String)>,
        errors: Vec<String>,
        quiet: bool,
        row: u16,
    ) {
        let Some((service, argument)) = rest.pop_front() else {
            let mut text = errors.join("\n");
            if !errors.is_empty() {
                text.push('\n');
            }
            self.print(step, Stream::Err, &text);
            return self.end_step(step, u8::from(!errors.is_empty()));
        };
        let draws_nothing = quiet || !self.tells.screens;
        let progress = Progress::new(argument, COLUMNS, true, draws_nothing).from_row(row);
        let first = self.now();
        let filed = Some(first);
        let (status, view) = (None, None);
        let attached =
            Attached { step, service, progress, first, filed, rest, errors, quiet, status, view };
        let all = &mut self.clients.attached;
        all.insert(all.partition_point(|other| other.step < step), attached);
        let event = Event::Script(ScriptEvent::Poll(step));
        self.file(first, Class::Client, event, self.manager.store.journal.latest());
    }

    /// The attached client of a step looks at its service.
    pub(super) fn poll(&mut self, step: u32, cause: Option<RecordNo>) {
        let now = self.now();
        let (clients, store) = (&mut self.clients, &self.manager.store);
        let place = clients.attached.iter().position(|attached| attached.step == step);
        let Some(place) = place else { return };
        let attached = &mut clients.attached[place];
        if attached.filed != Some(now) {
            return; // an earlier poll was filed since
        }
        attached.filed = None;
        let Some(service) = store.service(attached.service) else {
            let id = store.service_ever(attached.service).id;
            let gone = CliFailure::daemon(format!("service {id} not found"));
            clients.attached.remove(place);
            return self.fail(step, &gone);
        };
        let mut drawn = std::mem::take(&mut clients.drawn);
        let result = attached.poll(now, store, &service.now, &mut drawn);
        self.manager.store.journal.wake(cause);
        for output in drawn.drain(..) {
            match output {
                ProgressOutput::Row { row, shows } => self.row(step, row, shows),
                ProgressOutput::Line(text) => self.print(step, Stream::Out, &text),
            }
        }
        self.clients.drawn = drawn;
        match result {
            PollResult::Continue { next: Next::WhenChanged } => {}
            PollResult::Continue { next: Next::At(at) } => self.file_poll(place, at, cause),
            PollResult::Done { code, stderr } => {
                let attached = self.clients.attached.remove(place);
                let Attached { rest, mut errors, quiet, progress, .. } = attached;
                errors.extend(stderr.filter(|_| code != 0));
                self.attach(step, rest, errors, quiet, progress.next_row());
            }
        }
    }

    /// Files the next poll of a client, at or after `at`.
    fn file_poll(&mut self, place: usize, at: SimTime, cause: Option<RecordNo>) {
        let attached = &mut self.clients.attached[place];
        let step = attached.step;
        if let Some(at) = attached.file_at(at) {
            self.file(at, Class::Client, Event::Script(ScriptEvent::Poll(step)), cause);
        }
    }

    /// The store changed: attached clients look again at their next poll, and so does the script.
    pub(super) fn hear_for_clients(&mut self) {
        self.hear_for_wait();
        if !self.scenario.traffic.is_empty() {
            self.begin_traffic();
        }
        let now = SimTime(self.now().0 + 1);
        let cause = self.manager.store.journal.latest();
        for place in 0..self.clients.attached.len() {
            self.file_poll(place, now, cause);
        }
    }
}
