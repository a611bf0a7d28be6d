//! Real templates, real registries, real servers.
#![forbid(unsafe_code)]

mod corpus;
