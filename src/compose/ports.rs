//! `ports` of a service, in the short and the long form.
//!
//! Upstream: docker cli `cli/compose/loader/loader.go` `transformServicePort` (cli surface 5.3).

use crate::client::golang;
use crate::client::ports::parse;
use crate::compose::value::Node;
use crate::swarmkit::spec::{PortConfig, Protocol, PublishMode};

/// Whether a text is a port of the short form.
pub(crate) fn is_port(text: &str) -> bool {
    !golang::has_assignment(text) && parse(without_address(text).0).is_ok()
}

/// The ports of the short form, and the warning if an address is left out.
pub(crate) fn short(text: &str) -> (Vec<PortConfig>, Option<String>) {
    let (rest, address) = without_address(text);
    let ports = parse(rest).unwrap_or_default();
    let everywhere = matches!(address, None | Some("0.0.0.0" | "::" | "[::]"));
    let warning = address.filter(|_| !everywhere).and_then(|address| {
        let first = ports.first()?;
        let out = if first.published == 0 { String::new() } else { first.published.to_string() };
        Some(format!(
            "ignoring IP-address ({address}:{out}:{}/{}) service will listen on '0.0.0.0'",
            first.target,
            first.protocol.word()
        ))
    });
    (ports, warning)
}

/// A text without the address before its ports, if it has a valid one.
fn without_address(text: &str) -> (&str, Option<&str>) {
    let mut colons = text.rmatch_indices(':');
    let (Some(_), Some((at, _))) = (colons.next(), colons.next()) else { return (text, None) };
    let address = &text[..at];
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    if bare.is_empty() || bare.parse::<std::net::IpAddr>().is_ok() {
        (&text[at + 1..], Some(address))
    } else {
        (text, None)
    }
}

/// The port of the long form. Words that are not known are those that stand first: neither client
/// nor daemon refuses them. Upstream: moby `daemon/cluster/convert/service.go`
/// `ServiceSpecToGRPC`.
pub(crate) fn long(node: &Node) -> PortConfig {
    let number = |key: &str| node.get(key).and_then(Node::int).unwrap_or(0);
    let word = |key: &str| node.get(key).and_then(Node::text).unwrap_or("").to_lowercase();
    let small = |number: i64| u32::try_from(number).unwrap_or(0);
    PortConfig {
        published: small(number("published")),
        target: small(number("target")),
        protocol: Protocol::from_word(&word("protocol")).unwrap_or_default(),
        publish_mode: PublishMode::from_word(&word("mode")).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ports_with_ranges_and_addresses() {
        for (text, expected, warned) in [
            ("80", vec![(0, 80)], None),
            ("8080:80", vec![(8080, 80)], None),
            ("8000-8001:80-81", vec![(8000, 80), (8001, 81)], None),
            ("8000-8001:80", vec![(8000, 80), (8001, 80)], None),
            ("0.0.0.0:8080:80", vec![(8080, 80)], None),
            ("[::]:8080:80", vec![(8080, 80)], None),
            (
                "127.0.0.1:8080:80",
                vec![(8080, 80)],
                Some(
                    "ignoring IP-address (127.0.0.1:8080:80/tcp) service will listen on '0.0.0.0'",
                ),
            ),
        ] {
            let (ports, warning) = short(text);
            let found: Vec<_> = ports.iter().map(|port| (port.published, port.target)).collect();
            assert_eq!(found, expected, "{text}");
            assert_eq!(warning.as_deref(), warned, "{text}");
        }
    }

    #[test]
    fn what_is_no_port() {
        for text in ["", "a", "80:a", "80:", "1-2:3-5", "70000", "x:80:80", "a=b", "80/foo"] {
            assert!(!is_port(text), "{text}");
        }
    }
}
