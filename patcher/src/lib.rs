//! Rewrites templates and task definitions so that containers start through `instrument`.
//!
//! The way of an edit: [`source`] reads a text with the span of every node; [`plan`] decides on
//! its value what changes; [`edit`] applies that to the value, [`rewrite`] to the text; [`check`]
//! reads the new text with another parser and compares. Nothing is written unless they agree.
//!
//! Owns everything about templates. It never runs a container and never talks to CloudFormation.
#![forbid(unsafe_code)]

pub mod check;
pub mod cli;
pub mod config;
pub mod describe;
pub mod edit;
pub mod file;
pub mod image;
pub mod macro_mode;
pub mod options;
pub mod output;
pub mod patch;
pub mod path;
pub mod plan;
pub mod record;
pub mod registry;
pub mod report;
pub mod rewrite;
pub mod source;
pub mod unpatch;
pub mod value;
