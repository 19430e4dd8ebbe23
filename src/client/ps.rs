//! `docker service ps` and `docker node ps`.
//!
//! Source: cli surface 3.6, semantics 1.7. Upstream: docker cli `cli/command/task/print.go`.

use crate::base::time::SimTime;
use crate::client::age;
use crate::client::command::ListOptions;
use crate::client::failure::CliFailure;
use crate::client::image;
use crate::client::rows::{Place, TaskRow};
use crate::client::table::{self, Column};
use crate::swarmkit::spec::PortConfig;
use crate::swarmkit::task::TaskState;

const COLUMNS: [Column; 8] = [
    ("ID", "ID"),
    ("Name", "NAME"),
    ("Image", "IMAGE"),
    ("Node", "NODE"),
    ("DesiredState", "DESIRED STATE"),
    ("CurrentState", "CURRENT STATE"),
    ("Error", "ERROR"),
    ("Ports", "PORTS"),
];

/// Where the age is added.
const STATE: usize = 5;

/// The tasks of one or more services, in any order but for tasks of one name and one moment, which
/// keep theirs. `self_node` is the name that `node=self` stands for.
///
/// # Errors
/// A filter or a format that is not known.
pub fn ps(
    tasks: &[TaskRow],
    options: &ListOptions,
    self_node: &str,
    now: SimTime,
) -> Result<String, CliFailure> {
    let mut named = Vec::new();
    for task in tasks {
        if matches(task, &options.filters, self_node)? {
            named.push((name(task, options), task));
        }
    }
    named.sort_by(|(a, x), (b, y)| table::natural(a, b).then(y.created.cmp(&x.created)));
    if options.quiet {
        let ids = named.iter().map(|(_, task)| format!("{}\n", task.id));
        return Ok(ids.collect());
    }
    let marked = options.format.as_deref().is_none_or(|format| format.starts_with("table"));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (index, (name, task)) in named.iter().enumerate() {
        let older = marked && index > 0 && named[index - 1].0 == *name;
        let name = if older { format!(" \\_ {name}") } else { name.clone() };
        rows.push(row(name, task, options, now));
    }
    match &options.format {
        Some(format) => table::formatted(format, &COLUMNS, &rows),
        None => Ok(table::aligned(&COLUMNS.map(|(_, title)| title), &rows)),
    }
}

fn row(name: String, task: &TaskRow, options: &ListOptions, now: SimTime) -> Vec<String> {
    let mut cells = cells_of(name, task, options);
    cells[STATE] += " ";
    cells[STATE] += &age::ago(now, task.stamp).to_lowercase();
    cells.into()
}

/// The cells of a task as [`ps`] shows it without options, but for the age after its state: what
/// changes only when the task does.
pub fn cells(task: &TaskRow) -> [String; 8] {
    let options = ListOptions::default();
    cells_of(name(task, &options), task, &options)
}

fn cells_of(name: String, task: &TaskRow, options: &ListOptions) -> [String; 8] {
    let id = task.id.to_string();
    let node = match &task.node {
        Some((id, _)) if options.no_resolve => id.to_string(),
        Some((_, name)) => name.to_string(),
        None => String::new(),
    };
    [
        if options.no_trunc { id } else { id[..12].to_string() },
        name,
        if options.no_trunc { task.image.to_string() } else { image::shown(&task.image) },
        node,
        capital(task.desired),
        capital(task.state),
        error(task.err.as_deref().unwrap_or(""), options.no_trunc),
        task.ports.iter().map(port).collect::<Vec<_>>().join(","),
    ]
}

/// `<service>.<slot>`, or `<service>.<node id>` of a global service. Slot 0, the first of a
/// replicated job, is taken for no slot: its task has the name of its node, and before it has one
/// that of none.
///
/// Upstream: docker cli `cli/command/idresolver/idresolver.go` `getName`.
fn name(task: &TaskRow, options: &ListOptions) -> String {
    let service =
        if options.no_resolve { task.service_id.to_string() } else { task.service.to_string() };
    match task.place {
        Place::Slot(0) => {
            let node = task.node.as_ref().map_or(String::new(), |(id, _)| id.to_string());
            format!("{service}.{node}")
        }
        Place::Slot(slot) => format!("{service}.{slot}"),
        Place::Node(node) => format!("{service}.{node}"),
    }
}

fn capital(state: TaskState) -> String {
    let word = state.word();
    word[..1].to_uppercase() + &word[1..]
}

/// In double quotes; longer than 30 characters it is cut to 29 and an ellipsis.
fn error(text: &str, no_trunc: bool) -> String {
    if text.is_empty() {
        return String::new();
    }
    if no_trunc || text.chars().count() <= 30 {
        return format!("\"{text}\"");
    }
    let start: String = text.chars().take(29).collect();
    format!("\"{start}…\"")
}

fn port(port: &PortConfig) -> String {
    format!("*:{}->{}/{}", port.published, port.target, port.protocol.word())
}

/// Values of one key are alternatives, keys are conditions.
fn matches(
    task: &TaskRow,
    filters: &[(String, String)],
    self_node: &str,
) -> Result<bool, CliFailure> {
    let mut fits = true;
    for (key, _) in filters {
        let any = |test: &dyn Fn(&str) -> bool| {
            filters.iter().any(|(other, value)| other == key && test(value))
        };
        fits &= match key.as_str() {
            "id" => any(&|value| task.id.to_string().starts_with(value)),
            "name" => {
                let name = format!("{}.{}", name(task, &ListOptions::default()), task.id);
                any(&|value| name.starts_with(value))
            }
            "node" => any(&|value| {
                let value = if value == "self" { self_node } else { value };
                task.node
                    .as_ref()
                    .is_some_and(|(id, name)| **name == *value || id.to_string() == *value)
            }),
            "desired-state" => any(&|value| task.desired.word() == value),
            _ => return Err(CliFailure::daemon(format_args!("invalid filter '{key}'"))),
        };
    }
    Ok(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::Identifier;
    use crate::base::time::Span;

    fn task(id: u64, slot: u32, created: i64, state: TaskState, err: &str) -> TaskRow {
        let moment = SimTime::ZERO.after(Span::from_secs(created));
        TaskRow {
            id: Identifier::new(id << 40, 0),
            service_id: Identifier::new(9, 9),
            service: "web".into(),
            place: Place::Slot(slot),
            image: "docker.io/library/nginx:1.27".into(),
            node: (state > TaskState::Pending).then(|| (Identifier::new(7, 7), "node1".into())),
            desired: if state.is_terminal() { TaskState::Shutdown } else { TaskState::Running },
            state,
            err: (!err.is_empty()).then(|| err.to_string()),
            stamp: moment,
            created: moment,
            version: 1,
            ports: Vec::new(),
        }
    }

    fn tasks() -> Vec<TaskRow> {
        vec![
            task(10, 10, 0, TaskState::Running, ""),
            task(1, 2, 0, TaskState::Failed, "task: non-zero exit (137): dockerexec: unhealthy"),
            task(2, 2, 5, TaskState::Pending, "no suitable node"),
        ]
    }

    #[test]
    fn newest_first_and_older_ones_marked() {
        let now = SimTime::ZERO.after(Span::from_secs(65));
        let text = ps(&tasks(), &ListOptions::default(), "", now).unwrap();
        let id = |index: usize| tasks()[index].id.to_string()[..12].to_string();
        let header = "ID NAME IMAGE NODE DESIRED_STATE CURRENT_STATE ERROR PORTS";
        let (failed, pending) = ("\"task: non-zero exit (137): do…\"", "\"no suitable node\"");
        let age = "about a minute ago";
        let expected = [
            header.split(' ').map(|title| title.replace('_', " ")).collect::<Vec<_>>(),
            vec![
                id(2),
                "web.2".into(),
                "nginx:1.27".into(),
                String::new(),
                "Running".into(),
                format!("Pending {age}"),
                pending.into(),
                String::new(),
            ],
            vec![
                id(1),
                " \\_ web.2".into(),
                "nginx:1.27".into(),
                "node1".into(),
                "Shutdown".into(),
                format!("Failed {age}"),
                failed.into(),
                String::new(),
            ],
            vec![
                id(0),
                "web.10".into(),
                "nginx:1.27".into(),
                "node1".into(),
                "Running".into(),
                format!("Running {age}"),
                String::new(),
                String::new(),
            ],
        ];
        let widths = [15, 12, 13, 10, 16, 29, 35, 0];
        let lines = expected.map(|cells| {
            let pad = |(cell, width): (&String, usize)| format!("{cell:width$}");
            cells.iter().zip(widths).map(pad).collect::<String>() + "\n"
        });
        assert_eq!(text, lines.concat());
    }

    #[test]
    fn quiet_prints_full_ids_and_filters_select() {
        let options = |filters: &[(&str, &str)]| ListOptions {
            quiet: true,
            filters: filters.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            ..ListOptions::default()
        };
        let count = |filters: &[(&str, &str)]| {
            let text = ps(&tasks(), &options(filters), "node1", SimTime::MAX).unwrap();
            assert!(text.lines().all(|line| line.len() == 25));
            text.lines().count()
        };
        assert_eq!(count(&[]), 3);
        assert_eq!(count(&[("desired-state", "running")]), 2);
        assert_eq!(count(&[("desired-state", "running"), ("desired-state", "shutdown")]), 3);
        assert_eq!(count(&[("node", "self"), ("desired-state", "running")]), 1);
        assert_eq!(count(&[("name", "web.1")]), 1);
        let failure = ps(&tasks(), &options(&[("foo", "x")]), "", SimTime::MAX).unwrap_err();
        assert_eq!(failure.stderr, "Error response from daemon: invalid filter 'foo'\n");
    }
}
