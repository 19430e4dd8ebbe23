//! Numbers, quotes and comma separated lines as Go's standard library reads and prints them, since
//! their error texts reach the terminal.

use std::fmt::Write as _;

/// A text in double quotes, as Go's `%q` prints it.
pub fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Why a number was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumberError {
    /// Not a number.
    Syntax,
    /// Too large.
    Range,
}

impl NumberError {
    /// Go's words.
    pub fn text(self) -> &'static str {
        match self {
            NumberError::Syntax => "invalid syntax",
            NumberError::Range => "value out of range",
        }
    }

    /// The whole error of `strconv.<function>`.
    pub fn strconv(self, function: &str, text: &str) -> String {
        format!("strconv.{function}: parsing {}: {}", quote(text), self.text())
    }
}

/// `strconv.ParseUint`; base 0 takes the base from a prefix (`0x`, `0b`, `0o`, `0`) and allows `_`
/// between digits.
pub fn parse_uint(text: &str, base: u32) -> Result<u64, NumberError> {
    let (mut digits, mut radix) = (text, base);
    if base == 0 {
        let lower = text.get(..2).unwrap_or("").to_ascii_lowercase();
        (digits, radix) = match lower.as_str() {
            "0x" => (&text[2..], 16),
            "0b" => (&text[2..], 2),
            "0o" => (&text[2..], 8),
            _ if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
            _ => (text, 10),
        };
        if !underscores_are_fine(digits, digits.len() < text.len()) {
            return Err(NumberError::Syntax);
        }
    }
    if digits.is_empty() {
        return Err(NumberError::Syntax);
    }
    let (mut value, mut over) = (0_u64, false);
    for c in digits.chars() {
        if c == '_' && base == 0 {
            continue;
        }
        let digit = c.to_digit(radix).ok_or(NumberError::Syntax)?;
        match value.checked_mul(radix.into()).and_then(|v| v.checked_add(digit.into())) {
            Some(next) => value = next,
            None => over = true,
        }
    }
    if over { Err(NumberError::Range) } else { Ok(value) }
}

fn underscores_are_fine(digits: &str, after_prefix: bool) -> bool {
    !digits.ends_with('_') && !digits.contains("__") && (after_prefix || !digits.starts_with('_'))
}

/// `strconv.ParseInt` with base 0 and 64 bits.
pub fn parse_int(text: &str) -> Result<i64, NumberError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let value = parse_uint(digits, 0)?;
    if negative {
        if value <= 1 << 63 { Ok((value as i64).wrapping_neg()) } else { Err(NumberError::Range) }
    } else {
        i64::try_from(value).map_err(|_| NumberError::Range)
    }
}

/// `strconv.ParseFloat` with 32 bits.
pub fn parse_float(text: &str) -> Result<f32, NumberError> {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    if let Some(hex) = bare.strip_prefix("0x") {
        return parse_hex_float(hex)
            .map(|value| if text.starts_with('-') { -value } else { value })
            .ok_or(NumberError::Syntax);
    }
    let value: f32 = text.parse().map_err(|_| NumberError::Syntax)?;
    if value.is_infinite() && !bare.starts_with("inf") {
        Err(NumberError::Range)
    } else {
        Ok(value)
    }
}

/// `h.hhhp±d` after the `0x`.
fn parse_hex_float(text: &str) -> Option<f32> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for c in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    let exponent: i32 = exponent.parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    Some((value * 2.0_f64.powi(shift)) as f32)
}

/// `strconv.ParseBool`.
pub fn parse_bool(text: &str) -> Result<bool, NumberError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(NumberError::Syntax),
    }
}

/// The fields of one comma separated line, as `encoding/csv` reads it: a field may stand in double
/// quotes, in which a doubled quote is one.
pub fn csv(line: &str) -> Result<Vec<String>, String> {
    if line.is_empty() {
        return Err("EOF".to_string());
    }
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            let mut tail = quoted;
            loop {
                let Some(end) = tail.find('"') else {
                    return Err(csv_error(line, "extraneous or missing \" in quoted-field"));
                };
                field.push_str(&tail[..end]);
                tail = &tail[end + 1..];
                match tail.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        tail = more;
                    }
                    None => break,
                }
            }
            fields.push(field);
            match tail.strip_prefix(',') {
                Some(more) => rest = more,
                None if tail.is_empty() => return Ok(fields),
                None => {
                    let read = &line[..line.len() - tail.len() - 1];
                    return Err(csv_error(read, "extraneous or missing \" in quoted-field"));
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let field = &rest[..end];
            if let Some(at) = field.find('"') {
                let read = &line[..line.len() - rest.len() + at];
                return Err(csv_error(read, "bare \" in non-quoted field"));
            }
            fields.push(field.to_string());
            match rest[end..].strip_prefix(',') {
                Some(more) => rest = more,
                None => return Ok(fields),
            }
        }
    }
}

fn csv_error(read: &str, cause: &str) -> String {
    format!("parse error on line 1, column {}: {cause}", read.len() + 1)
}

/// Whether a text has a `word=word` in it: what makes Docker read it as comma separated fields.
pub fn has_assignment(text: &str) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'=' && at > 0 && word(bytes.get(at - 1)) && word(bytes.get(at + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_and_without_a_base() {
        for (text, value) in [("0x10", 16), ("0b11", 3), ("0o7", 7), ("1_000", 1000), ("010", 8)] {
            assert_eq!(parse_uint(text, 0), Ok(value), "{text}");
        }
        for text in ["", "-1", "+1", "1__0", "_1", "0x", "09", "1.5", "é"] {
            assert_eq!(parse_uint(text, 0), Err(NumberError::Syntax), "{text}");
        }
        assert_eq!(parse_uint("0x3", 10), Err(NumberError::Syntax));
        assert_eq!(parse_uint("18446744073709551616", 0), Err(NumberError::Range));
        assert_eq!(parse_int("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(parse_int("9223372036854775808"), Err(NumberError::Range));
        assert_eq!(
            NumberError::Syntax.strconv("ParseUint", "-1"),
            "strconv.ParseUint: parsing \"-1\": invalid syntax"
        );
    }

    #[test]
    fn floats_of_all_forms() {
        for (text, value) in [("0.1", 0.1), ("1e-1", 0.1), ("0x1p-2", 0.25), ("-0x1.8p1", -3.0)] {
            assert_eq!(parse_float(text), Ok(value), "{text}");
        }
        assert_eq!(parse_float("inf"), Ok(f32::INFINITY));
        assert!(parse_float("nan").unwrap().is_nan());
        assert_eq!(parse_float("1e99"), Err(NumberError::Range));
        assert_eq!(parse_float("x"), Err(NumberError::Syntax));
        assert_eq!(parse_float("0x1"), Err(NumberError::Syntax));
    }

    #[test]
    fn comma_separated_fields() {
        assert_eq!(csv("a=1,\"b=2,3\",c").unwrap(), ["a=1", "b=2,3", "c"]);
        assert_eq!(csv("\"a\"\"b\",").unwrap(), ["a\"b", ""]);
        assert_eq!(
            csv("a,b\"c"),
            Err("parse error on line 1, column 4: bare \" in non-quoted field".to_string())
        );
        assert!(csv("\"a").is_err());
        assert!(csv("").is_err());
    }
}
