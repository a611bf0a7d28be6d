//! Insertions into and removals from brackets: all of JSON, and YAML's flow style.

use std::ops::Range;

use super::Writer;
use crate::source::{Entry, Node};

impl Writer<'_> {
    /// Inserts rendered elements after `previous` (a span), or before `next` when nothing precedes.
    pub(super) fn insert_flow(
        &mut self,
        open: usize,
        previous: Option<usize>,
        next: Option<usize>,
        elements: &[String],
    ) {
        let first = next.or(previous).unwrap_or(open);
        let lead = self.text.get(open + 1..first).unwrap_or_default();
        match (previous, next) {
            (Some(end), _) => self.insert_after(open, end, elements),
            (None, Some(start)) => {
                let separator = self.separator(lead.contains('\n').then_some(start));
                let mut text = String::new();
                for element in elements {
                    text.push_str(element);
                    text.push_str(&separator);
                }
                self.splice(start..start, text);
            }
            (None, None) => self.splice(open + 1..open + 1, elements.join(",")),
        }
    }

    /// A comma, and the line end and indentation of the element at `start` or one space.
    fn separator(&self, start: Option<usize>) -> String {
        match start {
            Some(start) => format!(",{}{}", self.style.newline, self.indentation(start)),
            None => format!(",{}", self.style.comma),
        }
    }

    fn insert_after(&mut self, open: usize, end: usize, elements: &[String]) {
        let first = self.skip_space_and_comments(open + 1);
        let spread = self
            .text
            .get(open + 1..first)
            .is_some_and(|gap| gap.contains('\n'));
        let separator = self.separator(spread.then_some(first));
        let lead = separator.trim_start_matches(',').to_owned();
        let body = elements.join(&separator);
        let comma = self.skip_space_and_comments(end);
        let has_comma = self.text.as_bytes().get(comma) == Some(&b',');
        let at = if has_comma { comma + 1 } else { end };
        let more = has_comma && !matches!(self.after(comma + 1), Some(b']' | b'}'));
        let line_end = self.line_end(at);
        let rest = self.text.get(at..line_end).unwrap_or_default().trim_start();
        if more {
            self.splice(at..at, format!("{lead}{body},"));
        } else if spread && rest.starts_with('#') {
            if !has_comma {
                self.splice(at..at, ",");
            }
            self.splice(line_end..line_end, format!("{lead}{body}"));
        } else if has_comma {
            self.splice(at..at, format!("{lead}{body}"));
        } else {
            self.splice(at..at, format!("{separator}{body}"));
        }
    }

    fn after(&self, at: usize) -> Option<u8> {
        self.text
            .as_bytes()
            .get(self.skip_space_and_comments(at))
            .copied()
    }

    /// Removes a run of items; what stays is not empty.
    pub(super) fn remove_flow_items(&mut self, items: &[Node], run: Range<usize>) {
        let starts: Vec<_> = items.iter().map(|item| item.start..item.span.end).collect();
        self.remove_flow(&starts, run);
    }

    /// Removes single entries; what stays is not empty.
    pub(super) fn remove_flow_entries(&mut self, entries: &[Entry], gone: &[usize]) {
        let spans: Vec<_> = entries
            .iter()
            .map(|e| e.key_span.start..e.value.span.end)
            .collect();
        for run in runs(gone) {
            self.remove_flow(&spans, run);
        }
    }

    fn remove_flow(&mut self, spans: &[Range<usize>], run: Range<usize>) {
        let span = match (
            spans.get(run.end),
            run.start.checked_sub(1).map(|at| &spans[at]),
        ) {
            (Some(next), _) => spans[run.start].start..next.start,
            (None, Some(previous)) => previous.end..spans[run.end - 1].end,
            (None, None) => return,
        };
        self.splice(span, "");
    }
}

/// Groups ascending numbers into runs.
pub(super) fn runs(numbers: &[usize]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some(run) if run.end == number => run.end += 1,
            _ => runs.push(number..number + 1),
        }
    }
    runs
}
