//! Listings: the aligned table, and the other `--format` values.
//!
//! Source: cli surface 3.5. Upstream: docker cli `cli/command/formatter/formatter.go`.

use std::cmp::Ordering;
use std::fmt::Write as _;

use crate::client::failure::CliFailure;
use crate::client::json::Json;

/// A column: its name in a template, and its header.
pub type Column = (&'static str, &'static str);

/// Aligned columns: each is as wide as its longest cell plus 3, at least 10; the last is not
/// padded, so rows may end in spaces.
pub fn aligned(header: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(index, title)| {
            let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| width(cell));
            cells.chain([width(title)]).max().unwrap_or(0).saturating_add(3).max(10)
        })
        .collect();
    let mut out = String::new();
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    for row in std::iter::once(&header).chain(rows) {
        for (index, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if index + 1 < row.len() {
                let gap = widths[index] - width(cell);
                let _ = write!(out, "{:gap$}", "");
            }
        }
        out.push('\n');
    }
    out
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The rows by a `--format` that is not `table`: `json`, or a template of `{{.Column}}`.
///
/// # Errors
/// For people: a template with anything but columns.
pub fn formatted(
    format: &str,
    columns: &[Column],
    rows: &[Vec<String>],
) -> Result<String, CliFailure> {
    if format == "json" {
        let line = |row: &Vec<String>| {
            let mut fields: Vec<_> = columns
                .iter()
                .zip(row)
                .map(|((name, _), cell)| ((*name).to_string(), Json::Text(cell.clone())))
                .collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(fields).on_one_line() + "\n"
        };
        return Ok(rows.iter().map(line).collect());
    }
    let (template, titled) = match format.strip_prefix("table ") {
        Some(template) => (template.trim(), true),
        None => (format, false),
    };
    let template = template.replace("\\t", "\t").replace("\\n", "\n");
    if !titled {
        let lines: Result<Vec<_>, _> =
            rows.iter().map(|row| fill(&template, columns, row)).collect();
        return lines.map(|lines| lines.iter().fold(String::new(), |out, line| out + line + "\n"));
    }
    let titles: Vec<String> = columns.iter().map(|(_, title)| (*title).to_string()).collect();
    let split = |line: String| line.split('\t').map(str::to_string).collect::<Vec<_>>();
    let header = split(fill(&template, columns, &titles)?);
    let mut cells = Vec::new();
    for row in rows {
        cells.push(split(fill(&template, columns, row)?));
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    Ok(aligned(&header, &cells))
}

fn fill(template: &str, columns: &[Column], row: &[String]) -> Result<String, CliFailure> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        out.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        let end = inner.find("}}").ok_or_else(|| unknown(template))?;
        let name = inner[..end].trim().strip_prefix('.').ok_or_else(|| unknown(template))?;
        let place = columns.iter().position(|(column, _)| *column == name);
        out.push_str(&row[place.ok_or_else(|| unknown(template))?]);
        rest = &inner[end + 2..];
    }
    Ok(out + rest)
}

fn unknown(template: &str) -> CliFailure {
    CliFailure::error(format_args!(
        "--format '{template}': only columns such as {{{{.Name}}}} are simulated"
    ))
}

/// Compares texts with runs of digits taken as numbers: `web.2` before `web.10`.
///
/// Upstream: sortorder `NaturalLess`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (runs_a, runs_b) = (digits(a), digits(b));
        if runs_a > 0 && runs_b > 0 {
            let trim = |run: &[u8]| run.iter().take_while(|byte| **byte == b'0').count();
            let (number_a, number_b) =
                (&a[trim(&a[..runs_a])..runs_a], &b[trim(&b[..runs_b])..runs_b]);
            let order = number_a
                .len()
                .cmp(&number_b.len())
                .then_with(|| number_a.cmp(number_b))
                .then(runs_a.cmp(&runs_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[runs_a..], &b[runs_b..]);
            continue;
        }
        match (a.first(), b.first()) {
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            (x, y) => return x.cmp(&y),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_at_least_ten_wide() {
        let row = |cells: [&str; 3]| cells.map(str::to_string).to_vec();
        assert_eq!(
            aligned(&["ID", "NAME", "PORTS"], &[row(["a", "a long name", ""])]),
            "ID        NAME          PORTS\na         a long name   \n"
        );
        assert_eq!(aligned(&["ID", "NAME"], &[]), "ID        NAME\n");
    }

    #[test]
    fn other_formats() {
        let columns: [Column; 2] = [("Name", "NAME"), ("ID", "ID")];
        let rows = vec![vec!["web".to_string(), "1".to_string()]];
        let by = |format: &str| formatted(format, &columns, &rows);
        assert_eq!(by("json").unwrap(), "{\"ID\":\"1\",\"Name\":\"web\"}\n");
        assert_eq!(by("{{.ID}}: {{ .Name }}").unwrap(), "1: web\n");
        assert_eq!(by("table {{.ID}}\\t{{.Name}}").unwrap(), "ID        NAME\n1         web\n");
        assert!(by("{{lower .Name}}").is_err());
        assert!(by("{{.Foo}}").is_err());
        assert!(by("{{.Name").is_err());
    }

    #[test]
    fn natural_order() {
        let mut names = ["web.10", "web.2", "a", "web", "web.1", "web.02"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "web", "web.1", "web.2", "web.02", "web.10"]);
    }
}
