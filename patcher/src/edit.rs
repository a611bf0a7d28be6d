//! What a plan consists of, and its application to a value.

use std::collections::{HashMap, HashSet};

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

/// Applies edits, in order, to a value. If one does not fit, the value is lost.
pub fn apply(root: &mut Value, edits: &[Edit]) -> Result<(), EditError> {
    let edits: Vec<_> = edits.iter().map(|edit| (edit.path.steps(), edit)).collect();
    let mut slot = Some(std::mem::replace(root, Value::Null));
    apply_to(&mut slot, &edits)?;
    *root = slot.unwrap_or(Value::Null);
    Ok(())
}

/// An edit, and the steps to its place that are left.
type Pending<'e> = (&'e [Step], &'e Edit);

/// Applies edits to a place that may be empty. Edits behind the keys of a map go down together, so
/// that a map of many entries is walked once and not once for each edit.
fn apply_to(slot: &mut Option<Value>, edits: &[Pending<'_>]) -> Result<(), EditError> {
    for run in edits.chunk_by(|a, b| together(a.0, b.0)) {
        let Some(&(steps, edit)) = run.first() else {
            continue;
        };
        match (steps, slot.as_mut()) {
            ([], _) => carry_out(slot, edit)?,
            ([Step::Key(_), ..], Some(Value::Map(entries))) => apply_to_entries(entries, run)?,
            ([Step::Index(index), ..], Some(Value::List(items))) if *index < items.len() => {
                let mut item = Some(std::mem::replace(&mut items[*index], Value::Null));
                apply_to(&mut item, &further(run))?;
                match item {
                    Some(item) => items[*index] = item,
                    None => drop(items.remove(*index)),
                }
            }
            _ => return Err(unfit(edit)),
        }
    }
    Ok(())
}

/// Says whether two edits that follow each other can go one step down together.
fn together(a: &[Step], b: &[Step]) -> bool {
    match (a, b) {
        ([Step::Key(_), ..], [Step::Key(_), ..]) => true,
        // An edit of an item itself may move the others.
        ([Step::Index(a), _, ..], [Step::Index(b), _, ..]) => a == b,
        _ => false,
    }
}

fn further<'e>(edits: &[Pending<'e>]) -> Vec<Pending<'e>> {
    let rest = |&(steps, edit): &Pending<'e>| (steps.get(1..).unwrap_or_default(), edit);
    edits.iter().map(rest).collect()
}

fn apply_to_entries(
    entries: &mut Vec<(String, Value)>,
    edits: &[Pending<'_>],
) -> Result<(), EditError> {
    // By key, in the order in which the keys come.
    let mut groups: Vec<(&str, Vec<Pending<'_>>)> = Vec::new();
    let mut numbers = HashMap::new();
    for pending in edits {
        let [Step::Key(key), ..] = pending.0 else {
            return Err(unfit(pending.1));
        };
        let number = *numbers.entry(key.as_str()).or_insert(groups.len());
        if number == groups.len() {
            groups.push((key, Vec::new()));
        }
        groups[number].1.push(*pending);
    }
    let mut places = vec![None; groups.len()];
    for (at, (key, _)) in entries.iter().enumerate() {
        if let Some(&number) = numbers.get(key.as_str()) {
            places[number] = Some(at);
        }
    }
    let mut removed = HashSet::new();
    for ((key, group), place) in groups.iter().zip(places) {
        let mut slot = place.map(|at| std::mem::replace(&mut entries[at].1, Value::Null));
        apply_to(&mut slot, &further(group))?;
        match (place, slot) {
            (Some(at), Some(value)) => entries[at].1 = value,
            (Some(_), None) => drop(removed.insert(*key)),
            (None, Some(value)) => entries.push(((*key).to_owned(), value)),
            (None, None) => {}
        }
    }
    if !removed.is_empty() {
        entries.retain(|(key, _)| !removed.contains(key.as_str()));
    }
    Ok(())
}

fn carry_out(slot: &mut Option<Value>, edit: &Edit) -> Result<(), EditError> {
    match (&edit.op, slot.as_mut()) {
        (Op::Append(value), Some(Value::List(items))) => items.push(value.clone()),
        (Op::Remove, Some(_)) => *slot = None,
        (Op::Set(value), _) => *slot = Some(value.clone()),
        (Op::Append(_) | Op::Remove, _) => return Err(unfit(edit)),
    }
    Ok(())
}

fn unfit(edit: &Edit) -> EditError {
    let path = edit.path.clone();
    EditError { path }
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
