//! JSON whose keys stay in the order they are given, printed as Docker prints it.

use std::fmt::Write as _;

/// A JSON value.
#[derive(Clone, PartialEq, Debug)]
pub enum Json {
    /// A number, as it is printed.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A text.
    Text(String),
    /// A list.
    Array(Vec<Json>),
    /// Keys with values, in order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An integer.
    pub fn int(number: impl std::fmt::Display) -> Json {
        Json::Number(number.to_string())
    }

    /// A 32-bit float in its shortest form, as Go's encoder prints it.
    pub fn float(number: f32) -> Json {
        let size = number.abs();
        let small = size != 0.0 && size < 1e-6;
        if small || size >= 1e21 {
            Json::Number(format!("{number:e}"))
        } else {
            Json::Number(number.to_string())
        }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    /// A list of texts.
    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Json {
        Json::Array(texts.into_iter().map(|text| Json::Text(text.clone())).collect())
    }

    /// With four spaces per level; empty lists and objects stay on their line.
    pub fn indented(&self) -> String {
        let mut out = String::new();
        self.print(&mut out, Some(0));
        out
    }

    /// Without any space.
    pub fn on_one_line(&self) -> String {
        let mut out = String::new();
        self.print(&mut out, None);
        out
    }

    fn print(&self, out: &mut String, level: Option<usize>) {
        match self {
            Json::Number(text) => out.push_str(text),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Null => out.push_str("null"),
            Json::Text(text) => print_text(text, out),
            Json::Array(items) => {
                print_all(out, level, ['[', ']'], items, |item, out, level| {
                    item.print(out, level);
                });
            }
            Json::Object(fields) => {
                print_all(out, level, ['{', '}'], fields, |(key, value), out, level| {
                    print_text(key, out);
                    out.push_str(if level.is_some() { ": " } else { ":" });
                    value.print(out, level);
                });
            }
        }
    }
}

fn print_all<T>(
    out: &mut String,
    level: Option<usize>,
    [open, close]: [char; 2],
    items: &[T],
    print: impl Fn(&T, &mut String, Option<usize>),
) {
    out.push(open);
    let inner = level.map(|level| level + 1);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        new_line(out, inner);
        print(item, out, inner);
    }
    if !items.is_empty() {
        new_line(out, level);
    }
    out.push(close);
}

fn new_line(out: &mut String, level: Option<usize>) {
    if let Some(level) = level {
        let _ = write!(out, "\n{:width$}", "", width = 4 * level);
    }
}

fn print_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// An object under construction: keys whose value is empty may be left out.
#[derive(Default)]
pub struct Fields(Vec<(String, Json)>);

impl Fields {
    /// No keys yet.
    pub fn new() -> Fields {
        Fields::default()
    }

    /// A key that is always there.
    #[must_use]
    pub fn with(mut self, key: &str, value: Json) -> Fields {
        self.0.push((key.to_string(), value));
        self
    }

    /// A key that is there if it has a value.
    #[must_use]
    pub fn maybe(self, key: &str, value: Option<Json>) -> Fields {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// A text, unless it is empty.
    #[must_use]
    pub fn text(self, key: &str, text: &str) -> Fields {
        self.maybe(key, (!text.is_empty()).then(|| Json::text(text)))
    }

    /// A list of texts, unless it is empty.
    #[must_use]
    pub fn texts(self, key: &str, texts: &[String]) -> Fields {
        self.maybe(key, (!texts.is_empty()).then(|| Json::texts(texts)))
    }

    /// A number, unless it is zero.
    #[must_use]
    pub fn int(self, key: &str, number: i64) -> Fields {
        self.maybe(key, (number != 0).then(|| Json::int(number)))
    }

    /// A switch, unless it is off.
    #[must_use]
    pub fn flag(self, key: &str, on: bool) -> Fields {
        self.maybe(key, on.then_some(Json::Bool(true)))
    }

    /// A map of texts, unless it is empty.
    #[must_use]
    pub fn map(self, key: &str, map: &std::collections::BTreeMap<String, String>) -> Fields {
        self.maybe(key, (!map.is_empty()).then(|| Json::from(map)))
    }

    /// The object.
    pub fn end(self) -> Json {
        Json::Object(self.0)
    }
}

impl From<&std::collections::BTreeMap<String, String>> for Json {
    fn from(map: &std::collections::BTreeMap<String, String>) -> Json {
        Json::Object(map.iter().map(|(k, v)| (k.clone(), Json::text(v.as_str()))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order() {
        let json = Fields::new()
            .with("b", Json::Array(vec![Json::int(1), Json::text("x\"\n&")]))
            .with("a", Fields::new().end())
            .text("gone", "")
            .end();
        assert_eq!(json.on_one_line(), "{\"b\":[1,\"x\\\"\\n&\"],\"a\":{}}");
        assert_eq!(
            json.indented(),
            "{\n    \"b\": [\n        1,\n        \"x\\\"\\n&\"\n    ],\n    \"a\": {}\n}"
        );
    }

    #[test]
    fn floats_in_their_shortest_form() {
        for (number, text) in [(0.0, "0"), (0.2, "0.2"), (1.0, "1"), (1e-7, "1e-7")] {
            assert_eq!(Json::float(number), Json::Number(text.to_string()));
        }
    }
}
