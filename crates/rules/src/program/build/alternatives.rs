//! Makes alternatives fewer: what several of them need is asked once.

use super::Builder;
use crate::program::{Index, Once, Step};

/// How many parts alternatives may have for them to be searched for shared ones.
const MOST_SHARED: usize = 64;

/// How many parts all alternatives together may have for some of them to be put together.
const MOST_PARTS: usize = 256;

impl Builder<'_> {
    /// Alternatives that are looked up in one group become one step.
    pub(super) fn join_members(&mut self, steps: Vec<Index>) -> Vec<Index> {
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
    pub(super) fn factor_out(&mut self, steps: &[Index]) -> Option<Index> {
        let (first, others) = steps.split_first()?;
        if others.is_empty() {
            return None;
        }
        let parts = |step: &Index| self.parts(*step);
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
                self.push(Step::Once(Once::Any(alternatives.into())))
            };
            shared.extend(self.parts(any));
        }
        Some(self.all(shared))
    }

    /// `(a and b) or (a and c) or d` is `(a and (b or c)) or d`, the most common part first.
    pub(super) fn factor_some(&mut self, mut steps: Vec<Index>) -> Vec<Index> {
        while let Some(part) = self.most_common(&steps) {
            let (with, mut without): (Vec<Index>, Vec<Index>) = steps
                .iter()
                .partition(|step| self.parts(**step).contains(&part));
            let Some(factored) = self.factor_out(&with) else {
                break;
            };
            without.push(factored);
            steps = self.join_members(without);
        }
        steps
    }

    /// The part that most alternatives need, when that is more than one of them.
    fn most_common(&self, steps: &[Index]) -> Option<Index> {
        let parts = || steps.iter().flat_map(|step| self.parts(*step));
        if steps.len() < 2 || parts().count() > MOST_PARTS {
            return None;
        }
        let mut counts: Vec<(Index, u32)> = Vec::new();
        for part in parts() {
            match counts.iter_mut().find(|(known, _)| *known == part) {
                Some((_, count)) => *count += 1,
                None => counts.push((part, 1)),
            }
        }
        let most = counts.iter().map(|(_, count)| *count).max()?;
        let found = counts.iter().find(|(_, count)| *count == most)?;
        (most > 1).then_some(found.0)
    }

    /// What must hold for a step to hold.
    fn parts(&self, step: Index) -> Vec<Index> {
        match &self.program.steps[step as usize] {
            Step::Once(Once::All(parts)) => parts.to_vec(),
            _ => vec![step],
        }
    }
}
