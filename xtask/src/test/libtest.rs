//! Reads what Rust's test programs print.
//!
//! A test that lacks something on the machine prints `skipped: <test>: <reason>` and returns;
//! libtest counts it as passed, we do not. Such lines are seen because of `--show-output`.

use std::collections::BTreeSet;

use super::tally::Tally;

/// Gathers results line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    tally: Tally,
    /// Names of the tests that passed in the test program that is running.
    passed: BTreeSet<String>,
    /// Names that skip lines of this test program gave.
    skipped: BTreeSet<String>,
    /// Names of the tests of which was said that they take long, and nothing since.
    slow: BTreeSet<String>,
}

impl Reader {
    /// Takes one line of output.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(skip) = line.trim_start().strip_prefix("skipped: ") {
            if let Some((name, _)) = skip.split_once(':') {
                self.skipped.insert(name.trim().to_owned());
                self.tally.skips.push(skip.to_owned());
            }
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.close(result);
        } else if let Some(test) = line.strip_prefix("test ") {
            if let Some((name, _)) = test.split_once(" has been running for over ") {
                self.slow.insert(name.trim().to_owned());
            } else if let Some(name) = test.strip_suffix(" ... ok") {
                self.slow.remove(name.trim());
                self.passed.insert(name.trim().to_owned());
            } else if let Some(name) = test.strip_suffix(" ... FAILED") {
                self.slow.remove(name.trim());
                self.tally.failures.push(name.trim().to_owned());
            }
        }
    }

    /// The outcome. A run that failed without saying which test did counts as one failure.
    /// A test that was still running when everything was ended has failed.
    pub(crate) fn finish(mut self, success: bool, command: &str) -> Tally {
        for name in std::mem::take(&mut self.slow) {
            self.tally.failed += 1;
            self.tally.failures.push(format!("{name}: did not end"));
        }
        if !success && self.tally.failed == 0 {
            self.tally.failed = 1;
            self.tally
                .failures
                .push(format!("`{command}` ended before its summary"));
        }
        self.tally
    }

    /// Takes the counts of `ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`.
    fn close(&mut self, result: &str) {
        let count = |word: &str| {
            result
                .split([';', '.'])
                .find_map(|part| part.trim().strip_suffix(word))
                .and_then(|number| number.trim().parse::<usize>().ok())
                .unwrap_or(0)
        };
        // A skip line may name the function alone or with its module path.
        let only_skipped = self.passed.iter().filter(|test| {
            let function = test.rsplit("::").next().unwrap_or(test);
            self.skipped.contains(*test) || self.skipped.contains(function)
        });
        let only_skipped = only_skipped.count();
        self.tally.passed += count("passed").saturating_sub(only_skipped);
        self.tally.failed += count("failed");
        let ignored = count("ignored");
        self.tally
            .skips
            .extend((0..ignored).map(|_| "a test marked `ignore`".to_owned()));
        self.passed.clear();
        self.skipped.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str, success: bool) -> Tally {
        let mut reader = Reader::default();
        lines.lines().for_each(|line| reader.read(line));
        reader.finish(success, "cargo test")
    }

    #[test]
    fn a_skipped_test_has_not_passed() {
        let tally = read(
            "running 3 tests\n\
             test a::needs_docker ... ok\n\
             test plain ... ok\n\
             test rules::table ... ok\n\
             ---- a::needs_docker stdout ----\n\
             skipped: needs_docker: no daemon\n\
             skipped: table/row 7: no python\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
            true,
        );
        assert_eq!(tally.to_string(), "2 passed, 0 failed, 2 skipped");
        assert_eq!(tally.skips[0], "needs_docker: no daemon");
    }

    #[test]
    fn test_programs_add_up() {
        let tally = read(
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured\n\
             test bad ... FAILED\n\
             test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured\n",
            false,
        );
        assert_eq!(tally.to_string(), "6 passed, 1 failed, 1 skipped");
        assert_eq!(tally.failures, ["bad"]);
    }

    #[test]
    fn a_test_that_did_not_end_is_named() {
        let tally = read(
            "test quick has been running for over 60 seconds\n\
             test slow has been running for over 60 seconds\n\
             test quick ... ok\n",
            false,
        );
        assert_eq!(tally.failed, 1);
        assert_eq!(tally.failures, ["slow: did not end"]);
    }

    #[test]
    fn a_crash_is_a_failure() {
        let tally = read("running 1 test\n", false);
        assert_eq!(tally.failed, 1);
    }
}
