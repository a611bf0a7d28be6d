//! Strings that may stand anywhere in a value, in one pass over it (Aho and Corasick, 1975).

use std::collections::VecDeque;

/// A table of states: one step per byte of the value, whatever the number of strings.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    /// Bytes that no string tells apart are one class.
    classes: Box<[u8; 256]>,
    width: usize,
    /// `next[state * width + class]`; while the tree grows a state, then its row's place with
    /// [`ENDS`] when strings end in it.
    next: Box<[u32]>,
    /// The bits of the strings that end in a state.
    bits: Box<[u64]>,
}

/// Marks a state in which strings end.
const ENDS: u32 = 1 << 31;

/// Largest table, in entries: 512 KiB.
const LARGEST: usize = 128 << 10;

impl Automaton {
    /// `None` when the table would be too large.
    pub(super) fn new(strings: &[(Box<[u8]>, u64)]) -> Option<Self> {
        let mut classes = Box::new([0_u8; 256]);
        let mut width = 1_usize;
        for &byte in strings.iter().flat_map(|(string, _)| string.iter()) {
            let class = &mut classes[usize::from(byte)];
            if *class == 0 {
                *class = u8::try_from(width).ok()?;
                width += 1;
            }
        }
        let most: usize = strings
            .iter()
            .map(|(string, _)| string.len())
            .sum::<usize>()
            + 1;
        if most.checked_mul(width)? > LARGEST {
            return None;
        }
        let mut automaton = Self {
            classes,
            width,
            next: vec![0; most * width].into(),
            bits: vec![0; most].into(),
        };
        let states = automaton.grow(strings)?;
        automaton.link(states);
        Some(automaton)
    }

    /// Makes the tree of the strings; how many states it has. 0 stands for "no state" as long as
    /// the tree grows, since no edge leads back to the start.
    fn grow(&mut self, strings: &[(Box<[u8]>, u64)]) -> Option<u32> {
        let mut states = 1_u32;
        for (string, bit) in strings {
            let mut state = 0_usize;
            for &byte in string {
                let at = state * self.width + usize::from(self.classes[usize::from(byte)]);
                if self.next[at] == 0 {
                    self.next[at] = states;
                    states = states.checked_add(1)?;
                }
                state = self.next[at] as usize;
            }
            self.bits[state] |= bit;
        }
        Some(states)
    }

    /// Fills in where to go on when a string does not: the longest end that starts another one.
    fn link(&mut self, states: u32) {
        let mut fallback = vec![0_u32; states as usize];
        let mut queue: VecDeque<u32> = self.next[..self.width]
            .iter()
            .copied()
            .filter(|state| *state != 0)
            .collect();
        while let Some(state) = queue.pop_front() {
            let back = fallback[state as usize];
            self.bits[state as usize] |= self.bits[back as usize];
            for class in 0..self.width {
                let at = state as usize * self.width + class;
                let over_back = self.next[back as usize * self.width + class];
                match self.next[at] {
                    0 => self.next[at] = over_back,
                    child => {
                        fallback[child as usize] = over_back;
                        queue.push_back(child);
                    }
                }
            }
        }
        // From numbers of states to places of their rows, so that a step is one look-up.
        let width = u32::try_from(self.width).unwrap_or(u32::MAX);
        for next in &mut self.next {
            let ends = self.bits[*next as usize] != 0;
            *next = (*next * width) | if ends { ENDS } else { 0 };
        }
    }

    /// The bits of all strings that stand in the value.
    pub(super) fn find(&self, value: &[u8]) -> u64 {
        let mut row = 0_usize;
        let mut found = self.bits[0];
        for &byte in value {
            let next = self.next[row + usize::from(self.classes[usize::from(byte)])];
            row = (next & !ENDS) as usize;
            if next & ENDS != 0 {
                found |= self.bits[row / self.width];
            }
        }
        found
    }
}
