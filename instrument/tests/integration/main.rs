//! The built `instrument`, from outside.

#[cfg(test)]
mod container;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod launch;
