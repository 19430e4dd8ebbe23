//! Words and places that do not belong into the repository, and allowances without a reason.

use super::tree::File;

/// Pieces of a word or text, split so that this file does not find itself; and why not.
const BANNED: &[(&str, &str, &str)] = &[
    ("ut", "ils", "a drawer without a label: name the concept"),
    ("TO", "DO", "do it, or write it down as a limit in the documents"),
    ("FIX", "ME", "fix it, or write it down as a limit in the documents"),
    ("to", "do!", "nothing unfinished is kept"),
    ("unimpl", "emented!", "nothing unfinished is kept"),
    ("db", "g!", "left over from a search for a mistake"),
    ("hel", "per", "a drawer without a label: name the concept"),
    ("assis", "tant", "say what the program does, not who wrote it"),
    ("chat", "bot", "say what the program does, not who wrote it"),
    ("work", "tree", "say what the program does, not how it was written"),
    ("/wo", "rk/", "a path of one machine"),
    ("/ho", "me/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("../sha", "red", "a path of one machine"),
];

/// Hosts that an address may name.
const HOSTS: &[&str] = &[
    "docs.docker.com",
    "doc.rust-lang.org",
    "docs.rs",
    "github.com",
    "json-schema.org",
    "localhost",
    "www.apache.org",
    "www.w3.org",
];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            let place = format!("{}:{number}", file.path);
            for (start, end, why) in BANNED {
                let word = format!("{start}{end}");
                let sensitive = word.to_uppercase() == word;
                let found = if sensitive {
                    line.contains(&word)
                } else {
                    line.to_lowercase().contains(&word)
                };
                if found {
                    findings.push(format!("{place}: `{word}`: {why}"));
                }
            }
            for host in hosts(line).filter(|host| !is_known(host)) {
                findings.push(format!(
                    "{place}: an address at `{host}`, which is not in the list of hosts"
                ));
            }
        }
    }
    findings
}

fn hosts(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("://").map(|(at, mark)| {
        let rest = &line[at + mark.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// Known, or without a domain, or an address, or a word of capitals that stands for one, or made
/// for examples.
fn is_known(host: &str) -> bool {
    HOSTS.contains(&host)
        || !host.contains('.')
        || host.ends_with("example.com")
        || !host.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// An `allow` or `expect` of a lint has a `reason`, or a comment beside or above it.
pub(crate) fn check_allowances(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        let mut above = "";
        for (number, line) in file.lines() {
            let text = line.trim_start();
            let is_allowance = ["#[allow(", "#![allow(", "#[expect(", "#![expect("]
                .iter()
                .any(|start| text.starts_with(start));
            let explained =
                line.contains("reason") || line.contains("] //") || above.starts_with("// ");
            // A long attribute goes on in the next lines; its reason is one of them.
            let open = !line.contains(']');
            if is_allowance && !explained && !(open && has_reason(file, number)) {
                findings.push(format!("{}:{number}: an exception without a reason", file.path));
            }
            above = text;
        }
    }
    findings
}

fn has_reason(file: &File, from: usize) -> bool {
    let lines =
        file.lines().skip(from).take_while(|(_, line)| !line.trim_start().starts_with(")]"));
    lines.into_iter().any(|(_, line)| line.contains("reason ="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banned_words_and_unknown_hosts_are_found() {
        let banned = format!("mod {}{};", "ut", "ils");
        let found = check(&[File::new("src/x.rs", &banned)]);
        assert_eq!(found.len(), 1, "{found:?}");
        let scheme = "https:";
        for (text, count) in [
            (format!("{scheme}//mirror.inner/crates"), 1),
            (format!("{scheme}//github.com/moby/swarmkit and http://localhost:80"), 0),
            (format!("tcp://10.0.0.1 {scheme}//HOST/"), 0),
        ] {
            assert_eq!(check(&[File::new("README.md", &text)]).len(), count, "{text}");
        }
    }

    #[test]
    fn an_allowance_needs_a_reason() {
        for (text, count) in [
            ("#[allow(dead_code)]", 1),
            ("#[allow(dead_code)] // used by tests", 0),
            ("// Used by tests.\n#[allow(dead_code)]", 0),
            ("#[expect(dead_code, reason = \"used by tests\")]", 0),
            ("#![expect(\n    dead_code,\n    reason = \"used by tests\"\n)]", 0),
            ("#![expect(\n    dead_code,\n)]\nlet reason = 1;", 1),
        ] {
            assert_eq!(check_allowances(&[File::new("src/x.rs", text)]).len(), count, "{text}");
        }
    }
}
