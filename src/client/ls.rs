//! `docker service ls`.
//!
//! Source: cli surface 3.7. Upstream: docker cli `cli/command/service/formatter.go`.

use crate::client::command::ListOptions;
use crate::client::failure::CliFailure;
use crate::client::image;
use crate::client::rows::ServiceRow;
use crate::client::table::{self, Column};
use crate::swarmkit::spec::{Mode, PortConfig, PublishMode};

const COLUMNS: [Column; 6] = [
    ("ID", "ID"),
    ("Name", "NAME"),
    ("Mode", "MODE"),
    ("Replicas", "REPLICAS"),
    ("Image", "IMAGE"),
    ("Ports", "PORTS"),
];

/// The services, sorted by name.
///
/// # Errors
/// A filter or a format that is not known.
pub fn ls(services: &[ServiceRow], options: &ListOptions) -> Result<String, CliFailure> {
    let mut shown = Vec::new();
    for service in services {
        if matches(service, &options.filters)? {
            shown.push(service);
        }
    }
    shown.sort_by(|a, b| table::natural(&a.name, &b.name));
    let short = |service: &ServiceRow| service.id.to_string()[..12].to_string();
    if options.quiet {
        return Ok(shown.iter().map(|service| short(service) + "\n").collect());
    }
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|service| {
            vec![
                short(service),
                service.name.to_string(),
                mode_word(&service.spec.mode).to_string(),
                replicas(service),
                image::shown(&service.spec.task.container.image),
                ports(&service.ports),
            ]
        })
        .collect();
    match &options.format {
        Some(format) => table::formatted(format, &COLUMNS, &rows),
        None => Ok(table::aligned(&COLUMNS.map(|(_, title)| title), &rows)),
    }
}

fn mode_word(mode: &Mode) -> &'static str {
    match mode {
        Mode::Replicated { .. } => "replicated",
        Mode::Global => "global",
        Mode::ReplicatedJob { .. } => "replicated job",
        Mode::GlobalJob => "global job",
    }
}

/// `<running>/<desired>`: the first counts old tasks that still run, so it may be the larger one.
fn replicas(service: &ServiceRow) -> String {
    let counts = format!("{}/{}", service.running, service.desired);
    let completed = service.job.map_or(0, |job| job.completed);
    let max = service.spec.task.placement.as_ref().map_or(0, |placement| placement.max_replicas);
    match service.spec.mode {
        Mode::Replicated { .. } if max > 0 => format!("{counts} (max {max} per node)"),
        Mode::ReplicatedJob { total_completions, .. } => {
            format!("{counts} ({completed}/{total_completions} completed)")
        }
        Mode::GlobalJob => {
            format!("{counts} ({completed}/{} completed)", service.desired + completed)
        }
        _ => counts,
    }
}

/// Ingress ports; a run of neighbours is one range.
fn ports(all: &[PortConfig]) -> String {
    let mut ports: Vec<&PortConfig> =
        all.iter().filter(|port| port.publish_mode == PublishMode::Ingress).collect();
    ports.sort_by_key(|port| (port.protocol.word(), port.published));
    let mut runs: Vec<(PortConfig, PortConfig)> = Vec::new();
    for port in ports {
        match runs.last_mut() {
            Some((first, last))
                if port.protocol == last.protocol
                    && port.published.wrapping_sub(last.published) <= 1
                    && port.target.wrapping_sub(last.target) <= 1
                    && !(first.target != last.target && port.target <= last.target) =>
            {
                *last = port.clone();
            }
            _ => runs.push((port.clone(), port.clone())),
        }
    }
    let range = |from: u32, to: u32| {
        if to > from { format!("{from}-{to}") } else { from.to_string() }
    };
    let texts: Vec<String> = runs
        .iter()
        .filter(|(first, _)| first.published > 0)
        .map(|(first, last)| {
            let published = range(first.published, last.published);
            let target = range(first.target, last.target);
            format!("*:{published}->{target}/{}", first.protocol.word())
        })
        .collect();
    texts.join(", ")
}

fn matches(service: &ServiceRow, filters: &[(String, String)]) -> Result<bool, CliFailure> {
    let mut fits = true;
    for (key, _) in filters {
        let any = |test: &dyn Fn(&str) -> bool| {
            filters.iter().any(|(other, value)| other == key && test(value))
        };
        fits &= match key.as_str() {
            "id" => any(&|value| service.id.to_string().starts_with(value)),
            "name" => any(&|value| service.name.starts_with(value)),
            "mode" => any(&|value| mode_word(&service.spec.mode).replace(' ', "-") == value),
            "label" => any(&|value| match value.split_once('=') {
                Some((key, value)) => {
                    service.spec.labels.get(key).is_some_and(|found| found == value)
                }
                None => service.spec.labels.contains_key(value),
            }),
            _ => return Err(CliFailure::daemon(format_args!("invalid filter '{key}'"))),
        };
    }
    Ok(fits)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::base::ids::Identifier;
    use crate::base::time::SimTime;
    use crate::client::command::{DockerCommand, parse};
    use crate::client::rows::JobRow;
    use crate::client::words;

    /// A service as `docker service create` with these words makes it.
    pub(crate) fn service(flags: &str) -> ServiceRow {
        let line = words::split(&format!("docker service create {flags}")).unwrap();
        let Ok(DockerCommand::ServiceCreate { spec, .. }) = parse(&line) else {
            panic!("{flags}: cannot be created");
        };
        ServiceRow {
            id: Identifier::new(1 << 60, 1),
            name: spec.name.as_str().into(),
            ports: spec.endpoint.as_ref().map_or(Vec::new(), |endpoint| endpoint.ports.clone()),
            spec,
            previous: None,
            version: 21,
            update: None,
            created: SimTime::ZERO,
            updated: SimTime::ZERO,
            running: 2,
            desired: 4,
            job: None,
        }
    }

    #[test]
    fn a_job_tells_how_much_of_it_is_done() {
        let row = |flags: &str, desired| {
            let job = JobRow { iteration: 0, last_execution: SimTime::ZERO, completed: 3 };
            ServiceRow { job: Some(job), desired, ..service(flags) }
        };
        let services = [
            row("--name a --mode replicated-job --replicas 9 --max-concurrent 4 nginx:1", 4),
            row("--name b --mode global-job nginx:1", 2),
        ];
        let options = ListOptions {
            format: Some("{{.Mode}}: {{.Replicas}}".to_string()),
            ..ListOptions::default()
        };
        let expected = "replicated job: 2/4 (3/9 completed)\nglobal job: 2/2 (3/5 completed)\n";
        assert_eq!(ls(&services, &options).unwrap(), expected);
    }

    #[test]
    fn a_listing() {
        let services = [
            service("--name web10 --mode global nginx"),
            service("--name web2 -p 8080:80 --replicas-max-per-node 2 nginx:1"),
        ];
        let id = &services[0].id.to_string()[..12];
        assert_eq!(
            ls(&services, &ListOptions::default()).unwrap(),
            format!(
                "\
ID             NAME      MODE         REPLICAS               IMAGE          PORTS
{id}   web2      replicated   2/4 (max 2 per node)   nginx:1        *:8080->80/tcp
{id}   web10     global       2/4                    nginx:latest   \n"
            )
        );
        let options = ListOptions {
            quiet: true,
            filters: vec![("mode".into(), "global".into())],
            ..ListOptions::default()
        };
        assert_eq!(ls(&services, &options).unwrap(), format!("{id}\n"));
    }

    #[test]
    fn neighbouring_ports_are_one_range() {
        for (flags, text) in [
            ("-p 80-81:80-81", "*:80-81->80-81/tcp"),
            ("-p 80-81:80", "*:80-81->80/tcp"),
            ("-p 80:80 -p 90:90", "*:80->80/tcp, *:90->90/tcp"),
            ("-p 80:80 -p 80:80/udp", "*:80->80/tcp, *:80->80/udp"),
            ("-p 80:80 -p 81:81 -p 82:81", "*:80-81->80-81/tcp, *:82->81/tcp"),
            ("-p mode=host,published=80,target=80", ""),
        ] {
            assert_eq!(ports(&service(&format!("{flags} nginx")).ports), text, "{flags}");
        }
    }
}
