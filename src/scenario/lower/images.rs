//! `images:`, in the words of the recordings' format, with times that have units.

use std::collections::{BTreeMap, BTreeSet};

use crate::docker::behaviour::{
    Command, CrashRate, Exit, Health, Image, LatencyChanges, Presence, Sigterm,
};
use crate::scenario::lower::cluster;
use crate::scenario::lower::reader::Reader;
use crate::scenario::model::image_key;
use crate::scenario::problem::{Problem, quoted};
use crate::scenario::syntax::{Entry, Tree, Value};
use crate::swarmkit::spec::HealthConfig;

/// The command of a health check that does not name one. What it does is what `health` says.
pub(crate) const PROBE: [&str; 2] = ["CMD-SHELL", "healthcheck"];

/// Longest pattern of probe answers: a day of probes, one every ten seconds.
const MAX_PATTERN: usize = 10_000;

pub(super) fn images(
    reader: &mut Reader,
    tree: &Tree,
    nodes: &BTreeSet<String>,
) -> BTreeMap<String, Image> {
    let Value::Map(entries) = &tree.value else {
        reader.wrong(tree, "cannot be images: a map was expected", None);
        return BTreeMap::new();
    };
    let mut written: BTreeMap<String, &Entry> = BTreeMap::new();
    for entry in entries {
        let key = image_key(&entry.key);
        if let Some(first) = written.get(&key) {
            let message =
                format!("{} is the same image as {}", quoted(&entry.key), quoted(&first.key));
            let hint = format!("first on line {}", first.place.line);
            reader.note(Problem::new(entry.place, &entry.key, message).hint(hint));
            continue;
        }
        written.insert(key, entry);
    }
    let mut done: BTreeMap<String, Image> = BTreeMap::new();
    for key in written.keys() {
        resolve(reader, key, &written, &mut done, nodes);
    }
    done
}

/// Reads an image after those it is like.
fn resolve(
    reader: &mut Reader,
    key: &str,
    written: &BTreeMap<String, &Entry>,
    done: &mut BTreeMap<String, Image>,
    nodes: &BTreeSet<String>,
) {
    let mut chain = vec![key.to_string()];
    let mut seen = BTreeSet::from([key.to_string()]);
    let mut base = Image::default();
    while let Some(like) = chain.last().and_then(|key| like(written[key])) {
        let next = image_key(like.text());
        if let Some(image) = done.get(&next) {
            base = image.clone();
            break;
        }
        if !written.contains_key(&next) {
            reader.unknown(like, "described image", written.keys().map(String::as_str));
            break;
        }
        if !seen.insert(next.clone()) {
            reader.wrong(like, "is like itself, by a chain of `like`", None);
            break;
        }
        chain.push(next);
    }
    while let Some(key) = chain.pop() {
        base = image(reader, &written[&key].value, base, nodes);
        done.insert(key, base.clone());
    }
}

fn like(entry: &Entry) -> Option<&Tree> {
    entry.value.get("like")
}

fn image(reader: &mut Reader, tree: &Tree, base: Image, nodes: &BTreeSet<String>) -> Image {
    let mut image = base;
    let Some(mut fields) = reader.map(tree, "an image") else { return image };
    fields.take("like");
    if let Some(presence) = fields.take("present").and_then(|tree| presence(reader, tree, nodes)) {
        image.present = presence;
    }
    if let Some(tree) = fields.take("healthcheck") {
        image.healthcheck = healthcheck(reader, tree);
    }
    if let Some(span) = fields.take("serves_after").and_then(|tree| reader.span(tree)) {
        image.serves_after = span;
    }
    if let Some(answer) = fields.take("health").and_then(|tree| health(reader, tree)) {
        image.health = answer;
    }
    if let Some(tree) = fields.take("exit") {
        image.exit = exit(reader, tree);
    }
    if let Some(reaction) = fields.take("sigterm").and_then(|tree| sigterm(reader, tree)) {
        image.sigterm = reaction;
    }
    if let Some(tree) = fields.take("command") {
        let words = [("ok", Command::Ok), ("not_found", Command::NotFound)];
        image.command = reader.word(tree, "command", &words).unwrap_or(image.command);
    }
    if let Some(tree) = fields.take("only_slots") {
        image.only_slots = only_slots(reader, tree);
    }
    if let Some(tree) = fields.take("crash_rate") {
        image.crash_rate = if none(tree) { None } else { crash_rate(reader, tree) };
    }
    if let Some(tree) = fields.take("latency") {
        overlay(&mut image.latency, cluster::latency(reader, tree));
    }
    reader.finish(fields);
    image
}

fn overlay(base: &mut LatencyChanges, over: LatencyChanges) {
    let LatencyChanges {
        accept,
        prepare,
        pull,
        start,
        start_each_other,
        stop,
        cleanup,
        signal,
        unhealthy_signal,
        probe,
    } = over;
    for (place, value) in [
        (&mut base.accept, accept),
        (&mut base.prepare, prepare),
        (&mut base.pull, pull),
        (&mut base.start, start),
        (&mut base.start_each_other, start_each_other),
        (&mut base.stop, stop),
        (&mut base.cleanup, cleanup),
        (&mut base.signal, signal),
        (&mut base.unhealthy_signal, unhealthy_signal),
        (&mut base.probe, probe),
    ] {
        if value.is_some() {
            *place = value;
        }
    }
}

fn none(tree: &Tree) -> bool {
    tree.is_null() || tree.text() == "none"
}

fn presence(reader: &mut Reader, tree: &Tree, nodes: &BTreeSet<String>) -> Option<Presence> {
    let Value::Map(entries) = &tree.value else {
        let everywhere = reader.boolean(tree)?;
        return Some(if everywhere { Presence::Everywhere } else { Presence::Nowhere });
    };
    let mut map = BTreeMap::new();
    for entry in entries {
        if !nodes.contains(&entry.key) {
            let name = crate::scenario::syntax::Scalar { text: entry.key.clone(), plain: true };
            let name = Tree { place: entry.place, value: Value::Scalar(name) };
            reader.unknown(&name, "node", nodes.iter().map(String::as_str));
        }
        if let Some(there) = reader.boolean(&entry.value) {
            map.insert(entry.key.clone(), there);
        }
    }
    Some(Presence::Nodes(map))
}

fn healthcheck(reader: &mut Reader, tree: &Tree) -> Option<HealthConfig> {
    if none(tree) {
        return None;
    }
    let mut fields = reader.map(tree, "healthcheck")?;
    let test = fields.take("test").map(|tree| match &tree.value {
        Value::Seq(items) => items.iter().filter_map(|item| reader.text(item)).collect(),
        _ => vec!["CMD-SHELL".to_string(), reader.text(tree).unwrap_or_default()],
    });
    let mut health = HealthConfig {
        test: test.filter(|words: &Vec<String>| !words.is_empty()).unwrap_or_else(probe),
        ..HealthConfig::default()
    };
    for (key, place) in [
        ("interval", &mut health.interval),
        ("timeout", &mut health.timeout),
        ("start_period", &mut health.start_period),
        ("start_interval", &mut health.start_interval),
    ] {
        let span = fields.take(key).and_then(|tree| reader.span(tree));
        *place = span.unwrap_or_default();
    }
    if let Some(retries) = fields.take("retries").and_then(|tree| reader.whole(tree, 1, 1_000_000))
    {
        health.retries = retries as i64;
    }
    reader.finish(fields);
    Some(health)
}

fn probe() -> Vec<String> {
    PROBE.map(str::to_string).to_vec()
}

pub(super) fn health(reader: &mut Reader, tree: &Tree) -> Option<Health> {
    if let Value::Scalar(_) = tree.value {
        let words = [("ok", Health::Ok), ("fail", Health::Fail), ("hang", Health::Hang)];
        return reader.word(tree, "answer of a probe", &words);
    }
    let mut fields = reader.map(tree, "health")?;
    let ok_until = fields.take("ok_until");
    let answers = fields.take("pattern");
    reader.finish(fields);
    match (ok_until, answers) {
        (Some(tree), None) => reader.span(tree).map(Health::OkUntil),
        (None, Some(tree)) => pattern(reader, tree),
        _ => {
            reader.wrong(tree, "must be either `ok_until` or `pattern`", None);
            None
        }
    }
}

fn pattern(reader: &mut Reader, tree: &Tree) -> Option<Health> {
    let text = tree.text();
    let good = !text.is_empty() && text.len() <= MAX_PATTERN;
    if !good || !text.bytes().all(|b| b == b'0' || b == b'1') {
        let hint = "one character per probe: \"110\" is good, good, bad, and so on".to_string();
        reader.wrong(tree, "is not a pattern of the characters 0 and 1", Some(hint));
        return None;
    }
    Some(Health::Pattern(text.bytes().map(|b| b == b'1').collect()))
}

fn exit(reader: &mut Reader, tree: &Tree) -> Option<Exit> {
    if none(tree) {
        return None;
    }
    let mut fields = reader.map(tree, "exit")?;
    let after = fields.take("after").map(|tree| reader.span(tree));
    let code = fields.take("code").map(|tree| exit_code(reader, tree));
    reader.finish(fields);
    if after.is_none() || code.is_none() {
        reader.wrong(tree, "needs `after` and `code`", None);
    }
    Some(Exit { after: after??, code: code?? })
}

pub(super) fn exit_code(reader: &mut Reader, tree: &Tree) -> Option<i32> {
    reader.whole(tree, 0, 255).map(|code| code as i32)
}

fn sigterm(reader: &mut Reader, tree: &Tree) -> Option<Sigterm> {
    if let Value::Scalar(_) = tree.value {
        return reader.word(tree, "reaction to the stop signal", &[("ignored", Sigterm::Ignored)]);
    }
    let mut fields = reader.map(tree, "sigterm")?;
    let after = fields.take("exits_after").map(|tree| reader.span(tree));
    let code = fields.take("code").map(|tree| exit_code(reader, tree));
    reader.finish(fields);
    if after.is_none() {
        reader.wrong(tree, "needs `exits_after`", None);
    }
    Some(Sigterm::Exits { after: after??, code: code.unwrap_or(Some(0))? })
}

fn only_slots(reader: &mut Reader, tree: &Tree) -> Option<Vec<u32>> {
    if none(tree) {
        return None;
    }
    let items = reader.seq(tree, "a list of slots");
    let slots = items.iter().filter_map(|item| reader.whole(item, 1, (1 << 24) - 1));
    Some(slots.map(|slot| slot as u32).collect())
}

pub(super) fn crash_rate(reader: &mut Reader, tree: &Tree) -> Option<CrashRate> {
    let mut fields = reader.map(tree, "crash_rate")?;
    let mean = fields.take("mean").map(|tree| reader.positive_span(tree));
    let code = fields.take("code").map(|tree| exit_code(reader, tree));
    reader.finish(fields);
    if mean.is_none() {
        reader.wrong(tree, "needs `mean`, the mean time between two crashes of a task", None);
    }
    Some(CrashRate { mean: mean??, code: code.unwrap_or(Some(1))? })
}
