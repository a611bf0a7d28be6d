//! The parity suite: a workload cannot tell that `instrument` started it.
//!
//! Each case runs one small program natively and under `instrument`, in both modes that trace, and
//! everything that the outside can see must be equal. The programs are in `tests/targets`; what is
//! compared and how is in `e2e::parity`; why these cases is in `docs/design/parity.md`.
#![forbid(unsafe_code)]

mod containers;
mod docker;
mod launch;
mod privileges;
mod processes;
mod signals;
mod storms;
mod supervised;
mod terminals;
mod visible;
