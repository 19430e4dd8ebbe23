//! `docker stack`: its commands, parsed but not yet done.
//!
//! Source: cli surface 5.6. Upstream: docker cli `cli/command/stack`.

use crate::client::command::{DockerCommand, ListOptions, Wait};
use crate::client::failure::CliFailure;
use crate::client::flags::{Arity, CommandForm, Flag, Parsed};
use crate::client::golang;
use crate::client::tables::{FILTER, FORMAT, NO_RESOLVE, NO_TRUNC, QUIET_TASKS, form};
use crate::client::values::{Check, Kind};

/// `docker stack deploy` as typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StackDeploy {
    /// Paths of Compose files, in order.
    pub files: Vec<String>,
    /// Name of the stack.
    pub stack: String,
    /// Whether and how to wait.
    pub wait: Wait,
    /// Whether `--detach` was left out, which is remarked on.
    pub detach_left_out: bool,
    /// Remove services that the file does not have.
    pub prune: bool,
    /// When an image is looked up again.
    pub resolve: ResolveImage,
}

/// When the digest of an image is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ResolveImage {
    /// Always.
    #[default]
    Always,
    /// If another image is written.
    Changed,
    /// Never.
    Never,
}

/// What is remarked on if `--detach` was left out.
pub const DETACH_NOTICE: &str = concat!(
    "Since --detach=false was not specified, tasks will be created in the background.\n",
    "In a future release, --detach=false will become the default.\n",
);

/// What is said of a stack of which there is nothing.
pub fn nothing_found(stack: &str) -> String {
    format!("Nothing found in stack: {stack}\n")
}

const fn flag(long: &'static str, short: Option<char>, kind: Kind, help: &'static str) -> Flag {
    Flag { long, short, kind, help, default: "" }
}

fn deploy_form() -> CommandForm {
    CommandForm {
        aliases: "docker stack deploy, docker stack up",
        ..form(
            "docker stack deploy",
            "[OPTIONS] STACK",
            "Deploy a new stack or update an existing stack",
            Arity::Exactly(1),
            vec![
                flag(
                    "compose-file",
                    Some('c'),
                    Kind::List(Check::Any),
                    "Path to a Compose file, or \"-\" to read from stdin",
                ),
                Flag {
                    default: "true",
                    ..flag(
                        "detach",
                        Some('d'),
                        Kind::Bool,
                        "Exit immediately instead of waiting for the stack services to converge",
                    )
                },
                flag("prune", None, Kind::Bool, "Prune services that are no longer referenced"),
                flag("quiet", Some('q'), Kind::Bool, "Suppress progress output"),
                Flag {
                    default: "\"always\"",
                    ..flag(
                        "resolve-image",
                        None,
                        Kind::Text,
                        "Query the registry to resolve image digest and supported platforms \
                         (\"always\", \"changed\", \"never\")",
                    )
                },
                flag(
                    "with-registry-auth",
                    None,
                    Kind::Bool,
                    "Send registry authentication details to Swarm agents",
                ),
            ],
        )
    }
}

/// Parses what follows `docker stack NAME`; nothing if there is no such command.
///
/// # Errors
/// How the command ends instead.
pub(crate) fn parse(name: &str, words: &[String]) -> Option<Result<DockerCommand, CliFailure>> {
    Some(match name {
        "deploy" | "up" => deploy(words),
        "rm" | "remove" | "down" => remove(words),
        "ls" | "list" => list(words),
        "ps" => {
            let flags = vec![FILTER, FORMAT, NO_RESOLVE, NO_TRUNC, QUIET_TASKS];
            let about = "List the tasks in the stack";
            of_stack("docker stack ps", about, flags, words)
                .map(|(stack, options)| DockerCommand::StackPs { stack, options })
        }
        "services" => {
            let quiet = Flag { help: "Only display IDs", ..QUIET_TASKS };
            let about = "List the services in the stack";
            of_stack("docker stack services", about, vec![FILTER, FORMAT, quiet], words)
                .map(|(stack, options)| DockerCommand::StackServices { stack, options })
        }
        _ => return None,
    })
}

fn deploy(words: &[String]) -> Result<DockerCommand, CliFailure> {
    let mut parsed = deploy_form().parse(words)?;
    let stack = parsed.args.remove(0);
    check_name(&stack)?;
    let files: Vec<String> =
        parsed.texts("compose-file").flat_map(|text| text.split(',')).map(str::to_string).collect();
    if files.is_empty() {
        return Err(CliFailure::error("specify a Compose file (with --compose-file)"));
    }
    let resolve = match parsed.text("resolve-image").unwrap_or("always") {
        "always" => ResolveImage::Always,
        "changed" => ResolveImage::Changed,
        "never" => ResolveImage::Never,
        other => {
            return Err(CliFailure::error(format_args!(
                "invalid option {other} for flag --resolve-image"
            )));
        }
    };
    let wait = Wait { detach: detached(&parsed), quiet: parsed.bool("quiet") };
    Ok(DockerCommand::StackDeploy(Box::new(StackDeploy {
        files,
        stack,
        wait,
        detach_left_out: !parsed.changed("detach"),
        prune: parsed.bool("prune"),
        resolve,
    })))
}

/// Detached is what `docker stack` is where nothing is said.
fn detached(parsed: &Parsed) -> bool {
    !parsed.changed("detach") || parsed.bool("detach")
}

fn remove(words: &[String]) -> Result<DockerCommand, CliFailure> {
    let form = CommandForm {
        aliases: "docker stack rm, docker stack remove, docker stack down",
        ..form(
            "docker stack rm",
            "[OPTIONS] STACK [STACK...]",
            "Remove one or more stacks",
            Arity::AtLeast(1),
            vec![Flag {
                default: "true",
                ..flag("detach", Some('d'), Kind::Bool, "Do not wait for stack removal")
            }],
        )
    };
    let parsed = form.parse(words)?;
    parsed.args.iter().try_for_each(|name| check_name(name))?;
    if !detached(&parsed) {
        return Err(CliFailure::error(
            "docker stack rm --detach=false: not simulated (follow it with a wait of the script)",
        ));
    }
    Ok(DockerCommand::StackRm { stacks: parsed.args })
}

fn list(words: &[String]) -> Result<DockerCommand, CliFailure> {
    let form = CommandForm {
        aliases: "docker stack ls, docker stack list",
        ..form("docker stack ls", "[OPTIONS]", "List stacks", Arity::None, vec![FORMAT])
    };
    form.parse(words)?.list_options().map(DockerCommand::StackLs)
}

fn of_stack(
    path: &'static str,
    about: &'static str,
    flags: Vec<Flag>,
    words: &[String],
) -> Result<(String, ListOptions), CliFailure> {
    let mut parsed = form(path, "[OPTIONS] STACK", about, Arity::Exactly(1), flags).parse(words)?;
    let options = parsed.list_options()?;
    let stack = parsed.args.remove(0);
    check_name(&stack)?;
    Ok((stack, options))
}

/// A name is more than quotes and blanks.
fn check_name(name: &str) -> Result<(), CliFailure> {
    if name.chars().all(|c| matches!(c, '"' | '\'') || c.is_whitespace()) {
        let name = golang::quote(name);
        return Err(CliFailure::error(format_args!("invalid stack name: {name}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Result<DockerCommand, String> {
        let words: Vec<String> = line.split(' ').map(str::to_string).collect();
        crate::client::command::parse(&words).map_err(|failure| failure.to_string())
    }

    #[test]
    fn deploy_is_detached_and_says_so() {
        let deploy = StackDeploy {
            files: vec!["a.yml".into(), "b.yml".into()],
            stack: "s".into(),
            wait: Wait { detach: true, quiet: false },
            detach_left_out: true,
            prune: true,
            resolve: ResolveImage::Never,
        };
        assert_eq!(
            told("docker stack deploy -c a.yml,b.yml --prune --resolve-image never s"),
            Ok(DockerCommand::StackDeploy(Box::new(deploy.clone())))
        );
        assert_eq!(
            told("docker stack up --detach=false -q --compose-file a.yml s"),
            Ok(DockerCommand::StackDeploy(Box::new(StackDeploy {
                files: vec!["a.yml".into()],
                wait: Wait { detach: false, quiet: true },
                detach_left_out: false,
                prune: false,
                resolve: ResolveImage::Always,
                ..deploy
            })))
        );
    }

    #[test]
    fn what_the_commands_refuse() {
        for (line, text) in [
            ("docker stack deploy s", "specify a Compose file (with --compose-file)\n"),
            ("docker stack deploy -c a.yml ''", "invalid stack name: \"''\"\n"),
            (
                "docker stack deploy -c a.yml --resolve-image x s",
                "invalid option x for flag --resolve-image\n",
            ),
        ] {
            assert_eq!(told(line), Err(text.to_string()));
        }
        assert!(told("docker stack ps").unwrap_err().contains("requires 1 argument"));
        assert!(told("docker stack foo").unwrap_err().contains("docker stack foo"));
    }
}
