//! Faults written back.

use crate::scenario::fault::{Choice, Death, Fault, Pull, Software, What, When};
use crate::scenario::json::{list, map, plain, text};
use crate::scenario::print::{crash_rate, health, quantity, span};
use crate::scenario::syntax::Tree;

pub(super) fn fault(fault: &Fault) -> Tree {
    let (at, between) = match fault.when {
        When::At(at) => (Some(span(at)), None),
        When::Between(from, to) => (None, Some(list([span(from), span(to)]))),
    };
    let mut entries = vec![("at", at), ("between", between)];
    entries.extend(what(&fault.what).into_iter().map(|(key, value)| (key, Some(value))));
    entries.push(("for", fault.lasts.map(span)));
    map(entries)
}

fn what(what: &What) -> Vec<(&'static str, Tree)> {
    match what {
        What::NodeCrash(node) => vec![("node", choice(node)), ("crash", plain(true))],
        What::NodeReturn(node) => vec![("node", choice(node)), ("return", plain(true))],
        What::NodePartition(node) => vec![("node", choice(node)), ("partition", plain(true))],
        What::NodeAvailability(node, wanted) => {
            vec![("node", choice(node)), ("availability", text(wanted.word()))]
        }
        What::Kill { service, slot, death } => {
            let slot = slot.map_or_else(|| text("any"), plain);
            let death = match death {
                Death::Signal(signal) => ("kill", plain(signal)),
                Death::Exit(code) => ("exit", plain(code)),
            };
            vec![("service", text(service)), ("slot", slot), death]
        }
        What::CrashRate(software, rate) => {
            let whose = match software {
                Software::Image(image) => ("image", text(image)),
                Software::Service(service) => ("service", text(service)),
            };
            vec![whose, ("crash_rate", crash_rate(*rate))]
        }
        What::Health(image, answer) => vec![("image", text(image)), ("health", health(answer))],
        What::Pull(image, pull) => {
            let pull = match pull {
                Pull::Takes(time) => quantity(time),
                Pull::Fails => text("fail"),
            };
            vec![("image", text(image)), ("pull", pull)]
        }
        What::ImageRemoved(image) => vec![("image", text(image)), ("removed", plain(true))],
        What::RegistryDown => vec![("registry", text("down"))],
        What::LeaderChange => vec![("leader", text("change"))],
    }
}

fn choice(choice: &Choice) -> Tree {
    match choice {
        Choice::Named(name) => text(name),
        Choice::Any => text("any"),
    }
}
