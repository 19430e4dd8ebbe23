use crate::scenario::load;

/// Every shipped scenario is valid.
#[test]
fn shipped_scenarios_are_valid() {
    let mut count = 0;
    for entry in std::fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.display().to_string();
        match load(&text) {
            Ok(scenario) => {
                assert_eq!(format!("scenarios/{}.yaml", scenario.name), name);
                assert!(scenario.question.ends_with('?'), "{name}: {}", scenario.question);
            }
            Err(problems) => panic!("{}", problems.render(&name, &text)),
        }
        count += 1;
    }
    assert!(count >= 1, "only {count} scenarios");
}
