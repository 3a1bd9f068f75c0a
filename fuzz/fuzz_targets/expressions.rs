//! Regular expressions by Go's rules, and templates.
#![no_main]

use gotemplate::Template;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(regex) = model::regex::Regex::new(text) {
        let _matched = regex.is_match("a.b-1");
    }
    let mut template = Template::new("t");
    let _parsed = template.parse(text);
    let _duration = model::parse_duration(text);
});
