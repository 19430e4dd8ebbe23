//! JSON objects written by hand: fields in the order of the calls, integers only.

use std::fmt;
use std::io::Write;

use serde::Serializer;

/// An object under construction at the end of a buffer.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    /// Opens an object.
    pub(super) fn open(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, first: true }
    }

    /// Closes it.
    pub(super) fn close(self) {
        self.out.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        quote(self.out, text);
    }

    /// A text, unless it is empty.
    pub(super) fn text_if(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.text(key, text);
        }
    }

    /// A value that prints without anything to escape.
    pub(super) fn plain(&mut self, key: &str, value: impl fmt::Display) {
        self.key(key);
        write!(self.out, "\"{value}\"").expect("a vector takes everything");
    }

    /// A value whose print is escaped.
    pub(super) fn shown(&mut self, key: &str, value: impl fmt::Display) {
        self.key(key);
        serde_json::Serializer::new(&mut *self.out)
            .collect_str(&value)
            .expect("a vector takes everything");
    }

    /// A value written by `write` at the end of the buffer.
    pub(super) fn value(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        write(self.out);
    }

    /// A whole number.
    pub(super) fn number(&mut self, key: &str, number: impl Into<i128>) {
        self.key(key);
        let number = number.into();
        match u64::try_from(number) {
            Ok(number) => write_digits(self.out, number),
            Err(_) => write!(self.out, "{number}").expect("a vector takes everything"),
        }
    }

    /// A whole number, unless it is zero.
    pub(super) fn number_if(&mut self, key: &str, number: impl Into<i128>) {
        let number = number.into();
        if number != 0 {
            self.number(key, number);
        }
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &str, value: bool) {
        self.raw(key, if value { "true" } else { "false" });
    }

    /// Yes, or nothing.
    pub(super) fn flag_if(&mut self, key: &str, value: bool) {
        if value {
            self.flag(key, true);
        }
    }

    /// The text of a JSON value, as it is.
    pub(super) fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// An object.
    pub(super) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        let mut inner = Object::open(self.out);
        fill(&mut inner);
        inner.close();
    }

    /// A list, each item written by `item` at the end of the buffer.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Vec<u8>, T),
    ) {
        self.key(key);
        self.out.push(b'[');
        for (place, value) in items.into_iter().enumerate() {
            if place > 0 {
                self.out.push(b',');
            }
            item(self.out, value);
        }
        self.out.push(b']');
    }

    /// A list of texts, unless it is empty.
    pub(super) fn texts_if(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.list(key, texts, |out, text| quote(out, text));
        }
    }
}

/// A number as decimal digits: half of a timeline is numbers, and a formatter costs more than they.
fn write_digits(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// A quoted text; escapes as `serde_json` has them.
pub(super) fn quote(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a vector takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_a_formatter_writes_them() {
        let greatest = i128::from(u64::MAX);
        for number in [0, 7, 10, 4_096, greatest, greatest + 1, -1, i128::MIN] {
            let mut out = Vec::new();
            let mut object = Object::open(&mut out);
            object.number("n", number);
            object.close();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{{\"n\":{number}}}"));
        }
    }
}
