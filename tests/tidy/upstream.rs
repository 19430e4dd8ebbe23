//! Every test that SwarmKit has of these loops has one of ours under the same name.

use super::tree::Tree;

const TABLE: &str = "docs/swarmkit-tests.md";

/// Upstream's tests, in the order of the table. A name may come twice, of two files.
const UPSTREAM: &[&str] = &[
    "TestUpdater",
    "TestUpdaterPlacement",
    "TestUpdaterFailureAction",
    "TestUpdaterTaskTimeout",
    "TestUpdaterOrder",
    "TestUpdaterRollback",
    "TestOrchestratorRestartOnAny",
    "TestOrchestratorRestartOnFailure",
    "TestOrchestratorRestartOnNone",
    "TestOrchestratorRestartDelay",
    "TestOrchestratorRestartMaxAttempts",
    "TestOrchestratorRestartWindow",
    "TestReplicatedOrchestrator",
    "TestReplicatedScaleDown",
    "TestInitializationRejectedTasks",
    "TestInitializationFailedTasks",
    "TestInitializationNodeDown",
    "TestInitializationDelayStart",
    "TestDrain",
    "TestSetup",
    "TestAddNode",
    "TestDeleteNode",
    "TestNodeAvailability",
    "TestNodeState",
    "TestAddService",
    "TestDeleteService",
    "TestRemoveTask",
    "TestTaskFailure",
    "TestInitializationRejectedTasks",
    "TestInitializationFailedTasks",
    "TestInitializationExtraTask",
    "TestInitializationMultipleServices",
    "TestInitializationTaskWithoutService",
    "TestInitializationTaskOnDrainedNode",
    "TestInitializationTaskOnNonexistentNode",
    "TestInitializationRestartHistory",
    "TestTaskReaperInit",
    "TestTaskHistory",
    "TestTaskStateRemoveOnScaledown",
    "TestTaskStateRemoveOnServiceRemoval",
    "TestServiceRemoveDeadTasks",
    "TestTaskReaperBatching",
    "TestServiceRemoveUnassignedTasks",
    "TestTick",
    "TestTickHistoryCleanup",
    "TestIsTaskDirty",
    "TestIsTaskDirtyPlacementConstraintsOnly",
    "TestTaskSort",
];

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let Some(table) = tree.get(TABLE) else { return vec![format!("{TABLE} is missing")] };
    let mut findings = Vec::new();
    let mut named = Vec::new();
    for (line, text) in table.lines().filter(|(_, text)| text.starts_with("| `")) {
        let cells: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        let [_, upstream, ours, file, ..] = cells[..] else {
            findings.push(format!("{TABLE}:{line}: a row names two files and two tests"));
            continue;
        };
        named.push(upstream);
        if snake(upstream) != ours {
            findings.push(format!("{TABLE}:{line}: `{ours}` is not the name of `{upstream}`"));
        }
        let start = format!("fn {ours}(");
        let has = tree.get(&format!("src/{file}")).is_some_and(|file| file.text.contains(&start));
        if !has {
            findings.push(format!("{TABLE}:{line}: there is no test `{ours}` in src/{file}"));
        }
    }
    if named != UPSTREAM {
        findings.push(format!("{TABLE}: its tests are not those of upstream, in their order"));
    }
    findings
}

/// `TestIsTaskDirty` → `test_is_task_dirty`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::super::tree::File;
    use super::*;

    #[test]
    fn rows_that_are_missing_or_not_true_are_found() {
        let row = |name: &&str| format!("| `a.go` | `{name}` | `{}` | `x.rs` |  |", snake(name));
        let rows = UPSTREAM.iter().map(row).collect::<Vec<_>>().join("\n");
        let function = |name: &&str| format!("fn {}() {{}}", snake(name));
        let code = UPSTREAM.iter().map(function).collect::<Vec<_>>().join("\n");
        let tree = |rows: &str| Tree::of(&[File::new(TABLE, rows), File::new("src/x.rs", &code)]);
        assert_eq!(check(&tree(&rows)), Vec::<String>::new());
        let (first, rest) = rows.split_once('\n').expect("there are rows");
        assert_eq!(check(&tree(rest)).len(), 1, "a row is missing");
        let other = first.replace("`test_updater`", "`test_other`");
        assert_eq!(check(&tree(&format!("{other}\n{rest}"))).len(), 2, "a test of another name");
    }
}
