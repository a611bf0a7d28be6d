//! A process as rules see it: what is noted is answered at once, the rest is read from `/proc` at
//! most once per event.

use std::borrow::Cow;

use event::{Capabilities, Credentials, ExeFile, ProcessFacts};

use super::Process;
use super::proc::{self, Stat, Status};

/// An environment beyond this many bytes is cut.
const MAX_ENVIRONMENT_BYTES: usize = 64 * 1024;

/// Something that may be read from `/proc`.
#[derive(Clone, Debug, Default)]
pub(super) enum Read<T> {
    /// There is none.
    Missing,
    /// Nobody asked yet.
    #[default]
    Unasked,
    /// It was there.
    Value(T),
}

/// What was read for one event.
#[derive(Debug, Default)]
pub(super) struct Volatile {
    epoch: u64,
    stat: Read<Stat>,
    status: Read<Status>,
    cwd: Read<Vec<u8>>,
    env: Read<Vec<u8>>,
}

impl Process {
    /// The answer to a question, read now unless it was read for the same event. A process that
    /// ended has no answers: its pid may be somebody else's. Either way the answer is one for now.
    fn ask<T: Clone>(
        &self,
        slot: impl Fn(&mut Volatile) -> &mut Read<T>,
        read: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        self.context.is_volatile.set(true);
        if !self.is_alive {
            return None;
        }
        let epoch = self.context.epoch.get();
        {
            let mut volatile = self.volatile.borrow_mut();
            if volatile.epoch != epoch {
                *volatile = Volatile {
                    epoch,
                    ..Volatile::default()
                };
            }
            match slot(&mut volatile) {
                Read::Missing => return None,
                Read::Unasked => {}
                Read::Value(known) => return Some(known.clone()),
            }
        }
        let answer = read();
        *slot(&mut self.volatile.borrow_mut()) = match &answer {
            Some(value) => Read::Value(value.clone()),
            None => Read::Missing,
        };
        answer
    }

    /// What is asked for now tells this process from others that execute the same program.
    fn is_its_own(&self) {
        self.context.is_volatile.set(true);
    }

    fn stat(&self) -> Option<Stat> {
        self.ask(|v| &mut v.stat, || proc::stat(self.pid))
    }

    fn status(&self) -> Option<Status> {
        self.ask(|v| &mut v.status, || proc::status(self.pid.0))
    }
}

impl ProcessFacts for Process {
    fn pid(&self) -> i64 {
        self.is_its_own();
        i64::from(self.pid.0)
    }

    fn vpid(&self) -> i64 {
        self.is_its_own();
        self.vpid
    }

    fn ppid(&self) -> Option<i64> {
        // The kernel's word, because a rule may compare it with what other tools say.
        self.parent?;
        self.stat().map(|stat| i64::from(stat.ppid))
    }

    fn comm(&self) -> &[u8] {
        &self.image.comm
    }

    fn exe(&self) -> &[u8] {
        &self.image.exe
    }

    fn args(&self) -> &[Box<[u8]>] {
        &self.image.args
    }

    fn exe_path(&self) -> Option<&[u8]> {
        self.image.path.as_deref()
    }

    fn exe_file(&self) -> Option<ExeFile> {
        let file = self.image.executable?;
        let ids = match self.image.ids {
            Some(ids) => (ids.euid, ids.egid),
            None => self.credentials().map_or((0, 0), |c| (c.euid, c.egid)),
        };
        Some(file.facts(self.exe_path(), ids, self.context.started.get()))
    }

    fn cwd(&self) -> Option<Cow<'_, [u8]>> {
        self.ask(|v| &mut v.cwd, || proc::read_link(self.leader(), "cwd"))
            .map(Cow::Owned)
    }

    fn env(&self) -> Option<Cow<'_, [u8]>> {
        self.ask(
            |v| &mut v.env,
            || proc::environ(self.pid, MAX_ENVIRONMENT_BYTES),
        )
        .map(Cow::Owned)
    }

    fn tty(&self) -> Option<u32> {
        self.stat().map(|stat| stat.tty)
    }

    fn sid(&self) -> Option<i64> {
        self.stat().map(|stat| stat.sid)
    }

    fn pgid(&self) -> Option<i64> {
        self.stat().map(|stat| stat.pgid)
    }

    fn credentials(&self) -> Option<Credentials> {
        let mut credentials = self.status()?.credentials;
        credentials.loginuid = self.context.loginuid.get();
        Some(credentials)
    }

    fn capabilities(&self) -> Option<Capabilities> {
        self.status().map(|status| status.capabilities)
    }

    fn started(&self) -> u64 {
        self.is_its_own();
        self.started
    }

    fn executed(&self) -> u64 {
        self.is_its_own();
        self.image.executed
    }
}
