//! What can happen: event types, the facts of an event, alerts.
//!
//! Owns the vocabulary between the tracer (which answers), the rules (which ask) and everything
//! that carries or stores the answers. It never asks the kernel, reads a file or looks at a clock:
//! whoever implements [`Facts`] does that, lazily, and only when a rule asks.
#![forbid(unsafe_code)]

mod absolute;
mod alert;
mod clock;
mod extract;
mod facts;
mod field;
mod glob;
mod json;
mod kind;
mod names;
mod recorded;
mod value;

pub use absolute::absolute;
pub use alert::{Alert, FieldValue, Priority};
pub use clock::{Shape, time_string};
pub use extract::{Ends, any_ancestor, ends, extract, path};
pub use facts::{
    Arg, Args, Capabilities, Credentials, ExeFile, Facts, Fd, FdKind, L4Proto, LONGEST_CHAIN,
    Outcome, ProcessFacts, Role, Task,
};
pub use field::{Argument, FIELDS, Field, FieldArg, FieldError, FieldId, FieldInfo, FieldKind};
pub use glob::{Case, glob};
pub use json::Form;
pub use kind::{EventType, EventTypeSet};
pub use names::{ARGUMENTS, argument, errno_name, port_of_service, service_of_port};
pub use recorded::{Event, EventError, Process};
pub use value::{Lookup, Value};
