//! Trying a setting: the stack file with it, staged as a plan stages it, and run.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::advise::key::Change;
use crate::advise::numbers::Numbers;
use crate::compose::Refusal;
use crate::compose::edit::Edit;
use crate::compose::run::Stack;
use crate::plan::forecast::run;
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
    /// Key of the service whose settings they are.
    pub service: String,
    /// The ways to fail that count.
    pub modes: Vec<Mode>,
    /// Seed of the first run.
    pub seed: u64,
}

impl Ground {
    /// The stack file with changes.
    pub fn changed(&self, changes: &[Change]) -> Stack {
        let edits: Vec<Edit> = changes.iter().map(Change::edit).collect();
        let file = self.new.file.with_keys(&self.service, &edits);
        Stack { file, ..self.new.clone() }
    }

    /// The cases of a setting.
    ///
    /// # Errors
    /// Docker would not take the file.
    pub fn staged(&self, changes: &[Change]) -> Result<Staged, Refusal> {
        let deploy = Deploy::new(self.changed(changes), self.base.clone(), &self.images)?;
        let place = deploy.services.iter().position(|service| service.key == self.service);
        let place = place.unwrap_or_default();
        let modes = self.modes.iter().filter(|mode| deploy.can_fail(place, **mode));
        let bad = modes.map(|mode| Case::Bad(place, *mode));
        let cases = std::iter::once(Case::Good).chain(bad);
        let cases = cases.map(|case| (case, deploy.scenario(case))).collect();
        Ok(Staged { deploy, place, cases })
    }

    /// The numbers of a setting with the seeds from `from` to before `to`, on this thread. A file
    /// that Docker does not take rolls nothing out.
    pub fn numbers(&self, changes: &[Change], from: usize, to: usize) -> Vec<Numbers> {
        match self.staged(changes) {
            Ok(staged) => (from..to).map(|number| staged.numbers(self.seed, number)).collect(),
            Err(_) => vec![Numbers::default(); to - from],
        }
    }

    /// The same on all threads; the result does not depend on these.
    pub fn numbers_shared(&self, changes: &[Change], from: usize, to: usize) -> Vec<Numbers> {
        match self.staged(changes) {
            Ok(staged) => {
                let numbers = (from..to).into_par_iter();
                numbers.map(|number| staged.numbers(self.seed, number)).collect()
            }
            Err(_) => vec![Numbers::default(); to - from],
        }
    }
}

/// The cases of a setting, ready to be run.
#[derive(Debug)]
pub struct Staged {
    deploy: Deploy,
    place: usize,
    /// The good one is the first.
    cases: Vec<(Case, Arc<Scenario>)>,
}

impl Staged {
    /// The numbers with a seed. If even the good version is not rolled out, those that fail are
    /// not looked at.
    fn numbers(&self, first: u64, number: usize) -> Numbers {
        let seed = seed(first, number as u64).0;
        let service = &self.deploy.services[self.place];
        let of = |(case, scenario): &(Case, Arc<Scenario>)| -> Option<ServiceSeen> {
            let mut seen = run(&self.deploy, *case, scenario, seed).0;
            seen.services.remove(service.name.as_str())
        };
        let good = self.cases.first().and_then(of).unwrap_or_default();
        let steady = |spec: &ServiceSpec| match spec.mode {
            Amount::Replicated { replicas } => replicas as i64,
            _ => good.want as i64,
        };
        let steady = service.old.iter().chain(&service.new).map(steady).max().unwrap_or(0);
        let numbers = Numbers::of(&good, &[], steady);
        if !numbers.is_rolled_out {
            return Numbers::default();
        }
        let bad = self.cases.iter().filter_map(|staged| match staged.0 {
            Case::Good => None,
            Case::Bad(_, mode) => Some((mode, of(staged))),
        });
        Numbers::of(&good, &bad.collect::<Vec<_>>(), steady)
    }
}
