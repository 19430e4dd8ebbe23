//! Placement constraints: `key==value`, `key!=value` (semantics 9.4).
//!
//! Upstream: `manager/constraint/constraint.go`.

use crate::swarmkit::store::Node;

/// Whether a node satisfies all constraints. One that cannot be read counts as satisfied, as
/// upstream, where an unreadable list is no list.
pub fn all_match(constraints: &[String], node: &Node) -> bool {
    let parsed: Result<Vec<_>, _> = constraints.iter().map(|text| parse(text)).collect();
    parsed.is_ok_and(|list| list.iter().all(|c| matches(c, node))) || unreadable(constraints)
}

fn unreadable(constraints: &[String]) -> bool {
    constraints.iter().any(|text| parse(text).is_err())
}

/// A constraint that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constraint {
    key: String,
    equal: bool,
    value: String,
}

/// Reads one constraint.
///
/// # Errors
/// Upstream's text.
///
/// Upstream: `manager/constraint/constraint.go` `Parse`.
pub fn parse(text: &str) -> Result<Constraint, String> {
    let (operator, equal) = match (text.find("=="), text.find("!=")) {
        (Some(at), None) => (at, true),
        (None, Some(at)) => (at, false),
        (Some(a), Some(b)) => (a.min(b), a < b),
        (None, None) => return Err("constraint expected one operator from ==, !=".to_string()),
    };
    let key = text[..operator].trim();
    let value = text[operator + 2..].trim();
    let key_ok = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.len() > 1
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    if !key_ok {
        return Err(format!("key '{key}' is invalid"));
    }
    let value_ok = !value.is_empty()
        && value.chars().all(|c| c.is_ascii_alphanumeric() || ":-_ .*()?+[]\\^$|/".contains(c));
    if !value_ok {
        return Err(format!("value '{value}' is invalid"));
    }
    Ok(Constraint { key: key.to_string(), equal, value: value.to_string() })
}

/// Upstream: `manager/constraint/constraint.go` `NodeMatches`.
fn matches(constraint: &Constraint, node: &Node) -> bool {
    let key = constraint.key.as_str();
    let lower = key.to_ascii_lowercase();
    let actual = match lower.as_str() {
        "node.id" => node.id.to_string(),
        "node.hostname" => node.name.to_string(),
        "node.role" => if node.manager { "manager" } else { "worker" }.to_string(),
        "node.platform.os" => "linux".to_string(),
        "node.platform.arch" => "x86_64".to_string(),
        _ if lower.starts_with("node.labels.") => {
            node.labels.get(&key["node.labels.".len()..]).cloned().unwrap_or_default()
        }
        _ if lower.starts_with("engine.labels.") => String::new(),
        _ => return false,
    };
    actual.eq_ignore_ascii_case(&constraint.value) == constraint.equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_read_as_upstream_reads_them() {
        assert!(parse("node.labels.zone == a").is_ok());
        assert_eq!(
            parse("node.role=manager"),
            Err("constraint expected one operator from ==, !=".to_string())
        );
        assert_eq!(parse("no de==x"), Err("key 'no de' is invalid".to_string()));
        assert_eq!(parse("node.role=="), Err("value '' is invalid".to_string()));
    }
}
