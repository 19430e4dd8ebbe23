//! Mistakes in a file: where, what, and what was probably meant.

use std::fmt::{self, Write as _};

/// A place in a text, both counted from 1. Line 0 = not in the text but in an override.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

/// One mistake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The offending text; empty = none in particular.
    pub what: String,
    /// What is wrong with it, and what was expected.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// All mistakes of a file, sorted by place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems(pub Vec<Problem>);

/// More than this many are not printed: nobody reads them, and a hostile file has 100 000.
const SHOWN: usize = 100;

/// Columns of a source line that are printed.
const EXCERPT: usize = 90;

impl Problem {
    /// A mistake without a hint.
    pub fn new(place: Place, what: &str, message: impl Into<String>) -> Problem {
        Problem { place, what: what.to_string(), message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}

impl Problems {
    /// Sorted by place; equal ones once.
    pub fn sorted(mut list: Vec<Problem>) -> Problems {
        list.sort();
        list.dedup();
        Problems(list)
    }

    /// As a person wants to read them: `file:line:column: message`, the line with a mark, the hint.
    pub fn render(&self, file: &str, source: &str) -> String {
        let lines: Vec<&str> = source.lines().collect();
        let mut text = String::new();
        for problem in self.0.iter().take(SHOWN) {
            render_one(&mut text, problem, file, &lines);
        }
        if self.0.len() > SHOWN {
            let _ = writeln!(text, "and {} more problems", self.0.len() - SHOWN);
        }
        text
    }
}

/// Each on a line of its own, without the source.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().take(SHOWN).enumerate() {
            let Place { line, column } = problem.place;
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{line}:{column}: {}", printable(&problem.message))?;
            if let Some(hint) = &problem.hint {
                write!(f, " ({})", printable(hint))?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

fn render_one(text: &mut String, problem: &Problem, file: &str, lines: &[&str]) {
    let Place { line, column } = problem.place;
    let message = printable(&problem.message);
    if line == 0 {
        let _ = writeln!(text, "--set: {message}");
    } else {
        let _ = writeln!(text, "{file}:{line}:{column}: {message}");
        if let Some(source) = lines.get(line as usize - 1) {
            excerpt(text, line, column, &problem.what, source);
        }
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(text, "  hint: {}", printable(hint));
    }
}

/// The line with a mark under the offending text; of a long line the part around it.
fn excerpt(text: &mut String, line: u32, column: u32, what: &str, source: &str) {
    let place = column.saturating_sub(1) as usize;
    let skipped = if place > EXCERPT * 3 / 4 { place - EXCERPT / 2 } else { 0 };
    let shown: String = source.chars().skip(skipped).take(EXCERPT).collect();
    let there: String = source.chars().skip(place).take(EXCERPT).collect();
    let length = what.lines().next().unwrap_or("").chars().count();
    let width = if there.starts_with(what) { length } else { 1 };
    let width = width.clamp(1, EXCERPT.saturating_sub(place - skipped).max(1));
    let number = format!("{line:>4}");
    let _ = writeln!(text, "{number} | {}", printable(&shown));
    let indent = " ".repeat(place - skipped);
    let _ = writeln!(text, "{} | {indent}{}", " ".repeat(number.len()), "^".repeat(width));
}

/// Characters that would move a terminal's cursor become a mark.
fn printable(text: &str) -> String {
    let replace = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(replace).collect()
}

/// The offending text for a message: quoted, on one line, and not too long.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("`{}`", printable(&short.replace('\n', " ")))
}

/// The known word that is nearest to a misspelt one, if one is near enough: at most one change for
/// every three characters, exchanged neighbours counting as one.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer words are not names that somebody mistyped.
    const LONGEST: usize = 80;
    let word: Vec<char> = word.to_lowercase().chars().take(LONGEST + 1).collect();
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let near = |candidate: &&str| {
        let candidate: Vec<char> = candidate.to_lowercase().chars().take(LONGEST + 1).collect();
        let allowed = word.len().max(candidate.len()).div_ceil(3);
        let far = word.len().abs_diff(candidate.len()) > allowed || candidate.len() > LONGEST;
        let distance = if far { usize::MAX } else { distance(&word, &candidate) };
        (distance <= allowed).then_some(distance)
    };
    known
        .into_iter()
        .filter_map(|candidate| near(&candidate).map(|distance| (distance, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and exchanges of neighbours between two words.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let same = usize::from(a[i - 1] != b[j - 1]);
                let mut best =
                    (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + same);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

/// `a, b or c`.
pub fn choices<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_string(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["parallelism", "delay", "monitor", "order", "at"];
        for (word, expected) in [
            ("paralelism", Some("parallelism")),
            ("Delay", Some("delay")),
            ("dealy", Some("delay")),
            ("montor", Some("monitor")),
            ("ta", Some("at")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn a_problem_shows_its_line() {
        let problem = Problem::new(Place { line: 2, column: 3 }, "sede", "unknown key `sede`")
            .hint("did you mean `seed`?");
        assert_eq!(
            Problems(vec![problem]).render("a.yaml", "x: 1\n  sede: 7\n"),
            "a.yaml:2:3: unknown key `sede`\n   2 |   sede: 7\n     |   ^^^^\n  hint: did you \
             mean `seed`?\n"
        );
    }

    #[test]
    fn a_long_or_wild_line_does_not_spoil_the_terminal() {
        let source = format!("{}\u{1b}[31mx", "a".repeat(500_000));
        let place = Place { line: 1, column: 500_001 };
        let text = Problems(vec![Problem::new(place, "\u{1b}[31mx", "bad")]).render("f", &source);
        assert_eq!(
            text,
            format!(
                "f:1:500001: bad\n   1 | {a}\u{fffd}[31mx\n     | {s}^^^^^^\n",
                a = "a".repeat(45),
                s = " ".repeat(45)
            )
        );
    }

    #[test]
    fn choices_read_as_a_sentence() {
        assert_eq!(choices(["a"]), "a");
        assert_eq!(choices(["a", "b", "c"]), "a, b or c");
    }
}
