//! Regular expressions by Go's rules; templates, parsed and executed within limits; durations.
#![no_main]

use gotemplate::{Limits, Template, Value};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    steps_max: 10_000,
    output_bytes_max: 1 << 16,
    depth_max: 50,
};

fuzz_target!(|text: &str| {
    if let Ok(regex) = model::regex::Regex::new(text) {
        let _matched = regex.is_match("a.b-1");
        let _expanded = regex.expand("a.b-1", text);
    }
    template(text);
    let _alert = rules::template::check("A", text);
    let _notice = dispatch::template::check_syntax(text);
    if let Ok(duration) = model::parse_duration(text) {
        let shown = model::format_duration(duration);
        assert_eq!(model::parse_duration(&shown), Ok(duration), "{text:?} {shown}");
    }
});

fn template(text: &str) {
    let functions = gotemplate::functions::alertmanager::functions(&gotemplate::Time::zero());
    let mut template = Template::new("t").functions(&functions);
    if template.parse(text).is_err() {
        return;
    }
    let data = Value::from("a<b");
    let fits = |shown: String| shown.len() <= LIMITS.output_bytes_max;
    assert!(template.execute("t", &data, &LIMITS).is_ok_and(fits) || text.contains("{{"));
    // HTML that ends inside a tag is refused.
    assert!(template.execute_html("t", &data, &LIMITS).is_ok_and(fits) || text.contains(['{', '<']));
}
