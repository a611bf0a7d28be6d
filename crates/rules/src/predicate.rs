//! One comparison, ready to be asked of an event.
//!
//! What a comparison means is defined here, once. The compiled programs may answer it in a faster
//! way, never in another one.

use event::{Ends, Facts, Field, FieldId, Lookup, Value, any_ancestor, ends, extract};

mod call;
mod number;
mod paths;
mod pattern;
mod text;

pub(crate) use call::{Call, Part};
pub(crate) use number::{NumberTest, Ordering3};
pub(crate) use paths::PathSet;
pub(crate) use pattern::Pattern;
pub(crate) use text::{TextTest, contains, hex};

use crate::ast::{Modifier, Op};
use crate::net::Network;

/// An answer while the result of a syscall may still be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tri {
    False,
    Pending,
    True,
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl Tri {
    pub(crate) const fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Pending => Self::Pending,
            Self::True => Self::False,
        }
    }
}

/// Where the left side's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Any ancestor's value: `proc.aname` without a number.
    Ancestors(FieldId),
    Call(Box<Call>),
    /// Either end of a connection: `fd.ip`, `fd.net`, `fd.port`, `fd.proto`.
    Ends(FieldId),
    Field(Field),
}

/// What is asked of the value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Bool(Box<[bool]>, IsNegated),
    Exists,
    Ip(Box<[std::net::IpAddr]>, IsNegated),
    Net(Box<[Network]>, IsNegated),
    /// Always false: an absent field, an empty set.
    Never,
    Number(NumberTest),
    /// Compared with another value of the same event.
    Right(Op, Source),
    /// Several comparisons under a modifier.
    Several(Modifier, Box<[Self]>),
    Text(TextTest),
}

/// Whether a set is what the value must not be in (`!=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IsNegated {
    No,
    Yes,
}

impl IsNegated {
    fn apply(self, found: bool) -> bool {
        found != (self == Self::Yes)
    }
}

/// A comparison.
#[derive(Clone, Debug)]
pub(crate) struct Predicate {
    pub(crate) source: Source,
    pub(crate) test: Test,
}

impl Predicate {
    /// Asks it of an event. `scratch` is memory for text that has to be put together.
    pub(crate) fn ask(&self, facts: &dyn Facts, scratch: &mut Vec<u8>) -> Tri {
        if let Test::Never = self.test {
            return Tri::False;
        }
        if let Test::Right(op, right) = &self.test {
            return compare_sources(*op, &self.source, right, facts);
        }
        match &self.source {
            Source::Field(field) => self.test.ask(&extract(field, facts, scratch)),
            Source::Ancestors(id) => any_ancestor(facts, |ancestor| {
                let value = ancestor_value(*id, ancestor, scratch);
                self.test.ask(&value) == Tri::True
            })
            .into(),
            Source::Ends(id) => self.test.ask_ends(*id, ends(facts)),
            Source::Call(call) => self.test.ask(&call.value(facts)),
        }
    }

    /// Whether the answer may be open at the entry of some event of this type.
    pub(crate) fn may_be_pending(&self, kind: event::EventType) -> bool {
        let right = match &self.test {
            Test::Right(_, right) => right.may_be_pending(kind),
            Test::Never => return false,
            _ => false,
        };
        right || self.source.may_be_pending(kind)
    }

    /// The fields that it reads.
    pub(crate) fn fields(&self, each: &mut dyn FnMut(Field)) {
        self.source.fields(each);
        if let Test::Right(_, right) = &self.test {
            right.fields(each);
        }
    }
}

impl Source {
    fn may_be_pending(&self, kind: event::EventType) -> bool {
        match self {
            Self::Ancestors(_) => false,
            Self::Ends(id) => id.is_open_at_entry(kind),
            Self::Field(field) => field.is_open_at_entry(kind),
            Self::Call(call) => {
                let mut found = false;
                call.fields(&mut |field| found |= field.is_open_at_entry(kind));
                found
            }
        }
    }

    pub(crate) fn fields(&self, each: &mut dyn FnMut(Field)) {
        match self {
            Self::Ancestors(id) | Self::Ends(id) => each(Field::plain(*id)),
            Self::Field(field) => each(field.clone()),
            Self::Call(call) => call.fields(each),
        }
    }
}

/// What `proc.aname` and its likes are for one ancestor.
fn ancestor_value<'a>(
    id: FieldId,
    ancestor: &'a dyn event::ProcessFacts,
    scratch: &'a mut Vec<u8>,
) -> Lookup<'a> {
    match id {
        FieldId::ProcAexe => Lookup::Is(Value::Text(ancestor.exe().into())),
        FieldId::ProcAexepath => ancestor
            .exe_path()
            .map_or(Lookup::Unset, |path| Lookup::Is(Value::Text(path.into()))),
        FieldId::ProcApid => Lookup::Is(Value::Int(ancestor.pid())),
        FieldId::ProcAcmdline => {
            scratch.clear();
            scratch.extend_from_slice(ancestor.comm());
            for arg in ancestor.args() {
                scratch.push(b' ');
                scratch.extend_from_slice(arg);
            }
            Lookup::Is(Value::Text((&**scratch).into()))
        }
        _ => Lookup::Is(Value::Text(ancestor.comm().into())),
    }
}

impl Test {
    /// Asks it of a value. Unset is false, whatever the comparison.
    pub(crate) fn ask(&self, value: &Lookup<'_>) -> Tri {
        match value {
            Lookup::Pending => Tri::Pending,
            Lookup::Unset => Tri::False,
            Lookup::Is(value) => self.holds(value).into(),
        }
    }

    /// Whether it holds for a value that is there.
    pub(crate) fn holds(&self, value: &Value<'_>) -> bool {
        if let Value::List(items) = value {
            return self.holds_for_list(items);
        }
        match (self, value) {
            (Self::Exists, _) => true,
            (Self::Bool(wanted, negated), Value::Bool(value)) => {
                negated.apply(wanted.contains(value))
            }
            (Self::Ip(wanted, negated), Value::Ip(value)) => negated.apply(wanted.contains(value)),
            (Self::Net(wanted, negated), Value::Ip(value)) => {
                negated.apply(wanted.iter().any(|net| net.contains(*value)))
            }
            (Self::Number(test), Value::Int(value)) => test.holds(i128::from(*value)),
            (Self::Number(test), Value::Uint(value)) => test.holds(i128::from(*value)),
            (Self::Text(test), Value::Text(value)) => test.holds(value),
            (Self::Several(modifier, tests), value) => {
                modified(*modifier, tests.iter().map(|test| test.holds(value)))
            }
            _ => false,
        }
    }

    /// On a list, `in` holds when all values are in the set; everything else when one value does.
    fn holds_for_list(&self, items: &[Value<'_>]) -> bool {
        match self {
            Self::Exists => true,
            Self::Text(TextTest::In(_)) => {
                !items.is_empty() && items.iter().all(|item| self.holds(item))
            }
            _ => items.iter().any(|item| self.holds(item)),
        }
    }

    /// Either end may match; for `!=` both ends have to differ.
    fn ask_ends(&self, id: FieldId, ends: Ends) -> Tri {
        let one = |address: std::net::SocketAddr| match id {
            FieldId::FdPort => self.holds(&Value::Uint(address.port().into())),
            FieldId::FdProto => {
                let service = event::service_of_port(address.port());
                if let Some(service) = service {
                    return self.holds(&Value::Text(service.as_bytes().into()));
                }
                let number = address.port().to_string().into_bytes();
                self.holds(&Value::Text(number.into()))
            }
            _ => self.holds(&Value::Ip(address.ip().to_canonical())),
        };
        let known = [ends.local, ends.peer].into_iter().flatten();
        let (found, count) = known.fold((0_u8, 0_u8), |(found, count), address| {
            (found + u8::from(one(address)), count + 1)
        });
        if self.is_negated() {
            if found != count {
                Tri::False
            } else if ends.is_pending {
                Tri::Pending
            } else {
                (count > 0).into()
            }
        } else if found > 0 {
            Tri::True
        } else if ends.is_pending {
            Tri::Pending
        } else {
            Tri::False
        }
    }

    fn is_negated(&self) -> bool {
        match self {
            Self::Bool(_, negated) | Self::Ip(_, negated) | Self::Net(_, negated) => {
                *negated == IsNegated::Yes
            }
            Self::Number(test) => matches!(test, NumberTest::NotEqual(_)),
            Self::Text(test) => matches!(test, TextTest::NotEqual(_)),
            Self::Several(_, tests) => tests.first().is_some_and(Self::is_negated),
            Self::Exists | Self::Never | Self::Right(..) => false,
        }
    }
}

/// Puts several answers together.
pub(crate) fn modified(modifier: Modifier, mut answers: impl Iterator<Item = bool>) -> bool {
    match modifier {
        Modifier::Allof => answers.all(|held| held),
        Modifier::Anyof => answers.any(|held| held),
        Modifier::Oneof => answers.filter(|held| *held).count() == 1,
    }
}

fn compare_sources(op: Op, left: &Source, right: &Source, facts: &dyn Facts) -> Tri {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let left = left.value(facts, &mut a);
    let right = right.value(facts, &mut b);
    match (&left, &right) {
        (Lookup::Unset, _) | (_, Lookup::Unset) => Tri::False,
        (Lookup::Pending, _) | (_, Lookup::Pending) => Tri::Pending,
        (Lookup::Is(left), Lookup::Is(right)) => compare_values(op, left, right).into(),
    }
}

impl Source {
    fn value<'a>(&'a self, facts: &'a dyn Facts, scratch: &'a mut Vec<u8>) -> Lookup<'a> {
        match self {
            Self::Call(call) => call.value(facts),
            Self::Field(field) => extract(field, facts, scratch),
            // The loader refuses fields that stand for several values on either side of `val`.
            Self::Ancestors(_) | Self::Ends(_) => Lookup::Unset,
        }
    }
}

fn compare_values(op: Op, left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::List(items), right) => items.iter().any(|item| compare_values(op, item, right)),
        (left, Value::List(items)) => items.iter().any(|item| compare_values(op, left, item)),
        (Value::Text(left), Value::Text(right)) => text::compare(op, left, right),
        (Value::Int(_) | Value::Uint(_), Value::Int(_) | Value::Uint(_)) => {
            number::compare(op, number::wide(left), number::wide(right))
        }
        _ => match op {
            Op::NotEqual => left != right,
            _ => left == right,
        },
    }
}
