//! Fields and transformers.

use super::{MAX_DEPTH, Parsed, Parser};
use crate::ast::{Function, Operand};

impl Parser<'_> {
    /// A field or a transformer; `None` when neither starts here.
    pub(super) fn operand(&mut self) -> Parsed<Option<Operand>> {
        let start = self.cursor.at();
        if let Some(function) = self.function(false) {
            return self.call(function, start).map(Some);
        }
        let Some(name) = self.cursor.field_name() else {
            return Ok(None);
        };
        let name = name.to_owned();
        self.field(name, start).map(Some)
    }

    fn field(&mut self, name: String, start: usize) -> Parsed<Operand> {
        let arg = self.argument()?;
        let span = self.cursor.since(start);
        Ok(Operand::Field { name, arg, span })
    }

    /// What stands in brackets, where there are some.
    fn argument(&mut self) -> Parsed<Option<String>> {
        if !self.cursor.take("[") {
            return Ok(None);
        }
        let argument = match self.cursor.quoted() {
            Some(text) => text.map_err(|error| self.error(error.to_string()))?,
            None => match self.cursor.bare_argument() {
                Some(text) => text.to_owned(),
                None => {
                    return Err(self.error(
                        "expected a valid field argument: a quoted string or a bare string",
                    ));
                }
            },
        };
        if !self.cursor.take("]") {
            return Err(self.error("expected a `]` token"));
        }
        Ok(Some(argument))
    }

    /// A transformer's name with the parenthesis right behind it.
    pub(super) fn function(&mut self, with_val: bool) -> Option<Function> {
        let start = self.cursor.at();
        let function = self
            .cursor
            .identifier()
            .and_then(Function::parse)
            .filter(|function| with_val || *function != Function::Val);
        if function.is_some() && self.cursor.take("(") {
            return function;
        }
        self.cursor.set(start);
        None
    }

    /// A transformer, behind its opening parenthesis.
    pub(super) fn call(&mut self, function: Function, start: usize) -> Parsed<Operand> {
        self.depth += 1;
        if self.depth >= MAX_DEPTH {
            return Err(self.error(format!("transformers nest deeper than {MAX_DEPTH}")));
        }
        let mut arguments = Vec::new();
        self.cursor.blank();
        if function.takes_several() {
            loop {
                self.cursor.blank();
                arguments.push(self.call_argument(true)?);
                self.cursor.blank();
                if !self.cursor.take(",") {
                    break;
                }
            }
        } else {
            let is_val = function == Function::Val;
            let inner = if is_val {
                let at = self.cursor.at();
                match self.cursor.field_name().map(str::to_owned) {
                    Some(name) => Some(self.field(name, at)?),
                    None => None,
                }
            } else {
                self.operand()?
            };
            let Some(inner) = inner else {
                return Err(self.error(if is_val {
                    "expected a field within `val`"
                } else {
                    "expected a field or a nested transformer"
                }));
            };
            arguments.push(inner);
            self.cursor.blank();
        }
        if !self.cursor.take(")") {
            return Err(self.error("expected a `)` token closing the transformer"));
        }
        self.depth -= 1;
        let key = if function == Function::Getopt {
            self.argument()?
        } else {
            None
        };
        let span = self.cursor.since(start);
        Ok(Operand::Call {
            function,
            arguments,
            key,
            span,
        })
    }

    /// An argument of a transformer that takes several: a field, a transformer, a quoted string, a
    /// number, or a list of these.
    fn call_argument(&mut self, lists: bool) -> Parsed<Operand> {
        if lists && self.cursor.take("(") {
            let mut items = Vec::new();
            self.cursor.blank();
            if self.cursor.take(")") {
                return Ok(Operand::List(items));
            }
            loop {
                self.cursor.blank();
                items.push(self.call_argument(false)?);
                self.cursor.blank();
                if !self.cursor.take(",") {
                    break;
                }
            }
            if !self.cursor.take(")") {
                return Err(self.error("expected `,` or `)`"));
            }
            return Ok(Operand::List(items));
        }
        if let Some(text) = self.cursor.quoted() {
            return text
                .map(Operand::Literal)
                .map_err(|error| self.error(error.to_string()));
        }
        if let Some(operand) = self.operand()? {
            return Ok(operand);
        }
        match self.cursor.number() {
            Some(number) => Ok(Operand::Literal(number.to_owned())),
            None => Err(self.error("expected a field, a transformer, a quoted string or a number")),
        }
    }
}
