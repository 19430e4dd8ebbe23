//! Texts that many may hold, in the room of one word.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A shared text behind one pointer, where `Arc<str>` takes two words: for what is absent a million
/// times and there once in a while, such as the error of a task.
#[derive(Clone, PartialEq, Eq)]
pub struct RareText(Arc<Box<str>>);

const _: () = assert!(size_of::<Option<RareText>>() == 8);

impl Deref for RareText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RareText {
    fn from(text: &str) -> RareText {
        RareText(Arc::new(text.into()))
    }
}

impl From<String> for RareText {
    fn from(text: String) -> RareText {
        RareText(Arc::new(text.into()))
    }
}

impl fmt::Display for RareText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for RareText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
