//! What conditions can still be when only some facts of an event are given.

use std::borrow::Cow;
use std::collections::HashMap;

use event::{EventType, FieldId, Lookup, Value};

use crate::dag::{Dag, Node, NodeId};
use crate::predicate::{Predicate, Source, Test, Tri};

/// An event of which some fields are given; all others may be anything.
pub(crate) struct Hypothesis {
    kind: EventType,
    /// What a field may be.
    given: fn(FieldId) -> Option<&'static [Lookup<'static>]>,
    known: HashMap<NodeId, Tri>,
}

impl Hypothesis {
    /// A directory is opened to be listed; whether that succeeds is open.
    pub(crate) fn listing(kind: EventType) -> Self {
        Self {
            kind,
            given: of_listing,
            known: HashMap::new(),
        }
    }

    /// Whether a condition holds; [`Tri::Pending`] says that it depends on what is not given.
    pub(crate) fn ask(&mut self, dag: &Dag, id: NodeId) -> Tri {
        let reach = dag.reach(id);
        if !reach.may_hold.contains(self.kind) {
            return Tri::False;
        }
        if !reach.may_fail.contains(self.kind) {
            return Tri::True;
        }
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let answer = match dag.node(id) {
            Node::Const(value) => (*value).into(),
            Node::Leaf(leaf) => self.compare(&dag.leaf(*leaf).checked.predicate),
            Node::Not(inner) => self.ask(dag, *inner).not(),
            Node::And(ids) => self.combine(dag, ids, Tri::False),
            Node::Or(ids) => self.combine(dag, ids, Tri::True),
        };
        self.known.insert(id, answer);
        answer
    }

    fn combine(&mut self, dag: &Dag, ids: &[NodeId], settles: Tri) -> Tri {
        let mut answer = settles.not();
        for &id in ids {
            match self.ask(dag, id) {
                found if found == settles => return settles,
                Tri::Pending => answer = Tri::Pending,
                Tri::False | Tri::True => {}
            }
        }
        answer
    }

    fn compare(&self, predicate: &Predicate) -> Tri {
        let (Source::Field(field), false) =
            (&predicate.source, matches!(predicate.test, Test::Right(..)))
        else {
            return Tri::Pending;
        };
        let Some([first, rest @ ..]) = (self.given)(field.id) else {
            return Tri::Pending;
        };
        let answer = predicate.test.ask(first);
        if rest.iter().all(|value| predicate.test.ask(value) == answer) {
            answer
        } else {
            Tri::Pending
        }
    }
}

/// What is known of `open` with `O_DIRECTORY` and without anything that writes or creates: what it
/// opens is a directory, or there is no descriptor.
fn of_listing(field: FieldId) -> Option<&'static [Lookup<'static>]> {
    const NO: &[Lookup<'_>] = &[Lookup::Is(Value::Bool(false))];
    const TYPE: &[Lookup<'_>] = &[
        Lookup::Is(Value::Text(Cow::Borrowed(b"directory"))),
        Lookup::Unset,
    ];
    const LETTER: &[Lookup<'_>] = &[Lookup::Is(Value::Text(Cow::Borrowed(b"d"))), Lookup::Unset];
    match field {
        FieldId::EvtIsOpenCreate | FieldId::EvtIsOpenExec | FieldId::EvtIsOpenWrite => Some(NO),
        FieldId::FdFilename => Some(&[Lookup::Unset]),
        FieldId::FdType => Some(TYPE),
        FieldId::FdTypechar => Some(LETTER),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{RuleSet, Source};

    fn asks(condition: &str) -> bool {
        let text =
            format!("- {{rule: R, desc: d, condition: '{condition}', output: o, priority: INFO}}");
        let name = "r.yaml".to_owned();
        RuleSet::load(&[Source { name, text }])
            .unwrap()
            .asks_for_directories()
    }

    #[test]
    fn a_rule_asks_for_directories_unless_what_is_known_of_them_rules_it_out() {
        for (condition, expected) in [
            ("evt.type = openat", true),
            ("evt.type = openat and fd.name startswith /etc", true),
            (
                "evt.type in (open, openat) and evt.is_open_read = true",
                true,
            ),
            (
                "evt.type = openat and evt.is_open_read = true and fd.typechar = f",
                false,
            ),
            ("evt.type = openat and fd.typechar = d", true),
            ("evt.type = openat and fd.typechar != f", true),
            ("evt.type = openat and not fd.typechar = f", true),
            ("evt.type = openat and not fd.typechar = d", true),
            ("evt.type = openat and fd.type in (file, pipe)", false),
            ("evt.type = openat and fd.type in (file, directory)", true),
            ("evt.type = openat and fd.filename = x", false),
            ("evt.type = openat and evt.is_open_write = true", false),
            ("evt.type = openat and evt.is_open_write = false", true),
            (
                "evt.type = openat and (evt.is_open_write = true or evt.failed = true)",
                true,
            ),
            ("evt.type = openat and toupper(fd.typechar) = F", true),
            ("evt.type = openat and fd.typechar = val(fd.type)", true),
            ("evt.type = openat2 and fd.typechar = d", false),
            ("evt.type = creat or evt.type = execve", false),
            ("proc.name = x", true),
        ] {
            assert_eq!(asks(condition), expected, "{condition}");
        }
    }
}
