//! Macros: read once, and what is wrong with their comparisons kept until a rule uses them.
//!
//! A file may hold macros for events of other sources (`ka.verb = create`). Their fields are not
//! known here, and nobody minds unless a rule that is in force uses them.

use super::{Compiler, Visibility, Wrong};
use crate::ast::Expr;
use crate::dag::NodeId;
use crate::definitions::{Definition as _, Macro};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Fault, Report, Subject};

/// How many macros may be read inside of one another.
const MAX_MACRO_DEPTH: usize = 100;

/// What has become of every macro, in order of definition.
pub(super) struct Macros {
    states: Vec<State>,
    used: Vec<bool>,
}

pub(super) enum State {
    Done { node: NodeId, expr: Expr },
    Failed(Failed),
    Reading,
    Unread,
}

/// Why a macro cannot be used.
pub(super) struct Failed {
    /// Not told yet: what is wrong with its own comparisons.
    own: Vec<Diagnostic>,
    /// Macros in it that failed.
    below: Vec<usize>,
    /// Whether nothing but unknown names is wrong with it and all that it uses.
    is_only_unknown: bool,
    is_told: bool,
}

impl Macros {
    pub(super) fn new(count: usize) -> Self {
        Self {
            states: std::iter::repeat_with(|| State::Unread)
                .take(count)
                .collect(),
            used: vec![false; count],
        }
    }

    pub(super) fn use_one(&mut self, at: usize) {
        self.used[at] = true;
    }

    /// The conditions of those that can be used.
    pub(super) fn into_conditions(self) -> impl Iterator<Item = Option<Expr>> {
        self.states.into_iter().map(|state| match state {
            State::Done { expr, .. } => Some(expr),
            State::Failed(_) | State::Reading | State::Unread => None,
        })
    }

    /// Those that nothing uses and of which nothing has been told.
    pub(super) fn unused(&self) -> impl Iterator<Item = usize> {
        let states = self.states.iter().zip(&self.used).enumerate();
        states.filter_map(|(at, (state, is_used))| match state {
            State::Failed(failed) if failed.is_told => None,
            _ => (!is_used).then_some(at),
        })
    }

    /// Whether nothing but unknown names is wrong with these.
    pub(super) fn are_only_unknown(&self, failed: &[usize]) -> bool {
        failed.iter().all(|at| match &self.states[*at] {
            State::Failed(failed) => failed.is_only_unknown,
            State::Done { .. } | State::Reading | State::Unread => true,
        })
    }

    /// Tells what is wrong with these and what they use, each once.
    pub(super) fn tell(&mut self, failed: &[usize], report: &mut Report<'_>) {
        let mut open = failed.to_vec();
        while let Some(at) = open.pop() {
            if let State::Failed(failed) = &mut self.states[at]
                && !std::mem::replace(&mut failed.is_told, true)
            {
                report.found.extend(failed.own.drain(..));
                open.append(&mut failed.below);
            }
        }
    }

    /// The first thing that is wrong with these or what they use.
    pub(super) fn first_fault(&self, failed: &[usize]) -> Option<&Diagnostic> {
        let mut open = failed.to_vec();
        let mut seen = std::collections::HashSet::new();
        while let Some(at) = open.pop() {
            if let State::Failed(failed) = &self.states[at]
                && seen.insert(at)
            {
                if let Some(first) = failed.own.first() {
                    return Some(first);
                }
                open.extend(&failed.below);
            }
        }
        None
    }
}

impl Compiler<'_> {
    /// Reads a macro unless that has been done; its node when it can be used.
    pub(super) fn resolve_macro(
        &mut self,
        at: usize,
        depth: usize,
        report: &mut Report<'_>,
    ) -> Option<NodeId> {
        let is_loop = match &self.macros.states[at] {
            State::Done { node, .. } => return Some(*node),
            State::Failed(_) => return None,
            State::Reading => true,
            State::Unread => false,
        };
        let known: &Macro = &self.definitions.macros.items()[at];
        let subject = Subject {
            kind: "macro",
            name: &known.name,
        };
        if is_loop || depth > MAX_MACRO_DEPTH {
            let message = if depth > MAX_MACRO_DEPTH {
                "macros nest too deeply".to_owned()
            } else {
                format!("reference loop in macro `{}`", known.name)
            };
            let fault = Fault::error(Code::ErrValidate, message);
            report.at(known.condition.place(), subject, fault);
            self.macros.states[at] = State::Failed(Failed::told());
            return None;
        }
        self.macros.states[at] = State::Reading;
        let visibility = Visibility {
            before: known.order().visibility,
            depth: depth + 1,
        };
        let mut trial = report.begin_trial();
        let read = self.condition(&known.condition, subject, visibility, &mut trial);
        let found = report.end_trial(trial);
        let (state, node) = match read {
            Ok((expr, node)) => {
                report.found.extend(found);
                (State::Done { node, expr }, Some(node))
            }
            Err(wrong) => (State::Failed(self.failed(wrong, found, report)), None),
        };
        self.macros.states[at] = state;
        node
    }

    fn failed(&mut self, wrong: Wrong, found: Vec<Diagnostic>, report: &mut Report<'_>) -> Failed {
        if wrong.is_text {
            report.found.extend(found);
            self.macros.tell(&wrong.macros, report);
            return Failed::told();
        }
        Failed {
            own: found,
            is_only_unknown: !wrong.has_others && self.macros.are_only_unknown(&wrong.macros),
            below: wrong.macros,
            is_told: false,
        }
    }
}

impl Failed {
    const fn told() -> Self {
        Self {
            own: Vec::new(),
            below: Vec::new(),
            is_only_unknown: false,
            is_told: true,
        }
    }
}
