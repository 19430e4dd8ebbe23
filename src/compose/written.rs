//! A checked Compose file written back as one that needs nothing around it: variables are put in,
//! merge keys and anchors resolved, environment files read, keys that begin with `x-` left out.
//! Images can be replaced, and keys of a service set. Docker reads it as it reads the original:
//! every service gets the same spec.

use std::collections::BTreeMap;

use crate::base::time::Span;
use crate::compose::edit::Edit;
use crate::compose::file::ComposeFile;
use crate::compose::mistake::Mistakes;
use crate::compose::value::{self, Field, Node, Value};
use crate::scenario::json::quote;
use crate::scenario::syntax::parse;
use crate::swarmkit::spec::HealthConfig;

impl ComposeFile {
    /// The same file with other images. `images` has them by key of their service.
    #[must_use]
    pub fn with_images(&self, images: &BTreeMap<String, String>) -> ComposeFile {
        let mut file = self.clone();
        let Value::Map(sections) = &mut file.root.value else { return file };
        let services = sections.iter_mut().filter(|section| section.key == "services");
        let services = services.filter_map(|section| fields_mut(&mut section.node)).flatten();
        for service in services {
            let Some(image) = images.get(&service.key) else { continue };
            let value = Value::Text(image.clone());
            let place = service.place;
            let Some(fields) = fields_mut(&mut service.node) else { continue };
            if let Some(field) = fields.iter_mut().find(|field| field.key == "image") {
                field.node.value = value;
            } else {
                let node = Node { place, value };
                fields.push(Field { key: "image".to_string(), place, node });
            }
        }
        file
    }

    /// The same file with a health check in place of what a service says of it; nothing if there
    /// is no such service.
    pub fn with_healthcheck(&self, service: &str, check: &HealthConfig) -> Option<ComposeFile> {
        let mut file = self.clone();
        let sections = fields_mut(&mut file.root)?;
        let services = sections.iter_mut().find(|section| section.key == "services")?;
        let services = fields_mut(&mut services.node)?;
        let own = services.iter_mut().find(|field| field.key == service)?;
        let place = own.place;
        let field = |(key, value): (&str, Value)| Field {
            key: key.to_string(),
            place,
            node: Node { place, value },
        };
        let text = |text: &String| Node { place, value: Value::Text(text.clone()) };
        let span = |span: Span| Value::Text(span.to_string());
        let keys = [
            ("test", Value::Seq(check.test.iter().map(text).collect())),
            ("interval", span(check.interval)),
            ("timeout", span(check.timeout)),
            ("retries", Value::Int(check.retries)),
        ];
        let new = field(("healthcheck", Value::Map(keys.into_iter().map(field).collect())));
        let fields = fields_mut(&mut own.node)?;
        fields.retain(|field| field.key != "healthcheck");
        fields.push(new);
        Some(file)
    }

    /// The same file with keys of a service set, wherever their values came from. A key whose way
    /// leads through something other than a map stays as it is.
    #[must_use]
    pub fn with_keys(&self, service: &str, edits: &[Edit]) -> ComposeFile {
        let mut file = self.clone();
        let Value::Map(sections) = &mut file.root.value else { return file };
        let services = sections.iter_mut().filter(|section| section.key == "services");
        let services = services.filter_map(|section| fields_mut(&mut section.node)).flatten();
        for of in services.filter(|of| of.key == service) {
            for edit in edits {
                set(&mut of.node, edit.path, &edit.value);
            }
        }
        file
    }

    /// The text of the file.
    pub fn written(&self) -> String {
        let mut text = String::new();
        for field in self.root.fields().iter().filter(|field| !field.key.starts_with("x-")) {
            if field.key != "services" || field.node.fields().is_empty() {
                entry(&mut text, 0, &field.key, &field.node);
                continue;
            }
            text.push_str("services:\n");
            for service in field.node.fields() {
                key(&mut text, 1, &service.key);
                text.push('\n');
                self.service(&mut text, service);
            }
        }
        text
    }

    fn service(&self, text: &mut String, service: &Field) {
        let rest = |key: &str| !matches!(key, "env_file" | "environment");
        for field in service.node.fields().iter().filter(|field| rest(&field.key)) {
            entry(text, 2, &field.key, &field.node);
        }
        let lines = self.environments.get(&service.key).map_or(&[][..], Vec::as_slice);
        if lines.is_empty() {
            return;
        }
        key(text, 2, "environment");
        text.push('\n');
        for line in lines {
            text.push_str("      - ");
            quoted(text, line);
            text.push('\n');
        }
    }
}

/// The entries of a map, to be changed; of anything else none.
fn fields_mut(node: &mut Node) -> Option<&mut Vec<Field>> {
    if let Value::Map(fields) = &mut node.value { Some(fields) } else { None }
}

/// Sets a key below a map; what it lacks on the way is made.
fn set(node: &mut Node, path: &[&str], text: &str) {
    let Some((key, deeper)) = path.split_first() else {
        if let Some(value) = scalar(text) {
            node.value = value;
        }
        return;
    };
    let place = node.place;
    if node.value == Value::Null {
        node.value = Value::Map(Vec::new());
    }
    let Some(fields) = fields_mut(node) else { return };
    let at = fields.iter().position(|field| field.key == *key).unwrap_or_else(|| {
        let node = Node { place, value: Value::Null };
        fields.push(Field { key: (*key).to_string(), place, node });
        fields.len() - 1
    });
    set(&mut fields[at].node, deeper, text);
}

/// What a text means as the value of a key.
fn scalar(text: &str) -> Option<Value> {
    let line = format!("value: {text}");
    let tree = parse(&line).ok()?;
    let root = value::read(&tree, &line, &mut Mistakes::default());
    root.get("value").map(|node| node.value.clone())
}

/// A key with its value: maps on lines of their own, everything else on one line.
fn entry(text: &mut String, level: usize, name: &str, node: &Node) {
    key(text, level, name);
    match &node.value {
        Value::Map(fields) if !fields.is_empty() => {
            text.push('\n');
            for field in fields {
                entry(text, level + 1, &field.key, &field.node);
            }
        }
        _ => {
            text.push(' ');
            inline(text, node);
            text.push('\n');
        }
    }
}

fn key(text: &mut String, level: usize, name: &str) {
    text.push_str(&"  ".repeat(level));
    name_of(text, name);
    text.push(':');
}

/// A word of lower-case letters stands as it is.
fn name_of(text: &mut String, name: &str) {
    let is_word = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    // What YAML takes for something else is quoted.
    if is_word && name.len() > 1 && !matches!(name, "null" | "true" | "false") {
        text.push_str(name);
    } else {
        quote(text, name);
    }
}

fn inline(text: &mut String, node: &Node) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => text.push_str(&number.to_string()),
        Value::Float(number) if number.is_infinite() => {
            text.push_str(if *number > 0.0 { ".inf" } else { "-.inf" });
        }
        // With a point, so that it stays a float: 1.0 is not 1.
        Value::Float(number) => text.push_str(&format!("{number:?}")),
        Value::Text(word) => quoted(text, word),
        Value::Seq(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { ", " });
                inline(text, item);
            }
            text.push(']');
        }
        Value::Map(fields) => {
            text.push('{');
            for (place, field) in fields.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { ", " });
                name_of(text, &field.key);
                text.push_str(": ");
                inline(text, &field.node);
            }
            text.push('}');
        }
    }
}

/// A text in which no variable is put in any more.
fn quoted(text: &mut String, word: &str) {
    quote(text, &word.replace('$', "$$"));
}
