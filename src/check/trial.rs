//! Runs that may show harm: what is done with services once they are there.

use std::sync::Arc;

use crate::base::time::Span;
use crate::check::measured::Run;
use crate::check::source::Source;
use crate::check::subject::{Service, Subject};
use crate::compose::edit::Edit;
use crate::docker::behaviour::Image;
use crate::expect::evaluate;
use crate::scenario::model::{Cluster, Limits, image_key};
use crate::scenario::syntax::{Entry, Tree, Value, parse};
use crate::scenario::{Scenario, lower};
use crate::swarmkit::spec::HealthConfig;
use crate::timeline::ends::{Footer, Stop};
use crate::timeline::record::Record;

/// A run goes on that long: a grace period of hours is no reason to give up.
const LONGEST: Span = Span::from_secs(6 * 3600);

/// A run with more events than that shows nothing: there are many runs, and each of them should be
/// done in a few seconds. An update of a thousand replicas has a tenth of them.
const MOST_EVENTS: u64 = 5_000_000;

/// The same for tasks: the largest services that were seen have some thousands.
const MOST_TASKS: u64 = 100_000;

/// What is seen in a run that shows harm, in a few lines; nothing if it shows none.
pub(super) type Look = Box<dyn Fn(&Run<'_>) -> Option<Vec<String>>>;

/// A run that may show harm.
pub(super) struct Trial {
    /// What happens in it, in a few words.
    pub(super) what: String,
    /// Images besides those of the scenario.
    pub(super) images: Vec<(String, Image)>,
    /// Another cluster than the scenario's.
    pub(super) cluster: Option<Cluster>,
    /// Whether the service has come up before the steps are done.
    pub(super) converged: bool,
    /// The steps, as they stand in a scenario. The first with a label is the one that is asked
    /// about.
    pub(super) steps: String,
    /// Other keys: what goes wrong, requests, and the harm as expectations.
    pub(super) keys: String,
    /// The harm, as far as it is not in the expectations.
    pub(super) look: Look,
}

impl Trial {
    /// The service is up, and then `steps` are done; `expect` are claims, one a line.
    pub(super) fn after(what: impl Into<String>, steps: String, expect: &str) -> Trial {
        Trial {
            what: what.into(),
            images: Vec::new(),
            cluster: None,
            converged: true,
            steps,
            keys: format!("expect:\n{expect}"),
            look: Box::new(|run| Some(vec![run.outcome()])),
        }
    }

    /// An update to another image, watched for a time; the step is called `update`.
    pub(super) fn release(
        service: &Service<'_>,
        what: impl Into<String>,
        image: Image,
        watched: Span,
        expect: &str,
    ) -> Trial {
        let (next, name) = (service.next_image(), service.name());
        let steps = format!(
            "- {{as: update, run: \"docker service update --detach --image {next} {name}\"}}\n\
             - {{as: end, wait: {watched}}}\n"
        );
        let mut trial = Trial::after(what, steps, expect);
        trial.images.push((image_key(&next), image));
        trial
    }

    /// An update that changes nothing, watched for a time; the step is called `update`.
    pub(super) fn rollout(
        service: &Service<'_>,
        what: impl Into<String>,
        watched: Span,
        expect: &str,
    ) -> Trial {
        let name = service.name();
        let steps = format!(
            "- {{as: update, run: \"docker service update --detach --force {name}\"}}\n\
             - {{as: end, wait: {watched}}}\n"
        );
        Trial::after(what, steps, expect)
    }

    /// The same with the service's own image behaving in another way.
    pub(super) fn own_image(mut self, service: &Service<'_>, image: Image) -> Trial {
        self.images.push((image_key(&service.plan.image), image));
        self
    }

    /// The same, seen in another way.
    pub(super) fn look(
        mut self,
        look: impl Fn(&Run<'_>) -> Option<Vec<String>> + 'static,
    ) -> Trial {
        self.look = Box::new(look);
        self
    }

    /// The same with further keys of a scenario.
    pub(super) fn keys(mut self, keys: &str) -> Trial {
        self.keys.push_str(keys);
        self
    }

    /// The scenario of the run, with services from `source`.
    pub(super) fn scenario(
        &self,
        service: &Service<'_>,
        source: &Source,
        title: &str,
        remedy: Option<&Remedy>,
    ) -> Option<Arc<Scenario>> {
        let subject = service.subject;
        let name = service.name();
        let up = format!("- {{wait: {{until: converged, service: {name}}}}}\n");
        let steps = if self.converged { up + &self.steps } else { self.steps.clone() };
        let mut scenario =
            Arc::unwrap_or_clone(base(subject, source, title, &self.what, &steps, &self.keys)?);
        scenario.images.extend(self.images.iter().cloned());
        if let Some(cluster) = &self.cluster {
            scenario.cluster.clone_from(cluster);
        }
        if let Some(other) = remedy.and_then(|remedy| remedy.software.as_ref()) {
            let own = image_key(&service.plan.image);
            for name in self.images.iter().map(|(name, _)| name).chain([&own]) {
                let mut image = scenario.image(name);
                other(&mut image);
                scenario.images.insert(name.clone(), image);
            }
        }
        Some(Arc::new(scenario))
    }

    /// What is seen of the harm, if there is any.
    pub(super) fn harm(
        &self,
        scenario: &Scenario,
        records: &[Record],
        footer: &Footer,
        run: &Run<'_>,
    ) -> Option<Vec<String>> {
        let verdicts = evaluate(scenario, records, footer, &[]);
        if is_stuck(footer) || !verdicts.iter().all(crate::expect::Verdict::holds) {
            return None;
        }
        (self.look)(run)
    }
}

/// Whether a run did not come to its end.
pub(super) fn is_stuck(footer: &Footer) -> bool {
    matches!(footer.stop, Stop::Stuck(_) | Stop::Limit(_))
}

/// Makes software another.
pub(super) type Other = Box<dyn Fn(&mut Image)>;

/// What may take a harm away.
pub(super) struct Remedy {
    /// In words.
    pub(super) words: String,
    /// As changes of the file; none = in words only.
    pub(super) edits: Vec<Edit>,
    /// What becomes another thing outside of the file: in the image, or on the nodes.
    pub(super) software: Option<Other>,
    /// A health check whose test only its author can know: the run has one that asks the image.
    pub(super) check: Option<HealthConfig>,
}

impl Remedy {
    /// One key of the service, and its value.
    pub(super) fn set(path: &'static [&'static str], value: impl Into<String>) -> Remedy {
        Remedy::sets([(path, value.into())])
    }

    /// Several keys.
    pub(super) fn sets(
        edits: impl IntoIterator<Item = (&'static [&'static str], String)>,
    ) -> Remedy {
        let edits: Vec<Edit> =
            edits.into_iter().map(|(path, value)| Edit { path, value }).collect();
        let words: Vec<String> =
            edits.iter().map(|edit| format!("{}: {}", edit.path.join("."), edit.value)).collect();
        Remedy { words: words.join(", "), edits, software: None, check: None }
    }

    /// Something that no key of the file says.
    pub(super) fn words(words: impl Into<String>) -> Remedy {
        Remedy { words: words.into(), edits: Vec::new(), software: None, check: None }
    }

    /// The same, told in other words and with a change outside of the file.
    pub(super) fn software(
        self,
        words: impl Into<String>,
        other: impl Fn(&mut Image) + 'static,
    ) -> Remedy {
        Remedy { words: words.into(), software: Some(Box::new(other)), ..self }
    }

    /// The same, told in other words and with a health check.
    pub(super) fn checked(self, words: impl Into<String>, check: HealthConfig) -> Remedy {
        Remedy { words: words.into(), check: Some(check), ..self }
    }

    /// Whether the change is one of the file as a whole, and so can be told as a patch.
    pub(super) fn is_patch(&self) -> bool {
        !self.edits.is_empty() && self.software.is_none() && self.check.is_none()
    }

    /// The services after the change; nothing if it cannot be made.
    pub(super) fn made(&self, service: &Service<'_>) -> Option<Source> {
        let (source, key) = (&service.subject.source, &service.plan.key);
        let edited = match self.edits.as_slice() {
            // Nothing in the file changes, but the software does.
            [] if self.software.is_some() || self.check.is_some() => source.clone(),
            edits => source.edited(key, edits)?,
        };
        match &self.check {
            Some(check) => edited.checked(service.subject.scenario, key, check),
            None => Some(edited),
        }
    }
}

/// The subject's world with services from `source` and then `steps`. `keys` are further keys of a
/// scenario. Nothing if that is no scenario, which would be a mistake of ours.
pub(super) fn base(
    subject: &Subject<'_>,
    source: &Source,
    title: &str,
    question: &str,
    steps: &str,
    keys: &str,
) -> Option<Arc<Scenario>> {
    let mut world = subject.scenario.clone();
    world.name = title.to_string();
    world.question = question.to_string();
    source.put(&mut world);
    (world.script, world.traffic) = (Vec::new(), Vec::new());
    (world.faults, world.expect) = (Vec::new(), Vec::new());
    world.watch = Span::ZERO;
    world.limits = Limits {
        time: world.limits.time.max(LONGEST),
        events: world.limits.events.min(MOST_EVENTS),
        tasks: world.limits.tasks.min(MOST_TASKS),
        ..world.limits
    };
    // What crashes for ever would go on to the limit: the services are taken away in the end.
    let (begin, end) = (source.begin(), source.end());
    let own = parse(&format!("script:\n{begin}{steps}{end}{keys}"));
    let tree = own.ok().map(|own| joined(world.to_tree(), own));
    let scenario = tree.and_then(|tree| lower(&tree, "").ok());
    debug_assert!(scenario.is_some(), "{title}: not a scenario:\n{steps}{keys}");
    scenario.map(|scenario| Arc::new(scenario.without_places()))
}

/// The entries of both; where a key is in both, that of the second.
fn joined(world: Tree, own: Tree) -> Tree {
    let (Value::Map(mut entries), Value::Map(new)) = (world.value, own.value) else {
        return Tree { place: world.place, value: Value::Map(Vec::new()) };
    };
    entries.retain(|entry: &Entry| new.iter().all(|other| other.key != entry.key));
    entries.extend(new);
    Tree { place: world.place, value: Value::Map(entries) }
}
