//! Takes events and alerts of every container of a task and stores them at least once, or tells
//! which it could not.
//!
//! Owns the socket on the volume, the queues and their spool, the sinks, and the identity of the
//! task. It never decides what is an alert: rules run in the tracer. `produced = stored + told as
//! lost` holds at every moment, through every outage and every restart.
//!
//! ```text
//! intake ─▶ hub (numbers, lanes, losses, acknowledgements) ─▶ one loop per sink ─▶ sink
//!              └─▶ spool, under pressure only
//! ```
#![forbid(unsafe_code)]

mod admin;
mod app;
pub mod cli;
mod clock;
pub mod config;
mod http;
mod hub;
pub mod identity;
mod intake;
mod json;
mod lines;
mod log;
mod metrics;
mod net;
mod output;
pub mod record;
mod route;
mod sink;
pub mod spool;
mod table;
