//! What a tree of texts means as YAML: numbers, truth values, nothing, and merge keys.
//!
//! Upstream: the YAML library of docker cli `cli/compose/loader/loader.go` `ParseYAML`: version 1.1
//! for numbers with a leading 0, version 1.2 for `yes` and `no`, which are texts.

use std::collections::BTreeSet;

use crate::compose::mistake::{Mistakes, Phase};
use crate::scenario::problem::Place;
use crate::scenario::syntax::{Entry, Scalar, Tree, Value as Syntax};

/// A value with its place.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    /// Where it begins.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    Seq(Vec<Node>),
    /// A map in the order of the file.
    Map(Vec<Field>),
}

/// An entry of a map.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Field {
    /// The key.
    pub(crate) key: String,
    /// Where the key begins.
    pub(crate) place: Place,
    /// Its value.
    pub(crate) node: Node,
}

impl Node {
    /// The value of a key; nothing if it is no map or has no such key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.fields().iter().find(|field| field.key == key).map(|field| &field.node)
    }

    /// The entries of a map; of anything else none.
    pub(crate) fn fields(&self) -> &[Field] {
        if let Value::Map(fields) = &self.value { fields } else { &[] }
    }

    /// The items of a list; of anything else none.
    pub(crate) fn items(&self) -> &[Node] {
        if let Value::Seq(items) = &self.value { items } else { &[] }
    }

    /// The text of a text.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The truth of a truth value.
    pub(crate) fn truth(&self) -> bool {
        self.value == Value::Bool(true)
    }

    /// A whole number, also one that is written with a fraction of zero.
    pub(crate) fn int(&self) -> Option<i64> {
        match self.value {
            Value::Int(number) => Some(number),
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Some(number as i64)
            }
            _ => None,
        }
    }

    /// The value as Go prints it (`fmt.Sprint`); lists and maps are empty.
    pub(crate) fn printed(&self) -> String {
        match &self.value {
            Value::Null => "<nil>".to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => float(*number),
            Value::Text(text) => text.clone(),
            Value::Seq(_) | Value::Map(_) => String::new(),
        }
    }
}

/// A number in its shortest form, as Go's `%v`: with an exponent from 1e21 on and below 0.0001.
fn float(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".to_string() } else { "-Inf".to_string() };
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e21).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, power) = match exponent.strip_prefix('-') {
            Some(power) => ('-', power),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{power:0>2}");
    }
    format!("{number}")
}

/// The values of a tree.
pub(crate) fn read(tree: &Tree, text: &str, mistakes: &mut Mistakes) -> Node {
    let lines: Vec<&str> = text.lines().collect();
    Reader { lines, mistakes }.node(tree, "")
}

struct Reader<'r> {
    lines: Vec<&'r str>,
    mistakes: &'r mut Mistakes,
}

impl Reader<'_> {
    fn node(&mut self, tree: &Tree, path: &str) -> Node {
        let value = match &tree.value {
            Syntax::Scalar(scalar) => self::scalar(scalar),
            Syntax::Seq(items) => {
                let item = |(index, item)| self.node(item, &format!("{path}[{index}]"));
                Value::Seq(items.iter().enumerate().map(item).collect())
            }
            Syntax::Map(entries) => Value::Map(self.fields(entries, path)),
        };
        Node { place: tree.place, value }
    }

    /// Entries, with what `<<` brings in for the keys that are not given.
    fn fields(&mut self, entries: &[Entry], path: &str) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        let mut merged: Vec<&Entry> = Vec::new();
        for entry in entries {
            if entry.key == "<<" && !self.quoted(entry.place) {
                merged.push(entry);
                continue;
            }
            self.check_key(entry, path);
            let inner = joined(path, &entry.key);
            let node = self.node(&entry.value, &inner);
            fields.push(Field { key: entry.key.clone(), place: entry.place, node });
        }
        for entry in merged {
            self.merge(&mut fields, &entry.value, entry.place, path);
        }
        fields
    }

    fn merge(&mut self, fields: &mut Vec<Field>, tree: &Tree, place: Place, path: &str) {
        match &tree.value {
            Syntax::Map(entries) => {
                let known: BTreeSet<String> =
                    fields.iter().map(|field| field.key.clone()).collect();
                let new = self.fields(entries, path).into_iter();
                fields.extend(new.filter(|field| !known.contains(&field.key)));
            }
            Syntax::Seq(items) if items.iter().all(|item| matches!(item.value, Syntax::Map(_))) => {
                for item in items {
                    self.merge(fields, item, place, path);
                }
            }
            _ => {
                let text = "yaml: map merge requires map or sequence of maps as the value";
                let hint = "write `<<: *ANCHOR` or `<<: [*ANCHOR, *ANCHOR]`";
                self.mistakes.note(Phase::Yaml, "", place, "<<", text, Some(hint.to_string()));
            }
        }
    }

    /// Keys are texts: a number as a key is refused before anything else is looked at.
    fn check_key(&mut self, entry: &Entry, path: &str) {
        let plain = Scalar { text: entry.key.clone(), plain: true };
        let value = scalar(&plain);
        if matches!(value, Value::Text(_)) || self.quoted(entry.place) {
            return;
        }
        let place = if path.is_empty() { "at top level".into() } else { format!("in {path}") };
        let node = Node { place: entry.place, value };
        let text = format!("non-string key {place}: {}", node.printed());
        let hint = format!("put it into quotes: \"{}\"", entry.key);
        self.mistakes.note(Phase::Yaml, "", entry.place, &entry.key, &text, Some(hint));
    }

    /// Whether what begins there is in quotes.
    fn quoted(&self, place: Place) -> bool {
        let line = self.lines.get((place.line as usize).wrapping_sub(1));
        let first = line.and_then(|line| line.chars().nth(place.column as usize - 1));
        matches!(first, Some('"' | '\''))
    }
}

/// The path of a key below another.
pub(crate) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

fn scalar(scalar: &Scalar) -> Value {
    let text = scalar.text.as_str();
    if !scalar.plain {
        return Value::Text(text.to_string());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" => return Value::Float(f64::INFINITY),
        "-.inf" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Value::Text(text.to_string());
    }
    let bare = text.replace('_', "");
    match whole(&bare).or_else(|| fraction(&bare)) {
        Some(value) => value,
        None => Value::Text(text.to_string()),
    }
}

/// Go's `strconv.ParseInt` with base 0.
fn whole(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -number } else { number }).ok().map(Value::Int)
}

/// Digits with at most one point and perhaps an exponent.
fn fraction(text: &str) -> Option<Value> {
    let fits = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if !text.chars().all(fits) || !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().map(Value::Float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::syntax;

    fn value(text: &str) -> Value {
        scalar(&Scalar { text: text.to_string(), plain: true })
    }

    #[test]
    fn plain_words_are_what_go_takes_them_for() {
        for (text, expected) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("yes", Value::Text("yes".into())),
            ("12", Value::Int(12)),
            ("010", Value::Int(8)),
            ("0x1F", Value::Int(31)),
            ("1_000", Value::Int(1000)),
            ("-3", Value::Int(-3)),
            ("3.10", Value::Float(3.1)),
            ("1e3", Value::Float(1000.0)),
            ("22:22", Value::Text("22:22".into())),
            ("10s", Value::Text("10s".into())),
            ("1.2.3", Value::Text("1.2.3".into())),
            ("-", Value::Text("-".into())),
            (".", Value::Text(".".into())),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_print_as_in_go() {
        for (number, text) in
            [(3.1, "3.1"), (1000.0, "1000"), (1e21, "1e+21"), (0.00001, "1e-05"), (0.5, "0.5")]
        {
            assert_eq!(float(number), text);
        }
    }

    #[test]
    fn merge_keys_bring_in_what_is_not_given() {
        let text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 9}\n\
                    d:\n  <<: *a\n  w: 5\n";
        let mut mistakes = Mistakes::default();
        let root = read(&syntax::parse(text).unwrap(), text, &mut mistakes);
        assert!(mistakes.is_empty());
        let keys = |key: &str| -> Vec<String> {
            let of = |field: &Field| format!("{}={}", field.key, field.node.printed());
            root.get(key).unwrap().fields().iter().map(of).collect()
        };
        assert_eq!(keys("c"), ["x=9", "y=2", "z=4"]);
        assert_eq!(keys("d"), ["w=5", "x=1", "y=2"]);
    }

    #[test]
    fn keys_are_texts_and_merged_things_are_maps() {
        let text = "a: {1: x, \"2\": y}\nb: {<<: 7}\n";
        let mut mistakes = Mistakes::default();
        read(&syntax::parse(text).unwrap(), text, &mut mistakes);
        let problems = mistakes.problems().0;
        let texts: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            texts,
            [
                "non-string key in a: 1",
                "yaml: map merge requires map or sequence of maps as the value",
            ]
        );
    }
}
