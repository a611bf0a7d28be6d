//! The outbox as a whole: the pure parts against a model of a sidecar, then threads and sockets.

mod file;
mod model;
mod server;
mod socket;

use wire::{Body, Event};

use super::ring::Class;

/// A frame's content of about that many bytes.
fn body(class: Class, len: usize) -> Body {
    match class {
        Class::Alert => Body::Alert(alert(len).into()),
        _ => Body::Event(Event {
            kind: "openat".to_owned(),
            users: [(7, "x".repeat(len))].into(),
            ..Event::default()
        }),
    }
}

fn alert(len: usize) -> event::Alert {
    event::Alert {
        time: 1,
        rule: "a rule".to_owned(),
        priority: event::Priority::Warning,
        source: "syscall".to_owned(),
        tags: Vec::new(),
        hostname: String::new(),
        message: "x".repeat(len),
        output_fields: Vec::new(),
    }
}
