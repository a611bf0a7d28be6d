//! Rules on paper.

use std::collections::HashMap;
use std::fmt::Write as _;

use event::EventType;

use super::RuleInfo;
use crate::ast::Expr;
use crate::diagnostic::Style;

/// Longer than anybody reads; macros that use each other may make a condition any size.
const LONGEST: usize = 1 << 20;

type Macros<'a> = HashMap<&'a str, &'a Expr>;

/// What a rule wants to know of one type of event.
pub(super) struct Stop {
    pub(super) kind: EventType,
    pub(super) reads: Vec<(String, bool)>,
}

/// A condition as Falco prints it.
pub(super) fn on_one_line(expr: &Expr, macros: &Macros<'_>, out: &mut String) {
    if out.len() > LONGEST {
        out.push('…');
        return;
    }
    let mut joined = |items: &[Expr], word: &str| {
        out.push('(');
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                out.push_str(word);
            }
            on_one_line(item, macros, out);
        }
        out.push(')');
    };
    match expr {
        Expr::And(items) => joined(items, " and "),
        Expr::Or(items) => joined(items, " or "),
        Expr::Not(item) => {
            out.push_str("not ");
            on_one_line(item, macros, out);
        }
        Expr::Macro { name, .. } => match macros.get(&**name) {
            Some(body) => on_one_line(body, macros, out),
            None => out.push_str(name),
        },
        Expr::Check(check) => push(out, format_args!("{check}")),
    }
}

/// A condition over several lines, with the names of macros beside what they stand for.
pub(super) fn indented(expr: &Expr, macros: &Macros<'_>, style: Style, out: &mut String) {
    let mut printer = Indented { macros, style, out };
    printer.line(expr, 2, "");
}

struct Indented<'a> {
    macros: &'a Macros<'a>,
    style: Style,
    out: &'a mut String,
}

impl Indented<'_> {
    fn line(&mut self, expr: &Expr, depth: usize, before: &str) {
        if self.out.len() > LONGEST {
            return;
        }
        let indent = " ".repeat(depth.min(80));
        match expr {
            Expr::And(items) => self.group(items, "all of", depth, before),
            Expr::Or(items) => self.group(items, "any of", depth, before),
            Expr::Not(item) => {
                let before = format!("{before}{} ", self.style.paint("35", "not"));
                self.line(item, depth, &before);
            }
            Expr::Macro { name, .. } => match self.macros.get(&**name) {
                Some(Expr::Check(check)) => {
                    let note = self.style.paint("2", format!("# {name}"));
                    push(self.out, format_args!("{indent}{before}{check}  {note}\n"));
                }
                Some(body) => {
                    let note = format!("{}{} ", before, self.style.paint("2", format!("({name})")));
                    self.line(body, depth, &note);
                }
                None => push(self.out, format_args!("{indent}{before}{name}\n")),
            },
            Expr::Check(check) => push(self.out, format_args!("{indent}{before}{check}\n")),
        }
    }

    fn group(&mut self, items: &[Expr], word: &str, depth: usize, before: &str) {
        let indent = " ".repeat(depth.min(80));
        let word = self.style.paint("35", word);
        push(self.out, format_args!("{indent}{before}{word}\n"));
        for item in items {
            self.line(item, depth + 2, "");
        }
    }
}

pub(super) fn heading(info: &RuleInfo<'_>, style: Style, out: &mut String) {
    let state = if info.is_enabled {
        "enabled"
    } else {
        "disabled"
    };
    let name = style.paint("1", info.name);
    push(
        out,
        format_args!("{name}  {} · {state}", info.priority.as_str()),
    );
    if !info.tags.is_empty() {
        push(out, format_args!(" · {}", info.tags.join(" ")));
    }
    let description = info.description.trim();
    push(out, format_args!("\n\n{description}\n\n"));
    push(out, format_args!("{}\n", style.paint("1;4", "Condition")));
}

/// Which stops a rule makes the tracer take, and why.
pub(super) fn stops(stops: &[Stop], style: Style, out: &mut String) {
    push(out, format_args!("{}\n", style.paint("1;4", "Stops")));
    if stops.is_empty() {
        out.push_str("  none: no event can match\n");
        return;
    }
    // Types of events that are asked the same questions are one entry.
    let mut groups: Vec<(Vec<&str>, &Stop)> = Vec::new();
    for stop in stops {
        match groups
            .iter_mut()
            .find(|(_, known)| known.reads == stop.reads)
        {
            Some((kinds, _)) => kinds.push(stop.kind.as_str()),
            None => groups.push((vec![stop.kind.as_str()], stop)),
        }
    }
    for (kinds, stop) in groups {
        let open: Vec<&str> = stop
            .reads
            .iter()
            .filter(|(_, is_open)| *is_open)
            .map(|(name, _)| &**name)
            .collect();
        let kinds = style.paint("36", kinds.join(", "));
        let when = if stop.kind.is_told_afterwards() {
            "told once it has happened".to_owned()
        } else if open.is_empty() {
            "entry only".to_owned()
        } else {
            format!(
                "{}: depends on {}",
                style.paint("33", "entry, and exit while undecided"),
                open.join(", ")
            )
        };
        push(out, format_args!("  {kinds}\n    stops: {when}\n"));
        if !stop.reads.is_empty() {
            let reads: Vec<&str> = stop.reads.iter().map(|(name, _)| &**name).collect();
            push(out, format_args!("    reads: {}\n", reads.join(", ")));
        }
    }
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments)
        .expect("writing to memory does not fail");
}
