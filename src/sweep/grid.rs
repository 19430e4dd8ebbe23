//! The grid: which values of which keys are combined.

use serde::{Deserialize, Serialize};

/// The most cells of a grid.
pub const MOST_CELLS: usize = 10_000;

/// A key of the scenario, as `--set` takes it, and the values it is given. In a file of results it
/// is a pair.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(String, Vec<String>)", into = "(String, Vec<String>)")]
pub struct Axis {
    /// The path.
    pub key: String,
    /// The values, as they are written.
    pub values: Vec<String>,
}

impl From<(String, Vec<String>)> for Axis {
    fn from((key, values): (String, Vec<String>)) -> Axis {
        Axis { key, values }
    }
}

impl From<Axis> for (String, Vec<String>) {
    fn from(Axis { key, values }: Axis) -> Self {
        (key, values)
    }
}

impl Axis {
    /// Reads `KEY=A,B,C`. Commas in brackets, braces or quotes do not divide.
    ///
    /// ```
    /// use swarmsim::sweep::grid::Axis;
    /// let axis = Axis::parse("images.web:2.health=ok,{ok_until: 3s}").unwrap();
    /// assert_eq!(axis.values, ["ok", "{ok_until: 3s}"]);
    /// ```
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Axis, String> {
        let Some((key, values)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(format!("`{text}` is not of the form KEY=VALUE,VALUE…"));
        };
        if key == "seed" {
            return Err("seeds are varied by --replicates and --seed".to_string());
        }
        let values = divided(values);
        if let Some(twice) = values.iter().enumerate().find(|(at, v)| values[..*at].contains(v)) {
            return Err(format!("`{key}` is given the value `{}` twice", twice.1));
        }
        Ok(Axis { key: key.to_string(), values })
    }

    /// The last word of the key, which mostly says enough.
    pub fn label(&self) -> &str {
        let word = self.key.rsplit('.').next().unwrap_or(&self.key);
        word.trim_start_matches('-')
    }
}

fn divided(text: &str) -> Vec<String> {
    let (mut values, mut value) = (Vec::new(), String::new());
    let (mut depth, mut quote) = (0usize, None);
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                values.push(std::mem::take(&mut value).trim().to_string());
                continue;
            }
            (None, _) => {}
        }
        value.push(letter);
    }
    values.push(value.trim().to_string());
    values
}

/// How many cells the axes make; absent if that cannot be counted.
pub fn size(axes: &[Axis]) -> Option<usize> {
    axes.iter().try_fold(1usize, |size, axis| size.checked_mul(axis.values.len()))
}

/// The assignments of a cell, `KEY=VALUE`. The last axis changes fastest.
pub fn assignments(axes: &[Axis], cell: usize) -> Vec<String> {
    let of = |(axis, value): (&Axis, &str)| format!("{}={value}", axis.key);
    axes.iter().zip(values(axes, cell)).map(of).collect()
}

/// The values of a cell, one for each axis.
pub fn values(axes: &[Axis], cell: usize) -> Vec<&str> {
    let mut rest = cell;
    let mut values: Vec<&str> = Vec::with_capacity(axes.len());
    for axis in axes.iter().rev() {
        values.push(&axis.values[rest % axis.values.len()]);
        rest /= axis.values.len();
    }
    values.reverse();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_changes_fastest() {
        let axes = [Axis::parse("a=1,2").unwrap(), Axis::parse("b.--c=x,[y, z],\"p,q\"").unwrap()];
        assert_eq!(size(&axes), Some(6));
        assert_eq!(assignments(&axes, 0), ["a=1", "b.--c=x"]);
        assert_eq!(assignments(&axes, 1), ["a=1", "b.--c=[y, z]"]);
        assert_eq!(assignments(&axes, 5), ["a=2", "b.--c=\"p,q\""]);
        assert_eq!(axes[1].label(), "c");
        assert_eq!((size(&[]), assignments(&[], 0)), (Some(1), vec![]));
    }

    #[test]
    fn mistakes_are_told() {
        let told = |text: &str| Axis::parse(text).unwrap_err();
        assert_eq!(told("seed"), "`seed` is not of the form KEY=VALUE,VALUE…");
        assert_eq!(told("=1"), "`=1` is not of the form KEY=VALUE,VALUE…");
        assert_eq!(told("a=1,2,1"), "`a` is given the value `1` twice");
    }
}
