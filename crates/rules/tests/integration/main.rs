//! The rule language against upstream's rule files and vectors, and against itself.
#![forbid(unsafe_code)]

mod shared_data;
mod upstream;
mod vectors;
