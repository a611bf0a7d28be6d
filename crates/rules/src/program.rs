//! The rules of one type of events, compiled together.
//!
//! A rule is a conjunction of factors. Factors that several rules share are one step; each is
//! asked at most once per event, cheap and telling ones first, and takes out every rule that needs
//! it. Comparisons of one field with many strings are answered by one look-up for all of them. So
//! most events are done with after a handful of steps.

use event::{EventType, Facts, Field, Lookup, Value, extract};

use crate::dag::{Dag, NodeId};
use crate::predicate::{Predicate, Tri};

mod automaton;
mod build;
mod cost;
mod group;
mod trie;

pub(crate) use group::Fold;
use group::{Group, Known, Reader};

/// A number within a program.
type Index = u32;

/// A part of a condition.
#[derive(Clone, Debug)]
enum Step {
    All(Box<[Index]>),
    Any(Box<[Index]>),
    /// A comparison on its own.
    Ask(Index),
    /// Strings that are looked up together: whether one of those in `mask` is it.
    Member {
        group: Index,
        mask: u64,
    },
    /// Whether there is a value and it is none of those in `mask`.
    NoMember {
        group: Index,
        mask: u64,
    },
    Not(Index),
}

/// A part of the conditions of up to 64 rules, and which of them need it.
#[derive(Clone, Debug)]
struct Factor {
    what: What,
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

/// Up to 64 rules.
#[derive(Clone, Debug)]
struct Block {
    factors: Box<[Factor]>,
    /// One bit per rule.
    all: u64,
    /// The rules' numbers in the rule set, in order of definition.
    rules: Box<[u32]>,
}

/// The rules of one type of events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    steps: Vec<Step>,
    asks: Vec<Predicate>,
    groups: Vec<Group>,
    /// Fields whose text is put together once and kept for several groups.
    texts: Vec<Field>,
    blocks: Vec<Block>,
    /// Every comparison, for questions about the program.
    leaves: Vec<Predicate>,
}

/// Memory that evaluations use again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    steps: Vec<Option<Tri>>,
    groups: Vec<Option<Known>>,
    texts: Vec<KeptText>,
    scratch: Vec<u8>,
    pub(crate) matched: Vec<u32>,
}

/// Text that was put together for this event.
#[derive(Clone, Debug, Default)]
struct KeptText {
    state: Option<TextState>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum TextState {
    Pending,
    There,
    Unset,
}

/// Room for text that is put together, such as a command line. Longer text makes it grow once.
const TEXT: usize = 4 << 10;

impl Memory {
    /// Makes room for programs, so that no evaluation has to.
    pub(crate) fn reserve(&mut self, program: &Program) {
        grow(&mut self.steps, program.steps.len());
        grow(&mut self.groups, program.groups.len());
        grow(&mut self.texts, program.texts.len());
        for text in &mut self.texts {
            text.bytes.reserve(TEXT);
        }
        let rules: usize = program.blocks.iter().map(|block| block.rules.len()).sum();
        self.matched.reserve(rules);
        self.scratch.reserve(TEXT);
    }

    fn forget(&mut self, program: &Program) {
        self.matched.clear();
        self.steps[..program.steps.len()].fill(None);
        self.groups[..program.groups.len()].fill(None);
        for text in &mut self.texts[..program.texts.len()] {
            text.state = None;
        }
    }
}

fn grow<T: Clone + Default>(items: &mut Vec<T>, length: usize) {
    if items.len() < length {
        items.resize(length, T::default());
    }
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

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The fields that conditions read, one call per comparison.
    pub(crate) fn fields(&self, each: &mut dyn FnMut(Field)) {
        for leaf in &self.leaves {
            leaf.fields(each);
        }
    }

    /// The numbers of the rules.
    pub(crate) fn rules(&self) -> impl Iterator<Item = u32> {
        self.blocks
            .iter()
            .flat_map(|block| block.rules.iter().copied())
    }

    /// Whether an answer may be open at the entry of an event of this type.
    pub(crate) fn may_be_undecided(&self, kind: EventType) -> bool {
        self.leaves.iter().any(|leaf| leaf.may_be_pending(kind))
    }

    /// Evaluates the rules for an event.
    pub(crate) fn run(&self, facts: &dyn Facts, first_only: bool, memory: &mut Memory) -> Found {
        memory.forget(self);
        for block in &self.blocks {
            let (alive, open) = self.survivors(block, facts, memory);
            let mut left = alive;
            while left != 0 {
                let bit = left.trailing_zeros();
                if open & (1 << bit) != 0 {
                    return Found::Undecided;
                }
                memory.matched.push(block.rules[bit as usize]);
                if first_only {
                    return Found::Matches;
                }
                left &= left - 1;
            }
        }
        if memory.matched.is_empty() {
            Found::Nothing
        } else {
            Found::Matches
        }
    }

    /// The rules of a block that no factor takes out, and those of them that are still open.
    fn survivors(&self, block: &Block, facts: &dyn Facts, memory: &mut Memory) -> (u64, u64) {
        let mut alive = block.all;
        let mut open = 0_u64;
        for factor in &block.factors {
            let concerned = factor.rules & alive;
            if concerned == 0 {
                continue;
            }
            match &factor.what {
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
            if alive == 0 {
                break;
            }
        }
        (alive, open & alive)
    }

    fn ask(&self, step: Index, facts: &dyn Facts, memory: &mut Memory) -> Tri {
        if let Some(known) = memory.steps[step as usize] {
            return known;
        }
        let answer = match &self.steps[step as usize] {
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
            Step::Ask(ask) => self.asks[*ask as usize].ask(facts, &mut memory.scratch),
            Step::Not(inner) => self.ask(*inner, facts, memory).not(),
            Step::All(steps) => self.combine(steps, Tri::False, facts, memory),
            Step::Any(steps) => self.combine(steps, Tri::True, facts, memory),
        };
        memory.steps[step as usize] = Some(answer);
        answer
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
    fn group(&self, index: Index, facts: &dyn Facts, memory: &mut Memory) -> Known {
        if let Some(known) = memory.groups[index as usize] {
            return known;
        }
        let group = &self.groups[index as usize];
        let known = match group.reader {
            Reader::Name(generation) => match facts.process(generation) {
                Some(process) => Known::Found(group.matcher.find(process.comm())),
                None => Known::Unset,
            },
            Reader::Plain => {
                let value = extract(&group.field, facts, &mut memory.scratch);
                group.matcher.look_up(&value)
            }
            Reader::Kept(text) => {
                let kept = &mut memory.texts[text as usize];
                match kept.there(&group.field, facts, &mut memory.scratch) {
                    TextState::There => Known::Found(group.matcher.find(&kept.bytes)),
                    TextState::Pending => Known::Pending,
                    TextState::Unset => Known::Unset,
                }
            }
        };
        memory.groups[index as usize] = Some(known);
        known
    }
}

/// The rules that need a string that was not found.
fn lacking(needs: &[(u64, u64)], found: u64) -> u64 {
    needs
        .iter()
        .filter(|(strings, _)| found & strings == 0)
        .fold(0, |rules, (_, needing)| rules | needing)
}

impl KeptText {
    /// Puts the text together unless that has been done for this event.
    fn there(&mut self, field: &Field, facts: &dyn Facts, scratch: &mut Vec<u8>) -> TextState {
        if let Some(state) = self.state {
            return state;
        }
        let state = match extract(field, facts, scratch) {
            Lookup::Is(Value::Text(text)) => {
                self.bytes.clear();
                self.bytes.extend_from_slice(&text);
                TextState::There
            }
            Lookup::Is(_) | Lookup::Unset => TextState::Unset,
            Lookup::Pending => TextState::Pending,
        };
        self.state = Some(state);
        state
    }
}
