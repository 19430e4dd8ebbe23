//! What is risky in a stack file: every rule finds what is bad and leaves what is good alone, its
//! run shows the harm, and its change takes that away.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Place, swarmsim};
use swarmsim::check::RULES;

/// Rules whose change no run can try: it is nothing that a file says.
const IN_WORDS: [&str; 2] = ["L18", "L21"];

/// Findings of the corpus, by file: `rule:service`, sorted. A file that is called good has none.
const CORPUS: [(&str, &str); 40] = [
    ("api-behind-proxy", ""),
    ("api-careless", "L03:api L06:api"),
    ("api-ratio", "L03:api"),
    ("big-fleet", "L05:consumer L18:consumer"),
    ("big-fleet-good", ""),
    ("celery", ""),
    ("cron", "L19:backup"),
    ("cron-job", ""),
    ("cron-zero", ""),
    ("edge-proxy", "L11:proxy L12:proxy"),
    ("elasticsearch-good", ""),
    ("elk", "L10:kibana L13:elasticsearch L14:kibana L21:kibana L21:logstash"),
    ("generated", "L02:web L10:web L16:db L19:reports"),
    ("gitlab-runner", "L16:runner"),
    ("java-slow", "L07:app"),
    ("java-slow-good", ""),
    ("minio", ""),
    ("mongo", "L11:mongo L12:mongo"),
    ("monitoring-good", ""),
    ("nginx", "L10:web"),
    ("nginx-good", ""),
    ("node-app", "L14:web L15:web"),
    ("old-engine", "L01:api"),
    ("old-engine-good", ""),
    ("portainer", "L10:portainer"),
    ("postgres", "L09:db L16:db"),
    ("postgres-good", ""),
    ("prometheus", "L02:grafana L10:grafana L10:prometheus L16:prometheus L21:grafana"),
    ("rabbitmq", "L06:rabbitmq L09:rabbitmq"),
    ("redis", ""),
    ("redis-replicas", "L10:primary L14:primary L21:replica"),
    ("registry", "L10:registry L14:registry L24:registry"),
    ("rollback-rollback", "L23:api"),
    ("traefik", "L11:traefik L12:traefik"),
    ("traefik-good", ""),
    ("vote", "L10:vote L21:vote"),
    ("vote-good", ""),
    ("whoami", "L02:whoami L04:whoami L10:whoami L25:whoami"),
    ("wordpress", "L10:wordpress L21:wordpress"),
    ("wordpress-good", ""),
];

/// The findings of a file, as JSON.
fn findings(arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["check", "--format", "json", "--fail-on", "never"];
    all.extend(arguments);
    let output = swarmsim(&all);
    assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.stderr);
    let document: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let files = document["files"].as_array().expect("files");
    assert!(files.iter().all(|file| file["valid"] == true), "{arguments:?}: {}", output.stderr);
    files.iter().flat_map(|file| file["findings"].as_array().expect("findings").clone()).collect()
}

/// The texts in a key of findings.
fn texts(findings: &[Value], key: &str) -> Vec<String> {
    findings.iter().map(|f| f[key].as_str().expect("a text").to_string()).collect()
}

/// The file of a rule in `tests/check`, which has a service `bad` and another `good`.
fn pair(id: &str) -> String {
    format!("tests/check/{id}.yml")
}

/// What L22 is asked with.
const WINDOW: [&str; 2] = ["--window", "2m"];

#[test]
fn every_rule_finds_the_bad_and_leaves_the_good_alone() {
    for rule in RULES {
        let file = pair(rule.id);
        let found = findings(&[&file, "--rule", rule.id, WINDOW[0], WINDOW[1]]);
        let services = texts(&found, "service");
        assert!(services.contains(&"bad".to_string()), "{}: {services:?}", rule.id);
        assert!(!services.contains(&"good".to_string()), "{}: {services:?}", rule.id);
        for finding in &found {
            assert_eq!(finding["rule"], rule.id);
            assert_eq!(finding["severity"], rule.severity.word());
            let change = &finding["change"];
            let seen = finding["witness"]["seen"].as_array().expect("lines");
            assert!(!seen.is_empty() && seen.iter().all(|line| line != ""), "{finding:#}");
            if IN_WORDS.contains(&rule.id) {
                assert_eq!((&change["tried"], &change["diff"]), (&Value::Null, &Value::Null));
            } else {
                assert!(change["tried"].is_string(), "{finding:#}");
                assert!(change["diff"].is_string() || rule.id == "L10", "{finding:#}");
            }
        }
    }
}

/// The places are those of the keys.
#[test]
fn findings_stand_where_the_key_does() {
    for (id, key) in [("L02", "update_config"), ("L11", "order"), ("L16", "stop_grace_period")] {
        let file = pair(id);
        let found = findings(&[&file, "--rule", id]);
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file));
        let text = text.expect("the file is there");
        let (line, column) = (&found[0]["line"], &found[0]["column"]);
        let (line, column) = (line.as_u64().unwrap() as usize, column.as_u64().unwrap() as usize);
        let rest = &text.lines().nth(line - 1).expect("a line")[column - 1..];
        assert!(rest.starts_with(key), "{id}: {rest}");
    }
}

/// A witness is a scenario: run as it is it shows the harm, which is what it expects; run with the
/// changed file it does not.
#[test]
fn a_witness_shows_the_harm_and_the_change_takes_it_away() {
    let place = Place::new("check-witness");
    for rule in RULES {
        let text = fs::read_to_string(pair(rule.id)).expect("the file is there");
        place.write("stack.yml", &text);
        let (id, window) = (rule.id, WINDOW[1]);
        let ask = |file: &str, folder: &str| {
            let line = ["check", file, "--rule", id, "--window", window, "--format", "json"];
            let mut line = line.to_vec();
            line.extend(["--fail-on", "never", "--witness", folder]);
            let output = place.swarmsim(&line);
            assert_eq!(output.code, Some(0), "{id}: {}", output.stderr);
            serde_json::from_str::<Value>(&output.stdout).expect("JSON")
        };
        let document = ask("stack.yml", "runs");
        let witness = format!("runs/stack-{id}-bad.yaml");
        let run = place.swarmsim(&["run", "--quiet", &witness]);
        assert_eq!(run.code, Some(0), "{id}: {}{}", run.stdout, run.stderr);
        let findings = document["files"][0]["findings"].as_array().expect("findings");
        let bad = findings.iter().find(|finding| finding["service"] == "bad");
        let Some(diff) = bad.and_then(|finding| finding["change"]["diff"].as_str()) else {
            continue;
        };
        place.write("change.diff", diff);
        let patch = patched(&place.path("stack.yml"), &place.path("change.diff"));
        assert!(patch, "{id}: the diff does not apply:\n{diff}");
        let document = ask("stack.yml", "runs-after");
        let after = document["files"][0]["findings"].as_array().expect("findings");
        let left = after.iter().any(|finding| finding["service"] == "bad");
        assert!(!left, "{id}: still found after\n{diff}");
    }
}

/// Applies a unified diff as `git apply` does, which every developer has.
fn patched(file: &Path, diff: &Path) -> bool {
    let folder = file.parent().expect("a folder");
    let git = Command::new("git")
        .args(["apply", "-p0", "--unsafe-paths"])
        .arg(diff)
        .current_dir(folder)
        .env("GIT_CEILING_DIRECTORIES", folder)
        .status();
    git.expect("git runs").success()
}

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/corpus");
    let files = fs::read_dir(folder).expect("the corpus is there");
    files.map(|entry| entry.expect("it can be listed").path()).collect()
}

/// Every patch for every file that is here: with it the file is valid, JSON stays JSON, the same
/// rule finds nothing at the service, and no service is down that was not; and it is the same as a
/// fix of SARIF as it is as a diff.
#[test]
fn patches_do_what_they_say() {
    let place = Place::new("check-patches");
    let mut files = corpus();
    files.extend(RULES.iter().map(|rule| PathBuf::from(pair(rule.id))));
    let mut tried = BTreeMap::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("the file is there");
        let json = serde_json::from_str::<Value>(&text).is_ok();
        let ask = |text: &str, format: &str| {
            place.write("stack.yml", text);
            let line = ["check", "stack.yml", "--window", WINDOW[1], "--format", format];
            let output = place.swarmsim(&line);
            assert!(matches!(output.code, Some(0 | 1)), "{}: {}", path.display(), output.stderr);
            serde_json::from_str::<Value>(&output.stdout).expect("JSON")
        };
        let before = ask(&text, "json")["files"][0].clone();
        let fixes = ask(&text, "sarif")["runs"][0]["results"].clone();
        let findings = before["findings"].as_array().expect("findings");
        let of_rules =
            |result: &&Value| result["ruleId"].as_str().is_some_and(|id| id.starts_with('L'));
        let results: Vec<&Value> =
            fixes.as_array().expect("results").iter().filter(of_rules).collect();
        assert_eq!(results.len(), findings.len());
        for (finding, result) in findings.iter().zip(results) {
            let (rule, service) = (finding["rule"].as_str().unwrap(), &finding["service"]);
            let Some(diff) = finding["change"]["diff"].as_str() else {
                assert!(result.get("fixes").is_none());
                continue;
            };
            place.write("stack.yml", &text);
            place.write("change.diff", diff);
            assert!(patched(&place.path("stack.yml"), &place.path("change.diff")), "{diff}");
            let after = fs::read_to_string(place.path("stack.yml")).expect("it is there");
            assert_eq!(fixed(&text, &result["fixes"][0]), after, "{diff}");
            assert!(!json || serde_json::from_str::<Value>(&after).is_ok(), "no JSON:\n{after}");
            let answer = ask(&after, "json")["files"][0].clone();
            let again = answer["findings"].as_array().expect("findings");
            let same = |f: &&Value| f["rule"] == rule && f["service"] == *service;
            let told = format!("{}: {rule} {service}\n{diff}", path.display());
            assert!(again.iter().find(same).is_none(), "found again: {told}");
            assert_eq!(answer["down"], before["down"], "{told}");
            *tried.entry(rule.to_string()).or_insert(0) += 1;
        }
    }
    // All rules but those whose change is in words have a patch somewhere.
    let without: Vec<&str> =
        RULES.iter().map(|r| r.id).filter(|id| !tried.contains_key(*id)).collect();
    assert_eq!(without, ["L10", "L18", "L21"]);
}

/// A text after a fix of SARIF.
fn fixed(text: &str, fix: &Value) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = |line: &Value, column: &Value| {
        let (line, column) = (line.as_u64().unwrap() as usize, column.as_u64().unwrap() as usize);
        let before: usize = lines[..line - 1].iter().map(|line| line.len()).sum();
        let rest = lines.get(line - 1).map_or("", |line| line);
        before + rest.chars().take(column - 1).map(char::len_utf8).sum::<usize>()
    };
    let mut text = text.to_string();
    let replacements = fix["artifactChanges"][0]["replacements"].as_array().expect("a list");
    for replacement in replacements.iter().rev() {
        let region = &replacement["deletedRegion"];
        let from = at(&region["startLine"], &region["startColumn"]);
        let to = at(&region["endLine"], &region["endColumn"]);
        text.replace_range(from..to, replacement["insertedContent"]["text"].as_str().unwrap());
    }
    text
}

/// A health check that is switched off is none; the change takes its place, and is tried.
#[test]
fn a_disabled_health_check_is_none() {
    let found = findings(&["tests/check/corpus/generated.yml", "--rule", "L10"]);
    assert!(found[0]["message"].as_str().unwrap().contains("its health check is disabled"));
    let change = &found[0]["change"];
    assert!(change["words"].as_str().unwrap().contains("in place of the one that is disabled"));
    let lost = |told: &str| {
        let (front, _) = told.split_once(" of ").expect("requests");
        front.rsplit(' ').next().and_then(|number| number.parse::<u64>().ok()).expect("a number")
    };
    let before = lost(found[0]["witness"]["seen"][0].as_str().unwrap());
    let after = lost(change["tried"].as_str().unwrap());
    assert!(before >= 20 && after <= 2, "{before} and {after}: {change}");
}

/// The services of a scenario are asked about as well; what they are found guilty of is told, and
/// changes no exit code unless that is asked for.
#[test]
fn scenarios_are_asked_about_and_may_be_risky() {
    let place = Place::new("check-scenario");
    let scenario = "
name: risky
images: {app:2: {exit: {after: 1s, code: 1}}}
script:
- docker service create --name web --replicas 2 -p mode=host,published=80,target=80
  --update-order start-first app:1
- docker service create --name api --replicas 3 --update-failure-action rollback app:1
- wait: converged
- docker service update --update-monitor 30s api
cluster: {nodes: 2}
";
    place.write("risky.yaml", scenario);
    let found = place.swarmsim(&["check", "risky.yaml"]);
    assert_eq!(found.code, Some(0), "{}{}", found.stdout, found.stderr);
    for told in [
        "risky.yaml:5:1: error L11 host-port-with-start-first: web\n",
        "  change  --update-order stop-first\n          the same run with it: the update is",
        "risky.yaml:7:1: warning L02 monitor-is-short: api\n",
        "  change  --update-monitor 30s\n          the same run with it: it is rolled back",
    ] {
        assert!(found.stdout.contains(told), "{told}: {}", found.stdout);
    }
    assert_eq!(place.swarmsim(&["check", "risky.yaml", "--fail-on", "error"]).code, Some(1));
    let line = ["check", "risky.yaml", "--rule", "L02", "--fail-on", "error"];
    assert_eq!(place.swarmsim(&line).code, Some(0));
    assert_eq!(place.swarmsim(&["check", "risky.yaml", "--witness", "runs"]).code, Some(0));
    for witness in ["runs/risky-L02-api.yaml", "runs/risky-L11-web.yaml"] {
        let run = place.swarmsim(&["run", "--quiet", witness]);
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    }
    // What the change says, the script says then.
    let changed =
        scenario.replace("--update-failure-action", "--update-monitor 30s --update-failure-action");
    place.write("less.yaml", changed.replace("start-first", "stop-first"));
    let less = place.swarmsim(&["check", "less.yaml", "--rule", "L02,L11"]);
    assert!(less.stdout.ends_with("no findings\n"), "{}", less.stdout);
    place.write("none.yaml", "name: none\nscript: [docker service ls]\n");
    let none = place.swarmsim(&["check", "none.yaml", "--format", "json"]);
    let none: Value = serde_json::from_str(&none.stdout).expect("JSON");
    let why = "its script creates no service before it changes one";
    assert_eq!(none["files"][0]["unasked"], why);
}

/// What SARIF 2.1.0 requires of a log: its version, runs with a tool that has a driver with a name,
/// messages with a text, rules with an id, fixes with changes of files by replacements.
#[test]
fn sarif_has_what_its_schema_requires() {
    let place = Place::new("check-sarif");
    place.write(
        "bad.yml",
        "services:\n  web:\n    image: a\n    prots: []\n    deploy: {replicas: x}\n",
    );
    place.write("broken.yml", "services: [\n");
    let good = fs::read_to_string("tests/check/corpus/whoami.yml").expect("it is there");
    place.write("good file.yml", good);
    let line = ["check", "bad.yml", "none.yml", "good file.yml", "broken.yml", "--format", "sarif"];
    let output = place.swarmsim(&line);
    assert_eq!(output.code, Some(7), "{}", output.stderr);
    let log: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let driver = &log["runs"][0]["tool"]["driver"];
    assert_eq!(driver["name"], "swarmsim");
    let rules = driver["rules"].as_array().expect("rules");
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), rules.len()), (RULES.len() + 2, RULES.len() + 2));
    let results = log["runs"][0]["results"].as_array().expect("results");
    let mut places = Vec::new();
    for result in results {
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        let index = result["ruleIndex"].as_u64().expect("a number") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let physical = &result["locations"][0]["physicalLocation"];
        let uri = physical["artifactLocation"]["uri"].as_str().expect("a reference");
        assert!(!uri.contains(' '), "{uri}");
        let line = physical["region"]["startLine"].as_u64();
        assert!(line.is_none_or(|line| line > 0), "{result:#}");
        places.push(format!("{uri}:{}:{}", line.unwrap_or(0), result["ruleId"].as_str().unwrap()));
        for fix in result.get("fixes").and_then(Value::as_array).into_iter().flatten() {
            let change = &fix["artifactChanges"][0];
            assert_eq!(change["artifactLocation"]["uri"], uri);
            let replacements = change["replacements"].as_array().expect("a list");
            assert!(!replacements.is_empty() && fix["description"]["text"].is_string());
            for replacement in replacements {
                let region = &replacement["deletedRegion"];
                let number = |key: &str| region[key].as_u64().expect("a number");
                let from = (number("startLine"), number("startColumn"));
                assert!(from <= (number("endLine"), number("endColumn")), "{region}");
            }
        }
    }
    assert_eq!(places[..3], ["bad.yml:4:S01", "bad.yml:5:S01", "none.yml:0:S01"]);
    assert!(places.contains(&"good%20file.yml:7:L02".to_string()), "{places:?}");
    assert!(places.last().is_some_and(|place| place.starts_with("broken.yml:")), "{places:?}");
    let junit = place.swarmsim(&["check", "bad.yml", "--format", "junit"]).stdout;
    assert!(junit.contains("bad.yml:4:5: "), "{junit}");
}

#[test]
fn the_corpus_is_judged_as_expected() {
    let files = corpus();
    let mut stems: Vec<&str> =
        files.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    stems.sort_unstable();
    assert_eq!(stems, CORPUS.map(|(file, _)| file));
    for (file, expected) in CORPUS {
        let found = findings(&[&format!("tests/check/corpus/{file}.yml")]);
        let mut told: Vec<String> = found
            .iter()
            .map(|f| format!("{}:{}", f["rule"].as_str().unwrap(), f["service"].as_str().unwrap()))
            .collect();
        told.sort();
        assert_eq!(told.join(" "), expected, "{file}");
        assert!(!file.ends_with("-good") || told.is_empty());
    }
}

/// Equal files, equal bytes; in every format valid, with findings and without.
#[test]
fn every_format_is_valid_and_repeats() {
    for file in ["tests/check/corpus/whoami.yml", "tests/check/corpus/vote-good.yml"] {
        for format in ["text", "json", "sarif", "junit"] {
            let once = swarmsim(&["check", file, "--format", format]);
            assert_eq!(once, swarmsim(&["check", file, "--format", format]));
            assert_eq!(once.code, Some(0), "{}", once.stderr);
            if format == "json" || format == "sarif" {
                assert!(serde_json::from_str::<Value>(&once.stdout).is_ok(), "{format}");
            }
        }
    }
    let sarif = swarmsim(&["check", "tests/check/corpus/whoami.yml", "--format", "sarif"]);
    let document: Value = serde_json::from_str(&sarif.stdout).expect("JSON");
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    assert_eq!((rules.len(), results.len()), (RULES.len() + 2, 4));
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("a number") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(region["startLine"].as_u64() > Some(0));
    }
    let junit = swarmsim(&["check", "tests/check/corpus/whoami.yml", "--format", "junit"]).stdout;
    assert!(junit.contains("tests=\"4\" failures=\"4\""), "{junit}");
    let none = swarmsim(&["check", "scenarios/vote.yaml", "--format", "json"]).stdout;
    let document: Value = serde_json::from_str(&none).expect("JSON");
    assert_eq!(document["files"][0]["findings"], Value::Array(Vec::new()));
}

/// Exit codes: findings of the named severity and worse ones are a No; a wrong file is worse.
#[test]
fn fail_on_names_the_least_that_fails() {
    let warning = "tests/check/corpus/nginx.yml";
    let error = "tests/check/corpus/mongo.yml";
    let info = "tests/check/corpus/big-fleet.yml";
    for (file, fail_on, code) in [
        (warning, "error", 0),
        (warning, "warning", 1),
        (warning, "info", 1),
        (error, "error", 1),
        (error, "never", 0),
        (info, "warning", 0),
        (info, "info", 1),
    ] {
        let output = swarmsim(&["check", file, "--fail-on", fail_on]);
        assert_eq!(output.code, Some(code), "{file} {fail_on}");
    }
    assert_eq!(swarmsim(&["check", error]).code, Some(1), "errors fail unless said otherwise");
    assert_eq!(swarmsim(&["check", error, "Cargo.toml"]).code, Some(3));
    assert_eq!(swarmsim(&["check", error, "--skip", "L11"]).code, Some(0));
    assert_eq!(
        swarmsim(&["check", error, "--rule", "l02,host-port-with-start-first"]).code,
        Some(1)
    );
    assert_eq!(swarmsim(&["check", error, "--rule", "L02"]).code, Some(0));
    let place = Place::new("check-file");
    place.write("a-file", "");
    place.write("mongo.yml", fs::read_to_string(error).expect("it is there"));
    let line = ["check", "mongo.yml", "--witness", "a-file"];
    let output = place.swarmsim(&line);
    assert_eq!(output.code, Some(7), "{}", output.stderr);
}

/// A stack that is too large for that many runs is not called good.
#[test]
fn what_is_too_large_is_told() {
    let place = Place::new("check-large");
    place.write("large.yml", "services: {web: {image: a, deploy: {replicas: 3000000}}}\n");
    let output = place.swarmsim(&["check", "large.yml"]);
    assert_eq!(output.code, Some(0));
    let told = "no rule was asked: its deployment alone is more than a run may do";
    assert!(output.stdout.contains(told), "{}", output.stdout);
}

#[test]
fn unknown_rules_and_windows_are_told() {
    for (line, told) in [
        (&["check", "x.yml", "--rule", "L99"][..], "there is no rule L99"),
        (&["check", "x.yml", "--skip", "L26"], "there is no rule L26"),
        (&["check", "--explain", "fast"], "there is no rule fast"),
        (&["check", "x.yml", "--window", "0s"], "a time of more than 0"),
        (&["check", "x.yml", "--window", "10"], "missing unit in duration"),
        (&["check"], "required"),
    ] {
        let output = swarmsim(line);
        assert_eq!(output.code, Some(2), "{line:?}");
        assert!(output.stderr.contains(told), "{line:?}: {}", output.stderr);
    }
}

/// The page has every rule, its files as they are, and what is printed for them.
#[test]
fn the_page_shows_what_is_printed() {
    let page = include_str!("../docs/check.md");
    let mut shown = 0;
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().expect("a block");
        let (line, printed) = block.split_once('\n').expect("a line and what it prints");
        let words = line.strip_prefix("$ swarmsim ").expect("a command of ours");
        let words: Vec<&str> = words.split(' ').collect();
        let output = swarmsim(&words);
        assert_eq!(output.stdout, printed, "{line}");
        shown += 1;
    }
    for rule in RULES {
        let heading = format!("### {}: {}\n", rule.id, rule.name);
        assert!(page.contains(&heading), "docs/check.md lacks {heading}");
        let file = fs::read_to_string(pair(rule.id)).expect("the file is there");
        assert!(
            page.contains(&format!("```yaml\n{file}```\n")),
            "{}: its file is another",
            rule.id
        );
    }
    let ids: Vec<String> = RULES.iter().map(|rule| rule.id.to_string()).collect();
    assert_eq!(ids, (1..=25).map(|number| format!("L{number:02}")).collect::<Vec<_>>());
    assert!(shown > RULES.len(), "{shown} commands are shown");
}
