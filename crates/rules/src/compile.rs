//! From definitions to rules that can be evaluated: lists put in, conditions read, macros
//! resolved, comparisons checked.

use event::{EventTypeSet, Field, FieldId, Priority};

use crate::ast::Expr;
use crate::dag::{Dag, DagFault, NodeId};
use crate::definitions::{Definition as _, Definitions, Macro, Rule};
use crate::diagnostic::{Code, Severity};
use crate::lists::{Expanded, Lists, TooLarge};
use crate::output::{self, Format};
use crate::source::{Fault, Report, Text};
use crate::suggest::suggestion;

mod exceptions;

/// A rule that can be evaluated.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) priority: Priority,
    pub(crate) tags: Vec<String>,
    pub(crate) source: String,
    pub(crate) is_enabled: bool,
    pub(crate) condition: Expr,
    pub(crate) condition_text: String,
    pub(crate) output_text: String,
    pub(crate) root: NodeId,
    pub(crate) format: Format,
}

/// The result of compiling.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) dag: Dag,
    pub(crate) rules: Vec<Compiled>,
    /// Macros by name, for printing conditions.
    pub(crate) macros: Vec<(String, Expr)>,
}

/// Compiles everything; what cannot be compiled is reported and left out.
pub(crate) fn compile(definitions: &Definitions, report: &mut Report<'_>) -> Whole {
    let lists = Lists::new(definitions);
    let mut compiler = Compiler {
        definitions,
        lists: &lists,
        dag: Dag::default(),
        macros: definitions
            .macros
            .items()
            .iter()
            .map(|_| State::Unread)
            .collect(),
    };
    for at in 0..definitions.macros.items().len() {
        compiler.resolve_macro(at, 0, report);
    }
    let rules = definitions
        .rules
        .items()
        .iter()
        .filter(|rule| rule.source == "syscall")
        .filter_map(|rule| compiler.rule(rule, report))
        .collect();
    compiler.warn_of_unused(report);
    let Compiler { dag, macros, .. } = compiler;
    let macros = definitions
        .macros
        .items()
        .iter()
        .zip(macros)
        .filter_map(|(known, state)| match state {
            State::Done { expr, .. } => Some((known.name.clone(), expr)),
            State::Failed | State::Reading | State::Unread => None,
        })
        .collect();
    Whole { dag, rules, macros }
}

enum State {
    Done {
        node: NodeId,
        expr: Expr,
        is_used: bool,
    },
    Failed,
    Reading,
    Unread,
}

struct Compiler<'a> {
    definitions: &'a Definitions,
    lists: &'a Lists<'a>,
    dag: Dag,
    macros: Vec<State>,
}

/// How many macros may be read inside of one another.
const MAX_MACRO_DEPTH: usize = 100;

/// What a condition may use.
#[derive(Clone, Copy)]
struct Visibility {
    /// Macros defined before this moment.
    before: usize,
    depth: usize,
}

impl Compiler<'_> {
    fn resolve_macro(
        &mut self,
        at: usize,
        depth: usize,
        report: &mut Report<'_>,
    ) -> Option<NodeId> {
        match &self.macros[at] {
            State::Done { node, .. } => return Some(*node),
            State::Failed => return None,
            State::Reading | State::Unread => {}
        }
        let known: &Macro = &self.definitions.macros.items()[at];
        let subject = format!("macro `{}`", known.name);
        if matches!(self.macros[at], State::Reading) || depth > MAX_MACRO_DEPTH {
            let message = if depth > MAX_MACRO_DEPTH {
                "macros nest too deeply".to_owned()
            } else {
                format!("reference loop in macro `{}`", known.name)
            };
            let fault = Fault::error(Code::ErrValidate, message);
            report.at(known.condition.place(), &subject, fault);
            self.macros[at] = State::Failed;
            return None;
        }
        self.macros[at] = State::Reading;
        let visibility = Visibility {
            before: known.order.visibility,
            depth: depth + 1,
        };
        let read = self.condition(&known.condition, &subject, visibility, report);
        let node = read.as_ref().ok().map(|(_, node)| *node);
        self.macros[at] = match read {
            Ok((expr, node)) => State::Done {
                node,
                expr,
                is_used: false,
            },
            Err(_) => State::Failed,
        };
        node
    }

    /// Reads a condition and puts it into the graph. The error says whether all that is wrong is
    /// an unknown field.
    fn condition(
        &mut self,
        text: &Text,
        subject: &str,
        visibility: Visibility,
        report: &mut Report<'_>,
    ) -> Result<(Expr, NodeId), OnlyUnknownFields> {
        let expanded = self.lists.expand(&text.joined).map_err(|TooLarge| {
            let fault = Fault::error(Code::ErrValidate, TooLarge.to_string());
            report.at(text.place(), subject, fault);
            OnlyUnknownFields(false)
        })?;
        let expr = crate::parse::parse(&expanded.text).map_err(|error| {
            let place = text.locate(expanded.original(error.span), report.sources);
            let message = error.message;
            let fault = Fault::error(Code::ErrCompileCondition, message);
            report.at(place, subject, fault);
            OnlyUnknownFields(false)
        })?;
        let mut faults = Vec::new();
        // The graph is taken out for as long as it is filled: macros fill it on the way.
        let mut dag = std::mem::take(&mut self.dag);
        let definitions = self.definitions;
        let node = dag.insert(
            &expr,
            &mut |dag, name| {
                let at = definitions.macros.position(name)?;
                if definitions.macros.items()[at].order().index >= visibility.before {
                    return None;
                }
                std::mem::swap(dag, &mut self.dag);
                let node = self.resolve_macro(at, visibility.depth, report);
                std::mem::swap(dag, &mut self.dag);
                if let State::Done { is_used, .. } = &mut self.macros[at] {
                    *is_used = true;
                }
                // A macro that failed has been reported where it stands.
                Some(node.unwrap_or_else(|| dag.constant(false)))
            },
            &mut faults,
        );
        self.dag = dag;
        let errors = self.report_faults(faults, text, &expanded, (subject, report));
        match errors {
            None => Ok((expr, node)),
            Some(only_unknown) => Err(only_unknown),
        }
    }

    fn report_faults(
        &self,
        faults: Vec<DagFault>,
        text: &Text,
        expanded: &Expanded,
        (subject, report): (&str, &mut Report<'_>),
    ) -> Option<OnlyUnknownFields> {
        let mut errors = None;
        let mut note = |is_unknown: bool| {
            let all = errors.is_none_or(|OnlyUnknownFields(all)| all);
            errors = Some(OnlyUnknownFields(all && is_unknown));
        };
        for fault in faults {
            let (span, fault) = match fault {
                DagFault::Check(check) => {
                    let severity = severity(check.code);
                    if severity == Severity::Error {
                        note(check.is_unknown_field);
                    }
                    let fault = Fault {
                        severity,
                        code: check.code,
                        message: check.message,
                        help: check.help,
                    };
                    (check.span, fault)
                }
                DagFault::Depth(span) => {
                    note(false);
                    let message = "conditions and macros nest too deeply";
                    (span, Fault::error(Code::ErrCompileCondition, message))
                }
                DagFault::Macro(name, span) => {
                    note(false);
                    let names = self.definitions.macros.items().iter().map(|m| &*m.name);
                    let help = if self.lists.names().any(|list| list == name) {
                        Some(format!("`{name}` is a list: use it as `field in ({name})`"))
                    } else if self.definitions.macros.get(&name).is_some() {
                        Some(format!("`{name}` is defined further down: move it up"))
                    } else {
                        suggestion(&name, names)
                            .map(|near| format!("a macro with a similar name is `{near}`"))
                    };
                    let message = format!("undefined macro `{name}` used in filter");
                    let fault = Fault::error(Code::ErrCompileCondition, message).help(help);
                    (span, fault)
                }
            };
            let place = text.locate(expanded.original(span), report.sources);
            report.at(place, subject, fault);
        }
        errors
    }

    fn rule(&mut self, rule: &Rule, report: &mut Report<'_>) -> Option<Compiled> {
        let subject = format!("rule `{}`", rule.name);
        // With this key an unknown field takes the rule out instead of refusing the files.
        let mut trial = Report::new(report.sources);
        let text = exceptions::with_exceptions(rule, &mut trial, &subject);
        let visibility = Visibility {
            before: usize::MAX,
            depth: 0,
        };
        let read = self.condition(&text, &subject, visibility, &mut trial);
        let format = read_output(rule, &subject, &mut trial);
        let is_skipped = rule.skip_if_unknown_filter
            && match (&read, &format) {
                (Err(OnlyUnknownFields(only)), Err(OnlyUnknownFields(too))) => *only && *too,
                (Err(OnlyUnknownFields(only)), Ok(_)) | (Ok(_), Err(OnlyUnknownFields(only))) => {
                    *only
                }
                (Ok(_), Ok(_)) => false,
            };
        for mut item in trial.found.into_items() {
            if is_skipped && item.severity == Severity::Error {
                item.severity = Severity::Warning;
                item.code = Code::UnknownFilter;
                item.message.push_str("; the rule is left out");
            }
            report.found.push(item);
        }
        let (condition, root) = read.ok()?;
        let format = format.ok()?;
        self.warn_of_event_types(rule, root, &subject, report);
        Some(Compiled {
            name: rule.name.clone(),
            description: rule.description.joined.clone(),
            priority: rule.priority,
            tags: rule.tags.iter().cloned().collect(),
            source: rule.source.clone(),
            is_enabled: rule.is_enabled,
            condition,
            condition_text: rule.condition.joined.clone(),
            output_text: rule.output.joined.trim_end().to_owned(),
            root,
            format,
        })
    }

    fn warn_of_event_types(
        &self,
        rule: &Rule,
        root: NodeId,
        subject: &str,
        report: &mut Report<'_>,
    ) {
        let reach = self.dag.reach(root);
        let place = rule.condition.place();
        if reach.may_hold == EventTypeSet::all() && rule.warn_evttypes {
            let message = "rule matches too many `evt.type` values. This has a significant \
                           performance penalty";
            let help = "begin the condition with the events that it is about: `evt.type in (…)`";
            let fault = Fault::warning(Code::NoEvttype, message).help(Some(help.to_owned()));
            report.at(place, subject, fault);
        }
        if reach.may_hold.is_empty()
            && rule.is_enabled
            && rule.condition.joined.contains("evt.type")
        {
            let message = "the rule can never match: this agent sees none of its events";
            report.at(place, subject, Fault::note(Code::NeverSeen, message));
        }
    }

    fn warn_of_unused(&self, report: &mut Report<'_>) {
        for (known, state) in self.definitions.macros.items().iter().zip(&self.macros) {
            if matches!(state, State::Done { is_used: false, .. }) {
                let message = format!(
                    "macro `{}` is not referred to by any other rule/macro",
                    known.name
                );
                let subject = format!("macro `{}`", known.name);
                report.at(
                    known.place,
                    &subject,
                    Fault::warning(Code::UnusedMacro, message),
                );
            }
        }
        for (at, name) in self.lists.unused() {
            let message = format!("list `{name}` is not referred to by any other rule/macro/list");
            let subject = format!("list `{name}`");
            let place = self.definitions.lists.items()[at].place;
            report.at(place, &subject, Fault::warning(Code::UnusedList, message));
        }
    }
}

fn read_output(
    rule: &Rule,
    subject: &str,
    report: &mut Report<'_>,
) -> Result<Format, OnlyUnknownFields> {
    let format = output::parse(rule.output.joined.trim_end()).map_err(|faults| {
        let mut only = true;
        for fault in faults {
            only &= fault.is_unknown_field;
            let place = rule.output.locate(fault.span, report.sources);
            let known = Fault::error(fault.code, fault.message).help(fault.help);
            report.at(place, subject, known);
        }
        OnlyUnknownFields(only)
    })?;
    let mut uses_evt_dir = false;
    format.fields(&mut |field: Field| uses_evt_dir |= field.id == FieldId::EvtDir);
    if uses_evt_dir {
        let message = "usage of deprecated field `evt.dir` has been detected in the rule output";
        let fault = Fault::warning(Code::DeprecatedItem, message);
        report.at(rule.output.place(), subject, fault);
    }
    Ok(format)
}

/// Whether nothing but unknown fields is wrong.
#[derive(Clone, Copy, Debug)]
struct OnlyUnknownFields(bool);

const fn severity(code: Code) -> Severity {
    match code {
        Code::ErrCompileCondition
        | Code::ErrCompileOutput
        | Code::ErrValidate
        | Code::ErrYamlParse
        | Code::ErrYamlValidate => Severity::Error,
        Code::NeverSeen => Severity::Note,
        _ => Severity::Warning,
    }
}
