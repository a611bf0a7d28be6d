//! What `patcher`, `instrument` and `sidecar` agree on, and what users and other programs see.
//!
//! Owns names only: paths on the shared volume, environment variables, tags, exit codes, the
//! protocol version. It never reads the environment, opens a file or decides anything.
#![forbid(unsafe_code)]

pub mod env;
pub mod exit;
pub mod path;
pub mod sidecar;
pub mod tag;

/// Version of the protocol between `instrument` and `sidecar`, sent in the first frame.
pub const PROTOCOL_VERSION: u32 = 1;
