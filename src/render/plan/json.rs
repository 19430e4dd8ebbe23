//! A plan as one JSON document. Times are nanoseconds since the deploy was typed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::plan::changes::{Part, Service};
use crate::plan::forecast::{Client, Cut, Failing, ServiceSummary};
use crate::plan::look::{Look, looks};
use crate::plan::range::{Range, covers};
use crate::plan::stage::{Case, Deploy};
use crate::plan::verdict::{Answer, Timeout, Verdict};
use crate::render::plan::Told;
use crate::render::plan::words::{extra_tasks, reservations};

#[derive(Serialize)]
struct Document<'t> {
    file: &'t str,
    base: &'t str,
    stack: &'t str,
    runs: usize,
    seed: u64,
    ranges_hold_per_mille: usize,
    assumptions: &'t [String],
    services: Vec<Changed<'t>>,
    good: Good<'t>,
    bad: Vec<Bad<'t>>,
    timeout: Option<Waited<'t>>,
    looks: Vec<String>,
    answer: &'static str,
}

#[derive(Serialize)]
struct Changed<'t> {
    name: &'t str,
    key: &'t str,
    restart: &'static str,
    fields: Vec<Field<'t>>,
}

#[derive(Serialize)]
struct Field<'t> {
    name: &'t str,
    part: &'static str,
    effect: &'static str,
    old: Option<&'t str>,
    new: Option<&'t str>,
    only_said: bool,
}

#[derive(Serialize)]
struct Good<'t> {
    never_up: usize,
    stuck: Option<&'t str>,
    docker_says: Option<Said<'t>>,
    ended_by_limit: &'t Cut,
    client: Ended,
    services: Vec<Named<'t>>,
}

#[derive(Serialize)]
struct Said<'t> {
    text: &'t str,
    runs: usize,
}

#[derive(Serialize)]
struct Named<'t> {
    name: &'t str,
    #[serde(flatten)]
    numbers: Numbers,
    extra_tasks: i64,
    extra_nano_cpus: i64,
    extra_memory_bytes: i64,
    /// Pairs of nanoseconds and replicas, of the first run.
    serving: Vec<(i64, u64)>,
}

#[derive(Serialize)]
struct Bad<'t> {
    service: &'t str,
    mode: &'static str,
    told: String,
    has_to_be_caught: bool,
    verdict: &'static str,
    ended_by_limit: &'t Cut,
    client: Ended,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Serialize)]
struct Numbers {
    want: u64,
    took_ns: Option<Spread>,
    detected_ns: Option<Spread>,
    whole_after_ns: Option<Spread>,
    comes_and_goes_runs: usize,
    least: Option<Spread>,
    least_for_ns: Option<Spread>,
    short_for_ns: Option<Spread>,
    new_tasks: Option<Spread>,
    reached: Option<Spread>,
    on_bad: Option<Spread>,
    updates: Vec<Share>,
    unnoticed_runs: usize,
    outage_runs: usize,
    requests: u64,
    requests_lost: u64,
}

#[derive(Serialize)]
struct Ended {
    took_ns: Option<Spread>,
    exits: Vec<Code>,
    hangs: usize,
}

#[derive(Serialize)]
struct Spread {
    runs: usize,
    median: i64,
    low: i64,
    high: i64,
}

#[derive(Serialize)]
struct Share {
    state: Option<&'static str>,
    runs: usize,
}

#[derive(Serialize)]
struct Code {
    code: u8,
    runs: usize,
}

#[derive(Serialize)]
struct Waited<'t> {
    seconds: i64,
    slowest_ns: i64,
    slowest: CaseOf<'t>,
    hangs: Vec<CaseOf<'t>>,
}

/// The good case has neither.
#[derive(Serialize)]
struct CaseOf<'t> {
    service: Option<&'t str>,
    mode: Option<&'static str>,
}

/// Writes the document, with a line break at its end.
///
/// # Errors
/// Those of writing.
pub fn json(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    let (deploy, forecast) = (told.deploy, told.forecast);
    let of_file = deploy.services.iter().filter_map(|service| {
        let seen = forecast.good.services.get(service.name.as_str())?;
        service.new.as_ref().map(|_| named(service, seen))
    });
    let document = Document {
        file: told.file,
        base: told.base,
        stack: &deploy.stack,
        runs: forecast.runs,
        seed: forecast.seed,
        ranges_hold_per_mille: covers(forecast.runs),
        assumptions: told.assumptions,
        services: deploy.services.iter().map(changed).collect(),
        good: Good {
            never_up: forecast.good.never_up,
            stuck: forecast.good.stuck.as_deref(),
            docker_says: forecast.good.said.as_ref().map(|(text, runs)| Said { text, runs: *runs }),
            ended_by_limit: &forecast.good.cut,
            client: ended(&forecast.good.client),
            services: of_file.collect(),
        },
        bad: forecast.bad.iter().map(|failing| bad(deploy, failing, forecast.runs)).collect(),
        timeout: Timeout::of(forecast).map(|timeout| Waited {
            seconds: timeout.wait.whole_secs(),
            slowest_ns: timeout.slowest.0,
            slowest: case(deploy, timeout.case),
            hangs: timeout.hangs.iter().map(|hangs| case(deploy, *hangs)).collect(),
        }),
        looks: looks(&deploy.services).iter().map(Look::told).collect(),
        answer: Answer::of(deploy, forecast).word(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn changed(service: &Service) -> Changed<'_> {
    let field = |field: &'_ crate::plan::changes::Field| -> (&'static str, bool) {
        let part = match field.part {
            Part::Task => "task",
            Part::Endpoint => "endpoint",
            Part::Placement => "placement",
            Part::Mode => "mode",
            Part::Update => "update",
            Part::Labels => "labels",
        };
        (part, field.is_only_said())
    };
    let fields = service.fields.iter().map(|of| {
        let (part, only_said) = field(of);
        let (old, new) = (of.old.as_deref(), of.new.as_deref());
        Field { name: &of.name, part, effect: service.effect(of), old, new, only_said }
    });
    Changed {
        name: &service.name,
        key: &service.key,
        restart: service.restart.word(),
        fields: fields.collect(),
    }
}

fn named<'t>(service: &'t Service, seen: &ServiceSummary) -> Named<'t> {
    let extra = extra_tasks(service, seen);
    let (nano, bytes) = service.new.as_ref().map_or((0, 0), reservations);
    Named {
        name: &service.name,
        numbers: numbers(seen),
        extra_tasks: extra,
        extra_nano_cpus: nano.saturating_mul(extra),
        extra_memory_bytes: bytes.saturating_mul(extra),
        serving: seen.course.iter().map(|(at, count)| (at.0, *count)).collect(),
    }
}

fn bad<'t>(deploy: &'t Deploy, failing: &'t Failing, runs: usize) -> Bad<'t> {
    Bad {
        service: &deploy.services[failing.place].name,
        mode: failing.mode.word(),
        told: failing.mode.told(),
        has_to_be_caught: failing.mode.is_required(),
        verdict: Verdict::of(failing, runs).word(),
        ended_by_limit: &failing.cut,
        client: ended(&failing.client),
        numbers: numbers(&failing.service),
    }
}

fn numbers(seen: &ServiceSummary) -> Numbers {
    Numbers {
        want: seen.want,
        took_ns: spread(seen.took),
        detected_ns: spread(seen.detected),
        whole_after_ns: spread(seen.whole_after),
        comes_and_goes_runs: seen.comes_and_goes,
        least: spread(seen.least),
        least_for_ns: spread(seen.least_for),
        short_for_ns: spread(seen.short_for),
        new_tasks: spread(seen.new_tasks),
        reached: spread(seen.reached),
        on_bad: spread(seen.on_bad),
        updates: shares(&seen.updates),
        unnoticed_runs: seen.unnoticed,
        outage_runs: seen.outages,
        requests: seen.requests,
        requests_lost: seen.lost,
    }
}

fn shares(updates: &BTreeMap<Option<&'static str>, usize>) -> Vec<Share> {
    updates.iter().map(|(state, runs)| Share { state: *state, runs: *runs }).collect()
}

fn ended(client: &Client) -> Ended {
    let codes: &BTreeMap<u8, usize> = &client.exits;
    let exits = codes.iter().map(|(code, runs)| Code { code: *code, runs: *runs });
    Ended { took_ns: spread(client.took), exits: exits.collect(), hangs: client.hangs }
}

fn spread(range: Option<Range>) -> Option<Spread> {
    range.map(|Range { runs, median, low, high }| Spread { runs, median, low, high })
}

fn case(deploy: &Deploy, case: Case) -> CaseOf<'_> {
    match case {
        Case::Good => CaseOf { service: None, mode: None },
        Case::Bad(place, mode) => CaseOf {
            service: deploy.services.get(place).map(|service| service.name.as_str()),
            mode: Some(mode.word()),
        },
    }
}
