use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::base::dist::Quantity;
use crate::base::time::Span;
use crate::client::line::CommandLine;
use crate::docker::behaviour::{
    Command, CrashRate, Engine, Exit, Health, Image, LatencyChanges, Presence, Sigterm,
};
use crate::scenario::expect::{
    Claims, Expect, RequestClaim, ServiceClaim, ServiceClaims, StepClaim, Window,
};
use crate::scenario::fault::{Choice, Death, Fault, Pull, Software, What, When};
use crate::scenario::load;
use crate::scenario::model::{
    Action, Arrivals, Cluster, Curl, Limits, Node, Scenario, Step, StepNo, Target, Told, Traffic,
    Wait,
};
use crate::swarmkit::spec::HealthConfig;
use crate::swarmkit::task::{Availability, TaskState, UpdateState};

/// Any text that a name may be, with what YAML and JSON might stumble over.
fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,6}", "[ -~é\u{85}\u{2028}\u{feff}\n\t]{0,8}x", Just("null".to_string())]
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![(0i64..100).prop_map(Span::from_secs), (0i64..3_000_000_000_000).prop_map(Span)]
}

fn positive() -> impl Strategy<Value = Span> {
    span().boxed().prop_map(|span| span.plus(Span(1)))
}

fn quantity() -> impl Strategy<Value = Quantity> {
    let ascending = |mut spans: [Span; 5]| {
        spans.sort();
        spans
    };
    let five = || {
        [span().boxed(), span().boxed(), span().boxed(), span().boxed(), span().boxed()]
            .prop_map(ascending)
    };
    prop_oneof![
        span().boxed().prop_map(Quantity::Fixed),
        five().prop_map(|five| Quantity::Uniform(five[0], five[4])),
        five().prop_map(Quantity::Quantiles),
    ]
}

fn latency() -> impl Strategy<Value = LatencyChanges> {
    (of(quantity().boxed()), of(quantity().boxed()), of(quantity().boxed())).prop_map(
        |(pull, stop, probe)| LatencyChanges { pull, stop, probe, ..LatencyChanges::default() },
    )
}

const AVAILABILITIES: [Availability; 3] =
    [Availability::Active, Availability::Pause, Availability::Drain];

fn node(name: &'static str) -> impl Strategy<Value = Node> {
    let labels = btree_map(word().boxed(), word().boxed(), 0..3);
    let amounts = (0i64..1_000_000_000_000, 0i64..(1 << 50));
    (any::<bool>(), labels, amounts, select(&AVAILABILITIES[..]), latency().boxed()).prop_map(
        move |(worker, labels, (cpus, memory), availability, latency)| Node {
            name: name.to_string(),
            manager: name == "n0" || !worker,
            labels,
            cpus,
            memory,
            availability,
            latency,
        },
    )
}

fn cluster() -> impl Strategy<Value = Cluster> {
    let engine = select(&[Engine::V20_10_9, Engine::V20_10, Engine::V28, Engine::V29][..]);
    let names = || btree_set(word().boxed(), 0..3);
    let numbers = (-1i64..20, quantity().boxed(), span().boxed());
    (
        engine,
        (node("n0").boxed(), node("n.1").boxed()),
        latency().boxed(),
        numbers,
        names(),
        names(),
    )
        .prop_map(
            |(
                engine,
                (first, second),
                latency,
                (limit, request, commit_hop),
                networks,
                secrets,
            )| {
                Cluster {
                    engine,
                    nodes: vec![first, second],
                    latency,
                    task_history_limit: limit,
                    request,
                    commit_hop,
                    configs: networks.clone(),
                    networks,
                    secrets,
                }
            },
        )
}

fn health() -> impl Strategy<Value = Health> {
    prop_oneof![
        Just(Health::Ok),
        Just(Health::Fail),
        Just(Health::Hang),
        span().boxed().prop_map(Health::OkUntil),
        vec(any::<bool>(), 1..30).prop_map(Health::Pattern),
    ]
}

fn crash_rate() -> impl Strategy<Value = CrashRate> {
    (positive().boxed(), 0i32..256).prop_map(|(mean, code)| CrashRate { mean, code })
}

fn healthcheck() -> impl Strategy<Value = HealthConfig> {
    (
        vec(word().boxed(), 1..3),
        span().boxed(),
        span().boxed(),
        span().boxed(),
        span().boxed(),
        0i64..9,
    )
        .prop_map(|(test, interval, timeout, start_period, start_interval, retries)| {
            HealthConfig { test, interval, timeout, start_period, start_interval, retries }
        })
}

fn image() -> impl Strategy<Value = Image> {
    let present = prop_oneof![
        Just(Presence::Everywhere),
        Just(Presence::Nowhere),
        any::<bool>().prop_map(|has| Presence::Nodes(BTreeMap::from([("n.1".to_string(), has)]))),
    ];
    let exit = (span().boxed(), 0i32..256).prop_map(|(after, code)| Exit { after, code });
    let sigterm = prop_oneof![
        Just(Sigterm::Ignored),
        (span().boxed(), 0i32..256).prop_map(|(after, code)| Sigterm::Exits { after, code }),
    ];
    let command = select(&[Command::Ok, Command::NotFound][..]);
    let rest = (of(vec(1u32..9, 0..3)), of(crash_rate().boxed()), latency().boxed());
    (
        present,
        of(healthcheck().boxed()),
        span().boxed(),
        health().boxed(),
        of(exit),
        sigterm,
        command,
        rest,
    )
        .prop_map(
            |(present, healthcheck, serves_after, health, exit, sigterm, command, rest)| Image {
                present,
                healthcheck,
                serves_after,
                health,
                exit,
                sigterm,
                command,
                only_slots: rest.0,
                crash_rate: rest.1,
                latency: rest.2,
            },
        )
}

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        Just(Wait::Converged),
        Just(Wait::UpdateDone),
        vec(select(&UpdateState::ALL[..]), 1..3).prop_map(Wait::UpdateState),
        span().boxed().prop_map(Wait::For),
        positive().boxed().prop_map(Wait::Settled),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let curl = (1u16.., 1u32..1000, any::<bool>()).prop_map(|(port, times, known)| {
        let node = known.then(|| "n.1".to_string());
        let url = format!("http://{}:{port}/a?b", node.as_deref().unwrap_or("localhost"));
        Action::Curl(Curl { url, port, node, times })
    });
    let docker = word().boxed().prop_map(|word| {
        let quoted = shell_words::quote(&word).into_owned();
        let line = format!("docker service update --env-add {quoted} --image app:1 web");
        Action::Docker(CommandLine::new(&line))
    });
    let typed =
        (prop_oneof![curl, docker], of(span().boxed())).prop_map(|(action, at)| (action, at));
    let waits = (wait().boxed(), any::<bool>()).prop_map(|(until, named)| {
        let named = named && !matches!(until, Wait::For(_));
        (Action::Wait { until, service: named.then(|| "web".to_string()) }, None)
    });
    prop_oneof![typed, waits].prop_map(|(action, at)| Step { line: 0, label: None, at, action })
}

fn script() -> impl Strategy<Value = Vec<Step>> {
    vec((step().boxed(), any::<bool>()), 1..5).prop_map(|steps| {
        let create = Step::docker("docker service create --name web app:1");
        let label = |(index, (step, labelled)): (usize, (Step, bool))| Step {
            label: labelled.then(|| format!("s{index}")),
            ..step
        };
        let rest = steps.into_iter().enumerate().map(label);
        [create].into_iter().chain(rest).collect()
    })
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let kind = (1u16.., any::<u8>(), 0u32..100, span().boxed());
    // No source is faster than a request in ten microseconds.
    let every = span().prop_map(|span| span.plus(Span(10_000)));
    (kind, every.boxed(), any::<bool>(), of(span().boxed()), positive().boxed()).prop_map(
        |((port, bits, connections, takes), every, named, from, more)| Traffic {
            line: 0,
            target: if bits & 1 == 0 {
                Target::Port(port)
            } else {
                Target::Service("web".to_string())
            },
            every,
            arrivals: if bits & 2 == 0 { Arrivals::Steady } else { Arrivals::Random },
            connections,
            takes,
            told: if bits & 4 == 0 { Told::Each } else { Told::EachSecond },
            node: named.then(|| "n0".to_string()),
            from,
            until: from.map(|from| from.plus(more)),
        },
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    let choice = || select(vec![Choice::Any, Choice::Named("n.1".to_string())]);
    let app = || "app:1".to_string();
    let web = || "web".to_string();
    let death = prop_oneof![(1u8..=64).prop_map(Death::Signal), any::<u8>().prop_map(Death::Exit)];
    let whose = select(vec![Software::Image(app()), Software::Service(web())]);
    let pull = prop_oneof![Just(Pull::Fails), quantity().boxed().prop_map(Pull::Takes)];
    let what = prop_oneof![
        choice().prop_map(What::NodeCrash),
        choice().prop_map(What::NodeReturn),
        choice().prop_map(What::NodePartition),
        (choice(), select(&AVAILABILITIES[..])).prop_map(|(n, a)| What::NodeAvailability(n, a)),
        (of(1u32..99), death).prop_map(move |(slot, death)| What::Kill {
            service: web(),
            slot,
            death
        }),
        (whose, crash_rate().boxed()).prop_map(|(whose, rate)| What::CrashRate(whose, rate)),
        health().boxed().prop_map(move |health| What::Health(app(), health)),
        pull.prop_map(move |pull| What::Pull(app(), pull)),
        Just(What::ImageRemoved(app())),
        Just(What::RegistryDown),
        Just(What::LeaderChange),
    ];
    let when = prop_oneof![
        span().boxed().prop_map(When::At),
        (span().boxed(), span().boxed())
            .prop_map(|(from, more)| When::Between(from, from.plus(more))),
    ];
    (when, what, of(positive().boxed())).prop_map(|(when, what, lasts)| {
        let lasts = lasts.filter(|_| what.can_end());
        Fault { line: 0, when, what, lasts }
    })
}

/// Some claims about a service, in the order in which they are read.
fn service_claims() -> impl Strategy<Value = ServiceClaims> {
    let states = select(vec![
        vec![TaskState::Running],
        vec![TaskState::Preparing, TaskState::Ready, TaskState::Failed],
    ]);
    let state = of(of(select(&UpdateState::ALL[..])));
    let image = of(of(Just("app:1".to_string())));
    let waves = of((vec(1u64..9, 1..4), positive().boxed()));
    (
        state,
        of(word().boxed()),
        image,
        of(any::<u64>()),
        waves,
        of(states),
        of(span().boxed()),
        any::<bool>(),
    )
        .prop_map(|(state, message, image, number, waves, states, time, always)| {
            let mut claims: Vec<ServiceClaim> = Vec::new();
            claims.extend(state.map(ServiceClaim::Update));
            claims.extend(message.map(ServiceClaim::Message));
            claims.extend(image.clone().flatten().map(ServiceClaim::Image));
            let never = image.clone().flatten().map(ServiceClaim::NeverRunning);
            claims.extend(image.map(ServiceClaim::PreviousImage));
            if let Some(number) = number {
                claims.push(ServiceClaim::Replicas(number));
                claims.push(ServiceClaim::Running(number));
                claims.push(ServiceClaim::RunningAtLeast(number));
                claims.push(ServiceClaim::RunningAtMost(number));
                claims.push(ServiceClaim::TasksCreated(number));
                claims.push(ServiceClaim::SlotsUntouched(number));
                claims.push(ServiceClaim::SlotsReplaced(number));
            }
            claims.extend(waves.map(|(sizes, apart)| ServiceClaim::Waves { sizes, apart }));
            claims.extend(states.map(ServiceClaim::States));
            claims.extend(never);
            claims.push(ServiceClaim::UnavailableAtLeast(time.unwrap_or_default()));
            claims.extend(time.map(ServiceClaim::UnavailableAtMost));
            claims.extend(time.map(ServiceClaim::UpdateTakesAtLeast));
            claims.extend(time.map(ServiceClaim::UpdateTakesAtMost));
            let always = always && number.is_some();
            ServiceClaims { service: "web".to_string(), always, claims }
        })
}

fn claims() -> impl Strategy<Value = Claims> {
    let requests = (any::<u64>(), of(any::<bool>())).prop_map(|(number, alternate)| {
        let mut claims = vec![
            RequestClaim::Failed(number),
            RequestClaim::FailedAtLeast(number),
            RequestClaim::FailedAtMost(number),
            RequestClaim::Answered(number),
            RequestClaim::AnsweredAtLeast(number),
            RequestClaim::AnsweredByTasks(number),
            RequestClaim::AnsweredByImage("app:1".to_string()),
        ];
        claims.extend(alternate.map(RequestClaim::Alternate));
        Claims::Requests { service: "web".to_string(), claims }
    });
    let step =
        (any::<u8>(), vec(word().boxed(), 0..3), span().boxed()).prop_map(|(code, texts, time)| {
            let mut claims = vec![StepClaim::Exit(code)];
            claims.extend(texts.iter().cloned().map(StepClaim::Prints));
            claims.extend(texts.into_iter().map(StepClaim::PrintsNot));
            claims.push(StepClaim::DurationAtLeast(time));
            claims.push(StepClaim::DurationAtMost(time));
            Claims::Step { step: StepNo(0), claims }
        });
    prop_oneof![
        service_claims().boxed().prop_map(Claims::Service),
        requests,
        step,
        btree_set(word().boxed(), 0..3)
            .prop_map(|laws| Claims::LawsBroken(laws.into_iter().collect())),
    ]
}

fn expect() -> impl Strategy<Value = Expect> {
    let window = select(vec![
        Window::default(),
        Window { since: Some(StepNo(0)), after: Some(StepNo(1)) },
        Window { since: None, after: Some(StepNo(1)) },
    ]);
    (window, claims().boxed()).prop_map(|(window, claims)| Expect { line: 0, window, claims })
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let top = (
        word().boxed(),
        prop_oneof![Just(String::new()), word().boxed()],
        any::<u64>(),
        span().boxed(),
    );
    let images = image().boxed().prop_map(|image| BTreeMap::from([("app:1".to_string(), image)]));
    let lists =
        (vec(traffic().boxed(), 0..2), vec(fault().boxed(), 0..4), vec(expect().boxed(), 0..4));
    let limits = (positive().boxed(), 1u64..1000).prop_map(|(time, number)| Limits {
        time,
        events: number,
        tasks: number + 1,
        per_instant: number + 2,
    });
    (top, cluster().boxed(), images, script().boxed(), lists, limits).prop_map(
        |((name, question, seed, watch), cluster, images, script, mut lists, limits)| {
            // Who answered what is only counted nobody knows: such a file is refused.
            if lists.2.iter().any(|expect| matches!(expect.claims, Claims::Requests { .. })) {
                lists.0.iter_mut().for_each(|traffic| traffic.told = Told::Each);
            }
            Scenario {
                name,
                question,
                seed,
                cluster,
                images,
                environment: [("TAG".to_string(), "2: \"x\"\n".to_string())].into(),
                files: [("a.yml".to_string(), "services: {web: {image: a}}\n".to_string())].into(),
                script,
                traffic: lists.0,
                faults: lists.1,
                expect: lists.2,
                watch,
                limits,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The printed scenario is the scenario, for JSON readers as well.
    #[test]
    fn a_printed_model_reads_back(scenario in scenario()) {
        let text = scenario.to_json();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        match load(&text) {
            Ok(again) => {
                prop_assert_eq!(again.to_json(), text);
                prop_assert_eq!(again.without_places(), scenario);
            }
            Err(problems) => prop_assert!(false, "{}\n{}", text, problems),
        }
    }
}

#[test]
fn a_small_scenario_prints_with_its_defaults() {
    let scenario = load("{name: a, script: [docker service ls, {wait: 5s}]}").unwrap();
    insta::assert_snapshot!(scenario.to_json());
}

/// A command longer than a key of YAML may be.
#[test]
fn long_lines_read_back() {
    let line = format!("docker service create --name web --env A={} app", "x".repeat(5000));
    let scenario = Scenario {
        name: "a".to_string(),
        script: vec![Step::docker(&line)],
        ..Scenario::default()
    };
    let again = load(&scenario.to_json()).map_err(|problems| problems.to_string());
    assert_eq!(again.map(Scenario::without_places), Ok(scenario));
}
