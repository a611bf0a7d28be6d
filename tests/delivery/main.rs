//! The real sidecar against the strict fake of CloudWatch Logs: every promise has a test that
//! fails when it is broken.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a surprise ends the test, with its place"
)]

mod account;
mod aws;
mod conservation;
mod disk;
mod hostile;
mod intake;
mod process;
mod promises;
mod role;
mod sinks;
