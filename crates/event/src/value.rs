//! Values that fields have.

use std::borrow::Cow;
use std::net::IpAddr;

/// A value of a field, borrowed from whoever knew it where that is possible.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// Signed: results, descriptors, pids.
    Int(i64),
    /// An address.
    Ip(IpAddr),
    /// All values of a list field.
    List(Vec<Self>),
    /// Bytes as the kernel has them; seldom, but possibly, not UTF-8.
    Text(Cow<'a, [u8]>),
    /// Unsigned: counts, times, ports, uids.
    Uint(u64),
}

/// The answer to "what is the value of this field for this event?".
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup<'a> {
    /// There is one.
    Is(Value<'a>),
    /// It depends on the result of a syscall that has not returned yet.
    Pending,
    /// There is none: every comparison with it is false.
    Unset,
}
