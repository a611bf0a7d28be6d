//! How it travels: frames between `instrument` and `sidecar` over a unix stream socket.
//!
//! Owns the shapes of all messages, their field numbers, and the framing: a little-endian `u32`
//! length, then that many bytes of protobuf. It owns no socket, no queue and no clock, and needs
//! no async runtime: `instrument` writes with [`encode`] and reads with [`read`] or a [`Decoder`];
//! the sidecar feeds whatever bytes arrive into a [`Decoder`].
//!
//! [`Frame`] travels from `instrument` to the sidecar, [`Control`] comes back. A message whose kind
//! this version does not know decodes with `body: None`; the receiver counts and skips it.
//! `docs/wire.md` describes every byte.
//!
//! # A session, as `instrument` sees it
//!
//! ```
//! use wire::{Body, Control, Decoder, Frame, Hello, Order, Welcome, encode};
//!
//! // Out: a hello first, then numbered frames.
//! let mut out = Vec::new();
//! encode(&Frame::hello(Hello { version: 1, epoch: 42, ..Hello::default() }), &mut out)?;
//! encode(&Frame::new(1, Body::Lost(wire::Lost { from: 7, to: 9, ..Default::default() })), &mut out)?;
//!
//! // In: bytes arrive in any pieces.
//! let mut bytes = Vec::new();
//! encode(&Control::from(Order::Welcome(Welcome { version: 1, resume_after: 0 })), &mut bytes)?;
//! let mut decoder = Decoder::<Control>::default();
//! decoder.push(&bytes[..3]);
//! assert!(decoder.next()?.is_none());
//! decoder.push(&bytes[3..]);
//! let control = decoder.next()?.expect("a whole message has arrived");
//! assert!(matches!(control.body, Some(Order::Welcome(w)) if w.resume_after == 0));
//! # Ok::<(), wire::WireError>(())
//! ```
#![forbid(unsafe_code)]

mod alert;
mod codec;
mod control;
mod event_convert;
mod event_form;
mod frame;

pub use alert::{Alert, AlertField, alert_field};
pub use codec::{Decoder, LENGTH_BYTES, MAX_MESSAGE_BYTES, WireError, encode, read};
pub use control::{
    Ack, AddTrace, Control, DropTrace, Identity, LoadRules, LogLevel, Order, Refusal, Refused,
    Welcome,
};
pub use event_convert::UnknownKind;
pub use event_form::{
    Addr, Arg, Capabilities, Credentials, Event, ExeFile, Fd, Path, Process, Strings, arg,
};
pub use frame::{
    Body, Bye, Container, Counters, Frame, Hello, Lost, LostReason, Mode, Record, Tally,
};
