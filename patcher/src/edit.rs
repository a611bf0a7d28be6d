//! What a plan consists of, and its appliance to a value.

use thiserror::Error;

use crate::path::{Path, Step};
use crate::value::Value;

/// One change of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The node that is made, replaced, extended or removed.
    pub path: Path,
    /// What happens to it.
    pub op: Op,
}

/// What happens to a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The list at the path gets one more item at its end.
    Append(Value),
    /// The node goes away; a list closes the gap.
    Remove,
    /// The map entry or list item at the path has this value; a missing map entry is made.
    Set(Value),
}

/// An edit does not fit the value. This is a fault of the plan.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the plan does not fit the template at {path}: this is a fault of the patcher")]
pub struct EditError {
    path: Path,
}

/// Applies edits, in order, to a value.
pub fn apply(root: &mut Value, edits: &[Edit]) -> Result<(), EditError> {
    edits.iter().try_for_each(|edit| {
        apply_one(root, edit).ok_or_else(|| EditError {
            path: edit.path.clone(),
        })
    })
}

fn apply_one(root: &mut Value, edit: &Edit) -> Option<()> {
    if let Op::Append(value) = &edit.op {
        return match edit.path.find_mut(root)? {
            Value::List(items) => {
                items.push(value.clone());
                Some(())
            }
            _ => None,
        };
    }
    let Some((parent, last)) = edit.path.split_last() else {
        match &edit.op {
            Op::Set(value) => root.clone_from(value),
            Op::Append(_) | Op::Remove => return None,
        }
        return Some(());
    };
    match (parent.find_mut(root)?, last, &edit.op) {
        (Value::Map(entries), Step::Key(key), Op::Set(value)) => {
            match entries.iter_mut().find(|(name, _)| name == key) {
                Some((_, old)) => old.clone_from(value),
                None => entries.push((key.clone(), value.clone())),
            }
        }
        (Value::List(items), Step::Index(index), Op::Set(value)) => {
            items.get_mut(*index)?.clone_from(value);
        }
        (Value::Map(entries), Step::Key(key), Op::Remove) => {
            let at = entries.iter().position(|(name, _)| name == key)?;
            entries.remove(at);
        }
        (Value::List(items), Step::Index(index), Op::Remove) if *index < items.len() => {
            items.remove(*index);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(path: Path, op: Op) -> Edit {
        Edit { path, op }
    }

    #[test]
    fn sets_appends_and_removes() {
        let mut root = Value::map([("a", Value::strings(["x", "y"])), ("b", Value::Null)]);
        let a = Path::root().key("a");
        let edits = [
            edit(a.clone(), Op::Append(Value::string("z"))),
            edit(a.index(0), Op::Remove),
            edit(Path::root().key("b"), Op::Set(Value::Bool(true))),
            edit(Path::root().key("c"), Op::Set(Value::Null)),
        ];
        assert_eq!(apply(&mut root, &edits), Ok(()));
        let want = Value::map([
            ("a", Value::strings(["y", "z"])),
            ("b", Value::Bool(true)),
            ("c", Value::Null),
        ]);
        assert_eq!(root, want);
    }

    #[test]
    fn an_edit_that_does_not_fit_is_refused() {
        let mut root = Value::Null;
        let edits = [edit(Path::root().key("a"), Op::Remove)];
        assert!(apply(&mut root, &edits).is_err());
    }
}
