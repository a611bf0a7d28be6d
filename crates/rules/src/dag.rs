//! All conditions as one graph in which equal parts are one node.
//!
//! Macros are put in by reference, so that neither memory nor time grows with how often they are
//! used; what two rules have in common is evaluated once.

use std::collections::HashMap;

use event::EventTypeSet;

use crate::ast::{Check, Expr, Span};
use crate::check::{CheckFault, Checked, check};

mod asked;
mod key;

/// A node's number.
pub(crate) type NodeId = u32;

/// How deep conditions and the macros in them may nest together; bounds recursion.
const MAX_DEPTH: u32 = 1500;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    And(Box<[NodeId]>),
    Const(bool),
    Leaf(u32),
    Not(NodeId),
    Or(Box<[NodeId]>),
}

/// What is known of a node for every type of events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    pub(crate) may_hold: EventTypeSet,
    pub(crate) may_fail: EventTypeSet,
}

impl Reach {
    const fn not(self) -> Self {
        Self {
            may_hold: self.may_fail,
            may_fail: self.may_hold,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            may_hold: self.may_hold.intersection(other.may_hold),
            may_fail: self.may_fail.union(other.may_fail),
        }
    }
}

/// A comparison in the graph.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) checked: Checked,
}

#[derive(Debug, Default)]
pub(crate) struct Dag {
    nodes: Vec<Node>,
    reach: Vec<Reach>,
    depth: Vec<u32>,
    ids: HashMap<Node, NodeId>,
    leaves: Vec<Leaf>,
    /// By what tells them apart.
    leaf_ids: HashMap<Box<[u8]>, u32>,
    /// Memory for one such key.
    key: Vec<u8>,
    /// Of each node: in which run of [`Self::flatten`] it was last met.
    met: Vec<u32>,
    runs: u32,
}

/// Why a condition has no place in the graph.
#[derive(Debug)]
pub(crate) enum DagFault {
    /// A comparison is wrong.
    Check(CheckFault),
    /// Too deep.
    Depth(Span),
    /// A name is not a macro's.
    Macro(String, Span),
}

impl Dag {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    pub(crate) fn reach(&self, id: NodeId) -> Reach {
        self.reach[id as usize]
    }

    pub(crate) fn leaf(&self, leaf: u32) -> &Leaf {
        &self.leaves[leaf as usize]
    }

    /// Puts a condition in. `macros` knows the macros that it may use; faults are collected, and
    /// the part that they are about is left out.
    pub(crate) fn insert(
        &mut self,
        expr: &Expr,
        macros: &mut dyn FnMut(&mut Self, &str) -> Option<NodeId>,
        faults: &mut Vec<DagFault>,
    ) -> NodeId {
        match expr {
            Expr::And(items) => {
                let ids = self.all(items, macros, faults);
                self.and(&ids, faults)
            }
            Expr::Or(items) => {
                let ids = self.all(items, macros, faults);
                self.or(&ids, faults)
            }
            Expr::Not(item) => {
                let inner = self.insert(item, macros, faults);
                self.not(inner)
            }
            Expr::Macro { name, span } => macros(self, name).unwrap_or_else(|| {
                faults.push(DagFault::Macro(name.clone(), *span));
                self.constant(false)
            }),
            Expr::Check(check) => self.leaf_node(check, faults),
        }
    }

    fn all(
        &mut self,
        items: &[Expr],
        macros: &mut dyn FnMut(&mut Self, &str) -> Option<NodeId>,
        faults: &mut Vec<DagFault>,
    ) -> Vec<NodeId> {
        items
            .iter()
            .map(|item| self.insert(item, macros, faults))
            .collect()
    }

    fn leaf_node(&mut self, comparison: &Check, faults: &mut Vec<DagFault>) -> NodeId {
        self.key.clear();
        key::write(comparison, &mut self.key);
        if let Some(&leaf) = self.leaf_ids.get(&*self.key) {
            // A doubt is said where it stands, not only where it stood first.
            for doubt in &self.leaves[leaf as usize].checked.doubts {
                let span = comparison.span;
                faults.push(DagFault::Check(CheckFault {
                    span,
                    ..doubt.clone()
                }));
            }
            return self.intern(Node::Leaf(leaf));
        }
        let checked = match check(comparison) {
            Ok(checked) => checked,
            Err(fault) => {
                faults.push(DagFault::Check(fault));
                return self.constant(false);
            }
        };
        faults.extend(checked.doubts.iter().cloned().map(DagFault::Check));
        let leaf = u32::try_from(self.leaves.len()).expect("fewer comparisons than 2^32");
        self.leaves.push(Leaf { checked });
        self.leaf_ids.insert((*self.key).into(), leaf);
        self.intern(Node::Leaf(leaf))
    }

    pub(crate) fn constant(&mut self, value: bool) -> NodeId {
        self.intern(Node::Const(value))
    }

    pub(crate) fn not(&mut self, inner: NodeId) -> NodeId {
        match *self.node(inner) {
            Node::Not(double) => double,
            Node::Const(value) => self.constant(!value),
            _ => self.intern(Node::Not(inner)),
        }
    }

    fn and(&mut self, ids: &[NodeId], faults: &mut Vec<DagFault>) -> NodeId {
        let flat = self.flatten(ids, |node| match node {
            Node::And(inner) => Some(inner),
            _ => None,
        });
        self.several(flat, Node::And, faults)
    }

    fn or(&mut self, ids: &[NodeId], faults: &mut Vec<DagFault>) -> NodeId {
        let flat = self.flatten(ids, |node| match node {
            Node::Or(inner) => Some(inner),
            _ => None,
        });
        self.several(flat, Node::Or, faults)
    }

    /// Operands of operands of the same kind become operands, once each. Large ones stay what they
    /// are: a macro that is used often must not be copied as often.
    fn flatten(
        &mut self,
        ids: &[NodeId],
        inner: fn(&Node) -> Option<&Box<[NodeId]>>,
    ) -> Vec<NodeId> {
        const SMALL: usize = 64;
        let mut flat: Vec<NodeId> = Vec::with_capacity(ids.len());
        self.runs += 1;
        let run = self.runs;
        self.met.resize(self.nodes.len(), 0);
        let Self { nodes, met, .. } = self;
        let mut is_new = |id: NodeId| std::mem::replace(&mut met[id as usize], run) != run;
        for &id in ids {
            match inner(&nodes[id as usize]) {
                Some(items) if items.len() <= SMALL => {
                    flat.extend(items.iter().copied().filter(|id| is_new(*id)));
                }
                _ if is_new(id) => flat.push(id),
                _ => {}
            }
        }
        flat
    }

    fn several(
        &mut self,
        ids: Vec<NodeId>,
        make: fn(Box<[NodeId]>) -> Node,
        faults: &mut Vec<DagFault>,
    ) -> NodeId {
        if let [only] = *ids {
            return only;
        }
        let deepest = ids.iter().map(|id| self.depth[*id as usize]).max();
        if deepest.is_some_and(|depth| depth >= MAX_DEPTH) {
            faults.push(DagFault::Depth(Span::default()));
            return self.constant(false);
        }
        self.intern(make(ids.into()))
    }

    fn intern(&mut self, node: Node) -> NodeId {
        if let Some(&id) = self.ids.get(&node) {
            return id;
        }
        let id = NodeId::try_from(self.nodes.len()).expect("fewer nodes than 2^32");
        let (reach, depth) = self.measure(&node);
        self.nodes.push(node.clone());
        self.reach.push(reach);
        self.depth.push(depth);
        self.ids.insert(node, id);
        id
    }

    fn measure(&self, node: &Node) -> (Reach, u32) {
        let (all, none) = (EventTypeSet::all(), EventTypeSet::EMPTY);
        let of = |ids: &[NodeId], first: Reach, both: fn(Reach, Reach) -> Reach| {
            ids.iter().map(|id| self.reach(*id)).fold(first, both)
        };
        let depth = |ids: &[NodeId]| {
            let deepest = ids.iter().map(|id| self.depth[*id as usize]).max();
            deepest.unwrap_or(0) + 1
        };
        let always = Reach {
            may_hold: all,
            may_fail: none,
        };
        match node {
            Node::Const(true) => (always, 0),
            Node::Const(false) => (always.not(), 0),
            Node::Leaf(leaf) => {
                let checked = &self.leaves[*leaf as usize].checked;
                let (may_hold, may_fail) = (checked.may_hold, checked.may_fail);
                (Reach { may_hold, may_fail }, 0)
            }
            Node::Not(inner) => (self.reach(*inner).not(), depth(&[*inner])),
            Node::And(ids) => (of(ids, always, Reach::and), depth(ids)),
            Node::Or(ids) => {
                let nor = |known: Reach, reach: Reach| known.and(reach.not());
                (of(ids, always, nor).not(), depth(ids))
            }
        }
    }
}
