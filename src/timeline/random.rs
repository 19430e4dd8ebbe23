//! Random timelines for tests: every kind of fact, ids declared before they are used. Not lawful.

#![allow(clippy::manual_is_multiple_of, clippy::wildcard_imports)] // drawn bits, all of the words

use std::sync::Arc;

use ordered_float::OrderedFloat;
use proptest::prelude::*;

use crate::base::chance::Seed;
use crate::base::ids::{
    Id, Identifier, NodeIx, Ordinal, RecordNo, ServiceIx, SlotNo, SpecVersion, TaskIx,
};
use crate::base::time::{SimTime, Span};
use crate::client::shown::Shown;
use crate::swarmkit::spec::*;
use crate::swarmkit::task::*;
use crate::timeline::digest::Digest;
use crate::timeline::ends::{Footer, Header, Limit, Stop, Timeline};
use crate::timeline::read::NODE_MESSAGES;
use crate::timeline::record::*;

/// Any timeline, up to 60 records long.
pub(super) fn timeline() -> impl Strategy<Value = Timeline> {
    let op = (any::<u8>(), any::<u32>(), any::<u32>(), any::<u64>());
    (proptest::collection::vec(op, 0..60), any::<u64>()).prop_map(|(ops, seed)| {
        let mut maker = Make::default();
        for (kind, a, b, c) in ops {
            maker.step(kind, a, b, c);
        }
        let stop = match seed % 5 {
            0 => Stop::ScriptDone,
            1 => Stop::Quiet,
            2 => Stop::Stuck(text(seed as u32)),
            _ => Stop::Limit(Limit::ALL[(seed / 5 % 5) as usize]),
        };
        let header = Header::new(Seed(seed), format!("{{\"name\":\"x\",\"n\":[1, {seed}]}}"));
        let footer = Footer {
            stop,
            at: maker.at,
            records: maker.records.len() as u64,
            events: seed,
            digest: Digest::of(&maker.records),
        };
        Timeline { header, records: maker.records, footer }
    })
}

#[derive(Default)]
struct Make {
    at: SimTime,
    records: Vec<Record>,
    services: usize,
    nodes: usize,
    tasks: usize,
}

fn pick<T: Copy>(from: &[T], by: u32) -> T {
    from[by as usize % from.len()]
}

fn text(by: u32) -> Arc<str> {
    pick(&["", "a", "web", "quote \" and \\", "two\nlines", "naïve – ✓", "\u{1}\u{7f}", "x~2"], by)
        .into()
}

fn node(by: u32, of: usize) -> NodeIx {
    NodeIx::from_index(by as usize % of)
}

fn request_counts(a: u32, b: u32) -> RequestCounts {
    RequestCounts {
        answered: a,
        refused: b % 3,
        lost: b % 2,
        cut: a % 2,
        unreachable: a % 3,
        no_backend: b,
        no_service: a % 5,
        unfinished: b % 4,
    }
}

impl Make {
    fn step(&mut self, kind: u8, a: u32, b: u32, c: u64) {
        if b % 3 == 0 {
            self.at = SimTime(self.at.0.saturating_add(c >> (a % 64)));
        }
        let earlier = self.records.len();
        let because =
            (earlier > 0 && a % 2 == 0).then(|| RecordNo::from_index(c as usize % earlier));
        let fact = self.fact(kind, a, b, c);
        self.records.push(Record { at: self.at, because, fact });
    }

    fn service(&self, by: u32) -> ServiceIx {
        ServiceIx::from_index(by as usize % self.services)
    }

    fn task(&self, by: u32) -> TaskIx {
        TaskIx::from_index(by as usize % self.tasks)
    }

    fn slot(&self, a: u32, b: u32) -> SlotKey {
        if a % 2 == 0 { SlotKey::Slot(SlotNo(b)) } else { SlotKey::Node(node(b, self.nodes)) }
    }

    fn fact(&mut self, kind: u8, a: u32, b: u32, c: u64) -> Fact {
        let declare = if self.nodes == 0 {
            0
        } else if self.services == 0 {
            1
        } else if self.tasks == 0 {
            2
        } else {
            kind % 21
        };
        match declare {
            0 => self.joined(a, b, c),
            1 => self.service_created(a, b, c),
            2 => self.task_created(a, b, c),
            3 => Fact::Command(command(a, b, c)),
            4 => Fact::Service {
                service: self.service(a),
                change: match b % 3 {
                    0 => ServiceChange::Removed,
                    n => ServiceChange::Spec {
                        spec: Arc::new(spec(a, b, c)),
                        version: SpecVersion(c),
                        previous: (n == 1).then(|| Arc::new(spec(b, a, c))),
                    },
                },
            },
            5 => Fact::Update { service: self.service(a), status: self.status(a, b, c) },
            6 => Fact::Run {
                service: self.service(a),
                slots: (0..b % 5).map(|n| self.slot(a, b.wrapping_add(n))).collect(),
                parallelism: a,
            },
            7..=10 => Fact::Task { task: self.task(a), change: self.task_change(a, b, c) },
            11 => Fact::Container { task: self.task(a), change: container(a, b) },
            12 => Fact::Health { task: self.task(a), change: health(a, b, c) },
            13 => Fact::Backend {
                task: self.task(a),
                change: pick(
                    &[BackendChange::Joined, BackendChange::Drained, BackendChange::Left],
                    b,
                ),
            },
            14 | 15 => Fact::Node { node: node(a, self.nodes), change: node_change(a, b) },
            16 => Fact::Request {
                port: a as u16,
                node: node(a, self.nodes),
                service: (b % 2 == 0).then(|| self.service(a)),
                outcome: self.outcome(a, b),
            },
            17 => Fact::Fault { fault: a, text: text(b) },
            18 => Fact::Waiting {
                service: self.service(a),
                slot: (b % 2 == 0).then(|| self.slot(a, b)),
                reason: self.waiting(a, b, c),
            },
            19 => Fact::Requests {
                traffic: a,
                service: (b % 2 == 0).then(|| self.service(a)),
                since: SimTime(c),
                counts: request_counts(a, b),
            },
            _ => Fact::Leader { term: a as u16 },
        }
    }

    fn outcome(&self, a: u32, b: u32) -> RequestOutcome {
        match b % 7 {
            0 => RequestOutcome::Answered(self.task(a)),
            1 => RequestOutcome::Refused(self.task(a)),
            2 => RequestOutcome::Lost(self.task(a)),
            3 => RequestOutcome::NoBackend,
            4 => RequestOutcome::Cut(self.task(a)),
            5 => RequestOutcome::Unreachable,
            _ => RequestOutcome::NoService,
        }
    }

    fn joined(&mut self, a: u32, b: u32, c: u64) -> Fact {
        self.nodes += 1;
        Fact::Node {
            node: NodeIx::from_index(self.nodes - 1),
            change: NodeChange::Joined {
                id: Identifier::new(c, u64::from(a)),
                name: text(b),
                manager: a % 2 == 0,
                availability: pick(
                    &[Availability::Active, Availability::Pause, Availability::Drain],
                    a,
                ),
                state: pick(&[NodeState::Ready, NodeState::Unknown, NodeState::Disconnected], b),
            },
        }
    }

    fn service_created(&mut self, a: u32, b: u32, c: u64) -> Fact {
        self.services += 1;
        Fact::Service {
            service: ServiceIx::from_index(self.services - 1),
            change: ServiceChange::Created {
                id: Identifier::new(u64::from(a), c),
                spec: Arc::new(spec(a, b, c)),
                version: SpecVersion(c),
            },
        }
    }

    fn task_created(&mut self, a: u32, b: u32, c: u64) -> Fact {
        self.tasks += 1;
        let created = TaskCreated {
            id: Identifier::new(c, c),
            service: self.service(a),
            slot: self.slot(a, b),
            ordinal: Ordinal(self.tasks as u32),
            image: text(b),
            version: SpecVersion(c),
            desired: pick(&TaskState::ALL, b),
            maker: pick(&[Maker::Orchestrator, Maker::Updater, Maker::Restart], a),
        };
        let task = TaskIx::from_index(self.tasks - 1);
        Fact::Task { task, change: TaskChange::Created(created) }
    }

    fn status(&self, a: u32, b: u32, c: u64) -> Option<UpdateStatus> {
        let task = self.task(b);
        let message = match a % 8 {
            0 => return None,
            1 => UpdateMessage::InProgress,
            2 => UpdateMessage::Completed,
            3 => UpdateMessage::RollbackCompleted,
            4 => UpdateMessage::ManuallyRequested,
            5 => UpdateMessage::PausedBy(task),
            6 => UpdateMessage::RolledBackBy(task),
            _ => UpdateMessage::RollbackPausedBy(task),
        };
        Some(UpdateStatus {
            state: pick(&UpdateState::ALL, b),
            message,
            started: SimTime(c),
            completed: (b % 2 == 0).then_some(SimTime(c / 2)),
        })
    }

    fn task_change(&self, a: u32, b: u32, c: u64) -> TaskChange {
        match b % 8 {
            0 => TaskChange::Desired(pick(&TaskState::ALL, a)),
            1 => TaskChange::Assigned {
                node: node(a, self.nodes),
                message: pick(&StatusMessage::ALL, a),
            },
            2 => TaskChange::Deleted,
            _ => TaskChange::Status(TaskStatus {
                state: pick(&TaskState::ALL, a),
                message: pick(&StatusMessage::ALL, a / 14),
                err: (a % 3 == 0).then(|| (&*text(a / 3)).into()),
                exit: (a % 2 == 0).then_some(b as i32),
                stamp: SimTime(c),
            }),
        }
    }

    fn waiting(&self, a: u32, b: u32, c: u64) -> Waiting {
        let (task, span) = (self.task(b), Span(c as i64));
        match a % 10 {
            0 => Waiting::OldTaskToStop(task),
            1 => Waiting::NewTaskToRun(task),
            2 => Waiting::Delay(span),
            3 => Waiting::Workers,
            4 => Waiting::FinalWatch(span),
            5 => Waiting::RestartDelay(task, span),
            6 => Waiting::SlotGivenUp,
            7 => Waiting::FailureForgiven(task, span),
            8 => Waiting::FailureTolerated(task, a, b),
            _ => Waiting::NotRestarted(task),
        }
    }
}

fn command(a: u32, b: u32, c: u64) -> CommandFact {
    match a % 5 {
        0 => CommandFact::Typed { step: b, line: text(b) },
        1 => CommandFact::Printed { step: b, stream: Stream::Out, text: text(b) },
        2 => CommandFact::Printed { step: b, stream: Stream::Err, text: text(b) },
        3 => CommandFact::Row { step: b, row: c as u16, shows: shown(b, c) },
        _ => CommandFact::Exited { step: b, code: c as u8 },
    }
}

fn shown(b: u32, c: u64) -> Shown {
    match c % 5 {
        0 => Shown::Tasks { running: c, wish: b.into(), rolling_back: b % 2 == 0 },
        1 => Shown::Bar {
            number: b.into(),
            of: c,
            state: TaskState::ALL[b as usize % TaskState::ALL.len()],
        },
        2 => Shown::Countdown(c),
        3 => Shown::Slot { number: c, of: b.into() },
        _ => Shown::from(&*text(b)),
    }
}

fn container(a: u32, b: u32) -> ContainerChange {
    match b % 6 {
        0 => ContainerChange::Created,
        1 => ContainerChange::Started,
        2 => ContainerChange::Signalled(Signal::Stop),
        3 => ContainerChange::Signalled(Signal::Kill),
        4 => ContainerChange::Died(a as i32),
        _ => ContainerChange::Removed,
    }
}

fn health(a: u32, b: u32, c: u64) -> HealthChange {
    let result = match b % 5 {
        0 => return HealthChange::Healthy,
        1 => return HealthChange::Unhealthy,
        2 => ProbeResult::Passed,
        3 => ProbeResult::Failed(a as i32),
        _ => ProbeResult::TimedOut(Span(c as i64)),
    };
    HealthChange::Probe { started: SimTime(c), result, streak: b }
}

fn node_change(a: u32, b: u32) -> NodeChange {
    match b % 6 {
        0 => NodeChange::State { state: NodeState::Down, message: pick(&NODE_MESSAGES, a) },
        1 => NodeChange::Availability(Availability::Drain),
        2 => NodeChange::Labels((0..a % 3).map(|n| format!("k{n}={}", text(b))).collect()),
        3 => NodeChange::Removed,
        4 => NodeChange::Crashed,
        _ => NodeChange::Booted,
    }
}

/// A spec in which about half of the parts are given.
pub(super) fn spec(a: u32, b: u32, c: u64) -> ServiceSpec {
    let bit = |n: u32| a >> (n % 32) & 1 == 1;
    let word = |n: u32| text(b.wrapping_add(n)).to_string();
    let map = |n: u32| (0..b.wrapping_add(n) % 3).map(|i| (word(i), word(n))).collect();
    let span = |n: u32| bit(n).then_some(Span((c >> (n % 64)) as i64));
    let config = |n: u32| UpdateConfig {
        parallelism: c,
        delay: Span(-(i64::from(n))),
        monitor: span(n),
        failure_action: pick(
            &[FailureAction::Pause, FailureAction::Continue, FailureAction::Rollback],
            b,
        ),
        max_failure_ratio: OrderedFloat(pick(&[0.0, 0.1, 1.0, f32::NAN, f32::MIN_POSITIVE], b)),
        order: pick(&[UpdateOrder::StopFirst, UpdateOrder::StartFirst], b),
    };
    ServiceSpec {
        name: word(1),
        labels: map(2),
        task: task_template(a, b, c),
        mode: match b % 4 {
            0 => Mode::Global,
            1 => Mode::GlobalJob,
            2 => Mode::ReplicatedJob { max_concurrent: c, total_completions: 3 },
            _ => Mode::Replicated { replicas: c },
        },
        update: bit(10).then(|| config(1)),
        rollback: bit(11).then(|| config(2)),
        endpoint: bit(12).then(|| EndpointSpec {
            mode: pick(&[ResolutionMode::Vip, ResolutionMode::DnsRr], b),
            ports: (0..b % 3)
                .map(|n| PortConfig {
                    published: n * 1000,
                    target: a,
                    protocol: pick(&[Protocol::Tcp, Protocol::Udp, Protocol::Sctp], n),
                    publish_mode: pick(&[PublishMode::Ingress, PublishMode::Host], n),
                })
                .collect(),
        }),
    }
}

fn task_template(a: u32, b: u32, c: u64) -> TaskTemplate {
    let bit = |n: u32| a >> (n % 32) & 1 == 1;
    let word = |n: u32| text(b.wrapping_add(n)).to_string();
    let words = |n: u32| (0..b.wrapping_add(n) % 3).map(|i| word(n + i)).collect::<Vec<_>>();
    let map = |n: u32| (0..b.wrapping_add(n) % 3).map(|i| (word(i), word(n))).collect();
    let span = |n: u32| bit(n).then_some(Span((c >> (n % 64)) as i64));
    TaskTemplate {
        container: container_spec(a, b, c),
        resources: bit(1).then(|| Resources {
            limits: Amounts { nano_cpus: c as i64, ..Amounts::default() },
            reservations: Amounts {
                generic: (0..b % 3).map(|i| (word(i), i64::from(i))).collect(),
                pids: i64::from(a % 2),
                ..Amounts::default()
            },
            swap_bytes: bit(2).then_some(-1),
            memory_swappiness: bit(3).then_some(0),
        }),
        restart: bit(4).then(|| RestartPolicy {
            condition: pick(&[RestartCondition::None, RestartCondition::OnFailure], b),
            delay: span(5),
            max_attempts: u64::from(b % 2),
            window: span(6),
        }),
        placement: bit(7).then(|| Placement {
            constraints: words(3),
            preferences: words(4),
            max_replicas: u64::from(b % 2),
            platforms: vec![Platform { architecture: word(5), os: word(6) }],
        }),
        networks: (0..b % 2)
            .map(|n| NetworkAttachment { target: word(n), aliases: words(n), driver_opts: map(n) })
            .collect(),
        log_driver: bit(8).then(|| LogDriver { name: word(7), options: map(8) }),
        force_update: u64::from(a % 3),
        pull_options: bit(9).then(|| word(9)),
    }
}

fn container_spec(a: u32, b: u32, c: u64) -> ContainerSpec {
    let bit = |n: u32| a >> (n % 32) & 1 == 1;
    let word = |n: u32| text(b.wrapping_mul(3).wrapping_add(n)).to_string();
    let words = |n: u32| (0..b.wrapping_add(n) % 3).map(|i| word(n + i)).collect::<Vec<_>>();
    let map = |n: u32| (0..b.wrapping_add(n) % 3).map(|i| (word(i), word(n))).collect();
    let file = |n: u32| FileReference {
        source: word(n),
        target: word(n + 1),
        uid: word(n + 2),
        gid: word(n + 3),
        mode: a,
    };
    ContainerSpec {
        image: word(0),
        labels: map(1),
        command: words(2),
        args: words(3),
        hostname: word(4),
        env: words(5),
        dir: word(6),
        user: word(7),
        groups: words(8),
        init: bit(20).then(|| bit(21)),
        stop_signal: word(9),
        tty: bit(13),
        open_stdin: bit(14),
        read_only: bit(15),
        mounts: (0..b % 3)
            .map(|n| Mount {
                kind: word(n),
                source: word(n + 1),
                target: word(n + 2),
                read_only: bit(n),
                options: map(n),
            })
            .collect(),
        stop_grace_period: bit(16).then_some(Span(c as i64)),
        healthcheck: bit(17).then(|| HealthConfig {
            test: words(1),
            interval: Span(c as i64),
            timeout: Span(0),
            start_period: Span(-1),
            start_interval: Span(i64::from(a)),
            retries: i64::from(a % 4),
        }),
        hosts: words(10),
        dns: bit(18).then(|| DnsConfig {
            nameservers: words(11),
            search: words(12),
            options: words(13),
        }),
        secrets: (0..b % 2).map(file).collect(),
        configs: (0..a % 2).map(file).collect(),
        isolation: word(14),
        sysctls: map(15),
        cap_add: words(16),
        cap_drop: words(17),
        ulimits: vec![Ulimit { name: word(18), soft: -1, hard: c as i64 }],
        oom_score_adj: i64::from(a % 2),
        credential_spec: word(19),
    }
}
