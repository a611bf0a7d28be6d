//! A load generator that speaks the wire protocol, as `instrument`'s outbox does.
//!
//! A [`Tracer`] numbers its frames, keeps what is not acknowledged, and sends it again after a
//! reconnect. When its window is full it waits, or drops the newest and tells it.

mod make;
mod tracer;

pub use make::{alert, event, fat_event};
pub use tracer::{Overflow, Produced, Tracer, TracerError};
