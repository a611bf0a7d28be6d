//! The value of a field for an event: one place for live and recorded events.
//!
//! Values are borrowed from the facts, or written into a buffer that the caller keeps, so that
//! looking a field up allocates nothing (lists excepted).

use crate::{Facts, Field, FieldArg, FieldId, Lookup, Outcome, Value};

mod arguments;
mod container;
mod descriptor;
mod happening;
mod openness;
mod paths;
mod process;
mod user;

pub use descriptor::Ends;

/// Where derived text is put. The caller keeps it, so that its memory is used again.
pub(crate) type Scratch = Vec<u8>;

/// Answers what the value of `field` is for the event that `facts` tell of.
///
/// Text that has to be put together is written to `scratch`, which is emptied first.
pub fn extract<'a>(field: &Field, facts: &'a dyn Facts, scratch: &'a mut Vec<u8>) -> Lookup<'a> {
    scratch.clear();
    if field.id.info().is_absent() {
        return Lookup::Unset;
    }
    match field.id {
        id if id <= FieldId::EcsTaskRevision => container::extract(field, facts, scratch),
        id if id <= FieldId::EvtType => happening::extract(field, facts, scratch),
        id if id <= FieldId::FdUid => descriptor::extract(field, facts, scratch),
        id if id <= FieldId::FsPathTargetraw => paths::extract(field, facts, scratch),
        id if id <= FieldId::GroupName => user::extract(field, facts, scratch),
        id if id <= FieldId::K8sSvcName => Lookup::Unset,
        id if id <= FieldId::ProcVpid => process::extract(field, facts, scratch),
        FieldId::SyscallType => happening::extract(field, facts, scratch),
        id if id <= FieldId::ThreadVtid => process::extract_thread(field, facts, scratch),
        _ => user::extract(field, facts, scratch),
    }
}

/// Both ends of the descriptor's connection, for the fields that stand for either.
pub fn ends(facts: &dyn Facts) -> Ends {
    descriptor::ends(facts)
}

/// What `fd.name` is, when that is the path of a file: the shortest way to what is asked most.
/// `None` says nothing; [`extract`] does.
pub fn path(facts: &dyn Facts) -> Option<&[u8]> {
    descriptor::path(facts)
}

/// Calls `each` for the process's ancestors (the process itself excluded), nearest first, until it
/// returns `true`.
pub fn any_ancestor<'a>(
    facts: &'a dyn Facts,
    mut each: impl FnMut(&'a dyn crate::ProcessFacts) -> bool,
) -> bool {
    facts.any_ancestor(&mut each)
}

/// The event's result, when it has one by now.
fn result(facts: &dyn Facts) -> Lookup<'static> {
    match facts.outcome() {
        Outcome::None => Lookup::Unset,
        Outcome::Pending => Lookup::Pending,
        Outcome::Returned(value) => Lookup::Is(Value::Int(value)),
    }
}

fn text(bytes: &[u8]) -> Lookup<'_> {
    Lookup::Is(Value::Text(bytes.into()))
}

fn maybe_text(bytes: Option<&[u8]>) -> Lookup<'_> {
    bytes.map_or(Lookup::Unset, text)
}

fn maybe_str(string: Option<&String>) -> Lookup<'_> {
    maybe_text(string.map(String::as_bytes))
}

fn flag(value: bool) -> Lookup<'static> {
    Lookup::Is(Value::Bool(value))
}

fn int(value: i64) -> Lookup<'static> {
    Lookup::Is(Value::Int(value))
}

fn maybe_int(value: Option<i64>) -> Lookup<'static> {
    value.map_or(Lookup::Unset, int)
}

fn uint(value: u64) -> Lookup<'static> {
    Lookup::Is(Value::Uint(value))
}

fn maybe_uint(value: Option<u64>) -> Lookup<'static> {
    value.map_or(Lookup::Unset, uint)
}

/// The number in brackets.
fn index(field: &Field) -> Option<usize> {
    match field.arg {
        FieldArg::Index(index) => usize::try_from(index).ok(),
        FieldArg::Key(_) | FieldArg::None => None,
    }
}

/// The string in brackets.
fn key(field: &Field) -> Option<&str> {
    match &field.arg {
        FieldArg::Key(key) => Some(key),
        FieldArg::Index(_) | FieldArg::None => None,
    }
}
