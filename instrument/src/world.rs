//! What events are seen against: processes, users, addresses, the task.

mod users;

use std::cell::{Cell, OnceCell};
use std::net::IpAddr;

use event::Task;
use nix::sys::socket::SockaddrLike as _;

use crate::process::Processes;
pub use users::Names;

/// Everything that is not the event itself.
#[derive(Debug)]
pub struct World {
    /// The workload's processes.
    pub processes: Processes,
    /// Where it runs.
    pub task: Task,
    names: Names,
    local: OnceCell<Vec<IpAddr>>,
    events: Cell<u64>,
}

impl World {
    /// A world around a table of processes.
    pub fn new(processes: Processes) -> Self {
        Self {
            processes,
            task: Task::default(),
            names: Names::default(),
            local: OnceCell::new(),
            events: Cell::new(0),
        }
    }

    /// Number of the next event, from 1. What was read from `/proc` before is out of date.
    pub fn next_event(&self) -> u64 {
        self.processes.next_event();
        self.events.set(self.events.get() + 1);
        self.events.get()
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.events.get()
    }

    /// Names of users and groups.
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// Addresses of the container's interfaces. They are asked once: Fargate attaches them before
    /// the first container starts, and never others.
    pub fn local_addresses(&self) -> &[IpAddr] {
        self.local.get_or_init(|| {
            let Ok(interfaces) = nix::ifaddrs::getifaddrs() else {
                return Vec::new();
            };
            interfaces
                .filter_map(|interface| {
                    let address = interface.address?;
                    match address.family()? {
                        nix::sys::socket::AddressFamily::Inet => {
                            Some(IpAddr::V4(address.as_sockaddr_in()?.ip()))
                        }
                        nix::sys::socket::AddressFamily::Inet6 => {
                            Some(IpAddr::V6(address.as_sockaddr_in6()?.ip()))
                        }
                        _ => None,
                    }
                })
                .collect()
        })
    }
}
