//! The rule language against upstream's rule files and vectors, and against itself.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "tests say what they skip and count")]

mod shared_data;
mod upstream;
mod vectors;
