//! A line of a script becomes words, by the rules of the POSIX shell.
//!
//! There is no shell: nothing is expanded, piped or redirected, and a line that asks for that is
//! refused rather than misread.

/// Splits a line into words: quotes, backslashes and comments as in a shell.
///
/// # Errors
/// A sentence for people: an unbalanced quote, or an unquoted character that only a shell can act
/// on (`| & ; < > ( ) $` and the backquote).
///
/// ```
/// use swarmsim::client::words::split;
/// assert_eq!(split("docker service ps 'my web'").unwrap(), ["docker", "service", "ps", "my web"]);
/// assert!(split("docker service ps 'web").is_err());
/// ```
pub fn split(line: &str) -> Result<Vec<String>, String> {
    if let Some(sign) = shell_sign(line) {
        return Err(format!(
            "`{sign}` needs a shell, and there is none here: quote it if it is part of a word"
        ));
    }
    shell_words::split(line).map_err(|_| "a quote is opened and not closed".to_string())
}

/// The first unquoted character that would make a shell do more than split.
fn shell_sign(line: &str) -> Option<char> {
    let mut quote = None;
    let mut chars = line.chars();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return None,
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`')
            | (Some('"'), '$' | '`') => return Some(c),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => {
                chars.next();
            }
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_as_a_shell_makes_them() {
        let cases: [(&str, &[&str]); 6] = [
            ("docker  service ls", &["docker", "service", "ls"]),
            ("a 'b c' \"d e\" f\\ g", &["a", "b c", "d e", "f g"]),
            ("--env SLOT={{.Task.Slot}}", &["--env", "SLOT={{.Task.Slot}}"]),
            ("--constraint 'node.labels.a!=b'", &["--constraint", "node.labels.a!=b"]),
            ("--health-cmd 'curl x || exit 1'", &["--health-cmd", "curl x || exit 1"]),
            ("", &[]),
        ];
        for (line, words) in cases {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused() {
        assert_eq!(split("echo 'a"), Err("a quote is opened and not closed".to_string()));
        for (line, sign) in [("a | b", '|'), ("a && b", '&'), ("a \"$HOME\"", '$'), ("a;b", ';')] {
            let text = split(line).unwrap_err();
            assert!(text.starts_with(&format!("`{sign}` needs a shell")), "{line}: {text}");
        }
        assert_eq!(split("a '$HOME' b\\;c # x | y").unwrap(), ["a", "$HOME", "b;c"]);
    }
}
