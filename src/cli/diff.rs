//! `swarmsim diff`: where do two runs part?

use std::path::PathBuf;

use clap::Args;

use crate::base::ids::{Id, RecordNo};
use crate::cli::exit::Exit;
use crate::cli::input::Otherwise;
use crate::cli::report::whole;
use crate::cli::say::answer;
use crate::timeline::codec::write_record;
use crate::timeline::ends::{Footer, Header, Stop};
use crate::timeline::names::Names;
use crate::timeline::record::Record;
use crate::timeline::words::{Teller, printable, stamp, why_ended};

/// Arguments of `diff`.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// A timeline, or a scenario or stack file, which is run first
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Another
    #[arg(value_name = "B")]
    b: PathBuf,
    #[command(flatten)]
    otherwise: Otherwise,
    /// How many lines before and after the place are shown
    #[arg(long, short = 'U', value_name = "N", default_value_t = 5)]
    context: usize,
}

/// Shows the first difference; the exit code says whether there is one.
pub fn run(args: &DiffArgs) -> Exit {
    let (a, b) = match (whole(&args.a, &args.otherwise), whole(&args.b, &args.otherwise)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let same = a.records.iter().zip(&b.records).take_while(|(a, b)| a == b).count();
    answer(|out| {
        if same == a.records.len() && same == b.records.len() {
            writeln!(out, "{same} records, all equal")?;
            let heads = heads(&a.header, &b.header);
            if !heads.is_empty() {
                writeln!(out, "of what was run, these differ: {}", heads.join(", "))?;
            }
            let ends = [&a, &b].map(|side| end(&side.footer));
            if ends[0] == ends[1] {
                return Ok(Exit::Success);
            }
            writeln!(out, "but the ends differ: {} | {}", ends[0], ends[1])?;
            return Ok(Exit::No);
        }
        let first = same.saturating_sub(args.context);
        let last = same.saturating_add(args.context).saturating_add(1);
        writeln!(out, "--- {}\n+++ {}", args.a.display(), args.b.display())?;
        let at = [&a, &b].map(|side| side.records.get(same).map(|record| stamp(record.at)));
        let at = at.map(|at| at.map_or("the end".to_string(), |at| at.trim().to_string()));
        writeln!(out, "@@ record {same}, {} | {} @@", at[0], at[1])?;
        for line in told(&a.records, first, same) {
            writeln!(out, " {line}")?;
        }
        let next = [&a, &b].map(|side| told(&side.records, same, same + 1));
        if next[0] == next[1] {
            writeln!(out, "the words of the two are the same; as timelines have them:")?;
            for (mark, side) in [('-', &a), ('+', &b)] {
                write!(out, "{mark}{}", written(&side.records, same))?;
            }
        }
        for line in told(&a.records, same, last) {
            writeln!(out, "-{line}")?;
        }
        for line in told(&b.records, same, last) {
            writeln!(out, "+{line}")?;
        }
        Ok(Exit::No)
    })
}

/// What two runs were made from, as far as it differs.
fn heads(a: &Header, b: &Header) -> Vec<String> {
    let mut list = Vec::new();
    if a.seed != b.seed {
        list.push(format!("seed {} | {}", a.seed.0, b.seed.0));
    }
    for (same, what) in [
        (a.scenario == b.scenario, "scenario"),
        (a.program == b.program, "version of the program"),
        (a.chance == b.chance, "version of the random numbers"),
    ] {
        if !same {
            list.push(what.to_string());
        }
    }
    list
}

/// How a run ended, in words.
fn end(footer: &Footer) -> String {
    let why = match &footer.stop {
        Stop::Quiet => "nothing left to do".to_string(),
        stop => why_ended(stop),
    };
    format!("{why} at {} after {} events", stamp(footer.at).trim(), footer.events)
}

/// A record as a timeline has it, with its line break.
fn written(records: &[Record], place: usize) -> String {
    let mut line = Vec::new();
    if let Some(record) = records.get(place) {
        let names = Names::of(records[..=place].iter().map(|record| &record.fact));
        write_record(&mut line, &names, RecordNo::from_index(place), record);
    }
    printable(String::from_utf8_lossy(&line).trim_end()) + "\n"
}

/// Some of the records in words.
fn told(records: &[Record], first: usize, end: usize) -> Vec<String> {
    let mut teller = Teller::default();
    let mut lines = Vec::new();
    for (place, record) in records.iter().take(end).enumerate() {
        let line = teller.tell(record);
        if place >= first {
            lines.push(format!("{}  {}", stamp(record.at), line.text));
        }
    }
    lines
}
