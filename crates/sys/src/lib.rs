//! How the kernel is asked: the only crate with unsafe code.
