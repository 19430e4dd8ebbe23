//! The fields of a JSON object, taken one by one with every mistake explained.

use serde_json::{Map, Value};

use crate::base::time::{SimTime, Span};

/// What is wrong with a line, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mistake {
    /// What is wrong.
    pub(super) cause: String,
    /// What would be right.
    pub(super) hint: String,
}

/// A mistake with its hint.
pub(super) fn mistake(cause: impl Into<String>, hint: impl Into<String>) -> Mistake {
    Mistake { cause: cause.into(), hint: hint.into() }
}

/// The fields of an object that were not taken yet.
pub(super) struct Fields {
    map: Map<String, Value>,
}

impl Fields {
    /// The fields of `value`, which is called `what` where it is none.
    pub(super) fn of(value: Value, what: &str) -> Result<Fields, Mistake> {
        match value {
            Value::Object(map) => Ok(Fields { map }),
            other => Err(mistake(
                format!("{what} is {}", kind_of(&other)),
                "an object such as {\"a\":1} is expected",
            )),
        }
    }

    /// All fields with their names, for maps whose keys are free.
    pub(super) fn into_pairs(self) -> impl Iterator<Item = (String, Value)> {
        self.map.into_iter()
    }

    /// The field, if it is there.
    pub(super) fn find(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key)
    }

    /// The field.
    pub(super) fn value(&mut self, key: &str) -> Result<Value, Mistake> {
        self.find(key).ok_or_else(|| {
            mistake(
                format!("the field \"{key}\" is missing"),
                "a line has the fields of its kind, all of them; see docs/timeline.md",
            )
        })
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str) -> Result<String, Mistake> {
        let value = self.value(key)?;
        as_text(value, key)
    }

    /// A text; empty if absent.
    pub(super) fn text_or_empty(&mut self, key: &str) -> Result<String, Mistake> {
        self.find(key).map_or(Ok(String::new()), |value| as_text(value, key))
    }

    /// A whole number that fits the wanted type.
    pub(super) fn number<N: TryFrom<i128>>(&mut self, key: &str) -> Result<N, Mistake> {
        let value = self.value(key)?;
        as_number(&value, key)
    }

    /// A whole number, if it is there.
    pub(super) fn number_if<N: TryFrom<i128>>(&mut self, key: &str) -> Result<Option<N>, Mistake> {
        self.find(key).map(|value| as_number(&value, key)).transpose()
    }

    /// A whole number; zero if absent.
    pub(super) fn number_or_zero<N: TryFrom<i128> + Default>(
        &mut self,
        key: &str,
    ) -> Result<N, Mistake> {
        Ok(self.number_if(key)?.unwrap_or_default())
    }

    /// A moment in nanoseconds.
    pub(super) fn time(&mut self, key: &str) -> Result<SimTime, Mistake> {
        Ok(SimTime(self.number(key)?))
    }

    /// A span in nanoseconds.
    pub(super) fn span(&mut self, key: &str) -> Result<Span, Mistake> {
        Ok(Span(self.number(key)?))
    }

    /// A span in nanoseconds, if it is there.
    pub(super) fn span_if(&mut self, key: &str) -> Result<Option<Span>, Mistake> {
        Ok(self.number_if(key)?.map(Span))
    }

    /// Yes or no, if it is there.
    pub(super) fn flag_if(&mut self, key: &str) -> Result<Option<bool>, Mistake> {
        match self.find(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(wrong(key, &other, "true or false")),
        }
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &str) -> Result<bool, Mistake> {
        let value = self.value(key)?;
        value.as_bool().ok_or_else(|| wrong(key, &value, "true or false"))
    }

    /// An object.
    pub(super) fn object(&mut self, key: &str) -> Result<Fields, Mistake> {
        let value = self.value(key)?;
        Fields::of(value, &format!("\"{key}\""))
    }

    /// An object, if it is there.
    pub(super) fn object_if(&mut self, key: &str) -> Result<Option<Fields>, Mistake> {
        self.find(key).map(|value| Fields::of(value, &format!("\"{key}\""))).transpose()
    }

    /// A list; empty if absent.
    pub(super) fn list_or_empty(&mut self, key: &str) -> Result<Vec<Value>, Mistake> {
        match self.find(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(wrong(key, &other, "a list")),
        }
    }

    /// A list.
    pub(super) fn list(&mut self, key: &str) -> Result<Vec<Value>, Mistake> {
        match self.value(key)? {
            Value::Array(items) => Ok(items),
            other => Err(wrong(key, &other, "a list")),
        }
    }

    /// A list of texts; empty if absent.
    pub(super) fn texts_or_empty(&mut self, key: &str) -> Result<Vec<String>, Mistake> {
        self.list_or_empty(key)?.into_iter().map(|value| as_text(value, key)).collect()
    }

    /// One of Docker's or our own words.
    pub(super) fn word<T>(
        &mut self,
        key: &str,
        known: &[&str],
        from_word: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Mistake> {
        let word = self.text(key)?;
        from_word(&word).ok_or_else(|| unknown_word(key, &word, known))
    }

    /// Complains about the first field that nobody asked for.
    pub(super) fn done(self) -> Result<(), Mistake> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => Err(mistake(
                format!("the field \"{}\" has no meaning here", clip(key)),
                "take it out, or check the spelling against docs/timeline.md",
            )),
        }
    }
}

/// A word that is not among the known ones.
pub(super) fn unknown_word(key: &str, word: &str, known: &[&str]) -> Mistake {
    mistake(
        format!("\"{key}\" is \"{}\", which is no known word", clip(word)),
        format!("known are: {}", known.join(", ")),
    )
}

/// A text out of a value.
pub(super) fn as_text(value: Value, key: &str) -> Result<String, Mistake> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong(key, &other, "a text")),
    }
}

/// A whole number out of a value.
pub(super) fn as_number<N: TryFrom<i128>>(value: &Value, key: &str) -> Result<N, Mistake> {
    let number =
        value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from)).ok_or_else(
            || wrong(key, value, "a whole number (times are nanoseconds, without a unit)"),
        )?;
    N::try_from(number).map_err(|_| {
        mistake(
            format!("\"{key}\" is {number}, which is out of range"),
            "negative or too large numbers have no meaning here",
        )
    })
}

fn wrong(key: &str, value: &Value, expected: &str) -> Mistake {
    mistake(format!("\"{key}\" is {}", kind_of(value)), format!("{expected} is expected"))
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text \"{}\"", clip(text)),
        Value::Array(_) => "a list".to_string(),
        Value::Object(_) => "an object".to_string(),
    }
}

/// The beginning of a text that a stranger wrote, fit for a message of one line.
pub(super) fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if text.chars().count() <= LONGEST {
        return text.chars().map(clean).collect();
    }
    text.chars().take(LONGEST).map(clean).chain(['…']).collect()
}
