//! What people expect of a setting that it does not do.

use crate::base::time::{SimTime, Span};
use crate::check::measured::{Run, Up, seconds, short};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::subject::{Service, whole};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Exit, Image};
use crate::scenario::model::image_key;
use crate::swarmkit::spec::{FailureAction, Mode, RestartCondition};

const DELAY: &[&str] = &["deploy", "update_config", "delay"];
const DEPENDS: &[&str] = &["depends_on"];
const MODE: &[&str] = &["deploy", "mode"];
const PARALLELISM: &[&str] = &["deploy", "update_config", "parallelism"];

pub(super) const L18: Rule = Rule {
    id: "L18",
    name: "scale-knows-no-delay",
    severity: Severity::Info,
    looks_for: "four replicas or more with a delay of 30 s or more",
    why: "parallelism and delay are about updates; when a service is scaled up all new tasks start \
          at once",
    shows: "the service is scaled to twice as many",
    change: "scale in steps",
    source: "moby/moby#33767; semantics 3, 4.2; museum scale-herd",
    suspect: scale_knows_no_delay,
};

fn scale_knows_no_delay(service: &Service<'_>) -> Option<Suspect> {
    service.up?;
    let update = service.update();
    let Mode::Replicated { replicas } = service.spec().mode else { return None };
    let careful = update.delay >= Span::from_secs(30) && update.parallelism != 0;
    if !(4..=1000).contains(&replicas) || !careful {
        return None;
    }
    let (name, twice) = (service.name(), replicas * 2);
    let steps = format!(
        "- {{as: scale, run: \"docker service scale --detach {name}={twice}\"}}\n\
         - {{as: end, wait: 60s}}\n"
    );
    let expect = format!(
        "- {{service: {name}, since: scale, after: end, waves: {{sizes: [{replicas}], apart: \
         1s}}}}\n"
    );
    let trial = Trial::after(format!("the service is scaled to {twice}"), steps, &expect).look(
        |run: &Run<'_>| {
            let starts: Vec<SimTime> = run.new_tasks().filter_map(|task| task.started).collect();
            let (first, last) = (*starts.iter().min()?, *starts.iter().max()?);
            let told =
                format!("{} processes start within {}", starts.len(), seconds(last.since(first)));
            Some(vec![told])
        },
    );
    Some(Suspect {
        message: format!(
            "delay: {} spares nobody when the service is scaled: all new tasks start at once",
            short(update.delay)
        ),
        at: DELAY,
        trials: vec![trial],
        remedies: vec![Remedy::words("scale in steps, with a wait between them")],
    })
}

pub(super) const L19: Rule = Rule {
    id: "L19",
    name: "completing-is-failing",
    severity: Severity::Warning,
    looks_for: "a service whose tasks complete: restart condition none, or an image that exits \
                with 0 by itself, as x-swarmsim says",
    why: "any end of a new task within the monitor period is an early termination, a good one as \
          well; and a service whose tasks complete never converges for docker",
    shows: "an update to a version that exits with 0: as x-swarmsim says, or after 2 s",
    change: "mode replicated-job",
    source: "moby/moby#39551, docker/cli#627; semantics 5.6; museum completing-is-failing",
    suspect: completing,
};

fn completing(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up.or_else(|| service.image().exit.map(|_| Up::default()))?;
    let update = service.update();
    let described = service.image().exit.filter(|exit| exit.code == 0);
    // Of software that is described without an end nobody knows that it has one.
    let endless = service.is_described() && described.is_none();
    let once = service.restart().condition == RestartCondition::None && !endless;
    if !once && described.is_none() || update.failure_action == FailureAction::Continue {
        return None;
    }
    let after = whole(up.startup.plus(Span::from_secs(2)));
    let exit = described.unwrap_or(Exit { after, code: 0 });
    let image = Image { exit: Some(exit), ..service.image() };
    let (name, watched) = (service.name(), service.long_enough(Span::from_secs(60)));
    let ended = match update.failure_action {
        FailureAction::Rollback => "update rolled back due to failure or early termination",
        _ => "update paused due to failure or early termination",
    };
    let expect = format!("- {{service: {name}, since: update, after: end, message: {ended}}}\n");
    let what = format!("an update to a version that exits with 0 after {}", exit.after);
    let mut trial = Trial::release(service, what, image, watched, &expect)
        .look(|run: &Run<'_>| Some(vec![format!("{}: early termination", run.update())]));
    trial.converged = false;
    trial.steps = format!("- {{wait: 30s}}\n{}", trial.steps);
    let why = if once {
        "restart condition none: this service completes".to_string()
    } else {
        format!("the software exits with 0 after {}: this service completes", exit.after)
    };
    Some(Suspect {
        message: format!("{why}, and for an update that is a failure"),
        at: MODE,
        trials: vec![trial],
        remedies: vec![
            Remedy::set(MODE, "replicated-job"),
            Remedy::words("mode: replicated-job, without what jobs do not have"),
        ],
    })
}

pub(super) const L21: Rule = Rule {
    id: "L21",
    name: "depends-on-is-ignored",
    severity: Severity::Info,
    looks_for: "depends_on",
    why: "docker stack deploy sends one request for each service and waits for none of them",
    shows: "the stack is deployed; where x-swarmsim says nothing of what it depends on, that needs \
            5 s until it answers",
    change: "software that waits for what it needs, or several stacks",
    source: "moby/moby#40364; docker client; museum database-and-app-together",
    suspect: depends_on,
};

fn depends_on(service: &Service<'_>) -> Option<Suspect> {
    let replicas = service.replicas()?;
    let name = service.name();
    let others: Vec<Service<'_>> = service.subject.services().collect();
    let keys = service.depends_on();
    let needs: Vec<&Service<'_>> =
        others.iter().filter(|other| keys.contains(&other.plan.key)).collect();
    let first = needs.first()?;
    let mut trial = Trial::after(
        "the stack is deployed",
        "- {as: end, wait: 2m}\n".to_string(),
        &format!("- {{service: {name}, after: end, running: {replicas}}}\n"),
    );
    trial.converged = false;
    let mut ready = Vec::new();
    for other in &needs {
        let mut image = other.image();
        if !other.is_described() {
            image.serves_after = Span::from_secs(5);
            trial.images.push((image_key(&other.plan.image), image.clone()));
        }
        ready.push((other.name().to_string(), other.plan.key.clone(), image.serves_after));
    }
    let own = service.plan.key.clone();
    trial = trial.look(move |run: &Run<'_>| {
        let start = run.tasks().filter_map(|task| task.started).min()?;
        let late = ready.iter().filter_map(|(name, key, serves)| {
            let begun = run.other(name)?.tasks().filter_map(|task| task.started).min()?;
            let answers = begun.after(*serves);
            let told = format!(
                "{own} starts at {}, {key} answers at {}",
                seconds(start.since(SimTime::ZERO)),
                seconds(answers.since(SimTime::ZERO))
            );
            (answers > start).then_some(told)
        });
        let late: Vec<String> = late.collect();
        (!late.is_empty()).then_some(late)
    });
    let list: Vec<&str> = needs.iter().map(|other| other.plan.key.as_str()).collect();
    Some(Suspect {
        message: format!("depends_on: {} has no influence on the order", list.join(", ")),
        at: DEPENDS,
        trials: vec![trial],
        remedies: vec![Remedy::words(format!(
            "let {} try again until {} answers, or deploy them one after the other",
            service.plan.key, first.plan.key
        ))],
    })
}

pub(super) const L22: Rule = Rule {
    id: "L22",
    name: "rollout-longer-than-the-window",
    severity: Severity::Warning,
    looks_for: "an update that takes longer than --window allows; nobody asks without it",
    why: "parallelism is a number of slots, not a share: with more replicas updates get longer",
    shows: "an update that changes nothing, watched for the window",
    change: "more slots at a time, or a shorter delay",
    source: "docker-archive/classicswarm#2367; semantics 5.4; museum percent-parallelism",
    suspect: longer_than_the_window,
};

fn longer_than_the_window(service: &Service<'_>) -> Option<Suspect> {
    let window = service.subject.window?;
    let replicas = service.replicas()?;
    let slots = service.at_a_time(replicas);
    let (name, delay) = (service.name(), service.update().delay);
    let expect = format!("- {{service: {name}, since: update, after: end, update: updating}}\n");
    let trial = Trial::rollout(service, "an update that changes nothing", window, &expect)
        .keys(&format!("limits: {{time: {}}}\n", window.plus(Span::from_secs(7200))))
        .look(|run: &Run<'_>| {
            let new = run.new_tasks().filter(|task| task.running.is_some()).count();
            Some(vec![format!("{}; {new} new tasks run", run.update())])
        });
    let delay_told = short(delay);
    let more = [2, 3, 4, 5, 10, 20, 50, 100].into_iter().filter(|p| *p > slots && *p < replicas);
    let mut remedies: Vec<Remedy> =
        more.map(|slots| Remedy::set(PARALLELISM, slots.to_string())).collect();
    if !delay.is_zero() {
        remedies.push(Remedy::set(DELAY, "0s"));
    }
    if remedies.is_empty() {
        remedies.push(Remedy::words("a longer window"));
    }
    Some(Suspect {
        message: format!(
            "an update of {replicas} slots, {slots} at a time with a delay of {delay_told}, takes \
             longer than the window of {}",
            short(window)
        ),
        at: PARALLELISM,
        trials: vec![trial],
        remedies,
    })
}
