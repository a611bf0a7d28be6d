//! Takes events of every container of a task and stores them.
#![forbid(unsafe_code)]

fn main() {}
