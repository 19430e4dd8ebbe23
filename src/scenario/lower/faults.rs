//! `faults:`.

use crate::base::time::Span;
use crate::docker::behaviour::CrashRate;
use crate::scenario::fault::{Choice, Death, Fault, Pull, Software, What, When};
use crate::scenario::lower::Names;
use crate::scenario::lower::reader::{Fields, Reader};
use crate::scenario::lower::{cluster, images};
use crate::scenario::problem::Problem;
use crate::scenario::syntax::{Tree, Value};
use crate::swarmkit::task::Availability;

/// Signals by name, with and without `SIG`; others by number.
pub(crate) const SIGNALS: [(&str, u8); 14] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ABRT", 6),
    ("KILL", 9),
    ("SEGV", 11),
    ("TERM", 15),
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGABRT", 6),
    ("SIGKILL", 9),
    ("SIGSEGV", 11),
    ("SIGTERM", 15),
];

pub(super) fn faults(reader: &mut Reader, tree: &Tree, names: &Names) -> Vec<Fault> {
    let items = reader.seq(tree, "faults");
    items.iter().filter_map(|item| fault(reader, item, names)).collect()
}

fn fault(reader: &mut Reader, tree: &Tree, names: &Names) -> Option<Fault> {
    let mut fields = reader.map(tree, "a fault")?;
    let when = when(reader, tree, &mut fields);
    let lasts = fields.take("for").map(|tree| (tree, reader.positive_span(tree)));
    let subjects = Subjects {
        node: fields.take("node"),
        service: fields.take("service"),
        slot: fields.take("slot"),
        image: fields.take("image"),
    };
    let effects = effects(reader, &mut fields, &subjects, names);
    reader.finish(fields);
    let Ok([what]) = <[Option<What>; 1]>::try_from(effects) else {
        let hint = "{at: 90s, node: node-2, crash: true} or {at: 20s, image: web:2, health: fail}";
        reader.wrong(tree, "must say what fails, and one thing only", Some(hint.to_string()));
        return None;
    };
    let what = what?;
    if let Some((tree, _)) = lasts.as_ref().filter(|_| !what.can_end()) {
        let message = "this fault is a blow and has no `for`";
        reader.note(Problem::new(tree.place, tree.text(), message));
    }
    let lasts = lasts.and_then(|(_, span)| span);
    Some(Fault { line: tree.place.line, when: when?, what, lasts })
}

fn when(reader: &mut Reader, tree: &Tree, fields: &mut Fields<'_>) -> Option<When> {
    let at = fields.take("at").map(|tree| reader.span(tree));
    let between = fields.take("between").map(|tree| reader.ascending(tree));
    match (at, between) {
        (Some(at), None) => at.map(When::At),
        (None, Some(between)) => between.map(|[from, to]: [Span; 2]| When::Between(from, to)),
        _ => {
            reader.wrong(tree, "must have either `at` or `between`", None);
            None
        }
    }
}

/// Who is struck, as written.
struct Subjects<'t> {
    node: Option<&'t Tree>,
    service: Option<&'t Tree>,
    slot: Option<&'t Tree>,
    image: Option<&'t Tree>,
}

/// All that the map says to happen, one entry each; nothing where there is a mistake.
fn effects(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    subjects: &Subjects<'_>,
    names: &Names,
) -> Vec<Option<What>> {
    let mut effects = Vec::new();
    for (key, make) in [
        ("crash", What::NodeCrash as fn(Choice) -> What),
        ("return", What::NodeReturn),
        ("partition", What::NodePartition),
    ] {
        if let Some(tree) = fields.take(key) {
            let node = choice(reader, tree, subjects.node, names);
            effects.push(reader.yes(tree).and(node).map(make));
        }
    }
    if let Some(tree) = fields.take("availability") {
        let node = choice(reader, tree, subjects.node, names);
        let wanted: Option<Availability> = cluster::availability(reader, tree);
        effects.push(node.zip(wanted).map(|(node, wanted)| What::NodeAvailability(node, wanted)));
    }
    if let Some(tree) = fields.take("kill") {
        let death = signal(reader, tree).map(Death::Signal);
        effects.push(kill(reader, tree, subjects, names, death));
    }
    if let Some(tree) = fields.take("exit") {
        let death = images::exit_code(reader, tree).map(|code| Death::Exit(code as u8));
        effects.push(kill(reader, tree, subjects, names, death));
    }
    if let Some(tree) = fields.take("crash_rate") {
        let rate: Option<CrashRate> = images::crash_rate(reader, tree);
        let software = software(reader, tree, subjects, names);
        effects.push(software.zip(rate).map(|(software, rate)| What::CrashRate(software, rate)));
    }
    if let Some(tree) = fields.take("health") {
        let answer = images::health(reader, tree);
        let image = image(reader, tree, subjects, names);
        effects.push(image.zip(answer).map(|(image, answer)| What::Health(image, answer)));
    }
    if let Some(tree) = fields.take("pull") {
        let pull = pull(reader, tree);
        let image = image(reader, tree, subjects, names);
        effects.push(image.zip(pull).map(|(image, pull)| What::Pull(image, pull)));
    }
    if let Some(tree) = fields.take("removed") {
        let image = image(reader, tree, subjects, names);
        effects.push(reader.yes(tree).and(image).map(What::ImageRemoved));
    }
    if let Some(tree) = fields.take("registry") {
        effects.push(reader.word(tree, "state of the registry", &[("down", What::RegistryDown)]));
    }
    if let Some(tree) = fields.take("leader") {
        effects.push(reader.word(tree, "fault of the leader", &[("change", What::LeaderChange)]));
    }
    effects
}

/// A subject that the effect at `place` needs.
fn needed<'t>(
    reader: &mut Reader,
    place: &Tree,
    key: &str,
    subject: Option<&'t Tree>,
) -> Option<&'t Tree> {
    if subject.is_none() {
        reader.wrong(place, &format!("needs a `{key}` to happen to"), None);
    }
    subject
}

fn choice(reader: &mut Reader, place: &Tree, node: Option<&Tree>, names: &Names) -> Option<Choice> {
    let node = needed(reader, place, "node", node)?;
    if node.text() == "any" && !names.nodes.contains("any") {
        return Some(Choice::Any);
    }
    names.node(reader, node).map(Choice::Named)
}

fn image(
    reader: &mut Reader,
    place: &Tree,
    subjects: &Subjects<'_>,
    names: &Names,
) -> Option<String> {
    let tree = needed(reader, place, "image", subjects.image)?;
    names.image(reader, tree)
}

fn software(
    reader: &mut Reader,
    place: &Tree,
    subjects: &Subjects<'_>,
    names: &Names,
) -> Option<Software> {
    if let Some(service) = subjects.service {
        names.check_service(reader, service);
        return reader.text(service).map(Software::Service);
    }
    image(reader, place, subjects, names).map(Software::Image)
}

fn kill(
    reader: &mut Reader,
    place: &Tree,
    subjects: &Subjects<'_>,
    names: &Names,
    death: Option<Death>,
) -> Option<What> {
    let service = needed(reader, place, "service", subjects.service)?;
    names.check_service(reader, service);
    let slot = match subjects.slot {
        Some(tree) if tree.text() == "any" => None,
        Some(tree) => Some(reader.whole(tree, 1, (1 << 24) - 1)? as u32),
        None => None,
    };
    Some(What::Kill { service: reader.text(service)?, slot, death: death? })
}

fn signal(reader: &mut Reader, tree: &Tree) -> Option<u8> {
    if tree.text().starts_with(|c: char| c.is_ascii_digit()) {
        return reader.whole(tree, 1, 64).map(|signal| signal as u8);
    }
    reader.word(tree, "signal", &SIGNALS)
}

fn pull(reader: &mut Reader, tree: &Tree) -> Option<Pull> {
    match (&tree.value, tree.text()) {
        (Value::Scalar(_), "fail") => Some(Pull::Fails),
        _ => reader.quantity(tree).map(Pull::Takes),
    }
}
