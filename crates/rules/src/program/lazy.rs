//! The programs of a rule set, each built when the first event of its type comes.
//!
//! Whoever loads rules waits for it, and most workloads cause few types of events.

use event::{EventType, EventTypeSet, Facts};

use super::{Found, Memory, Program};
use crate::dag::{Dag, NodeId};

/// The programs of all types of events.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The enabled rules and their conditions.
    rules: Vec<(u32, NodeId)>,
    events: EventTypeSet,
    open: EventTypeSet,
    /// In the order of [`EventType::ALL`].
    built: Vec<Option<Program>>,
    memory: Memory,
}

impl Programs {
    /// The programs of these rules. The events that they ask for are known at once.
    pub(crate) fn new(dag: &Dag, rules: Vec<(u32, NodeId)>) -> Self {
        let roots = || rules.iter().map(|(_, root)| *root);
        let events = roots().fold(EventTypeSet::EMPTY, |events, root| {
            events.union(dag.reach(root).may_hold)
        });
        let mut open = EventTypeSet::EMPTY;
        dag.asked(roots(), events, &mut |predicate, kinds| {
            let unknown = kinds.intersection(open.complement());
            let pending = unknown
                .iter()
                .filter(|kind| predicate.may_be_pending(*kind));
            open = open.union(pending.collect());
        });
        Self {
            rules,
            events,
            open,
            built: std::iter::repeat_with(|| None)
                .take(EventType::ALL.len())
                .collect(),
            memory: Memory::default(),
        }
    }

    /// The types of events that a rule asks for.
    pub(crate) const fn events(&self) -> EventTypeSet {
        self.events
    }

    /// Those of them of which an answer may be open at the entry.
    pub(crate) const fn open(&self) -> EventTypeSet {
        self.open
    }

    /// The rules that may hold for a type of events.
    pub(crate) fn rules(&self, kind: EventType, dag: &Dag) -> impl Iterator<Item = u32> {
        let may_hold = move |root: NodeId| dag.reach(root).may_hold.contains(kind);
        let rules = self.rules.iter();
        rules
            .filter(move |(_, root)| may_hold(*root))
            .map(|(number, _)| *number)
    }

    /// Evaluates the rules for an event.
    pub(crate) fn run(&mut self, dag: &Dag, facts: &dyn Facts, first_only: bool) -> Found {
        let kind = facts.kind();
        if let Some(Some(program)) = self.built.get(kind as usize) {
            return program.run(facts, first_only, &mut self.memory);
        }
        self.run_first(kind, dag, facts, first_only)
    }

    /// Builds the program of this type of events.
    #[cold]
    fn run_first(
        &mut self,
        kind: EventType,
        dag: &Dag,
        facts: &dyn Facts,
        first_only: bool,
    ) -> Found {
        let Some(place) = self.built.get_mut(kind as usize) else {
            return Found::Nothing;
        };
        let program = place.insert(Program::new(kind, dag, &self.rules));
        self.memory.reserve(program);
        program.run(facts, first_only, &mut self.memory)
    }

    /// The numbers of the rules that matched last.
    pub(crate) fn matched(&self) -> &[u32] {
        &self.memory.matched
    }
}
