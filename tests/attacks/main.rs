//! What hostile programs do under a tracer, and what comes of it: seen, refused, or both.
//!
//! Each test runs one small hostile program (`tests/targets/attack_*.c`) under `instrument` and
//! looks at both sides: what the program got, and what the alerts and events say.
#![forbid(unsafe_code)]

mod debuggers;
mod evasion;
mod outside;
mod refusals;
mod tamper;
mod watched;
