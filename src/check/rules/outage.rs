//! Ordinary releases that cost an outage, or never end.

use crate::base::dist::Quantity;
use crate::base::time::{SimTime, Span};
use crate::check::measured::{Run, seconds};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::subject::Service;
use crate::check::trial::{Remedy, Trial};
use crate::swarmkit::spec::{Mode, PublishMode};

const ORDER: &[&str] = &["deploy", "update_config", "order"];
const PORTS: &[&str] = &["ports"];
const RESERVATIONS: &[&str] = &["deploy", "resources", "reservations"];

pub(super) const L11: Rule = Rule {
    id: "L11",
    name: "host-port-with-start-first",
    severity: Severity::Error,
    looks_for: "a port in mode host, order start-first, and no node that is free of the old tasks",
    why: "the new task needs the port that the old one holds until the new one runs; nobody gives \
          way, and no time limit ends it",
    shows: "an update that changes nothing; after five minutes it is under way",
    change: "order stop-first",
    source: "moby/moby#36934, Dokploy/dokploy#5496; semantics 9.4; museum host-port, \
             says-done-and-the-old-one-runs",
    suspect: host_port,
};

fn host_port(service: &Service<'_>) -> Option<Suspect> {
    let replicas = service.replicas()?;
    let host = service.ports().iter().find(|port| port.publish_mode == PublishMode::Host)?;
    if !service.is_start_first() {
        return None;
    }
    let port = if host.published == 0 { host.target } else { host.published };
    let nodes = service.subject.nodes();
    Some(Suspect {
        message: format!(
            "order: start-first with host port {port}, {replicas} of them on {nodes}: the new task \
             waits for a port that the old one keeps"
        ),
        at: ORDER,
        trials: vec![never_ends(service)],
        remedies: vec![Remedy::set(ORDER, "stop-first")],
    })
}

pub(super) const L12: Rule = Rule {
    id: "L12",
    name: "port-added-with-start-first",
    severity: Severity::Warning,
    looks_for: "a port in mode host, order start-first, and no node that is free of the old tasks; \
                asked about a change of the ports, where L11 is about every release",
    why: "a change of the ports is an update of every task, even if nothing else changes; the task \
          with one port more asks for the old port too, which the old task keeps. One that has \
          another port in place of the old one would be in nobody's way",
    shows: "an update that adds a port in mode host; after five minutes it is under way",
    change: "order stop-first",
    source: "moby/moby#41364; semantics 3, 9.4; museum a-port-more",
    suspect: port_added,
};

fn port_added(service: &Service<'_>) -> Option<Suspect> {
    let replicas = service.replicas()?;
    let old = service.ports().iter().find(|port| port.publish_mode == PublishMode::Host)?;
    if !service.is_start_first() {
        return None;
    }
    let old = if old.published == 0 { old.target } else { old.published };
    let of_all = service.subject.ports();
    let more = (old + 1..=65_535).find(|port| !of_all.contains(port))?;
    let name = service.name();
    let watched = service.long_enough(Span::from_secs(300));
    let steps = format!(
        "- {{as: update, run: \"docker service update --detach --publish-add \
         mode=host,published={more},target={more} {name}\"}}\n- {{as: end, wait: {watched}}}\n"
    );
    let expect = format!("- {{service: {name}, since: update, after: end, update: updating}}\n");
    let what = format!("an update that adds host port {more}");
    let nodes = service.subject.nodes();
    Some(Suspect {
        message: format!(
            "order: start-first with host port {old}, {replicas} of them on {nodes}: with a port \
             more the new task asks for {old} too, and waits for ever"
        ),
        at: PORTS,
        trials: vec![Trial::after(what, steps, &expect).look(waits)],
        remedies: vec![Remedy::set(ORDER, "stop-first")],
    })
}

pub(super) const L13: Rule = Rule {
    id: "L13",
    name: "no-room-for-start-first",
    severity: Severity::Error,
    looks_for: "order start-first, and reservations that leave no room for one task more on the \
                nodes (those of x-swarmsim, or three with 4 processors and 8 GiB)",
    why: "the new task is placed beside the old one; where it finds no room the update waits for \
          ever, without a word in its status",
    shows: "an update that changes nothing; after five minutes it is under way",
    change: "order stop-first, smaller reservations, or a node more",
    source: "moby/moby#25069, #32999; semantics 9.4; museum no-room-for-one-more",
    suspect: no_room,
};

fn no_room(service: &Service<'_>) -> Option<Suspect> {
    let replicas = service.replicas()?;
    let task = &service.spec().task;
    let wish = task.resources.as_ref().map(|resources| resources.reservations.clone())?;
    let limited = task.placement.as_ref().is_some_and(|placement| placement.max_replicas > 0);
    let reserves = wish.memory_bytes > 0 || wish.nano_cpus > 0 || limited;
    if !reserves || !service.is_start_first() || service.has_host_port() {
        return None;
    }
    let mut parts = Vec::new();
    if wish.memory_bytes > 0 {
        parts.push(format!("{} MiB", wish.memory_bytes >> 20));
    }
    if wish.nano_cpus > 0 {
        parts.push(format!("{} thousandths of a processor", wish.nano_cpus / 1_000_000));
    }
    if limited {
        parts.push("a place of max_replicas_per_node".to_string());
    }
    let nodes = service.subject.scenario.cluster.nodes.len();
    Some(Suspect {
        message: format!(
            "order: start-first needs {} for one task more than {replicas}, and none of {nodes} \
             nodes has it",
            parts.join(" and ")
        ),
        at: RESERVATIONS,
        trials: vec![never_ends(service)],
        remedies: vec![Remedy::set(ORDER, "stop-first")],
    })
}

/// A rollout that has not ended after five minutes more than it should take.
fn never_ends(service: &Service<'_>) -> Trial {
    let watched = service.long_enough(Span::from_secs(300));
    let name = service.name();
    let expect = format!("- {{service: {name}, since: update, after: end, update: updating}}\n");
    Trial::rollout(service, "an update that changes nothing", watched, &expect).look(waits)
}

fn waits(run: &Run<'_>) -> Option<Vec<String>> {
    let err = run.no_node()?;
    Some(vec![run.update(), format!("the new task waits: {err}")])
}

pub(super) const L14: Rule = Rule {
    id: "L14",
    name: "one-replica-stop-first",
    severity: Severity::Warning,
    looks_for: "one replica behind a published port, order stop-first, and no data of its own that \
                a second task would write to",
    why: "the only task is stopped before the next one starts: every release is an outage",
    shows: "an update that changes nothing, while requests come in",
    change: "order start-first, or a second replica",
    source: "moby/moby#29148; semantics 5.4; museum one-replica-cannot-roll",
    suspect: one_replica,
};

fn one_replica(service: &Service<'_>) -> Option<Suspect> {
    let port = service.web_port()?;
    service.replicas()?;
    let one = service.spec().mode == Mode::Replicated { replicas: 1 };
    if !one || service.is_start_first() || service.keeps_data() || service.has_host_port() {
        return None;
    }
    let name = service.name();
    let watched = service.long_enough(Span::from_secs(30));
    let expect = format!(
        "- {{service: {name}, since: update, after: end, unavailable_at_least: 1s}}\n\
         - {{requests: {name}, since: update, after: end, failed_at_least: 1}}\n"
    );
    let trial = Trial::rollout(service, "an update that changes nothing", watched, &expect)
        .keys(&format!("traffic: [{{port: {port}, every: 100ms}}]\n"))
        .look(|run| {
            let lost = format!("{} requests lost, ten a second", run.web.failed);
            Some(vec![format!("no task runs for {}, {lost}", seconds(run.web.unavailable_for))])
        });
    Some(Suspect {
        message: format!(
            "one replica behind port {port} with order stop-first: every update is an outage"
        ),
        at: ORDER,
        trials: vec![trial],
        remedies: vec![Remedy::set(ORDER, "start-first")],
    })
}

pub(super) const L17: Rule = Rule {
    id: "L17",
    name: "pull-is-an-outage",
    severity: Severity::Warning,
    looks_for: "a pull that takes time (latency.pull in x-swarmsim), order stop-first, and all \
                slots at once",
    why: "the old tasks are told to stop and the new ones begin to pull in the same moment: nobody \
          runs until the image is there",
    shows: "an update to a new version, which is on no node yet",
    change: "order start-first, or the image pulled on all nodes before",
    source: "moby/moby#24447; semantics 5.4, 11.2; museum slow-pull",
    suspect: pull_is_an_outage,
};

fn pull_is_an_outage(service: &Service<'_>) -> Option<Suspect> {
    let replicas = service.replicas()?;
    let cluster = &service.subject.scenario.cluster;
    let image = service.image();
    let slow = image.latency.pull.is_some()
        || cluster.latency.pull.is_some()
        || cluster.nodes.iter().any(|node| node.latency.pull.is_some());
    if !slow || service.is_start_first() || service.at_a_time(replicas) < replicas {
        return None;
    }
    let name = service.name();
    let watched = service.long_enough(Span::from_secs(300));
    let expect =
        format!("- {{service: {name}, since: update, after: end, unavailable_at_least: 5s}}\n");
    let what = "an update to a new version, which has to be pulled";
    let trial = Trial::release(service, what, image, watched, &expect).look(|run: &Run<'_>| {
        let gone = run.tasks().filter(|task| task.created < run.asked);
        let gone: SimTime = gone.filter_map(|task| task.died).map(|(at, _)| at).max()?;
        let start = run.new_tasks().filter_map(|task| task.started).min()?;
        let wait = start.0.checked_sub(gone.0).map(Span::from_ns)?;
        let told = format!(
            "the old task has ended {}, and {} later the image is there and the new one starts",
            run.at(gone),
            seconds(wait)
        );
        (wait >= Span::from_secs(5)).then(|| vec![run.outcome(), told])
    });
    let mut remedies = Vec::new();
    if !service.keeps_data() && !service.has_host_port() {
        remedies.push(Remedy::set(ORDER, "start-first"));
    }
    let words = "pull the new image on every node before the update";
    remedies.push(Remedy::words(words).software(words, |image| {
        image.latency.pull = Some(Quantity::Fixed(Span::ZERO));
    }));
    Some(Suspect {
        message: "order stop-first, all slots at once, and a pull that takes time: the service is \
                  away while it is pulled"
            .to_string(),
        at: ORDER,
        trials: vec![trial],
        remedies,
    })
}
