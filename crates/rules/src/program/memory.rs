//! Memory that is used for one event after the other, so that none is asked for.

use event::{Facts, Field, Lookup, Value, extract};

use super::Program;
use super::group::Known;
use crate::predicate::Tri;

/// Memory that evaluations use again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(super) steps: Vec<Option<Tri>>,
    pub(super) groups: Vec<Option<Known>>,
    pub(super) texts: Vec<KeptText>,
    pub(super) scratch: Vec<u8>,
    pub(crate) matched: Vec<u32>,
}

/// Text that was put together for this event.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptText {
    state: Option<TextState>,
    pub(super) bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum TextState {
    Pending,
    There,
    Unset,
}

/// Room for text that is put together, such as a command line. Longer text makes it grow once.
const TEXT: usize = 4 << 10;

impl Memory {
    /// Makes room for programs, so that no evaluation has to.
    pub(crate) fn reserve(&mut self, program: &Program) {
        grow(&mut self.steps, program.steps.len());
        grow(&mut self.groups, program.groups.len());
        grow(&mut self.texts, program.texts.len());
        for text in &mut self.texts {
            text.bytes.reserve(TEXT);
        }
        let rules: usize = program.blocks.iter().map(|block| block.rules.len()).sum();
        self.matched.reserve(rules);
        self.scratch.reserve(TEXT);
    }

    pub(super) fn forget(&mut self, program: &Program) {
        self.matched.clear();
        self.steps[..program.steps.len()].fill(None);
        self.groups[..program.groups.len()].fill(None);
        for text in &mut self.texts[..program.texts.len()] {
            text.state = None;
        }
    }
}

fn grow<T: Clone + Default>(items: &mut Vec<T>, length: usize) {
    if items.len() < length {
        items.resize(length, T::default());
    }
}

impl KeptText {
    /// Puts the text together unless that has been done for this event.
    pub(super) fn there(
        &mut self,
        field: &Field,
        facts: &dyn Facts,
        scratch: &mut Vec<u8>,
    ) -> TextState {
        if let Some(state) = self.state {
            return state;
        }
        let state = match extract(field, facts, scratch) {
            Lookup::Is(Value::Text(text)) => {
                self.bytes.clear();
                self.bytes.extend_from_slice(&text);
                TextState::There
            }
            Lookup::Is(_) | Lookup::Unset => TextState::Unset,
            Lookup::Pending => TextState::Pending,
        };
        self.state = Some(state);
        state
    }
}
