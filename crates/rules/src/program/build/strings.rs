//! Comparisons with strings, which groups answer together.

use event::{Field, FieldArg, FieldId};

use super::{Builder, number};
use crate::predicate::{Predicate, Source, Test, TextTest};
use crate::program::group::{Group, How, Matcher, Reader};
use crate::program::{Index, Step};

/// A group whose strings are still being collected.
pub(super) struct Growing<'a> {
    pub(super) field: Field,
    pub(super) how: How,
    strings: Vec<(&'a [u8], u64)>,
    bits: u32,
}

impl Growing<'_> {
    /// Makes it a group; `texts` are the fields whose text is kept.
    pub(super) fn finish(self, texts: &mut Vec<Field>) -> Group {
        Group {
            reader: reader(&self.field, texts),
            matcher: Matcher::new(self.how, &self.strings),
            field: self.field,
        }
    }
}

impl<'a> Builder<'a> {
    /// Gives a comparison a bit in a group of its field.
    pub(super) fn member(
        &mut self,
        field: &Field,
        how: How,
        strings: Vec<&'a [u8]>,
    ) -> (Index, u64) {
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

    pub(super) fn push_member(&mut self, group: Index, mask: u64) -> Index {
        if let Some(known) = self.members.get(&(group, mask)) {
            return *known;
        }
        let step = self.push(Step::Member { group, mask });
        self.members.insert((group, mask), step);
        step
    }
}

/// How a field's text is come by; `texts` are those that are kept.
fn reader(field: &Field, texts: &mut Vec<Field>) -> Reader {
    if is_any_ancestor(field) {
        return Reader::Ancestors;
    }
    let generation = match (field.id, &field.arg) {
        (FieldId::ProcName, _) => Some(0),
        (FieldId::ProcPname, _) => Some(1),
        (FieldId::ProcAname, FieldArg::Index(index)) => usize::try_from(*index).ok(),
        _ => None,
    };
    if let Some(generation) = generation {
        return Reader::Name(generation);
    }
    match field.id {
        FieldId::ProcExe => return Reader::Exe(0),
        FieldId::ProcPexe => return Reader::Exe(1),
        _ => {}
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
pub(super) struct Comparison<'a> {
    pub(super) field: &'a Field,
    pub(super) how: How,
    pub(super) strings: Vec<&'a [u8]>,
    pub(super) is_negated: bool,
}

/// A comparison of a field with strings that a group can answer.
pub(super) fn as_strings(predicate: &Predicate) -> Option<Comparison<'_>> {
    let Test::Text(test) = &predicate.test else {
        return None;
    };
    let field = match &predicate.source {
        Source::Ancestors(FieldId::ProcAname) if !matches!(test, TextTest::NotEqual(_)) => {
            &ANY_ANCESTOR
        }
        Source::Field(field) if !field.id.info().is_list() && !is_any_ancestor(field) => field,
        _ => return None,
    };
    let (how, strings) = match test {
        TextTest::Contains(part) => (How::Contains, vec![&**part]),
        TextTest::Endswith(end) => (How::Ends, vec![&**end]),
        TextTest::Equal(other) | TextTest::NotEqual(other) => (How::Equals, vec![&**other]),
        TextTest::In(set) => (How::Equals, set.iter().map(|string| &**string).collect()),
        TextTest::Startswith(start) => (How::Starts, vec![&**start]),
        _ => return None,
    };
    Some(Comparison {
        field,
        how,
        strings,
        is_negated: matches!(test, TextTest::NotEqual(_)),
    })
}

/// The name of any ancestor. That one differs is no question for a group: another one may not.
static ANY_ANCESTOR: Field = Field::plain(FieldId::ProcAname);

fn is_any_ancestor(field: &Field) -> bool {
    field.id == FieldId::ProcAname && field.arg == FieldArg::None
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
