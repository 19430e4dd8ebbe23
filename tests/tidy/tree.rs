//! The repository's texts.

use std::fs;
use std::path::Path;

/// A text file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct File {
    /// Path from the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> File {
        File { path: path.to_string(), text: text.to_string() }
    }

    /// Lines with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// Lines before the tests at the end of the file; none if all of it is tests.
    pub(crate) fn rule_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = lines.windows(2).position(|pair| {
            pair[0] == "#[cfg(test)]" && pair[1].contains("mod ") && pair[1].ends_with('{')
        });
        let end = if self.is_test() { 0 } else { tests.unwrap_or(lines.len()) };
        self.lines().take(end)
    }

    /// Whether all of the file is tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
    }
}

/// All text files of the repository that are not generated.
pub(crate) struct Tree {
    files: Vec<File>,
}

/// Generated, or no text of ours.
const LEFT_OUT: &[&str] = &[".git", "target", "LICENSE-APACHE", "proptest-regressions"];

/// The kinds of files that hold words of ours.
const TEXTS: &[&str] = &["rs", "md", "toml", "yaml", "yml", "sh", "txt"];

impl Tree {
    pub(crate) fn read() -> Tree {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        collect(root, "", &mut files);
        files.sort_by(|one, other| one.path.cmp(&other.path));
        assert!(files.len() > 20, "the repository was not found at {}", root.display());
        Tree { files }
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[File]) -> Tree {
        Tree { files: files.to_vec() }
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// The Rust sources.
    pub(crate) fn sources(&self) -> Vec<File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs")).cloned().collect()
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn collect(dir: &Path, path: &str, files: &mut Vec<File>) {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    for entry in entries {
        let entry = entry.expect("a directory that was opened can be listed");
        let name = entry.file_name().to_string_lossy().into_owned();
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let inner = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        if entry.path().is_dir() {
            collect(&entry.path(), &inner, files);
        } else if ending.is_some_and(|e| TEXTS.contains(&e)) || name == "justfile" || path == ".ci"
        {
            let text = fs::read_to_string(entry.path());
            files.push(File { path: inner, text: text.expect("our files are text") });
        }
    }
}
