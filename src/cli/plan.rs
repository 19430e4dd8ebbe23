//! `swarmsim plan`: what would this deploy do?

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::base::time::{SimTime, Span};
use crate::cli::exit::Exit;
use crate::cli::input::stack_file;
use crate::cli::say::{answer, complain, note};
use crate::cli::threads::threads;
use crate::client::image::Reference;
use crate::compose::run::{DEPLOYED_ONCE, Stack};
use crate::plan::forecast::{self, Forecast, Room};
use crate::plan::mode::Mode;
use crate::plan::stage::{Base, Case, Deploy};
use crate::plan::trace::trace;
use crate::plan::verdict::Answer;
use crate::render::plan::{self, Told, json, markdown, text};
use crate::scenario::problem::nearest;

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Stack file that is to be deployed
    #[arg(value_name = "STACK")]
    file: PathBuf,
    /// Stack file that is deployed now; without it, and without --image, the same file with the
    /// tag `previous`
    #[arg(long, value_name = "OLD")]
    against: Option<PathBuf>,
    /// Name of the stack, as `docker stack deploy` has it; without it, that of the file
    #[arg(long, value_name = "STACK")]
    name: Option<String>,
    /// A new image of a service; may be repeated
    #[arg(long = "image", value_name = "SERVICE=IMAGE")]
    images: Vec<String>,
    /// How the images behave, in place of the file's x-swarmsim block
    #[arg(long, value_name = "FILE")]
    behaviour: Option<PathBuf>,
    /// Override a value of the new file's block, such as environment.TAG=2; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Runs of each case; 39 or 79 give ranges that hold 95 % of further runs
    #[arg(long, value_name = "N", default_value = "39")]
    runs: NonZeroU16,
    /// Another first seed than the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads to work with; the result does not depend on them
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// How long a version serves that turns sick
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "60s")]
    sick_after: Span,
    /// How much later a slow version serves
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "60s")]
    slow_start: Span,
    /// Print the scenario of a case instead, to be run with `swarmsim run`: good, or
    /// SERVICE:image-missing, :exits-at-once, :never-healthy, :sick-later, :slow-start
    #[arg(long, value_name = "CASE")]
    scenario: Option<String>,
    /// Say of each number in which runs it is seen, by their seeds
    #[arg(long, conflicts_with = "scenario")]
    explain: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// Tables, for the comment of a merge request
    Markdown,
}

/// A time of at most a day.
pub(super) fn time(text: &str) -> Result<Span, String> {
    let span = Span::parse_go(text)?;
    let day = Span::from_secs(24 * 3600);
    if span > Span::ZERO && span <= day {
        Ok(span)
    } else {
        Err("a time is longer than 0s and at most 24h, such as 90s".to_string())
    }
}

/// Plans a deploy.
pub fn run(args: &PlanArgs) -> Exit {
    plan(args).unwrap_or_else(|exit| exit)
}

fn plan(args: &PlanArgs) -> Result<Exit, Exit> {
    if args.explain && args.format != Format::Text {
        complain("--explain is for people: it goes with --format text only");
        return Err(Exit::Usage);
    }
    let new = stack_file(&args.file, &args.overrides, args.behaviour.as_deref());
    let (new, old) = both(new, args.against.as_deref())?;
    let new = named(args, new)?;
    let images = images(&args.images, &new)?;
    let (base, over, assumptions) = base(&new, args.against.as_deref(), old, &images);
    let deploy = Deploy::new(new, base, &images).map_err(|refusal| {
        complain(refusal.docker);
        Exit::Invalid
    })?;
    let modes = Mode::all(args.sick_after, args.slow_start);
    if let Some(word) = &args.scenario {
        let case = case(&deploy, &modes, word)?;
        let staged = deploy.scenario(case);
        let mut scenario = (*staged).clone();
        scenario.seed = args.seed.unwrap_or(scenario.seed);
        // A version that goes on crashing is shown for as long as the forecast looks at it.
        let room = &mut Room::default();
        let (_, over) = forecast::run(room, &deploy, case, &staged, scenario.seed);
        scenario.limits.time = over.since(SimTime::ZERO);
        let written = scenario.to_tree().to_lines();
        return Ok(answer(|out| out.write_all(written.as_bytes()).map(|()| Exit::Success)));
    }
    let threads = threads(args.threads)?;
    let (runs, seed) = (usize::from(args.runs.get()), args.seed.unwrap_or(deploy.seed()));
    let seen = threads.install(|| forecast::runs(&deploy, &modes, runs, seed));
    let forecast = Forecast::of(&deploy, &seen, seed);
    let traced = args.explain.then(|| trace(&deploy, &seen, seed));
    let file = args.file.display().to_string();
    let told = Told {
        file: &file,
        base: &over,
        assumptions: &assumptions,
        deploy: &deploy,
        forecast: &forecast,
    };
    let exit = match Answer::of(&deploy, &forecast) {
        Answer::Yes | Answer::Look => Exit::Success,
        Answer::No => Exit::No,
        Answer::Stuck | Answer::Unknown => Exit::Limit,
    };
    Ok(answer(|out| {
        let mut out = io::BufWriter::new(out);
        match args.format {
            Format::Text => text::text(&mut out, told)?,
            Format::Json => json::json(&mut out, told)?,
            Format::Markdown => markdown::markdown(&mut out, told)?,
        }
        if let Some(traced) = traced {
            plan::trace::trace(&mut out, &deploy, &traced)?;
        }
        out.flush()?;
        Ok(exit)
    }))
}

/// The new stack under the name that is asked for.
fn named(args: &PlanArgs, mut new: Stack) -> Result<Stack, Exit> {
    if let Some(name) = &args.name {
        if !is_stack_name(name) {
            complain(format_args!(
                "--name {name}: a stack's name has letters, digits, _ and -, and begins with a \
                 letter or digit"
            ));
            return Err(Exit::Usage);
        }
        new.name.clone_from(name);
    }
    Ok(new)
}

/// What the names of a stack's services may begin with.
fn is_stack_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(fits)
}

/// The new stack and the old one, if there is a file of it. Mistakes of both files are told before
/// anything else is done.
pub(super) fn both(
    new: Result<Stack, Exit>,
    against: Option<&Path>,
) -> Result<(Stack, Option<Stack>), Exit> {
    let old = against.map(|path| stack_file(path, &[], None));
    match (new, old.transpose()) {
        (Ok(new), Ok(old)) => Ok((new, old)),
        (Err(exit), Ok(_)) | (Ok(_), Err(exit)) => Err(exit),
        (Err(one), Err(other)) => Err(if one as u8 >= other as u8 { one } else { other }),
    }
}

/// What runs now, the same in words, and what is taken to be so, which is told on standard error.
pub(super) fn base(
    new: &Stack,
    against: Option<&Path>,
    old: Option<Stack>,
    images: &BTreeMap<String, String>,
) -> (Base, String, Vec<String>) {
    let mut assumptions: Vec<String> =
        new.assumptions.iter().filter(|text| !text.starts_with(DEPLOYED_ONCE)).cloned().collect();
    if !new.scenario.faults.is_empty() {
        assumptions.push("no fault happens: those of the file are left out".to_string());
    }
    let (base, over) = match (old, against) {
        (Some(old), Some(path)) => (Base::Other(Box::new(old)), path.display().to_string()),
        _ if !images.is_empty() => (Base::SameFile, "the images that it names".to_string()),
        _ => {
            let sentence = "what runs now is the same file with the tag previous of every image";
            assumptions.push(sentence.to_string());
            (Base::Previous, "the tag previous of every image".to_string())
        }
    };
    for assumption in &assumptions {
        note(format_args!("assumed: {assumption}\n"));
    }
    (base, over, assumptions)
}

/// `--image` by key of the service; every mistake at once.
pub(super) fn images(given: &[String], new: &Stack) -> Result<BTreeMap<String, String>, Exit> {
    let known: Vec<&str> = new.services.iter().map(String::as_str).collect();
    let mut images = BTreeMap::new();
    let mut mistaken = false;
    let mut wrong = |text: String| {
        complain(format_args!("--image {text}"));
        mistaken = true;
    };
    for assignment in given {
        let Some((name, image)) = assignment.split_once('=') else {
            wrong(format!("{assignment}: SERVICE=IMAGE was expected"));
            continue;
        };
        let key = name.strip_prefix(&format!("{}_", new.name)).unwrap_or(name);
        let key = if known.contains(&name) { name } else { key };
        if !known.contains(&key) {
            let hint = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("there are {}", known.join(", ")),
            };
            wrong(format!("{assignment}: there is no service {name}; {hint}"));
        }
        if Reference::parse(image).is_none() {
            wrong(format!("{assignment}: {image} is no image reference"));
        }
        if images.insert(key.to_string(), image.to_string()).is_some() {
            wrong(format!("{assignment}: {key} has two images"));
        }
    }
    if mistaken { Err(Exit::Usage) } else { Ok(images) }
}

/// The case that a word names.
fn case(deploy: &Deploy, modes: &[Mode], word: &str) -> Result<Case, Exit> {
    if word == "good" {
        return Ok(Case::Good);
    }
    let (service, mode) = word.rsplit_once(':').unwrap_or(("", word));
    let named = |place: &usize| {
        let of = &deploy.services[*place];
        of.name == service || of.key == service
    };
    let place = deploy.updated().find(named);
    let mode = modes.iter().find(|known| known.word() == mode);
    if let Some((place, mode)) = place.zip(mode) {
        return Ok(Case::Bad(place, *mode));
    }
    let services = deploy.updated().map(|place| deploy.services[place].key.as_str());
    let services = services.collect::<Vec<_>>().join(", ");
    let words = modes.iter().map(|mode| mode.word()).collect::<Vec<_>>().join(", ");
    complain(format_args!(
        "--scenario {word}: there are good and SERVICE:MODE, with the services {services} and the \
         modes {words}"
    ));
    Err(Exit::Usage)
}
