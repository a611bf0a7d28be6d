//! The place of a node in a template, as an error or an edit names it.

use std::fmt;

use crate::value::Value;

/// One step down into a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into a list, from 0.
    Index(usize),
    /// Into a map.
    Key(String),
}

/// A way from the root of a template to one of its nodes. Prints as `Resources.Web.Properties`,
/// list items as `[0]`, counted from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// The path of the root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Returns the path of the entry `key` below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// Returns the path of the item at `index` below this one.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// Returns the path of what is at `below` from here.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        Self([self.steps(), below.steps()].concat())
    }

    /// Returns the path of what this stands in.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Returns the node of `root` at this path.
    pub fn find<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.find_below(&Self::root(), root)
    }

    /// Returns the node at this path when `value` is what stands at `above`.
    pub fn find_below<'v>(&self, above: &Self, value: &'v Value) -> Option<&'v Value> {
        let steps = self.0.strip_prefix(above.steps())?;
        steps.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.as_list()?.get(*index),
        })
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// The way to a node while a template is walked. It costs nothing until somebody asks for the path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trail<'t> {
    Index(&'t Self, usize),
    Key(&'t Self, &'t str),
    Start,
}

impl Trail<'_> {
    /// The path that was walked.
    pub(crate) fn path(&self) -> Path {
        match *self {
            Self::Index(before, index) => before.path().index(index),
            Self::Key(before, key) => before.path().key(key),
            Self::Start => Path::root(),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the root");
        }
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if at == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_people_write_it() {
        let path = Path::root()
            .key("Resources")
            .key("Web")
            .index(2)
            .key("Name");
        assert_eq!(path.to_string(), "Resources.Web[2].Name");
        assert_eq!(Path::root().to_string(), "the root");
    }
}
