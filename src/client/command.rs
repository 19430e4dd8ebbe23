//! The commands that the client knows, parsed but not yet done.
//!
//! Source: cli surface 1, 3. Whatever needs the cluster (names, stored specs) is left to whoever
//! carries the command out; what the client itself checks is checked here.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use crate::client::failure::CliFailure;
use crate::client::flags::{CommandForm, Parsed};
use crate::client::golang;
use crate::client::references::key_values;
use crate::client::stack::{self, StackDeploy};
use crate::client::{spec_create, spec_update, tables};
use crate::swarmkit::spec::ServiceSpec;

/// A docker command.
#[derive(Clone, PartialEq, Debug)]
pub enum DockerCommand {
    /// `docker service create`: prints the new id.
    ServiceCreate {
        /// What is asked for.
        spec: Arc<ServiceSpec>,
        /// Whether and how to wait.
        wait: Wait,
    },
    /// `docker service update`: see [`ServiceUpdate::request`].
    ServiceUpdate(Box<ServiceUpdate>),
    /// `docker service rollback`.
    ServiceRollback {
        /// The service as typed.
        service: String,
        /// Whether and how to wait.
        wait: Wait,
    },
    /// `docker service scale`.
    ServiceScale {
        /// Services with their wishes, in order.
        targets: Vec<ScaleTarget>,
        /// Whether to wait, one after the other.
        wait: Wait,
    },
    /// `docker service rm`.
    ServiceRm {
        /// Services as typed.
        services: Vec<String>,
    },
    /// `docker service ls`.
    ServiceLs(ListOptions),
    /// `docker service ps`.
    ServicePs {
        /// Services as typed.
        services: Vec<String>,
        /// How to print.
        options: ListOptions,
    },
    /// `docker service inspect`.
    ServiceInspect {
        /// Services as typed.
        services: Vec<String>,
        /// For people.
        pretty: bool,
    },
    /// `docker node ls`.
    NodeLs(ListOptions),
    /// `docker node update`.
    NodeUpdate {
        /// The node as typed.
        node: String,
        /// What to change.
        change: NodeChange,
    },
    /// `docker node inspect`.
    NodeInspect {
        /// Nodes as typed; `self` is the manager that is asked.
        nodes: Vec<String>,
        /// For people.
        pretty: bool,
    },
    /// `docker node ps`.
    NodePs {
        /// Nodes as typed; none = the manager that is asked.
        nodes: Vec<String>,
        /// How to print.
        options: ListOptions,
    },
    /// `docker node rm`.
    NodeRm {
        /// Nodes as typed.
        nodes: Vec<String>,
        /// Even if it is not down.
        force: bool,
    },
    /// `docker stack deploy`.
    StackDeploy(Box<StackDeploy>),
    /// `docker stack rm`.
    StackRm {
        /// Names of stacks.
        stacks: Vec<String>,
    },
    /// `docker stack ls`.
    StackLs(ListOptions),
    /// `docker stack ps`.
    StackPs {
        /// Name of the stack.
        stack: String,
        /// How to print.
        options: ListOptions,
    },
    /// `docker stack services`.
    StackServices {
        /// Name of the stack.
        stack: String,
        /// How to print.
        options: ListOptions,
    },
}

/// Whether the client waits for the service to converge, and shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wait {
    /// Return at once.
    pub detach: bool,
    /// Wait without showing.
    pub quiet: bool,
}

/// An update as typed. The spec can only be made when the service has been looked up.
#[derive(Clone, PartialEq, Debug)]
pub struct ServiceUpdate {
    /// The service as typed.
    pub service: String,
    /// Whether and how to wait.
    pub wait: Wait,
    /// All flags.
    pub flags: Parsed,
}

/// What an update sends to the manager.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UpdateRequest {
    /// The whole new spec.
    Spec(Arc<ServiceSpec>),
    /// `--rollback`: the previous spec, whatever it is.
    Rollback,
}

/// One word of `docker service scale`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScaleTarget {
    /// The service as typed.
    pub service: String,
    /// The wish, or the line that is printed at the end instead (cli surface 3.3).
    pub replicas: Result<u64, String>,
}

/// What a listing shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListOptions {
    /// Only ids.
    pub quiet: bool,
    /// Full ids, images and errors.
    pub no_trunc: bool,
    /// Ids where names would stand.
    pub no_resolve: bool,
    /// `key=value`, in order.
    pub filters: Vec<(String, String)>,
    /// `--format`, if it is not `table`.
    pub format: Option<String>,
}

/// What an update of a node changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeChange {
    /// Availability: the manager checks the word.
    pub availability: Option<crate::swarmkit::task::Availability>,
    /// Labels to set.
    pub label_add: Vec<(String, String)>,
    /// Labels to remove.
    pub label_rm: Vec<String>,
    /// `worker` or `manager`.
    pub role: Option<String>,
}

impl ServiceUpdate {
    /// What to send, given the stored spec.
    ///
    /// # Errors
    /// The client errors of an update (cli surface 1.5): the command ends with them.
    pub fn request(&self, old: &ServiceSpec) -> Result<UpdateRequest, CliFailure> {
        if self.flags.bool("rollback") {
            let alone = |flag: &str| matches!(flag, "rollback" | "detach" | "quiet");
            if !self.flags.given().all(alone) {
                return Err(CliFailure::error("other flags may not be combined with --rollback"));
            }
            return Ok(UpdateRequest::Rollback);
        }
        spec_update::update(&self.flags, old).map(|spec| UpdateRequest::Spec(Arc::new(spec)))
    }
}

/// Parses the words of a docker command line; the first must be `docker`.
///
/// # Errors
/// How the command ends instead: what it prints and its exit code (cli surface 1.6).
pub fn parse(words: &[String]) -> Result<DockerCommand, CliFailure> {
    let word = |index: usize| words.get(index).map_or("", String::as_str);
    if word(0) != "docker" {
        return Err(CliFailure {
            code: 127,
            ..CliFailure::error(format_args!("{}: command not found", word(0)))
        });
    }
    let rest = words.get(3..).unwrap_or(&[]);
    match (word(1), word(2)) {
        ("service", "create") => service_create(rest),
        ("service", "update") => service_update(rest),
        ("service", "rollback") => service_rollback(rest),
        ("service", "scale") => service_scale(rest),
        ("service", "rm" | "remove") => tables::service_rm()
            .parse(rest)
            .map(|parsed| DockerCommand::ServiceRm { services: parsed.args }),
        ("service", "ls" | "list") => {
            tables::service_ls().parse(rest)?.list_options().map(DockerCommand::ServiceLs)
        }
        ("service", "ps") => {
            let parsed = tables::service_ps().parse(rest)?;
            let options = parsed.list_options()?;
            Ok(DockerCommand::ServicePs { services: parsed.args, options })
        }
        ("service", "inspect") => {
            let (services, pretty) = inspect(&tables::service_inspect(), rest)?;
            Ok(DockerCommand::ServiceInspect { services, pretty })
        }
        ("node", "ls" | "list") => {
            tables::node_ls().parse(rest)?.list_options().map(DockerCommand::NodeLs)
        }
        ("node", "update") => node_update(rest),
        ("node", "inspect") => {
            let (nodes, pretty) = inspect(&tables::node_inspect(), rest)?;
            Ok(DockerCommand::NodeInspect { nodes, pretty })
        }
        ("node", "ps") => {
            let parsed = tables::node_ps().parse(rest)?;
            let options = parsed.list_options()?;
            Ok(DockerCommand::NodePs { nodes: parsed.args, options })
        }
        ("node", "rm" | "remove") => {
            let parsed = tables::node_rm().parse(rest)?;
            let force = parsed.bool("force");
            Ok(DockerCommand::NodeRm { nodes: parsed.args, force })
        }
        ("stack", name) => stack::parse(name, rest).unwrap_or_else(|| Err(unknown("stack", name))),
        (group, name) => Err(unknown(group, name)),
    }
}

/// The end of a command that is none of these.
fn unknown(group: &str, name: &str) -> CliFailure {
    const SERVICE: &str = "create inspect ls ps rm rollback scale update";
    const NODE: &str = "inspect ls ps rm update";
    const STACK: &str = "deploy ls ps rm services";
    let (about, names) = match group {
        "service" => ("Manage Swarm services", SERVICE),
        "node" => ("Manage Swarm nodes", NODE),
        "stack" => ("Manage Swarm stacks", STACK),
        "" | "--help" | "-h" => {
            return CliFailure::help(
                "Usage:  docker [OPTIONS] COMMAND\n\nCommands simulated here:\n  node        \
                 Manage Swarm nodes\n  service     Manage Swarm services\n  stack       Manage \
                 Swarm stacks\n"
                    .to_string(),
            );
        }
        "run" | "exec" | "container" | "image" | "images" | "pull" | "build" | "swarm"
        | "network" | "volume" | "secret" | "config" | "info" | "version" | "compose" | "logs"
        | "kill" | "stop" | "start" | "rm" | "inspect" | "events" | "system" | "ps" => {
            return CliFailure::error(format_args!(
                "docker {group}: not simulated (only docker service, node and stack are)"
            ));
        }
        _ if group.starts_with("--") => {
            return CliFailure {
                code: 125,
                ..CliFailure::error(format_args!(
                    "unknown flag: {group}\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\n\
                     Run 'docker --help' for more information"
                ))
            };
        }
        _ => {
            return CliFailure::error(format_args!(
                "docker: unknown command: docker {group}\n\n\
                 Run 'docker --help' for more information"
            ));
        }
    };
    match name {
        "" | "--help" | "-h" => {
            let mut text = format!("Usage:  docker {group} COMMAND\n\n{about}\n\nCommands:\n");
            for name in names.split(' ') {
                let _ = writeln!(text, "  {name}");
            }
            let _ = writeln!(
                text,
                "\nRun 'docker {group} COMMAND --help' for more information on a command."
            );
            CliFailure::help(text)
        }
        "logs" if group == "service" => {
            CliFailure::error("docker service logs: not simulated (containers write nothing here)")
        }
        "demote" | "promote" if group == "node" => CliFailure::error(format_args!(
            "docker node {name}: not simulated (the managers are those of the scenario)"
        )),
        _ if name.starts_with('-') => CliFailure {
            code: 125,
            ..CliFailure::error(format_args!(
                "unknown flag: {name}\n\nUsage:  docker {group} COMMAND\n\n\
                 Run 'docker {group} --help' for more information"
            ))
        },
        _ => CliFailure::error(format_args!(
            "docker: unknown command: docker {group} {name}\n\nUsage:  docker {group} COMMAND\n\n\
             Run 'docker {group} --help' for more information"
        )),
    }
}

impl Parsed {
    fn wait(&self) -> Wait {
        Wait { detach: self.bool("detach"), quiet: self.bool("quiet") }
    }

    pub(crate) fn list_options(&self) -> Result<ListOptions, CliFailure> {
        let mut filters = Vec::new();
        for text in self.texts("filter") {
            let Some((key, value)) = text.split_once('=') else {
                return Err(CliFailure::error(format_args!(
                    "invalid argument {} for \"-f, --filter\" flag: invalid filter '{text}'",
                    golang::quote(text)
                )));
            };
            filters.push((key.trim().to_lowercase(), value.trim().to_string()));
        }
        Ok(ListOptions {
            quiet: self.bool("quiet"),
            no_trunc: self.bool("no-trunc"),
            no_resolve: self.bool("no-resolve"),
            filters,
            format: self.text("format").filter(|f| !matches!(*f, "" | "table")).map(String::from),
        })
    }
}

fn service_create(words: &[String]) -> Result<DockerCommand, CliFailure> {
    // Sixty flags are sorted once.
    static FORM: LazyLock<CommandForm> = LazyLock::new(tables::service_create);
    let parsed = FORM.parse(words)?;
    let spec = Arc::new(spec_create::create(&parsed)?);
    Ok(DockerCommand::ServiceCreate { spec, wait: parsed.wait() })
}

fn service_update(words: &[String]) -> Result<DockerCommand, CliFailure> {
    static FORM: LazyLock<CommandForm> = LazyLock::new(tables::service_update);
    let flags = FORM.parse(words)?;
    Ok(DockerCommand::ServiceUpdate(Box::new(ServiceUpdate {
        service: flags.args.first().cloned().unwrap_or_default(),
        wait: flags.wait(),
        flags,
    })))
}

fn service_rollback(words: &[String]) -> Result<DockerCommand, CliFailure> {
    let mut parsed = tables::service_rollback().parse(words)?;
    let wait = parsed.wait();
    Ok(DockerCommand::ServiceRollback { service: parsed.args.remove(0), wait })
}

fn service_scale(words: &[String]) -> Result<DockerCommand, CliFailure> {
    let form = tables::service_scale();
    let parsed = form.parse(words)?;
    let mut targets = Vec::new();
    for word in &parsed.args {
        let (service, number) = match word.split_once('=') {
            Some((service, number)) if !service.is_empty() && !number.is_empty() => {
                (service, number)
            }
            _ => {
                return Err(CliFailure::error(format_args!(
                    "invalid scale specifier '{word}'.\nSee '{path} --help'.\n\n\
                     Usage:  {}\n\n{}",
                    form.use_line(),
                    form.about,
                    path = form.path
                )));
            }
        };
        let replicas = golang::parse_uint(number, 10).map_err(|error| {
            let cause = error.strconv("ParseUint", number);
            format!("{service}: invalid replicas value {number}: {cause}")
        });
        targets.push(ScaleTarget { service: service.to_string(), replicas });
    }
    Ok(DockerCommand::ServiceScale { targets, wait: parsed.wait() })
}

fn inspect(form: &CommandForm, words: &[String]) -> Result<(Vec<String>, bool), CliFailure> {
    let parsed = form.parse(words)?;
    let pretty = parsed.bool("pretty");
    match parsed.text("format").unwrap_or("") {
        "" | "json" => Ok((parsed.args, pretty)),
        _ if pretty => {
            Err(CliFailure::error("--format is incompatible with human friendly format"))
        }
        "pretty" => Ok((parsed.args, true)),
        _ => Err(CliFailure::error(format_args!(
            "{}: templates are not simulated; the JSON has everything they could show",
            form.path
        ))),
    }
}

fn node_update(words: &[String]) -> Result<DockerCommand, CliFailure> {
    use crate::swarmkit::task::Availability;
    let mut parsed = tables::node_update().parse(words)?;
    let availability = match parsed.text("availability") {
        None => None,
        Some(word) => Some(Availability::from_word(word).ok_or_else(|| {
            CliFailure::daemon(format_args!("invalid Availability: {}", golang::quote(word)))
        })?),
    };
    if let Some(role) = parsed.text("role")
        && !matches!(role, "worker" | "manager")
    {
        let role = golang::quote(role);
        return Err(CliFailure::daemon(format_args!("invalid Role: {role}")));
    }
    let change = NodeChange {
        availability,
        label_add: key_values(parsed.texts("label-add")).into_iter().collect(),
        label_rm: parsed.list("label-rm"),
        role: parsed.text("role").map(str::to_string),
    };
    Ok(DockerCommand::NodeUpdate { node: parsed.args.remove(0), change })
}

#[cfg(test)]
mod tests;
