//! How a container starts, and how it starts through `instrument`.
//!
//! The shape is `EntryPoint: [instrument]` and `Command: entrypoint ++ command`. Where a whole
//! array is an intrinsic that cannot be joined to another, `instrument` goes in front inside
//! `EntryPoint` and `Command` stays as it is; both start the same program.

use contract::path::INSTRUMENT;

use crate::image::{ImageConfig, ImageFacts};
use crate::value::{NO_VALUE, Value};

/// What a container starts, as its definition says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Launch<'v> {
    /// `EntryPoint`; `None` when it is absent or an empty list, which ECS reads alike.
    pub(super) entry: Option<&'v Value>,
    /// `Command`, likewise.
    pub(super) command: Option<&'v Value>,
}

/// The wrapped form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrapped {
    pub(super) entry: Value,
    /// `None`: leave `Command` as it is.
    pub(super) command: Option<Value>,
}

/// Why a container cannot be wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Neither the definition nor the image names a program.
    Nothing,
    /// The image's entrypoint is needed and unknown, with the reason.
    Unknown(String),
    /// An intrinsic stands where the flat shape needs a list.
    NotAList,
}

impl<'v> Launch<'v> {
    /// Reads both properties.
    pub(super) fn new(entry: Option<&'v Value>, command: Option<&'v Value>) -> Self {
        Self {
            entry: entry.and_then(present),
            command: command.and_then(present),
        }
    }

    /// Wraps.
    pub(super) fn wrap(self, image: &ImageFacts) -> Result<Wrapped, Obstacle> {
        match self.flat(image) {
            Ok(command) => Ok(Wrapped {
                entry: Value::strings([INSTRUMENT]),
                command: Some(command),
            }),
            Err(Obstacle::NotAList) => Ok(Wrapped {
                entry: prefixed(self.entry, image)?,
                command: match self.command {
                    Some(_) => None,
                    None => default_command(self.entry, image)?,
                },
            }),
            Err(obstacle) => Err(obstacle),
        }
    }

    /// The command of the flat shape, branch by branch.
    fn flat(self, image: &ImageFacts) -> Result<Value, Obstacle> {
        let condition = self
            .entry
            .and_then(Value::branches)
            .or_else(|| self.command.and_then(Value::branches));
        if let Some((condition, _, _)) = condition {
            let side = |yes| {
                self.assuming(condition, yes)
                    .flat(&assume(image, condition, yes))
            };
            return Ok(if_then(condition, side(true)?, side(false)?));
        }
        let list = |value: &'v Value| value.as_list().ok_or(Obstacle::NotAList);
        let command = self.command.map(list).transpose()?.unwrap_or_default();
        let Some(entry) = self.entry else {
            return from_image(image, self.command);
        };
        Ok(Value::List([list(entry)?, command].concat()))
    }

    /// The launch under a condition that is known.
    fn assuming(self, condition: &Value, yes: bool) -> Self {
        let pick = |value| assume_value(value, condition, yes);
        Self::new(self.entry.map(pick), self.command.map(pick))
    }
}

/// Drops what ECS reads as absent.
fn present(value: &Value) -> Option<&Value> {
    (!value.is_absent() && value.as_list() != Some(&[])).then_some(value)
}

fn assume_value<'v>(value: &'v Value, condition: &Value, yes: bool) -> &'v Value {
    match value.branches() {
        Some((c, a, b)) if c == condition => assume_value(if yes { a } else { b }, condition, yes),
        _ => value,
    }
}

fn assume(image: &ImageFacts, condition: &Value, yes: bool) -> ImageFacts {
    match image {
        ImageFacts::If(c, a, b) if c == condition => {
            assume(if yes { a } else { b }, condition, yes)
        }
        ImageFacts::If(c, a, b) => ImageFacts::If(
            c.clone(),
            Box::new(assume(a, condition, yes)),
            Box::new(assume(b, condition, yes)),
        ),
        other => other.clone(),
    }
}

fn if_then(condition: &Value, yes: Value, no: Value) -> Value {
    if yes == no {
        return yes;
    }
    Value::map([("Fn::If", Value::List(vec![condition.clone(), yes, no]))])
}

/// The image's entrypoint with the given command, or with its own.
fn from_image(image: &ImageFacts, command: Option<&Value>) -> Result<Value, Obstacle> {
    by_image(image, &|config| {
        let mut all: Vec<_> = config.entrypoint.iter().map(Value::string).collect();
        match command {
            Some(command) => all.extend_from_slice(command.as_list().unwrap_or_default()),
            None => all.extend(config.cmd.iter().map(Value::string)),
        }
        if all.is_empty() {
            Err(Obstacle::Nothing)
        } else {
            Ok(Value::List(all))
        }
    })
}

fn by_image(
    image: &ImageFacts,
    make: &dyn Fn(&ImageConfig) -> Result<Value, Obstacle>,
) -> Result<Value, Obstacle> {
    match image {
        ImageFacts::If(condition, yes, no) => Ok(if_then(
            condition,
            by_image(yes, make)?,
            by_image(no, make)?,
        )),
        ImageFacts::Known(config) => make(config),
        ImageFacts::Unknown(reason) => Err(Obstacle::Unknown(reason.clone())),
    }
}

/// The entrypoint with `instrument` in front.
fn prefixed(entry: Option<&Value>, image: &ImageFacts) -> Result<Value, Obstacle> {
    let Some(entry) = entry.and_then(present) else {
        return by_image(image, &|config| {
            Ok(in_front(config.entrypoint.iter().map(Value::string)))
        });
    };
    if let Some((condition, yes, no)) = entry.branches() {
        let yes = prefixed(Some(yes), &assume(image, condition, true))?;
        let no = prefixed(Some(no), &assume(image, condition, false))?;
        return Ok(if_then(condition, yes, no));
    }
    Ok(match entry {
        Value::List(items) => in_front(items.iter().cloned()),
        intrinsic => split_in_front(intrinsic),
    })
}

fn in_front(items: impl Iterator<Item = Value>) -> Value {
    Value::List(
        [Value::string(INSTRUMENT)]
            .into_iter()
            .chain(items)
            .collect(),
    )
}

/// Puts `instrument` in front of a list that only CloudFormation can see: the list is joined, and
/// split again. An `Fn::Split` keeps its delimiter; a list parameter cannot hold a comma.
fn split_in_front(list: &Value) -> Value {
    let join = |delimiter: &str, items: Vec<Value>| {
        Value::map([(
            "Fn::Join",
            Value::List(vec![Value::string(delimiter), Value::List(items)]),
        )])
    };
    let split = |delimiter: &str, source: Value| {
        Value::map([(
            "Fn::Split",
            Value::List(vec![Value::string(delimiter), source]),
        )])
    };
    if let Some(("Fn::Split", Value::List(arguments))) = list.intrinsic()
        && let [delimiter, source] = arguments.as_slice()
        && let Some(delimiter) = delimiter.as_str()
    {
        let items = vec![Value::string(INSTRUMENT), source.clone()];
        return split(delimiter, join(delimiter, items));
    }
    let reference = matches!(list.intrinsic(), Some(("Ref", _)));
    let delimiter = if reference { "," } else { "<|>" };
    let joined = Value::map([(
        "Fn::Join",
        Value::List(vec![Value::string(delimiter), list.clone()]),
    )]);
    split(
        delimiter,
        join(delimiter, vec![Value::string(INSTRUMENT), joined]),
    )
}

/// The command for branches that leave both the entrypoint and the command to the image: naming
/// an entrypoint makes ECS drop the image's `CMD`, so that it must be written out.
fn default_command(entry: Option<&Value>, image: &ImageFacts) -> Result<Option<Value>, Obstacle> {
    let command = command_of(entry, image)?;
    Ok((!command.is_absent()).then_some(command))
}

fn command_of(entry: Option<&Value>, image: &ImageFacts) -> Result<Value, Obstacle> {
    match entry.and_then(present) {
        None => by_image(image, &|config| {
            Ok(Value::strings(config.cmd.iter().cloned()))
        }),
        Some(entry) => match entry.branches() {
            Some((condition, yes, no)) => {
                let yes = command_of(Some(yes), &assume(image, condition, true))?;
                let no = command_of(Some(no), &assume(image, condition, false))?;
                Ok(if_then(condition, yes, no))
            }
            None => Ok(Value::reference(NO_VALUE)),
        },
    }
}

/// Says whether an entrypoint or command starts `instrument` already, in any branch.
pub(crate) fn is_wrapped(value: &Value) -> bool {
    starts_with(value, &|program| program == INSTRUMENT)
}

/// Says whether the program that a list starts satisfies `test`, in any branch.
pub(super) fn starts_with(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    if let Some((_, yes, no)) = value.branches() {
        return starts_with(yes, test) || starts_with(no, test);
    }
    match value.intrinsic() {
        Some(("Fn::Split" | "Fn::Join", Value::List(arguments))) => {
            arguments.get(1).is_some_and(|list| starts_with(list, test))
        }
        _ => value
            .as_list()
            .and_then(<[Value]>::first)
            .is_some_and(|first| first.as_str().is_some_and(test) || starts_with(first, test)),
    }
}

impl Wrapped {
    /// The documented result for a container of which nothing is known.
    pub(super) fn empty() -> Self {
        Self {
            entry: Value::strings([INSTRUMENT]),
            command: Some(Value::List(Vec::new())),
        }
    }
}
