//! From a condition's text to its tree.
//!
//! Recursive descent after libsinsp's grammar: `not` binds before `and` before `or`, both of which
//! take any number of operands.

use crate::ast::{Expr, Operand, Span};
use crate::lex::Cursor;

mod comparison;
mod operand;

/// How deep parentheses may nest: Falco's own limit.
const MAX_DEPTH: usize = 1000;

/// Why a condition cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) span: Span,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl SyntaxError {
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
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
        let error = parser.error("expected `and`, `or` or the end of the condition");
        return Err(match parser.advice(parser.cursor.taken(), &expr) {
            Some(help) => error.help(help),
            None => error,
        });
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
struct Frame {
    /// Whether `not` stands before the opening parenthesis.
    is_negated: bool,
    /// Where the operands of `or` begin among all that wait.
    ors: usize,
    /// Where behind them those of `and` begin.
    ands: usize,
}

/// Parentheses that are open, and the operands in them, the innermost last.
struct Stack {
    frames: Vec<Frame>,
    operands: Vec<Expr>,
}

impl Stack {
    fn new() -> Self {
        let mut stack = Self {
            frames: Vec::new(),
            operands: Vec::new(),
        };
        stack.open(false);
        stack
    }

    fn open(&mut self, is_negated: bool) {
        let at = self.operands.len();
        self.frames.push(Frame {
            is_negated,
            ors: at,
            ands: at,
        });
    }

    fn push(&mut self, operand: Expr, is_negated: bool) {
        self.operands.push(if is_negated {
            Expr::Not(Box::new(operand))
        } else {
            operand
        });
    }

    /// Makes operands one, from there on.
    fn join(&mut self, from: usize, several: fn(Vec<Expr>) -> Expr) {
        if self.operands.len() != from + 1 {
            let joined = several(self.operands.split_off(from));
            self.operands.push(joined);
        }
    }

    fn end_of_and(&mut self) {
        if let Some(frame) = self.frames.last() {
            self.join(frame.ands, Expr::And);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.ands = self.operands.len();
        }
    }

    /// Ends the innermost parentheses: what is in them, and whether that is negated.
    fn close(&mut self) -> Option<(Expr, bool)> {
        self.end_of_and();
        let frame = self.frames.pop()?;
        self.join(frame.ors, Expr::Or);
        Some((self.operands.pop()?, frame.is_negated))
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
            help: None,
        }
    }

    /// What was probably meant where a condition ends too early, after `before`.
    fn advice(&self, before: &str, expr: &Expr) -> Option<String> {
        let rest = self.cursor.rest();
        for (wrong, right) in [("&&", "and"), ("||", "or"), ("AND", "and"), ("OR", "or")] {
            if rest.starts_with(wrong.as_bytes()) {
                return Some(format!("write it `{right}`"));
            }
        }
        if let Some(name) = last_macro(expr) {
            return Some(format!(
                "`{name}` is taken for a macro; fields have a dot in their name"
            ));
        }
        let is_sign = matches!(rest.first(), Some(b'=' | b',' | b'"' | b'\'' | b'('));
        if is_sign {
            return Some("a value with `= , \" '` or parentheses in it needs quotes".to_owned());
        }
        if rest.first() == Some(&b')') {
            return Some("this parenthesis was never opened".to_owned());
        }
        let is_unit = before.ends_with(|c: char| c.is_ascii_digit())
            && rest.first().is_some_and(u8::is_ascii_alphabetic);
        if is_unit {
            return Some("numbers have no units; times are nanoseconds".to_owned());
        }
        let is_in_value = before.ends_with(' ');
        is_in_value.then(|| "a value with blanks in it needs quotes".to_owned())
    }

    /// A whole condition. Parentheses are kept on a stack of our own, so that no text can exhaust
    /// the program's.
    fn or(&mut self) -> Parsed<Expr> {
        let mut stack = Stack::new();
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
                if stack.frames.len() >= MAX_DEPTH {
                    return Err(self.error(format!("parentheses nest deeper than {MAX_DEPTH}")));
                }
                stack.open(is_negated);
                continue;
            }
            let operand = self.check()?;
            stack.push(operand, is_negated);
            if let Some(whole) = self.close(&mut stack)? {
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
    fn close(&mut self, stack: &mut Stack) -> Parsed<Option<Expr>> {
        loop {
            self.cursor.blank();
            let word = if self.cursor.take("and") {
                "and"
            } else if self.cursor.take("or") {
                stack.end_of_and();
                "or"
            } else {
                let Some((group, is_negated)) = stack.close() else {
                    return Err(self.error("unexpected `)`"));
                };
                if stack.frames.is_empty() {
                    return Ok(Some(group));
                }
                if !self.cursor.take(")") {
                    return Err(self.error("expected `and`, `or` or `)`"));
                }
                stack.push(group, is_negated);
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
}

/// The macro that a condition ends with.
fn last_macro(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::And(items) | Expr::Or(items) => last_macro(items.last()?),
        Expr::Not(item) => last_macro(item),
        Expr::Macro { name, .. } => Some(name),
        Expr::Check(_) => None,
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
