//! The mistakes of a stack file: all of them with their places, and the one that Docker tells.

use crate::scenario::problem::{Place, Problem, Problems};

/// How far Docker gets before it sees a mistake (cli surface 5.1). It stops at the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Phase {
    /// Reading YAML.
    Yaml,
    /// Keys that may not be there at all.
    Forbidden,
    /// Putting variables in.
    Interpolation,
    /// Looking for the schema of the version.
    Version,
    /// The schema of the file's version.
    Schema,
    /// Reading the values.
    Load,
    /// Looking at the images.
    Image,
    /// Making specs of services, after networks, secrets and configs were created.
    Convert,
}

/// More are not kept: nobody reads them.
const MOST: usize = 1000;

#[derive(Clone, PartialEq, Eq, Debug)]
struct Mistake {
    phase: Phase,
    /// Parts of its path: of mistakes of the schema, Docker tells the deepest.
    depth: usize,
    /// Among those, one of a wrong type.
    wrong_type: bool,
    problem: Problem,
}

/// Mistakes in the order in which they were found. The message of each is Docker's own text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mistakes {
    list: Vec<Mistake>,
}

impl Mistakes {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether no more are kept: then nothing has to be looked for any longer.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= MOST
    }

    /// Whether there is one of that phase at that place.
    pub(crate) fn is_at(&self, phase: Phase, place: Place) -> bool {
        self.list.iter().any(|mistake| mistake.phase == phase && mistake.problem.place == place)
    }

    /// Adds others behind.
    pub(crate) fn append(&mut self, others: Mistakes) {
        self.list.extend(others.list);
        self.list.truncate(MOST);
    }

    /// Notes one. `path` is the dotted path of a mistake of the schema, else empty.
    pub(crate) fn note(
        &mut self,
        phase: Phase,
        path: &str,
        place: Place,
        what: &str,
        text: &str,
        hint: Option<String>,
    ) {
        if !self.is_full() {
            let problem = Problem { hint, ..Problem::new(place, what, text) };
            let depth = path.split('.').count();
            let wrong_type = text[path.len().min(text.len())..].starts_with(" must be a ");
            self.list.push(Mistake { phase, depth, wrong_type, problem });
        }
    }

    /// All, sorted by place.
    pub(crate) fn problems(&self) -> Problems {
        Problems::sorted(self.list.iter().map(|mistake| mistake.problem.clone()).collect())
    }

    /// What Docker prints, without the newline at the end; nothing if there are no mistakes.
    pub(crate) fn docker(&self) -> Option<String> {
        let phase = self.list.iter().map(|mistake| mistake.phase).min()?;
        let mut of_phase = self.list.iter().filter(|mistake| mistake.phase == phase);
        if phase == Phase::Forbidden {
            let mut texts: Vec<&str> = of_phase.map(|m| m.problem.message.as_str()).collect();
            texts.sort_unstable();
            texts.dedup();
            let texts = texts.join("\n\n");
            return Some(format!("compose file contains unsupported options:\n\n{texts}\n"));
        }
        let mut told = of_phase.next()?;
        if phase == Phase::Schema {
            // Upstream: docker cli `cli/compose/schema/schema.go` `getMostSpecificError`.
            for mistake in of_phase {
                if mistake.depth > told.depth
                    || mistake.depth == told.depth && mistake.wrong_type && !told.wrong_type
                {
                    told = mistake;
                }
            }
        }
        Some(told.problem.message.clone())
    }
}
