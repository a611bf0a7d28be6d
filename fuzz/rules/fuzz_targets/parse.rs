//! Any text as a condition and as an output.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rules::{RuleSet, Source, parses};

fuzz_target!(|text: &str| {
    let accepted = parses(text);
    let quoted = text.replace('\'', "''").replace(['\r', '\n'], " ");
    let text = format!(
        "- rule: r\n  desc: d\n  condition: '{quoted}'\n  output: '{quoted}'\n  priority: INFO\n"
    );
    let name = "fuzz.yaml".to_owned();
    if let Ok(set) = RuleSet::load(&[Source { name, text }]) {
        for id in set.rules() {
            // What is printed is read again as what it is.
            let printed = set.condition(id);
            assert!(parses(&printed), "{printed}");
        }
        assert!(accepted || set.rules().count() == 0 || quoted.contains(' '));
    }
});
