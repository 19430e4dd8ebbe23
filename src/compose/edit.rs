//! A key of a service set in the text of a stack file; every other byte stays as it is.

use crate::scenario::problem::Place;
use crate::scenario::syntax::{Entry, Scalar, Tree, Value, parse};

/// A key below a service, and its new value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// From the service downwards.
    pub path: &'static [&'static str],
    /// As it stands in the file.
    pub value: String,
}

/// The text with all edits made to a service. Nothing where that would need more than setting a
/// key: a value that comes from an anchor, a merge or a variable may be meant for others too.
pub fn apply(text: &str, service: &str, edits: &[Edit]) -> Option<String> {
    let mut text = text.to_string();
    // New keys are put first: the last one made stands above the others.
    for edit in edits.iter().rev() {
        text = set(&text, service, edit)?;
    }
    (!edits.is_empty()).then_some(text)
}

/// How keys and values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Style {
    /// As they are.
    Yaml,
    /// The whole file is JSON: in quotes, but for numbers and truth values.
    Json,
}

impl Style {
    fn of(text: &str) -> Style {
        let json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        if json { Style::Json } else { Style::Yaml }
    }

    fn key(self, key: &str) -> String {
        match self {
            Style::Yaml => key.to_string(),
            Style::Json => format!("\"{key}\""),
        }
    }

    fn value(self, value: &str) -> String {
        let literal = value.parse::<f64>().is_ok() || matches!(value, "true" | "false");
        match self {
            Style::Json if !literal => serde_json::Value::from(value).to_string(),
            _ => value.to_string(),
        }
    }
}

fn set(text: &str, service: &str, edit: &Edit) -> Option<String> {
    let tree = parse(text).ok()?;
    let style = Style::of(text);
    let services = entries(tree.get("services")?)?;
    let at = services.iter().position(|entry| entry.key == service)?;
    let from = services[at].place.line;
    let next = services.get(at + 1).map_or(u32::MAX, |entry| entry.place.line);
    let mut node = &services[at].value;
    for (depth, key) in edit.path.iter().enumerate() {
        let own = entries(node)?;
        let Some(entry) = own.iter().find(|entry| entry.key == *key) else {
            return insert(text, node, &edit.path[depth..], &edit.value, style);
        };
        // What stands elsewhere is there for others as well; a service on one line is its own.
        let line = entry.value.place.line;
        if line < from || line >= next.max(from + 1) {
            return None;
        }
        node = &entry.value;
    }
    let Value::Scalar(scalar) = &node.value else { return None };
    replace(text, node.place, scalar, &style.value(&edit.value))
}

fn entries(tree: &Tree) -> Option<&[Entry]> {
    if let Value::Map(entries) = &tree.value { Some(entries) } else { None }
}

/// Offset of a place in the text.
fn offset(text: &str, place: Place) -> Option<usize> {
    let lines = text.split_inclusive('\n');
    let before: usize = lines.clone().take(place.line as usize - 1).map(str::len).sum();
    let line = lines.clone().nth(place.line as usize - 1)?;
    let column = place.column as usize - 1;
    let inner = line.char_indices().map(|(at, _)| at).nth(column)?;
    Some(before + inner)
}

/// A value that stands on one line.
fn replace(text: &str, place: Place, scalar: &Scalar, value: &str) -> Option<String> {
    if scalar.text.is_empty() || scalar.text.contains('$') {
        return None;
    }
    let at = offset(text, place)?;
    let rest = &text[at..];
    let length = if scalar.plain {
        rest.starts_with(&scalar.text).then_some(scalar.text.len())?
    } else {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inner = rest[1..].strip_prefix(&*scalar.text)?;
        inner.starts_with(quote).then_some(scalar.text.len() + 2)?
    };
    Some(format!("{}{value}{}", &text[..at], &rest[length..]))
}

/// A new key in a map that is there; what it lacks on the way is made as well.
fn insert(text: &str, map: &Tree, path: &[&str], value: &str, style: Style) -> Option<String> {
    let entries = entries(map)?;
    if entries.iter().any(|entry| entry.key == "<<") {
        return None;
    }
    let brace = offset(text, map.place).filter(|at| text[*at..].starts_with('{'));
    if let Some(brace) = brace {
        let (last, outer) = path.split_last()?;
        let new = format!("{}: {}", style.key(last), style.value(value));
        let new =
            outer.iter().rev().fold(new, |inner, key| format!("{}: {{{inner}}}", style.key(key)));
        let (before, after) = text.split_at(brace + 1);
        // What comes before the first key comes before the new one, a line break as well.
        let space = &after[..after.len() - after.trim_start().len()];
        let between = match (entries.is_empty(), space.contains('\n')) {
            (true, _) => "",
            (false, true) => ",",
            (false, false) => ", ",
        };
        let after = if space.contains('\n') { after } else { after.trim_start() };
        let close = if entries.is_empty() { space } else { "" };
        return Some(format!("{before}{space}{new}{close}{between}{after}"));
    }
    let first = entries.first()?;
    let key = offset(text, first.place)?;
    let line = text[..key].rfind('\n').map_or(0, |at| at + 1);
    let indent = &text[line..key];
    if !indent.bytes().all(|byte| byte == b' ') {
        return None;
    }
    let mut new = String::new();
    for (depth, key) in path.iter().enumerate() {
        let end = if depth + 1 == path.len() { format!(" {value}") } else { String::new() };
        new.push_str(&format!("{indent}{}{key}:{end}\n", "  ".repeat(depth)));
    }
    // Below the first key where that is one line, above it otherwise.
    let below = text[key..].find('\n').map(|end| key + end + 1).filter(|end| {
        matches!(&first.value.value, Value::Scalar(scalar)
            if scalar.plain
                && !scalar.text.is_empty()
                && first.value.place.line == first.place.line
                && text[key..*end].contains(&scalar.text))
    });
    let at = below.unwrap_or(line);
    Some(format!("{}{new}{}", &text[..at], &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONITOR: &[&str] = &["deploy", "update_config", "monitor"];

    fn monitor(text: &str) -> Option<String> {
        apply(text, "web", &[Edit { path: MONITOR, value: "30s".to_string() }])
    }

    #[test]
    fn a_key_is_set_and_the_rest_stays() {
        for (before, after) in [
            (
                "services:\n  web:\n    image: a # b\n    deploy:\n      update_config:\n        \
                 monitor: 5s # short\n        order: x\n  db: {image: c}\n",
                "services:\n  web:\n    image: a # b\n    deploy:\n      update_config:\n        \
                 monitor: 30s # short\n        order: x\n  db: {image: c}\n",
            ),
            (
                "services:\n  web:\n    deploy:\n      update_config:\n        monitor: \"5s\"\n",
                "services:\n  web:\n    deploy:\n      update_config:\n        monitor: 30s\n",
            ),
            (
                "services:\n  web:\n    image: a\n",
                "services:\n  web:\n    image: a\n    deploy:\n      update_config:\n        \
                 monitor: 30s\n",
            ),
            (
                "services:\n  web:\n    deploy: {update_config: {order: x}}\n",
                "services:\n  web:\n    deploy: {update_config: {monitor: 30s, order: x}}\n",
            ),
            (
                "services:\n  web: { image: a }\n",
                "services:\n  web: { deploy: {update_config: {monitor: 30s}}, image: a }\n",
            ),
            (
                "services:\n  web:\n    deploy: { }\n",
                "services:\n  web:\n    deploy: { update_config: {monitor: 30s} }\n",
            ),
            (
                "services: {web: {image: ä, deploy: {replicas: 2}}}",
                "services: {web: {image: ä, deploy: {update_config: {monitor: 30s}, replicas: 2}}}",
            ),
        ] {
            assert_eq!(monitor(before).as_deref(), Some(after));
        }
    }

    #[test]
    fn json_stays_json() {
        for (before, after) in [
            (
                r#"{"services": {"web": {"image": "a"}}}"#,
                "{\"services\": {\"web\": {\"deploy\": {\"update_config\": {\"monitor\": \
                 \"30s\"}}, \"image\": \"a\"}}}",
            ),
            (
                "{\"services\": {\n  \"web\": {\n    \"deploy\": {\"update_config\": \
                 {}}\n  }\n}}\n",
                "{\"services\": {\n  \"web\": {\n    \"deploy\": {\"update_config\": {\"monitor\": \
                 \"30s\"}}\n  }\n}}\n",
            ),
            (
                "{\"services\": {\n  \"web\": {\n    \"image\": \"a\"\n  }\n}}\n",
                "{\"services\": {\n  \"web\": {\n    \"deploy\": {\"update_config\": {\"monitor\": \
                 \"30s\"}},\n    \"image\": \"a\"\n  }\n}}\n",
            ),
            (
                r#"{"services": {"web": {"deploy": {"update_config": {"monitor": "5s"}}}}}"#,
                r#"{"services": {"web": {"deploy": {"update_config": {"monitor": "30s"}}}}}"#,
            ),
        ] {
            let made = monitor(before);
            assert_eq!(made.as_deref(), Some(after));
            assert_eq!(Style::of(after), Style::Json);
        }
        assert_eq!(
            ["0.5", "3", "30s"].map(|text| Style::Json.value(text)),
            ["0.5", "3", "\"30s\""]
        );
    }

    #[test]
    fn what_others_use_is_left_alone() {
        for text in [
            "x: &x {order: x}\nservices:\n  web:\n    deploy:\n      update_config: *x\n",
            "x: &x {monitor: 5s}\nservices:\n  web:\n    deploy:\n      update_config:\n        \
             <<: *x\n        order: x\n",
            "services:\n  web:\n    deploy:\n      update_config:\n        monitor: ${M}\n",
            "services:\n  web: \n",
            "services:\n  other: {image: a}\n",
        ] {
            assert_eq!(monitor(text), None, "{text}");
        }
    }
}
