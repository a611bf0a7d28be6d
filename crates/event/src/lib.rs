//! What can happen: event types, the facts of an event, alerts.
//!
//! Owns the vocabulary between the tracer (which answers), the rules (which ask) and everything
//! that carries or stores the answers. It never asks the kernel, reads a file or looks at a clock:
//! whoever implements [`Facts`] does that, lazily, and only when a rule asks.
#![forbid(unsafe_code)]

mod alert;
mod facts;
mod kind;
mod value;

pub use alert::{Alert, FieldValue, Priority};
pub use facts::{
    Arg, Args, Capabilities, Credentials, ExeFile, Facts, Fd, FdKind, L4Proto, Outcome,
    ProcessFacts, Role, Task,
};
pub use kind::EventType;
pub use value::{Lookup, Value};
