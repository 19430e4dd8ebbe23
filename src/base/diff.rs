//! The difference of two texts as a unified diff.

/// Lines of context around a change, as `diff -u` has them.
const CONTEXT: usize = 3;

/// A line: in both texts, in the old one or in the new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line<'t> {
    Same(&'t str),
    Old(&'t str),
    New(&'t str),
}

/// How `new` differs from `old`; empty if it does not. Both have the name `file`.
pub fn unified(file: &str, old: &str, new: &str) -> String {
    let lines = lines(old, new);
    let changed: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !matches!(line, Line::Same(_)))
        .map(|(at, _)| at)
        .collect();
    let Some(first) = changed.first() else { return String::new() };
    let mut text = format!("--- {file}\n+++ {file}\n");
    let mut hunk = (*first, *first);
    for at in changed.iter().skip(1) {
        if *at > hunk.1 + 2 * CONTEXT {
            write_hunk(&mut text, &lines, hunk);
            hunk = (*at, *at);
        }
        hunk.1 = *at;
    }
    write_hunk(&mut text, &lines, hunk);
    text
}

/// Lines of a text, and what stands in their place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replacement {
    /// The first of them, counted from 1; the text is put before it where there are none.
    pub line: usize,
    /// How many.
    pub lines: usize,
    /// If the last of them is the last of the text and has no line break, its characters.
    pub open: Option<usize>,
    /// The new lines.
    pub text: String,
}

/// What makes `new` of `old`, from the top.
pub fn replacements(old: &str, new: &str) -> Vec<Replacement> {
    let mut all: Vec<Replacement> = Vec::new();
    let mut number = 1;
    let mut is_same = true;
    for line in lines(old, new) {
        let (Line::Old(text) | Line::New(text)) = line else {
            (number, is_same) = (number + 1, true);
            continue;
        };
        if std::mem::take(&mut is_same) {
            let (lines, open, text) = (0, None, String::new());
            all.push(Replacement { line: number, lines, open, text });
        }
        let Some(last) = all.last_mut() else { continue };
        if matches!(line, Line::New(_)) {
            last.text.push_str(text);
        } else {
            number += 1;
            last.lines += 1;
            last.open = (!text.ends_with('\n')).then(|| text.chars().count());
        }
    }
    all
}

fn write_hunk(text: &mut String, lines: &[Line<'_>], (first, last): (usize, usize)) {
    let from = first.saturating_sub(CONTEXT);
    let to = (last + CONTEXT + 1).min(lines.len());
    let count = |lines: &[Line<'_>], other: fn(&Line<'_>) -> bool| {
        lines.iter().filter(|line| !other(line)).count()
    };
    let is_new = |line: &Line<'_>| matches!(line, Line::New(_));
    let is_old = |line: &Line<'_>| matches!(line, Line::Old(_));
    let shown = &lines[from..to];
    let range = |before: usize, length: usize| {
        let start = if length == 0 { before } else { before + 1 };
        if length == 1 { start.to_string() } else { format!("{start},{length}") }
    };
    let old = range(count(&lines[..from], is_new), count(shown, is_new));
    let new = range(count(&lines[..from], is_old), count(shown, is_old));
    text.push_str(&format!("@@ -{old} +{new} @@\n"));
    for line in shown {
        let (mark, line) = match line {
            Line::Same(line) => (' ', line),
            Line::Old(line) => ('-', line),
            Line::New(line) => ('+', line),
        };
        text.push(mark);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// The lines of both texts: a longest common part between what is the same at both ends.
fn lines<'t>(old: &'t str, new: &'t str) -> Vec<Line<'t>> {
    let a: Vec<&str> = old.split_inclusive('\n').collect();
    let b: Vec<&str> = new.split_inclusive('\n').collect();
    let head = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (mid_a, mid_b) = (&a[head..], &b[head..]);
    let tail = mid_a.iter().rev().zip(mid_b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (mid_a, mid_b) = (&mid_a[..mid_a.len() - tail], &mid_b[..mid_b.len() - tail]);
    // Lengths of the longest common parts of what follows, row by row.
    let wide = mid_b.len() + 1;
    let mut common = vec![0_u32; (mid_a.len() + 1) * wide];
    for i in (0..mid_a.len()).rev() {
        for j in (0..mid_b.len()).rev() {
            common[i * wide + j] = if mid_a[i] == mid_b[j] {
                common[(i + 1) * wide + j + 1] + 1
            } else {
                common[(i + 1) * wide + j].max(common[i * wide + j + 1])
            };
        }
    }
    let mut lines: Vec<Line<'t>> = a[..head].iter().map(|line| Line::Same(line)).collect();
    let (mut i, mut j) = (0, 0);
    while i < mid_a.len() || j < mid_b.len() {
        if i < mid_a.len() && j < mid_b.len() && mid_a[i] == mid_b[j] {
            lines.push(Line::Same(mid_a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == mid_b.len()
            || i < mid_a.len() && common[(i + 1) * wide + j] >= common[i * wide + j + 1]
        {
            lines.push(Line::Old(mid_a[i]));
            i += 1;
        } else {
            lines.push(Line::New(mid_b[j]));
            j += 1;
        }
    }
    lines.extend(a[a.len() - tail..].iter().map(|line| Line::Same(line)));
    lines
}

#[cfg(test)]
mod tests {
    use super::{Replacement, replacements, unified};

    #[test]
    fn replacements_are_runs_of_changed_lines() {
        let of = |line, lines, open, text: &str| Replacement {
            line,
            lines,
            open,
            text: text.to_string(),
        };
        let found = replacements("1\n2\n3\n4", "1\nII\n2b\n3\nIV");
        assert_eq!(found, [of(2, 1, None, "II\n2b\n"), of(4, 1, Some(1), "IV")]);
        assert_eq!(replacements("1\n3\n", "1\n2\n3\n"), [of(2, 0, None, "2\n")]);
        assert_eq!(replacements("1\n", "1\n"), []);
    }

    #[test]
    fn a_patch_is_what_diff_writes() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12";
        let new = "1\nII\n3\n4\n5\n6\n7\n8\n9\n10\n11\nXII";
        assert_eq!(
            unified("f", old, new),
            "--- f\n+++ f\n@@ -1,5 +1,5 @@\n 1\n-2\n+II\n 3\n 4\n 5\n@@ -9,4 +9,4 @@\n 9\n 10\n \
             11\n-12\n\\ No newline at end of file\n+XII\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("f", old, old), "");
        assert_eq!(unified("f", "", "a\n"), "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n");
    }
}
