//! Trying a setting: the stack file with it, staged as a plan stages it, and run.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::advise::key::Change;
use crate::advise::numbers::Numbers;
use crate::compose::Refusal;
use crate::compose::edit::Edit;
use crate::compose::run::Stack;
use crate::plan::forecast::{Room, run};
use crate::plan::mode::Mode;
use crate::plan::stage::{Base, Case, Deploy};
use crate::plan::watch::ServiceSeen;
use crate::scenario::Scenario;
use crate::swarmkit::spec::{Mode as Amount, ServiceSpec};
use crate::sweep::replicate::seed;

/// What settings are tried on.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The stack file.
    pub new: Stack,
    /// What runs now. If that is no other file, it has the setting too.
    pub base: Base,
    /// New images by key of their service.
    pub images: BTreeMap<String, String>,
    /// Keys of the services whose settings they are.
    pub services: Vec<String>,
    /// The ways to fail that count.
    pub modes: Vec<Mode>,
    /// Seed of the first run.
    pub seed: u64,
}

impl Ground {
    /// The stack file with changes.
    pub fn changed(&self, changes: &[Change]) -> Stack {
        let mut file = self.new.file.clone();
        for (place, service) in self.services.iter().enumerate() {
            let own = changes.iter().filter(|change| change.service == place);
            let edits: Vec<Edit> = own.map(Change::edit).collect();
            file = file.with_keys(service, &edits);
        }
        Stack { file, ..self.new.clone() }
    }

    /// The cases of a setting.
    ///
    /// # Errors
    /// Docker would not take the file.
    pub fn staged(&self, changes: &[Change]) -> Result<Staged, Refusal> {
        let deploy = Deploy::new(self.changed(changes), self.base.clone(), &self.images)?;
        let place = |key: &String| deploy.services.iter().position(|service| service.key == *key);
        let places: Vec<usize> = self.services.iter().filter_map(place).collect();
        let staged = |case| (case, deploy.scenario(case));
        let bad = |place: &usize| {
            let modes = self.modes.iter().filter(|mode| deploy.can_fail(*place, **mode));
            modes.map(|mode| (*mode, staged(Case::Bad(*place, *mode)))).collect()
        };
        let (good, bad) = (staged(Case::Good), places.iter().map(bad).collect());
        Ok(Staged { deploy, places, good, bad })
    }

    /// The numbers of a setting, by service, with the seeds from `from` to before `to`, on this
    /// thread. A file that Docker does not take rolls nothing out.
    pub fn numbers(&self, changes: &[Change], from: usize, to: usize) -> Vec<Vec<Numbers>> {
        let runs = match self.staged(changes) {
            Ok(staged) => {
                let mut room = Room::default();
                (from..to).map(|number| staged.numbers(&mut room, self.seed, number)).collect()
            }
            Err(_) => vec![self.nothing(); to - from],
        };
        self.by_service(runs)
    }

    /// The same on all threads; the result does not depend on these.
    pub fn numbers_shared(&self, changes: &[Change], from: usize, to: usize) -> Vec<Vec<Numbers>> {
        let runs = match self.staged(changes) {
            Ok(staged) => {
                let numbers = (from..to).into_par_iter();
                let one = |room: &mut Room, number| staged.numbers(room, self.seed, number);
                numbers.map_init(Room::default, one).collect()
            }
            Err(_) => vec![self.nothing(); to - from],
        };
        self.by_service(runs)
    }

    fn nothing(&self) -> Vec<Numbers> {
        vec![Numbers::default(); self.services.len()]
    }

    fn by_service(&self, runs: Vec<Vec<Numbers>>) -> Vec<Vec<Numbers>> {
        let mut all = vec![Vec::with_capacity(runs.len()); self.services.len()];
        for run in runs {
            all.iter_mut().zip(run).for_each(|(of, numbers)| of.push(numbers));
        }
        all
    }
}

/// The cases of a setting, ready to be run.
#[derive(Debug)]
pub struct Staged {
    deploy: Deploy,
    /// The services.
    places: Vec<usize>,
    good: StagedCase,
    /// By service: the ways to fail in which its new version may, the others being good.
    bad: Vec<Vec<(Mode, StagedCase)>>,
}

/// A case and its scenario.
type StagedCase = (Case, Arc<Scenario>);

impl Staged {
    /// The numbers of each service with a seed. If the good version of one is not rolled out,
    /// those that fail are not looked at, and nothing counts.
    fn numbers(&self, room: &mut Room, first: u64, number: usize) -> Vec<Numbers> {
        let seed = seed(first, number as u64).0;
        let mut seen = |(case, scenario): &StagedCase| {
            run(room, &self.deploy, *case, scenario, seed).0.services
        };
        let mut good = seen(&self.good);
        let good = self.places.iter().map(|place| {
            let service = &self.deploy.services[*place];
            let good = good.remove(service.name.as_str()).unwrap_or_default();
            let steady = |spec: &ServiceSpec| match spec.mode {
                Amount::Replicated { replicas } => replicas as i64,
                _ => good.want as i64,
            };
            let steady = service.old.iter().chain(&service.new).map(steady).max().unwrap_or(0);
            (good, steady)
        });
        let good: Vec<(ServiceSeen, i64)> = good.collect();
        if good.iter().any(|(good, steady)| !Numbers::of(good, &[], *steady).is_rolled_out) {
            return vec![Numbers::default(); self.places.len()];
        }
        let of = |((place, (good, steady)), bad): ((&usize, &(ServiceSeen, i64)), &Vec<_>)| {
            let name = self.deploy.services[*place].name.as_str();
            let bad = bad.iter().map(|(mode, staged)| (*mode, seen(staged).remove(name)));
            Numbers::of(good, &bad.collect::<Vec<_>>(), *steady)
        };
        self.places.iter().zip(&good).zip(&self.bad).map(of).collect()
    }
}
