//! Rewrites templates and task definitions so that containers start through instrument.
#![forbid(unsafe_code)]

fn main() {}
