//! What the value of a flag may be, and what it becomes.
//!
//! Source: cli surface 1.2 and 1.5. Errors are the `<cause>` of the envelope of cli surface 1.6.

use crate::base::time::Span;
use crate::client::golang::{self, NumberError};
use crate::client::{ports, references};
use crate::swarmkit::spec::{FileReference, Mount, NetworkAttachment, PortConfig, Ulimit};

/// The grammar of a flag's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// On or off; takes a value only with `=`.
    Bool,
    /// Any text.
    Text,
    /// A Go duration.
    Duration,
    /// A Go duration that is not negative.
    PositiveDuration,
    /// Unsigned, 64 bits, with base prefixes.
    Uint,
    /// Signed, 64 bits, with base prefixes.
    Int,
    /// A 32-bit float.
    Float,
    /// An amount of memory.
    Bytes,
    /// An amount of processor.
    Cpus,
    /// One text split as a shell would.
    Words,
    /// A text per occurrence.
    List(Check),
    /// A placement preference.
    Pref,
    /// A published port.
    Port,
    /// A mount.
    Mount,
    /// A network.
    Network,
    /// A secret.
    Secret,
    /// A config.
    Config,
    /// A resource limit.
    Ulimit,
    /// A credential spec.
    CredentialSpec,
}

/// What each text of a list must satisfy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    /// Nothing.
    Any,
    /// A label.
    Label,
    /// An environment variable.
    Env,
    /// An address.
    Address,
    /// A search domain.
    Domain,
    /// `host:ip`.
    Host,
    /// `kind=count`.
    Generic,
}

/// A value that was read.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Text`], [`Kind::List`], [`Kind::Pref`] (the spread descriptor), credential specs.
    Text(String),
    /// Of the durations.
    Span(Span),
    /// Of [`Kind::Uint`].
    Uint(u64),
    /// Of [`Kind::Int`], [`Kind::Bytes`] (bytes) and [`Kind::Cpus`] (billionths).
    Int(i64),
    /// Of [`Kind::Float`].
    Float(f32),
    /// Of [`Kind::Words`].
    Words(Vec<String>),
    /// Of [`Kind::Port`]: a range gives several.
    Ports(Vec<PortConfig>),
    /// Of [`Kind::Mount`].
    Mount(Mount),
    /// Of [`Kind::Network`].
    Network(NetworkAttachment),
    /// Of [`Kind::Secret`] and [`Kind::Config`].
    File(FileReference),
    /// Of [`Kind::Ulimit`].
    Ulimit(Ulimit),
}

impl Kind {
    /// The type's name in a usage text; `bool` flags have none.
    pub fn type_name(self) -> &'static str {
        match self {
            Kind::Bool => "",
            Kind::Text => "string",
            Kind::Duration | Kind::PositiveDuration => "duration",
            Kind::Uint => "uint",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Bytes => "bytes",
            Kind::Cpus => "decimal",
            Kind::Words => "command",
            Kind::List(_) => "list",
            Kind::Pref => "pref",
            Kind::Port => "port",
            Kind::Mount => "mount",
            Kind::Network => "network",
            Kind::Secret => "secret",
            Kind::Config => "config",
            Kind::Ulimit => "ulimit",
            Kind::CredentialSpec => "credential-spec",
        }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// Docker's text of the cause.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        let number =
            |function: &'static str| move |error: NumberError| error.strconv(function, text);
        Ok(match self {
            Kind::Bool => Value::Bool(golang::parse_bool(text).map_err(number("ParseBool"))?),
            Kind::Text => Value::Text(text.to_string()),
            Kind::Duration => Value::Span(Span::parse_go(text)?),
            Kind::PositiveDuration => {
                let span = Span::parse_go(text)?;
                if span < Span::ZERO {
                    return Err("duration cannot be negative".to_string());
                }
                Value::Span(span)
            }
            Kind::Uint => Value::Uint(golang::parse_uint(text, 0).map_err(number("ParseUint"))?),
            Kind::Int => Value::Int(golang::parse_int(text).map_err(number("ParseInt"))?),
            Kind::Float => Value::Float(golang::parse_float(text).map_err(number("ParseFloat"))?),
            Kind::Bytes => Value::Int(parse_bytes(text)?),
            Kind::Cpus => Value::Int(parse_cpus(text)?),
            Kind::Words => Value::Words(
                shell_words::split(text)
                    .map_err(|_| "EOF found when expecting closing quote".to_string())?,
            ),
            Kind::List(check) => Value::Text(check.apply(text)?),
            Kind::Pref => Value::Text(parse_pref(text)?),
            Kind::Port => Value::Ports(ports::parse(text)?),
            Kind::Mount => Value::Mount(references::parse_mount(text)?),
            Kind::Network => Value::Network(references::parse_network(text)?),
            Kind::Secret => Value::File(references::parse_file("secret", text)?),
            Kind::Config => Value::File(references::parse_file("config", text)?),
            Kind::Ulimit => Value::Ulimit(parse_ulimit(text)?),
            Kind::CredentialSpec => {
                if !["config://", "file://", "registry://"].iter().any(|p| text.starts_with(p)) {
                    return Err("invalid credential spec: value must be prefixed with \
                                \"config://\", \"file://\", or \"registry://\""
                        .to_string());
                }
                Value::Text(text.to_string())
            }
        })
    }
}

impl Check {
    fn apply(self, text: &str) -> Result<String, String> {
        const BLANKS: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];
        let error = match self {
            Check::Any => None,
            Check::Label => {
                let key = text.split('=').next().unwrap_or("").trim_start_matches(BLANKS);
                if key.is_empty() {
                    Some(format!("invalid label '{text}': empty name"))
                } else if key.contains(BLANKS) {
                    Some(format!("label '{key}' contains whitespaces"))
                } else {
                    None
                }
            }
            Check::Env => (text.is_empty() || text.starts_with('='))
                .then(|| format!("invalid environment variable: {text}")),
            Check::Address => {
                return match text.trim().parse::<std::net::IpAddr>() {
                    Ok(address) => Ok(address.to_string()),
                    Err(_) => Err(format!("IP address is not correctly formatted: {text}")),
                };
            }
            Check::Domain => return parse_domain(text),
            Check::Host => check_host(text),
            Check::Generic => {
                let (kind, count) = text.split_once('=').unwrap_or((text, ""));
                (kind.is_empty() || count.is_empty()).then(|| {
                    format!("invalid generic-resource format `{text}` expected `name=value`")
                })
            }
        };
        error.map_or_else(|| Ok(text.to_string()), Err)
    }
}

fn parse_domain(text: &str) -> Result<String, String> {
    let domain = text.trim();
    if domain == "." {
        return Ok(domain.to_string());
    }
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let wrong = domain.is_empty()
        || domain.starts_with(['.', '-'])
        || domain.ends_with('-')
        || !domain.chars().all(letters)
        || !domain.contains(|c: char| c.is_ascii_alphabetic());
    if wrong { Err(format!("{text} is not a valid domain")) } else { Ok(domain.to_string()) }
}

fn check_host(text: &str) -> Option<String> {
    match text.split_once([':', '=']) {
        Some((host, ip)) if !host.is_empty() => {
            let address = ip.trim_start_matches('[').trim_end_matches(']');
            (address != "host-gateway" && address.parse::<std::net::IpAddr>().is_err())
                .then(|| format!("invalid IP address in add-host: {}", golang::quote(ip)))
        }
        _ => Some(format!("bad format for add-host: {}", golang::quote(text))),
    }
}

fn parse_pref(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some(("spread", descriptor)) => Ok(descriptor.to_string()),
        Some((strategy, _)) if !strategy.is_empty() => {
            Err(format!("unsupported placement preference {strategy} (only spread is supported)"))
        }
        _ => Err("placement preference must be of the format \"<strategy>=<arg>\"".to_string()),
    }
}

/// An amount of memory in bytes: a number, perhaps a blank, perhaps a binary suffix.
///
/// # Errors
/// Docker's own text, such as `invalid size: 'abc'`.
pub fn parse_bytes(text: &str) -> Result<i64, String> {
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | ' ');
    let last = text.rfind(digits).ok_or_else(|| format!("invalid size: '{text}'"))?;
    let suffix = text[last + 1..].to_lowercase();
    let number = if text[last..].starts_with(' ') { &text[..last] } else { &text[..=last] };
    let size: f64 =
        number.parse().map_err(|_| NumberError::Syntax.strconv("ParseFloat", number))?;
    if size < 0.0 {
        return Err(format!("invalid size: '{text}'"));
    }
    let power = match suffix.strip_suffix("ib").or(suffix.strip_suffix('b')).unwrap_or(&suffix) {
        "" if suffix != "ib" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return Err(format!("invalid suffix: '{suffix}'")),
    };
    Ok((size * 1024_f64.powi(power)) as i64)
}

/// An amount of processor in billionths: a decimal with an optional exponent, or a fraction.
fn parse_cpus(text: &str) -> Result<i64, String> {
    let failed = || format!("failed to parse {text} as a rational number");
    let (over, under) = parse_rational(text).ok_or_else(failed)?;
    let nano = over.checked_mul(1_000_000_000).ok_or_else(failed)?;
    if nano % under != 0 {
        return Err("value is too precise".to_string());
    }
    i64::try_from(nano / under).map_err(|_| failed())
}

/// Numerator and positive denominator.
fn parse_rational(text: &str) -> Option<(i128, i128)> {
    if let Some((over, under)) = text.split_once('/') {
        let (over, under): (i64, i64) = (over.parse().ok()?, under.parse().ok()?);
        return (under > 0).then_some((over.into(), under.into()));
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 27 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i128 = digits.parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    let value = if negative { -value } else { value };
    if shift < 0 { Some((value, power)) } else { Some((value.checked_mul(power)?, 1)) }
}

fn parse_ulimit(text: &str) -> Result<Ulimit, String> {
    const TYPES: [&str; 15] = [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let (name, limits) = match text.split_once('=') {
        Some((name, limits)) if !limits.contains('=') => (name, limits),
        _ => return Err(format!("invalid ulimit argument: {text}")),
    };
    if !TYPES.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let parts: Vec<&str> = limits.split(':').collect();
    if parts.len() > 2 {
        return Err(format!(
            "too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`"
        ));
    }
    let number =
        |part: &str| part.parse::<i64>().map_err(|_| NumberError::Syntax.strconv("ParseInt", part));
    let soft = number(parts[0])?;
    let hard = parts.get(1).map_or(Ok(soft), |part| number(part))?;
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(format!(
            "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        ));
    }
    Ok(Ulimit { name: name.to_string(), soft, hard })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.to_string())
    }

    #[test]
    fn values_are_read_by_their_grammar() {
        for (kind, given, value) in [
            (Kind::Duration, "-5s", Value::Span(Span::from_secs(-5))),
            (Kind::PositiveDuration, "1m", Value::Span(Span::from_secs(60))),
            (Kind::Uint, "0x10", Value::Uint(16)),
            (Kind::Int, "-3", Value::Int(-3)),
            (Kind::Float, "0.1", Value::Float(0.1)),
            (Kind::Bytes, "64M", Value::Int(64 << 20)),
            (Kind::Bytes, "1.5 GiB", Value::Int(3 << 29)),
            (Kind::Bytes, "10b", Value::Int(10)),
            (Kind::Bytes, "7", Value::Int(7)),
            (Kind::Cpus, "0.5", Value::Int(500_000_000)),
            (Kind::Cpus, "3/2", Value::Int(1_500_000_000)),
            (Kind::Cpus, "1e-1", Value::Int(100_000_000)),
            (Kind::Words, "a 'b c'", Value::Words(vec!["a".into(), "b c".into()])),
            (Kind::Pref, "spread=node.labels.az", text("node.labels.az")),
            (Kind::List(Check::Label), "a=b", text("a=b")),
            (Kind::List(Check::Host), "db:10.0.0.1", text("db:10.0.0.1")),
            (
                Kind::Ulimit,
                "nofile=1:2",
                Value::Ulimit(Ulimit { name: "nofile".into(), soft: 1, hard: 2 }),
            ),
        ] {
            assert_eq!(kind.parse(given), Ok(value), "{given}");
        }
    }

    #[test]
    fn causes_are_dockers() {
        for (kind, given, cause) in [
            (Kind::Duration, "5", "time: missing unit in duration \"5\""),
            (Kind::Duration, "1d", "time: unknown unit \"d\" in duration \"1d\""),
            (Kind::Duration, "abc", "time: invalid duration \"abc\""),
            (Kind::PositiveDuration, "-1s", "duration cannot be negative"),
            (Kind::Uint, "-1", "strconv.ParseUint: parsing \"-1\": invalid syntax"),
            (Kind::Int, "x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            (Kind::Float, "x", "strconv.ParseFloat: parsing \"x\": invalid syntax"),
            (Kind::Bool, "x", "strconv.ParseBool: parsing \"x\": invalid syntax"),
            (Kind::Bytes, "abc", "invalid size: 'abc'"),
            (Kind::Bytes, "-1", "invalid size: '-1'"),
            (Kind::Bytes, "1X", "invalid suffix: 'x'"),
            (Kind::Bytes, "1ib", "invalid suffix: 'ib'"),
            (Kind::Cpus, "abc", "failed to parse abc as a rational number"),
            (Kind::Cpus, "1/3", "value is too precise"),
            (Kind::Pref, "foo", "placement preference must be of the format \"<strategy>=<arg>\""),
            (Kind::Pref, "a=b", "unsupported placement preference a (only spread is supported)"),
            (Kind::Words, "'", "EOF found when expecting closing quote"),
            (Kind::List(Check::Label), "=b", "invalid label '=b': empty name"),
            (Kind::List(Check::Label), "a b=c", "label 'a b' contains whitespaces"),
            (Kind::List(Check::Env), "=b", "invalid environment variable: =b"),
            (
                Kind::List(Check::Generic),
                "gpu",
                "invalid generic-resource format `gpu` expected `name=value`",
            ),
            (Kind::List(Check::Address), "x", "IP address is not correctly formatted: x"),
            (Kind::List(Check::Domain), "a b", "a b is not a valid domain"),
            (Kind::List(Check::Host), "x", "bad format for add-host: \"x\""),
            (Kind::List(Check::Host), "x:y", "invalid IP address in add-host: \"y\""),
            (Kind::Ulimit, "nofile", "invalid ulimit argument: nofile"),
            (Kind::Ulimit, "foo=1", "invalid ulimit type: foo"),
            (
                Kind::Ulimit,
                "nofile=2:1",
                "ulimit soft limit must be less than or equal to hard limit: 2 > 1",
            ),
            (
                Kind::CredentialSpec,
                "x",
                "invalid credential spec: value must be prefixed with \"config://\", \"file://\", \
                 or \"registry://\"",
            ),
        ] {
            assert_eq!(kind.parse(given), Err(cause.to_string()), "{given}");
        }
    }
}
