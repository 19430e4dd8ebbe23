//! The numbered claims of the two exercises are expectations of the shipped scenarios: each of them
//! holds, and fails when the claim is broken on purpose by a small change of the world or the
//! script.

mod support;

use std::collections::BTreeSet;

use swarmsim::expect::{Verdict, when};
use swarmsim::scenario::expect::{Claims, Expect};
use swarmsim::scenario::{self, Scenario};

use support::{run, scenarios, shipped};

/// Each claim that fails, with its heading in the file, its window or step, and what was found.
fn failures(text: &str) -> Vec<String> {
    let scenario = scenario::load(text).unwrap_or_else(|problems| panic!("{problems}"));
    let verdicts = run(text).verdicts;
    let mut failures = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| !verdict.holds()) {
        let expect = scenario.expect.iter().find(|expect| expect.line == verdict.line);
        let about = expect.map_or(String::new(), |expect| about(&scenario, expect));
        for claim in &verdict.claims {
            if let Some(found) = &claim.found {
                // Of whom and when is said in front.
                let words = claim.text.split_once(": ").map_or(claim.text.as_str(), |(_, w)| w);
                let words = match expect.and_then(|expect| when(&scenario, expect.window)) {
                    Some(when) => words.strip_suffix(&format!(", {when}")).expect("it is told"),
                    None => words,
                };
                let heading = heading(text, verdict.line);
                failures.push(format!("{heading}, {about}: {words}; found: {}", rounded(found)));
            }
        }
    }
    failures
}

/// What was found, but for numbers that the timing of a node decides.
fn rounded(found: &str) -> String {
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let round = |word: &str| match word.parse::<u64>() {
        Ok(number) if number < 100 => word.to_string(),
        Ok(_) => "many".to_string(),
        Err(_) if is_number(&word) && word.ends_with('s') => "some time".to_string(),
        Err(_) => word.to_string(),
    };
    found.split(' ').map(round).collect::<Vec<_>>().join(" ")
}

/// The comment above an expectation, up to its first colon or full stop.
fn heading(text: &str, line: u32) -> &str {
    let lines: Vec<&str> = text.lines().take(line as usize).collect();
    let comment = lines.iter().rev().find_map(|line| line.strip_prefix("  # ")).unwrap_or("none");
    comment.split([':', '.']).next().unwrap_or(comment)
}

fn about(scenario: &Scenario, expect: &Expect) -> String {
    let window = when(scenario, expect.window).unwrap_or("all the time".to_string());
    match &expect.claims {
        Claims::Service(claims) => format!("{} {window}", claims.service),
        Claims::Requests { service, .. } => format!("requests to {service} {window}"),
        Claims::Step { step, .. } => {
            format!("step {}", scenario.label(*step).expect("the shipped ones have labels"))
        }
        Claims::LawsBroken(_) => "laws".to_string(),
    }
}

/// Changes a shipped scenario and compares what fails then.
fn broken(name: &str, changes: &[(&str, &str)], fails: &[&str]) {
    let mut text = shipped(name);
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{name} has once: {from}");
        text = text.replacen(from, to, 1);
    }
    let found = failures(&text);
    assert_eq!(found, fails, "{name} with {changes:?} fails:\n{}", found.join("\n"));
}

#[test]
fn unchanged_all_claims_hold() {
    for path in scenarios() {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        assert_eq!(failures(&shipped(name)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_claim_of_the_exercises_is_an_expectation() {
    for (name, wanted) in [
        ("vote", &[1, 2, 3, 4, 5, 6, 7, 8][..]),
        ("whoami-autorollback", &[1, 2, 3, 4]),
        ("whoami-one-replica", &[3, 5]),
    ] {
        let text = shipped(name);
        let verdicts: Vec<Verdict> = run(&text).verdicts;
        let headings: BTreeSet<&str> = verdicts.iter().map(|v| heading(&text, v.line)).collect();
        let wanted: Vec<String> = wanted.iter().map(|number| format!("Claim {number}")).collect();
        assert_eq!(Vec::from_iter(headings), wanted, "{name}");
    }
}

#[test]
fn vote_1_four_tasks_run() {
    broken(
        "vote",
        &[
            ("--replicas 4", "--replicas 3"),
            ("  - as: indent\n", "  - docker service scale vote=4\n  - as: indent\n"),
        ],
        &[
            "Claim 1, step create: prints \"overall progress: 4 out of 4 tasks\"; found: it does \
             not",
            "Claim 1, vote after create: 4 replicas; found: 3",
            "Claim 1, vote after create: 4 tasks running; found: 3",
            "Claim 1, requests to vote during ask: 4 tasks answered; found: 3",
        ],
    );
}

#[test]
fn vote_1_requests_are_answered_by_all_tasks() {
    broken(
        "vote",
        &[("  instavote/vote: {}", "  instavote/vote: {serves_after: 20s}")],
        &[
            "Claim 1, requests to vote during ask: 0 requests failed; found: 8",
            "Claim 1, requests to vote during ask: 8 requests answered; found: 0",
            "Claim 1, requests to vote during ask: 4 tasks answered; found: 0",
        ],
    );
    broken(
        "vote",
        &[("expect:\n", "faults:\n  - {at: 5600ms, service: vote, slot: 2, kill: 9}\nexpect:\n")],
        &[
            "Claim 1, requests to vote during ask: 0 requests failed; found: 2",
            "Claim 1, requests to vote during ask: 8 requests answered; found: 6",
            "Claim 1, requests to vote during ask: 4 tasks answered; found: 3",
            "Claim 2, vote during indent: waves of [1, 1, 1, 1], 1s apart; found: [2, 1, 1]",
        ],
    );
}

#[test]
fn vote_2_tasks_are_replaced_one_after_another() {
    broken(
        "vote",
        &[(
            "  - as: indent\n    run: docker service update",
            "  - as: indent\n    run: docker service update --update-parallelism 2",
        )],
        &["Claim 2, vote during indent: waves of [1, 1, 1, 1], 1s apart; found: [2, 2]"],
    );
}

#[test]
fn vote_2_each_passes_its_states_and_the_display_shows_them() {
    broken(
        "vote",
        &[("latency: {pull: 2s} ", "latency: {pull: 0s} ")],
        &[
            "Claim 2, vote during indent: new tasks pass preparing, ready, starting, running; \
             found: none was seen preparing",
            "Claim 2, step indent: prints \"preparing\"; found: it does not",
        ],
    );
    broken(
        "vote",
        &[(
            "  - as: indent\n    run: docker service update",
            "  - as: indent\n    run: docker service update --quiet",
        )],
        &[
            "Claim 2, step indent: prints \"overall progress: 1 out of 4 tasks\"; found: it does \
             not",
            "Claim 2, step indent: prints \"preparing\"; found: it does not",
            "Claim 2, step indent: prints \"ready\"; found: it does not",
            "Claim 2, step indent: prints \"starting\"; found: it does not",
            "Claim 2, step indent: prints \"running\"; found: it does not",
        ],
    );
}

#[test]
fn vote_3_other_settings_restart_nothing() {
    broken(
        "vote",
        &[("update --update-parallelism 2", "update --force --update-parallelism 2")],
        &[
            "Claim 3, vote from tune to tuned: 0 tasks created; found: 4",
            "Claim 3, vote from tune to tuned: 4 slots untouched; found: 0",
        ],
    );
}

#[test]
fn vote_4_two_tasks_then_a_delay_then_the_other_two() {
    broken(
        "vote",
        &[("--update-delay 10s", "--update-delay 5s")],
        &["Claim 4, vote during movies: waves of [2, 2], 10s apart; found: [4]"],
    );
    broken(
        "vote",
        &[("--update-parallelism 2 --update-delay", "--update-delay")],
        &["Claim 4, vote during movies: waves of [2, 2], 10s apart; found: [1, 1, 1, 1]"],
    );
    broken(
        "vote",
        &[("--update-parallelism 2 --update", "--update-parallelism 4 --update")],
        &[
            "Claim 4, vote during movies: at least 2 running, always; found: 0 at some time",
            "Claim 4, vote during movies: waves of [2, 2], 10s apart; found: [4]",
        ],
    );
}

#[test]
fn vote_5_two_levels_of_history_and_no_more() {
    broken(
        "vote",
        &[(
            "  - as: movies\n",
            "  - docker service update --image instavote/vote vote\n  - wait: {settled: 5s}\n  - \
             as: movies\n",
        )],
        &[
            "Claim 5, vote after moved: previous image instavote/vote:indent; found: \
             instavote/vote:latest",
            "Claim 5, step inspect: prints \"instavote/vote:indent\"; found: it does not",
            "Claim 5, step inspect: does not print \"instavote/vote:latest\"; found: it does",
            "Claim 6, vote from rollback to rolled: image instavote/vote:indent; found: \
             instavote/vote:latest",
        ],
    );
    broken(
        "vote",
        &[(
            "  - as: inspect\n",
            "  - docker service update --label-add a=b vote\n  - as: inspect\n",
        )],
        &[
            "Claim 5, step inspect: prints \"instavote/vote:indent\"; found: it does not",
            "Claim 6, vote from rollback to rolled: image instavote/vote:indent; found: \
             instavote/vote:movies",
            "Claim 6, vote from rollback to rolled: waves of [1, 1, 1, 1], 1s apart; found: []",
        ],
    );
}

#[test]
fn vote_6_a_rollback_goes_one_by_one_to_the_version_before() {
    broken(
        "vote",
        &[("--update-delay 10s vote", "--update-delay 10s --rollback-parallelism 4 vote")],
        &["Claim 6, vote from rollback to rolled: waves of [1, 1, 1, 1], 1s apart; found: [4]"],
    );
    broken(
        "vote",
        &[(
            "    run: docker service rollback vote\n  - as: rolled",
            "    run: docker service update --image instavote/vote:indent vote\n  - as: rolled",
        )],
        &[
            "Claim 6, step rollback: prints \"rolling back update: \"; found: it does not",
            "Claim 6, vote from rollback to rolled: update rollback_completed; found: completed",
            "Claim 6, vote from rollback to rolled: waves of [1, 1, 1, 1], 1s apart; found: [2, 2]",
        ],
    );
}

#[test]
fn vote_6_a_second_rollback_toggles() {
    broken(
        "vote",
        &[("  - as: again\n", "  - docker service rollback vote\n  - as: again\n")],
        &[
            "Claim 6, vote after toggled: image instavote/vote:movies; found: \
             instavote/vote:indent",
            "Claim 8, vote from shaped to end: waves of [2, 2], 8s apart; found: []",
        ],
    );
}

#[test]
fn vote_8_rollback_settings_shape_a_rollback() {
    broken(
        "vote",
        &[("--rollback-parallelism 2 --rollback-delay", "--rollback-delay")],
        &["Claim 8, vote from shaped to end: waves of [2, 2], 8s apart; found: [1, 1, 1, 1]"],
    );
    broken(
        "vote",
        &[(
            "--rollback-parallelism 2 --rollback-delay 8s",
            "--rollback-parallelism 2 --rollback-delay 4s",
        )],
        &["Claim 8, vote from shaped to end: waves of [2, 2], 8s apart; found: [4]"],
    );
}

#[test]
fn vote_8_so_do_their_siblings() {
    broken(
        "rollback",
        &[(
            "--name default --replicas 2",
            "--name default --rollback-failure-action continue --replicas 2",
        )],
        &[
            "Default, default from default to ended: update rollback_paused; found: \
             rollback_completed",
            "Default, default from default to ended: 1 slot untouched; found: 0",
            "Default, default from default to ended: message \"update paused due to failure or \
             early termination of task {task}\"; found: update completed; manually requested \
             rollback; rollback completed",
        ],
    );
    broken(
        "rollback",
        &[("--rollback-parallelism 2 --rollback-delay 8s", "--rollback-delay 8s")],
        &["Parallelism and delay, waves from waves to ended: waves of [2, 2], 8s apart; found: \
             [1, 1, 1, 1]"],
    );
    broken(
        "rollback",
        &[("--rollback-order start-first", "--rollback-order stop-first")],
        &["Order, order from order to ended: at least 2 running, always; found: 1 at some time"],
    );
    broken(
        "rollback",
        &[("--rollback-max-failure-ratio 0.5", "--rollback-max-failure-ratio 0.4")],
        &["Failure ratio, ratio from ratio to ended: 2 slots replaced; found: 1"],
    );
    broken(
        "rollback",
        &[("--rollback-failure-action continue", "--rollback-failure-action pause")],
        &[
            "Failure action, action from action to ended: update rollback_completed; found: \
             rollback_paused",
            "Failure action, action from action to ended: 2 slots replaced; found: 1",
        ],
    );
    broken(
        "rollback",
        &[(" --rollback-monitor 20s", "")],
        &["Monitor, long after ended: update rollback_paused; found: rollback_completed"],
    );
    broken(
        "rollback",
        &[("--name short", "--name short --rollback-monitor 20s")],
        &["Monitor, short after ended: update rollback_completed; found: rollback_paused"],
    );
}

#[test]
fn whoami_1_two_healthy_replicas_with_the_settings_given() {
    broken(
        "whoami-autorollback",
        &[("interval: 5s", "interval: 1s")],
        &["Claim 1, step create: takes at least 15s; found: some time"],
    );
    broken(
        "whoami-autorollback",
        &[("--update-monitor 10s", "--update-monitor 9s")],
        &[
            "Claim 1, step create: takes at least 15s; found: some time",
            "Claim 1, step inspect: prints \"Monitoring Period: 10s\"; found: it does not",
        ],
    );
    broken(
        "whoami-autorollback",
        &[("--update-delay 10s", "--update-delay 9s")],
        &["Claim 1, step inspect: prints \"Delay:\t\t10s\"; found: it does not"],
    );
    broken(
        "whoami-autorollback",
        &[("--replicas 2", "--replicas 3")],
        &[
            "Claim 1, whoami after create: 2 replicas; found: 3",
            "Claim 1, whoami after create: 2 tasks running; found: 3",
            "Claim 2, requests to whoami during ask: 2 tasks answered; found: 3",
            "Claim 3, whoami after settled: 2 tasks running; found: 3",
            "Claim 4, whoami since update: 1 slot untouched; found: 2",
        ],
    );
}

#[test]
fn whoami_2_four_requests_alternate_between_two_tasks() {
    broken(
        "whoami-autorollback",
        &[("  x4", "  x1")],
        &[
            "Claim 2, requests to whoami during ask: at least 4 requests answered; found: 1",
            "Claim 2, requests to whoami during ask: 2 tasks answered; found: 1",
        ],
    );
    broken(
        "whoami-autorollback",
        &[(
            "traffic:\n",
            "faults:\n  - {at: 15600ms, service: whoami, slot: 2, kill: 9}\ntraffic:\n",
        )],
        &[
            "Claim 2, requests to whoami during ask: 0 requests failed; found: 2",
            "Claim 2, requests to whoami during ask: at least 4 requests answered; found: 2",
            "Claim 2, requests to whoami during ask: 2 tasks answered; found: 1",
            "Claim 4, whoami since update: 1 slot untouched; found: 0",
            "Claim 4, whoami since update: 1 slot replaced; found: 2",
            "Claim 4, whoami all the time: at least 1 running, always; found: 0 at some time",
            "Claim 4, whoami all the time: unavailable at most 0s; found: some time",
            "Claim 4, requests to whoami since update: 0 requests failed; found: many",
        ],
    );
}

#[test]
fn whoami_3_a_version_that_is_never_healthy_is_rolled_back() {
    broken(
        "whoami-autorollback",
        &[("health: fail", "health: ok")],
        &[
            "Claim 3, whoami since update: no task of lucj/whoami:2.0 runs; found: one does",
            "Claim 3, whoami after settled: update rollback_completed; found: completed",
            "Claim 3, whoami after settled: image lucj/whoami:1.0; found: lucj/whoami:2.0",
            "Claim 3, whoami after settled: previous image none; found: lucj/whoami:1.0",
            "Claim 3, whoami since update: message \"update rolled back due to failure or early \
             termination of task {task}\"; found: update in progress; update completed",
            "Claim 3, step update: prints \"overall progress: rolling back update:\"; found: it \
             does not",
            "Claim 3, step inspect: prints \"rollback_completed\"; found: it does not",
            "Claim 4, whoami since update: 1 slot untouched; found: 0",
            "Claim 4, whoami since update: 1 slot replaced; found: 2",
            "Claim 4, requests to whoami since update: answered by lucj/whoami:1.0 only; found: \
             lucj/whoami:2.0",
        ],
    );
    broken(
        "whoami-autorollback",
        &[("--update-failure-action rollback", "--update-failure-action pause")],
        &[
            "Claim 1, step inspect: prints \"On failure:\trollback\"; found: it does not",
            "Claim 3, whoami after settled: update rollback_completed; found: paused",
            "Claim 3, whoami after settled: image lucj/whoami:1.0; found: lucj/whoami:2.0",
            "Claim 3, whoami after settled: previous image none; found: lucj/whoami:1.0",
            "Claim 3, whoami after settled: 2 tasks running; found: 1",
            "Claim 3, whoami since update: message \"update rolled back due to failure or early \
             termination of task {task}\"; found: update in progress; update paused due to \
             failure or early termination of task {task}",
            "Claim 3, step update: exit code 0; found: 1",
            "Claim 3, step update: prints \"overall progress: rolling back update:\"; found: it \
             does not",
            "Claim 3, step inspect: prints \"rollback_completed\"; found: it does not",
        ],
    );
}

#[test]
fn whoami_4_the_second_task_is_not_touched_and_answers() {
    for change in [
        ("traffic:\n", "faults:\n  - {at: 30s, service: whoami, slot: 2, kill: 9}\ntraffic:\n"),
        ("--update-monitor 10s", "--update-monitor 10s --update-parallelism 2"),
    ] {
        broken(
            "whoami-autorollback",
            &[change],
            &[
                "Claim 4, whoami since update: 1 slot untouched; found: 0",
                "Claim 4, whoami since update: 1 slot replaced; found: 2",
                "Claim 4, whoami all the time: at least 1 running, always; found: 0 at some time",
                "Claim 4, whoami all the time: unavailable at most 0s; found: some time",
                "Claim 4, requests to whoami since update: 0 requests failed; found: many",
            ],
        );
    }
}

#[test]
fn whoami_5_one_replica_is_unavailable_meanwhile() {
    broken(
        "whoami-one-replica",
        &[("--replicas 1", "--replicas 1 --update-order start-first")],
        &["Claim 5, whoami all the time: unavailable at least 20s; found: some time"],
    );
    broken(
        "whoami-one-replica",
        &[("--replicas 1", "--replicas 2")],
        &[
            "Claim 3, whoami after settled: 1 task running; found: 2",
            "Claim 5, whoami all the time: unavailable at least 20s; found: some time",
        ],
    );
    broken(
        "whoami-one-replica",
        &[("retries: 3", "retries: 30")],
        &["Claim 5, whoami all the time: unavailable at most 1m30s; found: some time"],
    );
    broken(
        "whoami-one-replica",
        &[("health: fail", "health: ok")],
        &[
            "Claim 3, whoami after settled: update rollback_completed; found: completed",
            "Claim 3, whoami after settled: image lucj/whoami:1.0; found: lucj/whoami:2.0",
            "Claim 3, whoami since update: message \"update rolled back due to failure or early \
             termination of task {task}\"; found: update in progress; update completed",
            "Claim 5, whoami all the time: unavailable at least 20s; found: some time",
            "Claim 5, requests to whoami since update: answered by lucj/whoami:1.0 only; found: \
             lucj/whoami:2.0",
        ],
    );
}

/// Labels of the steps of which a scenario claims `words` and nothing else.
fn labels_with(name: &str, words: &str) -> Vec<String> {
    let text = shipped(name);
    let end = format!(", {words}}}");
    let lines = text.lines().filter(|line| line.ends_with(&end) && line.matches(": ").count() == 4);
    let label = |line: &str| Some(line.split_once("during: ")?.1.split_once(',')?.0.to_string());
    lines.filter_map(label).collect()
}

/// Types another line under a label, and after it the one that was to be typed.
fn with_instead(name: &str, label: &str, line: &str, fails: &[String]) {
    let from = format!("as: {label}, run: ");
    let to = format!("{from}{line}}}\n  - {{run: ");
    let fails: Vec<&str> = fails.iter().map(String::as_str).collect();
    broken(name, &[(&from, &to)], &fails);
}

/// Each step of which a scenario claims `words` and nothing else, with another line instead.
fn each_with_instead(
    name: &str,
    words: &str,
    count: usize,
    line: &str,
    about: &str,
    fails: [&str; 2],
) {
    let labels = labels_with(name, words);
    assert_eq!(labels.len(), count, "{labels:?}");
    for label in labels {
        let fails = fails.map(|what| format!("{about} during {label}: {what}"));
        with_instead(name, &label, line, &fails);
    }
}

/// Claim 7. Without the flag nothing restarts.
#[test]
fn vote_7_a_flag_that_restarts_tasks_does_so_by_itself() {
    for (name, heading, service, replicas, count) in
        [("vote", "Claim 7", "vote", 4, 12), ("flags", "Restart", "web", 2, 22)]
    {
        each_with_instead(
            name,
            &format!("tasks_created: {replicas}, slots_replaced: {replicas}"),
            count,
            &format!("docker service update {service}"),
            &format!("{heading}, {service}"),
            [
                &format!("{replicas} tasks created; found: 0"),
                &format!("{replicas} slots replaced; found: 0"),
            ],
        );
    }
}

/// Claim 7. With something that does restart them, that nothing restarts is seen to be false.
#[test]
fn vote_7_a_flag_that_restarts_nothing_is_known_to() {
    for (name, heading, service, replicas, count) in
        [("vote", "Claim 7", "vote", 4, 4), ("flags", "Do not restart", "web", 2, 15)]
    {
        each_with_instead(
            name,
            &format!("tasks_created: 0, slots_untouched: {replicas}"),
            count,
            &format!("docker service update --force {service}"),
            &format!("{heading}, {service}"),
            [
                &format!("0 tasks created; found: {replicas}"),
                &format!("{replicas} slots untouched; found: 0"),
            ],
        );
    }
}

/// Claim 7. Placement and the number of replicas concern some of the tasks.
#[test]
fn vote_7_some_flags_restart_some_tasks() {
    for (label, line, fails) in [
        (
            "zone",
            "docker service update web",
            &[
                "1 task created; found: 0",
                "1 slot untouched; found: 2",
                "1 slot replaced; found: 0",
            ][..],
        ),
        (
            "replicas",
            "docker service update --force web",
            &["3 replicas; found: 2", "1 task created; found: 2", "2 slots untouched; found: 0"],
        ),
        (
            "fewer",
            "docker service update web",
            &["2 replicas; found: 3", "2 tasks running; found: 3", "2 slots untouched; found: 3"],
        ),
    ] {
        let about = format!("Restart some, web during {label}");
        let fails: Vec<String> = fails.iter().map(|what| format!("{about}: {what}")).collect();
        with_instead("flags", label, line, &fails);
    }
}

/// Claim 7. What each family adds is seen in the spec, and is gone after its removal.
#[test]
fn vote_7_each_family_changes_the_spec() {
    const HEADING: &str =
        "The spec has what was added, in Docker's words, and later has none of it";
    for (family, seen, gone) in [
        ("constraint", "node.role!=none", "node.role!=none"),
        ("container-label", "\"tier\": \"front\"", "tier"),
        ("label", "\"team\": \"votes\"", "team"),
        ("env", "OPTION_A=Cats", "OPTION_A"),
        ("mount", "\"Target\": \"/data\"", "/data"),
        ("network", "\"Networks\"", "\"Networks\""),
        ("publish", "\"TargetPort\": 8081", "\"TargetPort\": 8081"),
        ("secret", "\"SecretName\": \"key\"", "SecretName"),
    ] {
        for (label, fails) in [
            ("add", format!("added: prints \"{seen}\"; found: it does not")),
            ("rm", format!("removed: does not print \"{gone}\"; found: it does")),
        ] {
            let text = shipped("flags");
            let start = format!("  - {{as: {family}-{label}, run: ");
            let line = text.lines().find(|line| line.starts_with(&start));
            let line = line.unwrap_or_else(|| panic!("no {start}"));
            let text = text.replacen(line, &format!("{start}docker service update web}}"), 1);
            let failures = failures(&text);
            let about_the_spec: Vec<&String> =
                failures.iter().filter(|failure| failure.starts_with("The spec")).collect();
            assert_eq!(about_the_spec, [&format!("{HEADING}, step {fails}")], "{family}-{label}");
        }
    }
}
