//! Lists, macros and rules as defined: redefined in place, appended to, overridden.

use std::collections::HashMap;

use event::Priority;

use crate::source::{Place, Text};

/// Definitions of one kind, in the order of their first definition.
#[derive(Debug)]
pub(crate) struct Named<T> {
    items: Vec<T>,
    by_name: HashMap<String, usize>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            by_name: HashMap::new(),
        }
    }
}

impl<T: Definition> Named<T> {
    /// Adds a definition, or puts it in the place of the earlier one of that name. Its index stays
    /// that of the first definition; what it may see is what stands before the last one.
    pub(crate) fn define(&mut self, mut item: T, moment: usize) {
        item.order_mut().visibility = moment;
        if let Some(&at) = self.by_name.get(item.name()) {
            item.order_mut().index = self.items[at].order().index;
            self.items[at] = item;
        } else {
            item.order_mut().index = moment;
            self.by_name
                .insert(item.name().to_owned(), self.items.len());
            self.items.push(item);
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.position(name).map(|at| &self.items[at])
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.position(name).map(|at| &mut self.items[at])
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }

    pub(crate) fn into_items(self) -> impl Iterator<Item = T> {
        self.items.into_iter()
    }
}

/// What lists, macros and rules have in common.
pub(crate) trait Definition {
    fn name(&self) -> &str;
    fn order(&self) -> Order;
    fn order_mut(&mut self) -> &mut Order;
}

/// When something was defined, counted over all files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Order {
    /// At first.
    pub(crate) index: usize,
    /// At last, appending included: it sees what has a smaller index.
    pub(crate) visibility: usize,
}

macro_rules! definition {
    ($type:ident) => {
        impl Definition for $type {
            fn name(&self) -> &str {
                &self.name
            }

            fn order(&self) -> Order {
                self.order
            }

            fn order_mut(&mut self) -> &mut Order {
                &mut self.order
            }
        }
    };
}

#[derive(Debug)]
pub(crate) struct List {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) order: Order,
    pub(crate) items: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) order: Order,
    pub(crate) condition: Text,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) order: Order,
    pub(crate) condition: Text,
    pub(crate) output: Text,
    pub(crate) description: Text,
    pub(crate) priority: Priority,
    /// Sorted, each once.
    pub(crate) tags: Vec<String>,
    pub(crate) source: String,
    pub(crate) is_enabled: bool,
    pub(crate) warn_evttypes: bool,
    pub(crate) skip_if_unknown_filter: bool,
    pub(crate) exceptions: Vec<Exception>,
}

definition!(List);
definition!(Macro);
definition!(Rule);

/// An exception of a rule: comparisons that take an event out of it.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) fields: Option<Entry>,
    pub(crate) comps: Option<Entry>,
    pub(crate) values: Vec<Entry>,
}

/// A scalar or a list, possibly nested.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    List(Vec<Self>),
    Scalar(Text),
}

/// All definitions of all files.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) lists: Named<List>,
    pub(crate) macros: Named<Macro>,
    pub(crate) rules: Named<Rule>,
    moments: usize,
}

impl Definitions {
    /// Counts definitions, from 1.
    pub(crate) const fn next_moment(&mut self) -> usize {
        self.moments += 1;
        self.moments
    }
}
