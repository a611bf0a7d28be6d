//! What must hold for a rule, and what rules share.

use std::collections::{HashMap, HashSet};

use super::{Builder, Simple};
use crate::dag::{Node, NodeId};
use crate::program::cost::Weight;
use crate::program::{Block, Index, Once, Rule, Shared, Step, What};

/// How far into a condition is looked for strings that it cannot hold without.
const IMPLIED_DEPTH: u32 = 4;

/// A part that holds for more events than this is not worth asking for several rules at once.
const TELLING: f64 = 0.4;

/// Strings of one group that rules cannot do without.
struct Witness {
    group: Index,
    /// Bits of the group, and the rules that need one of them.
    needs: Vec<(u64, u64)>,
    /// The steps that ask for them.
    steps: Vec<Index>,
}

impl Witness {
    const fn of(group: Index) -> Self {
        Self {
            group,
            needs: Vec::new(),
            steps: Vec::new(),
        }
    }
}

impl Builder<'_> {
    /// Compiles up to 64 rules.
    pub(super) fn block(&mut self, rules: &[(u32, NodeId)]) -> Block {
        // In order of first mention, so that equal files make equal programs.
        let mut needed: Vec<(Index, u64)> = Vec::new();
        let mut at: HashMap<Index, usize> = HashMap::new();
        let mut own: Vec<Vec<Index>> = Vec::new();
        for (bit, (_, root)) in rules.iter().enumerate() {
            let steps = self.factors(*root);
            for &step in &steps {
                let at = *at.entry(step).or_insert(needed.len());
                match needed.get_mut(at) {
                    Some((_, rules)) => *rules |= 1 << bit,
                    None => needed.push((step, 1 << bit)),
                }
            }
            own.push(steps);
        }
        let shared = self.shared(&needed);
        let all_shared: HashSet<Index> = shared
            .iter()
            .flat_map(|(_, steps)| steps.iter().copied())
            .collect();
        let own = own.into_iter().map(|mut steps| {
            steps.retain(|step| !all_shared.contains(step));
            self.order(&mut steps, false);
            steps.into()
        });
        let rules = rules.iter().zip(own).map(|((number, _), steps)| Rule {
            number: *number,
            steps,
        });
        Block {
            rules: rules.collect(),
            shared: shared.into_iter().map(|(shared, _)| shared).collect(),
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
                Step::Once(Once::All(inner)) => factors.extend_from_slice(inner),
                _ => factors.push(step),
            }
        }
        // Strings without which no alternative of a factor holds are factors too: cheap ones.
        let implied: Vec<(Index, u64)> = factors
            .iter()
            .filter(|step| {
                matches!(
                    self.program.steps[**step as usize],
                    Step::Once(Once::Any(_))
                )
            })
            .flat_map(|step| self.implied(*step, IMPLIED_DEPTH))
            .collect();
        for (group, mask) in implied {
            factors.push(self.push_member(group, mask));
        }
        let mut seen = HashSet::new();
        factors.retain(|step| seen.insert(*step));
        factors
    }

    /// Strings of which one must be there for a step to hold, by group.
    fn implied(&self, step: Index, depth: u32) -> Vec<(Index, u64)> {
        let Some(depth) = depth.checked_sub(1) else {
            return Vec::new();
        };
        match &self.program.steps[step as usize] {
            Step::Member { group, mask } => vec![(*group, *mask)],
            Step::Once(Once::All(parts)) => parts
                .iter()
                .flat_map(|part| self.implied(*part, depth))
                .collect(),
            Step::Once(Once::Any(parts)) => {
                let mut parts = parts.iter().map(|part| self.implied(*part, depth));
                let first = parts.next().unwrap_or_default();
                parts.fold(first, |known, others| in_both(&known, &others))
            }
            Step::Once(Once::Ask(_) | Once::Not(_)) | Step::NoMember { .. } => Vec::new(),
        }
    }

    /// What takes out several rules at once, in the order of what it saves, each with the steps
    /// that it stands for. Strings of one group are put together.
    fn shared(&self, needed: &[(Index, u64)]) -> Vec<(Shared, Vec<Index>)> {
        let mut witnesses: Vec<Witness> = Vec::new();
        let mut found: Vec<(f64, (Shared, Vec<Index>))> = Vec::new();
        let mut add = |weight: Weight, what: What, rules: u64, steps: Vec<Index>| {
            if rules.count_ones() > 1 && weight.fails >= TELLING {
                let worth = weight.worth(rules.count_ones());
                found.push((worth, (Shared { what, rules }, steps)));
            }
        };
        for &(step, rules) in needed {
            if let Step::Member { group, mask } = self.program.steps[step as usize] {
                let known = witnesses.iter().position(|known| known.group == group);
                let at = known.unwrap_or_else(|| {
                    witnesses.push(Witness::of(group));
                    witnesses.len() - 1
                });
                witnesses[at].needs.push((mask, rules));
                witnesses[at].steps.push(step);
            } else {
                let weight = self.weights[step as usize];
                add(weight, What::Step(step), rules, vec![step]);
            }
        }
        for Witness {
            group,
            needs,
            steps,
        } in witnesses
        {
            let rules = needs.iter().fold(0, |all, (_, rules)| all | rules);
            let needs = needs.into();
            let weight = self.group_weight(group, 1);
            add(weight, What::Witness { group, needs }, rules, steps);
        }
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.into_iter().map(|(_, shared)| shared).collect()
    }
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
