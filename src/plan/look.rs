//! What a deploy takes away on purpose, as far as the files say it: no forecast can tell whether
//! somebody misses it.

use std::collections::BTreeSet;

use crate::plan::changes::Service;
use crate::swarmkit::spec::{Mode, PortConfig, Protocol, ServiceSpec};

/// Something that is gone after the deploy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// A service is to have no replicas any more.
    Emptied {
        /// Its name.
        service: String,
        /// How many it had.
        replicas: u64,
    },
    /// Nobody publishes a port any more.
    Closed {
        /// Name of the service that did.
        service: String,
        /// The port.
        port: u32,
        /// Its protocol.
        protocol: Protocol,
    },
}

impl Look {
    /// In a sentence without its end.
    pub fn told(&self) -> String {
        match self {
            Look::Emptied { service, replicas } => {
                format!("{service} goes from {replicas} replicas to 0: nothing of it runs then")
            }
            Look::Closed { service, port, protocol } => {
                let protocol = protocol.word();
                format!("{service} published port {port}/{protocol}, and nobody does any more")
            }
        }
    }
}

/// What is gone, service by service.
pub fn looks(services: &[Service]) -> Vec<Look> {
    let stay = services.iter().filter_map(|service| service.new.as_ref().or(service.old.as_ref()));
    let open: BTreeSet<(u32, Protocol)> = stay.flat_map(published).collect();
    let mut looks = Vec::new();
    for service in services {
        let (Some(old), Some(new)) = (&service.old, &service.new) else { continue };
        let name = || service.name.clone();
        if let (Mode::Replicated { replicas }, Mode::Replicated { replicas: 0 }) =
            (old.mode, new.mode)
            && replicas > 0
        {
            looks.push(Look::Emptied { service: name(), replicas });
        }
        let closed = published(old).filter(|port| !open.contains(port));
        let closed: BTreeSet<(u32, Protocol)> = closed.collect();
        looks.extend(closed.into_iter().map(|(port, protocol)| Look::Closed {
            service: name(),
            port,
            protocol,
        }));
    }
    looks
}

/// Ports with a number that its author chose.
fn published(spec: &ServiceSpec) -> impl Iterator<Item = (u32, Protocol)> + '_ {
    let ports = spec.endpoint.as_ref().map_or(&[][..], |endpoint| &endpoint.ports);
    let chosen = ports.iter().filter(|port: &&PortConfig| port.published != 0);
    chosen.map(|port| (port.published, port.protocol))
}
