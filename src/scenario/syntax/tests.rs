use std::fmt::Write as _;

use super::*;
use proptest::prelude::*;

fn show(tree: &Tree) -> String {
    let Place { line, column } = tree.place;
    let inner = match &tree.value {
        Value::Scalar(scalar) if scalar.plain => scalar.text.clone(),
        Value::Scalar(scalar) => format!("{:?}", scalar.text),
        Value::Seq(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let show = |e: &Entry| format!("{}@{}: {}", e.key, e.place.line, show(&e.value));
            format!("{{{}}}", entries.iter().map(show).collect::<Vec<_>>().join(", "))
        }
    };
    format!("{line}:{column} {inner}")
}

fn error(text: &str) -> String {
    parse(text).map(|tree| show(&tree)).expect_err("should not be read").to_string()
}

#[test]
fn values_have_their_places() {
    let text = "a: 1\nb:\n  - x\n  - 'y z'\nc: {d: docker service\n   ps}\n";
    assert_eq!(
        show(&parse(text).unwrap()),
        "1:1 {a@1: 1:4 1, b@2: 3:3 [3:5 x, 4:5 \"y z\"], c@5: 5:4 {d@5: 5:8 docker service ps}}"
    );
}

#[test]
fn lines_of_a_plain_scalar_join() {
    let tree = parse("- docker service create --name a\n    --replicas 2 b  x4\n").unwrap();
    assert_eq!(show(&tree), "1:1 [1:3 docker service create --name a --replicas 2 b  x4]");
}

#[test]
fn each_hostile_text_has_its_message() {
    assert_eq!(error(""), "1:1: the file is empty");
    assert_eq!(error("# only\n"), "1:1: the file is empty");
    assert_eq!(error("a: 1\na: 2\n"), "2:1: the key `a` is given a second time (first on line 1)");
    assert_eq!(
        error("a: 1\n---\nb: 2\n"),
        "2:1: a second document in one file (put it into a file of its own)"
    );
    assert_eq!(error("a:\n\tb: 1\n"), "2:2: a tab in the indentation (YAML wants spaces)");
    assert_eq!(error("a: *nobody\n"), "1:4: an alias to an anchor that does not exist");
    assert_eq!(error("a: &x [*x]\n"), "1:8: an alias inside of what it stands for");
    assert_eq!(error("a: !secret b\n"), "1:12: the tag `!secret` has no meaning here");
    assert_eq!(
        error("{[a]: 1}\n"),
        "1:2: a list or map as a key (put texts with `{` or `[` into quotes)"
    );
    assert_eq!(error(&"[".repeat(500_000)), "1:129: nested more than 64 deep");
    assert_eq!(error(&"- ".repeat(400_000)), "1:129: nested more than 64 deep");
    assert_eq!(error(&"a".repeat(10 << 20)), "1:1: the file has 10485760 bytes, more than 1048576");
    assert_eq!(error(&"- a\n".repeat(200_000)), "100000:3: more than 100000 values");
}

#[test]
fn aliases_are_copies_within_a_budget() {
    let tree = parse("a: &x {b: 1}\nc: *x\n").unwrap();
    assert_eq!(show(&tree), "1:1 {a@1: 1:7 {b@1: 1:11 1}, c@2: 1:7 {b@1: 1:11 1}}");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_string();
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{inner}]").unwrap();
    }
    assert_eq!(error(&bomb), "5:9: more than 100000 values");
    let long = format!("a: &x {}\nb: [{}]\n", "y".repeat(100_000), "*x, ".repeat(1_000));
    assert_eq!(error(&long), "2:41: aliases copy more than 1048576 bytes");
}

/// Texts on which a careless reader takes quadratic time. The bound is generous; the failure it is
/// for takes minutes.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn no_text_of_the_largest_size_takes_long() {
    for piece in [
        "a: ",
        "? ",
        "- - ",
        "{a: ",
        "&a ",
        "!t ",
        "\"",
        "'",
        "|\n ",
        "# x\n",
        "\n",
        "a\n ",
        "%a b\n",
        "*a ",
        "a,",
        "? a\n",
        "\u{feff}",
        "- a: b\n  c: d\n",
        "{",
        "]",
        "a:\n- ",
        "\t",
    ] {
        let text = piece.repeat(MAX_BYTES / piece.len());
        let start = std::time::Instant::now();
        let _ = parse(&text);
        assert!(start.elapsed().as_secs() < 20, "{piece:?} takes {:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "[\\[\\]{}:,#&*!|>'\"%@`?a-c0-2~ \\n\\t\\-\u{feff}é]{0,80}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }
}
