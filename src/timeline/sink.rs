//! Where records go.
//!
//! A sink cannot fail: the run is arithmetic and goes on. Sinks that write keep the first error and
//! give it back at the end.

use crate::base::ids::RecordNo;
use crate::timeline::ends::Footer;
use crate::timeline::record::Record;

/// Takes the records of a run, in order, and then its footer.
///
/// [`crate::timeline::codec::Writer`] and [`crate::timeline::digest::Digest`] are sinks too.
pub trait Sink {
    /// Takes one record. `no` is its place in the timeline, counted from 0.
    fn record(&mut self, no: RecordNo, record: &Record);

    /// Takes the end. Called at most once, after all records.
    fn finish(&mut self, footer: &Footer);
}

/// Takes nothing.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoSink;

impl Sink for NoSink {
    fn record(&mut self, _: RecordNo, _: &Record) {}
    fn finish(&mut self, _: &Footer) {}
}

/// Keeps all records; the place in the vector is the number.
impl Sink for Vec<Record> {
    fn record(&mut self, _: RecordNo, record: &Record) {
        self.push(record.clone());
    }
    fn finish(&mut self, _: &Footer) {}
}

/// Two sinks, each of which takes everything.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tee<A, B>(pub A, pub B);

impl<A: Sink, B: Sink> Sink for Tee<A, B> {
    fn record(&mut self, no: RecordNo, record: &Record) {
        self.0.record(no, record);
        self.1.record(no, record);
    }
    fn finish(&mut self, footer: &Footer) {
        self.0.finish(footer);
        self.1.finish(footer);
    }
}

/// Borrowed sinks are sinks.
impl<S: Sink + ?Sized> Sink for &mut S {
    fn record(&mut self, no: RecordNo, record: &Record) {
        (**self).record(no, record);
    }
    fn finish(&mut self, footer: &Footer) {
        (**self).finish(footer);
    }
}

/// A sink that may be absent.
impl<S: Sink> Sink for Option<S> {
    fn record(&mut self, no: RecordNo, record: &Record) {
        if let Some(sink) = self {
            sink.record(no, record);
        }
    }
    fn finish(&mut self, footer: &Footer) {
        if let Some(sink) = self {
            sink.finish(footer);
        }
    }
}
