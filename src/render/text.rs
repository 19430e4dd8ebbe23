//! A run told line by line, in order of virtual time, and its summary.

use std::io::{self, Write};

use crate::base::ids::RecordNo;
use crate::base::time::Span;
use crate::client::shown::Shown;
use crate::expect::Verdict;
use crate::metrics::ServiceMetrics;
use crate::timeline::ends::Footer;
use crate::timeline::record::{CommandFact, Fact, Record};
use crate::timeline::sink::Sink;
use crate::timeline::words::{Teller, Weight, stamp, why_ended};

/// Whether output is coloured; decided once, by whoever knows the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// Plain text.
    Plain,
    /// With terminal colours.
    Coloured,
}

impl Colour {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Colour::Plain => text.to_string(),
            Colour::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// Tells a run as it happens.
pub struct Narrator<W: Write> {
    out: W,
    colour: Colour,
    least: Weight,
    teller: Teller,
    error: Option<io::Error>,
}

impl<W: Write> Narrator<W> {
    /// A narrator that leaves out lines below a weight.
    pub fn new(out: W, colour: Colour, least: Weight) -> Narrator<W> {
        Narrator { out, colour, least, teller: Teller::default(), error: None }
    }

    /// What it writes to.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// What it wrote to, or the first error.
    ///
    /// # Errors
    /// The first error of writing.
    pub fn end(self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.out),
        }
    }

    fn put(&mut self, text: &str) {
        if self.error.is_none() {
            self.error = writeln!(self.out, "{text}").err();
        }
    }

    fn command(&mut self, record: &Record, fact: &CommandFact) {
        let at = stamp(record.at);
        match fact {
            CommandFact::Typed { line, .. } => {
                let line = self.colour.paint("1", &format!("$ {line}"));
                self.put(&format!("\n{at}  {line}"));
            }
            CommandFact::Printed { text, .. } => text.lines().for_each(|line| self.put(line)),
            // The countdown to convergence is told by its beginning and its end.
            CommandFact::Row { shows: Shown::Countdown(_), .. } => {}
            CommandFact::Row { shows, .. } => self.put(&format!("{at}  | {shows}")),
            CommandFact::Exited { code: 0, .. } => {}
            CommandFact::Exited { code, .. } => self.put(&format!("{at}  exit code {code}")),
        }
    }
}

impl<W: Write> Sink for Narrator<W> {
    fn record(&mut self, _: RecordNo, record: &Record) {
        if let Fact::Command(fact) = &record.fact {
            return self.command(record, fact);
        }
        let Some(line) = self.teller.tell_from(self.least, record) else { return };
        let text = match line.weight {
            Weight::Turn => self.colour.paint("1;33", &line.text),
            Weight::Reason | Weight::Detail => self.colour.paint("2", &line.text),
            Weight::Change => line.text,
        };
        self.put(&format!("{}  {text}", stamp(record.at)));
    }

    fn finish(&mut self, _: &Footer) {}
}

/// The summary of a run.
///
/// # Errors
/// Those of writing.
pub fn summary(
    out: &mut impl Write,
    colour: Colour,
    footer: &Footer,
    metrics: &[ServiceMetrics],
    verdicts: &[Verdict],
) -> io::Result<()> {
    let why = why_ended(&footer.stop);
    writeln!(out, "\n{}  end: {why}", stamp(footer.at))?;
    for service in metrics {
        writeln!(out)?;
        service_summary(out, service)?;
    }
    if verdicts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nexpectations")?;
    for claim in verdicts.iter().flat_map(|verdict| &verdict.claims) {
        match &claim.found {
            None => writeln!(out, "  {} {}", colour.paint("32", "ok  "), claim.text)?,
            Some(found) => {
                let mark = colour.paint("1;31", "FAIL");
                writeln!(out, "  {mark} {}; found: {found}", claim.text)?;
            }
        }
    }
    Ok(())
}

fn service_summary(out: &mut impl Write, service: &ServiceMetrics) -> io::Result<()> {
    let row = |out: &mut dyn Write, what: &str, text: String| writeln!(out, "  {what:<18} {text}");
    writeln!(out, "service {}", service.name)?;
    for update in &service.updates {
        row(out, "update", update.words(seconds))?;
    }
    if let Some(least) = service.least_running {
        let of = service.replicas.map_or(String::new(), |n| format!(" of {n}"));
        let mut text = format!("{least}{of}");
        if service.replicas.is_some_and(|n| least < n) {
            text.push_str(&format!(", for {} in all", seconds(service.least_running_for)));
        }
        row(out, "fewest running", text)?;
    }
    if service.unavailable_for > Span::ZERO {
        row(out, "unavailable for", seconds(service.unavailable_for))?;
    }
    let restarts = service.restarts;
    row(out, "tasks created", format!("{}, {restarts} of them restarts", service.tasks_created))?;
    if service.answered + service.failed > 0 {
        row(out, "requests", format!("{} answered, {} failed", service.answered, service.failed))?;
        for (_, reason, count) in service.requests.failures() {
            if count > 0 {
                row(out, "", format!("{count} {reason}"))?;
            }
        }
    }
    if service.requests.unfinished > 0 {
        let left = service.requests.unfinished;
        let head = if service.answered + service.failed > 0 { "" } else { "requests" };
        row(out, head, format!("{left} under way when the run ended"))?;
    }
    Ok(())
}

/// Seconds with one decimal.
pub(super) fn seconds(span: Span) -> String {
    let tenths = (span.0.saturating_add(50_000_000)) / 100_000_000;
    format!("{}.{}s", tenths / 10, tenths % 10)
}
