//! What `task-gate` does inside a task's namespaces: makes them, gives loopback its addresses,
//! and connects ports inside with unix sockets outside.

mod namespaces;
mod netlink;

use std::io::{self, Read as _, Write as _, stdin, stdout};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::fargate::relay;

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Make namespaces of our own; otherwise somebody has put us into them.
    pub unshare: bool,
    /// Directories that get a private, empty file system.
    pub private: Vec<PathBuf>,
    /// Addresses that loopback answers to besides its own.
    pub addresses: Vec<Ipv4Addr>,
    /// Addresses inside, and the sockets to which they lead.
    pub inward: Vec<(String, PathBuf)>,
    /// Sockets, and the addresses inside to which they lead.
    pub outward: Vec<(PathBuf, String)>,
}

/// Why the command line is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlanError {
    /// An option without its value, or an unknown one.
    #[error("cannot understand `{0}`")]
    Word(String),
}

impl Plan {
    /// Reads the command line of `task-gate`.
    pub fn parse(words: &[String]) -> Result<Self, PlanError> {
        let mut plan = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--unshare" {
                plan.unshare = true;
                continue;
            }
            let bad = || PlanError::Word(word.clone());
            let value = words.next().ok_or_else(bad)?;
            let pair = || value.split_once('=').ok_or_else(bad);
            match word.as_str() {
                "--private" => plan.private.push(PathBuf::from(value)),
                "--address" => plan.addresses.push(value.parse().map_err(|_| bad())?),
                "--inward" => {
                    let (address, socket) = pair()?;
                    plan.inward
                        .push((address.to_owned(), PathBuf::from(socket)));
                }
                "--outward" => {
                    let (socket, address) = pair()?;
                    plan.outward
                        .push((PathBuf::from(socket), address.to_owned()));
                }
                _ => return Err(bad()),
            }
        }
        Ok(plan)
    }

    /// Sets everything up, says so on standard output, and stays until standard input ends.
    ///
    /// Must be called before the process has a second thread.
    pub fn run(self) -> io::Result<()> {
        if self.unshare {
            namespaces::enter(&self.private)?;
        }
        netlink::raise_loopback().map_err(|error| named("cannot raise loopback", &error))?;
        for address in self.addresses {
            netlink::add_address(address)
                .map_err(|error| named("cannot add an address to loopback", &error))?;
        }
        for (address, socket) in self.inward {
            let listener = TcpListener::bind(&address).map_err(|error| named(&address, &error))?;
            relay::inward(listener, socket);
        }
        for (socket, address) in self.outward {
            relay::outward(listen(&socket)?, address);
        }
        let mut out = stdout().lock();
        writeln!(out, "{}", super::fargate::READY)?;
        out.flush()?;
        let mut rest = Vec::new();
        stdin().lock().read_to_end(&mut rest)?;
        Ok(())
    }
}

/// A socket to which every user may connect.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)
        .map_err(|error| named(&format!("cannot listen at `{}`", path.display()), &error))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

fn named(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Plan, PlanError> {
        Plan::parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn the_command_line_is_read() {
        let plan =
            parse("--unshare --address 169.254.170.2 --inward 1.2.3.4:80=/a --outward /b=c:1");
        let plan = plan.unwrap();
        assert!(plan.unshare);
        assert_eq!(
            plan.inward,
            [("1.2.3.4:80".to_owned(), PathBuf::from("/a"))]
        );
        assert_eq!(plan.outward, [(PathBuf::from("/b"), "c:1".to_owned())]);
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["--fly x", "--address here", "--inward x", "--private"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
