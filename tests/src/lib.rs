//! A small Fargate, a strict fake of CloudWatch Logs, and the end-to-end scenarios.
#![forbid(unsafe_code)]

pub mod alerts;
pub mod cloudwatch;
pub mod config;
pub mod demo;
pub mod dockerd;
pub mod fargate;
pub mod gate;
pub mod image;
pub mod intruder;
pub mod lab;
pub mod load;
pub mod pace;
pub mod parity;
pub mod scratch;
pub mod stage;
pub mod target;
pub mod tls;
