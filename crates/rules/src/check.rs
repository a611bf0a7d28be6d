//! From a comparison as written to one that can be asked: fields, types, operators, values.

use event::{EventType, EventTypeSet, Field, FieldArg, FieldError, FieldId, FieldKind};

use crate::ast::{Check, Literal, Op, Operand, Right, Span};
use crate::diagnostic::Code;
use crate::predicate::{Predicate, Source, Test};
use crate::suggest::suggestion;

mod operands;
mod regex;
mod syscalls;
mod values;

pub(crate) use operands::Resolved;
use operands::{Shape, source};
pub(crate) use syscalls::is_known_event;

/// What is wrong with a comparison, or doubtful about it.
#[derive(Clone, Debug)]
pub(crate) struct CheckFault {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) span: Span,
    /// Whether it is about a field or a type of events that does not exist
    /// (`skip-if-unknown-filter`).
    pub(crate) is_unknown: bool,
}

impl CheckFault {
    fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            code: Code::ErrCompileCondition,
            message: message.into(),
            help: None,
            span,
            is_unknown: false,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A comparison that has been checked.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) predicate: Predicate,
    /// The types of events for which it may hold.
    pub(crate) may_hold: EventTypeSet,
    /// The types of events for which it may not hold.
    pub(crate) may_fail: EventTypeSet,
    pub(crate) doubts: Vec<CheckFault>,
}

/// Checks a comparison.
pub(crate) fn check(check: &Check) -> Result<Checked, CheckFault> {
    let mut doubts = Vec::new();
    let (source, shape) = source(&check.left)?;
    allow_operator(check, &source, shape)?;
    doubt_field(check, &source, &mut doubts);
    let test = test(check, &source, shape, &mut doubts)?;
    let is_absent = matches!(&source, Source::Field(field) if field.id.info().is_absent());
    let test = if is_absent { Test::Never } else { test };
    let predicate = Predicate { source, test };
    let (may_hold, may_fail) = reach(&predicate, check)?;
    Ok(Checked {
        predicate,
        may_hold,
        may_fail,
        doubts,
    })
}

/// Checks what may stand on the left side of a comparison.
pub(crate) fn check_left(operand: &Operand) -> Result<(), CheckFault> {
    source(operand).map(|_| ())
}

/// Checks what an output shows.
pub(crate) fn resolve_output(operand: &Operand) -> Result<Resolved, CheckFault> {
    operands::resolve(operand)
}

/// The fault for a name that is not a field.
pub(crate) fn field_fault(error: &FieldError, span: Span) -> CheckFault {
    let mut fault = CheckFault::error(span, error.to_string());
    if let FieldError::Unknown(name) = error {
        fault.is_unknown = true;
        let names = event::FIELDS.iter().map(|info| info.name);
        fault.help = Some(match suggestion(name, names) {
            Some(near) => format!("a field with a similar name is `{near}`"),
            None => "`docs/fields.md` lists all fields".to_owned(),
        });
    }
    fault
}

fn allow_operator(check: &Check, source: &Source, shape: Shape) -> Result<(), CheckFault> {
    let op = check.op;
    let allowed = match (op, shape.kind) {
        (Op::Exists | Op::Equal | Op::NotEqual | Op::In | Op::Intersects, _) => true,
        (Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual, kind) => {
            kind.is_number() || kind == FieldKind::Text
        }
        (Op::Bcontains | Op::Bstartswith, kind) => kind == FieldKind::Buffer,
        (Op::Contains | Op::Startswith | Op::Endswith, kind) => {
            matches!(kind, FieldKind::Text | FieldKind::Buffer)
        }
        (Op::Glob | Op::Iglob | Op::Icontains | Op::Pmatch | Op::Regex, kind) => {
            kind == FieldKind::Text
        }
    };
    if !allowed {
        let message = format!(
            "operator `{}` cannot be used on `{}`, which is a {}",
            op.as_str(),
            check.left,
            shape.kind.as_str()
        );
        return Err(CheckFault::error(check.span, message));
    }
    if shape.is_list
        && !matches!(
            op,
            Op::Exists | Op::In | Op::Intersects | Op::Equal | Op::NotEqual
        )
        && matches!(source, Source::Field(_))
    {
        let message = format!("operator `{}` cannot be used on a list", op.as_str());
        return Err(CheckFault::error(check.span, message));
    }
    Ok(())
}

/// Doubts about the field alone.
fn doubt_field(check: &Check, source: &Source, doubts: &mut Vec<CheckFault>) {
    let Source::Field(field) = source else {
        return;
    };
    if field.id == FieldId::EvtDir {
        doubts.push(CheckFault {
            code: Code::DeprecatedItem,
            message: "usage of deprecated field `evt.dir` has been detected in the rule condition"
                .to_owned(),
            help: Some("events are told once, with their result: leave it out".to_owned()),
            span: check.left.span(),
            is_unknown: false,
        });
    }
    if let (FieldId::EvtArg | FieldId::EvtRawarg, FieldArg::Key(key)) = (field.id, &field.arg)
        && event::argument(key).is_none()
    {
        let near = suggestion(key, event::ARGUMENTS.iter().copied());
        doubts.push(CheckFault {
            code: Code::CompileCondition,
            message: format!("no event of this agent has an argument `{key}`"),
            help: near.map(|near| format!("an argument with a similar name is `{near}`")),
            span: check.left.span(),
            is_unknown: false,
        });
    }
}

fn test(
    check: &Check,
    source: &Source,
    shape: Shape,
    doubts: &mut Vec<CheckFault>,
) -> Result<Test, CheckFault> {
    match &check.right {
        Right::Nothing => Ok(Test::Exists),
        Right::Operand(operand) => right_operand(check, operand, source, shape),
        Right::Value(value) => {
            doubt_value(check, value, doubts);
            values::single(check.op, shape.kind, value)
        }
        Right::List(list) => {
            for value in list {
                doubt_value(check, value, doubts);
            }
            if let Some(modifier) = check.modifier {
                let tests = list
                    .iter()
                    .map(|value| values::single(check.op, shape.kind, value))
                    .collect::<Result<_, _>>()?;
                return Ok(Test::Several(modifier, tests));
            }
            // Falco looks at the first network only.
            let list = match source {
                Source::Ends(FieldId::FdNet) => list.get(..1).unwrap_or_default(),
                _ => list,
            };
            values::several(check.op, shape.kind, list)
        }
    }
}

/// Values that look like something else.
fn doubt_value(check: &Check, value: &Literal, doubts: &mut Vec<CheckFault>) {
    let mut doubt = |code, message: String| {
        doubts.push(CheckFault {
            code,
            message,
            help: None,
            span: value.span,
            is_unknown: false,
        });
    };
    let text = value.text.trim();
    if text == "<NA>" && is_prone_to_na(&check.left) {
        doubt(
            Code::UnsafeNaCheck,
            "comparing a field with `<NA>` never holds: use `exists`".to_owned(),
        );
    }
    if !text.contains(['.', '(']) {
        return;
    }
    if Field::resolve(text, None).is_ok() {
        doubt(
            Code::CompileCondition,
            format!(
                "`{}` may be a valid field misused as a const string value",
                value.text
            ),
        );
    } else if text.ends_with(')') && crate::parse::parse_operand(text).is_ok() {
        doubt(
            Code::CompileCondition,
            format!(
                "`{}` may be a valid field transformer misused as a const string value",
                value.text
            ),
        );
    }
}

/// Fields of which rule writers expect `<NA>` where there is none.
fn is_prone_to_na(operand: &Operand) -> bool {
    match operand {
        Operand::Field { name, .. } => ["k8s.", "ka.", "jevt."]
            .iter()
            .any(|prefix| name.starts_with(prefix)),
        Operand::Call { arguments, .. } => arguments.iter().any(is_prone_to_na),
        Operand::List(items) => items.iter().any(is_prone_to_na),
        Operand::Literal(_) => false,
    }
}

fn right_operand(
    check: &Check,
    operand: &Operand,
    left: &Source,
    shape: Shape,
) -> Result<Test, CheckFault> {
    let (right, right_shape) = source(operand)?;
    let fault = |message: String| Err(CheckFault::error(operand.span(), message));
    if matches!(check.op, Op::Pmatch | Op::Regex) {
        return fault(format!(
            "operator `{}` takes values only, not a field",
            check.op.as_str()
        ));
    }
    if matches!(right, Source::Ancestors(_) | Source::Ends(_)) || right_shape.is_filter_only {
        return fault(format!("`{operand}` cannot be used on the right side"));
    }
    if matches!(left, Source::Ancestors(_) | Source::Ends(_)) {
        return fault(format!("`{}` can be compared with values only", check.left));
    }
    if shape.kind == FieldKind::Net || right_shape.kind == FieldKind::Net {
        return fault("networks can be compared with values only".to_owned());
    }
    if shape.kind != right_shape.kind || shape.is_list != right_shape.is_list {
        return fault(format!(
            "`{}` is a {}, but `{operand}` is a {}",
            check.left,
            shape.kind.as_str(),
            right_shape.kind.as_str()
        ));
    }
    Ok(Test::Right(check.op, right))
}

/// The types of events for which a comparison may hold and may fail.
fn reach(predicate: &Predicate, check: &Check) -> Result<(EventTypeSet, EventTypeSet), CheckFault> {
    let all = EventTypeSet::all();
    if matches!(predicate.test, Test::Never) {
        return Ok((EventTypeSet::EMPTY, all));
    }
    let Source::Field(field) = &predicate.source else {
        return Ok((all, all));
    };
    let on_constant = |value: &[u8]| {
        let value = event::Value::Text(value.into());
        if predicate.test.holds(&value) {
            (all, EventTypeSet::EMPTY)
        } else {
            (EventTypeSet::EMPTY, all)
        }
    };
    if matches!(predicate.test, Test::Right(..)) {
        return Ok((all, all));
    }
    Ok(match field.id {
        FieldId::EvtType | FieldId::SyscallType => {
            known_event_types(check)?;
            let holds: EventTypeSet = EventType::ALL
                .iter()
                .copied()
                .filter(|kind| {
                    let name = event::Value::Text(kind.as_str().as_bytes().into());
                    predicate.test.holds(&name)
                })
                .collect();
            (holds, holds.complement())
        }
        FieldId::EvtDir => on_constant(b"<"),
        FieldId::EvtSource => on_constant(b"syscall"),
        // Events are numbered from 1: the idiom for a condition that never holds.
        FieldId::EvtNum if predicate.test.holds(&event::Value::Uint(0)) && is_zero(check) => {
            (EventTypeSet::EMPTY, all)
        }
        FieldId::EvtIsOpenRead | FieldId::EvtIsOpenWrite => {
            let opens = EventType::ALL.iter().copied().filter(|kind| kind.is_open());
            let opens: EventTypeSet = opens.collect();
            if predicate.test.holds(&event::Value::Bool(false)) {
                (all, opens)
            } else {
                (opens, all)
            }
        }
        _ => (all, all),
    })
}

fn is_zero(check: &Check) -> bool {
    check.op == Op::Equal && matches!(&check.right, Right::Value(value) if &*value.text == "0")
}

/// Names of events are checked where they are compared as a whole.
fn known_event_types(check: &Check) -> Result<(), CheckFault> {
    if !matches!(check.op, Op::Equal | Op::NotEqual | Op::In | Op::Intersects) {
        return Ok(());
    }
    let names = match &check.right {
        Right::List(list) => list.as_slice(),
        Right::Value(value) => std::slice::from_ref(value),
        Right::Nothing | Right::Operand(_) => &[],
    };
    for name in names {
        if !is_known_event(&name.text) {
            let message = format!("unknown event type `{}`", name.text);
            let known = EventType::ALL.iter().map(|kind| kind.as_str());
            let mut fault = CheckFault::error(name.span, message);
            fault.is_unknown = true;
            return Err(match suggestion(&name.text, known) {
                Some(near) => fault.help(format!("an event type with a similar name is `{near}`")),
                None => fault,
            });
        }
    }
    Ok(())
}
