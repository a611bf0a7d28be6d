//! The project's commands: demo, test, bench, dist, deps.
#![forbid(unsafe_code)]

fn main() {}
