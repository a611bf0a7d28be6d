//! Builds programs.

use std::collections::{HashMap, HashSet};

use event::{EventType, Field, FieldArg, FieldId};

use super::cost::Weight;
use super::group::{Group, How, Matcher, Reader};
use super::{Block, Factor, Index, Program, Step, What};
use crate::dag::{Dag, Node, NodeId};
use crate::predicate::{Predicate, Source, Test, TextTest};

/// How far into a condition is looked for strings that it cannot hold without.
const IMPLIED_DEPTH: u32 = 4;

/// How many parts an alternative may have for it to be searched for shared ones.
const MOST_SHARED: usize = 64;

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

/// A group whose strings are still being collected.
struct Growing {
    field: Field,
    how: How,
    strings: Vec<(Box<[u8]>, u64)>,
    bits: u32,
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
    growing: Vec<Growing>,
    program: Program,
}

impl Builder<'_> {
    fn block(&mut self, rules: &[(u32, NodeId)]) -> Block {
        // In order of first mention, so that equal files make equal programs.
        let mut needed: Vec<(Index, u64)> = Vec::new();
        let mut at: HashMap<Index, usize> = HashMap::new();
        let mut all = 0_u64;
        for (bit, (_, root)) in rules.iter().enumerate() {
            let mask = 1 << bit;
            all |= mask;
            for step in self.factors(*root) {
                let at = *at.entry(step).or_insert(needed.len());
                match needed.get_mut(at) {
                    Some((_, rules)) => *rules |= mask,
                    None => needed.push((step, mask)),
                }
            }
        }
        Block {
            factors: self.schedule(needed),
            all,
            rules: rules.iter().map(|(number, _)| *number).collect(),
        }
    }

    /// The steps that must all hold for a condition to hold.
    fn factors(&mut self, root: NodeId) -> Vec<Index> {
        let steps = match self.dag.node(root) {
            Node::And(ids) => ids.iter().map(|id| self.step(*id)).collect(),
            _ => vec![self.step(root)],
        };
        let mut factors = Vec::new();
        for step in steps {
            // A constant that is false would have taken the rule out already.
            let Simple::Step(step) = step else {
                continue;
            };
            match &self.program.steps[step as usize] {
                Step::All(inner) => factors.extend_from_slice(inner),
                _ => factors.push(step),
            }
        }
        // Strings without which no alternative of a factor holds are factors too: cheap ones.
        let implied: Vec<(Index, u64)> = factors
            .iter()
            .filter(|step| matches!(self.program.steps[**step as usize], Step::Any(_)))
            .flat_map(|step| self.implied(*step, IMPLIED_DEPTH))
            .collect();
        for (group, mask) in implied {
            factors.push(self.push_member(group, mask));
        }
        factors
    }

    /// Strings of which one must be there for a step to hold, by group.
    fn implied(&self, step: Index, depth: u32) -> Vec<(Index, u64)> {
        let Some(depth) = depth.checked_sub(1) else {
            return Vec::new();
        };
        match &self.program.steps[step as usize] {
            Step::Member { group, mask } => vec![(*group, *mask)],
            Step::All(parts) => parts
                .iter()
                .flat_map(|part| self.implied(*part, depth))
                .collect(),
            Step::Any(parts) => {
                let mut parts = parts.iter().map(|part| self.implied(*part, depth));
                let first = parts.next().unwrap_or_default();
                parts.fold(first, |known, others| in_both(&known, &others))
            }
            Step::Ask(_) | Step::NoMember { .. } | Step::Not(_) => Vec::new(),
        }
    }

    /// Puts factors that are strings of one group together, and orders all by what they save.
    fn schedule(&self, needed: Vec<(Index, u64)>) -> Box<[Factor]> {
        let mut witnesses: Vec<(Index, Vec<(u64, u64)>)> = Vec::new();
        let mut factors: Vec<(f64, Factor)> = Vec::new();
        for (step, rules) in needed {
            if let Step::Member { group, mask } = self.program.steps[step as usize] {
                match witnesses.iter_mut().find(|(known, _)| *known == group) {
                    Some((_, needs)) => needs.push((mask, rules)),
                    None => witnesses.push((group, vec![(mask, rules)])),
                }
                continue;
            }
            let worth = self.weights[step as usize].worth(rules.count_ones());
            let what = What::Step(step);
            factors.push((worth, Factor { what, rules }));
        }
        for (group, needs) in witnesses {
            let rules = needs.iter().fold(0, |all, (_, rules)| all | rules);
            let worth = self.group_weight(group, 1).worth(rules.count_ones());
            let needs = needs.into();
            let what = What::Witness { group, needs };
            factors.push((worth, Factor { what, rules }));
        }
        factors.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        factors.into_iter().map(|(_, factor)| factor).collect()
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
                let predicate = &self.dag.leaf(*leaf).checked.predicate;
                self.program.leaves.push(predicate.clone());
                Simple::Step(self.leaf(predicate))
            }
            Node::Not(inner) => match self.step(*inner) {
                Simple::Const(value) => Simple::Const(!value),
                Simple::Step(inner) => Simple::Step(self.push(Step::Not(inner))),
            },
            Node::And(ids) => self.several(ids, false),
            Node::Or(ids) => self.several(ids, true),
        };
        self.known.insert(id, simple);
        simple
    }

    fn leaf(&mut self, predicate: &Predicate) -> Index {
        let Some(comparison) = as_strings(predicate) else {
            let ask = number(self.program.asks.len());
            self.program.asks.push(predicate.clone());
            return self.push(Step::Ask(ask));
        };
        let (group, mask) = self.member(comparison.field, comparison.how, comparison.strings);
        if comparison.is_negated {
            return self.push(Step::NoMember { group, mask });
        }
        self.push_member(group, mask)
    }

    /// Gives a comparison a bit in a group of its field.
    fn member(&mut self, field: &Field, how: How, strings: Vec<Box<[u8]>>) -> (Index, u64) {
        let key = (field.clone(), how);
        let has_room = |group: &Index| self.growing[*group as usize].bits < u64::BITS;
        let with_room = self.open.get(&key).copied().filter(has_room);
        let group = with_room.unwrap_or_else(|| {
            let group = number(self.growing.len());
            self.growing.push(Growing {
                field: field.clone(),
                how,
                strings: Vec::new(),
                bits: 0,
            });
            self.open.insert(key, group);
            group
        });
        let growing = &mut self.growing[group as usize];
        let mask = 1_u64 << growing.bits;
        growing.bits += 1;
        growing
            .strings
            .extend(strings.into_iter().map(|string| (string, mask)));
        (group, mask)
    }

    fn push_member(&mut self, group: Index, mask: u64) -> Index {
        if let Some(known) = self.members.get(&(group, mask)) {
            return *known;
        }
        let step = self.push(Step::Member { group, mask });
        self.members.insert((group, mask), step);
        step
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
        }
        match *steps {
            [] => Simple::Const(!settles),
            [only] => Simple::Step(only),
            _ => {
                self.order(&mut steps, settles);
                Simple::Step(self.push(if settles {
                    Step::Any(steps.into())
                } else {
                    Step::All(steps.into())
                }))
            }
        }
    }

    /// Alternatives that are looked up in one group become one step.
    fn join_members(&mut self, steps: Vec<Index>) -> Vec<Index> {
        let mut masks: Vec<(Index, u64)> = Vec::new();
        let mut others = Vec::new();
        for step in steps {
            match self.program.steps[step as usize] {
                Step::Member { group, mask } => {
                    match masks.iter_mut().find(|(known, _)| *known == group) {
                        Some((_, known)) => *known |= mask,
                        None => masks.push((group, mask)),
                    }
                }
                _ => others.push(step),
            }
        }
        for (group, mask) in masks {
            others.push(self.push_member(group, mask));
        }
        others
    }

    /// `(a and b) or (a and c)` is `a and (b or c)`: what all alternatives need is asked once, and
    /// is a factor of the rule.
    fn factor_out(&mut self, steps: &[Index]) -> Option<Index> {
        let (first, others) = steps.split_first()?;
        if others.is_empty() {
            return None;
        }
        let parts = |step: &Index| match &self.program.steps[*step as usize] {
            Step::All(parts) => parts.to_vec(),
            _ => vec![*step],
        };
        let mut shared = parts(first);
        if shared.len() > MOST_SHARED {
            return None;
        }
        for step in others {
            let theirs = parts(step);
            shared.retain(|part| theirs.contains(part));
        }
        if shared.is_empty() {
            return None;
        }
        let rests: Vec<Vec<Index>> = steps
            .iter()
            .map(|step| {
                let mut rest = parts(step);
                rest.retain(|part| !shared.contains(part));
                rest
            })
            .collect();
        // An alternative that needs nothing more makes the others superfluous.
        if rests.iter().all(|rest| !rest.is_empty()) {
            let alternatives: Vec<Index> = rests.into_iter().map(|rest| self.all(rest)).collect();
            let mut alternatives = self.join_members(alternatives);
            let any = if let [only] = *alternatives {
                only
            } else {
                self.order(&mut alternatives, true);
                self.push(Step::Any(alternatives.into()))
            };
            match &self.program.steps[any as usize] {
                Step::All(parts) => shared.extend_from_slice(parts),
                _ => shared.push(any),
            }
        }
        Some(self.all(shared))
    }

    fn all(&mut self, mut steps: Vec<Index>) -> Index {
        if let [only] = *steps {
            return only;
        }
        self.order(&mut steps, false);
        self.push(Step::All(steps.into()))
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
            Step::Ask(ask) => Weight::of(&self.program.asks[*ask as usize]),
            Step::Member { group, mask } => self.group_weight(*group, *mask),
            Step::NoMember { group, mask } => self.group_weight(*group, *mask).not(),
            Step::Not(inner) => self.weights[*inner as usize].not(),
            Step::All(steps) => Weight::all(of(steps)),
            Step::Any(steps) => Weight::any(of(steps)),
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
        for growing in &self.growing {
            let reader = reader(&growing.field, &mut texts);
            self.program.groups.push(Group {
                field: growing.field.clone(),
                reader,
                matcher: Matcher::new(growing.how, &growing.strings),
            });
        }
        self.program.texts = texts;
        self.program
    }
}

fn number(length: usize) -> Index {
    Index::try_from(length).expect("programs have fewer parts than 2^32")
}

/// Groups that are in both, with the strings of either.
fn in_both(known: &[(Index, u64)], others: &[(Index, u64)]) -> Vec<(Index, u64)> {
    known
        .iter()
        .filter_map(|(group, mask)| {
            let theirs = others.iter().find(|(other, _)| other == group)?;
            Some((*group, mask | theirs.1))
        })
        .collect()
}

/// How a field's text is come by; `texts` are those that are kept.
fn reader(field: &Field, texts: &mut Vec<Field>) -> Reader {
    let generation = match (field.id, &field.arg) {
        (FieldId::ProcName, _) => Some(0),
        (FieldId::ProcPname, _) => Some(1),
        (FieldId::ProcAname, FieldArg::Index(index)) => usize::try_from(*index).ok(),
        _ => None,
    };
    if let Some(generation) = generation {
        return Reader::Name(generation);
    }
    if !is_put_together(field) {
        return Reader::Plain;
    }
    let at = texts.iter().position(|known| known == field);
    Reader::Kept(number(at.unwrap_or_else(|| {
        texts.push(field.clone());
        texts.len() - 1
    })))
}

/// A comparison of a field with strings.
struct Comparison<'a> {
    field: &'a Field,
    how: How,
    strings: Vec<Box<[u8]>>,
    is_negated: bool,
}

/// A comparison of a field with strings that a group can answer.
fn as_strings(predicate: &Predicate) -> Option<Comparison<'_>> {
    let (Source::Field(field), Test::Text(test)) = (&predicate.source, &predicate.test) else {
        return None;
    };
    if field.id.info().is_list() {
        return None;
    }
    let (how, strings) = match test {
        TextTest::Contains(part) => (How::Contains, vec![part.clone()]),
        TextTest::Endswith(end) => (How::Ends, vec![end.clone()]),
        TextTest::Equal(other) | TextTest::NotEqual(other) => (How::Equals, vec![other.clone()]),
        TextTest::In(set) => (How::Equals, set.iter().cloned().collect()),
        TextTest::Startswith(start) => (How::Starts, vec![start.clone()]),
        _ => return None,
    };
    Some(Comparison {
        field,
        how,
        strings,
        is_negated: matches!(test, TextTest::NotEqual(_)),
    })
}

/// Fields whose text is not there to be borrowed.
fn is_put_together(field: &Field) -> bool {
    use FieldId as F;
    matches!(
        field.id,
        F::EvtArg
            | F::EvtArgs
            | F::EvtInfo
            | F::EvtRawarg
            | F::FdName
            | F::ProcAcmdline
            | F::ProcArgs
            | F::ProcCmdline
            | F::ProcEnv
            | F::ProcExeline
            | F::ProcPargs
            | F::ProcPcmdline
            | F::ThreadCapEffective
            | F::ThreadCapInheritable
            | F::ThreadCapPermitted
    )
}
