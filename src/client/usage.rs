//! Usage texts of `--help`.
//!
//! Layout: Docker's. Deviation: lines are not wrapped at the width of the terminal.

use std::fmt::Write as _;

use crate::client::flags::CommandForm;

/// The usage text of a command, with one line per flag.
pub fn text(form: &CommandForm) -> String {
    let mut out = format!("Usage:  {}\n\n{}\n", form.use_line(), form.about);
    if !form.aliases.is_empty() {
        let _ = write!(out, "\nAliases:\n  {}\n", form.aliases);
    }
    if form.flags.is_empty() {
        return out;
    }
    out.push_str("\nOptions:\n");
    let names: Vec<String> = form
        .flags
        .iter()
        .map(|flag| {
            let short = flag.short.map_or("      ".to_string(), |c| format!("  -{c}, "));
            format!("{short}--{} {}", flag.long, flag.kind.type_name()).trim_end().to_string()
        })
        .collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for (name, flag) in names.iter().zip(&form.flags) {
        let _ = write!(out, "{name:width$}   {}", flag.help);
        if !flag.default.is_empty() {
            let _ = write!(out, " (default {})", flag.default);
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::client::tables;

    #[test]
    fn a_usage_text() {
        assert_eq!(
            super::text(&tables::service_rollback()),
            "Usage:  docker service rollback [OPTIONS] SERVICE\n\n\
             Revert changes to a service's configuration\n\n\
             Options:\n\
             \x20 -d, --detach   Exit immediately instead of waiting for the service to converge\n\
             \x20 -q, --quiet    Suppress progress output\n"
        );
        assert_eq!(
            super::text(&tables::service_rm()),
            "Usage:  docker service rm SERVICE [SERVICE...]\n\n\
             Remove one or more services\n\n\
             Aliases:\n  docker service rm, docker service remove\n"
        );
    }
}
