//! Image references: the short form the client stores, and the one it shows.
//!
//! Upstream: the reference library of the engine (`ParseNormalizedNamed`, `TagNameOnly`,
//! `FamiliarString`). A text that is no reference is left as it is: the manager refuses it.

/// The parts of a reference in its short form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Name without the default registry and its `library/`.
    pub name: String,
    /// Tag.
    pub tag: Option<String>,
    /// Digest, with its algorithm.
    pub digest: Option<String>,
}

impl Reference {
    /// Reads a reference; nothing if it is not one.
    pub fn parse(text: &str) -> Option<Reference> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_string())),
            Some(_) => return None,
            None => (text, None),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => {
                if !is_tag(tag) {
                    return None;
                }
                (path, Some(tag.to_string()))
            }
            _ => (rest, None),
        };
        if path.len() == 64 && is_hex(path) {
            return None;
        }
        let (domain, path) = split_domain(path);
        if path.is_empty() || !path.split('/').all(is_component) {
            return None;
        }
        let name = match domain {
            None | Some("docker.io" | "index.docker.io") => {
                let short = path.strip_prefix("library/").filter(|rest| !rest.contains('/'));
                short.unwrap_or(path).to_string()
            }
            Some(domain) => format!("{domain}/{path}"),
        };
        Some(Reference { name, tag, digest })
    }
}

/// A first component is a registry if it has a dot, a colon or an upper case letter, or is
/// `localhost`.
fn split_domain(path: &str) -> (Option<&str>, &str) {
    match path.split_once('/') {
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.contains(|c: char| c.is_ascii_uppercase()) =>
        {
            (Some(first), rest)
        }
        _ => (None, path),
    }
}

fn is_component(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    if bytes.is_empty() || !plain(bytes[0]) || !plain(bytes[bytes.len() - 1]) {
        return false;
    }
    bytes
        .split(|b| plain(*b))
        .all(|gap| matches!(gap, b"" | b"." | b"_" | b"__") || gap.iter().all(|b| *b == b'-'))
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128
        && text.starts_with(word)
        && text.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => hex.len() == 64,
        "sha512" => hex.len() == 128,
        _ => hex.len() >= 32 && algorithm.starts_with(|c: char| c.is_ascii_alphabetic()),
    };
    length && is_hex(hex)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The image that a client sends: `:latest` is added where neither tag nor digest is given
/// (cli surface 1.3). What is no reference stays as it is.
pub fn with_tag(text: &str) -> String {
    let Some(Reference { name: mut image, tag, digest }) = Reference::parse(text) else {
        return text.to_string();
    };
    if let Some(tag) = tag.as_deref().or(digest.is_none().then_some("latest")) {
        image.extend([":", tag]);
    }
    if let Some(digest) = digest {
        image.extend(["@", &digest]);
    }
    image
}

/// The image as a table shows it: without the digest where there is a tag (cli surface 3.6).
pub fn shown(text: &str) -> String {
    match Reference::parse(text) {
        Some(Reference { name, tag: Some(tag), .. }) => format!("{name}:{tag}"),
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_added_where_none_is_given() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (given, sent) in [
            ("nginx", "nginx:latest"),
            ("nginx:1.27", "nginx:1.27"),
            ("docker.io/library/nginx", "nginx:latest"),
            ("instavote/vote", "instavote/vote:latest"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
            ("registry.example/a:1", "registry.example/a:1"),
            ("Foo", "Foo"),
            ("", ""),
            ("a--b/c__d", "a--b/c__d:latest"),
            ("a..b", "a..b"),
        ] {
            assert_eq!(with_tag(given), sent, "{given}");
        }
        assert_eq!(with_tag(&format!("nginx@{digest}")), format!("nginx@{digest}"));
        assert_eq!(with_tag(&format!("nginx:1@{digest}")), format!("nginx:1@{digest}"));
    }

    #[test]
    fn a_digest_is_hidden_where_there_is_a_tag() {
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(shown(&format!("docker.io/library/nginx:1@{digest}")), "nginx:1");
        assert_eq!(shown(&format!("nginx@{digest}")), format!("nginx@{digest}"));
        assert_eq!(shown("nginx"), "nginx");
    }
}
