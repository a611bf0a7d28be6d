//! Any bytes as a rule file: loaded or refused with diagnostics that print.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rules::{RuleSet, Source, Style};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data).into_owned();
    let name = "fuzz.yaml".to_owned();
    match RuleSet::load(&[Source { name, text }]) {
        Ok(set) => {
            for id in set.rules() {
                assert!(!set.explain(id, Style::Plain).is_empty());
            }
        }
        Err(found) => {
            assert!(found.has_errors());
            assert!(!found.render(Style::Colour).is_empty());
        }
    }
});
