//! The client against recordings of the real one, and each rule of its own.

use std::collections::BTreeMap;

use super::*;
use crate::base::ids::Identifier;
use crate::client::choose::choose;
use crate::client::ls::tests::service;
use crate::client::rows::{TaskRow, UpdateRow};
use crate::swarmkit::spec::ServiceSpec;
use crate::swarmkit::task::TaskState;

fn seconds(text: &str) -> SimTime {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let part: u64 = format!("{fraction:0<9}").parse().unwrap();
    SimTime(whole.parse::<u64>().unwrap() * SECOND as u64 + part)
}

/// One attached command of a real client: its events and rows, each at its time.
struct Recorded<'a> {
    head: &'a str,
    lines: Vec<(SimTime, &'a str)>,
}

fn recordings() -> Vec<Recorded<'static>> {
    let mut found: Vec<Recorded> = Vec::new();
    for line in include_str!("recorded.txt").lines() {
        if let Some(head) = line.strip_prefix("command ") {
            found.push(Recorded { head, lines: Vec::new() });
        } else {
            let (time, rest) = line.split_once(' ').unwrap();
            found.last_mut().unwrap().lines.push((seconds(time), rest));
        }
    }
    found
}

/// The store as the recording tells it.
#[derive(Default)]
struct Store {
    version: u64,
    update: Option<UpdateRow>,
    tasks: BTreeMap<u64, (u64, TaskRow)>,
}

impl Store {
    fn apply(&mut self, line: &str) {
        let words: Vec<&str> = line.splitn(8, ' ').collect();
        let number = |text: &str| text.trim_start_matches(['T', 'N']).parse::<u64>().unwrap();
        match words[0] {
            "spec" => {
                self.version = number(words[1]);
                self.update = UpdateState::from_word(words[2]).map(|state| UpdateRow {
                    state,
                    message: words[3..].join(" ").into(),
                    started: None,
                    completed: None,
                });
            }
            "gone" => {
                self.tasks.remove(&number(words[1]));
            }
            "task" => {
                let node = (words[4] != "-").then(|| Identifier::new(number(words[4]) << 50, 0));
                let place = match words[2] {
                    "-" => Place::Node(node.unwrap()),
                    slot => Place::Slot(number(slot) as u32),
                };
                let row = TaskRow {
                    id: Identifier::new(0, number(words[1])),
                    service_id: Identifier::new(0, 0),
                    service: "web".into(),
                    place,
                    image: "a".into(),
                    node: node.map(|node| (node, "n".into())),
                    desired: TaskState::from_word(words[5]).unwrap(),
                    state: TaskState::from_word(words[6]).unwrap(),
                    err: words.get(7).map(ToString::to_string),
                    stamp: SimTime::ZERO,
                    created: SimTime::ZERO,
                    version: 0,
                    ports: Vec::new(),
                };
                self.tasks.insert(number(words[1]), (number(words[3]), row));
            }
            other => panic!("{other}"),
        }
    }

    fn view(&self, spec: &ServiceSpec) -> PollView {
        let clean = self.tasks.values().filter(|(version, _)| *version == self.version);
        choose(spec, self.update.as_ref(), clean.map(|(_, row)| row), |_| false, Vec::new())
    }
}

/// A row without the number of its slot, which the real client gives at random, and without node.
fn plain((row, text): (u16, String)) -> (u16, String) {
    match text.split_once(':') {
        Some((name, rest)) if name.contains('/') => (0, rest.to_string()),
        Some((name, rest)) if name.len() == 12 => (0, rest.to_string()),
        _ => (row, text),
    }
}

/// The rows of one poll at `now`, slots without their numbers, an error below all others.
fn polled(
    client: &mut Progress,
    recorded: &Recorded,
    spec: &ServiceSpec,
    now: SimTime,
) -> (PollResult, Vec<(u16, String)>) {
    let mut store = Store::default();
    for (at, line) in &recorded.lines {
        if *at <= now && !line.starts_with("row ") {
            store.apply(line);
        }
    }
    let mut out = Vec::new();
    let result = client.poll(now, &store.view(spec), &mut out);
    let mut rows: Vec<(u16, String)> = out
        .into_iter()
        .map(|shown| match shown {
            ProgressOutput::Row { row, shows } => (row, shows.to_string()),
            ProgressOutput::Line(text) => panic!("{text}"),
        })
        .collect();
    if let PollResult::Done { stderr: Some(text), .. } = &result {
        rows.push((client.next_row(), text.clone()));
    }
    (result, sorted(rows))
}

fn sorted(rows: Vec<(u16, String)>) -> Vec<(u16, String)> {
    let mut rows: Vec<_> = rows.into_iter().map(plain).collect();
    rows.sort();
    rows
}

/// Replays a command with one poll before each moment at which the real terminal changed. How long
/// before is not recorded: up to one poll interval.
fn replay(recorded: &Recorded) {
    let head: Vec<&str> = recorded.head.split(' ').collect();
    let mode = match head[2] {
        "global" => "--mode global".to_string(),
        replicas => format!("--replicas {replicas}"),
    };
    let monitor = head[3].trim_end_matches('s');
    let spec = service(&format!("{mode} --update-monitor {monitor}s a")).spec;
    let mut client = Progress::new(head[1].to_string(), 120, true, false);
    let mut rows = recorded.lines.iter().filter(|(_, line)| line.starts_with("row ")).peekable();
    let mut last = None;
    while let Some((start, _)) = rows.peek() {
        let mut expected = Vec::new();
        while let Some((_, line)) = rows.next_if(|(at, _)| *at < start.after(Span::from_ms(30))) {
            let (row, text) = line["row ".len()..].split_once(' ').unwrap();
            expected.push((row.parse().unwrap(), text.to_string()));
        }
        let expected = sorted(expected);
        let events = recorded.lines.iter().map(|(at, _)| *at);
        let near = events.filter(|at| at <= start && at.after(POLL_INTERVAL) > *start).rev();
        let tries: Vec<_> = std::iter::once(start.before(Span::from_ms(12)))
            .chain(near)
            .map(|now| {
                let mut client = client.clone();
                let (result, found) = polled(&mut client, recorded, &spec, now);
                (client, result, found)
            })
            .collect();
        let first = tries[0].2.clone();
        let Some((next, result, _)) = tries.into_iter().find(|(.., found)| *found == expected)
        else {
            panic!("{} at {start}:\n{first:#?}\n{expected:#?}", recorded.head);
        };
        client = next;
        last = Some(result);
    }
    match last.unwrap() {
        PollResult::Done { code, .. } => assert_eq!(code.to_string(), head[4], "{}", recorded.head),
        other @ PollResult::Continue { .. } => panic!("{}: {other:?}", recorded.head),
    }
}

#[test]
fn recorded_terminals_are_reproduced() {
    let recordings = recordings();
    assert_eq!(recordings.len(), 9);
    for recorded in &recordings {
        replay(recorded);
    }
}

fn view(replicas: u64, states: &[TaskState], update: Option<(UpdateState, &str)>) -> PollView {
    let entries: Vec<Entry> = (1..)
        .zip(states)
        .map(|(slot, state)| Entry {
            place: Place::Slot(slot),
            desired: TaskState::Running,
            state: *state,
            err: (*state == TaskState::Failed).then(|| "task: non-zero exit (1)".to_string()),
            up: true,
        })
        .collect();
    let running = states.iter().filter(|state| **state == TaskState::Running).count() as u64;
    PollView {
        monitor: None,
        mode: Mode::Replicated { replicas },
        update: update.map(|(state, message)| (state, message.into())),
        running,
        completed: 0,
        total: states.len() as u64,
        all_running: running == states.len() as u64,
        entries,
    }
}

fn at(tenths: i64) -> SimTime {
    SimTime::ZERO.after(Span::from_ms(100 * tenths))
}

fn texts(out: Vec<ProgressOutput>) -> Vec<String> {
    let text = |shown| match shown {
        ProgressOutput::Row { row, shows } => format!("{row} {shows}"),
        ProgressOutput::Line(text) => text,
    };
    out.into_iter().map(text).collect()
}

#[test]
fn a_pipe_gets_every_line_with_every_poll_but_no_bars() {
    let mut client = Progress::new("web".into(), 0, false, false);
    let mut out = Vec::new();
    client.poll(at(0), &view(2, &[TaskState::Ready], None), &mut out);
    client.poll(at(6), &view(2, &[TaskState::Failed], None), &mut out);
    let running = view(2, &[TaskState::Running; 2], None);
    let next = client.poll(at(8), &running, &mut out);
    // What the next poll does depends on this one having seen convergence.
    assert_eq!(next, PollResult::Continue { next: Next::At(at(10)) });
    client.poll(at(18), &running, &mut out);
    let overall = "overall progress: 0 out of 2 tasks";
    let waiting =
        |k: u32| format!("verify: Waiting {k} seconds to verify that tasks are stable...");
    let mut expected =
        [overall, "1/2:  ", "2/2:  ", overall, overall, overall].map(String::from).to_vec();
    expected.extend(["1/2: task: non-zero exit (1)", overall].map(String::from));
    expected.push("overall progress: 2 out of 2 tasks".to_string());
    expected.extend([5, 5, 5, 5, 5, 4].map(waiting));
    assert_eq!(texts(out), expected);
}

#[test]
fn a_narrow_terminal_has_no_bars_and_a_quiet_client_draws_nothing() {
    let seen = view(1, &[TaskState::Ready], None);
    let mut out = Vec::new();
    Progress::new("web".into(), 110, true, false).poll(at(0), &seen, &mut out);
    assert_eq!(texts(out), ["1 overall progress: 0 out of 1 tasks", "2 1/1: ready"]);
    let mut out = Vec::new();
    Progress::new("web".into(), 200, true, true).poll(at(0), &seen, &mut out);
    assert_eq!(texts(out), [""; 0]);
    let mut out = Vec::new();
    Progress::new("web".into(), 111, true, false).from_row(4).poll(at(0), &seen, &mut out);
    let bar = "[======================================>            ]";
    assert_eq!(
        texts(out),
        ["4 overall progress: 0 out of 1 tasks".to_string(), format!("5 1/1: ready     {bar}")]
    );
}

#[test]
fn a_client_that_is_told_that_nothing_changed_draws_the_same() {
    let failed = [TaskState::Running, TaskState::Failed];
    let over = (UpdateState::RollbackCompleted, "rollback completed");
    let views = [
        view(2, &[TaskState::Ready], None),
        view(2, &failed, Some((UpdateState::RollbackStarted, "m"))),
        view(2, &[TaskState::Running; 2], Some(over)),
        view(2, &failed, Some(over)),
        view(2, &[TaskState::Running; 2], Some(over)),
    ];
    for (columns, tty) in [(0, false), (80, true), (200, true)] {
        let mut looks = Progress::new("web".into(), columns, tty, false);
        let mut told = looks.clone();
        for (nth, view) in (0..).zip(&views) {
            for poll in 0..=30 {
                let now = at(nth * 100 + poll * 2);
                let (mut expected, mut found) = (Vec::new(), Vec::new());
                let result = looks.poll(now, view, &mut expected);
                let again = if poll == 0 {
                    told.poll(now, view, &mut found)
                } else {
                    told.poll_again(now, view, &mut found)
                };
                assert_eq!((again, found), (result, expected), "{columns} {nth} {poll}");
            }
        }
    }
}

#[test]
fn more_than_twenty_replicas_have_one_line() {
    let mut client = Progress::new("web".into(), 200, true, false);
    let mut out = Vec::new();
    let mut seen = view(21, &[TaskState::Running; 3], None);
    seen.entries.clear();
    client.poll(at(0), &seen, &mut out);
    assert_eq!(texts(out), ["1 overall progress: 3 out of 21 tasks"]);
}

#[test]
fn a_failure_restarts_the_countdown() {
    let mut client = Progress::new("web".into(), 80, true, false);
    let mut out = Vec::new();
    let mut seen = view(1, &[TaskState::Running], None);
    seen.monitor = Some(Span::from_ms(1500));
    let mut poll = |tenths: i64, seen: &PollView| {
        let mut out = Vec::new();
        let result = client.poll(at(tenths), seen, &mut out);
        (result, texts(out))
    };
    out.push(poll(0, &seen).1);
    let (result, rows) = poll(6, &seen);
    assert_eq!(result, PollResult::Continue { next: Next::At(at(15)) });
    out.push(rows);
    out.push(poll(8, &PollView { running: 0, all_running: false, ..seen.clone() }).1);
    out.push(poll(10, &seen).1);
    let (result, rows) = poll(26, &seen);
    assert_eq!(result, PollResult::Done { code: 0, stderr: None });
    out.push(rows);
    let verify = |k| format!("3 verify: Waiting {k} seconds to verify that tasks are stable...");
    assert_eq!(
        out,
        [
            vec![
                "1 overall progress: 1 out of 1 tasks".to_string(),
                "2 1/1: running".to_string(),
                verify(2)
            ],
            vec![verify(1)],
            vec![
                "1 overall progress: 0 out of 1 tasks".to_string(),
                "3 verify: Detected task failure".to_string()
            ],
            vec!["1 overall progress: 1 out of 1 tasks".to_string(), verify(2)],
            vec!["3 verify: Service web converged".to_string()],
        ]
    );
}

#[test]
fn ends_by_the_update_status() {
    for (state, message, code, stderr) in [
        (UpdateState::Completed, "update completed", 0, None),
        (UpdateState::Paused, "m", 1, Some("service update paused: m")),
        (UpdateState::RollbackPaused, "m", 1, Some("service rollback paused: m")),
    ] {
        let mut client = Progress::new("web".into(), 0, true, false);
        let mut out = Vec::new();
        let result = client.poll(at(0), &view(1, &[], Some((state, message))), &mut out);
        assert_eq!(result, PollResult::Done { code, stderr: stderr.map(String::from) });
        assert_eq!(texts(out), [""; 0]);
    }
    // Completed, but seen converged before: the countdown goes on; not so after a failure.
    let mut client = Progress::new("web".into(), 0, true, false);
    let mut out = Vec::new();
    client.poll(at(0), &view(1, &[TaskState::Running], None), &mut out);
    let completed = |states| view(1, states, Some((UpdateState::Completed, "")));
    let result = client.poll(at(2), &completed(&[TaskState::Running]), &mut out);
    assert_eq!(result, PollResult::Continue { next: Next::At(at(10)) });
    let failed = completed(&[TaskState::Failed]);
    let result = client.poll(at(4), &failed, &mut out);
    assert_eq!(result, PollResult::Continue { next: Next::At(at(6)) });
    let result = client.poll(at(6), &failed, &mut out);
    assert_eq!(result, PollResult::Done { code: 0, stderr: None });
}

#[test]
fn an_interrupt_leaves_the_service_alone() {
    let mut client = Progress::new("web".into(), 0, true, false);
    let mut out = Vec::new();
    client.poll(at(0), &view(1, &[], None), &mut out);
    out.clear();
    assert_eq!(client.interrupt(&mut out), PollResult::Done { code: 0, stderr: None });
    assert_eq!(
        texts(out),
        [
            "3 Operation continuing in background.",
            "4 Use `docker service ps web` to check progress."
        ]
    );
}

mod lazy {
    use proptest::prelude::*;

    use super::*;

    fn states() -> impl Strategy<Value = Vec<TaskState>> {
        use TaskState::{Failed, Ready, Running};
        prop::sample::select(vec![
            vec![],
            vec![Running, Ready],
            vec![Running, Running, Failed],
            vec![Running, Running, Running],
            vec![Running, Running, Running],
        ])
    }

    fn update() -> impl Strategy<Value = Option<(UpdateState, &'static str)>> {
        use UpdateState::{Completed, RollbackCompleted, RollbackStarted, Updating};
        prop::sample::select(vec![
            None,
            Some((Updating, "u")),
            Some((Completed, "c")),
            Some((RollbackStarted, "r")),
            Some((RollbackCompleted, "d")),
        ])
    }

    /// All that a client shows, with the time of each row, and how it ends. `lazy`: only the polls
    /// that can matter.
    fn run(tty: bool, lazy: bool, views: &[(PollView, u32)]) -> (Vec<String>, Option<PollResult>) {
        let mut client = Progress::new("web".into(), 200, tty, false);
        let mut shown = Vec::new();
        let mut now = SimTime::ZERO;
        let mut due = SimTime::ZERO;
        for (view, polls) in views {
            for poll in 0..*polls {
                if !lazy || poll == 0 || now >= due {
                    let mut out = Vec::new();
                    let result = client.poll(now, view, &mut out);
                    let time = if tty { format!("{now} ") } else { String::new() };
                    shown.extend(texts(out).into_iter().map(|text| time.clone() + &text));
                    match result {
                        PollResult::Continue { next: Next::At(at) } => due = at,
                        PollResult::Continue { next: Next::WhenChanged } => due = SimTime::MAX,
                        done @ PollResult::Done { .. } => return (shown, Some(done)),
                    }
                }
                now = now.after(POLL_INTERVAL);
            }
        }
        // A pipe is given the lines of polls left out with the next one.
        let (view, _) = views.last().unwrap();
        let mut out = Vec::new();
        let result = client.poll(now, view, &mut out);
        shown.extend(texts(out));
        (shown, matches!(result, PollResult::Done { .. }).then_some(result))
    }

    proptest! {
        #[test]
        fn polls_left_out_make_no_difference(
            tty in any::<bool>(),
            steps in prop::collection::vec(
                (states(), update(), 1_u32..12),
                1..12,
            ),
        ) {
            let views: Vec<_> = steps
                .iter()
                .map(|(states, update, polls)| (view(3, states, *update), *polls))
                .collect();
            prop_assert_eq!(run(tty, true, &views), run(tty, false, &views));
        }
    }
}

/// A job of three tasks, two at once, as a poll sees it.
fn job_view(mode: Mode, states: &[TaskState]) -> PollView {
    let is = |wanted: TaskState| states.iter().filter(|state| **state == wanted).count() as u64;
    let mut view = view(3, states, None);
    for (number, entry) in (0..).zip(&mut view.entries) {
        entry.desired = TaskState::Complete;
        entry.place = match mode {
            Mode::GlobalJob => Place::Node(Identifier::new(0, u64::from(number) + 1)),
            _ => Place::Slot(number),
        };
    }
    let completed = is(TaskState::Complete);
    let running = states.iter().filter(|state| **state < TaskState::Complete).count() as u64;
    PollView { mode, running, completed, ..view }
}

#[test]
fn a_replicated_job_is_drawn_until_it_is_complete() {
    use TaskState::{Complete, Failed, Running, Starting};
    let mode = Mode::ReplicatedJob { max_concurrent: 10, total_completions: 3 };
    let mut progress = Progress::new("job".to_string(), 120, true, false);
    let mut out = Vec::new();
    progress.poll(at(0), &job_view(mode, &[Starting, Failed]), &mut out);
    let bar = |done: usize| format!("[{}>{}]", "=".repeat(done), " ".repeat(50 - done));
    assert_eq!(
        texts(std::mem::take(&mut out)),
        [
            format!("1 job progress: 0 out of 3 complete {}", bar(0)),
            "2 active tasks:  1 out of  3 tasks".to_string(),
            format!("3 1/3: starting  {}", bar(40)),
            "4 2/3: task: non-zero exit (1)".to_string(),
            "5 3/3:".to_string(),
        ]
    );
    progress.poll(at(2), &job_view(mode, &[Complete, Complete, Running]), &mut out);
    assert_eq!(
        texts(std::mem::take(&mut out)),
        [
            format!("1 job progress: 2 out of 3 complete {}", bar(33)),
            "2 active tasks:  1 out of  1 tasks".to_string(),
            format!("3 1/3: complete  {}", bar(50)),
            format!("4 2/3: complete  {}", bar(50)),
            format!("5 3/3: running   {}", bar(45)),
        ]
    );
    let done = progress.poll(at(4), &job_view(mode, &[Complete; 3]), &mut out);
    assert_eq!(done, PollResult::Done { code: 0, stderr: None });
    assert_eq!(
        texts(out),
        [
            format!("1 job progress: 3 out of 3 complete {}", bar(50)),
            "2 active tasks:  0 out of  0 tasks".to_string(),
            format!("5 3/3: complete  {}", bar(50)),
            "6 job complete".to_string(),
        ]
    );
}

#[test]
fn a_pipe_gets_what_has_no_bar() {
    let mode = Mode::ReplicatedJob { max_concurrent: 2, total_completions: 3 };
    let mut progress = Progress::new("job".to_string(), 120, false, false);
    let mut out = Vec::new();
    progress.poll(at(0), &job_view(mode, &[TaskState::Running; 2]), &mut out);
    let expected = ["active tasks: 0 out of 2 tasks", "1/3:  ", "2/3:  ", "3/3:  "];
    assert_eq!(texts(out), [&expected[..], &["active tasks: 2 out of 2 tasks"]].concat());
}

#[test]
fn a_global_job_is_drawn_by_node() {
    let mut progress = Progress::new("job".to_string(), 80, true, false);
    let mut out = Vec::new();
    progress.poll(at(0), &job_view(Mode::GlobalJob, &[]), &mut out);
    let states = [TaskState::Complete, TaskState::Running];
    progress.poll(at(2), &job_view(Mode::GlobalJob, &states), &mut out);
    let (one, two) = (Identifier::new(0, 1), Identifier::new(0, 2));
    assert_eq!(
        texts(out),
        [
            "1 job progress: waiting for tasks".to_string(),
            "1 job progress: 1 out of 2 complete".to_string(),
            format!("2 {one}: complete"),
            format!("3 {two}: running"),
        ]
    );
}
