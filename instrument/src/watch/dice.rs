//! Unpredictable choices, cheaply.

use std::hash::{BuildHasher as _, RandomState};

/// A die that no program can foresee.
#[derive(Debug, Default)]
pub(super) struct Dice {
    secret: RandomState,
    throws: u64,
}

impl Dice {
    /// True once in `sides` throws, on average.
    pub(super) fn throw(&mut self, sides: u64) -> bool {
        self.throws += 1;
        self.secret.hash_one(self.throws).is_multiple_of(sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_one_in_sixteen() {
        let mut dice = Dice::default();
        let hits = (0..16_000).filter(|_| dice.throw(16)).count();
        assert!((500..1500).contains(&hits), "{hits}");
    }
}
