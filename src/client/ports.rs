//! The value of `--publish`: the short form `[ip:]published:target[/proto]` with ranges, or fields.
//!
//! Source: cli surface 1.2 and 1.5, row `port`.

use crate::client::golang::{self, NumberError};
use crate::swarmkit::spec::{PortConfig, Protocol, PublishMode};

/// Reads one occurrence of the flag; a range gives several ports, by target then published.
///
/// # Errors
/// Docker's own text.
pub fn parse(value: &str) -> Result<Vec<PortConfig>, String> {
    if golang::has_assignment(value) {
        parse_fields(value).map(|p| vec![p])
    } else {
        parse_short(value)
    }
}

fn parse_fields(value: &str) -> Result<PortConfig, String> {
    let mut port = PortConfig {
        published: 0,
        target: 0,
        protocol: Protocol::Tcp,
        publish_mode: PublishMode::Ingress,
    };
    for field in golang::csv(value)? {
        let lower = field.to_lowercase();
        let (key, val) = match lower.split_once('=') {
            Some((key, val)) if !key.is_empty() => (key, val),
            _ => return Err(format!("invalid field: {field}")),
        };
        match key {
            "protocol" => {
                port.protocol = Protocol::from_word(val)
                    .ok_or_else(|| format!("invalid protocol value '{val}'"))?;
            }
            "mode" => {
                port.publish_mode = PublishMode::from_word(val).ok_or_else(|| {
                    format!(
                        "invalid publish mode value ({val}): must be either 'ingress' or 'host'"
                    )
                })?;
            }
            "target" => port.target = field_port("target", val)?,
            "published" => port.published = field_port("published", val)?,
            _ => return Err(format!("invalid field key: {key}")),
        }
    }
    if port.target == 0 { Err("missing mandatory field 'target'".to_string()) } else { Ok(port) }
}

fn field_port(what: &str, val: &str) -> Result<u32, String> {
    parse_port(val).map_err(|error| {
        format!("invalid {what} port ({val}): value must be an integer: {}", error.text())
    })
}

fn parse_port(text: &str) -> Result<u32, NumberError> {
    let value = golang::parse_uint(text, 10)?;
    if value > 65_535 { Err(NumberError::Range) } else { Ok(value as u32) }
}

fn parse_short(value: &str) -> Result<Vec<PortConfig>, String> {
    let parts: Vec<&str> = value.split(':').collect();
    let (front, container) = (&parts[..parts.len() - 1], parts[parts.len() - 1]);
    let host = front.last().copied().unwrap_or("");
    let ip = front[..front.len().saturating_sub(1)].join(":");
    let (protocol, container) = split_protocol(container);
    let address = ip.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(&ip);
    if !address.is_empty() && address.parse::<std::net::IpAddr>().is_err() {
        return Err(format!("invalid IP address: {address}"));
    }
    if container.is_empty() {
        return Err(format!("no port specified: {value}<empty>"));
    }
    let (first, last) =
        parse_range(container).ok_or_else(|| format!("invalid containerPort: {container}"))?;
    let hosts = match host {
        "" => None,
        host => Some(parse_range(host).ok_or_else(|| format!("invalid hostPort: {host}"))?),
    };
    if let Some((from, to)) = hosts
        && last - first != to - from
        && last != first
    {
        return Err(format!(
            "invalid ranges specified for container and host Ports: {container} and {host}"
        ));
    }
    let protocol = Protocol::from_word(&protocol.to_lowercase())
        .ok_or_else(|| format!("invalid proto: {protocol}"))?;
    if !ip.is_empty() {
        return Err("hostip is not supported".to_string());
    }
    let port = |target: u32, published: u32| PortConfig {
        published,
        target,
        protocol,
        publish_mode: PublishMode::Ingress,
    };
    Ok(match hosts {
        None => (first..=last).map(|target| port(target, 0)).collect(),
        Some((from, to)) if first == last => (from..=to).map(|out| port(first, out)).collect(),
        Some((from, _)) => (first..=last).map(|t| port(t, from + (t - first))).collect(),
    })
}

fn split_protocol(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        None => ("tcp", text),
        Some(("", _)) => ("", ""),
        Some((port, rest)) => match rest.split('/').next().unwrap_or("") {
            "" => ("tcp", port),
            protocol => (protocol, port),
        },
    }
}

fn parse_range(text: &str) -> Option<(u32, u32)> {
    let (from, to) = match text.split_once('-') {
        None => (text, text),
        Some((from, to)) => (from, to.split('-').next().unwrap_or("")),
    };
    let (from, to) = (parse_port(from).ok()?, parse_port(to).ok()?);
    (from <= to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(published: u32, target: u32) -> PortConfig {
        PortConfig {
            published,
            target,
            protocol: Protocol::Tcp,
            publish_mode: PublishMode::Ingress,
        }
    }

    #[test]
    fn both_forms() {
        for (value, ports) in [
            ("80", vec![tcp(0, 80)]),
            ("8080:80", vec![tcp(8080, 80)]),
            ("8080:80/udp", vec![PortConfig { protocol: Protocol::Udp, ..tcp(8080, 80) }]),
            ("8080-8081:80-81", vec![tcp(8080, 80), tcp(8081, 81)]),
            ("8080-8081:80", vec![tcp(8080, 80), tcp(8081, 80)]),
            ("target=80", vec![tcp(0, 80)]),
            (
                "Mode=HOST,published=18080,target=80",
                vec![PortConfig { publish_mode: PublishMode::Host, ..tcp(18080, 80) }],
            ),
        ] {
            assert_eq!(parse(value), Ok(ports), "{value}");
        }
    }

    #[test]
    fn errors_of_both_forms() {
        for (value, error) in [
            ("127.0.0.1:80:80", "hostip is not supported"),
            ("8080:", "no port specified: 8080:<empty>"),
            ("80/foo", "invalid proto: foo"),
            ("8080:x", "invalid containerPort: x"),
            ("x:80", "invalid hostPort: x"),
            ("1.2.3:80:80", "invalid IP address: 1.2.3"),
            ("1-3:1-2", "invalid ranges specified for container and host Ports: 1-2 and 1-3"),
            ("target=80,protocol=foo", "invalid protocol value 'foo'"),
            (
                "target=80,mode=x",
                "invalid publish mode value (x): must be either 'ingress' or 'host'",
            ),
            ("target=x", "invalid target port (x): value must be an integer: invalid syntax"),
            (
                "target=80,published=70000",
                "invalid published port (70000): value must be an integer: value out of range",
            ),
            ("target=80,foo=1", "invalid field key: foo"),
            ("target=80,foo", "invalid field: foo"),
            ("published=80", "missing mandatory field 'target'"),
        ] {
            assert_eq!(parse(value), Err(error.to_string()), "{value}");
        }
    }
}
