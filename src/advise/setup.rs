//! The grid of a service: steps or named values, as far as Docker takes them.

use std::collections::{BTreeMap, BTreeSet};

use crate::advise::grid::{Axis, Grid, Part};
use crate::advise::key::{Change, Key, Value};
use crate::advise::steps::Today;
use crate::advise::trial::Ground;
use crate::compose::{Surroundings, read};
use crate::docker::behaviour::Image;
use crate::plan::mode::Mode;
use crate::plan::stage::Base;
use crate::scenario::model::image_key;
use crate::swarmkit::spec::{FailureAction, Mode as Amount, ServiceSpec};

/// The most values that are named for a key.
const MOST_VALUES: usize = 100;

/// What is asked of the grid.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    /// Values in place of the usual steps.
    pub named: BTreeMap<Key, Vec<Value>>,
    /// The keys that are searched, if not all of them are.
    pub only: Option<BTreeSet<Key>>,
    /// Whether those of rollbacks are, too, where nobody names keys.
    pub rollbacks: bool,
}

impl Wish {
    /// Reads `KEY=VALUE,VALUE…` and `KEY,KEY…`.
    ///
    /// # Errors
    /// Every mistake.
    pub fn parse(vary: &[String], only: &[String]) -> Result<Wish, Vec<String>> {
        let (mut wish, mut wrong) = (Wish::default(), Vec::new());
        for text in vary {
            match axis(text) {
                Ok((key, values)) => {
                    if wish.named.insert(key, values).is_some() {
                        wrong.push(format!("--vary {text}: {} is varied twice", key.word()));
                    }
                }
                Err(why) => wrong.push(format!("--vary {text}: {why}")),
            }
        }
        for word in only {
            match Key::named(word) {
                Some(key) => drop(wish.only.get_or_insert_default().insert(key)),
                None => wrong.push(format!("--only {word}: {}", unknown(word))),
            }
        }
        if let Some(only) = &wish.only {
            for key in wish.named.keys().filter(|key| !only.contains(key)) {
                let key = key.word();
                wrong.push(format!("--vary {key}: --only leaves {key} out"));
            }
        }
        if wrong.is_empty() { Ok(wish) } else { Err(wrong) }
    }

    fn has(&self, key: Key) -> bool {
        let usual = !key.is_rollback() || self.rollbacks || self.named.contains_key(&key);
        self.only.as_ref().map_or(usual, |only| only.contains(&key))
    }
}

fn unknown(word: &str) -> String {
    let known = Key::ALL.map(Key::word);
    let near = crate::scenario::problem::nearest(word, known);
    let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
    format!("there is no such key; {near}the keys are {}", known.join(", "))
}

fn axis(text: &str) -> Result<(Key, Vec<Value>), String> {
    let (word, values) = text.split_once('=').ok_or("KEY=VALUE,VALUE… was expected")?;
    let key = Key::named(word.trim()).ok_or_else(|| unknown(word.trim()))?;
    let read = |text: &str| {
        let text = text.trim();
        key.read(text).map_err(|why| format!("{} {why}, and `{text}` is not", key.word()))
    };
    let values: Vec<Value> = values.split(',').map(read).collect::<Result<_, String>>()?;
    if values.len() > MOST_VALUES {
        return Err(format!("{} values, more than {MOST_VALUES}", values.len()));
    }
    Ok((key, values))
}

/// The axes of a service.
struct OfService {
    place: usize,
    axes: Vec<Axis>,
    notes: Vec<String>,
    wrong: Vec<String>,
}

impl Ground {
    /// How an image behaves: the new file says it, or the old one.
    fn image(&self, reference: &str) -> Image {
        let (new, key) = (&self.new.scenario.images, image_key(reference));
        let old = match &self.base {
            Base::Other(old) => old.scenario.images.get(&key),
            Base::Previous | Base::SameFile => None,
        };
        new.get(&key).or(old).cloned().unwrap_or_default()
    }

    /// The grid of the services, whose specs are given in their order, and what has to be known of
    /// it.
    ///
    /// # Errors
    /// Every value that was named and that Docker does not take, or that has no meaning.
    pub fn grid(
        &self,
        specs: &[&ServiceSpec],
        wish: &Wish,
    ) -> Result<(Grid, Vec<String>), Vec<String>> {
        let mut grid = Grid { axes: Vec::new(), services: Vec::new() };
        let (mut notes, mut wrong) = (Vec::new(), Vec::new());
        for (place, (spec, key)) in specs.iter().zip(&self.services).enumerate() {
            let mut part =
                OfService { place, axes: Vec::new(), notes: Vec::new(), wrong: Vec::new() };
            let slots = self.axes(spec, wish, &mut part);
            grid.services.push(Part { key: key.clone(), slots });
            grid.axes.extend(part.axes.into_iter().filter(|axis| !axis.others.is_empty()));
            notes.extend(part.notes);
            wrong.extend(part.wrong);
        }
        if wrong.is_empty() { Ok((grid, notes)) } else { Err(wrong) }
    }

    /// The axes of one service; how many replicas it has.
    fn axes(&self, spec: &ServiceSpec, wish: &Wish, part: &mut OfService) -> u64 {
        let service = &self.services[part.place];
        let image = self.image(&spec.task.container.image);
        let slots = match spec.mode {
            Amount::Replicated { replicas } => replicas,
            _ => self.new.scenario.cluster.nodes.len() as u64,
        };
        let sick = |mode: &Mode| if let Mode::SickAfter(span) = mode { Some(*span) } else { None };
        let sick_after = self.modes.iter().find_map(sick);
        let mut today = Today { spec, image: &image, slots, sick_after, rolls_back: false };
        let back = Value::Action(FailureAction::Rollback);
        today.rolls_back = today.own(Key::FailureAction) == Some(back);
        for key in Key::ALL.into_iter().filter(|key| wish.has(*key)) {
            let named = wish.named.get(&key);
            let Some(mut axis) = today.axis(key, named.map(Vec::as_slice)) else {
                if named.is_some() {
                    let why =
                        if key.is_health() { "has no health check" } else { "rolls nothing back" };
                    part.wrong.push(format!("--vary {}: {service} {why}", key.word()));
                }
                continue;
            };
            axis.service = part.place;
            let refused = self.refused(&mut axis);
            match (refused, named) {
                (Some(why), Some(_)) => part.wrong.push(format!("--vary {}: {why}", key.word())),
                (Some(why), None) => {
                    let of = self.several(service);
                    part.notes.push(format!("{of}{} is left out: {why}", key.word()));
                }
                (None, _) => {}
            }
            today.rolls_back |= key == Key::FailureAction && axis.others.contains(&back);
            part.axes.push(axis);
        }
        if today.healthcheck().is_none() {
            part.notes.push(format!(
                "{service} has no health check: a version that runs and does not serve is not seen"
            ));
        }
        slots.max(1)
    }

    /// The service's name where there are several.
    fn several(&self, service: &str) -> String {
        if self.services.len() > 1 { format!("{service}: ") } else { String::new() }
    }

    /// Takes the values out that Docker does not take, and says why it does not take the last.
    fn refused(&self, axis: &mut Axis) -> Option<String> {
        let mut why = None;
        let (service, key, from) = (axis.service, axis.key, axis.own);
        axis.others.retain(|to| {
            let refusal = self.refusal(&[Change { service, key, from, to: *to }]);
            let fits = refusal.is_none();
            why = refusal.or(why.take());
            fits
        });
        why
    }

    /// Why Docker does not take the file with changes.
    fn refusal(&self, changes: &[Change]) -> Option<String> {
        let text = self.changed(changes).file.written();
        let (environment, files) = (BTreeMap::new(), BTreeMap::new());
        let path = "stack.yml";
        let around = Surroundings { environment: &environment, files: &files, path };
        let file = match read(&text, around) {
            Ok(file) => file,
            Err(refusal) => return Some(refusal.docker),
        };
        match file.lower(&self.new.name, path).services {
            Ok(plans) => plans.into_iter().find_map(|plan| plan.refused),
            Err(refusal) => Some(refusal.docker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(vary: &[&str], only: &[&str]) -> Result<Wish, Vec<String>> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_string()).collect();
        let (vary, only): (Vec<String>, Vec<String>) = (owned(vary), owned(only));
        Wish::parse(&vary, &only)
    }

    #[test]
    fn wishes_are_read() {
        let wish = parse(&["parallelism=1,2", "healthcheck.interval=5s"], &[]).unwrap();
        assert_eq!(wish.named[&Key::Parallelism], [Value::Count(1), Value::Count(2)]);
        assert!(wish.named.contains_key(&Key::Interval) && wish.has(Key::Order));
        let wish = parse(&[], &["order", "delay"]).unwrap();
        assert!(wish.has(Key::Order) && wish.has(Key::Delay) && !wish.has(Key::Monitor));
        // How a rollback goes is searched if it is named, or if a goal is about it.
        let wish = parse(&["rollback_order=start-first"], &[]).unwrap();
        assert!(wish.has(Key::RollbackOrder) && !wish.has(Key::RollbackDelay));
        assert!(Wish { rollbacks: true, ..wish }.has(Key::RollbackDelay));
    }

    #[test]
    fn values_are_counted() {
        let many = |count: usize| {
            let values: Vec<String> = (1..=count).map(|value| format!("{value}s")).collect();
            parse(&[&format!("delay={}", values.join(","))], &[])
        };
        assert_eq!(many(100).unwrap().named[&Key::Delay].len(), 100);
        assert!(many(101).unwrap_err()[0].ends_with(": 101 values, more than 100"));
    }

    #[test]
    fn every_mistake_in_them_is_told() {
        let vary = ["paralelism=1", "delay", "delay=x", "order=stop-first", "order=start-first"];
        let wrong = parse(&vary, &["monitr", "delay"]).unwrap_err();
        let keys = "the keys are parallelism, delay, monitor, order, failure_action, \
                    max_failure_ratio, interval, timeout, retries, start_period, \
                    rollback_parallelism, rollback_delay, rollback_monitor, rollback_order, \
                    rollback_failure_action";
        assert_eq!(
            wrong,
            [
                format!(
                    "--vary paralelism=1: there is no such key; did you mean parallelism? {keys}"
                ),
                "--vary delay: KEY=VALUE,VALUE… was expected".to_string(),
                "--vary delay=x: delay is a time from 0s to 24h, such as 30s, and `x` is not"
                    .to_string(),
                "--vary order=start-first: order is varied twice".to_string(),
                format!("--only monitr: there is no such key; did you mean monitor? {keys}"),
                "--vary order: --only leaves order out".to_string(),
            ]
        );
    }
}
