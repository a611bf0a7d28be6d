//! Upstream's own test cases: the same conditions and files are accepted and refused.

mod compiler;
mod loader;
mod parser;

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
