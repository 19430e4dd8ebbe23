//! `docker node ls` and `docker node inspect`.
//!
//! Source: cli surface 3.5; real output. Nodes have no addresses, platforms or plugins here, so
//! those keys and lines are left out.

use std::fmt::Write as _;

use crate::client::clock;
use crate::client::command::ListOptions;
use crate::client::failure::CliFailure;
use crate::client::inspect::version;
use crate::client::json::{Fields, Json};
use crate::client::pretty;
use crate::client::rows::{ManagerRow, NodeRow};
use crate::client::table::{self, Column};

const COLUMNS: [Column; 6] = [
    ("ID", "ID"),
    ("Hostname", "HOSTNAME"),
    ("Status", "STATUS"),
    ("Availability", "AVAILABILITY"),
    ("ManagerStatus", "MANAGER STATUS"),
    ("EngineVersion", "ENGINE VERSION"),
];

/// The nodes, sorted by host name; the one that is asked has a star.
///
/// # Errors
/// A filter or a format that is not known.
pub fn ls(nodes: &[NodeRow], options: &ListOptions) -> Result<String, CliFailure> {
    let mut shown = Vec::new();
    for node in nodes {
        if matches(node, &options.filters)? {
            shown.push(node);
        }
    }
    shown.sort_by(|a, b| table::natural(&a.name, &b.name));
    if options.quiet {
        return Ok(shown.iter().fold(String::new(), |out, node| out + &node.id.to_string() + "\n"));
    }
    let aligned = options.format.is_none();
    let row = |node: &&NodeRow| {
        let star = if node.is_self { "*" } else { " " };
        vec![
            if aligned { format!("{} {star}", node.id) } else { node.id.to_string() },
            node.name.to_string(),
            capital(node.state.word()),
            capital(node.availability.word()),
            node.manager.map_or(String::new(), |manager| manager_word(manager).to_string()),
            node.engine.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    match &options.format {
        Some(format) => table::formatted(format, &COLUMNS, &rows),
        None => Ok(table::aligned(&COLUMNS.map(|(_, title)| title), &rows)),
    }
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn manager_word(manager: ManagerRow) -> &'static str {
    match manager {
        ManagerRow { leader: true, .. } => "Leader",
        ManagerRow { reachable: true, .. } => "Reachable",
        ManagerRow { .. } => "Unreachable",
    }
}

fn role(node: &NodeRow) -> &'static str {
    if node.manager.is_some() { "manager" } else { "worker" }
}

fn matches(node: &NodeRow, filters: &[(String, String)]) -> Result<bool, CliFailure> {
    let mut fits = true;
    for (key, _) in filters {
        let any = |test: &dyn Fn(&str) -> bool| {
            filters.iter().any(|(other, value)| other == key && test(value))
        };
        fits &= match key.as_str() {
            "id" => any(&|value| node.id.to_string().starts_with(value)),
            "name" => any(&|value| node.name.starts_with(value)),
            "role" => any(&|value| role(node) == value),
            "membership" => any(&|value| value == "accepted"),
            "node.label" => any(&|value| match value.split_once('=') {
                Some((key, value)) => node.labels.get(key).is_some_and(|found| found == value),
                None => node.labels.contains_key(value),
            }),
            _ => return Err(CliFailure::daemon(format_args!("invalid filter '{key}'"))),
        };
    }
    Ok(fits)
}

/// The nodes as one JSON array, with a line break at the end; `[]` for none.
pub fn inspect(nodes: &[NodeRow]) -> String {
    Json::Array(nodes.iter().map(json).collect()).indented() + "\n"
}

fn json(node: &NodeRow) -> Json {
    let spec = Fields::new()
        .with("Labels", Json::from(&node.labels))
        .with("Role", Json::text(role(node)))
        .with("Availability", Json::text(node.availability.word()));
    let resources =
        Fields::new().int("NanoCPUs", node.nano_cpus).int("MemoryBytes", node.memory_bytes);
    let engine = Fields::new().text("EngineVersion", &node.engine);
    let description = Fields::new()
        .text("Hostname", &node.name)
        .with("Resources", resources.end())
        .with("Engine", engine.end());
    let manager = node.manager.map(|manager| {
        let word = if manager.reachable { "reachable" } else { "unreachable" };
        Fields::new().flag("Leader", manager.leader).with("Reachability", Json::text(word)).end()
    });
    Fields::new()
        .with("ID", Json::text(node.id.to_string()))
        .with("Version", version(node.version))
        .with("CreatedAt", Json::text(clock::rfc3339(node.created)))
        .with("UpdatedAt", Json::text(clock::rfc3339(node.updated)))
        .with("Spec", spec.end())
        .with("Description", description.end())
        .with("Status", Fields::new().with("State", Json::text(node.state.word())).end())
        .maybe("ManagerStatus", manager)
        .end()
}

/// The nodes for people.
pub fn pretty(nodes: &[NodeRow]) -> String {
    let mut out = String::new();
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        pretty_node(&mut out, node);
    }
    out
}

fn pretty_node(out: &mut String, node: &NodeRow) {
    let _ = writeln!(out, "ID:\t\t\t{}", node.id);
    if !node.labels.is_empty() {
        out.push_str("Labels:\n");
        for (key, value) in &node.labels {
            let sign = if value.is_empty() { "" } else { "=" };
            let _ = writeln!(out, " - {key}{sign}{value}");
        }
    }
    let _ = writeln!(out, "Hostname:              \t{}", node.name);
    let _ = writeln!(out, "Joined at:             \t{}", clock::pretty(node.created));
    let _ = writeln!(out, "Status:\n State:\t\t\t{}", capital(node.state.word()));
    let _ = writeln!(out, " Availability:         \t{}", capital(node.availability.word()));
    if let Some(manager) = node.manager {
        let word = if manager.reachable { "Reachable" } else { "Unreachable" };
        let leader = if manager.leader { "Yes" } else { "No" };
        let _ = writeln!(out, "Manager Status:\n Raft Status:\t\t{word}\n Leader:\t\t{leader}");
    }
    let _ = writeln!(out, "Resources:\n CPUs:\t\t\t{}", node.nano_cpus / 1_000_000_000);
    let _ = writeln!(out, " Memory:\t\t{}", pretty::bytes(node.memory_bytes));
    let _ = writeln!(out, "Engine Version:\t\t{}", node.engine);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::Identifier;
    use crate::base::time::SimTime;
    use crate::swarmkit::task::{Availability, NodeState};

    fn node(name: &str, leader: bool) -> NodeRow {
        NodeRow {
            id: Identifier::new(5, 5),
            name: name.into(),
            state: if leader { NodeState::Ready } else { NodeState::Down },
            availability: if leader { Availability::Active } else { Availability::Drain },
            manager: leader.then_some(ManagerRow { leader: true, reachable: true }),
            engine: "29.0.0".into(),
            labels: [("zone".to_string(), "a".to_string())].into(),
            nano_cpus: 2_000_000_000,
            memory_bytes: 8 << 30,
            is_self: leader,
            version: 9,
            created: SimTime::ZERO,
            updated: SimTime::ZERO,
        }
    }

    #[test]
    fn a_listing() {
        let id = node("n1", true).id;
        assert_eq!(
            ls(&[node("n10", false), node("n1", true)], &ListOptions::default()).unwrap(),
            format!(
                "\
ID                            HOSTNAME   STATUS    AVAILABILITY   MANAGER STATUS   ENGINE VERSION
{id} *   n1         Ready     Active         Leader           29.0.0
{id}     n10        Down      Drain                           29.0.0\n"
            )
        );
        let options = ListOptions {
            quiet: true,
            filters: vec![("role".into(), "worker".into())],
            ..ListOptions::default()
        };
        let found = ls(&[node("n1", true), node("n2", false)], &options).unwrap();
        assert_eq!(found, format!("{id}\n"));
    }

    #[test]
    fn inspections() {
        let node = node("n1", true);
        let id = node.id;
        assert_eq!(
            json(&node).on_one_line(),
            format!(
                "{{\"ID\":\"{id}\",\"Version\":{{\"Index\":9}},\
                 \"CreatedAt\":\"2026-01-01T00:00:00Z\",\"UpdatedAt\":\"2026-01-01T00:00:00Z\",\
                 \"Spec\":{{\"Labels\":{{\"zone\":\"a\"}},\"Role\":\"manager\",\
                 \"Availability\":\"active\"}},\"Description\":{{\"Hostname\":\"n1\",\
                 \"Resources\":{{\"NanoCPUs\":2000000000,\"MemoryBytes\":8589934592}},\
                 \"Engine\":{{\"EngineVersion\":\"29.0.0\"}}}},\"Status\":{{\"State\":\"ready\"}},\
                 \"ManagerStatus\":{{\"Leader\":true,\"Reachability\":\"reachable\"}}}}"
            )
        );
        assert_eq!(
            pretty(std::slice::from_ref(&node)),
            format!(
                "ID:\t\t\t{id}\nLabels:\n - zone=a\nHostname:              \tn1\n\
                 Joined at:             \t2026-01-01 00:00:00 +0000 utc\nStatus:\n \
                 State:\t\t\tReady\n Availability:         \tActive\nManager Status:\n \
                 Raft Status:\t\tReachable\n Leader:\t\tYes\nResources:\n CPUs:\t\t\t2\n \
                 Memory:\t\t8GiB\nEngine Version:\t\t29.0.0\n"
            )
        );
        assert_eq!(inspect(&[]), "[]\n");
    }
}
