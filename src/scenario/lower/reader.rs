//! Reads values from a tree and notes every mistake instead of stopping at the first.

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::scenario::problem::{Problem, choices, nearest, quoted};
use crate::scenario::syntax::{Entry, Tree, Value};

/// Longest time that can be written: a year. Longer ones are mistakes of the unit.
pub(crate) const LONGEST: Span = Span::from_secs(365 * 24 * 3600);

/// More mistakes than this are not noted: a hostile file has one at every byte.
const MAX_PROBLEMS: usize = 1000;

/// A misspelt name is compared with no more than this many known ones.
const MAX_KNOWN: usize = 200;

/// Where mistakes are noted.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) problems: Vec<Problem>,
}

/// The entries of a map, taken one by one by key. What is left over at the end is unknown.
pub(crate) struct Fields<'t> {
    of: &'static str,
    left: Vec<&'t Entry>,
    known: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    /// The value of a key. Each key that the language has is asked for, so that a misspelt one can
    /// be told what it is near to.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'t Tree> {
        self.known.push(key);
        let place = self.left.iter().position(|entry| entry.key == key)?;
        Some(&self.left.remove(place).value)
    }

    /// The same without taking it.
    pub(crate) fn get(&self, key: &str) -> Option<&'t Tree> {
        self.left.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }
}

impl Reader {
    pub(crate) fn note(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// A mistake in a value; `message` goes on after the offending text: "`7` is …".
    pub(crate) fn wrong(&mut self, tree: &Tree, message: &str, hint: Option<String>) {
        let message = match &tree.value {
            Value::Scalar(scalar) if !tree.is_null() => {
                format!("{} {message}", quoted(&scalar.text))
            }
            _ => format!("{} {message}", tree.kind()),
        };
        self.note(Problem { hint, ..Problem::new(tree.place, tree.text(), message) });
    }

    /// A name that is not known.
    pub(crate) fn unknown<'a>(
        &mut self,
        tree: &Tree,
        what: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        let known: Vec<&str> = known.into_iter().take(MAX_KNOWN).collect();
        let hint = match nearest(tree.text(), known.iter().copied()) {
            Some(word) => Some(format!("did you mean `{word}`?")),
            None if known.is_empty() => None,
            None if known.len() <= 8 => Some(format!("expected {}", choices(known))),
            None => None,
        };
        self.wrong(tree, &format!("is no {what}"), hint);
    }

    pub(crate) fn map<'t>(&mut self, tree: &'t Tree, of: &'static str) -> Option<Fields<'t>> {
        let Value::Map(entries) = &tree.value else {
            self.wrong(tree, &format!("cannot be {of}: a map was expected"), None);
            return None;
        };
        let left = entries.iter().collect();
        Some(Fields { of, left, known: Vec::new() })
    }

    /// Every key that was not taken is a mistake.
    pub(crate) fn finish(&mut self, fields: Fields<'_>) {
        for entry in fields.left {
            if self.problems.len() >= MAX_PROBLEMS {
                return;
            }
            let message = format!("unknown key {} in {}", quoted(&entry.key), fields.of);
            let hint = match nearest(&entry.key, fields.known.iter().copied()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("the keys are {}", fields.known.join(", ")),
            };
            self.note(Problem::new(entry.place, &entry.key, message).hint(hint));
        }
    }

    pub(crate) fn seq<'t>(&mut self, tree: &'t Tree, of: &str) -> &'t [Tree] {
        let Value::Seq(items) = &tree.value else {
            self.wrong(tree, &format!("cannot be {of}: a list was expected"), None);
            return &[];
        };
        items
    }

    pub(crate) fn text(&mut self, tree: &Tree) -> Option<String> {
        match &tree.value {
            Value::Scalar(scalar) if !tree.is_null() && !scalar.text.is_empty() => {
                Some(scalar.text.clone())
            }
            _ => {
                self.wrong(tree, "where a text was expected", None);
                None
            }
        }
    }

    pub(crate) fn whole(&mut self, tree: &Tree, low: u64, high: u64) -> Option<u64> {
        let number = tree.text().parse().ok().filter(|number| (low..=high).contains(number));
        if number.is_none() {
            let digits = tree.text().bytes().all(|byte| byte.is_ascii_digit());
            let range = match high {
                u64::MAX if digits && !tree.text().is_empty() => "is too large".to_string(),
                u64::MAX => format!("is not a whole number of at least {low}"),
                _ => format!("is not a whole number from {low} to {high}"),
            };
            self.wrong(tree, &range, None);
        }
        number
    }

    pub(crate) fn boolean(&mut self, tree: &Tree) -> Option<bool> {
        self.word(tree, "truth value", &[("true", true), ("false", false)])
    }

    /// `true` where nothing else makes sense.
    pub(crate) fn yes(&mut self, tree: &Tree) -> Option<()> {
        self.word(tree, "answer here", &[("true", ())])
    }

    pub(crate) fn word<T: Clone>(
        &mut self,
        tree: &Tree,
        what: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == tree.text());
        if found.is_none() {
            self.unknown(tree, what, words.iter().map(|(word, _)| *word));
        }
        found.map(|(_, value)| value.clone())
    }

    /// A length of time with its unit, not negative, at most a year.
    pub(crate) fn span(&mut self, tree: &Tree) -> Option<Span> {
        let text = tree.text();
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.') {
            self.wrong(tree, "has no unit of time", Some(format!("did you mean `{text}s`?")));
            return None;
        }
        match Span::parse_go(text) {
            Ok(span) if span < Span::ZERO => self.wrong(tree, "is a negative time", None),
            Ok(span) if span > LONGEST => self.wrong(tree, "is longer than a year", None),
            Ok(span) => return Some(span),
            Err(_) => {
                let hint = "write it like 400ms, 10s or 1m30s".to_string();
                self.wrong(tree, "is not a length of time", Some(hint));
            }
        }
        None
    }

    /// The same, and not zero.
    pub(crate) fn positive_span(&mut self, tree: &Tree) -> Option<Span> {
        let span = self.span(tree)?;
        if span.is_zero() {
            self.wrong(tree, "must be longer than nothing", None);
            return None;
        }
        Some(span)
    }

    /// `400ms`, `{uniform: [a, b]}` or `{quantiles: [a, b, c, d, e]}`.
    pub(crate) fn quantity(&mut self, tree: &Tree) -> Option<Quantity> {
        match &tree.value {
            Value::Scalar(_) => self.span(tree).map(Quantity::Fixed),
            Value::Seq(_) => {
                let hint = "{uniform: [a, b]} or {quantiles: [0%, 10%, 50%, 90%, 100%]}";
                self.wrong(tree, "where a quantity was expected", Some(hint.to_string()));
                None
            }
            Value::Map(_) => {
                let mut fields = self.map(tree, "a quantity")?;
                let uniform = fields.take("uniform");
                let quantiles = fields.take("quantiles");
                self.finish(fields);
                match (uniform, quantiles) {
                    (Some(list), None) => {
                        let [low, high] = self.ascending(list)?;
                        Some(Quantity::Uniform(low, high))
                    }
                    (None, Some(list)) => self.ascending(list).map(Quantity::Quantiles),
                    _ => {
                        let message = "must be either `uniform` or `quantiles`";
                        self.wrong(tree, message, None);
                        None
                    }
                }
            }
        }
    }

    /// That many times, none of them shorter than the one before.
    pub(crate) fn ascending<const N: usize>(&mut self, tree: &Tree) -> Option<[Span; N]> {
        let items = self.seq(tree, "a list of times");
        if items.len() != N {
            if matches!(tree.value, Value::Seq(_)) {
                self.wrong(
                    tree,
                    &format!("of {} where {N} times were expected", items.len()),
                    None,
                );
            }
            return None;
        }
        let spans: Vec<Span> = items.iter().filter_map(|item| self.span(item)).collect();
        let spans: [Span; N] = spans.try_into().ok()?;
        if !spans.is_sorted() {
            self.wrong(tree, "must be in ascending order", None);
            return None;
        }
        Some(spans)
    }
}

/// One value or a list of them.
pub(crate) fn one_or_more(tree: &Tree) -> Vec<&Tree> {
    match &tree.value {
        Value::Seq(items) => items.iter().collect(),
        Value::Scalar(_) | Value::Map(_) => vec![tree],
    }
}
