//! Queries: what parses is printed and parses again to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(expr) = promql::parse(text) {
        let printed = expr.to_string();
        let again = promql::parse(&printed).expect("what is printed parses");
        assert_eq!(again.to_string(), printed);
        let _pretty = expr.pretty();
    }
    let _series = promql::parse_series_description(text);
});
