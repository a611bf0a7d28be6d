//! Tools for people who write rules: check files, list and explain rules, replay recordings.
//!
//! They start no program and trace nothing. Each returns what it has to say and whether all is
//! well; printing and the exit status are left to the caller.

use std::path::PathBuf;

use rules::{RuleSet, Style};

use crate::config::Settings;
use crate::judge;

mod check;
mod list;
mod replay;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Say everything that is wrong with rule files.
    Check,
    /// Say what a rule means and which stops it takes.
    Explain(String),
    /// Say which rules there are and what they cost.
    List,
    /// Evaluate the events of a recording.
    Replay(PathBuf),
}

/// What a tool has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// For standard output.
    pub text: String,
    /// Whether all is well: exit status 0, else 1.
    pub is_fine: bool,
}

impl Answer {
    fn fine(text: String) -> Self {
        Self {
            text,
            is_fine: true,
        }
    }

    fn fault(text: String) -> Self {
        Self {
            text,
            is_fine: false,
        }
    }
}

/// Runs a tool on these rule files, or on the built-in rules when there are none.
pub fn run(tool: &Tool, files: &[PathBuf], settings: &Settings, style: Style) -> Answer {
    let (sources, errors) = judge::sources(files);
    if !errors.is_empty() {
        let lines = errors.iter().map(|error| format!("instrument: {error}\n"));
        return Answer::fault(lines.collect());
    }
    let rules = RuleSet::load_with(&sources, settings.options.clone());
    if *tool == Tool::Check {
        return check::check(&sources, &rules, style);
    }
    let mut rules = match rules {
        Ok(rules) => rules,
        Err(found) => return Answer::fault(found.render(style)),
    };
    match tool {
        Tool::Check => check::check(&sources, &Ok(rules), style),
        Tool::Explain(name) => explain(&rules, name, style),
        Tool::List => Answer::fine(list::list(&rules, style)),
        Tool::Replay(recording) => match replay::replay(&mut rules, recording, settings, style) {
            Ok(text) => Answer::fine(text),
            Err(error) => Answer::fault(format!("instrument: {error}\n")),
        },
    }
}

fn explain(rules: &RuleSet, name: &str, style: Style) -> Answer {
    if let Some(id) = rules.find(name) {
        return Answer::fine(rules.explain(id, style));
    }
    let near = rules
        .similar(name)
        .map_or_else(String::new, |near| format!("; is `{near}` meant?"));
    let hint = "`instrument --rules-list` shows all";
    Answer::fault(format!(
        "instrument: no rule is named `{name}`{near} ({hint})\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.yaml");
        std::fs::write(&path, text).unwrap();
        (folder, vec![path])
    }

    const GOOD: &str = "- rule: Good\n  desc: d\n  condition: evt.type = openat and fd.num >= 0\n  \
                        output: o\n  priority: INFO\n";

    #[test]
    fn checking_says_what_is_wrong_and_fails() {
        let (_folder, files) = file(&GOOD.replace("fd.num", "fd.nmu"));
        let answer = run(&Tool::Check, &files, &Settings::default(), Style::Plain);
        assert!(!answer.is_fine);
        for part in [
            "unknown field `fd.nmu`",
            "mine.yaml:3:36",
            "similar name is `fd.num`",
        ] {
            assert!(answer.text.contains(part), "{part}: {}", answer.text);
        }
        let (_folder, files) = file(GOOD);
        let answer = run(&Tool::Check, &files, &Settings::default(), Style::Plain);
        assert!(
            answer.is_fine && answer.text.contains("1 rule"),
            "{}",
            answer.text
        );
    }

    #[test]
    fn explaining_names_the_stops_and_misspelt_rules() {
        let (_folder, files) = file(GOOD);
        let answer = run(
            &Tool::Explain("Good".to_owned()),
            &files,
            &Settings::default(),
            Style::Plain,
        );
        assert!(answer.text.contains("depends on fd.num"), "{}", answer.text);
        let answer = run(
            &Tool::Explain("Godo".to_owned()),
            &files,
            &Settings::default(),
            Style::Plain,
        );
        assert!(
            !answer.is_fine && answer.text.contains("`Good` meant"),
            "{}",
            answer.text
        );
    }

    #[test]
    fn listing_shows_the_cost_of_the_built_in_rules() {
        let answer = run(&Tool::List, &[], &Settings::default(), Style::Plain);
        assert!(answer.is_fine);
        assert!(
            answer.text.contains("Sensitive file read"),
            "{}",
            answer.text
        );
        assert!(answer.text.contains("entry+exit"), "{}", answer.text);
    }

    #[test]
    fn a_missing_file_is_named() {
        let files = [PathBuf::from("/nonexistent/rules.yaml")];
        let answer = run(&Tool::Check, &files, &Settings::default(), Style::Plain);
        assert!(!answer.is_fine && answer.text.contains("/nonexistent/rules.yaml"));
    }
}
