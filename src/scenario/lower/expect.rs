//! `expect:`.

use crate::base::time::Span;
use crate::scenario::expect::{
    Claims, Expect, RequestClaim, ServiceClaim, ServiceClaims, StepClaim, Window,
};
use crate::scenario::lower::Names;
use crate::scenario::lower::reader::{Fields, Reader, one_or_more};
use crate::scenario::lower::script::{STATES, reference};
use crate::scenario::model::image_key;
use crate::scenario::syntax::{Tree, Value};
use crate::swarmkit::task::{TaskState, UpdateState};

pub(super) fn expectations(reader: &mut Reader, tree: &Tree, names: &Names) -> Vec<Expect> {
    let items = reader.seq(tree, "expectations");
    items.iter().filter_map(|item| expectation(reader, item, names)).collect()
}

fn expectation(reader: &mut Reader, tree: &Tree, names: &Names) -> Option<Expect> {
    let before = reader.problems.len();
    let mut fields = reader.map(tree, "an expectation")?;
    let window = window(reader, &mut fields, names);
    let service = fields.take("service");
    let requests = fields.take("requests");
    let step = fields.take("step");
    let laws = fields.take("laws_broken");
    let claims = match (service, requests, step, laws) {
        (Some(service), None, None, None) => service_claims(reader, service, &mut fields, names),
        (None, Some(service), None, None) => {
            let whole = window.is_some_and(|window| window == Window::default());
            request_claims(reader, service, &mut fields, names, whole)
        }
        (None, None, Some(step), None) => step_claims(reader, step, &mut fields, names),
        (None, None, None, Some(laws)) => law_claims(reader, laws),
        _ => {
            let message = "must be about one of `service`, `requests`, `step` and `laws_broken`";
            reader.wrong(tree, message, None);
            return None;
        }
    };
    reader.finish(fields);
    let claims = claims?;
    let empty = match &claims {
        Claims::Service(service) => service.claims.is_empty(),
        Claims::Requests { claims, .. } => claims.is_empty(),
        Claims::Step { claims, .. } => claims.is_empty(),
        Claims::LawsBroken(_) => false,
    };
    if empty && reader.problems.len() == before {
        reader.wrong(tree, "that claims nothing", None);
    }
    Some(Expect { line: tree.place.line, window: window?, claims })
}

fn window(reader: &mut Reader, fields: &mut Fields<'_>, names: &Names) -> Option<Window> {
    let mut step = |key| fields.take(key).map(|tree| (tree, reference(reader, tree, names)));
    let (since, after, during) = (step("since"), step("after"), step("during"));
    if let Some((tree, step)) = during {
        if since.is_some() || after.is_some() {
            reader.wrong(tree, "as `during` already means `since` and `after` that step", None);
        }
        return step.map(|step| Window { since: Some(step), after: Some(step) });
    }
    let since = since.map(|(_, step)| step);
    let since = match since {
        Some(step) => Some(step?),
        None => None,
    };
    let Some((tree, after)) = after else { return Some(Window { since, after: None }) };
    let after = after?;
    if since.is_some_and(|since| since > after) {
        reader.wrong(tree, "is a step before that of `since`", None);
    }
    Some(Window { since, after: Some(after) })
}

fn service_claims(
    reader: &mut Reader,
    service: &Tree,
    fields: &mut Fields<'_>,
    names: &Names,
) -> Option<Claims> {
    names.check_service(reader, service);
    let mut claims = Vec::new();
    status(reader, fields, names, &mut claims);
    let always = fields.take("always").map(|tree| (tree, reader.boolean(tree)));
    let mut bounded = false;
    for (key, claim) in [
        ("replicas", ServiceClaim::Replicas as fn(u64) -> ServiceClaim),
        ("running", ServiceClaim::Running),
        ("running_at_least", ServiceClaim::RunningAtLeast),
        ("running_at_most", ServiceClaim::RunningAtMost),
        ("tasks_created", ServiceClaim::TasksCreated),
        ("slots_untouched", ServiceClaim::SlotsUntouched),
        ("slots_replaced", ServiceClaim::SlotsReplaced),
    ] {
        if let Some(tree) = fields.take(key) {
            claims.extend(reader.whole(tree, 0, u64::MAX).map(claim));
            bounded |= key.starts_with("running_at");
        }
    }
    if let Some(tree) = fields.take("waves") {
        claims.extend(waves(reader, tree));
    }
    if let Some(tree) = fields.take("states") {
        claims.extend(states(reader, tree));
    }
    if let Some(tree) = fields.take("never_running") {
        claims.extend(names.image(reader, tree).map(ServiceClaim::NeverRunning));
    }
    for (key, claim) in [
        ("unavailable_at_least", ServiceClaim::UnavailableAtLeast as fn(Span) -> ServiceClaim),
        ("unavailable_at_most", ServiceClaim::UnavailableAtMost),
        ("update_takes_at_least", ServiceClaim::UpdateTakesAtLeast),
        ("update_takes_at_most", ServiceClaim::UpdateTakesAtMost),
    ] {
        claims.extend(fields.take(key).and_then(|tree| reader.span(tree)).map(claim));
    }
    if let Some((tree, _)) = always.filter(|_| !bounded) {
        let message = "as `always` goes with `running_at_least` or `running_at_most` only";
        reader.wrong(tree, message, None);
    }
    let always = always.and_then(|(_, always)| always).unwrap_or(false);
    Some(Claims::Service(ServiceClaims { service: reader.text(service)?, always, claims }))
}

/// Claims about the service object.
fn status(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    names: &Names,
    claims: &mut Vec<ServiceClaim>,
) {
    if let Some(tree) = fields.take("update") {
        let none: [(&str, Option<UpdateState>); 1] = [("none", None)];
        let states = STATES.map(|(word, state)| (word, Some(state)));
        let words: Vec<_> = states.into_iter().chain(none).collect();
        claims.extend(reader.word(tree, "update state", &words).map(ServiceClaim::Update));
    }
    if let Some(tree) = fields.take("message") {
        claims.extend(reader.text(tree).map(ServiceClaim::Message));
    }
    if let Some(tree) = fields.take("image") {
        claims.extend(names.image(reader, tree).map(ServiceClaim::Image));
    }
    if let Some(tree) = fields.take("previous_image") {
        let none = tree.is_null() || tree.text() == "none";
        let image = if none { Some(None) } else { names.image(reader, tree).map(Some) };
        claims.extend(image.map(ServiceClaim::PreviousImage));
    }
}

fn waves(reader: &mut Reader, tree: &Tree) -> Option<ServiceClaim> {
    let mut fields = reader.map(tree, "waves")?;
    let sizes = fields.take("sizes");
    let apart = fields.take("apart").map(|tree| reader.positive_span(tree));
    reader.finish(fields);
    if sizes.is_none() || apart.is_none() {
        let hint = "{sizes: [2, 2], apart: 10s}".to_string();
        reader.wrong(tree, "needs `sizes` and `apart`", Some(hint));
    }
    let items = reader.seq(sizes?, "sizes of waves");
    let sizes = items.iter().map(|item| reader.whole(item, 1, 1_000_000)).collect::<Option<_>>()?;
    Some(ServiceClaim::Waves { sizes, apart: apart?? })
}

fn states(reader: &mut Reader, tree: &Tree) -> Option<ServiceClaim> {
    let words = TaskState::ALL.map(|state| (state.word(), state));
    let items = reader.seq(tree, "states of tasks");
    let states: Vec<TaskState> = items
        .iter()
        .map(|item| reader.word(item, "state of a task", &words))
        .collect::<Option<_>>()?;
    if states.is_empty() || !states.is_sorted_by(|a, b| a < b) {
        reader.wrong(tree, "must be states in the order in which a task takes them", None);
        return None;
    }
    Some(ServiceClaim::States(states))
}

fn request_claims(
    reader: &mut Reader,
    service: &Tree,
    fields: &mut Fields<'_>,
    names: &Names,
    whole: bool,
) -> Option<Claims> {
    names.check_service(reader, service);
    let line = names.counted(service.text(), whole);
    for key in ["answered_by_tasks", "answered_by_image", "alternate"] {
        if let (Some(tree), Some(line)) = (fields.get(key), line) {
            let message = format!("of `{key}` cannot be known: these requests are only counted");
            let hint = match line {
                0 => "write `told: each` at their traffic".to_string(),
                line => format!("write `told: each` at the traffic in line {line}"),
            };
            reader.wrong(tree, &message, Some(hint));
        }
    }
    let mut claims = Vec::new();
    for (key, claim) in [
        ("failed", RequestClaim::Failed as fn(u64) -> RequestClaim),
        ("failed_at_least", RequestClaim::FailedAtLeast),
        ("failed_at_most", RequestClaim::FailedAtMost),
        ("answered", RequestClaim::Answered),
        ("answered_at_least", RequestClaim::AnsweredAtLeast),
        ("answered_by_tasks", RequestClaim::AnsweredByTasks),
    ] {
        let number = fields.take(key).and_then(|tree| reader.whole(tree, 0, u64::MAX));
        claims.extend(number.map(claim));
    }
    if let Some(tree) = fields.take("answered_by_image") {
        claims.extend(names.image(reader, tree).map(RequestClaim::AnsweredByImage));
    }
    if let Some(tree) = fields.take("alternate") {
        claims.extend(reader.boolean(tree).map(RequestClaim::Alternate));
    }
    Some(Claims::Requests { service: reader.text(service)?, claims })
}

fn step_claims(
    reader: &mut Reader,
    step: &Tree,
    fields: &mut Fields<'_>,
    names: &Names,
) -> Option<Claims> {
    let step = reference(reader, step, names);
    let mut claims = Vec::new();
    if let Some(tree) = fields.take("exit") {
        claims.extend(reader.whole(tree, 0, 255).map(|code| StepClaim::Exit(code as u8)));
    }
    for (key, claim) in [
        ("prints", StepClaim::Prints as fn(String) -> StepClaim),
        ("prints_not", StepClaim::PrintsNot),
    ] {
        for tree in fields.take(key).map(one_or_more).unwrap_or_default() {
            claims.extend(reader.text(tree).map(claim));
        }
    }
    for (key, claim) in [
        ("duration_at_least", StepClaim::DurationAtLeast as fn(Span) -> StepClaim),
        ("duration_at_most", StepClaim::DurationAtMost),
    ] {
        claims.extend(fields.take(key).and_then(|tree| reader.span(tree)).map(claim));
    }
    Some(Claims::Step { step: step?, claims })
}

fn law_claims(reader: &mut Reader, tree: &Tree) -> Option<Claims> {
    let items = reader.seq(tree, "names of laws");
    let mut laws: Vec<String> =
        items.iter().map(|item| reader.text(item)).collect::<Option<_>>()?;
    laws.sort();
    laws.dedup();
    Some(Claims::LawsBroken(laws))
}

impl Names {
    /// An image that is described or occurs in a docker line, by its key.
    pub(super) fn image(&self, reader: &mut Reader, tree: &Tree) -> Option<String> {
        let key = image_key(&reader.text(tree)?);
        if !self.images.contains(&key) && !self.any_image {
            let known = self.images.iter().map(String::as_str);
            reader.unknown(tree, "image of this scenario", known);
            return None;
        }
        Some(key)
    }

    /// A node of the cluster.
    pub(super) fn node(&self, reader: &mut Reader, tree: &Tree) -> Option<String> {
        if !self.nodes.contains(tree.text()) || !matches!(tree.value, Value::Scalar(_)) {
            reader.unknown(tree, "node", self.nodes.iter().map(String::as_str));
            return None;
        }
        Some(tree.text().to_string())
    }

    /// A service that the script creates. Where it creates one without a name, any will do.
    pub(super) fn check_service(&self, reader: &mut Reader, tree: &Tree) {
        if !self.unnamed && !self.services.contains(tree.text()) {
            let known = self.services.iter().map(String::as_str);
            reader.unknown(tree, "service that the script creates", known);
        }
    }
}
