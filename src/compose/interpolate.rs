//! Variables put into a whole file, before anything else looks at its values.
//!
//! Upstream: docker cli `cli/compose/interpolation/interpolation.go`,
//! `cli/compose/loader/interpolate.go` (cli surface 5.4).

use std::collections::BTreeSet;

use crate::client::golang::{self, NumberError};
use crate::compose::mistake::{Mistakes, Phase};
use crate::compose::template::{Environment, plain_names, substitute};
use crate::compose::value::{Node, Value, joined};

/// What a text becomes where Docker wants something else than a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cast {
    Int,
    Float,
    Bool,
}

/// Paths whose values are cast, if a variable changed them. `*` stands for any key.
const CASTS: &[(&str, Cast)] = &[
    ("services.*.configs.[].mode", Cast::Int),
    ("services.*.secrets.[].mode", Cast::Int),
    ("services.*.healthcheck.retries", Cast::Int),
    ("services.*.healthcheck.disable", Cast::Bool),
    ("services.*.deploy.replicas", Cast::Int),
    ("services.*.deploy.update_config.parallelism", Cast::Int),
    ("services.*.deploy.update_config.max_failure_ratio", Cast::Float),
    ("services.*.deploy.rollback_config.parallelism", Cast::Int),
    ("services.*.deploy.rollback_config.max_failure_ratio", Cast::Float),
    ("services.*.deploy.restart_policy.max_attempts", Cast::Int),
    ("services.*.deploy.placement.max_replicas_per_node", Cast::Int),
    ("services.*.ports.[].target", Cast::Int),
    ("services.*.ports.[].published", Cast::Int),
    ("services.*.ulimits.*", Cast::Int),
    ("services.*.ulimits.*.hard", Cast::Int),
    ("services.*.ulimits.*.soft", Cast::Int),
    ("services.*.oom_score_adj", Cast::Int),
    ("services.*.privileged", Cast::Bool),
    ("services.*.read_only", Cast::Bool),
    ("services.*.stdin_open", Cast::Bool),
    ("services.*.tty", Cast::Bool),
    ("services.*.volumes.[].read_only", Cast::Bool),
    ("services.*.volumes.[].volume.nocopy", Cast::Bool),
    ("networks.*.external", Cast::Bool),
    ("networks.*.internal", Cast::Bool),
    ("networks.*.attachable", Cast::Bool),
    ("volumes.*.external", Cast::Bool),
    ("secrets.*.external", Cast::Bool),
    ("configs.*.external", Cast::Bool),
];

/// Puts variables into all texts. The names of those that are not set and have no default are
/// returned: Docker takes them for empty without a word.
pub(crate) fn interpolate(
    node: &mut Node,
    environment: &Environment,
    mistakes: &mut Mistakes,
) -> BTreeSet<String> {
    let mut walk = Walk { environment, mistakes, unset: BTreeSet::new() };
    walk.node(node, "");
    walk.unset
}

struct Walk<'w> {
    environment: &'w Environment,
    mistakes: &'w mut Mistakes,
    unset: BTreeSet<String>,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node, path: &str) {
        match &mut node.value {
            Value::Text(text) if text.contains('$') => {
                let unset = plain_names(text).into_iter();
                let unset = unset.filter(|name| !self.environment.contains_key(*name));
                self.unset.extend(unset.map(str::to_string));
                match substitute(text, self.environment) {
                    Ok(new) if new == *text => {}
                    Ok(new) => node.value = self.cast(node, path, new),
                    Err(template) => {
                        let message = format!(
                            "invalid interpolation format for {path}: {}; you may need to escape \
                             any $ with another $",
                            golang::quote(&template)
                        );
                        let hint = match template.strip_prefix("required variable ") {
                            Some(rest) => {
                                let name = rest.split(' ').next().unwrap_or("");
                                format!("set it: --set environment.{name}=VALUE")
                            }
                            None => "a dollar that is meant is written $$".to_string(),
                        };
                        let what = text.clone();
                        let phase = Phase::Interpolation;
                        self.mistakes.note(phase, "", node.place, &what, &message, Some(hint));
                    }
                }
            }
            Value::Seq(items) => {
                let path = joined(path, "[]");
                for item in items {
                    self.node(item, &path);
                }
            }
            Value::Map(fields) => {
                for field in fields {
                    self.node(&mut field.node, &joined(path, &field.key));
                }
            }
            _ => {}
        }
    }

    fn cast(&mut self, node: &Node, path: &str, text: String) -> Value {
        let Some((_, wanted)) = CASTS.iter().find(|(pattern, _)| matches(pattern, path)) else {
            return Value::Text(text);
        };
        let lower = text.to_lowercase();
        let cast = match wanted {
            Cast::Int => text
                .strip_prefix('+')
                .unwrap_or(&text)
                .parse()
                .map(Value::Int)
                .map_err(|_| NumberError::Syntax.strconv("Atoi", &text)),
            Cast::Float => text
                .parse()
                .map(Value::Float)
                .map_err(|_| NumberError::Syntax.strconv("ParseFloat", &text)),
            Cast::Bool => match lower.as_str() {
                "y" | "yes" | "true" | "on" => Ok(Value::Bool(true)),
                "n" | "no" | "false" | "off" => Ok(Value::Bool(false)),
                _ => Err(format!("invalid boolean: {text}")),
            },
        };
        cast.unwrap_or_else(|cause| {
            let message = format!(
                "error while interpolating {path}: failed to cast to expected type: {cause}"
            );
            let what = node.text().unwrap_or("").to_string();
            self.mistakes.note(Phase::Interpolation, "", node.place, &what, &message, None);
            // One mistake should not make another.
            match wanted {
                Cast::Int => Value::Int(1),
                Cast::Float => Value::Float(0.0),
                Cast::Bool => Value::Bool(false),
            }
        })
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('.'), path.split('.'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(want), Some(part)) if want == "*" || want == part => {}
            _ => return false,
        }
    }
}
