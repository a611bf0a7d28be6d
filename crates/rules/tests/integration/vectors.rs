//! Upstream's own test cases: the same conditions and files are accepted and refused.

use crate::shared_data::{directory, read};

mod compiler;
mod loader;
mod parser;

/// The cases of a file of vectors.
fn vectors<T: serde::de::DeserializeOwned>(test: &str, name: &str) -> Option<Vec<T>> {
    let path = directory("FALCO_VECTORS", "shared/data/falco/vectors");
    let text = read(test, &path.join(name).with_extension("jsonl"))?;
    let cases = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of vectors has the shape of a case"));
    Some(cases.collect())
}

/// Counts cases and prints the sum.
#[derive(Default)]
struct Score {
    passed: usize,
    total: usize,
    failures: Vec<String>,
}

impl Score {
    fn add(&mut self, passed: bool, case: impl FnOnce() -> String) {
        self.total += 1;
        if passed {
            self.passed += 1;
        } else {
            self.failures.push(case());
        }
    }

    /// Prints passed and total, and fails below a share in percent.
    fn finish(self, file: &str, percent: usize) {
        for failure in &self.failures {
            println!("differs: {failure}");
        }
        println!("{file}: {}/{}", self.passed, self.total);
        assert!(self.total > 0, "{file} has no cases");
        assert!(
            self.passed * 100 >= self.total * percent,
            "{file}: less than {percent} % of the cases pass"
        );
    }
}

/// A rule file with one rule of this condition.
fn rule(condition: &str) -> rules::Source {
    let quoted = condition.replace('\'', "''");
    rules::Source {
        name: "case.yaml".to_owned(),
        text: format!(
            "- rule: case\n  desc: case\n  condition: '{quoted}'\n  output: case\n  priority: INFO\n"
        ),
    }
}
