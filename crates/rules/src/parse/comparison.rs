//! Comparisons: an operator, and what stands on its right.

use super::{Parsed, Parser, SyntaxError};
use crate::ast::{Check, Expr, Literal, Modifier, Op, Operand, Right};
use crate::suggest::suggestion;

impl Parser<'_> {
    /// A comparison, behind its left side.
    pub(super) fn condition(&mut self, left: Operand, start: usize) -> Parsed<Expr> {
        self.cursor.blank();
        let op_at = self.cursor.at();
        let Some(op) = self.op() else {
            return Err(self.no_operator());
        };
        let mut modifier = None;
        let right = if op == Op::Exists {
            Right::Nothing
        } else if op.takes_number() {
            self.number_or_operand()?
        } else if op.takes_list() {
            self.list_or_operand()?
        } else {
            modifier = self.modifier();
            if modifier.is_some() {
                self.list_or_operand()?
            } else {
                self.string_or_operand()?
            }
        };
        let span = self.cursor.since(start);
        debug_assert!(op_at <= span.end, "an operator stands in its comparison");
        Ok(Expr::Check(Box::new(Check {
            left,
            op,
            modifier,
            right,
            span,
        })))
    }

    fn no_operator(&self) -> SyntaxError {
        let words = || Op::ALL.iter().map(|op| op.as_str());
        let all: Vec<_> = words().collect();
        let message = format!("expected a valid check operator: one of {}", all.join(" "));
        let error = self.error(message);
        let rest = self.cursor.rest();
        let length = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let word = std::str::from_utf8(&rest[..length]).unwrap_or_default();
        if words().any(|known| known == word) {
            return error.help(format!("a blank is needed behind `{word}`"));
        }
        match suggestion(word, words()).filter(|_| word.len() > 1) {
            Some(near) => error.help(format!("is `{near}` meant?")),
            None => error,
        }
    }

    fn op(&mut self) -> Option<Op> {
        if self.cursor.take("==") {
            return Some(Op::Equal);
        }
        Op::ALL.iter().copied().find(|op| {
            let word = op.as_str();
            // Words for strings want a blank behind them; signs and words for lists do not.
            let wants_blank =
                word.as_bytes()[0].is_ascii_alphabetic() && !op.takes_list() && *op != Op::Exists;
            if wants_blank {
                self.cursor.take_word(word)
            } else {
                self.cursor.take(word)
            }
        })
    }

    /// `oneof`, `anyof`, `allof` in front of a list; the same words are values elsewhere.
    fn modifier(&mut self) -> Option<Modifier> {
        let start = self.cursor.at();
        if !self.cursor.blank() {
            return None;
        }
        let found = self.cursor.identifier().and_then(Modifier::parse);
        if found.is_some() && self.cursor.blank() {
            let after = self.cursor.at();
            let is_list = self.cursor.take("(")
                || self
                    .cursor
                    .identifier()
                    .is_some_and(|word| word != "and" && word != "or");
            self.cursor.set(after);
            if is_list {
                return found;
            }
        }
        self.cursor.set(start);
        None
    }

    fn number_or_operand(&mut self) -> Parsed<Right> {
        if let Some(right) = self.right_call()? {
            return Ok(right);
        }
        let start = self.cursor.at();
        match self.cursor.number() {
            Some(number) => Ok(Right::Value(Literal {
                text: number.into(),
                span: self.cursor.since(start),
            })),
            None => Err(self.error("expected a number or a transformer")),
        }
    }

    fn string_or_operand(&mut self) -> Parsed<Right> {
        if let Some(right) = self.right_call()? {
            return Ok(right);
        }
        self.string().map(Right::Value)
    }

    fn list_or_operand(&mut self) -> Parsed<Right> {
        self.cursor.blank();
        if self.cursor.take("(") {
            self.cursor.blank();
            if self.cursor.take(")") {
                return Ok(Right::List(Vec::new()));
            }
            let mut values = Vec::with_capacity(self.usual_length());
            loop {
                values.push(self.string()?);
                self.cursor.blank();
                if !self.cursor.take(",") {
                    break;
                }
            }
            if !self.cursor.take(")") {
                let error = self.error("expected `,` or `)`");
                return Err(error.help("a value with blanks or signs in it needs quotes"));
            }
            return Ok(Right::List(values));
        }
        if let Some(right) = self.right_call()? {
            return Ok(right);
        }
        let start = self.cursor.at();
        match self.cursor.identifier() {
            // A list's name that no list has: its own only value.
            Some(name) => Ok(Right::List(vec![Literal {
                text: name.into(),
                span: self.cursor.since(start),
            }])),
            None => Err(self.error("expected values in parentheses, a list or a transformer")),
        }
    }

    /// How many values a list has when none of them holds a comma; very long lists may grow.
    fn usual_length(&self) -> usize {
        const LONGEST: usize = 1000;
        let inner = self.cursor.rest().iter().take_while(|byte| **byte != b')');
        inner.filter(|byte| **byte == b',').take(LONGEST).count() + 1
    }

    /// A transformer on the right side.
    fn right_call(&mut self) -> Parsed<Option<Right>> {
        self.cursor.blank();
        let start = self.cursor.at();
        let Some(function) = self.function(true) else {
            return Ok(None);
        };
        let operand = self.call(function, start)?;
        Ok(Some(Right::Operand(operand)))
    }

    fn string(&mut self) -> Parsed<Literal> {
        self.cursor.blank();
        let start = self.cursor.at();
        let text = match self.cursor.quoted() {
            Some(text) => text.map_err(|error| self.error(error.to_string()))?.into(),
            None => match self.cursor.bare_string() {
                Some(text) => text.into(),
                None if matches!(self.cursor.rest().first(), Some(b'"' | b'\'')) => {
                    let error = self.error("the string has no closing quote");
                    return Err(error.help("a quote behind a backslash does not end a string"));
                }
                None => return Err(self.error("expected a value")),
            },
        };
        let span = self.cursor.since(start);
        Ok(Literal { text, span })
    }
}
