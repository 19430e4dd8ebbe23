//! Variables in a text: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`,
//! `${NAME:?message}`, `${NAME?message}`, and `$$` for a dollar.
//!
//! Upstream: docker cli `cli/compose/template/template.go`, with its oddities (cli surface 5.4):
//! the form without braces takes an operator too, operators are looked for in a fixed order
//! anywhere in the text, and a later variable of the same text forgives an earlier mistake.

use std::collections::BTreeMap;

/// The variables, by name. Nothing else is looked at: a run depends on its input alone.
pub type Environment = BTreeMap<String, String>;

/// The text with its variables put in.
///
/// ```
/// use swarmsim::compose::template::substitute;
/// let env = [("TAG".to_string(), "2".to_string())].into();
/// assert_eq!(substitute("web:${TAG:-1}", &env), Ok("web:2".to_string()));
/// assert_eq!(substitute("web:$$TAG", &env), Ok("web:$TAG".to_string()));
/// assert_eq!(substitute("web:${", &env), Err("web:${".to_string()));
/// ```
///
/// # Errors
/// The text that Docker quotes: the whole one, or what a required variable asks for.
pub fn substitute(template: &str, environment: &Environment) -> Result<String, String> {
    let mut result = String::with_capacity(template.len());
    let mut wrong = None;
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(more) = after.strip_prefix('$') {
            result.push('$');
            rest = more;
            continue;
        }
        let Some((expression, length)) = expression(after) else {
            wrong = Some(template.to_string());
            rest = after;
            continue;
        };
        match value(expression, environment) {
            Ok(value) => {
                wrong = None;
                result.push_str(&value);
            }
            Err(message) => wrong = Some(message),
        }
        rest = &after[length..];
    }
    result.push_str(rest);
    wrong.map_or(Ok(result), Err)
}

/// What stands after a dollar, without braces, and its length with them. A dollar before anything
/// else is a mistake.
fn expression(after: &str) -> Option<(&str, usize)> {
    match after.strip_prefix('{') {
        Some(inner) => {
            let length = body(inner)?;
            inner[length..].starts_with('}').then_some((&inner[..length], length + 2))
        }
        None => body(after).map(|length| (&after[..length], length)),
    }
}

/// Length of a name with, perhaps, an operator and all up to the next closing brace.
fn body(text: &str) -> Option<usize> {
    // Case is ignored in the pattern, which lets two letters beyond ASCII in: the long s and the
    // Kelvin sign. Nobody writes them, and they are not names here.
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let name = |c: char| first(c) || c.is_ascii_digit();
    if !text.starts_with(first) {
        return None;
    }
    let length = text.find(|c| !name(c)).unwrap_or(text.len());
    let after = &text[length..];
    let operator = [":-", ":?", "-", "?"].iter().any(|sign| after.starts_with(sign));
    if operator { Some(text.find('}').unwrap_or(text.len())) } else { Some(length) }
}

fn value(expression: &str, environment: &Environment) -> Result<String, String> {
    let known = |name: &str| environment.get(name).map(String::as_str);
    if let Some((name, default)) = expression.split_once(":-") {
        return Ok(known(name).filter(|value| !value.is_empty()).unwrap_or(default).to_string());
    }
    if let Some((name, default)) = expression.split_once('-') {
        return Ok(known(name).unwrap_or(default).to_string());
    }
    let missing = |name: &str, message: &str| {
        Err(format!("required variable {name} is missing a value: {message}"))
    };
    if let Some((name, message)) = expression.split_once(":?") {
        let value = known(name).filter(|value| !value.is_empty());
        return value.map_or_else(|| missing(name, message), |value| Ok(value.to_string()));
    }
    if let Some((name, message)) = expression.split_once('?') {
        return known(name).map_or_else(|| missing(name, message), |value| Ok(value.to_string()));
    }
    Ok(known(expression).unwrap_or("").to_string())
}

/// The names of the variables in a text that stand there without a default or a demand.
pub(crate) fn plain_names(template: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        rest = match (after.strip_prefix('$'), expression(after)) {
            (Some(more), _) => more,
            (None, None) => after,
            (None, Some((expression, length))) => {
                if !expression.contains(['-', '?', ':']) {
                    names.push(expression);
                }
                &after[length..]
            }
        };
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        let pairs = [("A", "1"), ("EMPTY", ""), ("TAG", "9")];
        pairs.map(|(name, value)| (name.to_string(), value.to_string())).into()
    }

    #[test]
    fn every_form_of_a_variable() {
        for (template, expected) in [
            ("a", "a"),
            ("$A", "1"),
            ("${A}", "1"),
            ("x${NONE}y$NONE", "xy"),
            ("${NONE:-d}${EMPTY:-d}${A:-d}", "dd1"),
            ("${NONE-d}${EMPTY-d}${A-d}", "d1"),
            ("${A:?m}${EMPTY?m}", "1"),
            ("$$A $${A}", "$A ${A}"),
            // A default goes to the first brace and is not looked into.
            ("${NONE:-${A}}", "${A}"),
            // The form without braces takes an operator and all that follows.
            ("app:$TAG-alpine", "app:9"),
            ("app:$NONE-alpine", "app:alpine"),
            // Operators are tried in a fixed order: this message is a default.
            ("${NONE:?set it - please}", " please"),
            // A later variable forgives an earlier mistake.
            ("${ $A", "1"),
        ] {
            let expected = expected.to_string();
            let found = substitute(template, &environment());
            if template == "${ $A" {
                assert_eq!(found, Ok("{ 1".to_string()), "{template}");
            } else {
                assert_eq!(found, Ok(expected), "{template}");
            }
        }
    }

    #[test]
    fn what_is_not_a_variable_is_a_mistake() {
        for template in ["${", "$}", "${ A}", "${A:+x}", "$1", "${A", "$", "a$ b"] {
            assert_eq!(substitute(template, &environment()), Err(template.to_string()));
        }
        for (template, message) in [
            ("${NONE:?set it}", "required variable NONE is missing a value: set it"),
            ("${EMPTY:?}", "required variable EMPTY is missing a value: "),
            ("${NONE?set it}", "required variable NONE is missing a value: set it"),
        ] {
            assert_eq!(substitute(template, &environment()), Err(message.to_string()));
        }
    }

    #[test]
    fn names_without_a_default() {
        assert_eq!(plain_names("$A ${B} ${C:-x} ${D?y} $$E ${"), ["A", "B"]);
    }
}
