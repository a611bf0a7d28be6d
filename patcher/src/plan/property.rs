//! Properties that must hold something: made where they are missing, extended where they are not,
//! in every branch of a condition.

use super::{Dialect, Planner, property};
use crate::path::Path;
use crate::value::Value;

/// A map of the template, and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'v> {
    pub(super) value: &'v Value,
    pub(super) path: &'v Path,
    pub(super) dialect: Dialect,
}

impl Planner<'_> {
    /// Goes into a property that is a map, or makes it as `missing`.
    pub(super) fn inside(
        &mut self,
        at: At<'_>,
        name: &str,
        missing: &Value,
        then: &mut dyn FnMut(&mut Self, At<'_>),
    ) {
        let missing = at.dialect.spell(missing.clone());
        match property(at.value, name) {
            None => self.set(at.path.key(&at.dialect.key(name)), missing),
            Some((key, value)) => {
                let path = at.path.key(key);
                self.inside_value(
                    At {
                        value,
                        path: &path,
                        ..at
                    },
                    &missing,
                    then,
                );
            }
        }
    }

    fn inside_value(
        &mut self,
        at: At<'_>,
        missing: &Value,
        then: &mut dyn FnMut(&mut Self, At<'_>),
    ) {
        if at.value.is_absent() {
            self.set(at.path.clone(), missing.clone());
        } else if let Some((_, yes, no)) = at.value.branches() {
            for (index, value) in [(1, yes), (2, no)] {
                let path = at.path.key("Fn::If").index(index);
                self.inside_value(
                    At {
                        value,
                        path: &path,
                        ..at
                    },
                    missing,
                    then,
                );
            }
        } else if at.value.as_map().is_none() || at.value.intrinsic().is_some() {
            self.wrong_type(at.path.clone(), "a map", at.value);
        } else {
            then(self, at);
        }
    }

    /// Makes sure that a property that is a list has an item; `same` recognises it.
    pub(super) fn extend(
        &mut self,
        at: At<'_>,
        name: &str,
        item: Value,
        same: &dyn Fn(&Value) -> bool,
    ) {
        let item = at.dialect.spell(item);
        match property(at.value, name) {
            None => self.set(at.path.key(&at.dialect.key(name)), Value::List(vec![item])),
            Some((key, value)) => {
                let path = at.path.key(key);
                self.extend_value(
                    At {
                        value,
                        path: &path,
                        ..at
                    },
                    &item,
                    same,
                );
            }
        }
    }

    fn extend_value(&mut self, at: At<'_>, item: &Value, same: &dyn Fn(&Value) -> bool) {
        if at.value.is_absent() {
            self.set(at.path.clone(), Value::List(vec![item.clone()]));
        } else if let Some((_, yes, no)) = at.value.branches() {
            for (index, value) in [(1, yes), (2, no)] {
                let path = at.path.key("Fn::If").index(index);
                self.extend_value(
                    At {
                        value,
                        path: &path,
                        ..at
                    },
                    item,
                    same,
                );
            }
        } else if let Some(items) = at.value.as_list() {
            if !items.iter().any(same) {
                self.append(at.path.clone(), item.clone());
            }
        } else {
            self.wrong_type(at.path.clone(), "a list", at.value);
        }
    }
}
