//! YAML text to a small tree with positions: the only module that knows the YAML parser.
//!
//! Scalars stay text; what they mean is decided where the meaning is known. Everything here is
//! bounded, because the text may be hostile: its size, its depth, and the number of nodes that
//! aliases may make.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Marker, Options, Parser, ScalarStyle, Tag};

use crate::scenario::problem::{Place, Problem, Problems, quoted};

/// Largest text: one megabyte. A thousand nodes with ten labels each are a quarter of that.
pub const MAX_BYTES: usize = 1 << 20;

/// Deepest nesting. The deepest that the language has is six, Compose's is about ten.
pub const MAX_DEPTH: usize = 64;

/// Most nodes, copies made by anchors and aliases included: five times what the largest sensible
/// file has. Together with [`MAX_BYTES`] for copied text this bounds memory by some tens of
/// megabytes.
pub const MAX_NODES: usize = 100_000;

/// A value with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A text, a number, a word.
    Scalar(Scalar),
    /// A list.
    Seq(Vec<Tree>),
    /// A map, in the order of the file; no key twice.
    Map(Vec<Entry>),
}

/// A scalar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scalar {
    /// Its text after YAML's escapes and folding.
    pub text: String,
    /// Whether it was written plain, so that `null` and `true` are not texts.
    pub plain: bool,
}

/// A key with its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key begins.
    pub place: Place,
    /// Its value.
    pub value: Tree,
}

impl Tree {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(_) if self.is_null() => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// Whether it is a plain `null`, `~` or nothing at all.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar(scalar) => {
                scalar.plain && matches!(scalar.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Value::Seq(_) | Value::Map(_) => false,
        }
    }

    /// The value of a key; nothing if it is no map or has no such key.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The text of a scalar; of a list or map nothing.
    pub fn text(&self) -> &str {
        match &self.value {
            Value::Scalar(scalar) => &scalar.text,
            Value::Seq(_) | Value::Map(_) => "",
        }
    }

    /// Nodes and bytes of text in it.
    fn size(&self) -> (usize, usize) {
        let add = |sum: (usize, usize), more: (usize, usize)| (sum.0 + more.0, sum.1 + more.1);
        match &self.value {
            Value::Scalar(scalar) => (1, scalar.text.len()),
            Value::Seq(items) => items.iter().map(Tree::size).fold((1, 0), add),
            Value::Map(entries) => {
                let size = |entry: &Entry| add(entry.value.size(), (1, entry.key.len()));
                entries.iter().map(size).fold((1, 0), add)
            }
        }
    }
}

/// Reads one YAML document.
///
/// # Errors
/// All duplicate keys and the like together; a mistake of syntax or a limit ends the reading.
pub fn parse(text: &str) -> Result<Tree, Problems> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_BYTES}", text.len());
        return Err(Problems(vec![Problem::new(Place { line: 1, column: 1 }, "", message)]));
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    // The parser looks ahead, so that its own limit may be met first.
    options.flow_nesting_limit = 2 * MAX_DEPTH;
    options.block_nesting_limit = 2 * MAX_DEPTH;
    let mut builder = Builder::new();
    for next in Parser::new_from_str_with_options(text, options) {
        let step = match next {
            Ok((event, span)) => builder.event(event, place(&span.start)),
            Err(error) => Err(scan_problem(text, error.kind(), error.marker(), &error.info())),
        };
        if let Err(problem) = step {
            builder.problems.push(problem);
            return Err(Problems::sorted(builder.problems));
        }
    }
    match builder.root {
        Some(tree) if builder.problems.is_empty() => Ok(tree),
        None if builder.problems.is_empty() => {
            let problem = Problem::new(Place { line: 1, column: 1 }, "", "the file is empty");
            Err(Problems(vec![problem]))
        }
        _ => Err(Problems::sorted(builder.problems)),
    }
}

fn place(mark: &Marker) -> Place {
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Place { line: small(mark.line()).max(1), column: small(mark.col()).saturating_add(1) }
}

fn scan_problem(text: &str, kind: &ErrorKind, mark: &Marker, info: &str) -> Problem {
    let place = place(mark);
    let line = text.lines().nth(place.line as usize - 1).unwrap_or("");
    let indent = &line[..line.len() - line.trim_start().len()];
    if indent.contains('\t') {
        return Problem::new(place, "", "a tab in the indentation").hint("YAML wants spaces");
    }
    if *kind == ErrorKind::RecursionLimitExceeded {
        return too_deep(place);
    }
    if *kind == ErrorKind::UnknownAnchor {
        return Problem::new(place, "", "an alias to an anchor that does not exist");
    }
    Problem::new(place, "", format!("this is not YAML: {info}"))
}

fn too_deep(place: Place) -> Problem {
    Problem::new(place, "", format!("nested more than {MAX_DEPTH} deep"))
}

/// A list or map that is not closed yet.
enum Open {
    Seq(Vec<Tree>),
    Map { entries: Vec<Entry>, places: BTreeMap<String, Place>, key: Option<(String, Place)> },
}

struct Frame {
    open: Open,
    place: Place,
    anchor: usize,
}

struct Builder {
    frames: Vec<Frame>,
    root: Option<Tree>,
    documents: usize,
    anchors: BTreeMap<usize, Tree>,
    nodes_left: usize,
    copied_left: usize,
    problems: Vec<Problem>,
}

impl Builder {
    fn new() -> Builder {
        Builder {
            frames: Vec::new(),
            root: None,
            documents: 0,
            anchors: BTreeMap::new(),
            nodes_left: MAX_NODES,
            copied_left: MAX_BYTES,
            problems: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, place: Place) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Problem::new(place, "---", "a second document in one file")
                        .hint("put it into a file of its own"));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), place);
                self.spend(1, place)?;
                let plain = style == ScalarStyle::Plain;
                let scalar = Scalar { text: text.into_owned(), plain };
                self.put(Tree { place, value: Value::Scalar(scalar) }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(Open::Seq(Vec::new()), place, anchor, tag.as_deref())
            }
            Event::MappingStart(_, anchor, tag) => {
                let map = Open::Map { entries: Vec::new(), places: BTreeMap::new(), key: None };
                self.open(map, place, anchor, tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor) else {
                    return Err(Problem::new(place, "", "an alias inside of what it stands for"));
                };
                let (size, copy) = (target.size(), target.clone());
                self.spend_copy(size, place)?;
                self.put(copy, 0)
            }
            _ => Ok(()),
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, place: Place) {
        if let Some(tag) = tag {
            let what = tag.original();
            // `!!str 7` says nothing that the place of the value does not say.
            if !tag.is_yaml_core_schema() && what != "!" {
                let message = format!("the tag {} has no meaning here", quoted(&what));
                self.problems.push(Problem::new(place, &what, message));
            }
        }
    }

    fn open(
        &mut self,
        open: Open,
        place: Place,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Problem> {
        self.check_tag(tag, place);
        self.spend(1, place)?;
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_deep(place));
        }
        self.frames.push(Frame { open, place, anchor });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.open {
            Open::Seq(items) => Value::Seq(items),
            Open::Map { entries, .. } => Value::Map(entries),
        };
        self.put(Tree { place: frame.place, value }, frame.anchor)
    }

    /// Puts a finished value where it belongs: into the list, the map, as a key, or as the
    /// document.
    fn put(&mut self, tree: Tree, anchor: usize) -> Result<(), Problem> {
        if anchor != 0 {
            self.spend_copy(tree.size(), tree.place)?;
            self.anchors.insert(anchor, tree.clone());
        }
        match self.frames.last_mut().map(|frame| &mut frame.open) {
            None => self.root = Some(tree),
            Some(Open::Seq(items)) => items.push(tree),
            Some(Open::Map { entries, places, key }) => match key.take() {
                None => {
                    let Value::Scalar(scalar) = tree.value else {
                        return Err(Problem::new(tree.place, "", "a list or map as a key")
                            .hint("put texts with `{` or `[` into quotes"));
                    };
                    *key = Some((scalar.text, tree.place));
                }
                Some((key, place)) => {
                    if let Some(first) = places.get(&key) {
                        let message = format!("the key {} is given a second time", quoted(&key));
                        let hint = format!("first on line {}", first.line);
                        self.problems.push(Problem::new(place, &key, message).hint(hint));
                    } else {
                        places.insert(key.clone(), place);
                        entries.push(Entry { key, place, value: tree });
                    }
                }
            },
        }
        Ok(())
    }

    fn spend(&mut self, nodes: usize, place: Place) -> Result<(), Problem> {
        let too_many = || Problem::new(place, "", format!("more than {MAX_NODES} values"));
        self.nodes_left = self.nodes_left.checked_sub(nodes).ok_or_else(too_many)?;
        Ok(())
    }

    fn spend_copy(&mut self, size: (usize, usize), place: Place) -> Result<(), Problem> {
        let (nodes, bytes) = size;
        self.spend(nodes, place)?;
        let too_much =
            || Problem::new(place, "", format!("aliases copy more than {MAX_BYTES} bytes"));
        self.copied_left = self.copied_left.checked_sub(bytes).ok_or_else(too_much)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
