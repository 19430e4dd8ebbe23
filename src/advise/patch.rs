//! A change of settings as a change of the file's text.

use crate::advise::key::Change;
use crate::base::diff::unified;
use crate::compose::edit::{Edit, apply};
use crate::compose::{ComposeFile, Surroundings, read};

/// The file as a text.
#[derive(Clone, Copy, Debug)]
pub struct Source<'s> {
    /// Its path, as it was named.
    pub name: &'s str,
    /// Its text.
    pub text: &'s str,
    /// What it is read with.
    pub around: Surroundings<'s>,
}

/// A unified diff that makes the changes in the file; nothing if setting keys does not make them:
/// a value comes from an anchor, a merge or a variable. What is proposed is read again, and asks
/// for the same services as what was run.
pub fn patch(
    source: Source<'_>,
    stack: &str,
    services: &[String],
    changes: &[Change],
    run: &ComposeFile,
) -> Option<String> {
    let mut text = source.text.to_string();
    for (place, service) in services.iter().enumerate() {
        let own = changes.iter().filter(|change| change.service == place);
        let edits: Vec<Edit> = own.map(Change::edit).collect();
        if !edits.is_empty() {
            text = apply(&text, service, &edits)?;
        }
    }
    let specs = |file: &ComposeFile| {
        let plans = file.lower(stack, source.around.path).services.ok()?;
        Some(plans.into_iter().map(|plan| (plan.key, plan.spec)).collect::<Vec<_>>())
    };
    let patched = read(&text, source.around).ok()?;
    (specs(&patched)? == specs(run)?).then(|| unified(source.name, source.text, &text))
}
