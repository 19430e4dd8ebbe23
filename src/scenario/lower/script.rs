//! `script:`.

use std::collections::BTreeMap;

use crate::client::line::CommandLine;
use crate::scenario::lower::Names;
use crate::scenario::lower::reader::{Fields, Reader, one_or_more};
use crate::scenario::model::{Action, Curl, Step, StepNo, Wait};
use crate::scenario::problem::{Problem, nearest, quoted};
use crate::scenario::syntax::{Tree, Value};
use crate::swarmkit::task::UpdateState;

/// Most requests of one `curl` step: a hundred per second for the longest default run.
const MAX_TIMES: u32 = 360_000;

/// The states that end an update, and the others, by Docker's words.
pub(crate) const STATES: [(&str, UpdateState); 6] = [
    ("updating", UpdateState::Updating),
    ("paused", UpdateState::Paused),
    ("completed", UpdateState::Completed),
    ("rollback_started", UpdateState::RollbackStarted),
    ("rollback_paused", UpdateState::RollbackPaused),
    ("rollback_completed", UpdateState::RollbackCompleted),
];

/// Reads the steps; what they name is added to the names. Waits are checked against the services of
/// the whole script, which may be created in a second terminal.
pub(super) fn script(reader: &mut Reader, tree: &Tree, names: &mut Names) -> Vec<Step> {
    let items = reader.seq(tree, "a script");
    names.steps = items.len() as u32;
    let mut steps = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(step) = step(reader, item, names) else {
            // It may have created any service: one mistake should not make others.
            names.unnamed = true;
            continue;
        };
        if let Some(label) = &step.label {
            names.labels.insert(label.clone(), StepNo(index as u32));
        }
        steps.push(step);
    }
    for item in items {
        if let Some(service) = awaited_service(item) {
            names.check_service(reader, service);
        }
    }
    steps
}

fn step(reader: &mut Reader, tree: &Tree, names: &mut Names) -> Option<Step> {
    let line = tree.place.line;
    if let Value::Scalar(_) = &tree.value {
        let action = command(reader, tree, names)?;
        return Some(Step { line, label: None, at: None, action });
    }
    let mut fields = reader.map(tree, "a step")?;
    let at = fields.take("at").map(|tree| (tree, reader.span(tree)));
    let label = fields.take("as").and_then(|tree| label(reader, tree, &names.labels));
    let run = fields.take("run");
    let waits = fields.take("wait");
    reader.finish(fields);
    let action = match (run, waits) {
        (Some(run), None) => command(reader, run, names)?,
        (None, Some(tree)) => {
            if let Some((at, _)) = at {
                let hint = "a step with `at` runs in a second terminal, where nothing waits";
                let problem = Problem::new(at.place, at.text(), "a wait cannot have `at`");
                reader.note(problem.hint(hint));
            }
            wait(reader, tree)?
        }
        _ => {
            reader.wrong(tree, "must be either `run` or `wait`", None);
            return None;
        }
    };
    Some(Step { line, label, at: at.and_then(|(_, span)| span), action })
}

fn label(reader: &mut Reader, tree: &Tree, taken: &BTreeMap<String, StepNo>) -> Option<String> {
    let text = reader.text(tree)?;
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.chars().all(fits) || text.parse::<u64>().is_ok() {
        let hint = "letters, digits, `-`, `_` and `.`, and not digits alone".to_string();
        reader.wrong(tree, "is not a label", Some(hint));
        return None;
    }
    if let Some(first) = taken.get(&text) {
        let hint = format!("step {} has it", first.0 + 1);
        reader.wrong(tree, "is the label of a second step", Some(hint));
        return None;
    }
    Some(text)
}

/// A line as it would be typed: `docker service …`, `docker node …`, `docker stack …` or `curl …`.
fn command(reader: &mut Reader, tree: &Tree, names: &mut Names) -> Option<Action> {
    let line = reader.text(tree)?;
    let Ok(words) = shell_words::split(&line) else {
        reader.wrong(tree, "has a quote that is not closed", None);
        return None;
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["docker", "service" | "node", rest @ ..] => {
            names.learn(words[1], rest);
            Some(Action::Docker(CommandLine::new(&line)))
        }
        ["docker", "stack", rest @ ..] => {
            if let Some(path) = names.learn_stack(rest) {
                let message = format!("there is no file {}", quoted(&path));
                let hint = "a path is seen from the scenario; or its text stands under `files:`";
                reader.note(Problem::new(tree.place, &path, message).hint(hint));
                return None;
            }
            Some(Action::Docker(CommandLine::new(&line)))
        }
        ["docker", second, ..] => {
            let hint = match nearest(second, ["service", "node", "stack"]) {
                Some(word) => format!("did you mean `docker {word}`?"),
                None => "only `docker service`, `docker node` and `docker stack` are simulated"
                    .to_string(),
            };
            reader.wrong(tree, "cannot be simulated", Some(hint));
            None
        }
        ["curl", rest @ ..] => curl(reader, tree, rest, names).map(Action::Curl),
        _ => {
            let hint = "a step is a line that starts with docker or curl, or {wait: …}";
            reader.wrong(tree, "is not a step", Some(hint.to_string()));
            None
        }
    }
}

fn curl(reader: &mut Reader, tree: &Tree, words: &[&str], names: &Names) -> Option<Curl> {
    const HINT: &str = "write it like curl http://localhost:8000/path  x4";
    let mut words: Vec<&str> =
        words.iter().copied().filter(|word| !matches!(*word, "-s" | "-S" | "-sS")).collect();
    let mut times = 1;
    if let Some(count) = words.last().and_then(|word| word.strip_prefix('x')) {
        let count = count.parse().ok().filter(|count| (1..=MAX_TIMES).contains(count));
        let Some(count) = count else {
            let message = format!("does not make 1 to {MAX_TIMES} requests");
            reader.wrong(tree, &message, Some(HINT.to_string()));
            return None;
        };
        times = count;
        words.pop();
    }
    let place = match words.as_slice() {
        [url] => url.strip_prefix("http://").map(|rest| (*url, rest)),
        _ => None,
    };
    let parts = place.and_then(|(url, rest)| {
        let host_port = rest.split(['/', '?']).next()?;
        let (host, port) = host_port.split_once(':').unwrap_or((host_port, "80"));
        let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
        (!host.is_empty()).then_some((url, host, port))
    });
    let Some((url, host, port)) = parts else {
        reader.wrong(tree, "is not a request that can be made", Some(HINT.to_string()));
        return None;
    };
    let node = names.nodes.contains(host).then(|| host.to_string());
    Some(Curl { url: url.to_string(), port, node, times })
}

const WAITS: [(&str, Wait); 2] =
    [("converged", Wait::Converged), ("update-done", Wait::UpdateDone)];

fn wait(reader: &mut Reader, tree: &Tree) -> Option<Action> {
    if let Value::Scalar(_) = &tree.value {
        return simple_wait(reader, tree).map(|until| Action::Wait { until, service: None });
    }
    let mut fields = reader.map(tree, "wait")?;
    let service = fields.take("service");
    let untils = waits(reader, &mut fields);
    reader.finish(fields);
    let [until] = <[Wait; 1]>::try_from(untils?).ok().or_else(|| {
        reader.wrong(tree, "must have one of `until`, `state` and `settled`", None);
        None
    })?;
    Some(Action::Wait { until, service: service.and_then(|tree| reader.text(tree)) })
}

fn simple_wait(reader: &mut Reader, tree: &Tree) -> Option<Wait> {
    let text = tree.text();
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
        return reader.span(tree).map(Wait::For);
    }
    reader.word(tree, "wait (nor a time such as 10s)", &WAITS)
}

/// What a map waits for; nothing if there is a mistake in one of them.
fn waits(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Vec<Wait>> {
    let until = fields.take("until").map(|tree| reader.word(tree, "wait", &WAITS));
    let state = fields.take("state").map(|tree| {
        let words = one_or_more(tree);
        let states: Vec<UpdateState> =
            words.iter().filter_map(|word| reader.word(word, "update state", &STATES)).collect();
        (!words.is_empty() && states.len() == words.len()).then_some(Wait::UpdateState(states))
    });
    let settled = fields.take("settled").map(|tree| reader.positive_span(tree).map(Wait::Settled));
    [until, state, settled].into_iter().flatten().collect()
}

fn awaited_service(step: &Tree) -> Option<&Tree> {
    step.get("wait")?.get("service")
}

/// The step of a label, or of its number counted from 1.
pub(super) fn reference(reader: &mut Reader, tree: &Tree, names: &Names) -> Option<StepNo> {
    if let Some(step) = names.labels.get(tree.text()) {
        return Some(*step);
    }
    if let Ok(number) = tree.text().parse::<u32>() {
        if (1..=names.steps).contains(&number) {
            return Some(StepNo(number - 1));
        }
        let message = format!("is no step of a script of {}", names.steps);
        reader.wrong(tree, &message, None);
        return None;
    }
    let message = format!("{} is no label of a step", quoted(tree.text()));
    let hint = match nearest(tree.text(), names.labels.keys().map(String::as_str)) {
        Some(label) => format!("did you mean `{label}`?"),
        None => "a step gets one by {run: …, as: LABEL}".to_string(),
    };
    reader.note(Problem::new(tree.place, tree.text(), message).hint(hint));
    None
}
