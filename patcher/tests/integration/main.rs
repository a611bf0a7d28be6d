//! The patcher against real templates, real registries and real second opinions.
#![forbid(unsafe_code)]
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected stops, and says what it skips"
)]

mod aws;
mod bad_input;
mod commands;
mod corpus;
mod harness;
mod http;
mod lambda;
mod odd;
mod random;
mod registry;
mod render;
mod update;
