//! Stack files wherever scenarios are taken, and `docker stack` in scenarios.

mod support;

use std::fs;
use std::path::PathBuf;

use support::swarmsim;

/// A directory of its own for the files of a test.
struct Place(PathBuf);

impl Place {
    fn new(test: &str) -> Place {
        let name = format!("swarmsim-stacks-{test}-{}", std::process::id());
        let place = std::env::temp_dir().join(name);
        fs::create_dir_all(&place).expect("a directory");
        Place(place)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a UTF-8 path").to_string()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a UTF-8 path").to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the commands of a scenario print, without what the cluster does.
fn printed(file: &str) -> String {
    let output = swarmsim(&["run", file]);
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    let told = output.stdout.lines().take_while(|line| !line.contains("  end: "));
    let mut text = String::new();
    for line in told.filter(|line| !line.is_empty()) {
        match line.split_once("s  $ ") {
            Some((_, command)) => text.push_str(&format!("$ {command}\n")),
            None if line.starts_with(|c: char| c.is_whitespace()) => {}
            None => text.push_str(&format!("{}\n", line.trim_end())),
        }
    }
    text
}

const STACKS: [&str; 3] = ["stacks/web.yml", "stacks/vote.yml", "stacks/monitoring.yml"];

/// Acceptance: shipped stacks run as they are, and what they do is lawful and repeats.
#[test]
fn the_shipped_stacks_run_are_lawful_and_repeat() {
    let place = Place::new("shipped");
    for stack in STACKS {
        let check = swarmsim(&["check", stack]);
        assert_eq!(check.code, Some(0), "{}", check.stderr);
        assert!(check.stdout.starts_with(&format!("{stack}: valid, a stack of ")));
        let timeline = place.path("t.jsonl");
        let run = swarmsim(&["run", stack, "--quiet", "--timeline", &timeline]);
        assert_eq!(run.code, Some(0), "{stack}: {}{}", run.stdout, run.stderr);
        let verify = swarmsim(&["verify", &timeline]);
        assert_eq!(verify.code, Some(0), "{stack}: {}", verify.stdout);
        assert!(verify.stdout.contains("repetition: equal"));
        let explain = swarmsim(&["explain", stack, "running"]);
        assert!(explain.stdout.contains("$ docker stack deploy"), "{}", explain.stdout);
    }
}

/// Everything that is not said is told as an assumption.
#[test]
fn what_is_assumed_is_told() {
    let run = swarmsim(&["run", "stacks/monitoring.yml", "--quiet", "--format", "json"]);
    assert!(serde_json::from_str::<serde_json::Value>(&run.stdout).is_ok());
    assert_eq!(
        run.stderr,
        "assumed: the cluster has 3 nodes, the first of them the manager\n\
         assumed: node-2 has the label monitoring=true, which a constraint asks for\n\
         assumed: external networks that exist: proxy\n\
         assumed: external secrets that exist: grafana_admin\n\
         assumed: grafana/grafana:11.1.0 is on every node, starts at once, passes its health check \
         if it has one, stops when it is asked to\n\
         assumed: prom/node-exporter:v1.8.1 is on every node, starts at once, passes its health \
         check if it has one, stops when it is asked to\n\
         assumed: prom/prometheus:v2.53.0 is on every node, starts at once, passes its health \
         check if it has one, stops when it is asked to\n\
         assumed: it is deployed once: docker stack deploy -c monitoring.yml monitoring; wait: \
         converged; docker stack services monitoring\n\
         assumed: the files of secrets and configs exist and do not change\n"
    );
}

/// The page shows what is printed.
#[test]
fn what_the_page_shows_is_printed() {
    let page = include_str!("../docs/stack.md");
    let text = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let output = swarmsim(&["run", "stacks/web.yml"]);
    let shown = text.expect("a block of text");
    assert!(output.stdout.contains(shown), "not printed as it stands:\n{shown}");
    let errors = page.split("```errors\n").nth(1).and_then(|rest| rest.split("```").next());
    let place = Place::new("page");
    let yaml = page.split("```yaml wrong\n").nth(1).and_then(|rest| rest.split("```").next());
    let file = place.file("wrong.yml", yaml.expect("a wrong file"));
    let told = swarmsim(&["check", &file]);
    assert_eq!(told.code, Some(3));
    let stderr = told.stderr.replace(&file, "wrong.yml");
    assert_eq!(stderr, errors.expect("a block of errors"));
    let good = page.split("```yaml block\n").nth(1).and_then(|rest| rest.split("```").next());
    let file = place.file("good.yml", good.expect("a good file"));
    let run = swarmsim(&["run", &file, "--quiet"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
}

const LIFE: &str = "
name: life
cluster: {nodes: 2, networks: [outside]}
environment: {TAG: '2'}
script:
  - docker stack deploy -c one.yml --detach=false -q shop
  - docker stack deploy -c two.yml --prune --detach shop
  - wait: {settled: 3s}
  - docker stack ls
  - docker stack services shop
  - docker stack services none
  - docker stack ps none
  - docker stack rm shop none
  - wait: {settled: 3s}
  - docker stack ls
  - docker stack rm shop
expect:
  - {service: shop_web, after: 2, image: app:2, previous_image: app:1, replicas: 1}
  - {step: 6, exit: 0}
  - {step: 7, exit: 1}
";

const ONE: &str = "
services:
  web: {image: 'app:1', deploy: {replicas: 2}, networks: [front]}
  old: {image: 'app:1', restart: always, secrets: [key], configs: [conf]}
networks: {front: }
secrets: {key: {file: ./key}}
configs: {conf: {file: ./conf, name: conf-1}}
";

const TWO: &str = "
services:
  web: {image: 'app:${TAG}', networks: [front, out], env_file: web.env}
  new: {image: app, networks: [default]}
networks: {front: , out: {external: true, name: outside}}
";

/// Deployed, deployed again with a service less and one more, and removed: Docker's lines in
/// Docker's order.
#[test]
fn the_life_of_a_stack() {
    let place = Place::new("life");
    place.file("one.yml", ONE);
    place.file("two.yml", TWO);
    place.file("web.env", "A=1\n");
    let file = place.file("life.yaml", LIFE);
    let text = printed(&file);
    let id = text.split("Updating service shop_web (id: ").nth(1).expect("an id");
    let id = id.split(')').next().expect("an id");
    assert_eq!(id.len(), 25);
    let (before, rest) = text.split_once("$ docker stack ls\n").expect("a listing");
    assert_eq!(
        before.replace(id, "ID"),
        "$ docker stack deploy -c one.yml --detach=false -q shop\n\
         Ignoring unsupported options: restart\n\
         Creating network shop_default\n\
         Creating network shop_front\n\
         Creating secret shop_key\n\
         Creating config conf-1\n\
         Creating service shop_old\n\
         Creating service shop_web\n\
         $ docker stack deploy -c two.yml --prune --detach shop\n\
         Removing service shop_old\n\
         Creating service shop_new\n\
         Updating service shop_web (id: ID)\n\
         $ wait: settled for 3s\n"
    );
    let (listing, rest) = rest.split_once("$ docker stack services none\n").expect("services");
    assert!(listing.starts_with("NAME      SERVICES\nshop      2\n"), "{listing}");
    assert!(listing.contains("shop_web   replicated   1/1        app:2"), "{listing}");
    assert_eq!(
        rest,
        "Nothing found in stack: none\n\
         $ docker stack ps none\n\
         nothing found in stack: none\n\
         $ docker stack rm shop none\n\
         Removing service shop_new\n\
         Removing service shop_web\n\
         Removing secret shop_key\n\
         Removing config conf-1\n\
         Removing network shop_default\n\
         Removing network shop_front\n\
         Nothing found in stack: none\n\
         $ wait: settled for 3s\n\
         $ docker stack ls\n\
         NAME      SERVICES\n\
         $ docker stack rm shop\n\
         Nothing found in stack: shop\n"
    );
}

/// What the client and the daemon say when it does not work, at the moment at which they say it.
#[test]
fn what_ends_a_deployment() {
    let place = Place::new("ends");
    for (stack, lines) in [
        (
            "services: {web: {image: a, networks: [x]}}\nnetworks: {x: {external: true}}\n",
            "network \"x\" is declared as external, but could not be found. You need to create a \
             swarm-scoped network before the stack is deployed\n",
        ),
        (
            "services: {web: {image: a, deploy: {mode: foo}}}\n",
            "Creating network s_default\nservice web: unknown mode: foo\n",
        ),
        (
            "services: {web: {image: a, secrets: [x]}}\nsecrets: {x: {external: true}}\n",
            "Creating network s_default\nservice web: secret not found: x\n",
        ),
        (
            "services: {web: {image: a, deploy: {endpoint_mode: x}}}\n",
            "Creating network s_default\nCreating service s_web\nfailed to create service s_web: \
             Error response from daemon: invalid resolution mode: \"x\"\n",
        ),
        (
            "services:\n  a: {image: a}\n  web: {image: a, deploy: {placement: {constraints: \
             [x]}}}\n",
            "Creating network s_default\nCreating service s_a\nCreating service s_web\nfailed to \
             create service s_web: Error response from daemon: rpc error: code = Unknown \
             desc = constraint expected one operator from ==, !=\n",
        ),
        (
            "services: {web: {image: a, profiles: [x]}}\n",
            "services.web Additional property \
          profiles is not allowed\n",
        ),
        (
            "services: {web: {build: .}}\n",
            "invalid image reference for service web: no image \
          specified\n",
        ),
        ("- a\n", "top-level object must be a mapping\n"),
    ] {
        place.file("stack.yml", stack);
        let scenario = "name: a\nscript: [docker stack deploy -c stack.yml -d s]\n\
                        expect: [{step: 1, exit: 1}]\n";
        let file = place.file("a.yaml", scenario);
        let text = printed(&file);
        assert_eq!(text, format!("$ docker stack deploy -c stack.yml -d s\n{lines}"), "{stack}");
    }
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_with_its_place() {
    let place = Place::new("none");
    let file = place.file("a.yaml", "name: a\nscript:\n  - docker stack deploy -c b.yml s\n");
    let told = swarmsim(&["run", &file]);
    assert_eq!(told.code, Some(3));
    let expected = "a.yaml:3:5: there is no file `b.yml`\n   3 |   - docker stack deploy -c b.yml \
                    s\n     |     ^\n  hint: a path is seen from the scenario; or its text stands \
                    under `files:`\n";
    assert_eq!(told.stderr.replace(&file, "a.yaml"), expected);
    place.file("b.yml", &"# x\n".repeat(100_000));
    let told = swarmsim(&["run", &file]);
    assert_eq!(told.code, Some(3));
    assert!(told.stderr.contains("is larger than such a file may be: 256 KiB"), "{}", told.stderr);
}

/// A file for the behaviour stands in place of the block; mistakes in it are its own.
#[test]
fn a_file_describes_the_behaviour() {
    let place = Place::new("behaviour");
    let stack =
        place.file("shop.yml", "services: {web: {image: 'app:1', deploy: {replicas: 2}}}\n");
    let good = "cluster: {nodes: 2}\nimages: {'app:1': {exit: {after: 1s, code: 1}}}\n\
                script: [docker stack deploy -c shop.yml shop, wait: 20s]\n\
                expect: [{service: shop_web, running_at_most: 1}]\nwatch: 0s\n";
    let behaviour = place.file("b.yaml", good);
    let run = swarmsim(&["run", &stack, "--behaviour", &behaviour, "--quiet"]);
    assert!(run.stdout.contains("of them restarts"), "{}{}", run.stdout, run.stderr);
    assert!(!run.stderr.contains("assumed:"), "{}", run.stderr);
    let wrong = place.file("c.yaml", "clutser: {nodes: 2}\n");
    let told = swarmsim(&["check", &stack, "--behaviour", &wrong]);
    assert_eq!(told.code, Some(3));
    assert!(told.stderr.contains("c.yaml:1:1: unknown key `clutser`"), "{}", told.stderr);
    let scenario = ["run", "scenarios/vote.yaml", "--behaviour", &behaviour];
    assert_eq!(swarmsim(&scenario).code, Some(2));
}

/// Overrides reach the block and the variables; mistakes of the block have their places.
#[test]
fn the_block_is_checked_and_overridden() {
    let place = Place::new("block");
    let text = "services: {web: {image: 'app:${TAG:-1}'}}\n\
                x-swarmsim: {expect: [{service: block_web, image: 'app:2'}]}\n";
    let file = place.file("block.yml", text);
    let set = ["run", &file, "--quiet", "--set", "environment.TAG=2"];
    assert_eq!(swarmsim(&set).code, Some(0));
    assert_eq!(swarmsim(&["run", &file, "--quiet"]).code, Some(1));
    let text = "services: {web: {image: a}}\nx-swarmsim:\n  sed: 1\n  expect: [{service: web, \
                running: 1}]\n";
    let file = place.file("block.yml", text);
    let told = swarmsim(&["check", &file]).stderr;
    assert!(told.contains(":3:3: unknown key `sed`"), "{told}");
    assert!(told.contains("`web` is no service that the script creates"), "{told}");
}

/// Hostile files: a clear answer, at once.
#[test]
fn hostile_stack_files_are_refused() {
    let place = Place::new("hostile");
    let mut bomb = String::from("x-a: &a [x, x]\n");
    for level in 0..12 {
        bomb.push_str(&format!("x-{level}: &b{level} [*a, *a, *a, *a, *a, *a, *a, *a]\n"));
        bomb = bomb.replace("&a ", &format!("&c{level} ")).replace(&format!("&b{level}"), "&a");
    }
    bomb.push_str("services: {web: {image: a}}\n");
    let deep = format!("services: {}", "{a: ".repeat(1000));
    let large = format!("services: {{web: {{image: a}}}}\n#{}\n", "x".repeat(10 << 20));
    let types = "services: {web: {image: [], deploy: 7, ports: {}, environment: [[]]}}";
    let longest = format!("services: {{web: {{image: a, hostname: '{}'}}}}", "$".repeat(200_001));
    for (name, text) in [
        ("bomb", bomb.as_str()),
        ("deep", &deep),
        ("large", &large),
        ("types", types),
        ("dollars", &longest),
        ("itself", "services: &s {web: *s}"),
        ("nothing", "services: {}\nx-swarmsim: 7\n"),
        ("block", "services: {web: {image: a}}\nx-swarmsim: {cluster: [], images: 3}\n"),
    ] {
        let file = place.file(&format!("{name}.yml"), text);
        let told = swarmsim(&["run", &file, "--quiet"]);
        assert_eq!(told.code, Some(3), "{name}: {}", told.stderr);
        assert!(!told.stderr.is_empty(), "{name}");
    }
}
