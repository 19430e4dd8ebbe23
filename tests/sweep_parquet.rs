//! The runs of a sweep as a Parquet file, read back by the crate that others read it with.
#![cfg(feature = "parquet")]

mod support;

use std::fs::File;

use parquet::file::reader::SerializedFileReader;
use parquet::record::{Field, Row};
use support::{Place, swarmsim};

const VARY: &str = "script.update.--update-monitor=5s,10s";

/// The value of a column.
fn field<'a>(row: &'a Row, name: &str) -> &'a Field {
    let found = row.get_column_iter().find(|(column, _)| *column == name);
    found.map_or_else(|| panic!("there is no column {name}"), |(_, field)| field)
}

fn number(row: &Row, name: &str) -> i64 {
    match field(row, name) {
        Field::Long(value) => *value,
        Field::ULong(value) => *value as i64,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn the_table_has_the_numbers_of_every_run() {
    let place = Place::new("sweep-parquet");
    let path = |name: &str| place.path(name).display().to_string();
    let (table, results, merged) = (path("t.parquet"), path("r.jsonl"), path("m.parquet"));
    let scenario = "scenarios/whoami-one-replica.yaml";
    let mut arguments = vec!["sweep", scenario, "--replicates", "130", "--vary", VARY];
    arguments.extend(["--results", &results, "--parquet", &table, "--seed", "40"]);
    assert_eq!(swarmsim(&arguments).code, Some(0));
    assert_eq!(swarmsim(&["merge", &results, "--parquet", &merged]).code, Some(0));
    let bytes = |path: &str| std::fs::read(path).expect("it was written");
    assert_eq!(bytes(&table), bytes(&merged), "results have all that the table has");

    let reader = SerializedFileReader::new(File::open(&table).expect("it was written"));
    let rows: Vec<Row> = reader.expect("it is one").into_iter().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 260);
    let lines = place.read("r.jsonl");
    let lines = lines.lines().skip(1).map(|line| serde_json::from_str(line).expect("JSON"));
    let mut rows = rows.iter();
    for line in lines.collect::<Vec<serde_json::Value>>() {
        let from = line["from"].as_i64().expect("a number");
        for (at, values) in line["rows"].as_array().expect("a list").iter().enumerate() {
            let row = rows.next().expect("as many as in the results");
            let cell = line["cell"].as_i64().expect("a number");
            assert_eq!(number(row, "cell"), cell);
            let monitor = ["5s", "10s"][cell as usize].to_string();
            assert_eq!(field(row, "script.update.--update-monitor"), &Field::Str(monitor));
            assert_eq!(number(row, "replicate"), from + at as i64);
            assert_eq!(number(row, "seed"), 40 + from + at as i64);
            for (column, name) in [
                (1, "duration_ns"),
                (2, "detected_ns"),
                (3, "whole_after_ns"),
                (4, "least_running"),
                (5, "short_for_ns"),
                (6, "unavailable_for_ns"),
                (7, "reached"),
                (8, "requests"),
                (9, "requests_lost"),
            ] {
                match values[column].as_i64() {
                    Some(value) => assert_eq!(number(row, name), value, "{name}"),
                    None => assert_eq!(field(row, name), &Field::Null, "{name}"),
                }
            }
            let failed = line["failed"].as_array().into_iter().flatten();
            let mut failed = failed.filter(|failed| failed[0] == at);
            let failed = failed.next().map(|failed| failed[1].as_array().expect("a list").len());
            assert_eq!(field(row, "expected"), &Field::Bool(failed.is_none()));
            let Field::Str(listed) = field(row, "failed") else { panic!("a text") };
            assert_eq!(listed.split_whitespace().count(), failed.unwrap_or(0));
        }
    }
    assert!(rows.next().is_none());
}

#[test]
fn a_table_is_whole_or_not_there() {
    let place = Place::new("sweep-parquet-error");
    let told = swarmsim(&["sweep", "scenarios/vote.yaml", "--parquet", "/no/such/t.parquet"]);
    let why = "error: cannot write /no/such/t.parquet: No such file or directory (os error 2)\n";
    assert_eq!((told.code, told.stderr.as_str()), (Some(7), why));
    assert_eq!(place.names(), Vec::<String>::new());
}
