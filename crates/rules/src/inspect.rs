//! What a set of rules holds, for the people who write them.

use event::{EventType, EventTypeSet, Field, Priority};

use crate::ast::Expr;
use crate::diagnostic::Style;
use crate::ruleset::{RuleId, RuleSet};

mod print;

/// What a rule is and what it costs.
#[derive(Clone, Debug)]
pub struct RuleInfo<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// How bad a match is.
    pub priority: Priority,
    /// Its tags, sorted.
    pub tags: &'a [String],
    /// Whether it is on.
    pub is_enabled: bool,
    /// Its condition as written, exceptions aside.
    pub condition: &'a str,
    /// Its output as written.
    pub output: &'a str,
    /// The types of events that it may match.
    pub events: EventTypeSet,
    /// Those of them of which the tracer may have to see the result.
    pub needs_result: EventTypeSet,
    /// The fields that its condition reads, by name.
    pub fields: Vec<String>,
}

impl RuleSet {
    /// The rule of that name.
    pub fn find(&self, name: &str) -> Option<RuleId> {
        self.rules().find(|id| self.name(*id) == name)
    }

    /// The names that are like `name`, for a message that asks what was meant.
    pub fn similar(&self, name: &str) -> Option<&str> {
        let near = crate::suggest::suggestion(name, self.rules().map(|id| self.name(id)));
        near.or_else(|| {
            let lower = name.to_lowercase();
            self.rules()
                .map(|id| self.name(id))
                .find(|known| known.to_lowercase().contains(&lower))
        })
    }

    /// What a rule is and what it costs.
    pub fn info(&self, id: RuleId) -> RuleInfo<'_> {
        let rule = self.rule(id);
        let reach = self.whole.dag.reach(rule.root);
        let mut fields = std::collections::BTreeSet::new();
        let mut needs_result = EventTypeSet::EMPTY;
        for kind in reach.may_hold.iter() {
            let reads = self.reads(id, kind);
            if reads.iter().any(|(_, is_open)| *is_open) {
                needs_result.insert(kind);
            }
            fields.extend(reads.into_iter().map(|(name, _)| name));
        }
        RuleInfo {
            name: &rule.name,
            description: &rule.description,
            priority: rule.priority,
            tags: &rule.tags,
            is_enabled: rule.is_enabled,
            condition: &rule.condition_text,
            output: &rule.output_text,
            events: reach.may_hold,
            needs_result,
            fields: fields.into_iter().collect(),
        }
    }

    /// The fields that a rule reads of one type of event, by name, and whether each may have no
    /// value before the call returns.
    fn reads(&self, id: RuleId, kind: EventType) -> Vec<(String, bool)> {
        let root = self.rule(id).root;
        let mut fields = std::collections::BTreeMap::new();
        let kinds = EventTypeSet::only(kind);
        let roots = std::iter::once(root);
        self.whole.dag.asked(roots, kinds, &mut |predicate, _| {
            predicate.fields(&mut |field: Field| {
                let is_open = field.is_open_at_entry(kind);
                fields.insert(field.to_string(), is_open);
            });
        });
        fields.into_iter().collect()
    }

    /// How many enabled rules may need the result of each type of event that is asked for.
    pub fn cost(&self) -> Vec<(EventType, usize, usize)> {
        self.events()
            .iter()
            .map(|kind| {
                let rules = self.programs.rules(kind, &self.whole.dag);
                let ids: Vec<RuleId> = rules.map(RuleId).collect();
                let open = ids
                    .iter()
                    .filter(|id| self.reads(**id, kind).iter().any(|(_, is_open)| *is_open))
                    .count();
                (kind, ids.len(), open)
            })
            .collect()
    }

    /// A rule's condition on one line, with lists, macros and exceptions put in, as Falco prints
    /// it.
    pub fn condition(&self, id: RuleId) -> String {
        let mut out = String::new();
        print::on_one_line(&self.rule(id).condition, &self.macros(), &mut out);
        out
    }

    /// Everything about a rule: what it means, which stops it makes the tracer take, and why.
    pub fn explain(&self, id: RuleId, style: Style) -> String {
        let info = self.info(id);
        let mut out = String::new();
        print::heading(&info, style, &mut out);
        print::indented(&self.rule(id).condition, &self.macros(), style, &mut out);
        out.push('\n');
        let stops: Vec<print::Stop> = info
            .events
            .iter()
            .map(|kind| print::Stop {
                kind,
                reads: self.reads(id, kind),
            })
            .collect();
        print::stops(&stops, style, &mut out);
        out
    }

    fn macros(&self) -> std::collections::HashMap<&str, &Expr> {
        let macros = self.whole.macros.iter();
        macros.map(|(name, expr)| (&**name, expr)).collect()
    }
}
