use super::*;
use crate::base::chance::{Seed, Whom};
use crate::docker::behaviour::{Image, Sigterm};
use crate::docker::health::Probing;
use crate::swarmkit::agent::exec::Operation as Op;

/// A controller with its timers, and everything it has said: `milliseconds what`.
struct Bench {
    controller: Controller,
    now: SimTime,
    /// From which the log and `until` count.
    origin: SimTime,
    timers: Vec<(SimTime, Timer)>,
    log: Vec<String>,
}

fn template() -> Template {
    Template {
        image_name: Arc::from("app:v1"),
        image_key: Arc::from("app:v1"),
        image: Arc::new(Image::default()),
        program: Arc::from("/app"),
        probing: None,
        grace: Span::from_secs(10),
        has_service_binding: false,
        engine: Engine::V20_10,
        latencies: Latencies {
            accept: Quantity::ms(5),
            prepare: Quantity::ms(20),
            pull: Quantity::ms(700),
            start: Quantity::ms(200),
            start_each_other: Quantity::ms(125),
            stop: Quantity::ms(30),
            cleanup: Quantity::ms(50),
            signal: Quantity::ms(15),
            unhealthy_signal: Quantity::ms(10),
            probe: Quantity::ms(100),
        },
        key: Seed(7).key(Whom::Service, "web"),
        gossip_converge_delay: Span::from_secs(2),
        list_probes: false,
    }
}

fn image(sigterm: Sigterm) -> Arc<Image> {
    Arc::new(Image { sigterm, ..Image::default() })
}

fn leaves(after: i64, code: i32) -> Sigterm {
    Sigterm::Exits { after: Span::from_ms(after), code }
}

/// Interval 5 s, timeout 3 s, 3 retries: the whoami exercise.
fn whoami(template: Template, health: Health) -> Template {
    let image = Image { health, ..(*template.image).clone() };
    Template { probing: Some(every_5s()), image: Arc::new(image), ..template }
}

fn every_5s() -> Probing {
    Probing {
        interval: Span::from_secs(5),
        timeout: Span::from_secs(3),
        start_period: Span::ZERO,
        start_interval: Span::from_secs(5),
        retries: 3,
    }
}

fn bench(template: Template) -> Bench {
    supplied(template, Supply::Present)
}

fn supplied(template: Template, supply: Supply) -> Bench {
    let controller = Controller::new(Arc::new(template), 1, 1, supply, None);
    Bench {
        controller,
        now: SimTime::ZERO,
        origin: SimTime::ZERO,
        timers: Vec::new(),
        log: Vec::new(),
    }
}

/// A started container, its log emptied, at 0 ms of a clock of its own.
fn started(template: Template) -> Bench {
    let mut bench = bench(template);
    bench.begin(Op::Prepare).until(20).begin(Op::Start).until(220);
    bench.log.clear();
    bench.origin = bench.now;
    bench
}

impl Bench {
    fn tell(&mut self, input: Input) -> &mut Bench {
        let mut out = Vec::new();
        self.controller.handle(self.now, input, &mut out);
        for effect in out {
            match effect {
                Effect::At { after, timer, .. } => self.timers.push((self.now.after(after), timer)),
                Effect::Abandon(_) => {}
                Effect::Fact(Fact::Probe { started, result, streak }) => {
                    let started = started.since(self.origin).0 / 1_000_000;
                    self.note(&format!("probe of {started}: {result:?}, streak {streak}"));
                }
                Effect::Fact(fact) => self.note(&format!("{fact:?}")),
                Effect::Done(result) => self.note(&match result {
                    OpResult::Done { exit: None } => "ok".to_string(),
                    OpResult::Done { exit: Some(code) } => format!("ok {code}"),
                    OpResult::Cancelled { exit: None } => "cancelled".to_string(),
                    OpResult::Cancelled { exit: Some(code) } => format!("cancelled {code}"),
                    OpResult::Failed { error, exit } => format!("{error} {exit:?}"),
                    OpResult::Temporary { error } => format!("temporary: {error}"),
                }),
            }
        }
        self
    }

    fn note(&mut self, text: &str) {
        self.log.push(format!("{} {text}", (self.now.0 - self.origin.0) / 1_000_000));
    }

    fn begin(&mut self, operation: Op) -> &mut Bench {
        self.tell(Input::Begin { operation, congestion: Span::ZERO })
    }

    fn cancel(&mut self) -> &mut Bench {
        self.tell(Input::Cancel)
    }

    /// Lets time pass up to a moment in milliseconds, which is included.
    fn until(&mut self, ms: u64) -> &mut Bench {
        let end = SimTime(self.origin.0 + ms * 1_000_000);
        while let Some(place) = self.next(end) {
            let (at, timer) = self.timers.remove(place);
            self.now = at;
            self.tell(Input::Timer(timer));
        }
        self.now = end;
        self
    }

    fn next(&self, end: SimTime) -> Option<usize> {
        let due = |place: &usize| self.timers[*place].0;
        (0..self.timers.len()).filter(|place| due(place) <= end).min_by_key(due)
    }

    #[track_caller]
    fn said(&mut self, expected: &[&str]) -> &mut Bench {
        assert_eq!(self.log, expected);
        self.log.clear();
        self
    }
}

#[test]
fn an_image_that_is_present_is_prepared_and_started() {
    bench(template())
        .begin(Op::Prepare)
        .until(20)
        .said(&["20 Created", "20 ok"])
        .begin(Op::Start)
        .until(220)
        .said(&["220 Started", "220 ok"]);
}

#[test]
fn starting_beside_others_takes_longer() {
    let mut bench = bench(template());
    bench.begin(Op::Prepare).until(20).said(&["20 Created", "20 ok"]);
    let congestion = Span::from_ms(125);
    bench.tell(Input::Begin { operation: Op::Start, congestion });
    bench.until(1_000).said(&["345 Started", "345 ok"]);
}

/// Q28: the pull goes on although Prepare is cancelled, and is not made twice.
#[test]
fn a_pull_survives_the_cancellation_of_prepare() {
    supplied(template(), Supply::Download)
        .begin(Op::Prepare)
        .until(100)
        .cancel()
        .until(1_100)
        .said(&["100 cancelled", "700 Pulled"])
        .begin(Op::Prepare)
        .until(2_000)
        .said(&["1120 Created", "1120 ok"]);
}

#[test]
fn prepare_can_be_taken_up_while_the_pull_goes_on() {
    let mut bench = supplied(template(), Supply::Download);
    bench.begin(Op::Prepare).until(100).cancel().until(600).begin(Op::Prepare).until(2_000);
    bench.said(&["100 cancelled", "700 Pulled", "720 Created", "720 ok"]);
}

#[test]
fn the_creation_of_a_container_is_not_cut_short() {
    let mut bench = bench(template());
    bench.begin(Op::Prepare).until(10).cancel().until(1_000).said(&["20 Created", "20 ok"]);
}

#[test]
fn a_missing_image_by_engine() {
    for (engine, error) in [
        (Engine::V20_10, "20 No such image: app:v1 None"),
        (Engine::V28, "20 No such image: app:v1 None"),
        (
            Engine::V29,
            "20 pull access denied for app, repository does not exist or may require 'docker \
             login': denied: requested access to the resource is denied None",
        ),
    ] {
        let mut bench = supplied(Template { engine, ..template() }, Supply::Missing);
        bench.begin(Op::Prepare).until(1_000).said(&[error]);
        bench.begin(Op::Shutdown).said(&["1000 ok"]);
    }
}

/// Q49: the pull is not made again, so a registry that has come back does not help; the image
/// itself does.
#[test]
fn a_registry_time_out_lasts_as_long_as_the_controller() {
    let newest = Template { engine: Engine::V29, ..template() };
    let mut bench = supplied(newest, Supply::TimedOut);
    let text = "temporary: net/http: TLS handshake timeout";
    bench.begin(Op::Prepare).until(1_000).said(&[&format!("20 {text}")]);
    bench.tell(Input::PullOutcomeChanged(Supply::Download));
    bench.begin(Op::Prepare).until(2_000).said(&[&format!("1000 {text}")]);
    bench.tell(Input::PullOutcomeChanged(Supply::Present));
    bench.begin(Op::Prepare).until(3_000).said(&["2020 Created", "2020 ok"]);
    let mut older = supplied(template(), Supply::TimedOut);
    older.begin(Op::Prepare).until(1_000).said(&["20 No such image: app:v1 None"]);
}

#[test]
fn a_download_ends_as_the_registry_is_at_its_end() {
    let mut bench = supplied(template(), Supply::Download);
    bench.begin(Op::Prepare).until(300).tell(Input::PullOutcomeChanged(Supply::Missing));
    bench.until(1_000).said(&["720 No such image: app:v1 None"]);
}

#[test]
fn a_program_that_does_not_exist() {
    let image = Image { command: Command::NotFound, ..Image::default() };
    let mut bench = bench(Template { image: Arc::new(image), ..template() });
    bench.begin(Op::Prepare).until(20).begin(Op::Start).until(1_000);
    let text = texts::command_not_found(Engine::V20_10, "/app");
    bench.said(&["20 Created", "20 ok", &format!("220 {text} Some(127)")]);
    bench.begin(Op::Shutdown).said(&["1000 ok 127"]);
}

/// Semantics 11.5: exit codes of a graceful stop.
#[test]
fn the_cost_of_a_stop_without_a_service_binding() {
    for (sigterm, lines) in [
        (leaves(0, 143), ["15 Signalled(Stop)", "45 Died(143)", "95 ok 143"]),
        (leaves(200, 0), ["15 Signalled(Stop)", "245 Died(0)", "295 ok 0"]),
    ] {
        let mut bench = started(Template { image: image(sigterm), ..template() });
        bench.begin(Op::Wait).cancel().said(&["0 cancelled -1"]);
        bench.begin(Op::Shutdown).until(60_000).said(&lines);
    }
}

#[test]
fn a_process_that_ignores_the_signal_costs_the_grace_period() {
    let mut bench = started(Template { image: image(Sigterm::Ignored), ..template() });
    bench.begin(Op::Shutdown).until(60_000).said(&[
        "15 Signalled(Stop)",
        "10015 Signalled(Kill)",
        "10045 Died(137)",
        "10095 ok 137",
    ]);
}

#[test]
fn a_process_that_would_leave_after_the_grace_period_is_killed() {
    let mut bench = started(Template { image: image(leaves(12_000, 0)), ..template() });
    bench.begin(Op::Shutdown).until(60_000).said(&[
        "15 Signalled(Stop)",
        "10015 Signalled(Kill)",
        "10045 Died(137)",
        "10095 ok 137",
    ]);
}

#[test]
fn without_a_cleanup_the_end_of_the_process_ends_the_stop() {
    let latencies = Latencies { cleanup: Quantity::ms(0), ..template().latencies };
    let mut bench = started(Template { image: image(leaves(0, 0)), latencies, ..template() });
    bench.begin(Op::Shutdown).until(44).said(&["15 Signalled(Stop)"]);
    let place = bench.next(SimTime(u64::MAX)).expect("the end is to be noticed");
    let (at, timer) = bench.timers.remove(place);
    bench.now = at;
    bench.tell(Input::Timer(timer)).said(&["45 Died(0)", "45 ok 0"]);
}

#[test]
fn grace_zero_kills_at_once_after_the_signal() {
    let image = image(leaves(0, 0));
    let mut bench = started(Template { grace: Span::ZERO, image, ..template() });
    bench.begin(Op::Shutdown).until(60_000).said(&[
        "15 Signalled(Stop)",
        "15 Signalled(Kill)",
        "45 Died(137)",
        "95 ok 137",
    ]);
}

/// Q26, with the gossip delay: weight 0 first, gone when the process has ended.
#[test]
fn the_cost_of_a_stop_with_a_service_binding() {
    let bound = Template { has_service_binding: true, ..template() };
    let mut fresh = bench(bound.clone());
    fresh.begin(Op::Prepare).until(20).begin(Op::Start).until(220);
    fresh.said(&["20 Created", "20 ok", "220 Started", "220 Activated", "220 ok"]);
    let mut bench = started(bound);
    bench.begin(Op::Shutdown).until(60_000).said(&[
        "0 Deactivated",
        "2015 Signalled(Stop)",
        "2045 Died(0)",
        "2095 Gone",
        "2095 ok 0",
    ]);
}

/// Branch O of semantics 16.3: nothing to stop, and still the 2 s.
#[test]
fn a_container_that_never_ran_is_shut_down_without_a_signal() {
    bench(template()).begin(Op::Shutdown).said(&["0 ok"]);
    let mut bound = bench(Template { has_service_binding: true, ..template() });
    bound.begin(Op::Shutdown).until(60_000).said(&["2000 ok"]);
    let mut ready = bench(template());
    ready.begin(Op::Prepare).until(20).begin(Op::Shutdown);
    ready.said(&["20 Created", "20 ok", "20 ok 0"]);
}

#[test]
fn a_shutdown_cancels_the_pull() {
    let mut bench = supplied(template(), Supply::Download);
    bench.begin(Op::Prepare).until(100).cancel().begin(Op::Shutdown).until(5_000);
    bench.said(&["100 cancelled", "100 ok"]);
}

#[test]
fn a_process_that_leaves_by_itself_is_noticed_and_cleaned_up_after() {
    let exit = Some(Exit { after: Span::from_secs(2), code: 1 });
    let image = Arc::new(Image { exit, ..Image::default() });
    let mut bench = started(Template { image, ..template() });
    bench.begin(Op::Wait).until(60_000);
    bench.said(&["2030 Died(1)", "2080 task: non-zero exit (1) Some(1)"]);
    bench.begin(Op::Shutdown).said(&["60000 ok 1"]);
}

/// Its own exit comes first although it is being stopped (surprise 23).
#[test]
fn a_process_may_leave_by_itself_during_its_stop() {
    let exit = Some(Exit { after: Span::from_secs(5), code: 1 });
    let image = Arc::new(Image { exit, sigterm: Sigterm::Ignored, ..Image::default() });
    let mut bench = started(Template { image, ..template() });
    bench.begin(Op::Shutdown).until(60_000);
    bench.said(&["15 Signalled(Stop)", "5030 Died(1)", "5080 ok 1"]);
}

#[test]
fn the_failing_part_concerns_the_named_slots_only() {
    let exit = Some(Exit { after: Span::from_secs(2), code: 1 });
    for (slots, died) in [(vec![1], true), (vec![2, 3], false)] {
        let image = Arc::new(Image { exit, only_slots: Some(slots), ..Image::default() });
        let mut bench = started(Template { image, ..template() });
        bench.until(60_000);
        assert_eq!(bench.log == ["2030 Died(1)"], died, "{:?}", bench.log);
    }
}

#[test]
fn a_crash_at_random_is_an_end_like_others() {
    let crash = Some(Exit { after: Span::from_secs(3), code: 139 });
    let controller = Controller::new(Arc::new(template()), 1, 1, Supply::Present, crash);
    let mut bench = Bench { controller, ..bench(template()) };
    bench.begin(Op::Prepare).until(20).begin(Op::Start).until(220).log.clear();
    bench.begin(Op::Wait).until(60_000);
    bench.said(&["3250 Died(139)", "3300 task: non-zero exit (139) Some(139)"]);
}

/// Recording `kill-steady`.
#[test]
fn a_kill_from_outside_is_a_failure_of_the_task() {
    let mut bench = started(Template { has_service_binding: true, ..template() });
    bench.begin(Op::Wait).until(1_000).tell(Input::Signal(Signal::Kill)).until(60_000);
    bench.said(&[
        "1000 Signalled(Kill)",
        "1030 Died(137)",
        "1080 Gone",
        "1080 task: non-zero exit (137) Some(137)",
    ]);
    bench.tell(Input::Signal(Signal::Kill)).said(&[]);
}

/// It meets nothing while the container waits to be started, or is only being started.
#[test]
fn a_kill_before_the_start_meets_no_process() {
    let mut bench = bench(template());
    bench.begin(Op::Prepare).until(20).tell(Input::Signal(Signal::Kill)).begin(Op::Start);
    bench.until(100).tell(Input::Signal(Signal::Kill)).until(1_000);
    bench.said(&["20 Created", "20 ok", "220 Started", "220 ok"]);
}

/// The order-down that comes while the container is being started: without a health check it is
/// RUNNING first.
#[test]
fn a_start_is_not_cut_short() {
    let mut plain = bench(template());
    plain.begin(Op::Prepare).until(20).begin(Op::Start).until(100).cancel().until(500);
    plain.said(&["20 Created", "20 ok", "220 Started", "220 ok"]);
    let mut checked = bench(whoami(template(), Health::Ok));
    checked.begin(Op::Prepare).until(20).begin(Op::Start).until(100).cancel().until(500);
    checked.said(&["20 Created", "20 ok", "220 Started", "220 cancelled"]);
}

#[test]
fn waiting_for_health_is_cancelled_at_once() {
    let mut bench = bench(whoami(template(), Health::Fail));
    bench.begin(Op::Prepare).until(20).begin(Op::Start).until(4_000).cancel();
    bench.said(&["20 Created", "20 ok", "220 Started", "4000 cancelled"]);
    bench.until(5_000).begin(Op::Shutdown).until(5_100);
    bench.said(&["5015 Signalled(Stop)", "5045 Died(0)", "5095 ok 0"]);
}

#[test]
fn a_healthy_container_joins_the_balancer_with_its_first_good_probe() {
    let template = whoami(template(), Health::Ok);
    let mut bench = started(Template { has_service_binding: true, ..template });
    bench.until(60_000);
    bench.said(&[
        "5100 probe of 5000: Passed, streak 0",
        "5100 Healthy",
        "5100 Activated",
        "5100 ok",
    ]);
    assert!(bench.timers.is_empty(), "a steady container needs no event");
}

/// Semantics 16.3: unhealthy at 15 s + 3 p, the binding was never active, 2 s, signal.
#[test]
fn a_container_that_is_never_healthy_is_stopped_without_the_agents_second() {
    let probes = [
        "5100 probe of 5000: Failed(1), streak 1",
        "10200 probe of 10100: Failed(1), streak 2",
        "15300 probe of 15200: Failed(1), streak 3",
        "15300 Unhealthy",
    ];
    let bad = whoami(Template { image: image(leaves(0, 143)), ..template() }, Health::Fail);
    let mut plain = started(bad.clone());
    plain.until(60_000).said(
        &[
            &probes[..],
            &[
                "15310 Signalled(Stop)",
                "15340 Died(143)",
                "15390 task: non-zero exit (143): dockerexec: unhealthy container Some(143)",
            ],
        ]
        .concat(),
    );
    let mut bound = started(Template { has_service_binding: true, ..bad });
    bound.until(60_000).said(
        &[
            &probes[..],
            &[
                "17310 Signalled(Stop)",
                "17340 Died(143)",
                "17390 task: non-zero exit (143): dockerexec: unhealthy container Some(143)",
            ],
        ]
        .concat(),
    );
}

/// Surprise 13, and probes that go on during the stop.
#[test]
fn a_container_that_is_never_healthy_and_ignores_the_signal() {
    let bad = whoami(Template { image: image(Sigterm::Ignored), ..template() }, Health::Fail);
    let mut bench = started(Template { engine: Engine::V28, ..bad });
    bench.until(15_300).log.clear();
    bench.until(60_000).said(&[
        "15310 Signalled(Stop)",
        "20400 probe of 20300: Failed(1), streak 4",
        "25310 Signalled(Kill)",
        "25340 Died(137)",
        "25390 task: non-zero exit (137): dockerexec: unhealthy container Some(137)",
    ]);
}

/// A good probe during a stop ends neither the start nor the stop.
#[test]
fn health_that_comes_too_late_is_noticed_and_no_more() {
    let stubborn = Template { image: image(Sigterm::Ignored), ..template() };
    let late = Health::Pattern([false, false, false, true].into());
    let mut unhealthy = started(whoami(Template { engine: Engine::V28, ..stubborn.clone() }, late));
    unhealthy.until(15_300).log.clear();
    unhealthy.until(60_000).said(&[
        "15310 Signalled(Stop)",
        "20400 probe of 20300: Passed, streak 0",
        "20400 Healthy",
        "25310 Signalled(Kill)",
        "25340 Died(137)",
        "25390 task: non-zero exit (137): dockerexec: unhealthy container Some(137)",
    ]);
    let mut ordered_down = started(whoami(stubborn, Health::Ok));
    ordered_down.until(4_000).cancel().log.clear();
    ordered_down.until(4_500).begin(Op::Shutdown).until(60_000).said(&[
        "4515 Signalled(Stop)",
        "5100 probe of 5000: Passed, streak 0",
        "5100 Healthy",
        "14515 Signalled(Kill)",
        "14545 Died(137)",
        "14595 ok 137",
    ]);
}

/// Q30 and surprise 12: Start succeeds, and Wait at once.
#[test]
fn an_unhealthy_container_that_leaves_with_zero_completes() {
    let mut bench = started(whoami(template(), Health::Fail));
    bench.until(15_300).log.clear();
    bench.until(16_000).said(&["15310 Signalled(Stop)", "15340 Died(0)", "15390 ok"]);
    bench.begin(Op::Wait).said(&["16000 ok 0"]);
}

#[test]
fn a_process_that_leaves_while_its_health_is_waited_for() {
    for (code, line) in [(0, "3080 ok"), (4, "3080 task: non-zero exit (4) Some(4)")] {
        let exit = Some(Exit { after: Span::from_secs(3), code });
        let image = Arc::new(Image { exit, ..Image::default() });
        let mut bench = started(whoami(Template { image, ..template() }, Health::Ok));
        bench.until(60_000).said(&[&format!("3030 Died({code})"), line]);
    }
}

#[test]
fn a_container_that_turns_unhealthy_while_running_is_stopped() {
    let image = image(leaves(0, 143));
    let until = Health::OkUntil(Span::from_secs(20));
    let mut bench =
        started(whoami(Template { image, has_service_binding: true, ..template() }, until));
    bench.until(6_000).begin(Op::Wait).log.clear();
    bench.until(60_000).said(&[
        "20400 probe of 20300: Failed(1), streak 1",
        "25500 probe of 25400: Failed(1), streak 2",
        "30600 probe of 30500: Failed(1), streak 3",
        "30600 Unhealthy",
        "30600 Deactivated",
        "32610 Signalled(Stop)",
        "32640 Died(143)",
        "32690 Gone",
        "32690 task: non-zero exit (143): dockerexec: unhealthy container Some(143)",
    ]);
}

/// Wait is over at once; the stop that was under way goes on, and Shutdown finds the container
/// ended.
#[test]
fn an_order_down_of_a_container_that_is_being_stopped_as_unhealthy() {
    let image = image(leaves(3_000, 0));
    let until = Health::OkUntil(Span::from_secs(20));
    let mut bench = started(whoami(Template { image, ..template() }, until));
    bench.until(6_000).begin(Op::Wait).until(31_000).log.clear();
    bench.cancel().until(32_000).begin(Op::Shutdown).until(60_000).said(&[
        "31000 cancelled -1",
        "32015 Signalled(Stop)",
        "33640 Died(0)",
        "33690 ok 0",
    ]);
}

/// Nobody listens for the verdict between a cancelled Wait and Shutdown.
#[test]
fn a_verdict_in_the_retry_second_stops_nothing() {
    let until = Health::OkUntil(Span::from_secs(20));
    let mut bench = started(whoami(template(), until));
    bench.until(6_000).begin(Op::Wait).until(30_000).cancel().until(60_000);
    assert!(bench.log.iter().any(|line| line == "30600 Unhealthy"), "{:?}", bench.log);
    assert!(!bench.log.iter().any(|line| line.contains("Signalled")), "{:?}", bench.log);
}

#[test]
fn behaviour_that_changes_in_a_steady_container_is_found() {
    let mut bench = started(whoami(template(), Health::Ok));
    bench.until(6_000).begin(Op::Wait).until(3_600_000).log.clear();
    bench.tell(Input::BehaviourChanged(Arc::new(Health::Fail))).until(3_700_000);
    bench.said(&[
        "3600600 probe of 3600500: Failed(1), streak 1",
        "3605700 probe of 3605600: Failed(1), streak 2",
        "3610800 probe of 3610700: Failed(1), streak 3",
        "3610800 Unhealthy",
        "3610810 Signalled(Stop)",
        "3610840 Died(0)",
        "3610890 ok 0",
    ]);
}

#[test]
fn behaviour_that_changes_when_a_container_has_ended_concerns_nobody() {
    for end in [Input::Signal(Signal::Kill), Input::NodeCrashed] {
        let mut bench = started(whoami(template(), Health::Ok));
        bench.until(6_000).begin(Op::Wait).tell(end).until(10_000).log.clear();
        assert!(bench.controller.is_at_rest());
        bench.tell(Input::BehaviourChanged(Arc::new(Health::Fail))).until(60_000).said(&[]);
    }
}

/// Surprise 39: what was running when the power failed is found ended, with code 255.
#[test]
fn a_power_cut_ends_everything_without_a_word() {
    let mut bench = started(Template { has_service_binding: true, ..template() });
    bench.begin(Op::Wait).until(1_000).tell(Input::NodeCrashed).until(60_000).said(&[]);
    assert_eq!(bench.controller.listening(bench.now), Listening::Gone);
    bench.begin(Op::Wait).said(&["60000 task: non-zero exit (255) Some(255)"]);
    bench.begin(Op::Remove).until(70_000).said(&["62000 Removed", "62000 ok 255"]);
}

#[test]
fn a_start_that_was_cut_by_the_power_is_made_again() {
    let mut bench = supplied(template(), Supply::Download);
    bench.begin(Op::Prepare).until(100).tell(Input::NodeCrashed).until(5_000).said(&[]);
    bench.begin(Op::Prepare).until(6_000);
    bench.said(&["5700 Pulled", "5720 Created", "5720 ok"]);
    bench.begin(Op::Start).until(6_100).tell(Input::NodeCrashed).until(7_000);
    bench.begin(Op::Start).until(8_000).said(&["7200 Started", "7200 ok"]);
    bench.begin(Op::Start).said(&["8000 ok"]);
}

#[test]
fn removal_stops_and_deletes() {
    let mut bench = started(template());
    bench.begin(Op::Remove).until(60_000);
    bench.said(&["15 Signalled(Stop)", "45 Died(0)", "95 Removed", "95 ok 0"]);
    bench.begin(Op::Remove).said(&["60000 ok"]);
}

#[test]
fn timers_that_no_longer_apply_are_named_once_and_dropped() {
    let exit = Some(Exit { after: Span::from_secs(3600), code: 1 });
    let image = Arc::new(Image { exit, ..Image::default() });
    let mut bench = started(Template { image, ..template() });
    let (_, natural_end) = bench.timers[0];
    let mut out = Vec::new();
    bench.controller.handle(bench.now, Input::Signal(Signal::Kill), &mut out);
    let replaced = Timer { generation: natural_end.generation + 1, ..natural_end };
    assert_eq!(
        out,
        [
            Effect::Fact(Fact::Signalled(Signal::Kill)),
            Effect::Abandon(natural_end),
            Effect::At { after: Span::from_ms(30), timer: replaced, foreground: true },
        ]
    );
    out.clear();
    bench.controller.handle(bench.now, Input::Timer(natural_end), &mut out);
    assert_eq!(out, []);
}

#[test]
fn latencies_are_drawn_for_each_task_and_do_not_change() {
    let mut latencies = template().latencies;
    latencies.start = Quantity::Uniform(Span::from_ms(1), Span::from_ms(100_000));
    let shared = Arc::new(Template { latencies, ..template() });
    let start_of = |slot, ordinal| {
        let controller = Controller::new(Arc::clone(&shared), slot, ordinal, Supply::Present, None);
        controller.draw(|latencies| &latencies.start, Draw::Start)
    };
    assert_eq!(start_of(1, 1), start_of(1, 1));
    assert_ne!(start_of(1, 1), start_of(2, 1));
    assert_ne!(start_of(1, 1), start_of(1, 2));
}

/// What is made again is what was let go: its removal says the same.
#[test]
fn a_container_that_was_stopped_is_at_rest_and_can_be_made_again() {
    let with_binding = Template { has_service_binding: true, ..template() };
    let mut stopped = started(Template { image: image(leaves(0, 143)), ..with_binding.clone() });
    assert!(!stopped.controller.is_at_rest(), "it runs");
    stopped.begin(Op::Shutdown);
    assert!(!stopped.controller.is_at_rest(), "it is being stopped");
    stopped.until(2_015).until(2_045);
    assert!(!stopped.controller.is_at_rest(), "the engine cleans up");
    stopped.until(2_100);
    assert!(stopped.controller.is_at_rest());

    let left = stopped.controller.container().clone();
    assert_eq!((left.state(), left.exit_code()), (State::Exited, Some(143)));
    let container = Container::left(left.state(), 143);
    let again = Controller::left(Arc::new(with_binding), 1, 1, container);
    let mut again = Bench { controller: again, timers: Vec::new(), log: Vec::new(), ..stopped };
    again.origin = again.now;
    again.begin(Op::Remove).until(2_000);
    assert_eq!(again.log, ["2000 Removed", "2000 ok 143"]);
}

#[test]
fn a_container_that_was_never_started_is_at_rest_too() {
    let mut created = bench(template());
    created.begin(Op::Prepare);
    assert!(!created.controller.is_at_rest(), "it is being created");
    created.until(20);
    assert!(created.controller.is_at_rest());
    assert_eq!(created.controller.container().state(), State::Created);
    assert_eq!(Container::left(State::Created, 0).exit_code(), Some(0));
    assert_eq!(Container::left(State::Absent, 0).exit_code(), None);
}
