//! The rule language against upstream's rule files and vectors, and against itself.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]
#![expect(clippy::print_stdout, reason = "tests say what they skip and count")]

mod allocations;
mod defaults;
mod fields;
mod oddities;
mod random;
mod shared_data;
mod upstream;
mod vectors;

#[path = "../../benches/evaluate/naive.rs"]
mod naive;
