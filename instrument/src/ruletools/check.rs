//! `--rules-check`: everything that is wrong, at once, and a sum at the end.

use rules::{Diagnostics, RuleSet, Severity, Source, Style};

use super::Answer;

pub(super) fn check(
    sources: &[Source],
    rules: &Result<RuleSet, Diagnostics>,
    style: Style,
) -> Answer {
    let found = match rules {
        Ok(rules) => rules.warnings(),
        Err(found) => found,
    };
    let mut text = found.render(style);
    let files = count(sources.len(), "file");
    let errors = count(found.count(Severity::Error), "error");
    let warnings = count(found.count(Severity::Warning), "warning");
    if let Ok(rules) = rules {
        let all = count(rules.rules().count(), "rule");
        let word = style.paint("1;32", "ok");
        let enabled = rules.enabled();
        let sum = format!("{word}: {files}, {all}, {enabled} enabled, {warnings}\n");
        text.push_str(&sum);
        Answer::fine(text)
    } else {
        let word = style.paint("1;31", "refused");
        let sum = format!("{word}: {files}, {errors}, {warnings}\n");
        text.push_str(&sum);
        Answer::fault(text)
    }
}

/// `1 rule`, `2 rules`.
pub(super) fn count(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}
