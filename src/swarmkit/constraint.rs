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
        // Whichever comes first: the value then has the other in it, and is refused below.
        (Some(a), Some(b)) => (a.min(b), true),
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
    use crate::swarmkit::fixture::World;
    use crate::swarmkit::task::{Availability, NodeState};

    #[test]
    fn constraints_are_read_as_upstream_reads_them() {
        assert!(parse("node.labels.zone == a").is_ok());
        assert_eq!(
            parse("node.role=manager"),
            Err("constraint expected one operator from ==, !=".to_string())
        );
        assert_eq!(parse("no de==x"), Err("key 'no de' is invalid".to_string()));
        assert_eq!(parse("node.role=="), Err("value '' is invalid".to_string()));
        assert_eq!(parse("a==b"), Err("key 'a' is invalid".to_string()));
        assert!(parse("_a==b").is_ok());
        assert_eq!(parse("1a==b"), Err("key '1a' is invalid".to_string()));
        assert_eq!(parse("ab==b!=c"), Err("value 'b!=c' is invalid".to_string()));
        assert_eq!(parse("ab!=b==c"), Err("value 'b==c' is invalid".to_string()));
    }

    #[test]
    fn a_node_matches_by_what_it_is_and_is_called_without_regard_to_case() {
        let mut w = World::new();
        let labels = [("zone", "a"), ("Rack", "3")];
        let node = w.labelled_node("node-1", NodeState::Ready, Availability::Active, &labels);
        let node = w.store.node(node).expect("it was made");
        let own_id = format!("node.id=={}", node.id);
        for (text, fits) in [
            (own_id.as_str(), true),
            ("node.id!=x", true),
            ("node.hostname==NODE-1", true),
            ("node.hostname!=node-1", false),
            ("Node.Role==worker", true),
            ("node.role==manager", false),
            ("node.role!=manager", true),
            ("node.platform.os==linux", true),
            ("node.platform.arch==x86_64", true),
            ("node.labels.zone==A", true),
            ("node.labels.Rack==3", true),
            ("node.labels.rack==3", false),
            ("node.labels.none!=b", true),
            ("engine.labels.zone==a", false),
            ("engine.labels.zone!=a", true),
            ("node.color==red", false),
            ("node.color!=red", false),
            // A list with one that cannot be read is no list.
            ("node.role=manager", true),
        ] {
            assert_eq!(all_match(&[text.to_string()], node), fits, "{text}");
        }
        let both = ["node.role==worker", "node.role==manager"].map(String::from);
        assert!(!all_match(&both, node) && all_match(&[], node));
    }
}
