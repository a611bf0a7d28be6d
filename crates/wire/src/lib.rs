//! How it travels: frames, hello and acknowledgements.
#![forbid(unsafe_code)]
