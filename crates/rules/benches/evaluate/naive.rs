//! The plain evaluator that the engine is measured against and tested with: each rule's tree on
//! its own, walked from left to right, every comparison asked when it is come to.
//!
//! It shares nothing with the engine but the look-up of fields: it reads conditions from their
//! printed form with a reader of its own, and compares in its own way.

use std::collections::HashSet;
use std::net::IpAddr;

use event::{
    Case, Facts, Field, FieldArg, FieldId, FieldKind, Lookup, Value, any_ancestor, ends, extract,
    glob,
};

/// A condition.
#[derive(Debug)]
pub(crate) enum Tree {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Check(Check),
}

#[derive(Debug)]
pub(crate) struct Check {
    field: Field,
    op: String,
    values: Vec<String>,
    set: HashSet<Vec<u8>>,
}

/// The answer to a condition while a result may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    No,
    Open,
    Yes,
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Tree {
    /// Reads a condition as the engine prints it: `(a and not b)`.
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader { rest: text };
        let tree = reader.operand();
        assert_eq!(reader.rest, "", "all of {text} is read");
        tree
    }

    pub(crate) fn ask(&self, facts: &dyn Facts) -> Answer {
        match self {
            Self::All(items) => {
                let mut answer = Answer::Yes;
                for item in items {
                    match item.ask(facts) {
                        Answer::No => return Answer::No,
                        Answer::Open => answer = Answer::Open,
                        Answer::Yes => {}
                    }
                }
                answer
            }
            Self::Any(items) => {
                let mut answer = Answer::No;
                for item in items {
                    match item.ask(facts) {
                        Answer::Yes => return Answer::Yes,
                        Answer::Open => answer = Answer::Open,
                        Answer::No => {}
                    }
                }
                answer
            }
            Self::Not(item) => match item.ask(facts) {
                Answer::No => Answer::Yes,
                Answer::Open => Answer::Open,
                Answer::Yes => Answer::No,
            },
            Self::Check(check) => check.ask(facts),
        }
    }
}

impl Check {
    fn ask(&self, facts: &dyn Facts) -> Answer {
        let is_bare = self.field.arg == FieldArg::None;
        match self.field.id {
            FieldId::FdIp | FieldId::FdNet | FieldId::FdPort => return self.either_end(facts),
            FieldId::ProcAname if is_bare => {
                return any_ancestor(facts, |p| self.holds(&Value::Text(p.comm().into()))).into();
            }
            FieldId::ProcAexe if is_bare => {
                return any_ancestor(facts, |p| self.holds(&Value::Text(p.exe().into()))).into();
            }
            _ => {}
        }
        let mut scratch = Vec::new();
        match extract(&self.field, facts, &mut scratch) {
            Lookup::Unset => Answer::No,
            Lookup::Pending => Answer::Open,
            Lookup::Is(value) => self.holds(&value).into(),
        }
    }

    fn either_end(&self, facts: &dyn Facts) -> Answer {
        let ends = ends(facts);
        let known: Vec<bool> = [ends.local, ends.peer]
            .into_iter()
            .flatten()
            .map(|address| match self.field.id {
                FieldId::FdPort => self.holds(&Value::Uint(address.port().into())),
                _ => self.holds(&Value::Ip(address.ip().to_canonical())),
            })
            .collect();
        if self.op == "!=" {
            match known.iter().all(|differs| *differs) {
                false => Answer::No,
                true if ends.is_pending => Answer::Open,
                true => (!known.is_empty()).into(),
            }
        } else {
            match known.contains(&true) {
                true => Answer::Yes,
                false if ends.is_pending => Answer::Open,
                false => Answer::No,
            }
        }
    }

    fn holds(&self, value: &Value<'_>) -> bool {
        if self.op == "exists" {
            return true;
        }
        match value {
            Value::Text(text) => self.text_holds(text),
            Value::Bool(yes) => {
                let equal = self
                    .values
                    .iter()
                    .any(|v| v == if *yes { "true" } else { "false" });
                equal != (self.op == "!=")
            }
            Value::Int(number) => self.number_holds(i128::from(*number)),
            Value::Uint(number) => self.number_holds(i128::from(*number)),
            Value::Ip(ip) => {
                // Of `fd.net in (…)` only the first network counts.
                let first = self.field.id == FieldId::FdNet;
                let values = if first {
                    self.values.get(..1).unwrap_or_default()
                } else {
                    &self.values
                };
                let found = values.iter().any(|v| contains_ip(v, *ip));
                found != (self.op == "!=")
            }
            Value::List(items) => items.iter().any(|item| self.holds(item)),
        }
    }

    fn text_holds(&self, text: &[u8]) -> bool {
        let value = self
            .values
            .first()
            .map(String::as_bytes)
            .unwrap_or_default();
        match &*self.op {
            "=" => text == value,
            "!=" => text != value,
            "in" | "intersects" => self.set.contains(text),
            "contains" => value.is_empty() || text.windows(value.len()).any(|w| w == value),
            "icontains" => {
                value.is_empty()
                    || text
                        .windows(value.len())
                        .any(|w| w.eq_ignore_ascii_case(value))
            }
            "startswith" => text.starts_with(value),
            "endswith" => text.ends_with(value),
            "glob" => glob(value, text, Case::Keep),
            "iglob" => glob(value, text, Case::Fold),
            "pmatch" => self.values.iter().any(|path| is_below(path, text)),
            "<" => text < value,
            "<=" => text <= value,
            ">" => text > value,
            ">=" => text >= value,
            _ => false,
        }
    }

    fn number_holds(&self, number: i128) -> bool {
        let unsigned = self.field.id.info().kind != FieldKind::Int;
        let read = |text: &String| {
            let read = match text.strip_prefix("0x") {
                Some(digits) => i128::from_str_radix(digits, 16),
                None => text.parse::<i128>(),
            };
            let read =
                read.unwrap_or_else(|_| event::port_of_service(text).map_or(i128::MIN, i128::from));
            if unsigned && read < 0 {
                read + (1 << 64)
            } else {
                read
            }
        };
        let mut values = self.values.iter().map(read);
        match &*self.op {
            "!=" => values.all(|v| v != number),
            "<" => values.any(|v| number < v),
            "<=" => values.any(|v| number <= v),
            ">" => values.any(|v| number > v),
            ">=" => values.any(|v| number >= v),
            _ => values.any(|v| v == number),
        }
    }
}

fn contains_ip(net: &str, ip: IpAddr) -> bool {
    let Some((base, length)) = net.split_once('/') else {
        return net.parse() == Ok(ip);
    };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
    };
    let shift = 128 - length;
    base.is_ipv4() == ip.is_ipv4() && (shift == 128 || bits(base) >> shift == bits(ip) >> shift)
}

fn is_below(path: &str, text: &[u8]) -> bool {
    let parts = |path: &[u8]| -> Vec<Vec<u8>> {
        let parts = path.split(|b| *b == b'/').filter(|part| !part.is_empty());
        parts.map(<[u8]>::to_vec).collect()
    };
    let (path, text) = (parts(path.as_bytes()), parts(text));
    path.len() <= text.len()
        && path.iter().zip(&text).all(|(pattern, part)| {
            if pattern.iter().any(|b| b"?*[".contains(b)) {
                glob(pattern, part, Case::Keep)
            } else {
                pattern == part
            }
        })
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn operand(&mut self) -> Tree {
        if self.take("not ") {
            return Tree::Not(Box::new(self.operand()));
        }
        if !self.take("(") {
            return self.check();
        }
        let mut items = vec![self.operand()];
        let mut is_all = true;
        loop {
            if self.take(" and ") {
                items.push(self.operand());
            } else if self.take(" or ") {
                is_all = false;
                items.push(self.operand());
            } else {
                assert!(self.take(")"), "a group ends: {}", self.rest);
                break;
            }
        }
        if is_all {
            Tree::All(items)
        } else {
            Tree::Any(items)
        }
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find([' ', ',', ')']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn check(&mut self) -> Tree {
        let end = self.rest.find([' ', '[']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        let mut arg = None;
        if self.take("[") {
            let (inner, rest) = self.rest.split_once(']').expect("brackets close");
            self.rest = rest;
            arg = Some(inner);
        }
        assert!(self.take(" "), "an operator follows: {}", self.rest);
        let field = Field::resolve(name, arg).expect("the engine took it");
        let op = self.word().to_owned();
        let mut values = Vec::new();
        if op != "exists" {
            assert!(self.take(" "), "a value follows: {}", self.rest);
            if self.take("(") {
                while !self.take(")") {
                    values.push(self.value());
                    self.take(", ");
                }
            } else {
                values.push(self.value());
            }
        }
        let set = values.iter().map(|v| v.as_bytes().to_vec()).collect();
        Tree::Check(Check {
            field,
            op,
            values,
            set,
        })
    }

    fn value(&mut self) -> String {
        if !self.take("\"") {
            return self.word().to_owned();
        }
        let mut out = String::new();
        let mut characters = self.rest.chars();
        while let Some(c) = characters.next() {
            match c {
                '"' => break,
                '\\' => out.push(match characters.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some(other) => other,
                    None => break,
                }),
                other => out.push(other),
            }
        }
        self.rest = characters.as_str();
        out
    }
}
