//! Positions in characters, made positions in bytes of the file.

use super::PAD;

/// Turns positions in characters into positions in bytes.
pub(super) struct Offsets<'a> {
    /// Behind each character that is longer than a byte: how many characters and bytes precede.
    /// Few files have many of them.
    marks: Vec<(usize, usize)>,
    /// Where lines were moved right, in bytes of the original text.
    pads: &'a [usize],
    total: usize,
}

impl<'a> Offsets<'a> {
    pub(super) fn new(text: &str, pads: &'a [usize]) -> Self {
        let mut marks = Vec::new();
        if !text.is_ascii() {
            let characters = text.char_indices().enumerate();
            for (number, (at, character)) in characters.filter(|(_, (_, c))| !c.is_ascii()) {
                marks.push((number + 1, at + character.len_utf8()));
            }
        }
        Self {
            marks,
            pads,
            total: text.len(),
        }
    }

    /// The byte of the original text.
    pub(super) fn byte(&self, character: usize) -> usize {
        let padded = self.padded_byte(character);
        // The n-th pad lies behind `n * PAD` bytes of pads and what precedes it in the original.
        let before = |count: usize| count * PAD;
        let (mut low, mut high) = (0, self.pads.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.pads[middle] + before(middle) < padded {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let inside = low
            .checked_sub(1)
            .map_or(0, |last| (padded - self.pads[last] - before(last)).min(PAD));
        padded - before(low.saturating_sub(1)) - inside
    }

    fn padded_byte(&self, character: usize) -> usize {
        let next = self.marks.partition_point(|(known, _)| *known <= character);
        let known = next.checked_sub(1).map(|last| self.marks[last]);
        let (characters, bytes) = known.unwrap_or_default();
        (bytes + (character - characters)).min(self.total)
    }
}
