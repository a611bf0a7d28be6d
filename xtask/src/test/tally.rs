//! Counts of what passed, failed and was skipped.

use std::fmt;

/// The outcome of some checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// One line per skipped check: its name and the reason.
    pub(crate) skips: Vec<String>,
    /// Names of failed tests, for the end of a long log.
    pub(crate) failures: Vec<String>,
}

impl Tally {
    /// One check that passed.
    pub(crate) fn passed() -> Self {
        Self {
            passed: 1,
            ..Self::default()
        }
    }

    /// One check that failed.
    pub(crate) fn failed() -> Self {
        Self {
            failed: 1,
            ..Self::default()
        }
    }

    /// Takes another outcome in.
    pub(crate) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skips.extend_from_slice(&other.skips);
        self.failures.extend_from_slice(&other.failures);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} passed, {} failed, {} skipped",
            self.passed,
            self.failed,
            self.skips.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_add_up() {
        let mut total = Tally::passed();
        total.add(&Tally::failed());
        total.add(&Tally {
            skips: vec!["a: no root".to_owned()],
            ..Tally::default()
        });
        assert_eq!(total.to_string(), "1 passed, 1 failed, 1 skipped");
    }
}
