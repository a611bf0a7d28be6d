//! What to measure, and where things are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

const USAGE: &str = "\
usage: bench-tracer DIST [--quick] [--rounds N] [--scale F] [--only NAME]... [--output DIRECTORY]

DIST holds the program `instrument`. Examples:
  bench-tracer target/dist --quick
  bench-tracer target/dist --only open --only find --rounds 15";

/// The command line.
#[derive(Debug)]
pub(crate) struct Options {
    /// The tracer under test.
    pub(crate) instrument: PathBuf,
    /// How often everything is measured.
    pub(crate) rounds: usize,
    /// Sizes of the workloads, 1 for the documented ones.
    pub(crate) scale: f64,
    /// Only workloads whose names start so; all when empty.
    pub(crate) only: Vec<String>,
    /// Directory for the results.
    pub(crate) output: PathBuf,
}

impl Options {
    /// Reads the words after the program's name.
    pub(crate) fn parse(words: &[OsString]) -> Result<Self, String> {
        let mut words = words.iter().map(|word| word.to_string_lossy().into_owned());
        let dist = words
            .next()
            .filter(|word| !word.starts_with('-'))
            .ok_or(USAGE)?;
        let mut options = Self {
            instrument: absolute(&Path::new(&dist).join("instrument"))?,
            rounds: 7,
            scale: 1.0,
            only: Vec::new(),
            output: PathBuf::from("target/bench"),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--quick" => (options.rounds, options.scale) = (3, 0.15),
                "--rounds" => options.rounds = number(&word, &value()?)?,
                "--scale" => options.scale = number(&word, &value()?)?,
                "--only" => options.only.push(value()?),
                "--output" => options.output = PathBuf::from(value()?),
                _ => return Err(format!("unknown argument `{word}`\n{USAGE}")),
            }
        }
        if options.rounds == 0 || !(0.001..=100.0).contains(&options.scale) {
            return Err("--rounds starts at 1, --scale lies between 0.001 and 100".to_owned());
        }
        if !options.instrument.is_file() {
            let path = options.instrument.display();
            return Err(format!(
                "`{path}` is not there: `cargo xtask dist` makes it"
            ));
        }
        Ok(options)
    }

    /// A number of repetitions, scaled.
    pub(crate) fn scaled(&self, number: u32) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both factors are small and positive"
        )]
        let scaled = (f64::from(number) * self.scale).round() as u32;
        scaled.max(1)
    }

    /// Whether a workload was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.starts_with(only))
    }
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path)
        .map_err(|error| format!("cannot resolve `{}`: {error}", path.display()))
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    let fault = |_| format!("{name}: `{value}` is not a number that fits");
    value.parse().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Options::parse(&words).expect_err("it is wrong")
    }

    #[test]
    fn faults_name_their_object() {
        assert!(fault(&[]).starts_with("usage: "));
        assert!(fault(&["d", "--fast"]).contains("`--fast`"));
        assert!(fault(&["d", "--rounds", "many"]).contains("`many`"));
        assert!(fault(&["d", "--only"]).contains("wants a value"));
        assert!(fault(&["/no/such"]).contains("cargo xtask dist"));
    }
}
