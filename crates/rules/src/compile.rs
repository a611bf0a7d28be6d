//! From definitions to rules that can be evaluated: lists put in, conditions read, macros
//! resolved, comparisons checked.

use event::{EventTypeSet, Field, FieldId, Priority};

use crate::ast::Expr;
use crate::dag::{Dag, DagFault, NodeId};
use crate::definitions::{Definition as _, Definitions, Rule};
use crate::diagnostic::{Code, Severity};
use crate::lists::{Expanded, Lists, TooLarge};
use crate::output::{self, Format};
use crate::source::{Fault, Report, Subject, Text};
use crate::suggest::suggestion;

mod exceptions;
mod macros;

use macros::Macros;

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
pub(crate) fn compile(definitions: Definitions, report: &mut Report<'_>) -> Whole {
    let lists = Lists::new(&definitions);
    let mut compiler = Compiler {
        definitions: &definitions,
        lists: &lists,
        dag: Dag::default(),
        macros: Macros::new(definitions.macros.items().len()),
    };
    for at in 0..definitions.macros.items().len() {
        compiler.resolve_macro(at, 0, report);
    }
    let read: Vec<Option<Read>> = definitions
        .rules
        .items()
        .iter()
        .map(|rule| {
            let is_ours = rule.source == "syscall";
            is_ours.then(|| compiler.rule(rule, report)).flatten()
        })
        .collect();
    compiler.warn_of_unused(report);
    let Compiler { dag, macros, .. } = compiler;
    let known = definitions.macros.into_items();
    let macros = known
        .zip(macros.into_conditions())
        .filter_map(|(known, expr)| Some((known.name, expr?)))
        .collect();
    let rules = definitions.rules.into_items().zip(read);
    let rules = rules.filter_map(|(rule, read)| Some(compiled(rule, read?)));
    Whole {
        dag,
        rules: rules.collect(),
        macros,
    }
}

/// What a rule's texts have become.
struct Read {
    condition: Expr,
    root: NodeId,
    format: Format,
}

fn compiled(rule: Rule, read: Read) -> Compiled {
    let mut output_text = rule.output.joined;
    output_text.truncate(output_text.trim_end().len());
    Compiled {
        name: rule.name,
        description: rule.description.joined,
        priority: rule.priority,
        tags: rule.tags,
        source: rule.source,
        is_enabled: rule.is_enabled,
        condition: read.condition,
        condition_text: rule.condition.joined,
        output_text,
        root: read.root,
        format: read.format,
    }
}

struct Compiler<'a> {
    definitions: &'a Definitions,
    lists: &'a Lists<'a>,
    dag: Dag,
    macros: Macros,
}

/// What a condition may use.
#[derive(Clone, Copy)]
struct Visibility {
    /// Macros defined before this moment.
    before: usize,
    depth: usize,
}

impl Compiler<'_> {
    /// Reads a condition and puts it into the graph. What is wrong with the text itself goes to the
    /// report; what is wrong with macros that it uses is left to the caller.
    fn condition(
        &mut self,
        text: &Text,
        subject: Subject<'_>,
        visibility: Visibility,
        report: &mut Report<'_>,
    ) -> Result<(Expr, NodeId), Wrong> {
        let expanded = self.lists.expand(&text.joined).map_err(|TooLarge| {
            let fault = Fault::error(Code::ErrValidate, TooLarge.to_string());
            report.at(text.place(), subject, fault);
            Wrong::text()
        })?;
        let expr = crate::parse::parse(&expanded.text).map_err(|error| {
            let place = text.locate(expanded.original(error.span), report.sources);
            let message = match expanded.item_at(error.span) {
                Some(item) => format!("{}, at `{item}` in this list", error.message),
                None => error.message,
            };
            let fault = Fault::error(Code::ErrCompileCondition, message).help(error.help);
            report.at(place, subject, fault);
            Wrong::text()
        })?;
        let mut faults = Vec::new();
        let mut failed = Vec::new();
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
                self.macros.use_one(at);
                Some(node.unwrap_or_else(|| {
                    failed.push(at);
                    dag.constant(false)
                }))
            },
            &mut faults,
        );
        self.dag = dag;
        let wrong = self.report_faults(faults, text, &expanded, (subject, report));
        if wrong.is_none() && failed.is_empty() {
            return Ok((expr, node));
        }
        let wrong = wrong.unwrap_or_default();
        Err(Wrong {
            macros: failed,
            ..wrong
        })
    }

    fn report_faults(
        &self,
        faults: Vec<DagFault>,
        text: &Text,
        expanded: &Expanded,
        (subject, report): (Subject<'_>, &mut Report<'_>),
    ) -> Option<Wrong> {
        let mut errors: Option<Wrong> = None;
        for fault in faults {
            let (span, fault) = match fault {
                DagFault::Check(check) => {
                    let severity = severity(check.code);
                    if severity == Severity::Error {
                        errors.get_or_insert_default().has_others |= !check.is_unknown;
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
                    errors.get_or_insert_default().is_text = true;
                    let message = "conditions and macros nest too deeply";
                    (span, Fault::error(Code::ErrCompileCondition, message))
                }
                DagFault::Macro(name, span) => {
                    errors.get_or_insert_default().is_text = true;
                    let names = self.definitions.macros.items().iter().map(|m| &*m.name);
                    let help = if self.lists.names().any(|list| list == name) {
                        Some(format!("`{name}` is a list: use it as `field in ({name})`"))
                    } else if subject.kind == "macro" && subject.name == name {
                        Some("a macro cannot use itself".to_owned())
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

    fn rule(&mut self, rule: &Rule, report: &mut Report<'_>) -> Option<Read> {
        let subject = Subject {
            kind: "rule",
            name: &rule.name,
        };
        let text = exceptions::with_exceptions(rule, report, subject);
        // With this key an unknown field takes the rule out instead of refusing the files.
        let mut trial = report.begin_trial();
        let visibility = Visibility {
            before: usize::MAX,
            depth: 0,
        };
        let read = self.condition(&text, subject, visibility, &mut trial);
        let format = read_output(rule, subject, &mut trial);
        // Falco looks at the output first, and then no longer at the condition.
        let is_skipped = rule.skip_if_unknown_filter
            && match (&read, &format) {
                (_, Err(wrong)) | (Err(wrong), Ok(_)) => wrong.is_only_unknown(&self.macros),
                (Ok(_), Ok(_)) => false,
            };
        let mut found = report.end_trial(trial);
        if let Err(wrong) = &read {
            if !is_skipped {
                self.macros.tell(&wrong.macros, report);
            } else if let Some(first) = self.macros.first_fault(&wrong.macros) {
                found.push(first.clone());
            }
        }
        for mut item in found {
            if is_skipped && item.severity == Severity::Error {
                item.severity = Severity::Warning;
                item.code = Code::UnknownFilter;
                let left_out = format!("; {subject} is left out");
                item.message.push_str(&left_out);
            }
            report.found.push(item);
        }
        let (condition, root) = read.ok()?;
        let format = format.ok()?;
        self.warn_of_event_types(rule, root, subject, report);
        Some(Read {
            condition,
            root,
            format,
        })
    }

    fn warn_of_event_types(
        &self,
        rule: &Rule,
        root: NodeId,
        subject: Subject<'_>,
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
            let message = "the rule can never match here: the agent sees none of its events, or \
                           what it compares never holds";
            report.at(place, subject, Fault::note(Code::NeverSeen, message));
        }
    }

    fn warn_of_unused(&self, report: &mut Report<'_>) {
        for at in self.macros.unused() {
            let known = &self.definitions.macros.items()[at];
            let message = format!(
                "macro `{}` is not referred to by any other rule/macro",
                known.name
            );
            let subject = Subject {
                kind: "macro",
                name: &known.name,
            };
            let fault = Fault::warning(Code::UnusedMacro, message);
            report.at(known.place, subject, fault);
        }
        for (at, name) in self.lists.unused() {
            let message = format!("list `{name}` is not referred to by any other rule/macro/list");
            let subject = Subject { kind: "list", name };
            let place = self.definitions.lists.items()[at].place;
            report.at(place, subject, Fault::warning(Code::UnusedList, message));
        }
    }
}

fn read_output(
    rule: &Rule,
    subject: Subject<'_>,
    report: &mut Report<'_>,
) -> Result<Format, Wrong> {
    let format = output::parse(rule.output.joined.trim_end()).map_err(|faults| {
        let mut wrong = Wrong::default();
        for fault in faults {
            wrong.has_others |= !fault.is_unknown;
            let place = rule.output.locate(fault.span, report.sources);
            let known = Fault::error(fault.code, fault.message).help(fault.help);
            report.at(place, subject, known);
        }
        wrong
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

/// What kind of thing is wrong with a condition or an output.
#[derive(Debug, Default)]
struct Wrong {
    /// The text cannot be read, or names what does not exist in these files.
    is_text: bool,
    /// A comparison is wrong by more than a name that is not known here.
    has_others: bool,
    /// Macros that it uses and that failed.
    macros: Vec<usize>,
}

impl Wrong {
    fn text() -> Self {
        Self {
            is_text: true,
            ..Self::default()
        }
    }

    /// Whether all that is wrong are names that `skip-if-unknown-filter` forgives.
    fn is_only_unknown(&self, macros: &Macros) -> bool {
        !self.is_text && !self.has_others && macros.are_only_unknown(&self.macros)
    }
}

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
