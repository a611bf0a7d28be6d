//! Lists in conditions: they are replaced as text, before a condition is read.

use std::cell::Cell;
use std::collections::HashMap;

use crate::ast::Span;
use crate::definitions::{Definitions, List};
use crate::lex::is_blank;

/// How much text all conditions together may become. The three upstream files need a twentieth.
const BUDGET: usize = 8 << 20;

/// How many names with blanks in them are looked for: each is, at every word.
const ODD_NAMES: usize = 8;

/// What putting a list in costs beside its length.
const PUT: usize = 64;

/// The lists of all files, ready to be put into conditions.
pub(crate) struct Lists<'a> {
    names: Names<'a>,
    ready: Vec<Ready<'a>>,
    odd_names: Vec<&'a str>,
    spent: Cell<usize>,
}

struct Ready<'a> {
    name: &'a str,
    /// The items as they are put into a condition.
    text: String,
    /// Whether a word of the text may itself be a list's name.
    has_names: bool,
    is_used: Cell<bool>,
}

/// The lists by name.
struct Names<'a> {
    by_name: HashMap<&'a str, usize>,
    /// For each first byte the lengths of the names, as bits; 63 stands for all longer ones. Few
    /// words are names, and most that are not differ in this.
    lengths: Box<[u64; 256]>,
}

impl<'a> Names<'a> {
    fn new(lists: &'a [List]) -> Self {
        let mut lengths = Box::new([0; 256]);
        for list in lists {
            if let Some(first) = list.name.bytes().next() {
                lengths[usize::from(first)] |= Self::length(&list.name);
            }
        }
        let names = lists.iter().enumerate();
        Self {
            by_name: names.map(|(at, list)| (&*list.name, at)).collect(),
            lengths,
        }
    }

    fn length(name: &str) -> u64 {
        1 << name.len().min(63)
    }

    fn position(&self, word: &str) -> Option<usize> {
        let first = word.bytes().next()?;
        let may_be = self.lengths[usize::from(first)] & Self::length(word) != 0;
        may_be.then(|| self.by_name.get(word).copied()).flatten()
    }
}

/// A condition with its lists replaced.
#[derive(Debug)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// Where a stretch begins here, where it began before, and the length of the list's name when
    /// it is one.
    stretches: Vec<(usize, usize, Option<usize>)>,
}

/// Lists that name each other made a condition too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lists make the conditions too large: more than {BUDGET} bytes in total")]
pub(crate) struct TooLarge;

impl Expanded {
    /// The item at a place that a list was put into, from that place on.
    pub(crate) fn item_at(&self, span: Span) -> Option<&str> {
        const LONGEST: usize = 40;
        let next = self
            .stretches
            .partition_point(|(here, ..)| *here <= span.start);
        let (.., list) = next.checked_sub(1).map(|at| self.stretches[at])?;
        list?;
        let end = self.stretches.get(next).map_or(self.text.len(), |s| s.0);
        let rest = self.text.get(span.start..end)?;
        let item = rest.split(',').next().unwrap_or(rest);
        let end = item.char_indices().nth(LONGEST).map_or(item.len(), |c| c.0);
        item.get(..end)
    }

    /// Where a stretch of the text stood before lists were replaced.
    pub(crate) fn original(&self, span: Span) -> Span {
        let at = self
            .stretches
            .partition_point(|(here, ..)| *here <= span.start);
        let Some((here, before, list)) = at.checked_sub(1).map(|at| self.stretches[at]) else {
            return span;
        };
        if let Some(length) = list {
            return Span {
                start: before,
                end: before + length,
            };
        }
        let start = before + (span.start - here);
        // A comparison may hold a list; its end is then no help.
        let next = self.stretches.get(at).map_or(usize::MAX, |s| s.1);
        let end = (start + (span.end - span.start)).min(next.max(start + 1));
        Span { start, end }
    }
}

impl<'a> Lists<'a> {
    pub(crate) fn new(definitions: &'a Definitions) -> Self {
        let lists = definitions.lists.items();
        let names = Names::new(lists);
        let mut ready: Vec<Ready<'a>> = Vec::with_capacity(lists.len());
        let spent = Cell::new(0);
        for list in lists {
            let (text, used) = compile(list, definitions, &spent);
            let mut words = Words(&text).filter(|word| !word.bytes().all(is_delimiter));
            let has_names = words.any(|word| names.position(word).is_some());
            for at in used {
                if let Some(inner) = ready.get(at) {
                    inner.is_used.set(true);
                }
            }
            ready.push(Ready {
                name: &list.name,
                text,
                has_names,
                is_used: Cell::new(false),
            });
        }
        let odd_names = lists.iter().map(|list| &*list.name);
        let odd_names = odd_names.filter(|name| name.contains(' ')).take(ODD_NAMES);
        Self {
            odd_names: odd_names.collect(),
            names,
            ready,
            spent,
        }
    }

    /// Names of the lists that nothing has used, with their positions.
    pub(crate) fn unused(&self) -> impl Iterator<Item = (usize, &'a str)> {
        self.ready
            .iter()
            .enumerate()
            .filter(|(_, list)| !list.is_used.get())
            .map(|(at, list)| (at, list.name))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.ready.iter().map(|list| list.name)
    }

    /// Puts the items in the place of every list's name that stands alone.
    pub(crate) fn expand(&self, condition: &str) -> Result<Expanded, TooLarge> {
        let mut out = Expanded {
            text: String::with_capacity(condition.len()),
            stretches: vec![(0, 0, None)],
        };
        let mut rest = condition;
        while let Some(word) = Words(rest).next() {
            let at = condition.len() - rest.len();
            let after = rest.get(word.len()..).unwrap_or_default();
            let (word, after) = self.odd_name(rest).unwrap_or((word, after));
            let Some(list) = self.names.position(word) else {
                out.text.push_str(word);
                rest = after;
                continue;
            };
            out.stretches.push((out.text.len(), at, Some(word.len())));
            let wrote = self.put(list, &mut out.text)?;
            let skipped = if wrote {
                0
            } else {
                close_gap(&mut out.text, after)
            };
            rest = after.get(skipped..).unwrap_or_default();
            let stretch = (out.text.len(), condition.len() - rest.len(), None);
            out.stretches.push(stretch);
        }
        Ok(out)
    }

    /// A list whose name has blanks in it, which the loader warns of, at the beginning of `text`;
    /// and what follows it.
    fn odd_name<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        self.odd_names.iter().find_map(|name| {
            let after = text.strip_prefix(name)?;
            let ends = after.bytes().next().is_none_or(is_delimiter);
            ends.then(|| (text.get(..name.len()).unwrap_or_default(), after))
        })
    }

    /// Writes a list's items; whether there were any. Later lists that the items name are put in
    /// too, as Falco does when it goes through the lists in order.
    fn put(&self, list: usize, out: &mut String) -> Result<bool, TooLarge> {
        let ready = &self.ready[list];
        ready.is_used.set(true);
        let spent = self.spent.get() + ready.text.len() + PUT;
        if spent > BUDGET {
            return Err(TooLarge);
        }
        self.spent.set(spent);
        if !ready.has_names {
            out.push_str(&ready.text);
            return Ok(!ready.text.is_empty());
        }
        for word in Words(&ready.text) {
            match self.names.position(word) {
                Some(later) if later > list => {
                    self.put(later, out)?;
                }
                _ => out.push_str(word),
            }
        }
        Ok(true)
    }
}

/// Takes away the comma that an empty list leaves; how much of what follows goes with it.
fn close_gap(before: &mut String, after: &str) -> usize {
    let kept = before.trim_end_matches(|c: char| u8::try_from(c).is_ok_and(is_blank));
    if kept.ends_with(',') {
        let length = kept.len() - 1;
        before.truncate(length);
        return 0;
    }
    let trimmed = after.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(is_blank));
    if trimmed.starts_with(',') {
        return after.len() - trimmed.len() + 1;
    }
    0
}

/// A list's text, and which earlier lists it holds.
fn compile(list: &List, definitions: &Definitions, spent: &Cell<usize>) -> (String, Vec<usize>) {
    let mut text = String::new();
    let mut used = Vec::new();
    let mut add = |item: &str| {
        if spent.get() > BUDGET {
            return;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        spent.set(spent.get() + item.len() + 2);
        text.push_str(&quoted(item));
    };
    for item in &list.items {
        let inner = definitions
            .lists
            .get(item)
            .filter(|inner| inner.order.index < list.order.visibility && inner.name != list.name);
        match inner {
            Some(inner) => {
                used.extend(definitions.lists.position(item));
                inner.items.iter().for_each(|item| add(item));
            }
            None => add(item),
        }
    }
    (text, used)
}

/// An item with a blank in it gets quotes, unless it brings its own.
pub(crate) fn quoted(item: &str) -> std::borrow::Cow<'_, str> {
    let has_quotes = item.starts_with(['"', '\'']);
    if item.contains(' ') && !has_quotes {
        format!("\"{item}\"").into()
    } else {
        item.into()
    }
}

const fn is_delimiter(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'(' | b')' | b',' | b'=')
}

/// Splits text into runs of delimiters and runs of everything else; nothing is lost.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let is = is_delimiter(*self.0.as_bytes().first()?);
        let end = self.0.bytes().position(|byte| is_delimiter(byte) != is);
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::Order;
    use crate::source::Place;

    fn expanded(lists: &[(&str, &[&str])], condition: &str) -> String {
        let mut definitions = Definitions::default();
        for (name, items) in lists {
            let moment = definitions.next_moment();
            let list = List {
                name: (*name).to_owned(),
                place: Place::default(),
                order: Order::default(),
                items: items.iter().map(|item| (*item).to_owned()).collect(),
            };
            definitions.lists.define(list, moment);
        }
        Lists::new(&definitions).expand(condition).unwrap().text
    }

    #[test]
    fn names_that_stand_alone_are_replaced() {
        let lists: &[(&str, &[&str])] = &[("shells", &["ash", "a b", "\"q\""])];
        assert_eq!(
            expanded(lists, "x in (shells) or xshells=shells"),
            "x in (ash, \"a b\", \"q\") or xshells=ash, \"a b\", \"q\""
        );
    }

    #[test]
    fn an_empty_list_takes_a_comma_with_it() {
        let lists: &[(&str, &[&str])] = &[("none", &[])];
        assert_eq!(expanded(lists, "x in (none)"), "x in ()");
        assert_eq!(expanded(lists, "x in (a, none)"), "x in (a)");
        assert_eq!(expanded(lists, "x in (none, a)"), "x in ( a)");
        assert_eq!(expanded(lists, "x in (a, none, b)"), "x in (a, b)");
    }

    #[test]
    fn lists_in_lists_go_one_level_deep() {
        let lists: &[(&str, &[&str])] = &[("a", &["1"]), ("b", &["a", "2"]), ("c", &["b"])];
        assert_eq!(expanded(lists, "x in (b)"), "x in (1, 2)");
        assert_eq!(expanded(lists, "x in (c)"), "x in (a, 2)");
        // Falco goes through the lists in order, so a name of a later list is replaced later.
        let lists: &[(&str, &[&str])] = &[("c", &["b"]), ("b", &["1"])];
        assert_eq!(expanded(lists, "x in (c)"), "x in (1)");
    }

    #[test]
    fn lists_that_name_each_other_cannot_fill_memory() {
        let names: Vec<String> = (0..64).map(|n| format!("l{n}")).collect();
        let items: Vec<[&str; 2]> = (0..64)
            .map(|n| [&*names[(n + 1).min(63)], &*names[(n + 1).min(63)]])
            .collect();
        let mut definitions = Definitions::default();
        for (name, items) in names.iter().zip(&items) {
            let moment = definitions.next_moment();
            let list = List {
                name: name.clone(),
                place: Place::default(),
                order: Order::default(),
                items: items.iter().map(|item| (*item).to_owned()).collect(),
            };
            definitions.lists.define(list, moment);
        }
        let lists = Lists::new(&definitions);
        assert_eq!(lists.expand("x in (l0)").unwrap_err(), TooLarge);
    }
}
