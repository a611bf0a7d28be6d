//! Fields and transformers: do they exist, and what are their values?

use event::{Facts, Field, FieldArg, FieldId, FieldKind, Lookup, extract};

use super::{CheckFault, field_fault};
use crate::ast::{Function, Operand, Span};
use crate::predicate::{Call, Part, Source};

/// What the values of a side are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) kind: FieldKind,
    pub(super) is_list: bool,
    /// Whether it is of no use outside of the left side.
    pub(super) is_filter_only: bool,
}

/// Resolves one side of a comparison.
pub(super) fn source(operand: &Operand) -> Result<(Source, Shape), CheckFault> {
    match operand {
        Operand::Field { name, arg, span } => field_source(name, arg.as_deref(), *span),
        Operand::Call { .. } => {
            let (call, shape) = call(operand)?;
            Ok((Source::Call(Box::new(call)), shape))
        }
        Operand::List(_) | Operand::Literal(_) => Err(CheckFault::error(
            operand.span(),
            "a field or a transformer is needed here",
        )),
    }
}

fn field_source(name: &str, arg: Option<&str>, span: Span) -> Result<(Source, Shape), CheckFault> {
    let field = Field::resolve(name, arg).map_err(|error| field_fault(&error, span))?;
    let info = field.id.info();
    let is_ancestor = matches!(
        field.id,
        FieldId::ProcAcmdline
            | FieldId::ProcAexe
            | FieldId::ProcAexepath
            | FieldId::ProcAname
            | FieldId::ProcApid
    );
    let shape = Shape {
        kind: info.kind,
        is_list: info.is_list(),
        // Falco refuses ancestors on the right side whether they have a number or not.
        is_filter_only: info.is_filter_only() || is_ancestor,
    };
    let source = match field.id {
        FieldId::FdIp | FieldId::FdNet | FieldId::FdPort | FieldId::FdProto => {
            Source::Ends(field.id)
        }
        id if is_ancestor && field.arg == FieldArg::None => Source::Ancestors(id),
        _ => Source::Field(field),
    };
    Ok((source, shape))
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm per transformer reads best in one place"
)]
fn call(operand: &Operand) -> Result<(Call, Shape), CheckFault> {
    let Operand::Call {
        function,
        arguments,
        key,
        span,
    } = operand
    else {
        return Err(CheckFault::error(operand.span(), "a transformer is needed"));
    };
    let fault = |message: String| Err(CheckFault::error(*span, message));
    let name = function.as_str();
    let mut parts = Vec::new();
    let mut shapes = Vec::new();
    // `join("-", (a, b))` and `concat(a, b)`: the items of a list are parts like the others.
    let flat = arguments.iter().flat_map(|argument| match argument {
        Operand::List(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    });
    for argument in flat {
        let (part, shape) = part(argument)?;
        parts.push(part);
        shapes.push(shape);
    }
    let text = Shape {
        kind: FieldKind::Text,
        is_list: false,
        is_filter_only: false,
    };
    let shape = match function {
        Function::Concat => text,
        Function::Join => {
            if !matches!(parts.first(), Some(Part::Literal(_))) {
                return fault("`join` takes a quoted separator first".to_owned());
            }
            text
        }
        Function::Getopt => {
            let takes = matches!(&*parts, [_, Part::Literal(_)]);
            if !takes || shapes[0].kind != FieldKind::Text {
                return fault(
                    "`getopt` takes a string field and a quoted option string".to_owned(),
                );
            }
            if key.as_ref().is_some_and(|key| key.len() != 1) {
                return fault("`getopt` takes one letter in brackets".to_owned());
            }
            Shape {
                is_list: true,
                ..text
            }
        }
        Function::Val => shapes[0],
        Function::Len => {
            let first = shapes[0];
            if !first.is_list && !matches!(first.kind, FieldKind::Text | FieldKind::Buffer) {
                return fault(format!("`len` cannot be used on a {}", first.kind.as_str()));
            }
            Shape {
                kind: FieldKind::Uint,
                ..text
            }
        }
        Function::B64 | Function::Basename | Function::Tolower | Function::Toupper => {
            let first = shapes[0];
            let takes_bytes = *function == Function::B64 && first.kind == FieldKind::Buffer;
            if first.kind != FieldKind::Text && !takes_bytes {
                return fault(format!(
                    "`{name}` cannot be used on a {}",
                    first.kind.as_str()
                ));
            }
            first
        }
    };
    let call = Call {
        function: *function,
        parts,
        key: key.clone(),
    };
    Ok((call, shape))
}

fn part(argument: &Operand) -> Result<(Part, Shape), CheckFault> {
    match argument {
        Operand::Literal(text) => Ok((
            Part::Literal(text.as_bytes().into()),
            Shape {
                kind: FieldKind::Text,
                is_list: false,
                is_filter_only: false,
            },
        )),
        Operand::Call { .. } => {
            let (call, shape) = call(argument)?;
            Ok((Part::Call(Box::new(call)), shape))
        }
        Operand::Field { .. } => match source(argument)? {
            (Source::Field(field), shape) => Ok((Part::Field(field), shape)),
            _ => Err(CheckFault::error(
                argument.span(),
                format!("`{argument}` stands for several values and cannot be transformed"),
            )),
        },
        Operand::List(_) => Err(CheckFault::error(
            argument.span(),
            "a list cannot stand in a list",
        )),
    }
}

/// A field or transformer of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    source: Source,
}

impl Resolved {
    pub(crate) fn fields(&self, each: &mut dyn FnMut(Field)) {
        self.source.fields(each);
    }

    pub(crate) fn value<'a>(
        &'a self,
        facts: &'a dyn Facts,
        scratch: &'a mut Vec<u8>,
    ) -> Lookup<'a> {
        match &self.source {
            Source::Field(field) => extract(field, facts, scratch),
            Source::Call(call) => call.value(facts),
            // An ancestor field without a number shows the whole chain.
            Source::Ancestors(id) => extract(&Field::plain(*id), facts, scratch),
            Source::Ends(_) => Lookup::Unset,
        }
    }
}

/// Checks what an output shows.
pub(super) fn resolve(operand: &Operand) -> Result<Resolved, CheckFault> {
    let (source, shape) = source(operand)?;
    let is_chain = matches!(source, Source::Ancestors(_) | Source::Field(_));
    if shape.is_filter_only && !is_chain
        || matches!(&source, Source::Field(field) if field.id.info().is_filter_only())
    {
        return Err(CheckFault::error(
            operand.span(),
            format!("`{operand}` is for conditions only"),
        ));
    }
    Ok(Resolved { source })
}
