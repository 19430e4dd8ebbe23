//! Checks a file against the schema of its version, and says what does not fit as Docker does.
//!
//! Upstream: docker cli `cli/compose/schema/schema.go` and the validator under it (cli surface
//! 5.1).
//! Docker reports the deepest mistake only; here all are noted.

use crate::base::time::Span;
use crate::compose::mistake::{Mistakes, Phase};
use crate::compose::ports::is_port;
use crate::compose::schema_table::ROOT;
use crate::compose::value::{Node, Value};
use crate::scenario::problem::{nearest, quoted};

/// A type of JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Mapping,
    List,
    Text,
    Integer,
    Number,
    Boolean,
    Null,
}

use Type::{Boolean, Integer, List, Mapping, Null, Number, Text};

impl Type {
    fn word(self) -> &'static str {
        match self {
            Mapping => "mapping",
            List => "list",
            Text => "string",
            Integer => "integer",
            Number => "number",
            Boolean => "boolean",
            Null => "null",
        }
    }

    fn fits(self, node: &Node) -> bool {
        match (self, &node.value) {
            (Mapping, Value::Map(_))
            | (List, Value::Seq(_))
            | (Text, Value::Text(_))
            | (Number, Value::Int(_) | Value::Float(_))
            | (Boolean, Value::Bool(_))
            | (Null, Value::Null) => true,
            (Integer, Value::Int(_) | Value::Float(_)) => node.int().is_some(),
            _ => false,
        }
    }
}

/// What a text must look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Duration,
    Ports,
    Expose,
}

/// What a value must be.
#[derive(Debug)]
pub(super) enum Rule {
    /// Anything.
    Any,
    /// Of one of these types.
    Of(&'static [Type]),
    /// Of one of these types, and of that form.
    Formed(&'static [Type], Format),
    /// One of these texts.
    Word(&'static [&'static str]),
    /// A list of such things, perhaps each only once.
    Items { of: &'static Rule, unique: bool },
    /// A map.
    Map(Shape),
    /// The first rule whose type fits, or else the first.
    Either(&'static [&'static Rule]),
}

/// The keys of a map.
#[derive(Debug)]
pub(super) struct Shape {
    /// Known keys, with the minor version that brought each.
    pub(super) keys: &'static [(&'static str, u8, &'static Rule)],
    /// What other keys lead to.
    pub(super) others: Others,
    /// Other types than a map that are allowed as well.
    pub(super) or: &'static [Type],
    /// Keys that must be there.
    pub(super) required: &'static [&'static str],
    /// The minor version from which keys that begin with `x-` are allowed.
    pub(super) extensions: Option<u8>,
}

/// What keys that have no name of their own lead to.
#[derive(Debug)]
pub(super) enum Others {
    /// They are mistakes.
    Refused,
    /// They are not looked at.
    Ignored,
    /// They are names of such things: letters, digits, `.`, `_` and `-`.
    Named(&'static Rule),
    /// They are any texts, for such things.
    Texts(&'static Rule),
}

/// Notes everything in a file that its version does not allow.
pub(crate) fn validate(root: &Node, version: u8, mistakes: &mut Mistakes) {
    Check { version, mistakes }.rule(&ROOT, root, "");
}

struct Check<'c> {
    version: u8,
    mistakes: &'c mut Mistakes,
}

impl Check<'_> {
    fn note(&mut self, node: &Node, path: &str, text: &str, hint: Option<String>) {
        let path = if path.is_empty() { "(root)" } else { path };
        let message = format!("{path} {text}");
        let what = node.text().unwrap_or("");
        self.mistakes.note(Phase::Schema, path, node.place, what, &message, hint);
    }

    fn rule(&mut self, rule: &Rule, node: &Node, path: &str) {
        match rule {
            Rule::Any => {}
            Rule::Of(types) => drop(self.types(types, node, path)),
            Rule::Formed(types, Format::Duration) if Number.fits(node) => {
                let words: Vec<&str> = types.iter().map(|wanted| wanted.word()).collect();
                let hint = format!("a time has a unit: {}s", node.printed());
                self.note(node, path, &format!("must be a {}", words.join(" or ")), Some(hint));
            }
            Rule::Formed(types, format) => {
                if self.types(types, node, path) {
                    self.format(*format, node, path);
                }
            }
            Rule::Word(words) => {
                let fits = self.types(&[Text], node, path);
                if fits && !words.iter().any(|word| node.text() == Some(word)) {
                    let known: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
                    let text = format!("{path} must be one of the following: {}", known.join(", "));
                    let near = nearest(node.text().unwrap_or(""), words.iter().copied());
                    self.note(node, path, &text, near.map(|w| format!("did you mean `{w}`?")));
                }
            }
            Rule::Items { of, unique } => {
                if self.types(&[List], node, path) {
                    self.items(of, *unique, node, path);
                }
            }
            Rule::Map(shape) => self.map(shape, node, path),
            Rule::Either(rules) => {
                let fitting = rules.iter().find(|rule| rule.type_fits(node));
                if let Some(rule) = fitting.or(rules.first()) {
                    self.rule(rule, node, path);
                }
            }
        }
    }

    fn types(&mut self, types: &[Type], node: &Node, path: &str) -> bool {
        if types.iter().any(|wanted| wanted.fits(node)) {
            return true;
        }
        let words: Vec<&str> = types.iter().map(|wanted| wanted.word()).collect();
        let text = match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.join(""),
        };
        let scalar = !matches!(node.value, Value::Seq(_) | Value::Map(_) | Value::Null);
        let hint = match types {
            [Text, ..] if scalar => Some(format!("put it into quotes: \"{}\"", node.printed())),
            [Integer | Number] if node.text().is_some() => {
                Some("a number is written without quotes and without a unit".to_string())
            }
            [Boolean] if node.text().is_some() => {
                Some("write true or false, without quotes".to_string())
            }
            _ => None,
        };
        self.note(node, path, &format!("must be a {text}"), hint);
        false
    }

    fn format(&mut self, format: Format, node: &Node, path: &str) {
        let text = node.printed();
        let (fits, name, hint) = match format {
            Format::Duration => {
                let hint = "a time has a unit: 400ms, 10s, 1m30s";
                (Span::parse_go(&text).is_ok(), "duration", hint)
            }
            Format::Ports => {
                let hint = "write it like \"8080:80\", \"8000-8002:80\" or \"53:53/udp\"";
                (is_port(&text), "ports", hint)
            }
            Format::Expose => (is_port(&text), "expose", "write it like \"3000\""),
        };
        if !fits {
            let text = format!("Does not match format '{name}'");
            self.note(node, path, &text, Some(hint.to_string()));
        }
    }

    fn items(&mut self, of: &Rule, unique: bool, node: &Node, path: &str) {
        for (index, item) in node.items().iter().enumerate() {
            self.rule(of, item, &format!("{path}.{index}"));
        }
        if !unique {
            return;
        }
        let mut seen = std::collections::BTreeMap::new();
        for (index, item) in node.items().iter().enumerate() {
            let key = format!("{:?}", without_places(item));
            if let Some(first) = seen.get(&key) {
                let text = format!("array items[{first},{index}] must be unique");
                let place = Node { place: item.place, value: Value::Null };
                self.note(&place, path, &text, Some("say it once".to_string()));
                return;
            }
            seen.insert(key, index);
        }
    }

    fn map(&mut self, shape: &Shape, node: &Node, path: &str) {
        let mut types = vec![Mapping];
        types.extend(shape.or);
        // Upstream names the types in this order wherever there is more than one.
        types.sort_by_key(|wanted| *wanted == Mapping && shape.or.first() == Some(&Boolean));
        if !self.types(&types, node, path) {
            return;
        }
        for field in node.fields() {
            if self.mistakes.is_full() {
                return;
            }
            let inner = crate::compose::value::joined(path, &field.key);
            let known = shape.keys.iter().find(|(key, ..)| *key == field.key);
            if let Some((_, since, rule)) = known {
                if self.version >= *since {
                    self.rule(rule, &field.node, &inner);
                } else {
                    let hint = format!("it came with version: \"3.{since}\"");
                    self.additional(field, path, Some(hint));
                }
                continue;
            }
            let extension = shape.extensions.is_some_and(|since| self.version >= since);
            if extension && field.key.starts_with("x-") {
                continue;
            }
            match &shape.others {
                Others::Ignored => {}
                Others::Named(rule) if is_name(&field.key) => {
                    self.rule(rule, &field.node, &inner);
                }
                Others::Texts(rule) if !field.key.is_empty() => {
                    self.rule(rule, &field.node, &inner);
                }
                Others::Named(_) | Others::Texts(_) => {
                    let hint = "a name has letters, digits, `.`, `_` and `-`".to_string();
                    self.additional(field, path, Some(hint));
                }
                Others::Refused => {
                    let usable = shape.keys.iter().filter(|(_, since, _)| self.version >= *since);
                    let near = nearest(&field.key, usable.map(|(key, ..)| *key));
                    let hint = near.map(|word| format!("did you mean `{word}`?"));
                    self.additional(field, path, hint.or_else(|| elsewhere(&field.key)));
                }
            }
        }
        for key in shape.required {
            if node.get(key).is_none() && matches!(node.value, Value::Map(_)) {
                self.note(node, path, &format!("{key} is required"), None);
            }
        }
    }

    fn additional(
        &mut self,
        field: &crate::compose::value::Field,
        path: &str,
        hint: Option<String>,
    ) {
        let path = if path.is_empty() { "(root)" } else { path };
        let message = format!("{path} Additional property {} is not allowed", field.key);
        self.mistakes.note(Phase::Schema, path, field.place, &field.key, &message, hint);
    }
}

/// What a key was probably meant for that other tools know.
fn elsewhere(key: &str) -> Option<String> {
    let text = match key {
        "profiles" | "group_add" | "platform" | "runtime" | "scale" | "cpus" | "pull_policy" => {
            "docker compose knows it, docker stack deploy does not"
        }
        "name" => "the name of a stack is an argument of docker stack deploy",
        "replicas" | "update_config" | "rollback_config" | "restart_policy" | "placement"
        | "resources" => "it belongs under `deploy`",
        _ => return None,
    };
    Some(format!("{}: {text}", quoted(key)))
}

impl Rule {
    /// Whether the type of a value is one that the rule is about.
    fn type_fits(&self, node: &Node) -> bool {
        let any = |types: &[Type]| types.iter().any(|wanted| wanted.fits(node));
        match self {
            Rule::Any => true,
            Rule::Of(types) | Rule::Formed(types, _) => any(types),
            Rule::Word(_) => any(&[Text]),
            Rule::Items { .. } => any(&[List]),
            Rule::Map(shape) => any(&[Mapping]) || any(shape.or),
            Rule::Either(rules) => rules.iter().any(|rule| rule.type_fits(node)),
        }
    }
}

fn is_name(key: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !key.is_empty() && key.chars().all(fits)
}

/// A value by its content alone, for comparison; keys in order.
fn without_places(node: &Node) -> Node {
    let value = match &node.value {
        Value::Seq(items) => Value::Seq(items.iter().map(without_places).collect()),
        Value::Map(fields) => {
            let mut fields: Vec<_> = fields
                .iter()
                .map(|field| crate::compose::value::Field {
                    key: field.key.clone(),
                    place: crate::scenario::problem::Place::default(),
                    node: without_places(&field.node),
                })
                .collect();
            fields.sort_by(|a, b| a.key.cmp(&b.key));
            Value::Map(fields)
        }
        other => other.clone(),
    };
    Node { place: crate::scenario::problem::Place::default(), value }
}
