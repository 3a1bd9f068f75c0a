use super::Labels;
use proptest::prelude::*;

#[test]
fn annotations_may_be_empty_and_labels_may_not() {
    let pairs = [("b", ""), ("a", "1"), ("a", "")];
    let shown = |labels: Labels| {
        let pairs = labels.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(Labels::from_pairs(pairs)), "");
    assert_eq!(shown(Labels::annotations(pairs)), "a= b=");
    let annotations = Labels::annotations(pairs);
    let encoded = annotations.encoded();
    assert_eq!(Labels::from_encoded(encoded), None);
    assert_eq!(
        Labels::annotations_from_encoded(encoded),
        Some(annotations.clone())
    );
}

#[test]
fn sorts_drops_empty_and_keeps_the_last() {
    let labels = Labels::from_pairs([("job", "a"), ("__name__", "up"), ("x", ""), ("job", "b")]);
    assert_eq!(labels.to_string(), r#"{__name__="up", job="b"}"#);
    assert_eq!(labels.get("x"), None);
    assert_eq!(labels.with("job", "").to_string(), r#"{__name__="up"}"#);
}

#[test]
fn quotes_names_that_need_it() {
    let labels = Labels::from_pairs([("a.b", "line\n\"x\"")]);
    assert_eq!(labels.to_string(), r#"{"a.b"="line\n\"x\""}"#);
}

/// Values computed with prometheus/common's `model.LabelSet.Fingerprint`.
#[test]
fn fingerprint_is_prometheus_own() {
    assert_eq!(Labels::default().fingerprint(), 0xcbf2_9ce4_8422_2325);
}

proptest! {
    #[test]
    fn holds_what_it_was_given(pairs in prop::collection::btree_map(".{0,5}", ".{1,200}", 0..8)) {
        let labels = Labels::from_pairs(&pairs);
        let back: Vec<_> = labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let want: Vec<_> = pairs.into_iter().collect();
        prop_assert_eq!(back, want);
        prop_assert_eq!(Labels::from_encoded(labels.encoded()), Some(labels));
    }

    #[test]
    fn reads_no_damaged_text(text in "[\\x01-\\x7f]{0,20}") {
        if let Some(labels) = Labels::from_encoded(&text) {
            prop_assert_eq!(Labels::from_pairs(labels.iter()), labels);
        }
    }

    #[test]
    fn orders_by_pairs(
        a in prop::collection::btree_map("[a-c]", "[a-c]{1,2}", 0..3),
        b in prop::collection::btree_map("[a-c]", "[a-c]{1,2}", 0..3),
    ) {
        let want = a.iter().cmp(b.iter());
        prop_assert_eq!(Labels::from_pairs(&a).cmp(&Labels::from_pairs(&b)), want);
    }
}
