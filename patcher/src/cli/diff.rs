//! A unified diff for people.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::output::{Output, Tone};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// Beyond this a shorter diff is no longer looked for: the search is quadratic.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints what changes between two texts of a file.
pub(super) fn print(name: &str, old: &str, new: &str, output: &mut Output) {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    output.line(Tone::Bad, &format!("--- {name}"));
    output.line(Tone::Good, &format!("+++ {name} (patched)"));
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        output.line(Tone::Faint, &hunk.header().to_string());
        for change in hunk.iter_changes() {
            let (sign, tone) = match change.tag() {
                ChangeTag::Delete => ('-', Tone::Bad),
                ChangeTag::Equal => (' ', Tone::Plain),
                ChangeTag::Insert => ('+', Tone::Good),
            };
            let line = change.value().trim_end_matches(['\n', '\r']);
            output.line(tone, &format!("{sign}{line}"));
            if change.missing_newline() {
                output.line(Tone::Faint, "\\ No newline at end of file");
            }
        }
    }
}
