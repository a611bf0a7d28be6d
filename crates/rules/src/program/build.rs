//! Builds programs.

use std::collections::{HashMap, HashSet};

use event::{EventType, Field};

use super::cost::Weight;
use super::group::How;
use super::{Ask, Index, Once, Program, Step};
use crate::dag::{Dag, Node, NodeId};
use crate::predicate::{Predicate, Source, Test};

mod alternatives;
mod block;
mod strings;

use strings::{Growing, as_strings};

/// Compiles the rules whose conditions may hold for this type of events.
pub(super) fn build(kind: EventType, dag: &Dag, rules: &[(u32, NodeId)]) -> Program {
    let mut builder = Builder {
        kind,
        dag,
        known: HashMap::new(),
        members: HashMap::new(),
        weights: Vec::new(),
        open: HashMap::new(),
        growing: Vec::new(),
        program: Program::default(),
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
    builder.finish()
}

/// A node with the type of the event filled in.
#[derive(Clone, Copy)]
enum Simple {
    Const(bool),
    Step(Index),
}

struct Builder<'a> {
    kind: EventType,
    dag: &'a Dag,
    known: HashMap<NodeId, Simple>,
    /// Steps that look up in a group, so that equal ones are one.
    members: HashMap<(Index, u64), Index>,
    /// Of each step.
    weights: Vec<Weight>,
    /// The group of a field that has bits left.
    open: HashMap<(Field, How), Index>,
    growing: Vec<Growing<'a>>,
    program: Program,
}

impl<'a> Builder<'a> {
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
                let predicate = &self.dag.leaf(*leaf).checked.predicate;
                Simple::Step(self.leaf(predicate))
            }
            Node::Not(inner) => match self.step(*inner) {
                Simple::Const(value) => Simple::Const(!value),
                Simple::Step(inner) => Simple::Step(self.push(Step::Once(Once::Not(inner)))),
            },
            Node::And(ids) => self.several(ids, false),
            Node::Or(ids) => self.several(ids, true),
        };
        self.known.insert(id, simple);
        simple
    }

    fn leaf(&mut self, predicate: &'a Predicate) -> Index {
        let Some(comparison) = as_strings(predicate) else {
            let ask = number(self.program.asks.len());
            self.program.asks.push(Ask {
                predicate: predicate.clone(),
                text: None,
            });
            return self.push(Step::Once(Once::Ask(ask)));
        };
        let (group, mask) = self.member(comparison.field, comparison.how, comparison.strings);
        if comparison.is_negated {
            return self.push(Step::NoMember { group, mask });
        }
        self.push_member(group, mask)
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
        if settles {
            steps = self.join_members(steps);
            if let Some(factored) = self.factor_out(&steps) {
                return Simple::Step(factored);
            }
            steps = self.factor_some(steps);
        }
        match *steps {
            [] => Simple::Const(!settles),
            [only] => Simple::Step(only),
            _ => {
                self.order(&mut steps, settles);
                Simple::Step(self.push(Step::Once(if settles {
                    Once::Any(steps.into())
                } else {
                    Once::All(steps.into())
                })))
            }
        }
    }

    fn all(&mut self, mut steps: Vec<Index>) -> Index {
        if let [only] = *steps {
            return only;
        }
        self.order(&mut steps, false);
        self.push(Step::Once(Once::All(steps.into())))
    }

    /// Puts first what settles it most cheaply.
    fn order(&self, steps: &mut [Index], settles: bool) {
        let worth = |step: &Index| {
            let weight = self.weights[*step as usize];
            let weight = if settles { weight.not() } else { weight };
            weight.worth(1)
        };
        steps.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
    }

    fn push(&mut self, step: Step) -> Index {
        let of = |steps: &[Index]| {
            let weights: Vec<Weight> = steps.iter().map(|s| self.weights[*s as usize]).collect();
            weights.into_iter()
        };
        let weight = match &step {
            Step::Once(Once::Ask(ask)) => Weight::of(&self.program.asks[*ask as usize].predicate),
            Step::Member { group, mask } => self.group_weight(*group, *mask),
            Step::NoMember { group, mask } => self.group_weight(*group, *mask).not(),
            Step::Once(Once::Not(inner)) => self.weights[*inner as usize].not(),
            Step::Once(Once::All(steps)) => Weight::all(of(steps)),
            Step::Once(Once::Any(steps)) => Weight::any(of(steps)),
        };
        let index = number(self.program.steps.len());
        self.weights.push(weight);
        self.program.steps.push(step);
        index
    }

    fn group_weight(&self, group: Index, mask: u64) -> Weight {
        let growing = &self.growing[group as usize];
        Weight::of_group(&growing.field, growing.how, mask.count_ones())
    }

    fn finish(mut self) -> Program {
        let mut texts: Vec<Field> = Vec::new();
        for growing in self.growing {
            self.program.groups.push(growing.finish(&mut texts));
        }
        for ask in &mut self.program.asks {
            if let (Source::Field(field), Test::Text(_)) =
                (&ask.predicate.source, &ask.predicate.test)
            {
                let known = texts.iter().position(|known| known == field);
                ask.text = known.map(number);
            }
        }
        self.program.texts = texts;
        self.program
    }
}

fn number(length: usize) -> Index {
    Index::try_from(length).expect("programs have fewer parts than 2^32")
}
