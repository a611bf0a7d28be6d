//! From a condition's text to its tree.
//!
//! Recursive descent after libsinsp's grammar: `not` binds before `and` before `or`, both of which
//! take any number of operands.

use crate::ast::{Check, Expr, Function, Literal, Modifier, Op, Operand, Right, Span};
use crate::lex::Cursor;

/// How deep parentheses may nest: Falco's own limit.
const MAX_DEPTH: usize = 1000;

/// Why a condition cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) span: Span,
}

type Parsed<T> = Result<T, SyntaxError>;

/// Whether `condition` follows the grammar. Names of fields, macros and lists are not looked at.
pub fn parses(condition: &str) -> bool {
    parse(condition).is_ok()
}

/// Reads a condition.
pub(crate) fn parse(text: &str) -> Parsed<Expr> {
    let mut parser = Parser {
        cursor: Cursor::new(text),
        depth: 0,
    };
    if text.is_empty() {
        return Err(parser.error("the condition is empty"));
    }
    let expr = parser.or()?;
    if parser.cursor.at() != text.len() {
        return Err(parser.error("expected `and`, `or` or the end of the condition"));
    }
    Ok(expr)
}

/// Reads what may stand on the left side of a comparison: a field or a transformer.
pub(crate) fn parse_operand(text: &str) -> Parsed<Operand> {
    let mut parser = Parser {
        cursor: Cursor::new(text),
        depth: 0,
    };
    parser.cursor.blank();
    let operand = parser
        .operand()?
        .ok_or_else(|| parser.error("expected a field or a transformer"))?;
    parser.cursor.blank();
    if parser.cursor.at() != text.len() {
        return Err(parser.error("expected the end"));
    }
    Ok(operand)
}

/// Reads a field or transformer at the beginning of `text`; also how many bytes it took.
pub(crate) fn parse_operand_prefix(text: &str) -> Parsed<(Operand, usize)> {
    let mut parser = Parser {
        cursor: Cursor::new(text),
        depth: 0,
    };
    let operand = parser
        .operand()?
        .ok_or_else(|| parser.error("expected a field or a transformer"))?;
    Ok((operand, parser.cursor.at()))
}

/// Operands between two parentheses, as far as they have been read.
#[derive(Default)]
struct Frame {
    /// Whether `not` stands before the opening parenthesis.
    is_negated: bool,
    ors: Vec<Expr>,
    ands: Vec<Expr>,
}

impl Frame {
    fn push(&mut self, operand: Expr, is_negated: bool) {
        self.ands.push(if is_negated {
            Expr::Not(Box::new(operand))
        } else {
            operand
        });
    }

    fn end_of_and(&mut self) {
        let ands = std::mem::take(&mut self.ands);
        self.ors.push(one_or(ands, Expr::And));
    }

    fn finish(mut self) -> Expr {
        self.end_of_and();
        one_or(self.ors, Expr::Or)
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, message: impl Into<String>) -> SyntaxError {
        let at = self.cursor.at();
        let word = self
            .cursor
            .rest()
            .iter()
            .take_while(|b| crate::lex::is_bare(**b))
            .count();
        SyntaxError {
            message: message.into(),
            span: Span {
                start: at,
                end: at + word.max(1),
            },
        }
    }

    /// A whole condition. Parentheses are kept on a stack of our own, so that no text can exhaust
    /// the program's.
    fn or(&mut self) -> Parsed<Expr> {
        let mut frames = vec![Frame::default()];
        loop {
            let is_negated = self.negations();
            let negates_group = !is_negated;
            let opens = if self.cursor.take("not(") {
                Some(negates_group)
            } else if self.cursor.take("(") {
                Some(is_negated)
            } else {
                None
            };
            if let Some(is_negated) = opens {
                if frames.len() >= MAX_DEPTH {
                    return Err(self.error(format!("parentheses nest deeper than {MAX_DEPTH}")));
                }
                frames.push(Frame {
                    is_negated,
                    ..Frame::default()
                });
                continue;
            }
            let operand = self.check()?;
            let Some(frame) = frames.last_mut() else {
                return Err(self.error("unexpected `)`"));
            };
            frame.push(operand, is_negated);
            if let Some(whole) = self.close(&mut frames)? {
                return Ok(whole);
            }
        }
    }

    /// `not` any number of times; whether they negate.
    fn negations(&mut self) -> bool {
        let mut is_negated = false;
        self.cursor.blank();
        while self.cursor.take_word("not") {
            is_negated = !is_negated;
            self.cursor.blank();
        }
        is_negated
    }

    /// What follows an operand: `and`, `or`, closing parentheses, or the end. The condition, when
    /// it is complete.
    fn close(&mut self, frames: &mut Vec<Frame>) -> Parsed<Option<Expr>> {
        loop {
            self.cursor.blank();
            let word = if self.cursor.take("and") {
                "and"
            } else if self.cursor.take("or") {
                if let Some(frame) = frames.last_mut() {
                    frame.end_of_and();
                }
                "or"
            } else {
                let Some(frame) = frames.pop() else {
                    return Err(self.error("unexpected `)`"));
                };
                let is_negated = frame.is_negated;
                let group = frame.finish();
                let Some(outer) = frames.last_mut() else {
                    return Ok(Some(group));
                };
                if !self.cursor.take(")") {
                    return Err(self.error("expected `and`, `or` or `)`"));
                }
                outer.push(group, is_negated);
                continue;
            };
            // Behind `and` and `or`: a blank or an opening parenthesis, left for the next operand.
            if self.cursor.rest().first() != Some(&b'(') && !self.cursor.blank() {
                return Err(self.error(format!("expected a blank or `(` after `{word}`")));
            }
            return Ok(None);
        }
    }

    fn check(&mut self) -> Parsed<Expr> {
        self.cursor.blank();
        let start = self.cursor.at();
        if let Some(left) = self.operand()? {
            return self.condition(left, start);
        }
        if let Some(name) = self.cursor.identifier() {
            let name = name.to_owned();
            let span = self.cursor.since(start);
            return Ok(Expr::Macro { name, span });
        }
        Err(self.error("expected `(`, a comparison or a macro"))
    }

    /// A field or a transformer; `None` when neither starts here.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
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
    fn function(&mut self, with_val: bool) -> Option<Function> {
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
    fn call(&mut self, function: Function, start: usize) -> Parsed<Operand> {
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

    fn condition(&mut self, left: Operand, start: usize) -> Parsed<Expr> {
        self.cursor.blank();
        let op_at = self.cursor.at();
        let Some(op) = self.op() else {
            let words: Vec<_> = Op::ALL.iter().map(|op| op.as_str()).collect();
            return Err(self.error(format!(
                "expected a valid check operator: one of {}",
                words.join(" ")
            )));
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
                text: number.to_owned(),
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
            let mut values = Vec::new();
            self.cursor.blank();
            if self.cursor.take(")") {
                return Ok(Right::List(values));
            }
            loop {
                values.push(self.string()?);
                self.cursor.blank();
                if !self.cursor.take(",") {
                    break;
                }
            }
            if !self.cursor.take(")") {
                return Err(self.error("expected `,` or `)`"));
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
                text: name.to_owned(),
                span: self.cursor.since(start),
            }])),
            None => Err(self.error("expected values in parentheses, a list or a transformer")),
        }
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
            Some(text) => text.map_err(|error| self.error(error.to_string()))?,
            None => match self.cursor.bare_string() {
                Some(text) => text.to_owned(),
                None => return Err(self.error("expected a value")),
            },
        };
        let span = self.cursor.since(start);
        Ok(Literal { text, span })
    }
}

fn one_or(mut operands: Vec<Expr>, several: fn(Vec<Expr>) -> Expr) -> Expr {
    if operands.len() == 1 {
        operands.remove(0)
    } else {
        several(operands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_not_and_or() {
        let expr = parse("not a and b or c and not not d").unwrap();
        assert_eq!(expr.to_string(), "((not a and b) or (c and d))");
    }

    #[test]
    fn printing_reads_back() {
        for text in [
            "proc.name in (a, \"b c\", 'd')",
            "evt.arg[0] contains \"x\\\"y\"",
            "evt.arg[0] contains a\\",
            "tolower(basename(fd.name)) = val(proc.name)",
            "join(\"-\", (fd.name, \"x\")) exists",
            "proc.name startswith anyof (a, b) or not (x and y)",
            "getopt(proc.args, \"nt:\")[t] = value",
        ] {
            let once = parse(text).unwrap().to_string();
            assert_eq!(parse(&once).unwrap().to_string(), once, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = "(".repeat(100_000);
        assert!(parse(&deep).is_err());
        let negated = "not ".repeat(100_000) + "a";
        assert!(parse(&negated).is_ok());
    }
}
