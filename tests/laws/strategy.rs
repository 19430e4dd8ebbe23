//! Random scenarios. The simplest value comes first everywhere, so that failures shrink to it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::case::{Case, Fault, Flag, Image, Mode, Ms, Node, Service, Step, Trouble, Wait, What};

/// Any scenario.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    let cluster = (
        any::<u64>(),
        select(&["29", "28", "20.10"][..]),
        option::weighted(0.2, select(&[-1_i8, 0, 1, 2, 10][..])),
        vec(node(), 1..=6),
    );
    let life = (vec(step(), 0..=9), vec(fault(), 0..=3), any::<bool>());
    (cluster, vec(image(), 1..=3), vec(service(), 1..=3), life).prop_map(
        |((seed, engine, history, nodes), images, services, (script, faults, traffic))| Case {
            seed,
            engine,
            history,
            nodes,
            images,
            services,
            script,
            faults,
            traffic,
        },
    )
}

/// A time at which something else is likely to happen as well, or any.
fn span() -> impl Strategy<Value = Ms> {
    let common = &[0, 100, 1_000, 2_000, 5_000, 6_000, 10_000, 15_000, 30_000, 70_000][..];
    prop_oneof![3 => select(common), 1 => 0_u32..40_000].prop_map(Ms)
}

/// A short time.
fn short() -> impl Strategy<Value = Ms> {
    prop_oneof![select(&[0, 500, 1_000, 2_000, 5_000][..]), 0_u32..8_000].prop_map(Ms)
}

fn moment() -> impl Strategy<Value = Ms> {
    (0_u32..180_000).prop_map(Ms)
}

fn node() -> impl Strategy<Value = Node> {
    (
        prop::bool::weighted(0.3),
        select(&["active", "active", "active", "active", "active", "pause", "drain"][..]),
        option::of(select(&["a", "b"][..])),
        select(&[4_u8, 4, 1, 2][..]),
    )
        .prop_map(|(manager, availability, zone, cpus)| Node {
            manager,
            availability,
            zone,
            cpus,
        })
}

fn image() -> impl Strategy<Value = Image> {
    let words = vec(word(), 0..=3);
    (option::weighted(0.6, healthcheck()), words).prop_map(|(healthcheck, mut words)| {
        words.extend(healthcheck);
        // A key may be given once.
        let mut seen = Vec::new();
        words.retain(|word: &String| {
            let key = word.split(':').next().unwrap_or_default().to_string();
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
        Image { words }
    })
}

fn healthcheck() -> impl Strategy<Value = String> {
    let second = || select(&[1_u32, 2, 5]);
    let start = option::weighted(0.3, short());
    (second(), second(), 1_u32..=3, start).prop_map(|(interval, timeout, retries, start)| {
        let start = start.map_or(String::new(), |start| format!(", start_period: {start}"));
        format!(
            "healthcheck: {{interval: {interval}s, timeout: {timeout}s, retries: {retries}{start}}}"
        )
    })
}

/// One way to differ from software that is well and quick.
fn word() -> impl Strategy<Value = String> {
    let code = || select(&[1_u8, 0, 137]);
    prop_oneof![
        3 => short().prop_map(|span| format!("serves_after: {span}")),
        2 => Just("health: fail".to_string()),
        1 => Just("health: hang".to_string()),
        2 => span().prop_map(|span| format!("health: {{ok_until: {span}}}")),
        1 => "[01]{1,5}".prop_map(|digits| format!("health: {{pattern: \"{digits}\"}}")),
        2 => (span(), code()).prop_map(|(after, code)| {
            format!("exit: {{after: {after}, code: {code}}}")
        }),
        1 => Just("sigterm: ignored".to_string()),
        2 => (short(), code()).prop_map(|(after, code)| {
            format!("sigterm: {{exits_after: {after}, code: {code}}}")
        }),
        1 => Just("command: not_found".to_string()),
        1 => Just("present: false".to_string()),
        1 => Just("present: {node-1: true}".to_string()),
        1 => (1_u8..4).prop_map(|slot| format!("only_slots: [{slot}]")),
        1 => (select(&[20_u8, 60, 200]), code()).prop_map(|(mean, code)| {
            format!("crash_rate: {{mean: {mean}s, code: {code}}}")
        }),
        1 => short().prop_map(|span| format!("latency: {{pull: {span}}}")),
        1 => short().prop_map(|span| format!("latency: {{prepare: {span}, start: 400ms}}")),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    (mode(), 0_u8..=8, any::<u8>(), any::<bool>(), vec(flag(), 0..=5)).prop_map(
        |(mode, replicas, image, attached, flags)| Service {
            mode,
            replicas,
            image,
            attached,
            flags,
        },
    )
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        14 => Just(Mode::Replicated),
        4 => Just(Mode::Global),
        1 => option::of(0_u8..4).prop_map(Mode::ReplicatedJob),
        1 => Just(Mode::GlobalJob),
    ]
}

const fn both(name: &'static str) -> (&'static str, &'static str) {
    (name, name)
}

/// A flag and its value.
fn flag() -> impl Strategy<Value = Flag> {
    prop_oneof![
        6 => roll_out(),
        2 => restart(),
        2 => placement(),
        1 => container(),
    ]
    .prop_map(|((create, update), value)| Flag { create, update, value })
}

type Pair = ((&'static str, &'static str), String);

/// The flags of update and rollback.
fn roll_out() -> impl Strategy<Value = Pair> {
    let one = |update: &'static str, rollback: &'static str| {
        prop::bool::weighted(0.4).prop_map(move |back| both(if back { rollback } else { update }))
    };
    prop_oneof![
        (one("--update-parallelism", "--rollback-parallelism"), 0_u8..5)
            .prop_map(|(flag, value)| (flag, value.to_string())),
        (one("--update-delay", "--rollback-delay"), span())
            .prop_map(|(flag, value)| (flag, value.to_string())),
        (one("--update-monitor", "--rollback-monitor"), span())
            .prop_map(|(flag, value)| (flag, value.to_string())),
        one("--update-order", "--rollback-order")
            .prop_map(|flag| (flag, "start-first".to_string())),
        one("--update-failure-action", "--rollback-failure-action")
            .prop_map(|flag| (flag, "continue".to_string())),
        Just((both("--update-failure-action"), "rollback".to_string())),
        (
            one("--update-max-failure-ratio", "--rollback-max-failure-ratio"),
            select(&["0", "0.1", "0.25", "0.5", "1"][..])
        )
            .prop_map(|(flag, value)| (flag, value.to_string())),
    ]
}

fn restart() -> impl Strategy<Value = Pair> {
    prop_oneof![
        select(&["any", "on-failure", "none"][..])
            .prop_map(|value| (both("--restart-condition"), value.to_string())),
        span().prop_map(|value| (both("--restart-delay"), value.to_string())),
        (0_u8..4).prop_map(|value| (both("--restart-max-attempts"), value.to_string())),
        span().prop_map(|value| (both("--restart-window"), value.to_string())),
    ]
}

fn placement() -> impl Strategy<Value = Pair> {
    let constraints = &[
        "node.role==worker",
        "node.role==manager",
        "node.labels.zone==a",
        "node.labels.zone!=b",
        "node.hostname==node-2",
    ][..];
    prop_oneof![
        select(constraints)
            .prop_map(|value| (("--constraint", "--constraint-add"), value.to_string())),
        select(constraints).prop_map(|value| (("", "--constraint-rm"), value.to_string())),
        Just((("--placement-pref", "--placement-pref-add"), "spread=node.labels.zone".to_string())),
        (1_u8..4).prop_map(|value| (both("--replicas-max-per-node"), value.to_string())),
        select(&["1", "0.5", "3"][..]).prop_map(|value| (both("--reserve-cpu"), value.to_string())),
        select(&["256M", "3G", "6G"][..])
            .prop_map(|value| (both("--reserve-memory"), value.to_string())),
    ]
}

fn container() -> impl Strategy<Value = Pair> {
    prop_oneof![
        (0_u8..3).prop_map(|value| (("--env", "--env-add"), format!("A={value}"))),
        (0_u8..3).prop_map(|value| (("--label", "--label-add"), format!("a={value}"))),
        span().prop_map(|value| (both("--stop-grace-period"), value.to_string())),
        (8_001_u16..8_003).prop_map(|port| (("--publish", "--publish-add"), format!("{port}:80"))),
        (8_001_u16..8_003).prop_map(|port| {
            let value = format!("published={port},target=80,mode=host");
            (("--publish", "--publish-add"), value)
        }),
        Just((("", "--publish-rm"), "80".to_string())),
        Just((("--health-cmd", "--health-cmd"), "probe".to_string())),
        (1_u8..4).prop_map(|value| (both("--health-retries"), value.to_string())),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (what(), option::weighted(0.2, moment())).prop_map(|(what, at)| {
        // Waiting is what the first terminal does.
        let at = at.filter(|_| !matches!(what, What::Wait(_)));
        Step { at, what }
    })
}

fn what() -> impl Strategy<Value = What> {
    let service = any::<u8>;
    let flags = &[
        "--availability drain",
        "--availability pause",
        "--availability active",
        "--label-add zone=a",
        "--label-add zone=b",
        "--label-rm zone",
    ][..];
    let update = (service(), option::weighted(0.7, any::<u8>()), any::<bool>());
    let update = (update, vec(flag(), 0..=3), prop::bool::weighted(0.1));
    prop_oneof![
        5 => wait().prop_map(What::Wait),
        8 => update.prop_map(|((service, image, attached), flags, force)| {
            What::Update { service, image, attached, flags, force }
        }),
        3 => (service(), 0_u8..=8, any::<bool>()).prop_map(|(service, replicas, attached)| {
            What::Scale { service, replicas, attached }
        }),
        3 => (service(), any::<bool>()).prop_map(|(service, attached)| {
            What::Rollback { service, attached }
        }),
        3 => (any::<u8>(), select(flags)).prop_map(|(node, flag)| What::Node { node, flag }),
        1 => service().prop_map(|service| What::Remove { service }),
        1 => service().prop_map(|node| What::RemoveNode { node }),
        1 => service().prop_map(|service| What::CreateAgain { service }),
        1 => (service(), select(&["ps", "inspect", "inspect --pretty"][..]))
            .prop_map(|(service, command)| What::Look { service, command }),
    ]
}

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        4 => span().prop_map(Wait::For),
        1 => select(&["converged", "update-done"][..]).prop_map(Wait::Until),
        1 => short().prop_map(|span| Wait::Settled(Ms(span.0 + 1_000))),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    let node =
        &["crash: true", "partition: true", "availability: drain", "availability: pause"][..];
    let image = &[
        "health: fail",
        "health: ok",
        "health: hang",
        "pull: 8s",
        "pull: fail",
        "removed: true",
        "crash_rate: {mean: 20s, code: 1}",
    ][..];
    let lasting = prop_oneof![
        3 => (any::<u8>(), select(node)).prop_map(|(node, what)| Trouble::Node(node, what)),
        2 => (any::<u8>(), select(image)).prop_map(|(image, what)| Trouble::Image(image, what)),
        1 => Just(Trouble::Registry),
    ];
    let blow = prop_oneof![
        2 => (any::<u8>(), option::of(1_u8..5), select(&["kill: 9", "exit: 3", "exit: 0"][..]))
            .prop_map(|(service, slot, what)| Trouble::Service(service, slot, what)),
        1 => (any::<u8>(), Just("return: true")).prop_map(|(n, what)| Trouble::Node(n, what)),
        1 => Just(Trouble::Leader),
    ];
    let lasting = (lasting, option::weighted(0.7, span().prop_map(|span| Ms(span.0 + 100))));
    prop_oneof![
        (moment(), lasting).prop_map(|(at, (what, lasts))| Fault { at, lasts, what }),
        (moment(), blow).prop_map(|(at, what)| Fault { at, lasts: None, what }),
    ]
}
