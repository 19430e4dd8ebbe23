//! Reading scenario files and writing whole files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::say::{complain, note};
use crate::compose;
use crate::compose::run::{self, Mistaken};
use crate::scenario::Scenario;
use crate::scenario::files::MAX_FILE_BYTES;
use crate::scenario::problem::{Place, Problems};
use crate::scenario::syntax::{self, MAX_BYTES, Tree, Value};
use crate::timeline::ends::Timeline;

/// How a scenario or stack file is run otherwise than it says.
#[derive(Args, Clone, Debug, Default)]
pub struct Otherwise {
    /// Another seed than the file's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Override a value of the file, such as cluster.nodes=3; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// How the images of a stack file behave, in place of its x-swarmsim block
    #[arg(long, value_name = "FILE")]
    pub behaviour: Option<PathBuf>,
}

impl Otherwise {
    /// Reads a scenario or a stack file, to be run so.
    ///
    /// # Errors
    /// Those of [`input`].
    pub fn read(&self, path: &Path) -> Result<Scenario, Exit> {
        let mut scenario = input(path, &self.overrides, self.behaviour.as_deref())?.scenario;
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        Ok(scenario)
    }
}

/// A scenario that was read from a file.
pub struct Input {
    /// The scenario.
    pub scenario: Scenario,
    /// If the file is a stack file, the number of its services.
    pub services: Option<usize>,
    /// What the daemon will refuse of a stack file, with the places; empty if it takes all.
    pub refused: String,
}

/// Reads a scenario or a stack file, with overrides `KEY=VALUE`. `behaviour` is the path of a file
/// that stands for the block of a stack file. Mistakes are told on standard error, all of them, and
/// so is what is assumed.
///
/// # Errors
/// The exit code: the file cannot be read, or is not valid.
pub fn input(path: &Path, overrides: &[String], behaviour: Option<&Path>) -> Result<Input, Exit> {
    input_with(path, overrides, behaviour, &mut Mistakes::default())
}

/// The same, with the mistakes kept for whoever tells them once more.
///
/// # Errors
/// Those of [`input`].
pub fn input_with(
    path: &Path,
    overrides: &[String],
    behaviour: Option<&Path>,
    mistakes: &mut Mistakes,
) -> Result<Input, Exit> {
    Source::open_with(path, behaviour, mistakes)?.read(overrides, mistakes)
}

/// A scenario or a stack file that is read and parsed once, to be run with these overrides or with
/// those.
pub struct Source {
    path: PathBuf,
    text: String,
    behaviour: Option<(PathBuf, String)>,
    kind: Kind,
    /// Assumptions that were told.
    told: BTreeSet<String>,
}

enum Kind {
    Scenario { tree: Tree, files: BTreeMap<String, String> },
    Stack(Box<run::Parsed>),
}

impl Source {
    /// Reads a file, and those that it names. Mistakes are told on standard error.
    ///
    /// # Errors
    /// The exit code: a file cannot be read, or is no YAML.
    pub fn open(path: &Path, behaviour: Option<&Path>) -> Result<Source, Exit> {
        Source::open_with(path, behaviour, &mut Mistakes::default())
    }

    fn open_with(
        path: &Path,
        behaviour: Option<&Path>,
        mistakes: &mut Mistakes,
    ) -> Result<Source, Exit> {
        let text = text_with(path, mistakes)?;
        let tree = syntax::parse(&text);
        let tree = tree.map_err(|problems| mistakes.tell(path, &text, &problems))?;
        if run::is_stack(&tree) {
            return Source::stack(path, text, &tree, behaviour, mistakes);
        }
        if behaviour.is_some() {
            let name = path.display();
            complain(format_args!("--behaviour is for stack files, and {name} is a scenario"));
            return Err(Exit::Usage);
        }
        let files = files_of(path, &tree, BTreeMap::new(), mistakes)?;
        Ok(Source::new(path, text, None, Kind::Scenario { tree, files }))
    }

    fn new(path: &Path, text: String, behaviour: Option<(PathBuf, String)>, kind: Kind) -> Source {
        Source { path: path.to_path_buf(), text, behaviour, kind, told: BTreeSet::new() }
    }

    /// A stack file, with the files around it.
    fn stack(
        path: &Path,
        text: String,
        tree: &Tree,
        behaviour: Option<&Path>,
        mistakes: &mut Mistakes,
    ) -> Result<Source, Exit> {
        let read = |path: &Path| Ok((path.to_path_buf(), text_with(path, mistakes)?));
        let given = behaviour.map(read).transpose()?;
        let block = match &given {
            Some((path, text)) => {
                Some(syntax::parse(text).map_err(|problems| mistakes.tell(path, text, &problems))?)
            }
            None => run::block(tree).cloned(),
        };
        let own = path.file_name().and_then(|name| name.to_str()).unwrap_or("stack.yml");
        let known = [(own.to_string(), text.clone())].into();
        let empty = Tree { place: Place::default(), value: Value::Map(Vec::new()) };
        let mut files = files_of(path, &block.unwrap_or(empty), known, mistakes)?;
        files.remove(own);
        let behaviour = given.as_ref().map(|(_, text)| text.as_str());
        let request =
            run::Request { name: own, text: &text, behaviour, overrides: &[], files: &files };
        let parsed = run::Parsed::new(request)
            .map_err(|mistaken| mistakes.tell_of(path, &text, given.as_ref(), &mistaken))?;
        Ok(Source::new(path, text, given, Kind::Stack(Box::new(parsed))))
    }

    /// The scenario with overrides `KEY=VALUE`. Mistakes are told on standard error, all of them;
    /// so is what is assumed, unless it was told before.
    ///
    /// # Errors
    /// The exit code: it is not valid.
    pub fn with(&mut self, overrides: &[String]) -> Result<Input, Exit> {
        self.read(overrides, &mut Mistakes::default())
    }

    fn read(&mut self, overrides: &[String], mistakes: &mut Mistakes) -> Result<Input, Exit> {
        if let Kind::Scenario { tree, files } = &self.kind {
            let scenario = crate::scenario::load_tree(tree.clone(), &self.text, overrides, files);
            let scenario =
                scenario.map_err(|problems| mistakes.tell(&self.path, &self.text, &problems))?;
            return Ok(Input { scenario, services: None, refused: String::new() });
        }
        let stack = self.stack_with(overrides, mistakes)?;
        for assumption in &stack.assumptions {
            if self.told.insert(assumption.clone()) {
                note(format_args!("assumed: {assumption}\n"));
            }
        }
        let services = Some(stack.services.len());
        mistakes.keep(&self.path, &stack.refused);
        let refused = match stack.refused.0.as_slice() {
            [] => String::new(),
            _ => stack.refused.render(&self.path.display().to_string(), &self.text),
        };
        Ok(Input { scenario: stack.scenario, services, refused })
    }

    fn stack_with(
        &mut self,
        overrides: &[String],
        mistakes: &mut Mistakes,
    ) -> Result<run::Stack, Exit> {
        let Kind::Stack(parsed) = &mut self.kind else {
            complain(format_args!("{} is a scenario and no stack file", self.path.display()));
            return Err(Exit::Invalid);
        };
        let (path, text, given) = (&self.path, &self.text, self.behaviour.as_ref());
        let stack = parsed.with(overrides);
        stack.map_err(|mistaken| mistakes.tell_of(path, text, given, &mistaken))
    }
}

/// A mistake in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// The file as it was named.
    pub file: String,
    /// Where; nothing if the file as a whole cannot be read.
    pub place: Option<Place>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Mistakes that were told on standard error.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// Tells what is wrong in a file.
    fn tell(&mut self, path: &Path, text: &str, problems: &Problems) -> Exit {
        note(problems.render(&path.display().to_string(), text));
        self.keep(path, problems);
        Exit::Invalid
    }

    fn keep(&mut self, path: &Path, problems: &Problems) {
        for problem in &problems.0 {
            let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})"));
            self.0.push(Mistake {
                file: path.display().to_string(),
                place: Some(problem.place).filter(|place| place.line > 0),
                message: format!("{}{}", problem.message, hint.unwrap_or_default()),
            });
        }
    }

    /// Tells what is wrong in a stack file, or in the file of its behaviour.
    fn tell_of(
        &mut self,
        path: &Path,
        text: &str,
        behaviour: Option<&(PathBuf, String)>,
        mistaken: &Mistaken,
    ) -> Exit {
        match (mistaken, behaviour) {
            (Mistaken::Behaviour(problems), Some((path, text))) => self.tell(path, text, problems),
            (Mistaken::Behaviour(problems) | Mistaken::Stack(problems), _) => {
                self.tell(path, text, problems)
            }
        }
    }

    /// Tells what is wrong with a file as a whole.
    fn whole(&mut self, path: &Path, message: String) {
        complain(&message);
        self.0.push(Mistake { file: path.display().to_string(), place: None, message });
    }
}

/// Reads a stack file. Mistakes are told on standard error, all of them.
///
/// # Errors
/// The exit code: the file cannot be read, is not valid, is refused by the daemon, or is no stack
/// file.
pub fn stack_file(
    path: &Path,
    overrides: &[String],
    behaviour: Option<&Path>,
) -> Result<run::Stack, Exit> {
    let mistakes = &mut Mistakes::default();
    let text = text_with(path, mistakes)?;
    let tree = syntax::parse(&text);
    let tree = tree.map_err(|problems| mistakes.tell(path, &text, &problems))?;
    if !run::is_stack(&tree) {
        let path = path.display();
        let why = match (tree.get("script"), tree.get("services")) {
            (Some(_), _) => "it has a `script:`, so it is a scenario",
            (None, _) => "it has no `services:`",
        };
        complain(format_args!("{path} is no stack file: {why}"));
        return Err(Exit::Invalid);
    }
    let stack = Source::stack(path, text.clone(), &tree, behaviour, mistakes)?
        .stack_with(overrides, mistakes)?;
    if !stack.refused.0.is_empty() {
        note(stack.refused.render(&path.display().to_string(), &text));
        return Err(Exit::Invalid);
    }
    Ok(stack)
}

/// The files that the commands of a script read, and those that these read in turn. Paths are seen
/// from the directory of the scenario. One that is not there is told where it is named.
fn files_of(
    path: &Path,
    tree: &Tree,
    mut files: BTreeMap<String, String>,
    mistakes: &mut Mistakes,
) -> Result<BTreeMap<String, String>, Exit> {
    let directory = path.parent().unwrap_or(Path::new(""));
    for name in crate::scenario::files::missing(tree).into_keys() {
        if !files.contains_key(&name)
            && let Some(text) = small_file(&directory.join(&name), mistakes)?
        {
            files.insert(name, text);
        }
    }
    let environment = run::environment(tree);
    let mut named = BTreeSet::new();
    for (name, text) in &files {
        named.extend(compose::env_files(text, name, &environment));
    }
    for name in named {
        if let Some(text) = small_file(&directory.join(&name), mistakes)? {
            files.insert(name, text);
        }
    }
    Ok(files)
}

/// The text of a file that a scenario reads; nothing if it is not there.
fn small_file(path: &Path, mistakes: &mut Mistakes) -> Result<Option<String>, Exit> {
    let limit = MAX_FILE_BYTES >> 10;
    let too_large = format!("is larger than such a file may be: {limit} KiB");
    match bounded(path, MAX_FILE_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => text_in(path, read, &too_large, mistakes).map(Some),
    }
}

/// The text of a scenario file.
pub(super) fn text_of(path: &Path) -> Result<String, Exit> {
    text_with(path, &mut Mistakes::default())
}

/// The same, with what is wrong with it kept.
fn text_with(path: &Path, mistakes: &mut Mistakes) -> Result<String, Exit> {
    let limit = MAX_BYTES >> 20;
    let too_large = format!("is larger than a scenario may be, which is {limit} MiB");
    text_in(path, bounded(path, MAX_BYTES), &too_large, mistakes)
}

/// What is in a file; nothing if that is more than `most` bytes, which are not read: it may have no
/// end.
fn bounded(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

/// The text in what was read, or what is wrong with it on standard error.
fn text_in(
    path: &Path,
    read: io::Result<Option<Vec<u8>>>,
    too_large: &str,
    mistakes: &mut Mistakes,
) -> Result<String, Exit> {
    let name = path.display();
    let bytes = read.map_err(|error| {
        mistakes.whole(path, format!("cannot read {name}: {error}"));
        Exit::File
    })?;
    let Some(bytes) = bytes else {
        mistakes.whole(path, format!("{name} {too_large}"));
        return Err(Exit::Invalid);
    };
    String::from_utf8(bytes).map_err(|_| {
        mistakes.whole(path, format!("{name} is not UTF-8 text"));
        Exit::Invalid
    })
}

/// Whether a file is a timeline rather than a scenario: by its name or, if that says nothing, by
/// its first byte.
pub fn is_timeline(path: &Path) -> bool {
    match path.extension().and_then(|end| end.to_str()) {
        Some("jsonl") => true,
        Some("yaml" | "yml") => false,
        _ => {
            let mut first = [0];
            let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut first));
            read.is_ok() && first == *b"{"
        }
    }
}

/// Reads a timeline file.
///
/// # Errors
/// The exit code, after telling the mistake on standard error.
pub fn timeline(path: &Path) -> Result<Timeline, Exit> {
    if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
        let path = path.display();
        let hint = "a timeline is what `swarmsim run FILE --timeline OUT.jsonl` writes";
        complain(format_args!("{path} is a scenario or a stack file, and no timeline: {hint}"));
        return Err(Exit::Invalid);
    }
    let file = fs::File::open(path).map_err(|error| {
        complain(format_args!("cannot read {}: {error}", path.display()));
        Exit::File
    })?;
    crate::timeline::read::read(io::BufReader::new(file)).map_err(|error| {
        complain(format_args!("{}: {error}", path.display()));
        if error.unreadable { Exit::File } else { Exit::Invalid }
    })
}

/// A file that appears under its name only when it is complete. What is no regular file, such as a
/// pipe, is written to as it is.
pub struct WholeFile {
    /// Beside its place, and its place; nothing once it is there.
    moved: Option<(PathBuf, PathBuf)>,
    file: io::BufWriter<fs::File>,
}

impl WholeFile {
    /// Begins a file beside its final place.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(path: &Path) -> io::Result<WholeFile> {
        let there = fs::metadata(path).ok();
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let file = fs::OpenOptions::new().write(true).open(path)?;
            return Ok(WholeFile { moved: None, file: io::BufWriter::new(file) });
        }
        // A link stays one: what it leads to is replaced.
        let place = if there.is_some() { fs::canonicalize(path)? } else { path.to_path_buf() };
        let mut name = place.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", std::process::id()));
        let beside = place.with_file_name(name);
        let file = io::BufWriter::new(fs::File::create(&beside)?);
        Ok(WholeFile { moved: Some((beside, place)), file })
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// It cannot be written or moved; then nothing is left behind.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Some((beside, place)) = &self.moved {
            fs::rename(beside, place)?;
            self.moved = None;
        }
        Ok(())
    }
}

/// A file that was not finished leaves nothing behind.
impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.moved {
            let _ = fs::remove_file(beside);
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
