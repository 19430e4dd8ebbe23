//! The grid: the values of each key that are combined, the file's own among them.

use crate::advise::key::{Change, Key, Value};

/// A key with the values that are tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    /// The service, by its place in [`Grid::services`].
    pub service: usize,
    /// The key.
    pub key: Key,
    /// What holds today, defaults filled in.
    pub own: Value,
    /// The other values.
    pub others: Vec<Value>,
}

/// A service whose settings are searched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its key in the file.
    pub key: String,
    /// Its replicas: what "all at once" is.
    pub slots: u64,
}

/// All axes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grid {
    /// By service and key; those without another value are left out.
    pub axes: Vec<Axis>,
    /// The services, searched together.
    pub services: Vec<Part>,
}

/// Which value of each axis: 0 is the file's own.
pub type Setting = Vec<u8>;

/// What a setting costs: fewer changed keys are cheaper, then less relative change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cost {
    /// Changed keys.
    pub keys: usize,
    /// The sum of [`Value::distance`].
    pub change: u64,
}

impl Grid {
    /// The file as it stands.
    pub fn today(&self) -> Setting {
        vec![0; self.axes.len()]
    }

    /// How many settings there are, the file's own included.
    pub fn size(&self) -> u64 {
        let values = self.axes.iter().map(|axis| axis.others.len() as u64 + 1);
        values.fold(1, u64::saturating_mul)
    }

    /// How many settings change that many keys, for each number of keys.
    pub fn levels(&self) -> Vec<u64> {
        let mut counts = vec![0_u64; self.axes.len() + 1];
        counts[0] = 1;
        for axis in &self.axes {
            for keys in (1..counts.len()).rev() {
                let more = counts[keys - 1].saturating_mul(axis.others.len() as u64);
                counts[keys] = counts[keys].saturating_add(more);
            }
        }
        counts
    }

    /// The settings that change that many keys, in order.
    pub fn level(&self, keys: usize) -> Vec<Setting> {
        let mut all = Vec::new();
        self.descend(&mut self.today(), 0, keys, &mut all);
        all
    }

    fn descend(&self, setting: &mut Setting, from: usize, keys: usize, all: &mut Vec<Setting>) {
        if keys == 0 {
            all.push(setting.clone());
            return;
        }
        for at in from..=self.axes.len().saturating_sub(keys) {
            for choice in 1..=self.axes[at].others.len() {
                setting[at] = choice as u8;
                self.descend(setting, at + 1, keys - 1, all);
            }
            setting[at] = 0;
        }
    }

    /// The settings that change one key more, in order.
    pub fn further<'g>(&'g self, setting: &'g Setting) -> impl Iterator<Item = Setting> + 'g {
        let unchanged = (0..self.axes.len()).filter(|at| setting[*at] == 0);
        unchanged.flat_map(move |at| {
            (1..=self.axes[at].others.len()).map(move |choice| {
                let mut further = setting.clone();
                further[at] = choice as u8;
                further
            })
        })
    }

    /// What a setting changes.
    pub fn changes(&self, setting: &Setting) -> Vec<Change> {
        let changed = self.axes.iter().zip(setting).filter(|(_, choice)| **choice > 0);
        changed
            .map(|(axis, choice)| Change {
                service: axis.service,
                key: axis.key,
                from: axis.own,
                to: axis.others[usize::from(*choice) - 1],
            })
            .collect()
    }

    /// What a setting costs.
    pub fn cost(&self, setting: &Setting) -> Cost {
        let changes = self.changes(setting);
        let far =
            |change: &Change| change.from.distance(change.to, self.services[change.service].slots);
        Cost { keys: changes.len(), change: changes.iter().map(far).sum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    fn grid() -> Grid {
        let time = |seconds| Value::Time(Span::from_secs(seconds));
        let axis =
            |key, own, others: &[Value]| Axis { service: 0, key, own, others: others.to_vec() };
        Grid {
            axes: vec![
                axis(Key::Parallelism, Value::Count(1), &[Value::Count(2), Value::Count(0)]),
                axis(Key::Delay, time(10), &[time(20)]),
                axis(Key::Retries, Value::Count(3), &[Value::Count(2), Value::Count(1)]),
            ],
            services: parts(&[4]),
        }
    }

    fn parts(slots: &[u64]) -> Vec<Part> {
        slots.iter().map(|slots| Part { key: format!("of-{slots}"), slots: *slots }).collect()
    }

    /// Every setting is in exactly one level, and the levels are counted right.
    #[test]
    fn levels_make_the_whole_grid() {
        let grid = grid();
        assert_eq!((grid.size(), grid.levels()), (18, vec![1, 5, 8, 4]));
        let all: Vec<Setting> = (0..=3).flat_map(|keys| grid.level(keys)).collect();
        let sorted: std::collections::BTreeSet<&Setting> = all.iter().collect();
        assert_eq!((all.len(), sorted.len()), (18, 18));
        assert_eq!(all[..3], [vec![0, 0, 0], vec![1, 0, 0], vec![2, 0, 0]]);
        for keys in 0..=3 {
            assert!(grid.level(keys).iter().all(|setting| grid.cost(setting).keys == keys));
        }
        let further: Vec<Setting> = grid.further(&vec![0, 1, 0]).collect();
        assert_eq!(further, [[1, 1, 0], [2, 1, 0], [0, 1, 1], [0, 1, 2]].map(Vec::from));
    }

    /// The same change costs by the replicas of its service, and changes of several add up.
    #[test]
    fn several_services_make_one_grid() {
        let others = vec![Value::Count(0)];
        let axis = |service| Axis {
            service,
            key: Key::Parallelism,
            own: Value::Count(1),
            others: others.clone(),
        };
        let grid = Grid { axes: vec![axis(0), axis(1)], services: parts(&[4, 10]) };
        let cost = |setting: [u8; 2]| grid.cost(&setting.to_vec());
        assert_eq!(cost([1, 0]), Cost { keys: 1, change: 750 });
        assert_eq!(cost([0, 1]), Cost { keys: 1, change: 900 });
        assert_eq!(cost([1, 1]), Cost { keys: 2, change: 1_650 });
        let services: Vec<usize> =
            grid.changes(&vec![1, 1]).iter().map(|change| change.service).collect();
        assert_eq!(services, [0, 1]);
    }

    /// Fifteen keys of a hundred values each are more than can be counted.
    #[test]
    fn what_cannot_be_counted_is_the_most() {
        let others: Vec<Value> = (1..=100).map(Value::Count).collect();
        let axis = |key| Axis { service: 0, key, own: Value::Count(0), others: others.clone() };
        let grid = Grid { axes: Key::ALL.map(axis).into(), services: parts(&[4]) };
        assert_eq!((grid.size(), grid.levels()[15], grid.levels()[1]), (u64::MAX, u64::MAX, 1_500));
    }

    #[test]
    fn fewer_keys_are_cheaper_and_then_less_change() {
        let grid = grid();
        let cost = |setting: [u8; 3]| grid.cost(&setting.to_vec());
        assert_eq!(cost([1, 0, 0]), Cost { keys: 1, change: 500 });
        assert_eq!(cost([2, 0, 0]), Cost { keys: 1, change: 750 });
        assert_eq!(cost([0, 0, 1]), Cost { keys: 1, change: 333 });
        assert_eq!(cost([1, 1, 0]), Cost { keys: 2, change: 1_000 });
        assert!(cost([2, 0, 0]) < cost([0, 1, 1]) && cost([0, 0, 1]) < cost([1, 0, 0]));
    }
}
