//! Trees as JSON, on one line: a form that JSON readers and this crate's YAML reader take alike.

use std::fmt::Write as _;

use crate::scenario::problem::Place;
use crate::scenario::syntax::{Entry, Scalar, Tree, Value};

impl Tree {
    /// The tree as JSON. Plain scalars that JSON knows (numbers, truth values, `null`) stay as they
    /// are, all others become texts.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        write(&mut text, self);
        text
    }
}

impl Tree {
    /// The same as YAML for people: the entries of the map, and of lists in it, on lines of their
    /// own; what is deeper as JSON. Nothing is left out but nulls, and a reader gets the same tree.
    pub fn to_lines(&self) -> String {
        let Value::Map(entries) = &self.value else { return self.to_json() + "\n" };
        let mut text = String::new();
        for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
            quote_key(&mut text, &entry.key);
            text.push(':');
            match &entry.value.value {
                Value::Seq(items) if !items.is_empty() => {
                    for item in items {
                        text.push_str("\n- ");
                        write(&mut text, item);
                    }
                }
                Value::Map(inner) if !inner.is_empty() => {
                    for entry in inner {
                        text.push_str("\n  ");
                        quote(&mut text, &entry.key);
                        text.push_str(": ");
                        write(&mut text, &entry.value);
                    }
                }
                _ => {
                    text.push(' ');
                    write(&mut text, &entry.value);
                }
            }
            text.push('\n');
        }
        text
    }
}

/// A key that is a word stands as it is.
fn quote_key(text: &mut String, key: &str) {
    if !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        text.push_str(key);
    } else {
        quote(text, key);
    }
}

fn write(text: &mut String, tree: &Tree) {
    match &tree.value {
        Value::Scalar(_) if tree.is_null() => text.push_str("null"),
        Value::Scalar(scalar) if scalar.plain && is_literal(&scalar.text) => {
            text.push_str(&scalar.text);
        }
        Value::Scalar(scalar) => quote(text, &scalar.text),
        Value::Seq(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                write(text, item);
            }
            text.push(']');
        }
        Value::Map(entries) => {
            text.push('{');
            for (index, entry) in entries.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                quote(text, &entry.key);
                text.push(':');
                write(text, &entry.value);
            }
            text.push('}');
        }
    }
}

/// Whole numbers of at most 20 digits as JSON writes them, and truth values.
fn is_literal(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let number = !digits.is_empty()
        && digits.len() <= 20
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    number || matches!(word, "true" | "false")
}

/// A JSON text; whatever YAML might not take as it stands is escaped as well.
pub(crate) fn quote(text: &mut String, word: &str) {
    text.push('"');
    for c in word.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c) || is_odd(c) => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

fn is_odd(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text, never a number or `null`.
pub(crate) fn text(text: impl Into<String>) -> Tree {
    scalar(text.into(), false)
}

/// A number or truth value.
#[expect(clippy::needless_pass_by_value, reason = "numbers are passed as they are")]
pub(crate) fn plain(value: impl ToString) -> Tree {
    scalar(value.to_string(), true)
}

fn scalar(text: String, plain: bool) -> Tree {
    Tree { place: Place::default(), value: Value::Scalar(Scalar { text, plain }) }
}

/// A list.
pub(crate) fn list(items: impl IntoIterator<Item = Tree>) -> Tree {
    Tree { place: Place::default(), value: Value::Seq(items.into_iter().collect()) }
}

/// A map of what there is; absent values have no key.
pub(crate) fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Option<Tree>)>) -> Tree {
    let entry = |(key, value): (K, Option<Tree>)| {
        Some(Entry { key: key.into(), place: Place::default(), value: value? })
    };
    let entries = entries.into_iter().filter_map(entry).collect();
    Tree { place: Place::default(), value: Value::Map(entries) }
}
