//! `fs.path.*`: the paths that calls of the file system are about.

use super::{Lookup, Outcome, Scratch, text};
use crate::{Arg, EventType, Facts, Field, FieldId, ProcessFacts, absolute};

/// Which path of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The only one.
    Name,
    /// The name that is given up, or that points elsewhere.
    Source,
    /// The new name, or what is pointed to.
    Target,
}

/// Where a path is found.
enum Place {
    Argument(&'static str),
    Descriptor,
}

const fn role(id: FieldId) -> Option<(Role, bool)> {
    Some(match id {
        FieldId::FsPathName => (Role::Name, false),
        FieldId::FsPathNameraw => (Role::Name, true),
        FieldId::FsPathSource => (Role::Source, false),
        FieldId::FsPathSourceraw => (Role::Source, true),
        FieldId::FsPathTarget => (Role::Target, false),
        FieldId::FsPathTargetraw => (Role::Target, true),
        _ => return None,
    })
}

/// Falco's table: a link's source is its new name, and its target what it leads to.
const fn place(kind: EventType, role: Role) -> Option<Place> {
    use EventType as T;
    Some(Place::Argument(match (kind, role) {
        (T::Chown | T::Lchown | T::Mkdir | T::Mkdirat | T::Rmdir | T::Unlink, Role::Name) => "path",
        (T::Open | T::Openat | T::Openat2 | T::Umount | T::Umount2 | T::Unlinkat, Role::Name) => {
            "name"
        }
        (T::Chmod | T::Fchmodat, Role::Name) => "filename",
        (T::Fchownat, Role::Name) => "pathname",
        (T::Fchmod | T::Fchown, Role::Name) => return Some(Place::Descriptor),
        (T::Rename | T::Renameat | T::Renameat2, Role::Source)
        | (T::Link | T::Linkat, Role::Target) => "oldpath",
        (T::Rename | T::Renameat | T::Renameat2, Role::Target)
        | (T::Link | T::Linkat, Role::Source) => "newpath",
        (T::Symlink | T::Symlinkat, Role::Source) => "linkpath",
        (T::Symlink | T::Symlinkat, Role::Target) => "target",
        (T::Mount, Role::Source) => "dev",
        (T::Mount, Role::Target) => "dir",
        _ => return None,
    }))
}

/// Calls that fail have no path; those that open one have it all the same.
pub(super) fn is_open_at_entry(id: FieldId, kind: EventType) -> bool {
    role(id).is_some_and(|(role, _)| place(kind, role).is_some()) && !kind.is_open()
}

pub(super) fn extract<'a>(
    field: &Field,
    facts: &'a dyn Facts,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    let kind = facts.kind();
    let Some((role, is_raw)) = role(field.id) else {
        return Lookup::Unset;
    };
    let Some(place) = place(kind, role) else {
        return Lookup::Unset;
    };
    match facts.outcome() {
        _ if kind.is_open() => {}
        Outcome::Returned(0) => {}
        Outcome::Pending => return Lookup::Pending,
        Outcome::None | Outcome::Returned(_) => return Lookup::Unset,
    }
    let name = match place {
        Place::Argument(name) => name,
        Place::Descriptor => {
            let fd = facts.fd();
            return super::maybe_text(fd.and_then(|fd| fd.name.as_deref()));
        }
    };
    match facts.args().by_name(name) {
        Some(Arg::Path {
            absolute: Some(path),
            ..
        }) if !is_raw => text(path),
        Some(Arg::Bytes(path)) if !is_raw && !path.starts_with(b"/") => {
            let cwd = facts.process(0).and_then(ProcessFacts::cwd);
            let Some(cwd) = cwd else {
                return Lookup::Unset;
            };
            *scratch = absolute(&cwd, path);
            text(scratch)
        }
        Some(Arg::Bytes(path)) => text(path),
        Some(Arg::Path { raw, .. }) if is_raw => text(raw),
        _ => Lookup::Unset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_that_change_something_wait_for_their_result() {
        assert!(is_open_at_entry(FieldId::FsPathName, EventType::Unlink));
        assert!(is_open_at_entry(FieldId::FsPathTarget, EventType::Rename));
        assert!(!is_open_at_entry(FieldId::FsPathName, EventType::Rename));
        assert!(!is_open_at_entry(FieldId::FsPathName, EventType::Openat));
        assert!(!is_open_at_entry(FieldId::FdName, EventType::Unlink));
    }
}
