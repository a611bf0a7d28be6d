//! The rules of one type of events, compiled together.
//!
//! A rule is a conjunction of factors. Factors that several rules share are one node; each is
//! asked at most once per event, cheap and telling ones first, and takes every rule out that needs
//! it. Most events are done with after a handful of them.

use std::collections::{HashMap, HashSet};

use event::{EventType, Facts};

use crate::dag::{Dag, Node, NodeId};
use crate::predicate::{Predicate, Tri};

mod cost;

use cost::Weight;

/// A number within a program.
type Index = u32;

#[derive(Clone, Debug)]
enum Step {
    All(Box<[Index]>),
    Any(Box<[Index]>),
    Leaf(Index),
    Not(Index),
}

/// A part of the conditions of up to 64 rules, and which of them need it.
#[derive(Clone, Debug)]
struct Factor {
    step: Index,
    rules: u64,
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
    leaves: Vec<Predicate>,
    blocks: Vec<Block>,
}

/// Memory that evaluations use again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    known: Vec<Option<Tri>>,
    scratch: Vec<u8>,
    pub(crate) matched: Vec<u32>,
}

impl Memory {
    /// Makes room for programs, so that no evaluation has to.
    pub(crate) fn reserve(&mut self, program: &Program) {
        if self.known.len() < program.steps.len() {
            self.known.resize(program.steps.len(), None);
        }
        let rules: usize = program.blocks.iter().map(|block| block.rules.len()).sum();
        self.matched.reserve(rules);
        self.scratch.reserve(16 << 10);
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
        let mut builder = Builder {
            kind,
            dag,
            known: HashMap::new(),
            weights: Vec::new(),
            program: Self::default(),
        };
        let live: Vec<(u32, NodeId)> = rules
            .iter()
            .copied()
            .filter(|(_, root)| dag.reach(*root).may_hold.contains(kind))
            .collect();
        for chunk in live.chunks(64) {
            let block = builder.block(chunk);
            builder.program.blocks.push(block);
        }
        builder.program
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
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
        memory.matched.clear();
        if let Some(known) = memory.known.get_mut(..self.steps.len()) {
            known.fill(None);
        }
        for block in &self.blocks {
            let mut alive = block.all;
            let mut open = 0_u64;
            for factor in &block.factors {
                let concerned = factor.rules & alive;
                if concerned == 0 {
                    continue;
                }
                match self.ask(factor.step, facts, memory) {
                    Tri::True => {}
                    Tri::Pending => open |= concerned,
                    Tri::False => {
                        alive &= !concerned;
                        if alive == 0 {
                            break;
                        }
                    }
                }
            }
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

    fn ask(&self, step: Index, facts: &dyn Facts, memory: &mut Memory) -> Tri {
        if let Some(known) = memory.known[step as usize] {
            return known;
        }
        let answer = match &self.steps[step as usize] {
            Step::Leaf(leaf) => self.leaves[*leaf as usize].ask(facts, &mut memory.scratch),
            Step::Not(inner) => self.ask(*inner, facts, memory).not(),
            Step::All(steps) => self.combine(steps, Tri::False, facts, memory),
            Step::Any(steps) => self.combine(steps, Tri::True, facts, memory),
        };
        memory.known[step as usize] = Some(answer);
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
                _ => {}
            }
        }
        answer
    }
}

struct Builder<'a> {
    kind: EventType,
    dag: &'a Dag,
    known: HashMap<NodeId, Simple>,
    /// Of each step.
    weights: Vec<Weight>,
    program: Program,
}

/// A node with the type of the event filled in.
#[derive(Clone, Copy)]
enum Simple {
    Const(bool),
    Step(Index),
}

impl Builder<'_> {
    fn block(&mut self, rules: &[(u32, NodeId)]) -> Block {
        let mut factors: Vec<Factor> = Vec::new();
        let mut at: HashMap<Index, usize> = HashMap::new();
        let mut all = 0_u64;
        for (bit, (_, root)) in rules.iter().enumerate() {
            let mask = 1 << bit;
            all |= mask;
            let steps = match self.dag.node(*root) {
                Node::And(ids) => ids.iter().map(|id| self.step(*id)).collect(),
                _ => vec![self.step(*root)],
            };
            for step in steps {
                let Simple::Step(step) = step else {
                    // A constant that is false would have taken the rule out already.
                    continue;
                };
                let at = *at.entry(step).or_insert(factors.len());
                match factors.get_mut(at) {
                    Some(factor) => factor.rules |= mask,
                    None => factors.push(Factor { step, rules: mask }),
                }
            }
        }
        factors.sort_by(|a, b| {
            let worth = |factor: &Factor| {
                self.weights[factor.step as usize].worth(factor.rules.count_ones())
            };
            worth(b).total_cmp(&worth(a))
        });
        Block {
            factors: factors.into(),
            all,
            rules: rules.iter().map(|(number, _)| *number).collect(),
        }
    }

    fn step(&mut self, id: NodeId) -> Simple {
        let reach = self.dag.reach(id);
        if !reach.may_hold.contains(self.kind) {
            return Simple::Const(false);
        }
        if !reach.may_fail.contains(self.kind) {
            return Simple::Const(true);
        }
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let simple = match self.dag.node(id) {
            Node::Const(value) => Simple::Const(*value),
            Node::Leaf(leaf) => {
                let predicate = self.dag.leaf(*leaf).checked.predicate.clone();
                let leaf = Index::try_from(self.program.leaves.len()).expect("fits");
                self.program.leaves.push(predicate);
                self.push(Step::Leaf(leaf))
            }
            Node::Not(inner) => match self.step(*inner) {
                Simple::Const(value) => Simple::Const(!value),
                Simple::Step(inner) => self.push(Step::Not(inner)),
            },
            Node::And(ids) => self.several(ids, false),
            Node::Or(ids) => self.several(ids, true),
        };
        self.known.insert(id, simple);
        simple
    }

    fn several(&mut self, ids: &[NodeId], settles: bool) -> Simple {
        let mut steps = Vec::new();
        let mut seen = HashSet::new();
        for &id in ids {
            match self.step(id) {
                Simple::Const(value) if value == settles => return Simple::Const(settles),
                Simple::Step(step) if seen.insert(step) => steps.push(step),
                Simple::Const(_) | Simple::Step(_) => {}
            }
        }
        match *steps {
            [] => Simple::Const(!settles),
            [only] => Simple::Step(only),
            _ => {
                steps.sort_by(|a, b| {
                    let worth = |step: &Index| {
                        let weight = self.weights[*step as usize];
                        if settles {
                            weight.not().worth(1)
                        } else {
                            weight.worth(1)
                        }
                    };
                    worth(b).total_cmp(&worth(a))
                });
                self.push(if settles {
                    Step::Any(steps.into())
                } else {
                    Step::All(steps.into())
                })
            }
        }
    }

    fn push(&mut self, step: Step) -> Simple {
        let index = Index::try_from(self.program.steps.len()).expect("fewer steps than 2^32");
        let of = |steps: &[Index]| {
            let weights: Vec<Weight> = steps.iter().map(|s| self.weights[*s as usize]).collect();
            weights.into_iter()
        };
        let weight = match &step {
            Step::Leaf(leaf) => Weight::of(&self.program.leaves[*leaf as usize]),
            Step::Not(inner) => self.weights[*inner as usize].not(),
            Step::All(steps) => Weight::all(of(steps)),
            Step::Any(steps) => Weight::any(of(steps)),
        };
        self.weights.push(weight);
        self.program.steps.push(step);
        Simple::Step(index)
    }
}
