//! `user.*` and `group.*`.

use super::{Lookup, Scratch, int, text, uint};
use crate::{Facts, Field, FieldId, Value};

/// What Falco shows for a user that has no name.
const NO_NAME: &[u8] = b"<NA>";

pub(super) fn extract<'a>(
    field: &Field,
    facts: &'a dyn Facts,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    use FieldId as F;
    let Some(ids) = facts.process(0).and_then(crate::ProcessFacts::credentials) else {
        return Lookup::Unset;
    };
    match field.id {
        F::UserUid => uint(ids.uid.into()),
        F::UserName => user(facts, ids.uid),
        F::UserLoginuid => int(ids.loginuid.map_or(-1, i64::from)),
        F::UserLoginname => match ids.loginuid {
            Some(uid) => user(facts, uid),
            None => text(NO_NAME),
        },
        F::GroupGid => uint(ids.gid.into()),
        F::GroupName => {
            push_group(facts, ids.gid, scratch);
            text(scratch)
        }
        _ => Lookup::Unset,
    }
}

fn user(facts: &dyn Facts, uid: u32) -> Lookup<'_> {
    match facts.user_name(uid) {
        Some(name) => Lookup::Is(Value::Text(match name {
            std::borrow::Cow::Borrowed(name) => name.as_bytes().into(),
            std::borrow::Cow::Owned(name) => name.into_bytes().into(),
        })),
        None if uid == 0 => text(b"root"),
        None => text(NO_NAME),
    }
}

/// Prints the name of a user, `<NA>` when there is none.
pub(super) fn push_user(facts: &dyn Facts, uid: u32, out: &mut Scratch) {
    push_or(facts.user_name(uid).as_deref(), uid, out);
}

/// Prints the name of a group, `<NA>` when there is none.
pub(super) fn push_group(facts: &dyn Facts, gid: u32, out: &mut Scratch) {
    push_or(facts.group_name(gid).as_deref(), gid, out);
}

fn push_or(name: Option<&str>, id: u32, out: &mut Scratch) {
    out.extend_from_slice(match name {
        Some(name) => name.as_bytes(),
        None if id == 0 => b"root",
        None => NO_NAME,
    });
}
