use super::{Node, NodeKind, parse_single};
use crate::Problems;
use proptest::prelude::*;

/// The tree as one line, positions left out.
fn show(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "~".to_owned(),
        NodeKind::Scalar { text, quoted: true } => format!("{text:?}"),
        NodeKind::Scalar {
            text,
            quoted: false,
        } => text.clone(),
        NodeKind::Sequence(list) => {
            format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(" "))
        }
        NodeKind::Mapping(pairs) => {
            let show = |(key, value): &(Node, Node)| format!("{}:{}", show(key), show(value));
            format!(
                "{{{}}}",
                pairs.iter().map(show).collect::<Vec<_>>().join(" ")
            )
        }
    }
}

fn check(text: &str, want: &str) {
    let mut problems = Problems::new("f.yml");
    let node = parse_single(text, &mut problems);
    let got = match (&node, problems.is_empty()) {
        (Some(node), true) => show(node),
        (Some(_) | None, _) => problems.to_string(),
    };
    assert_eq!(got, want, "{text}");
}

#[test]
fn reads_trees_and_reports_places() {
    check("", "~");
    check("a: 1\nb: [x, 'y', ~]\n", "{a:1 b:[x \"y\" ~]}");
    check(
        "base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n",
        "{base:{x:1 y:2} c:{y:3 x:1}}",
    );
    check(
        "a: 1\nb: 2\na: 3\n",
        "f.yml:3:1: key \"a\" is already set in line 1",
    );
    check("a: |\n  x\n  y\n", "{a:\"x\\ny\\n\"}");
    check(
        "a: 1\n---\nb: 2\n",
        "f.yml:3:1: only one YAML document is expected",
    );
}

#[test]
fn refuses_what_expands_without_end() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let mut problems = Problems::new("f.yml");
    assert_eq!(parse_single(&text, &mut problems), None);
    assert!(
        problems.to_string().contains("aliases expand"),
        "{problems}"
    );
    let mut problems = Problems::new("f.yml");
    assert_eq!(parse_single(&"[".repeat(5000), &mut problems), None);
    assert!(!problems.is_empty());
}

proptest! {
    #[test]
    fn never_panics(text in "[-a-z0-9:{}\\[\\],&*<>|'\"#\n ]{0,200}") {
        let mut problems = Problems::new("f.yml");
        let node = parse_single(&text, &mut problems);
        prop_assert!(node.is_some() || !problems.is_empty());
    }
}
