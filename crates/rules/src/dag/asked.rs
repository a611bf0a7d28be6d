//! Which comparisons are asked of which types of events, without a program at hand.
//!
//! A part that always or never holds for a type of events is a constant there, and what stands in
//! it is not asked. All types are looked at together: a set of them goes down the graph.

use event::EventTypeSet;

use super::{Dag, Node, NodeId};
use crate::predicate::Predicate;

impl Dag {
    /// Tells every comparison that conditions ask of events of `kinds`, and of which of them.
    pub(crate) fn asked(
        &self,
        roots: impl Iterator<Item = NodeId>,
        kinds: EventTypeSet,
        each: &mut dyn FnMut(&Predicate, EventTypeSet),
    ) {
        let mut wanted: Vec<EventTypeSet> = Vec::new();
        for root in roots {
            let root = root as usize;
            if wanted.len() <= root {
                wanted.resize(root + 1, EventTypeSet::EMPTY);
            }
            wanted[root] = kinds;
        }
        // Parts have smaller numbers than what they are parts of.
        for id in (0..wanted.len()).rev() {
            let reach = self.reach[id];
            let open = wanted[id]
                .intersection(reach.may_hold)
                .intersection(reach.may_fail);
            if open.is_empty() {
                continue;
            }
            let mut want = |part: NodeId| {
                let part = &mut wanted[part as usize];
                *part = part.union(open);
            };
            match &self.nodes[id] {
                Node::And(parts) | Node::Or(parts) => parts.iter().copied().for_each(want),
                Node::Const(_) => {}
                Node::Leaf(leaf) => each(&self.leaf(*leaf).checked.predicate, open),
                Node::Not(part) => want(*part),
            }
        }
    }
}
