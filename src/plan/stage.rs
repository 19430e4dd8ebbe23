//! The scenarios of a forecast: the old stack is deployed and has converged, then the new one is
//! deployed in the foreground, as it is described or with a service whose new version fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::client::image::Reference;
use crate::compose::run::Stack;
use crate::compose::{ComposeFile, Refusal};
use crate::docker::behaviour::{Exit, Image};
use crate::docker::container::stop_grace;
use crate::plan::changes::{Restart, Service, changes};
use crate::plan::mode::{Mode, sound};
use crate::scenario::model::{Action, Scenario, Step, Traffic, Wait, image_key};
use crate::swarmkit::defaults::{MONITOR, UPDATE_CONFIG, health};
use crate::swarmkit::spec::{HealthConfig, Mode as Amount, ServiceSpec};

/// The step of a forecast's script that deploys the old stack.
pub const FIRST: u32 = 0;

/// The step that deploys the new one.
pub const DEPLOY: u32 = 3;

/// The last step of the script: it looks on for a while, and when it is over so is the run.
pub const LAST: u32 = 5;

/// Between the convergence of the old stack and the deploy of the new one: new tasks of a service
/// are no longer looked at by anyone.
const REST: Span = Span::from_secs(5);

/// How long the run goes on after a good rollout.
const AFTERWARDS: Span = Span::from_secs(30);

/// A job whose image says nothing about its end takes so long.
const JOB_TAKES: Span = Span::from_secs(1);

/// What runs now.
#[derive(Clone, PartialEq, Debug)]
pub enum Base {
    /// The same file, its images under the tag `previous`: nothing else is known.
    Previous,
    /// The same file with the images that it names; the new ones are given.
    SameFile,
    /// Another file.
    Other(Box<Stack>),
}

/// Everything that a forecast is made from.
#[derive(Clone, Debug)]
pub struct Deploy {
    /// Name of the stack.
    pub stack: String,
    /// What changes.
    pub services: Vec<Service>,
    old: ComposeFile,
    new: ComposeFile,
    /// Cluster, images and traffic.
    world: Scenario,
}

/// What is forecast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// The new version is as described.
    Good,
    /// The new version of a service, by its place in [`Deploy::services`], fails.
    Bad(usize, Mode),
}

impl Deploy {
    /// A deploy of `new` over `base`. `images` are new images by key of their service.
    ///
    /// # Errors
    /// One of the files cannot be lowered under the name of the stack.
    pub fn new(
        new: Stack,
        base: Base,
        images: &BTreeMap<String, String>,
    ) -> Result<Deploy, Refusal> {
        let Stack { scenario: mut world, name: stack, file, .. } = new;
        let old = match base {
            Base::SameFile => file.clone(),
            Base::Previous => {
                let mut before = BTreeMap::new();
                for (key, image) in file.images() {
                    let previous = with_other_tag(image, |_| "previous".to_string());
                    let usual = sound(&world.image(image));
                    world.images.entry(image_key(&previous)).or_insert(usual);
                    before.insert(key.to_string(), previous);
                }
                file.with_images(&before)
            }
            Base::Other(old) => {
                for (key, image) in old.scenario.images {
                    world.images.entry(key).or_insert(image);
                }
                let (cluster, of_old) = (&mut world.cluster, old.scenario.cluster);
                cluster.networks.extend(of_old.networks);
                cluster.secrets.extend(of_old.secrets);
                cluster.configs.extend(of_old.configs);
                old.file
            }
        };
        let new = file.with_images(images);
        let services = changes(specs(&old, &stack)?, specs(&new, &stack)?);
        let old = with_ending_jobs(&old, &stack, &mut world)?;
        let new = with_ending_jobs(&new, &stack, &mut world)?;
        Ok(Deploy { stack, services, old, new, world })
    }

    /// The seed of the first run.
    pub fn seed(&self) -> u64 {
        self.world.seed
    }

    /// Whether requests are made.
    pub fn has_traffic(&self) -> bool {
        !self.world.traffic.is_empty()
    }

    /// Places of the services whose tasks an update replaces, and which have a new version that may
    /// fail. Jobs are left out, since nobody waits for them to serve, and what has no replicas.
    pub fn updated(&self) -> impl Iterator<Item = usize> {
        let updated = |service: &Service| {
            let serves = service.new.as_ref().is_some_and(|spec| match spec.mode {
                Amount::Replicated { replicas } => replicas > 0,
                Amount::Global => true,
                Amount::ReplicatedJob { .. } | Amount::GlobalJob => false,
            });
            service.restart == Restart::All && serves
        };
        let places = self.services.iter().enumerate().filter(move |(_, s)| updated(s));
        places.map(|(place, _)| place)
    }

    /// Whether the new version of a service can fail in this way: an image that runs already is not
    /// missing.
    pub fn can_fail(&self, place: usize, mode: Mode) -> bool {
        let image = |spec: &Option<ServiceSpec>| {
            spec.as_ref().map(|spec| spec.task.container.image.clone())
        };
        let same = |service: &Service| image(&service.old) == image(&service.new);
        mode != Mode::ImageMissing || self.services.get(place).is_some_and(|s| !same(s))
    }

    /// The scenario of a case.
    pub fn scenario(&self, case: Case) -> Arc<Scenario> {
        let mut new = self.new.clone();
        let mut scenario = self.world.clone();
        scenario.name = format!("{}-good", self.stack);
        scenario.watch = Span::ZERO;
        let mut look_on = AFTERWARDS;
        if let Case::Bad(place, mode) = case
            && let Some(spec) = self.services.get(place).and_then(|service| service.new.as_ref())
        {
            let service = &self.services[place];
            let (image, bad) = self.failing(service, spec, mode);
            new = new.with_images(&[(service.key.clone(), image.clone())].into());
            look_on = afterwards(spec, &bad, mode);
            scenario.images.insert(image_key(&image), bad);
            scenario.name = format!("{}-{}", service.name, mode.word());
        }
        scenario.question = String::new();
        scenario.environment.clear();
        scenario.files = [
            ("before.yml".to_string(), self.old.written()),
            ("after.yml".to_string(), new.written()),
        ]
        .into();
        let mut old = self.services.iter().filter_map(|service| service.old.as_ref());
        // A job does not converge, nor does a stack of which nothing runs yet.
        let settles = old.clone().next().is_none() || old.any(|spec| spec.mode.is_job());
        let up = if settles { Wait::Settled(REST) } else { Wait::Converged };
        let wait = |until| Step::new(Action::Wait { until, service: None });
        let deploy = |file: &str, flags: &str| {
            let stack = shell_words::quote(&self.stack);
            Step::docker(&format!("docker stack deploy -c {file} {flags} {stack}"))
        };
        scenario.script = vec![
            deploy("before.yml", "--detach"),
            wait(up),
            wait(Wait::For(self.rest())),
            Step { label: Some("deploy".into()), ..deploy("after.yml", "--detach=false") },
            wait(if self.services.is_empty() { Wait::Settled(REST) } else { Wait::UpdateDone }),
            wait(Wait::For(look_on)),
        ];
        let whole = |traffic: &Traffic| Traffic { from: None, until: None, ..traffic.clone() };
        scenario.traffic = self.world.traffic.iter().map(whole).collect();
        scenario.faults.clear();
        scenario.expect.clear();
        scenario.limits.time = self.longest(&scenario).plus(look_on);
        Arc::new(scenario)
    }

    /// From the convergence of the old stack to the deploy: without a health check a task runs
    /// before it serves, and what runs is to serve before it is replaced.
    fn rest(&self) -> Span {
        let boots = self.old.images().map(|(_, image)| self.world.image(image).serves_after);
        let slowest = boots.max().unwrap_or_default();
        REST.max(slowest.plus(Span::from_secs(1)))
    }

    /// The image of a failing version, and how it behaves.
    fn failing(&self, service: &Service, spec: &ServiceSpec, mode: Mode) -> (String, Image) {
        let written = self.new.images().find(|(key, _)| *key == service.key);
        let image = written.map_or(spec.task.container.image.as_str(), |(_, image)| image);
        let usual = self.world.image(image);
        let bad = with_other_tag(image, |tag| format!("{tag}-bad"));
        (bad, mode.image(&usual))
    }

    /// The failing image of a service.
    pub fn bad_image(&self, place: usize) -> Option<String> {
        let service = self.services.get(place)?;
        let (image, _) = self.failing(service, service.new.as_ref()?, Mode::ImageMissing);
        Some(image_key(&image))
    }

    /// Longer than any rollout of these stacks that is not stuck, with its rollback: the time that
    /// every slot needs, one batch after the other and one service after the other, three times,
    /// for the first deploy, the update and the rollback; and ten minutes.
    fn longest(&self, scenario: &Scenario) -> Span {
        let nodes = scenario.cluster.nodes.len() as u64;
        let specs = self.services.iter().flat_map(|service| service.old.iter().chain(&service.new));
        let each = specs.map(|spec| {
            let slots = match spec.mode {
                Amount::Replicated { replicas } => replicas,
                Amount::ReplicatedJob { total_completions, .. } => total_completions,
                Amount::Global | Amount::GlobalJob => nodes,
            };
            let configs = [spec.update, spec.rollback].map(|c| c.unwrap_or(UPDATE_CONFIG));
            let most = |config: &crate::swarmkit::spec::UpdateConfig| {
                let at_once = match config.parallelism {
                    0 => slots.max(1),
                    some => some,
                };
                let batches = slots.div_ceil(at_once) as i64;
                let monitor = config.monitor.unwrap_or(MONITOR);
                let slot = slot_takes(spec, scenario).plus(config.delay);
                slot.times(batches).plus(monitor).plus(config.delay)
            };
            configs.iter().map(most).max().unwrap_or_default()
        });
        let once = each.fold(Span::ZERO, Span::plus);
        once.times(3).plus(Span::from_secs(600))
    }
}

/// How long to look after the update has ended: until what comes later has come.
fn afterwards(spec: &ServiceSpec, image: &Image, mode: Mode) -> Span {
    let minute = Span::from_secs(60);
    let restart = spec.task.restart.and_then(|policy| policy.delay).unwrap_or_default();
    let looks = probing(spec, image).plus(stop_grace(spec.task.container.stop_grace_period));
    let later = match mode {
        Mode::SickAfter(span) => span.plus(image.serves_after).plus(looks),
        Mode::SlowStart(span) => span.plus(looks),
        Mode::NeverHealthy => looks,
        Mode::ImageMissing | Mode::ExitsAtOnce => Span::ZERO,
    };
    minute.plus(restart).plus(later)
}

/// Longer than a slot takes: the old task's end, at most the minute after which it is no longer
/// waited for; the new one's download, start and health checks; a few seconds of Swarm's own.
fn slot_takes(spec: &ServiceSpec, scenario: &Scenario) -> Span {
    let container = &spec.task.container;
    let stop = stop_grace(container.stop_grace_period).max(Span::from_secs(60));
    let names = [container.image.as_str()].map(image_key);
    let bad = with_other_tag(&names[0], |tag| format!("{tag}-bad"));
    let images = [scenario.image(&names[0]), scenario.image(&bad)];
    let own = images.iter().map(|image| {
        let latencies = [&image.latency, &scenario.cluster.latency];
        let nodes = scenario.cluster.nodes.iter().map(|node| &node.latency);
        let all = latencies.into_iter().chain(nodes);
        let slow = all.flat_map(|l| {
            [&l.pull, &l.prepare, &l.start, &l.start_each_other, &l.stop, &l.cleanup]
        });
        let slow = slow.flatten().map(largest).fold(Span::ZERO, Span::plus);
        // Whether it turns healthy or not, it is known by then.
        slow.plus(probing(spec, image))
    });
    stop.plus(own.max().unwrap_or_default()).plus(Span::from_secs(20))
}

fn largest(quantity: &Quantity) -> Span {
    quantity.at(u64::MAX)
}

/// Longer than health checks take to say healthy or unhealthy of a new task.
fn probing(spec: &ServiceSpec, image: &Image) -> Span {
    let none = HealthConfig::default();
    let own = spec.task.container.healthcheck.as_ref();
    let inherited = image.healthcheck.as_ref().unwrap_or(&none);
    let check = own.unwrap_or(inherited);
    if check.is_none() || own.is_none() && image.healthcheck.is_none() {
        return Span::ZERO;
    }
    let given = |own: Span, image: Span, default: Span| match (own, image) {
        (Span::ZERO, Span::ZERO) => default,
        (Span::ZERO, image) => image,
        (own, _) => own,
    };
    let interval = given(check.interval, inherited.interval, health::INTERVAL);
    let timeout = given(check.timeout, inherited.timeout, health::TIMEOUT);
    let start = given(check.start_period, inherited.start_period, Span::ZERO);
    let retries = match (check.retries, inherited.retries) {
        (0, 0) => health::RETRIES,
        (0, retries) | (retries, _) => retries,
    };
    start.plus(interval.plus(timeout).times(retries.saturating_add(1)))
}

/// The specs of a file's services, with their keys.
fn specs(file: &ComposeFile, stack: &str) -> Result<Vec<(String, ServiceSpec)>, Refusal> {
    let plans = file.lower(stack, "after.yml").services?;
    Ok(plans.into_iter().map(|plan| (plan.key, plan.spec)).collect())
}

/// The file with an image of its own for each job, which ends by itself: a service of the same
/// image is to go on.
fn with_ending_jobs(
    file: &ComposeFile,
    stack: &str,
    world: &mut Scenario,
) -> Result<ComposeFile, Refusal> {
    let jobs: BTreeSet<String> = specs(file, stack)?
        .iter()
        .filter(|(_, spec)| spec.mode.is_job())
        .map(|(key, _)| key.clone())
        .collect();
    let mut images = BTreeMap::new();
    for (key, image) in file.images() {
        if jobs.contains(key) {
            let own = with_other_tag(image, |tag| format!("{tag}-job"));
            let usual = world.image(image);
            let exit = usual.exit.or(Some(Exit { after: JOB_TAKES, code: 0 }));
            world.images.insert(image_key(&own), Image { exit, ..usual });
            images.insert(key.to_string(), own);
        }
    }
    Ok(file.with_images(&images))
}

/// An image reference with a tag made from its own; its digest is dropped.
fn with_other_tag(image: &str, tag: impl Fn(&str) -> String) -> String {
    let Some(reference) = Reference::parse(image) else { return image.to_string() };
    let own = reference.tag.as_deref().unwrap_or("latest");
    // A tag has at most 128 characters.
    let short = own.get(..own.len().min(100)).unwrap_or("latest");
    let mut new = tag(short);
    if new == own {
        new = format!("before-{short}");
    }
    format!("{}:{new}", reference.name)
}
