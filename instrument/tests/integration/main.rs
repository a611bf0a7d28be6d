//! The built `instrument`, from outside.

#[cfg(test)]
mod container;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod launch;
