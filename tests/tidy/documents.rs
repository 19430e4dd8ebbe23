//! Links between documents lead somewhere.

use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with(".md")) {
        let mut fenced = false;
        for (number, line) in file.lines() {
            fenced ^= line.trim_start().starts_with("```");
            for target in if fenced { Vec::new() } else { links(line) } {
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                if let Some(why) = dead(tree, &file.path, target) {
                    findings.push(format!("{}:{number}: link `{target}`: {why}", file.path));
                }
            }
        }
    }
    findings
}

/// Targets of inline links: what stands between `](` and `)`.
fn links(line: &str) -> Vec<&str> {
    line.match_indices("](")
        .filter_map(|(at, mark)| line[at + mark.len()..].split_once(')').map(|(target, _)| target))
        .collect()
}

fn dead(tree: &Tree, from: &str, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(p, a)| (p, Some(a)));
    let path = if path.is_empty() { from.to_string() } else { join(from, path) };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = tree.get(&path).map(|file| &file.text);
    if text.is_none() && !root.join(&path).exists() {
        return Some(format!("there is no {path}"));
    }
    let anchor = anchor.filter(|_| path.ends_with(".md"))?;
    let known = text?.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == anchor);
    (!known).then(|| format!("{path} has no heading `{anchor}`"))
}

fn join(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A heading's anchor, as it is made from its text on GitHub.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            _ => c.is_alphanumeric().then_some(c),
        })
        .collect()
}

/// Every dependency has its reason in the table of `ARCHITECTURE.md`, and the table has no other.
/// One of our own crates needs none.
pub(crate) fn check_dependencies(manifests: &[&str], architecture: &str) -> Vec<String> {
    let mut wanted = Vec::new();
    let mut section = "";
    for line in manifests.iter().flat_map(|manifest| manifest.lines()) {
        if line.starts_with('[') {
            section = line;
        } else if matches!(section, "[dependencies]" | "[dev-dependencies]")
            && !line.contains("path = ")
        {
            wanted.extend(line.split_once('=').map(|(name, _)| name.trim()));
        }
    }
    let table = architecture.split("## Dependencies").nth(1).unwrap_or_default();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
    let told: Vec<&str> = rows.flat_map(|(names, _)| names.split(", ")).collect();
    let told: Vec<&str> = told.iter().map(|name| name.trim_matches('`')).collect();
    let missing = wanted.iter().filter(|name| !told.contains(name));
    let gone = told.iter().filter(|name| !wanted.contains(name));
    missing
        .map(|name| format!("ARCHITECTURE.md: say why `{name}` is needed"))
        .chain(gone.map(|name| format!("ARCHITECTURE.md: `{name}` is no dependency")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::File;

    #[test]
    fn dead_links_are_found_and_live_ones_are_not() {
        let text = "[a](b.md) [b](b.md#the-heading-1) [c](#none) [d](../x.md)\n\
                    [e](https://github.com)\n```\n[f](none.md)\n```\n[g](b.md#none)";
        let other = File::new("docs/b.md", "## The heading: 1\n");
        let tree = Tree::of(&[File::new("docs/a.md", text), other]);
        assert_eq!(
            check(&tree),
            [
                "docs/a.md:1: link `#none`: docs/a.md has no heading `none`",
                "docs/a.md:1: link `../x.md`: there is no x.md",
                "docs/a.md:6: link `b.md#none`: docs/b.md has no heading `none`",
            ]
        );
    }

    #[test]
    fn dependencies_without_a_reason_and_reasons_without_one_are_found() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\nb = \"1\"\n";
        let other = "[dependencies]\nx = { path = \"..\" }\nd = \"1\"\n[profile.release]\ny = 1\n";
        let architecture = "| `z` | |\n## Dependencies\n| `a`, `c` | reads | |\n";
        assert_eq!(
            check_dependencies(&[manifest, other], architecture),
            [
                "ARCHITECTURE.md: say why `b` is needed",
                "ARCHITECTURE.md: say why `d` is needed",
                "ARCHITECTURE.md: `c` is no dependency"
            ]
        );
    }
}
