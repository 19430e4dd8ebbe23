//! What the engine says when something fails, byte for byte (semantics 11.8).

use crate::base::text::RareText;
use crate::docker::behaviour::Engine;

/// A registry that does not answer, from engine 29.7 on; what precedes it, the address that was
/// asked, is left out.
pub const REGISTRY_TIME_OUT: &str = "net/http: TLS handshake timeout";

/// The error of a process that ended with a code other than 0.
/// Upstream: moby `daemon/cluster/executor/container/errors.go`, `controller.go` `exitError`.
pub fn non_zero_exit(code: i32, unhealthy: bool) -> RareText {
    let cause = if unhealthy { ": dockerexec: unhealthy container" } else { "" };
    RareText::from(format!("task: non-zero exit ({code}){cause}"))
}

/// The error of an image that is neither present nor to be had. Up to engine 29.6 it is that of the
/// create step, from 29.7 on that of the pull.
pub fn missing_image(engine: Engine, image: &str) -> RareText {
    let (repository, has_tag) = split(image);
    if engine >= Engine::V29 {
        return RareText::from(format!(
            "pull access denied for {repository}, repository does not exist or may require \
             'docker login': denied: requested access to the resource is denied"
        ));
    }
    let tag = if has_tag { "" } else { ":latest" };
    RareText::from(format!("No such image: {image}{tag}"))
}

/// The error of a program that does not exist in the image (surprises of engine 28, item 2).
pub fn command_not_found(engine: Engine, program: &str) -> RareText {
    let (task, init, end) = if engine.is_20_10() {
        ("", "", ": unknown")
    } else {
        ("failed to create task for container: ", "error during container init: ", "")
    };
    RareText::from(format!(
        "starting container failed: {task}failed to create shim task: OCI runtime create failed: \
         runc create failed: unable to start container process: {init}exec: \"{program}\": \
         stat {program}: no such file or directory{end}"
    ))
}

/// The repository of an image reference, and whether a tag or digest follows it.
fn split(image: &str) -> (&str, bool) {
    if let Some((name, _)) = image.split_once('@') {
        return (split(name).0, true);
    }
    // A colon before the last slash belongs to a port.
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, true),
        _ => (image, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_image_by_engine() {
        for (image, old, new) in [
            ("app:gone", "No such image: app:gone", "app"),
            ("app", "No such image: app:latest", "app"),
            ("host:5000/app", "No such image: host:5000/app:latest", "host:5000/app"),
            ("host:5000/app:1", "No such image: host:5000/app:1", "host:5000/app"),
            ("app:1@sha256:00", "No such image: app:1@sha256:00", "app"),
        ] {
            assert_eq!(&*missing_image(Engine::V20_10, image), old);
            assert_eq!(&*missing_image(Engine::V28, image), old);
            let text = format!(
                "pull access denied for {new}, repository does not exist or may require 'docker \
                 login': denied: requested access to the resource is denied"
            );
            assert_eq!(*missing_image(Engine::V29, image), *text);
        }
    }

    #[test]
    fn a_missing_program_by_engine() {
        assert_eq!(
            &*command_not_found(Engine::V20_10, "/app/no-such-program"),
            "starting container failed: failed to create shim task: OCI runtime create failed: \
             runc create failed: unable to start container process: exec: \
             \"/app/no-such-program\": stat /app/no-such-program: no such file or \
             directory: unknown"
        );
        assert_eq!(
            &*command_not_found(Engine::V28, "/app/no-such-program"),
            "starting container failed: failed to create task for container: failed to create \
             shim task: OCI runtime create failed: runc create failed: unable to start container \
             process: error during container init: exec: \"/app/no-such-program\": stat \
             /app/no-such-program: no such file or directory"
        );
    }

    #[test]
    fn an_exit_code_with_and_without_cause() {
        assert_eq!(&*non_zero_exit(1, false), "task: non-zero exit (1)");
        assert_eq!(
            &*non_zero_exit(137, true),
            "task: non-zero exit (137): dockerexec: unhealthy container"
        );
    }
}
