//! What it means: the Falco rule language, without I/O, clock or kernel.
#![forbid(unsafe_code)]
