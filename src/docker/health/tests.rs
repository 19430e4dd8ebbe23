use super::*;
use crate::base::chance::{Seed, Whom};
use Verdict::{Healthy, Unhealthy};

/// Start of every container here: not zero, so that absolute and relative times cannot be confused.
const T0: SimTime = SimTime(1_000_000_000_000);

/// Duration of a probe that answers, unless a test says otherwise.
const P: Span = Span::from_ms(100);

struct Bench {
    probing: Probing,
    image: Image,
    duration: Quantity,
    engine: Engine,
    slot: u32,
    list_probes: bool,
}

fn bench(interval: i64, retries: u32, health: Health) -> Bench {
    Bench {
        probing: Probing {
            interval: Span::from_secs(interval),
            timeout: Span::from_secs(3),
            start_period: Span::ZERO,
            start_interval: Span::from_secs(5),
            retries,
        },
        image: Image { health, ..Image::default() },
        duration: Quantity::Fixed(P),
        engine: Engine::V28,
        slot: 1,
        list_probes: true,
    }
}

impl Bench {
    fn course(&self) -> Course<'_> {
        Course {
            probing: &self.probing,
            image: &self.image,
            duration: &self.duration,
            engine: self.engine,
            key: Seed(7).key(Whom::Service, "web"),
            slot: self.slot,
            ordinal: 1,
            list_probes: self.list_probes,
        }
    }

    /// At most `count` probes: start and end in milliseconds, streak, verdict.
    fn run(&self, count: usize) -> Vec<(u64, u64, u32, Option<Verdict>)> {
        let mut monitor = Monitor::new(T0);
        std::iter::from_fn(|| {
            let planned = monitor.plan(&self.course())?;
            let ended = monitor.end(planned.end, &self.course())?;
            Some((ms(ended.started), ms(planned.end), ended.streak, ended.verdict))
        })
        .take(count)
        .collect()
    }

    /// The end of the probe that gave the first verdict, in milliseconds, and the verdict.
    fn verdict(&self) -> Option<(u64, Verdict)> {
        self.run(1000).into_iter().find_map(|(_, end, _, verdict)| Some((end, verdict?)))
    }
}

fn ms(time: SimTime) -> u64 {
    time.since(T0).0 as u64 / 1_000_000
}

fn config(test: &[&str], interval: i64, retries: i64) -> HealthConfig {
    HealthConfig {
        test: test.iter().map(ToString::to_string).collect(),
        interval: Span::from_secs(interval),
        retries,
        ..HealthConfig::default()
    }
}

#[test]
fn zero_fields_are_the_images_and_then_the_engines() {
    let image = HealthConfig { start_period: Span::from_secs(7), ..config(&["CMD", "true"], 5, 4) };
    let expected = Probing {
        interval: Span::from_secs(2),
        timeout: Span::from_secs(30),
        start_period: Span::from_secs(7),
        start_interval: Span::from_secs(5),
        retries: 4,
    };
    assert_eq!(effective(Some(&config(&[], 2, 0)), Some(&image)), Some(expected));
    let expected = Probing { interval: Span::from_secs(5), ..expected };
    assert_eq!(effective(None, Some(&image)), Some(expected));
    let bare = config(&["CMD", "true"], 0, 0);
    let expected =
        Probing { interval: Span::from_secs(30), start_period: Span::ZERO, retries: 3, ..expected };
    assert_eq!(effective(Some(&bare), None), Some(expected));
}

#[test]
fn no_test_and_none_mean_no_health_check() {
    let image = config(&["CMD", "true"], 5, 0);
    assert_eq!(effective(None, None), None);
    assert_eq!(effective(Some(&config(&[], 5, 0)), None), None);
    assert_eq!(effective(Some(&config(&["NONE"], 0, 0)), Some(&image)), None);
    assert_eq!(effective(None, Some(&config(&["NONE"], 0, 0))), None);
    assert!(effective(Some(&config(&[], 0, 0)), Some(&image)).is_some());
}

/// Q48: never before one interval has passed.
#[test]
fn first_healthy_after_one_interval_and_a_probe() {
    assert_eq!(bench(5, 3, Health::Ok).verdict(), Some((5_100, Healthy)));
    assert_eq!(bench(30, 3, Health::Ok).verdict(), Some((30_100, Healthy)));
}

#[test]
fn never_healthy_after_retries_times_interval_and_probe() {
    assert_eq!(
        bench(5, 3, Health::Fail).run(4),
        [
            (5_000, 5_100, 1, None),
            (10_100, 10_200, 2, None),
            (15_200, 15_300, 3, Some(Unhealthy)),
            // Probes go on while it is stopped.
            (20_300, 20_400, 4, None),
        ]
    );
    assert_eq!(
        bench(5, 3, Health::Hang).verdict(),
        Some((24_000, Unhealthy)),
        "three intervals and three time-outs"
    );
}

#[test]
fn breaking_after_a_good_probe_takes_retries_times_interval_and_probe() {
    // The second probe, at 10.1 s, is the last good one.
    let bench = bench(5, 3, Health::OkUntil(Span::from_ms(10_150)));
    let verdicts: Vec<_> =
        bench.run(5).into_iter().filter_map(|(_, end, _, v)| v.map(|v| (end, v))).collect();
    assert_eq!(verdicts, [(5_100, Healthy), (10_200 + 3 * 5_100, Unhealthy)]);
}

/// Recording `startperiod4-never`: unhealthy 5.3 s after the start on 20.10 and 6.1 s on 28.
#[test]
fn a_start_period_of_a_container_that_is_never_healthy() {
    let mut bench = bench(1, 2, Health::Fail);
    bench.probing.start_period = Span::from_secs(4);
    bench.duration = Quantity::ms(50);
    bench.engine = Engine::V20_10;
    assert_eq!(
        bench.run(5),
        [
            (1_000, 1_050, 0, None),
            (2_050, 2_100, 0, None),
            (3_100, 3_150, 0, None),
            (4_150, 4_200, 1, None),
            (5_200, 5_250, 2, Some(Unhealthy)),
        ]
    );
    bench.engine = Engine::V28;
    assert_eq!(
        bench.run(2),
        [(5_000, 5_050, 1, None), (6_050, 6_100, 2, Some(Unhealthy))],
        "one wait of 5 s, which is not cut short by the end of the start period"
    );
}

/// Recording `startperiod6-slow4`: healthy 4.2 s after the start on 20.10 and 5.1 s on 28.
#[test]
fn a_start_period_of_a_container_that_is_slow() {
    let mut bench = bench(1, 2, Health::Ok);
    bench.probing.start_period = Span::from_secs(6);
    bench.image.serves_after = Span::from_secs(4);
    bench.duration = Quantity::ms(50);
    bench.engine = Engine::V20_10;
    assert_eq!(bench.verdict(), Some((4_200, Healthy)));
    bench.engine = Engine::V28;
    assert_eq!(bench.run(2), [(5_000, 5_050, 0, Some(Healthy)), (6_050, 6_100, 0, None)]);
    bench.probing.start_interval = Span::from_secs(1);
    assert_eq!(bench.verdict(), Some((4_200, Healthy)));
}

/// Q47: after one success failures count, inside the start period too.
#[test]
fn one_success_ends_the_start_period() {
    let mut bench = bench(1, 2, Health::OkUntil(Span::from_ms(1_500)));
    bench.probing.start_period = Span::from_secs(60);
    bench.engine = Engine::V20_10;
    assert_eq!(
        bench.run(3),
        [
            (1_000, 1_100, 0, Some(Healthy)),
            (2_100, 2_200, 1, None),
            (3_200, 3_300, 2, Some(Unhealthy)),
        ]
    );
}

/// Recordings `flaky110-retries2` and `flaky0001-retries3`.
#[test]
fn patterns_turn_unhealthy_only_by_enough_failures_in_a_row() {
    let pattern = |text: &str| Health::Pattern(text.bytes().map(|b| b == b'1').collect());
    let flaky = bench(1, 2, pattern("110"));
    let streaks: Vec<_> = flaky.run(7).into_iter().map(|(_, _, streak, _)| streak).collect();
    assert_eq!(streaks, [0, 0, 1, 0, 0, 1, 0]);
    assert_eq!(flaky.run(7).iter().filter(|probe| probe.3.is_some()).count(), 1);
    let verdicts: Vec<_> = bench(1, 3, pattern("0001")).run(4).iter().map(|p| p.3).collect();
    assert_eq!(verdicts, [None, None, Some(Unhealthy), Some(Healthy)]);
}

#[test]
fn other_slots_are_always_good() {
    let mut bench = bench(5, 3, Health::Fail);
    bench.image.only_slots = Some(vec![2]);
    assert_eq!(bench.verdict(), Some((5_100, Healthy)));
    bench.slot = 2;
    assert_eq!(bench.verdict(), Some((15_300, Unhealthy)));
}

#[test]
fn a_good_answer_after_the_timeout_is_a_failure() {
    let mut bench = bench(5, 1, Health::Ok);
    bench.probing.timeout = Span::from_ms(60);
    assert_eq!(bench.verdict(), Some((5_060, Unhealthy)));
}

/// Whoever begins to serve, or to be watched, in the moment of a probe does so for that probe; a
/// probe that takes as long as it may is in time.
#[test]
fn limits_are_met_exactly() {
    let mut slow = bench(5, 3, Health::Ok);
    slow.image.serves_after = Span::from_secs(5);
    assert_eq!(slow.verdict(), Some((5_100, Healthy)));
    let mut early = bench(5, 1, Health::Fail);
    early.engine = Engine::V20_10;
    early.probing.start_period = Span::from_secs(5);
    assert_eq!(early.verdict(), Some((5_100, Unhealthy)));
    let mut long = bench(5, 1, Health::Ok);
    long.duration = Quantity::Fixed(long.probing.timeout);
    assert_eq!(long.verdict(), Some((8_000, Healthy)));
}

#[test]
fn a_pattern_without_answers_is_good() {
    assert_eq!(bench(5, 3, Health::Pattern(Vec::new())).verdict(), Some((5_100, Healthy)));
}

#[test]
fn durations_of_probes_are_drawn_one_by_one() {
    let mut bench = bench(1, 3, Health::Ok);
    bench.duration = Quantity::Uniform(Span::from_ms(10), Span::from_ms(900));
    let mut durations: Vec<_> = bench.run(9).iter().map(|(start, end, ..)| end - start).collect();
    durations.sort_unstable();
    durations.dedup();
    assert!(durations.len() > 6, "{durations:?}");
}

/// What is left out when probes are not listed leaves everything else as it is.
#[test]
fn leaving_out_what_changes_nothing_changes_no_moment() {
    let pattern = |text: &str| Health::Pattern(text.bytes().map(|b| b == b'1').collect());
    for health in [
        Health::Ok,
        Health::Fail,
        Health::OkUntil(Span::from_secs(600)),
        pattern("0111"),
        pattern("1111111111110000"),
        pattern("1011100011"),
    ] {
        for start_period in [0, 47] {
            let mut bench = bench(5, 3, health.clone());
            bench.probing.start_period = Span::from_secs(start_period);
            bench.duration = Quantity::quantiles_ms([27, 42, 53, 75, 137]);
            let within = |probes: Vec<(u64, u64, u32, Option<Verdict>)>| {
                probes.into_iter().filter(|probe| probe.1 < 900_000).collect::<Vec<_>>()
            };
            let mut last = 0;
            let mut expected = within(bench.run(400));
            expected.retain(|(_, _, streak, verdict)| {
                let before = std::mem::replace(&mut last, *streak);
                verdict.is_some() || *streak > 0 || before > 0
            });
            if bench.image.health == pattern("0111") {
                // Never two in a row: healthy for good once it is healthy.
                expected.truncate(expected.iter().position(|p| p.3.is_some()).map_or(0, |p| p + 1));
            }
            bench.list_probes = false;
            assert_eq!(within(bench.run(400)), expected, "{health:?}, {start_period}");
        }
    }
}

#[test]
fn a_container_that_stays_healthy_needs_no_timer() {
    let mut bench = bench(5, 3, Health::Ok);
    bench.list_probes = false;
    assert_eq!(bench.run(10), [(5_000, 5_100, 0, Some(Healthy))]);
}

#[test]
fn a_probe_that_may_last_longer_than_the_timeout_needs_timers_for_ever() {
    let mut bench = bench(5, 3, Health::Ok);
    bench.list_probes = false;
    bench.duration = Quantity::Uniform(P, Span::from_secs(3));
    assert_eq!(bench.run(10).len(), 1, "the timeout itself is in time");
    bench.duration = Quantity::Uniform(P, Span::from_secs(4));
    let seen = bench.run(10);
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().any(|(_, _, streak, _)| *streak > 0), "{seen:?}");
}

#[test]
fn probes_are_foreground_while_anything_is_open() {
    let mut bench = bench(5, 3, Health::Pattern(vec![true, false, true, true]));
    let mut monitor = Monitor::new(T0);
    let mut seen = Vec::new();
    for _ in 0..5 {
        let planned = monitor.plan(&bench.course()).expect("all are listed");
        monitor.end(planned.end, &bench.course());
        seen.push(planned.foreground);
    }
    // Starting; then healthy for good; after the bad one a streak.
    assert_eq!(seen, [true, false, true, false, false]);
    bench.image.health = Health::OkUntil(Span::from_secs(3600));
    let mut monitor = Monitor::new(T0);
    bench.list_probes = false;
    let first = monitor.plan(&bench.course()).expect("not healthy yet");
    monitor.end(first.end, &bench.course());
    let change = monitor.plan(&bench.course()).expect("a change is ahead");
    assert!(change.foreground && change.end >= T0.after(Span::from_secs(3600)));
    assert!(change.end < T0.after(Span::from_secs(3606)));
}

/// Changes at `now`; gives what happens afterwards, as `run` does.
fn changed(bench: &Bench, now: u64, health: Health) -> Vec<(u64, u64, u32, Option<Verdict>)> {
    let mut monitor = Monitor::new(T0);
    let now = T0.after(Span::from_ms(now as i64));
    let mut planned = monitor.plan(&bench.course());
    while let Some(probe) = planned.filter(|probe| probe.end <= now) {
        monitor.end(probe.end, &bench.course());
        planned = monitor.plan(&bench.course());
    }
    planned = monitor.change(now, Arc::new(health), &bench.course());
    let mut seen = Vec::new();
    while let Some(probe) = planned.filter(|_| seen.len() < 3) {
        let ended = monitor.end(probe.end, &bench.course()).expect("it was planned");
        seen.push((ms(ended.started), ms(probe.end), ended.streak, ended.verdict));
        planned = monitor.plan(&bench.course());
    }
    seen
}

#[test]
fn behaviour_that_changes_is_seen_by_the_next_probe() {
    let mut bench = bench(5, 2, Health::Ok);
    for list_probes in [false, true] {
        bench.list_probes = list_probes;
        // Probes start at 5 000 + 5 100 n; 20 400 lies in the wait for the fifth.
        assert_eq!(
            changed(&bench, 20_450, Health::Fail)[..2],
            [(25_400, 25_500, 1, None), (30_500, 30_600, 2, Some(Unhealthy))]
        );
        // The probe under way keeps its answer and its end, from its first moment on.
        for now in [20_300, 20_350] {
            assert_eq!(
                changed(&bench, now, Health::Hang),
                [
                    (20_300, 20_400, 0, None),
                    (25_400, 28_400, 1, None),
                    (33_400, 36_400, 2, Some(Unhealthy)),
                ]
            );
        }
    }
}

#[test]
fn a_probe_keeps_its_answer_however_often_behaviour_changes_meanwhile() {
    let bench = bench(5, 2, Health::Ok);
    let mut monitor = Monitor::new(T0);
    monitor.plan(&bench.course());
    for (now, health) in [(5_050, Health::Fail), (5_060, Health::Hang)] {
        let now = T0.after(Span::from_ms(now));
        let planned = monitor.change(now, Arc::new(health), &bench.course());
        let end = T0.after(Span::from_ms(5_100));
        assert_eq!(planned, Some(Planned { end, foreground: true }));
    }
    let ended = monitor.end(T0.after(Span::from_ms(5_100)), &bench.course());
    assert_eq!(ended.and_then(|ended| ended.verdict), Some(Healthy));
}

#[test]
fn a_change_after_a_very_long_time_is_found_by_division() {
    let mut bench = bench(1, 1, Health::Ok);
    bench.list_probes = false;
    let day = 86_400_000;
    let (start, _, streak, verdict) = changed(&bench, 30 * day, Health::Fail)[0];
    assert_eq!((streak, verdict), (1, Some(Unhealthy)));
    assert!((30 * day..=30 * day + 1_000).contains(&start), "{start}");
}

#[test]
fn probes_that_are_passed_over_by_division_are_counted() {
    let mut bench = bench(1, 1, Health::Ok);
    bench.list_probes = false;
    let mut monitor = Monitor::new(T0);
    let first = monitor.plan(&bench.course()).expect("not healthy yet");
    monitor.end(first.end, &bench.course());
    let span = Span::from_secs(1_000_000);
    monitor.change(T0.after(span), Arc::new(Health::Fail), &bench.course());
    // Ten thousand of 1.1 s each behind the first, and one a second from then on.
    assert_eq!(monitor.next, 10_000 + (1_000_000_000 - 11_001_100) / 1_000);
}

/// However far a change is ahead, one call computes a bounded number of probes.
#[test]
fn a_far_change_is_reached_in_steps() {
    let mut bench = bench(1, 1, Health::OkUntil(Span::from_secs(20_000)));
    bench.list_probes = false;
    let mut monitor = Monitor::new(T0);
    let listed: Vec<bool> = std::iter::from_fn(|| {
        let planned = monitor.plan(&bench.course())?;
        Some(monitor.end(planned.end, &bench.course())?.listed)
    })
    .take(4)
    .collect();
    assert_eq!(listed, [true, false, true, true], "healthy, a step, bad, bad");
}

#[test]
fn the_test_is_the_services_own_or_the_images() {
    let image = config(&["CMD", "image"], 5, 4);
    let tests = [config(&[], 2, 0), config(&["CMD", "own"], 0, 0), config(&["NONE"], 0, 0)]
        .map(|own| merged(Some(&own), Some(&image)).map(|health| health.test[1].clone()));
    assert_eq!(tests, [Some("image".to_string()), Some("own".to_string()), None]);
    assert_eq!(merged(None, Some(&image)).map(|health| health.retries), Some(4));
}

/// Four probes share a block of the task's draws, from block 1 on; each has two words of it.
#[test]
fn a_probe_is_drawn_at_its_own_address() {
    let bench = bench(5, 3, Health::Ok);
    let course = bench.course();
    let mut luck = Luck::default();
    for number in [0, 1, 5, 2, 9] {
        let block = course.key.block(Role::Task, 1, 1, 1 + u64::from(number) / 4);
        let word = block[2 * (number as usize % 4)];
        assert_eq!(luck.of_probe(number, &course), word, "probe {number}");
    }
}
