//! The rules of one type of events, compiled together.
//!
//! A rule is a conjunction of factors. Factors that several rules share are one step; each is
//! asked at most once per event, cheap and telling ones first, and takes out every rule that needs
//! it. Comparisons of one field with many strings are answered by one look-up for all of them. So
//! most events are done with after a handful of steps.

use event::{EventType, Facts, Field, FieldId, any_ancestor, extract, path};

use crate::dag::{Dag, NodeId};
use crate::predicate::{Predicate, Test, Tri};

mod build;
mod cost;
mod group;
mod lazy;
mod memory;
mod substrings;
mod trie;

pub(crate) use group::Fold;
use group::{Group, Known, Reader};
pub(crate) use lazy::Programs;
use memory::{Memory, TextState};

/// A number within a program.
type Index = u32;

/// A part of a condition.
#[derive(Clone, Debug)]
enum Step {
    /// Strings that are looked up together: whether one of those in `mask` is it.
    Member { group: Index, mask: u64 },
    /// Whether there is a value and it is none of those in `mask`.
    NoMember { group: Index, mask: u64 },
    /// What is asked once per event.
    Once(Once),
}

#[derive(Clone, Debug)]
enum Once {
    All(Box<[Index]>),
    Any(Box<[Index]>),
    /// A comparison on its own.
    Ask(Index),
    Not(Index),
}

/// A comparison on its own.
#[derive(Clone, Debug)]
struct Ask {
    predicate: Predicate,
    /// The text that it asks about, when that is kept anyway.
    text: Option<Index>,
}

/// Up to 64 rules.
#[derive(Clone, Debug)]
struct Block {
    /// What several rules need and few events have, the most telling first.
    shared: Box<[Shared]>,
    /// The rules, in order of definition.
    rules: Box<[Rule]>,
}

/// A part of the conditions of several rules.
#[derive(Clone, Debug)]
struct Shared {
    what: What,
    /// The rules that need it, one bit each.
    rules: u64,
}

#[derive(Clone, Debug)]
enum What {
    Step(Index),
    /// Strings of a group that rules cannot do without: one look-up settles them all.
    Witness {
        group: Index,
        /// Bits of the group, and the rules that need one of them.
        needs: Box<[(u64, u64)]>,
    },
}

/// A rule, and what must hold for it besides what it shares.
#[derive(Clone, Debug)]
struct Rule {
    /// Its number in the rule set.
    number: u32,
    steps: Box<[Index]>,
}

/// The rules of one type of events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    steps: Vec<Step>,
    asks: Vec<Ask>,
    groups: Vec<Group>,
    /// Fields whose text is put together once and kept for several groups.
    texts: Vec<Field>,
    blocks: Vec<Block>,
}

/// Text that a field has.
enum Text<'a> {
    Is(&'a [u8]),
    Pending,
    Unset,
}

/// What a program found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The numbers of the rules are in [`Memory::matched`].
    Matches,
    Nothing,
    Undecided,
}

impl Program {
    /// Compiles the rules whose conditions may hold for this type of events.
    pub(crate) fn new(kind: EventType, dag: &Dag, rules: &[(u32, NodeId)]) -> Self {
        build::build(kind, dag, rules)
    }

    /// Evaluates the rules for an event.
    pub(crate) fn run(&self, facts: &dyn Facts, first_only: bool, memory: &mut Memory) -> Found {
        memory.forget(self);
        for block in &self.blocks {
            let (mut alive, open) = self.survivors(block, facts, memory);
            while alive != 0 {
                let bit = alive.trailing_zeros();
                alive &= alive - 1;
                let rule = &block.rules[bit as usize];
                let is_open = open & (1 << bit) != 0;
                match self.combine(&rule.steps, Tri::False, facts, memory) {
                    Tri::False => continue,
                    Tri::True if !is_open => memory.matched.push(rule.number),
                    Tri::Pending | Tri::True => return Found::Undecided,
                }
                if first_only {
                    return Found::Matches;
                }
            }
        }
        if memory.matched.is_empty() {
            Found::Nothing
        } else {
            Found::Matches
        }
    }

    /// The rules of a block that no shared part takes out, and those of them that are still open.
    fn survivors(&self, block: &Block, facts: &dyn Facts, memory: &mut Memory) -> (u64, u64) {
        let mut alive = u64::MAX >> (u64::BITS as usize - block.rules.len());
        let mut open = 0_u64;
        for shared in &block.shared {
            let concerned = shared.rules & alive;
            if concerned == 0 {
                continue;
            }
            match &shared.what {
                What::Step(step) => match self.ask(*step, facts, memory) {
                    Tri::True => {}
                    Tri::Pending => open |= concerned,
                    Tri::False => alive &= !concerned,
                },
                What::Witness { group, needs } => match self.group(*group, facts, memory) {
                    Known::Found(0) | Known::Unset => alive &= !concerned,
                    Known::Found(found) => alive &= !lacking(needs, found),
                    Known::Pending => open |= concerned,
                },
            }
        }
        (alive, open)
    }

    #[inline]
    fn ask(&self, step: Index, facts: &dyn Facts, memory: &mut Memory) -> Tri {
        match &self.steps[step as usize] {
            // What was looked up is kept for all who ask.
            Step::Member { group, mask } => match self.group(*group, facts, memory) {
                Known::Found(found) => (found & mask != 0).into(),
                Known::Pending => Tri::Pending,
                Known::Unset => Tri::False,
            },
            Step::NoMember { group, mask } => match self.group(*group, facts, memory) {
                Known::Found(found) => (found & mask == 0).into(),
                Known::Pending => Tri::Pending,
                Known::Unset => Tri::False,
            },
            Step::Once(once) => {
                if let Some(known) = memory.steps[step as usize] {
                    return known;
                }
                let answer = self.answer(once, facts, memory);
                memory.steps[step as usize] = Some(answer);
                answer
            }
        }
    }

    /// Asks what has not been asked of this event.
    fn answer(&self, once: &Once, facts: &dyn Facts, memory: &mut Memory) -> Tri {
        match once {
            Once::Ask(ask) => self.compare(&self.asks[*ask as usize], facts, memory),
            Once::Not(inner) => self.ask(*inner, facts, memory).not(),
            Once::All(steps) => self.combine(steps, Tri::False, facts, memory),
            Once::Any(steps) => self.combine(steps, Tri::True, facts, memory),
        }
    }

    fn compare(&self, ask: &Ask, facts: &dyn Facts, memory: &mut Memory) -> Tri {
        let (Some(text), Test::Text(test)) = (ask.text, &ask.predicate.test) else {
            return ask.predicate.ask(facts, &mut memory.scratch);
        };
        match self.text(text, facts, memory) {
            Text::Is(text) => test.holds(text).into(),
            Text::Pending => Tri::Pending,
            Text::Unset => Tri::False,
        }
    }

    /// Stops at the first answer that settles it; an open one leaves it open.
    fn combine(
        &self,
        steps: &[Index],
        settles: Tri,
        facts: &dyn Facts,
        memory: &mut Memory,
    ) -> Tri {
        let mut answer = settles.not();
        for &step in steps {
            match self.ask(step, facts, memory) {
                found if found == settles => return settles,
                Tri::Pending => answer = Tri::Pending,
                Tri::False | Tri::True => {}
            }
        }
        answer
    }

    /// Looks a field's value up among the strings of a group.
    #[inline]
    fn group(&self, index: Index, facts: &dyn Facts, memory: &mut Memory) -> Known {
        match memory.groups[index as usize] {
            Some(known) => known,
            None => self.look_up(index, facts, memory),
        }
    }

    fn look_up(&self, index: Index, facts: &dyn Facts, memory: &mut Memory) -> Known {
        let group = &self.groups[index as usize];
        let known = match group.reader {
            Reader::Ancestors => {
                let mut found = 0;
                any_ancestor(facts, |ancestor| {
                    found |= group.matcher.find(ancestor.comm());
                    false
                });
                Known::Found(found)
            }
            Reader::Name(generation) => match facts.process(generation) {
                Some(process) => Known::Found(group.matcher.find(process.comm())),
                None => Known::Unset,
            },
            Reader::Exe(generation) => match facts.process(generation) {
                Some(process) => Known::Found(group.matcher.find(process.exe())),
                None => Known::Unset,
            },
            Reader::Plain => {
                let value = extract(&group.field, facts, &mut memory.scratch);
                group.matcher.look_up(&value)
            }
            Reader::Kept(text) => match self.text(text, facts, memory) {
                Text::Is(text) => Known::Found(group.matcher.find(text)),
                Text::Pending => Known::Pending,
                Text::Unset => Known::Unset,
            },
        };
        memory.groups[index as usize] = Some(known);
        known
    }

    /// Text that is kept for the event, unless it is there to be borrowed after all.
    fn text<'a>(&self, index: Index, facts: &'a dyn Facts, memory: &'a mut Memory) -> Text<'a> {
        let field = &self.texts[index as usize];
        if field.id == FieldId::FdName
            && let Some(path) = path(facts)
        {
            return Text::Is(path);
        }
        let kept = &mut memory.texts[index as usize];
        match kept.there(field, facts, &mut memory.scratch) {
            TextState::There => Text::Is(&kept.bytes),
            TextState::Pending => Text::Pending,
            TextState::Unset => Text::Unset,
        }
    }
}

/// The rules that need a string that was not found.
fn lacking(needs: &[(u64, u64)], found: u64) -> u64 {
    needs
        .iter()
        .filter(|(strings, _)| found & strings == 0)
        .fold(0, |rules, (_, needing)| rules | needing)
}
