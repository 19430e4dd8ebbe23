//! What an onlooker does: keys, and what is done to the cluster at some moment.

use crate::base::time::SimTime;
use crate::scenario;
use crate::scenario::json::{map, plain, text};
use crate::scenario::model::Scenario;
use crate::scenario::problem::Place;
use crate::scenario::syntax::{self, Entry, Tree, Value};

/// A key, as far as the player knows keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A character.
    Char(char),
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// The next panel.
    Tab,
    /// Return.
    Enter,
    /// Takes a character back.
    Backspace,
    /// Leaves what was begun.
    Escape,
    /// The interrupt key.
    Interrupt,
}

/// Something done to the cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// A docker command line.
    Docker(String),
    /// A fault, as `faults:` of a scenario has it but for its moment.
    Fault(Tree),
}

/// What can be typed, for the page of help.
pub const ACTIONS: [(&str, &str); 11] = [
    ("docker service …", "types a command, as in a second terminal"),
    ("kill SERVICE.SLOT", "kills the process of that slot"),
    ("exit SERVICE.SLOT CODE", "it leaves with that code"),
    ("crash NODE [for TIME]", "the node loses power"),
    ("return NODE", "its engine is started again"),
    ("partition NODE [for TIME]", "it and the manager do not hear each other"),
    ("drain|pause|active NODE", "an operator sets its availability"),
    ("sick IMAGE [for TIME]", "its probes fail"),
    ("registry [for TIME]", "the registry is down"),
    ("leader", "another leader takes over"),
    ("{KEY: VALUE, …}", "any fault, as in docs/scenario.md, without at:"),
];

impl Action {
    /// Reads what was typed.
    ///
    /// # Errors
    /// What cannot be understood, in a sentence.
    pub fn read(line: &str) -> Result<Action, String> {
        let line = line.trim();
        if line.starts_with("docker ") {
            return Ok(Action::Docker(line.to_string()));
        }
        if line.starts_with('{') {
            let tree = syntax::parse(line).map_err(|problems| problems.0[0].message.clone())?;
            return Ok(Action::Fault(tree));
        }
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let mut span = None;
        if let [.., "for", time] = words[..] {
            span = Some(text(time));
            words.truncate(words.len() - 2);
        }
        let fault = |entries: &[(&str, Tree)]| {
            let entries = entries.iter().map(|(key, value)| (*key, Some(value.clone())));
            Ok(Action::Fault(map(entries.chain([("for", span.clone())]))))
        };
        let of_slot = |place: &str, what: &str, value: Tree| {
            let (service, slot) = match place.rsplit_once('.') {
                Some((service, slot)) if slot.parse::<u32>().is_ok() => (service, plain(slot)),
                _ => (place, text("any")),
            };
            fault(&[("service", text(service)), ("slot", slot), (what, value)])
        };
        match words[..] {
            ["kill", place] => of_slot(place, "kill", plain(9)),
            ["exit", place, code] => of_slot(place, "exit", plain(code)),
            ["crash", node] => fault(&[("node", text(node)), ("crash", plain(true))]),
            ["return", node] => fault(&[("node", text(node)), ("return", plain(true))]),
            ["partition", node] => fault(&[("node", text(node)), ("partition", plain(true))]),
            ["drain" | "pause" | "active", node] => {
                fault(&[("node", text(node)), ("availability", text(words[0]))])
            }
            ["sick", image] => fault(&[("image", text(image)), ("health", text("fail"))]),
            ["registry"] => fault(&[("registry", text("down"))]),
            ["leader"] => fault(&[("leader", text("change"))]),
            [] => Err("nothing was typed".to_string()),
            _ => Err(format!("\"{line}\" is no command and no fault: ? shows what can be typed")),
        }
    }

    /// The scenario with this done at a moment, besides everything else in it.
    ///
    /// # Errors
    /// The first thing that the scenario's checks say of it.
    pub fn add_to(&self, scenario: &Scenario, at: SimTime) -> Result<Scenario, String> {
        let moment = at.since(SimTime::ZERO).to_string();
        let mut tree = scenario.to_tree();
        let (list, entry) = match self {
            Action::Docker(line) => {
                ("script", map([("at", Some(text(moment))), ("run", Some(text(line)))]))
            }
            Action::Fault(fault) => {
                let Value::Map(entries) = &fault.value else {
                    return Err("a fault is a map such as {node: node-1, crash: true}".to_string());
                };
                let entries = entries.iter().map(|e| (e.key.clone(), Some(e.value.clone())));
                ("faults", map([("at".to_string(), Some(text(moment)))].into_iter().chain(entries)))
            }
        };
        append(&mut tree, list, entry);
        let printed = tree.to_json();
        scenario::load(&printed).map_err(|problems| problems.0[0].message.clone())
    }
}

/// Puts an entry at the end of a list of a map, which may not have it yet.
fn append(tree: &mut Tree, key: &str, entry: Tree) {
    let Value::Map(entries) = &mut tree.value else { return };
    let known = entries.iter_mut().find(|known| known.key == key).map(|known| &mut known.value);
    if let Some(Tree { value: Value::Seq(items), .. }) = known {
        items.push(entry);
        return;
    }
    entries.retain(|known| known.key != key);
    let value = scenario::json::list([entry]);
    entries.push(Entry { key: key.to_string(), place: Place::default(), value });
}
