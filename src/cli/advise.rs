//! `swarmsim advise`: which settings meet my goals?

use std::io::{self, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::advise::goal::{Goal, MOST_GOALS, for_services};
use crate::advise::grid::Grid;
use crate::advise::patch::{Source, patch};
use crate::advise::search::{Advice, Answer, Question, search};
use crate::advise::setup::Wish;
use crate::advise::trial::Ground;
use crate::base::time::Span;
use crate::cli::exit::Exit;
use crate::cli::input::{WholeFile, stack_file, text_of};
use crate::cli::plan::{base, both, images, time};
use crate::cli::say::{answer, complain};
use crate::cli::threads::threads;
use crate::compose::Surroundings;
use crate::compose::run::Stack;
use crate::plan::mode::Mode;
use crate::plan::stage::Deploy;
use crate::render::advise::{Advised, Told, curve, json, markdown, text};
use crate::swarmkit::spec::ServiceSpec;

/// With so many seeds every setting is tried; what is told is run with all.
const SCREEN: usize = 3;

const GOAL_HELP: &str = "A goal, such as 'duration<10m', 'capacity>=75%', \
                         'bad_image_exposure<=1'; may be repeated. The names are duration, \
                         capacity, capacity_if_bad, bad_image_exposure, detection, restore, \
                         lost_requests, extra, rollback, capacity_in_rollback; \
                         SERVICE:GOAL is for one service";

/// Arguments of `advise`.
#[derive(Args, Debug)]
pub struct AdviseArgs {
    /// Stack file
    #[arg(value_name = "STACK")]
    file: PathBuf,
    #[arg(long = "goal", value_name = "GOAL", required = true, help = GOAL_HELP)]
    goals: Vec<String>,
    /// The service; without it each that the deploy updates; may be repeated
    #[arg(long = "service", value_name = "SERVICE")]
    services: Vec<String>,
    /// Search the services together: one change and one patch for all of them
    #[arg(long)]
    together: bool,
    /// Values of a key in place of the usual steps, such as monitor=30s,2m; may be repeated
    #[arg(long, value_name = "KEY=VALUE,VALUE…")]
    vary: Vec<String>,
    /// Search these keys only, such as parallelism,monitor
    #[arg(long, value_name = "KEY,KEY…", value_delimiter = ',')]
    only: Vec<String>,
    /// Try at most so many settings
    #[arg(long, value_name = "N", default_value = "1000",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    settings: u32,
    /// Stack file that is deployed now; without it, and without --image, the same file with the
    /// tag `previous`
    #[arg(long, value_name = "OLD")]
    against: Option<PathBuf>,
    /// A new image of a service; may be repeated
    #[arg(long = "image", value_name = "SERVICE=IMAGE")]
    images: Vec<String>,
    /// How the images behave, in place of the file's x-swarmsim block
    #[arg(long, value_name = "FILE")]
    behaviour: Option<PathBuf>,
    /// Override a value of the file's block, such as environment.TAG=2; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Runs of each case; 39 or 79 give ranges that hold 95 % of further runs
    #[arg(long, alias = "runs", value_name = "N", default_value = "39")]
    replicates: NonZeroU16,
    /// Another first seed than the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads to work with; the result does not depend on them
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// The ways to fail that count; without it all
    #[arg(long = "mode", value_name = "MODE,MODE…", value_delimiter = ',')]
    modes: Vec<String>,
    /// How long a version serves that turns sick
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "60s")]
    sick_after: Span,
    /// How much later a slow version serves
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "60s")]
    slow_start: Span,
    /// Answer no (exit code 1) unless the file meets all goals as it stands
    #[arg(long)]
    gate: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Draw the trade-offs of the service (SVG)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
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

/// Advises.
pub fn run(args: &AdviseArgs) -> Exit {
    advise(args).unwrap_or_else(|exit| exit)
}

fn advise(args: &AdviseArgs) -> Result<Exit, Exit> {
    let new = stack_file(&args.file, &args.overrides, args.behaviour.as_deref());
    let (new, old) = both(new, args.against.as_deref())?;
    let mut wrong = Vec::new();
    let goals = kept(Goal::parse_all(&args.goals, !new.scenario.traffic.is_empty()), &mut wrong);
    let wrong_goals = wrong.len();
    let wish = kept(Wish::parse(&args.vary, &args.only), &mut wrong);
    let modes = kept(modes(args), &mut wrong);
    for (place, why) in wrong.iter().enumerate() {
        let goal = if place < wrong_goals { "--goal " } else { "" };
        complain(format_args!("{goal}{why}"));
    }
    let images = images(&args.images, &new);
    let (Some(goals), Some(wish), Some(modes), Ok(images)) = (goals, wish, modes, images) else {
        return Err(Exit::Usage);
    };
    let (base, over, assumptions) = base(&new, args.against.as_deref(), old, &images);
    let seed = args.seed.unwrap_or(new.scenario.seed);
    let rollbacks = goals.iter().any(|goal| goal.quantity.is_of_rollback());
    let wish = Wish { rollbacks, ..wish };
    let ground = Ground { new, base, images, services: Vec::new(), modes, seed };
    let services = services(args, &ground, &wish, &goals)?;
    if let (Some(path), [only]) = (&args.plot, services.as_slice()) {
        drawn(path, only)?;
    }
    let told = Told {
        file: &args.file.display().to_string(),
        stack: &ground.new.name,
        base: &over,
        assumptions: &assumptions,
        goals: &goals.iter().map(|goal| goal.text.clone()).collect::<Vec<_>>(),
        runs: usize::from(args.replicates.get()),
        seed,
        services: &services,
    };
    let exit = services.iter().map(|of| exit(args, &of.advice)).max_by_key(|exit| *exit as u8);
    Ok(tell(args.format, told, exit.unwrap_or(Exit::Success)))
}

/// What was read; what is wrong is put to the rest.
fn kept<T>(read: Result<T, Vec<String>>, wrong: &mut Vec<String>) -> Option<T> {
    read.map_err(|more| wrong.extend(more)).ok()
}

/// The ways to fail that count.
fn modes(args: &AdviseArgs) -> Result<Vec<Mode>, Vec<String>> {
    let all = Mode::all(args.sick_after, args.slow_start);
    let known = all.map(Mode::word);
    let unknown = args.modes.iter().filter(|word| !known.contains(&word.as_str()));
    let wrong: Vec<String> =
        unknown.map(|word| format!("--mode {word}: the modes are {}", known.join(", "))).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let counts =
        |mode: &Mode| args.modes.is_empty() || args.modes.iter().any(|of| of == mode.word());
    Ok(all.into_iter().filter(counts).collect())
}

/// A search that is to be made: of one service, or of several together.
struct Part {
    ground: Ground,
    grid: Grid,
    notes: Vec<String>,
    goals: Vec<Goal>,
}

/// Searches service by service, or all at once.
fn services(
    args: &AdviseArgs,
    ground: &Ground,
    wish: &Wish,
    goals: &[Goal],
) -> Result<Vec<Advised>, Exit> {
    let deploy = Deploy::new(ground.new.clone(), ground.base.clone(), &ground.images);
    let deploy = deploy.map_err(|refusal| {
        complain(refusal.docker);
        Exit::Invalid
    })?;
    let parts = parts(args, ground, wish, goals, &deploy)?;
    let text = text_of(&args.file)?;
    let threads = threads(args.threads)?;
    let one = |part: Part| {
        let Part { ground, grid, notes, goals } = part;
        let question = Question {
            goals,
            runs: usize::from(args.replicates.get()),
            screen: SCREEN,
            most: args.settings as usize,
        };
        let advice = threads.install(|| search(&ground, &grid, &question));
        let patch = match &advice.answer {
            Answer::Change(tried) => {
                let changes = grid.changes(&tried.setting);
                let changed: Stack = ground.changed(&changes);
                let source = source(&args.file, &text, &ground.new);
                patch(source, &ground.new.name, &ground.services, &changes, &changed.file)
            }
            _ => None,
        };
        let Ground { services, .. } = ground;
        Advised { services, goals: question.goals, grid, advice, patch, notes }
    };
    Ok(parts.into_iter().map(one).collect())
}

/// The places of the services that are asked for, in the order of the file.
fn asked(args: &AdviseArgs, goals: &[Goal], deploy: &Deploy) -> Result<Vec<usize>, Exit> {
    let updated: Vec<usize> = deploy.updated().collect();
    let is = |place: usize, name: &str| {
        let of = &deploy.services[place];
        of.key == name || of.name == name
    };
    let keys: Vec<&str> = updated.iter().map(|at| deploy.services[*at].key.as_str()).collect();
    let there = if keys.is_empty() { "none".to_string() } else { keys.join(", ") };
    let mut mistaken = false;
    for name in args.services.iter().filter(|name| !updated.iter().any(|at| is(*at, name))) {
        complain(format_args!("--service {name}: the services that are updated are {there}"));
        mistaken = true;
    }
    for goal in goals {
        let known = goal.service.as_deref().is_none_or(|name| keys.contains(&name));
        if !known {
            let text = &goal.text;
            complain(format_args!("--goal {text}: the services that are updated are {there}"));
            mistaken = true;
        }
    }
    if mistaken {
        return Err(Exit::Usage);
    }
    let named = |place: &usize| {
        args.services.is_empty() || args.services.iter().any(|name| is(*place, name))
    };
    let asked: Vec<usize> = updated.iter().copied().filter(named).collect();
    if asked.is_empty() {
        complain("this deploy replaces the tasks of no service: there is nothing to advise");
        return Err(Exit::Invalid);
    }
    Ok(asked)
}

/// The searches that are to be made.
fn parts(
    args: &AdviseArgs,
    ground: &Ground,
    wish: &Wish,
    goals: &[Goal],
    deploy: &Deploy,
) -> Result<Vec<Part>, Exit> {
    let asked = asked(args, goals, deploy)?;
    let groups: Vec<&[usize]> =
        if args.together { vec![&asked] } else { asked.chunks(1).collect() };
    if args.plot.is_some() && groups.len() > 1 {
        let keys: Vec<&str> = asked.iter().map(|at| deploy.services[*at].key.as_str()).collect();
        let keys = keys.join(", ");
        complain(format_args!(
            "--plot draws one search; choose with --service, or take --together: {keys}"
        ));
        return Err(Exit::Usage);
    }
    let (mut parts, mut mistaken) = (Vec::new(), false);
    for group in groups {
        let services = group.iter().map(|at| &deploy.services[*at]);
        let specs: Vec<&ServiceSpec> = services.clone().filter_map(|of| of.new.as_ref()).collect();
        let keys: Vec<String> = services.map(|of| of.key.clone()).collect();
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        let goals = for_services(goals, &names);
        if goals.is_empty() {
            continue;
        }
        if goals.len() > MOST_GOALS {
            complain(format_args!(
                "--together: {} goals of all services, more than {MOST_GOALS}; a goal can be for \
                 one service, as in {}",
                goals.len(),
                goals[0].text
            ));
            return Err(Exit::Usage);
        }
        let ground = Ground { services: keys.clone(), ..ground.clone() };
        match ground.grid(&specs, wish) {
            Ok((grid, notes)) => parts.push(Part { ground, grid, notes, goals }),
            Err(wrong) => {
                wrong.iter().for_each(complain);
                mistaken = true;
            }
        }
    }
    if parts.is_empty() && !mistaken {
        complain("no goal is for a service that is asked for");
    }
    if mistaken || parts.is_empty() { Err(Exit::Usage) } else { Ok(parts) }
}

/// The file as a text, with what is around it.
fn source<'s>(path: &'s Path, text: &'s str, stack: &'s Stack) -> Source<'s> {
    let around = Surroundings {
        environment: &stack.scenario.environment,
        files: &stack.scenario.files,
        path: path.file_name().and_then(|name| name.to_str()).unwrap_or("stack.yml"),
    };
    Source { name: path.to_str().unwrap_or("stack.yml"), text, around }
}

fn exit(args: &AdviseArgs, advice: &Advice) -> Exit {
    match advice.answer {
        Answer::AsItIs => Exit::Success,
        Answer::Change(_) if args.gate => Exit::No,
        Answer::Change(_) => Exit::Success,
        Answer::None { .. } => Exit::No,
        Answer::Stuck => Exit::Limit,
    }
}

fn drawn(path: &Path, advised: &Advised) -> Result<(), Exit> {
    let written = WholeFile::create(path).and_then(|mut file| {
        file.write_all(curve::svg(advised).as_bytes())?;
        file.finish()
    });
    written.map_err(|error| {
        complain(format_args!("cannot write {}: {error}", path.display()));
        Exit::File
    })
}

fn tell(format: Format, told: Told<'_>, exit: Exit) -> Exit {
    answer(|out| {
        let mut out = io::BufWriter::new(out);
        match format {
            Format::Text => text::text(&mut out, told)?,
            Format::Json => json::json(&mut out, told)?,
            Format::Markdown => markdown::markdown(&mut out, told)?,
        }
        out.flush()?;
        Ok(exit)
    })
}
