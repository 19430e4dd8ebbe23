//! The runs of a sweep as a Parquet file: a table with a row for each run.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::base::time::Span;
use crate::sweep::grid;
use crate::sweep::measure::Row;
use crate::sweep::replicate::{Chunk, Replicate, seed};
use crate::sweep::results::Header;

/// Rows that are written together, and in memory meanwhile.
const GROUP: usize = 1 << 16;

/// A number of a run; absent if there is none.
type Number = fn(&Row) -> Option<i64>;

/// The numbers of a run, by their names.
const NUMBERS: [(&str, Number); 9] = [
    ("duration_ns", |row| nanoseconds(row.duration)),
    ("detected_ns", |row| nanoseconds(row.detected)),
    ("whole_after_ns", |row| nanoseconds(row.whole_after)),
    ("least_running", |row| row.least_running.map(|count| count as i64)),
    ("short_for_ns", |row| Some(row.short_for.0)),
    ("unavailable_for_ns", |row| Some(row.unavailable_for.0)),
    ("reached", |row| Some(row.reached as i64)),
    ("requests", |row| Some(row.requests as i64)),
    ("requests_lost", |row| Some(row.lost as i64)),
];

fn nanoseconds(span: Option<Span>) -> Option<i64> {
    span.map(|span| span.0)
}

/// Writes the table as runs come.
pub struct Writer<W: Write + Send> {
    header: Header,
    file: SerializedFileWriter<W>,
    rows: Vec<(usize, u64, Replicate)>,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a table of the runs of a sweep. Its columns: the cell, the value of each key that
    /// varies under the name of the key, replicate and seed (without sign), outcome, the numbers,
    /// whether all expectations hold, and those that do not, counted from 1.
    ///
    /// # Errors
    /// Those of writing.
    pub fn new(out: W, header: &Header) -> Result<Writer<W>> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("swarmsim ", env!("CARGO_PKG_VERSION")).to_string())
            .build();
        let file = SerializedFileWriter::new(out, schema(header)?, Arc::new(properties))?;
        Ok(Writer { header: header.clone(), file, rows: Vec::new() })
    }

    /// Takes the runs of a chunk.
    ///
    /// # Errors
    /// Those of writing.
    pub fn take(&mut self, chunk: Chunk, runs: &[Replicate]) -> Result<()> {
        let numbered = (chunk.from..).zip(runs);
        self.rows.extend(numbered.map(|(replicate, run)| (chunk.cell, replicate, run.clone())));
        if self.rows.len() >= GROUP { self.group() } else { Ok(()) }
    }

    /// Writes the rest, and gives back what it was written to.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<W> {
        self.group()?;
        self.file.into_inner()
    }

    fn group(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let header = &self.header;
        let mut group = self.file.next_row_group()?;
        whole(&mut group, rows.iter().map(|(cell, ..)| *cell as i64))?;
        for axis in 0..header.vary.len() {
            let value = |(cell, ..): &(usize, _, _)| grid::values(&header.vary, *cell)[axis];
            texts(&mut group, rows.iter().map(value))?;
        }
        whole(&mut group, rows.iter().map(|(_, replicate, _)| *replicate as i64))?;
        let of = |replicate: u64| seed(header.seed, replicate).0 as i64;
        whole(&mut group, rows.iter().map(|(_, replicate, _)| of(*replicate)))?;
        texts(&mut group, rows.iter().map(|(_, _, run)| run.row.outcome.word()))?;
        for (_, number) in NUMBERS {
            perhaps(&mut group, rows.iter().map(|(_, _, run)| number(&run.row)))?;
        }
        let expected: Vec<bool> = rows.iter().map(|(_, _, run)| run.failed.is_empty()).collect();
        column::<BoolType>(&mut group, &expected, None)?;
        let failed = rows.iter().map(|(_, _, run)| listed(&run.failed));
        texts(&mut group, failed)?;
        group.close()?;
        Ok(())
    }
}

fn listed(failed: &[u32]) -> String {
    let numbers: Vec<String> = failed.iter().map(|place| (place + 1).to_string()).collect();
    numbers.join(" ")
}

fn schema(header: &Header) -> Result<TypePtr> {
    const REQUIRED: Repetition = Repetition::REQUIRED;
    let of = |name: &str, physical, repetition, converted| -> Result<TypePtr> {
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_converted_type(converted);
        Ok(Arc::new(field.build()?))
    };
    let number =
        |name: &str, repetition, converted| of(name, Physical::INT64, repetition, converted);
    let text = |name: &str| of(name, Physical::BYTE_ARRAY, REQUIRED, ConvertedType::UTF8);
    let mut fields = vec![number("cell", REQUIRED, ConvertedType::INT_64)?];
    for axis in &header.vary {
        fields.push(text(&axis.key)?);
    }
    for name in ["replicate", "seed"] {
        fields.push(number(name, REQUIRED, ConvertedType::UINT_64)?);
    }
    fields.push(text("outcome")?);
    for (name, _) in NUMBERS {
        fields.push(number(name, Repetition::OPTIONAL, ConvertedType::INT_64)?);
    }
    fields.push(of("expected", Physical::BOOLEAN, REQUIRED, ConvertedType::NONE)?);
    fields.push(text("failed")?);
    Ok(Arc::new(Type::group_type_builder("runs").with_fields(fields).build()?))
}

/// Writes the next column; `defined` says for each row whether it has a value.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    defined: Option<&[i16]>,
) -> Result<()> {
    let mut column = group.next_column()?.expect("the schema has as many columns");
    column.typed::<T>().write_batch(values, defined, None)?;
    column.close()
}

fn whole(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = i64>,
) -> Result<()> {
    column::<Int64Type>(group, &values.collect::<Vec<_>>(), None)
}

fn perhaps(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = Option<i64>> + Clone,
) -> Result<()> {
    let defined: Vec<i16> = values.clone().map(|value| i16::from(value.is_some())).collect();
    column::<Int64Type>(group, &values.flatten().collect::<Vec<_>>(), Some(&defined))
}

fn texts<S: AsRef<[u8]>>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = S>,
) -> Result<()> {
    let bytes = |value: S| ByteArray::from(value.as_ref().to_vec());
    column::<ByteArrayType>(group, &values.map(bytes).collect::<Vec<_>>(), None)
}
