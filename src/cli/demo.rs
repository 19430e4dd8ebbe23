//! `swarmsim demo`: what one setting does.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::input::WholeFile;
use crate::cli::report::header;
use crate::cli::say::{answer, complain};
use crate::demo::Topic;
use crate::render::course::Course;
use crate::render::demo::{demo, svg};
use crate::timeline::ends::Timeline;

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// The setting
    #[arg(value_enum)]
    topic: Name,
    /// Draw the runs into a file (SVG)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Name {
    /// How many slots at a time
    Parallelism,
    /// The wait after each slot
    Delay,
    /// How long a failure counts
    Monitor,
    /// Which of old and new goes first
    Order,
    /// Which share may fail
    Ratio,
    /// Running with the process, or when it answers
    Health,
}

/// Shows a setting.
pub fn run(args: &DemoArgs) -> Exit {
    let topic = match args.topic {
        Name::Parallelism => Topic::Parallelism,
        Name::Delay => Topic::Delay,
        Name::Monitor => Topic::Monitor,
        Name::Order => Topic::Order,
        Name::Ratio => Topic::Ratio,
        Name::Health => Topic::Health,
    };
    let (words, shown) = (topic.words(), topic.show());
    let timelines: Vec<Timeline> = shown
        .iter()
        .map(|run| Timeline {
            header: header(&run.scenario),
            records: run.records.clone(),
            footer: run.footer.clone(),
        })
        .collect();
    if let Some(path) = &args.out {
        let named: Vec<(&str, &Timeline)> =
            shown.iter().map(|run| run.value).zip(&timelines).collect();
        let drawn = svg(&words, &named);
        let written = WholeFile::create(path).and_then(|mut file| {
            file.write_all(drawn.as_bytes())?;
            file.finish()
        });
        if let Err(error) = written {
            complain(format_args!("cannot write {}: {error}", path.display()));
            return Exit::File;
        }
    }
    let courses: Vec<Course> = timelines.iter().map(Course::of).collect();
    answer(|out| demo(out, &words, &shown, &courses).map(|()| Exit::Success))
}
