//! Values as written, made into what a field's values are.

use std::net::IpAddr;
use std::sync::Arc;

use super::{CheckFault, regex};
use crate::ast::{Literal, Op};
use crate::net::Network;
use crate::predicate::{IsNegated, NumberTest, Ordering3, PathSet, Pattern, Test, TextTest, hex};
use event::{Case, FieldKind, port_of_service};

/// A comparison with one value.
pub(super) fn single(op: Op, kind: FieldKind, value: &Literal) -> Result<Test, CheckFault> {
    let negated = if op == Op::NotEqual {
        IsNegated::Yes
    } else {
        IsNegated::No
    };
    if value.text.contains('\0') {
        return Err(fault(value, "a value cannot hold a zero byte"));
    }
    Ok(match kind {
        FieldKind::Bool => Test::Bool([boolean(value)?].into(), negated),
        FieldKind::Ip => Test::Ip([address(value)?].into(), negated),
        FieldKind::Net => Test::Net([network(value)?].into(), negated),
        FieldKind::AbsTime
        | FieldKind::Int
        | FieldKind::Port
        | FieldKind::RelTime
        | FieldKind::Uint => {
            let number = number(kind, value)?;
            Test::Number(match op {
                Op::NotEqual => NumberTest::NotEqual(number),
                Op::Greater => NumberTest::Ordered(Ordering3::Greater, number),
                Op::GreaterOrEqual => NumberTest::Ordered(Ordering3::GreaterOrEqual, number),
                Op::Less => NumberTest::Ordered(Ordering3::Less, number),
                Op::LessOrEqual => NumberTest::Ordered(Ordering3::LessOrEqual, number),
                _ => NumberTest::In([number].into()),
            })
        }
        FieldKind::Buffer | FieldKind::Text => Test::Text(text(op, value)?),
    })
}

/// A comparison with several values: `in`, `intersects`, `pmatch`.
pub(super) fn several(op: Op, kind: FieldKind, list: &[Literal]) -> Result<Test, CheckFault> {
    if list.is_empty() {
        return Ok(Test::Never);
    }
    Ok(match kind {
        FieldKind::Bool => Test::Bool(all(list, boolean)?, IsNegated::No),
        FieldKind::Ip => Test::Ip(all(list, address)?, IsNegated::No),
        FieldKind::Net => Test::Net(all(list, network)?, IsNegated::No),
        FieldKind::AbsTime
        | FieldKind::Int
        | FieldKind::Port
        | FieldKind::RelTime
        | FieldKind::Uint => Test::Number(NumberTest::In(all(list, |value| number(kind, value))?)),
        FieldKind::Buffer | FieldKind::Text if op == Op::Pmatch => {
            let mut paths = PathSet::default();
            for value in list {
                paths.insert(value.text.as_bytes());
            }
            Test::Text(TextTest::Pmatch(paths))
        }
        FieldKind::Buffer | FieldKind::Text => {
            let set = list.iter().map(|value| Arc::clone(&value.text).into());
            Test::Text(TextTest::In(set.collect()))
        }
    })
}

fn all<T>(
    list: &[Literal],
    one: impl Fn(&Literal) -> Result<T, CheckFault>,
) -> Result<Box<[T]>, CheckFault> {
    list.iter().map(one).collect()
}

fn fault(value: &Literal, message: impl Into<String>) -> CheckFault {
    CheckFault::error(value.span, message)
}

fn boolean(value: &Literal) -> Result<bool, CheckFault> {
    match &*value.text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(fault(
            value,
            format!("expected `true` or `false`, not `{other}`"),
        )),
    }
}

fn address(value: &Literal) -> Result<IpAddr, CheckFault> {
    value.text.parse().map_err(|_| {
        let wrong = fault(value, format!("expected an address, not `{}`", value.text));
        match Network::parse(&value.text) {
            Some(_) => wrong.help("networks are for `fd.snet`, `fd.cnet`, `fd.lnet`, `fd.rnet`"),
            None => wrong,
        }
    })
}

fn network(value: &Literal) -> Result<Network, CheckFault> {
    Network::parse(&value.text).ok_or_else(|| {
        let message = format!(
            "expected a network such as 10.0.0.0/8, not `{}`",
            value.text
        );
        let wrong = fault(value, message);
        match value.text.parse::<IpAddr>() {
            Ok(address) => {
                let width = if address.is_ipv4() { 32 } else { 128 };
                wrong.help(format!("one address as a network is {address}/{width}"))
            }
            Err(_) => wrong,
        }
    })
}

/// A number in decimal or hexadecimal. On unsigned fields a negative one wraps, as it does in C.
fn number(kind: FieldKind, value: &Literal) -> Result<i128, CheckFault> {
    let text = &*value.text;
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let (digits, is_negative) = match unsigned.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (unsigned, false),
    };
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let magnitude = match hexadecimal {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => digits.parse::<u64>().ok(),
    };
    let Some(magnitude) = magnitude else {
        if kind == FieldKind::Port
            && let Some(port) = port_of_service(text)
        {
            return Ok(i128::from(port));
        }
        let message = format!("expected a {}, not `{text}`", kind.as_str());
        return Err(fault(value, message));
    };
    let signed = if is_negative {
        -i128::from(magnitude)
    } else {
        i128::from(magnitude)
    };
    if kind == FieldKind::Int {
        return Ok(signed);
    }
    Ok(if signed < 0 {
        signed + (1 << 64)
    } else {
        signed
    })
}

fn text(op: Op, value: &Literal) -> Result<TextTest, CheckFault> {
    let bytes: Box<[u8]> = value.text.as_bytes().into();
    Ok(match op {
        Op::Contains => TextTest::Contains(bytes),
        Op::Endswith => TextTest::Endswith(bytes),
        Op::Glob => TextTest::Glob(Pattern::new(bytes, Case::Keep)),
        Op::Iglob => TextTest::Glob(Pattern::new(bytes, Case::Fold)),
        Op::Greater => TextTest::Greater(bytes),
        Op::GreaterOrEqual => TextTest::GreaterOrEqual(bytes),
        Op::Less => TextTest::Less(bytes),
        Op::LessOrEqual => TextTest::LessOrEqual(bytes),
        Op::Icontains => TextTest::Icontains(bytes.to_ascii_lowercase().into()),
        Op::NotEqual => TextTest::NotEqual(bytes),
        Op::Startswith => TextTest::Startswith(bytes),
        Op::Bcontains | Op::Bstartswith => {
            let Some(bytes) = hex(&value.text) else {
                let message = format!("`{}` is not a hexadecimal string", value.text);
                return Err(fault(value, message));
            };
            if op == Op::Bcontains {
                TextTest::Contains(bytes)
            } else {
                TextTest::Startswith(bytes)
            }
        }
        Op::Regex => TextTest::Regex(regex::compile(&value.text).map_err(|error| {
            let message = format!("`{}` is not a regular expression: {error}", value.text);
            fault(value, message.replace('\n', " "))
        })?),
        Op::Equal | Op::Exists | Op::In | Op::Intersects | Op::Pmatch => TextTest::Equal(bytes),
    })
}
