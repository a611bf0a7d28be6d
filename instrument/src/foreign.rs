//! Processes that enter the container from outside: ECS Exec, `docker exec`, `nsenter`.
//!
//! The runtime puts them into the container's namespaces. They descend from nobody who is traced
//! and inherit no filter, so they are looked for: the outbox's thread looks at `/proc` (the tracer
//! has no time), and only when pids were given out since it last looked. The tracer then seizes
//! what was found. Such a process stops at every call; where it is allowed and harmless, our
//! filter is put into it from outside, and it gets as fast as the rest.
//!
//! The parts: `scope` decides which processes are in our container, `standing` what one of them is,
//! `lookout` looks, `injection` is the sequence of calls that installs a filter, `entry` does it.

mod entry;
mod injection;
mod lookout;
mod scope;
mod standing;

pub use entry::Entry;
pub use lookout::{Found, Lookout};
