//! Threads that watch one container each: its output, its end, its health.

use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::backend::{Backend, Remains};
use super::board::Board;
use super::container::{Container, HealthCheck};
use super::task::Message;
use crate::pace::{Deadline, pause};

/// How often, and how far apart, a container must be said to have ended while its command goes on:
/// a client of Docker may miss the end of a container that was short.
const ANSWERS: usize = 2;
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(5);

/// One container, and to whom its watchers speak.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) container: Container,
    pub(super) index: usize,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) board: Arc<Board>,
    pub(super) messages: SyncSender<Message>,
}

/// Starts the command that is a container, and reports its output and its end.
pub(super) fn start(watched: Watched, mut command: Command) -> io::Result<()> {
    let Watched {
        container,
        index,
        backend,
        board,
        messages,
    } = watched;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C is for us; the containers get an orderly stop.
        .process_group(0)
        .spawn()?;
    board.began(index, child.id());
    let readers: Vec<JoinHandle<()>> = [
        child
            .stdout
            .take()
            .map(|output| read(output, index, &board)),
        child
            .stderr
            .take()
            .map(|output| read(output, index, &board)),
    ]
    .into_iter()
    .flatten()
    .collect();
    thread::spawn(move || {
        let end = await_end(&mut child, || backend.remains(&container));
        // The end of the output comes with the end of the last process that holds it; a stray
        // one must not hide that the container has ended.
        Deadline::seconds(2).poll(|| readers.iter().all(JoinHandle::is_finished).then_some(()));
        let code = end.unwrap_or_else(|remains| {
            let printed = board.output(index).lines().count();
            for line in remains.output.lines().skip(printed) {
                board.print(index, line);
            }
            remains.code
        });
        // The task may be over, and nobody listening.
        drop(messages.send(Message::Exited { index, code }));
    });
    Ok(())
}

/// Waits for the end of a container's command; ends a command that has outlived its container.
fn await_end(child: &mut Child, remains: impl Fn() -> Option<Remains>) -> Result<i32, Remains> {
    let mut answers = 0;
    loop {
        let status = Deadline::after(BETWEEN_QUESTIONS).poll(|| child.try_wait().transpose());
        if let Some(status) = status {
            return Ok(status.map_or(255, exit_code));
        }
        let Some(remains) = remains() else {
            answers = 0;
            continue;
        };
        answers += 1;
        if answers == ANSWERS {
            // It may end at this very moment; that is as good.
            drop(child.kill());
            drop(child.wait());
            return Err(remains);
        }
    }
}

/// The exit code that Docker and a shell give: 128 and the number of a signal.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn read(output: impl Read + Send + 'static, index: usize, board: &Arc<Board>) -> JoinHandle<()> {
    let board = Arc::clone(board);
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line);
            board.print(index, line.trim_end_matches('\r'));
        }
    })
}

/// Runs a container's health check until it has passed, failed too often, or has no subject.
pub(super) fn check(watched: Watched) {
    let Watched {
        container,
        index,
        backend,
        board,
        messages,
    } = watched;
    let Some(check) = container.health_check.clone() else {
        return;
    };
    thread::spawn(move || {
        let started = Instant::now();
        let mut failures = 0;
        while board.pid(index).is_some() {
            if is_well(&backend, &container, &check) {
                drop(messages.send(Message::Healthy { index }));
                return;
            }
            failures += u32::from(started.elapsed() >= check.start_period);
            if failures > check.retries {
                drop(messages.send(Message::Unhealthy { index }));
                return;
            }
            pause(check.interval);
        }
    });
}

fn is_well(backend: &Arc<dyn Backend>, container: &Container, check: &HealthCheck) -> bool {
    backend
        .beside(container, &check.command)
        .and_then(|mut command| command.stdin(Stdio::null()).output())
        .is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_outlives_its_container_is_ended() {
        let client = |script| Command::new("sh").args(["-c", script]).spawn().unwrap();
        let remains = Remains {
            code: 7,
            output: "a\n".to_owned(),
        };
        let mut stays = client("exec sleep 1000");
        let end = await_end(&mut stays, || Some(remains.clone()));
        assert_eq!(end, Err(remains.clone()));
        assert_eq!(exit_code(stays.wait().unwrap()), 137);
        assert_eq!(
            await_end(&mut client("exit 3"), || Some(remains.clone())),
            Ok(3)
        );
    }
}
