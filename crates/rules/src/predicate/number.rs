//! Comparisons of numbers. All numbers of events fit into 128 bits with their sign.

use event::Value;

use crate::ast::Op;

/// A comparison of a number with what a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NumberTest {
    In(Box<[i128]>),
    NotEqual(i128),
    Ordered(Ordering3, i128),
}

/// Which way the order must go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ordering3 {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl NumberTest {
    pub(crate) fn holds(&self, value: i128) -> bool {
        match self {
            Self::In(set) => set.contains(&value),
            Self::NotEqual(other) => value != *other,
            Self::Ordered(ordering, other) => match ordering {
                Ordering3::Greater => value > *other,
                Ordering3::GreaterOrEqual => value >= *other,
                Ordering3::Less => value < *other,
                Ordering3::LessOrEqual => value <= *other,
            },
        }
    }
}

/// Compares two numbers of one event.
pub(super) fn compare(op: Op, left: i128, right: i128) -> bool {
    match op {
        Op::Equal | Op::In | Op::Intersects => left == right,
        Op::Greater => left > right,
        Op::GreaterOrEqual => left >= right,
        Op::Less => left < right,
        Op::LessOrEqual => left <= right,
        Op::NotEqual => left != right,
        _ => false,
    }
}

/// A number's value.
pub(super) fn wide(value: &Value<'_>) -> i128 {
    match value {
        Value::Int(value) => i128::from(*value),
        Value::Uint(value) => i128::from(*value),
        _ => 0,
    }
}
