//! A small Fargate: runs a task definition as ECS would, on this machine, with nothing faked that
//! the agent can see.
//!
//! A task has one network namespace, in which 169.254.170.2 answers with the task metadata and
//! the credentials; volumes come from containers; starts follow `dependsOn` and stops reverse it.
//! Two back ends start the containers: [`process`] needs neither root nor Docker, [`docker`] is
//! the real thing. No packet leaves loopback.

pub mod backend;
pub mod board;
pub mod container;
pub mod definition;
pub mod docker;
mod endpoints;
mod gate;
mod http;
pub mod intrinsics;
pub mod lifecycle;
pub mod metadata;
pub mod process;
pub(crate) mod relay;
mod runner;
pub mod task;
mod watch;

use std::fmt;
use std::fs;
use std::io;

use backend::{Handler, Opening};
use board::Listener;
pub(crate) use gate::READY;
use metadata::Identity;

use crate::image::Images;

/// What a task needs besides its definition.
#[derive(Default)]
pub struct Setup {
    /// The images of its containers.
    pub images: Images,
    /// What programs inside reach outside.
    pub openings: Vec<Opening>,
    /// What answers at 169.254.170.2, instead of the metadata and the credentials.
    pub metadata: Option<Handler>,
    /// Hears every line of output: the container's name and the line.
    pub listener: Option<Listener>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Setup")
            .field("images", &self.images)
            .field("openings", &self.openings)
            .finish_non_exhaustive()
    }
}

/// A task id that no other task has.
fn identity(family: &str) -> io::Result<Identity> {
    let random = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    Ok(Identity {
        task_id: random.trim().replace('-', ""),
        family: family.to_owned(),
        cluster: "test".to_owned(),
    })
}
