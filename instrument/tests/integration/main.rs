//! The built `instrument`, from outside.

mod container;
mod foreign;
