//! Lines other than alerts: events, and what the sidecar says about itself.

use event::{Shape, Task, time_string};
use serde::Serialize;
use serde::ser::Serializer;

use crate::json::{Delivery, Line, fit, task_fields};

/// The task's fields as an object.
struct TaskFields<'a>(&'a Task);

impl Serialize for TaskFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(task_fields(self.0))
    }
}

#[derive(Serialize)]
struct EventLine<'a> {
    kind: &'static str,
    time: String,
    event: &'a event::Event,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    delivery: Delivery<'a>,
}

/// An event, as recordings have it. The task is inside of the event.
pub(crate) fn event(event: &mut event::Event, delivery: Delivery<'_>, max: usize) -> Line {
    let time = time_string(event.time, Shape::Iso8601);
    let line = |event: &event::Event, truncated| {
        serde_json::to_vec(&EventLine {
            kind: "event",
            time: time.clone(),
            event,
            truncated,
            delivery,
        })
    };
    // INVARIANT: every part of an event has a form in JSON; recordings rely on it too.
    let whole = line(event, false).expect("an event has a form in JSON");
    if whole.len() <= max {
        return Line {
            json: whole.into(),
            is_truncated: false,
        };
    }
    let shortened = std::cell::RefCell::new(event);
    fit(max, |cut, _| {
        let mut event = shortened.borrow_mut();
        shorten(&mut event, cut);
        line(&event, true)
    })
}

/// Cuts everything in an event whose length its maker chose.
fn shorten(event: &mut event::Event, max: usize) {
    let few = if max <= 2048 { 16 } else { 1024 };
    event.processes.truncate(few);
    for process in &mut event.processes {
        process.env = None;
        process.args.truncate(few);
        for arg in &mut process.args {
            shorten_bytes(arg, max);
        }
        shorten_bytes(&mut process.comm, max);
        shorten_bytes(&mut process.exe, max);
        for path in [&mut process.exe_path, &mut process.cwd]
            .into_iter()
            .flatten()
        {
            shorten_bytes(path, max);
        }
    }
    event.args.items.truncate(few);
    for (_, arg) in &mut event.args.items {
        match arg {
            event::Arg::Bytes(bytes) => shorten_cow(bytes, max),
            event::Arg::Path { raw, absolute } => {
                shorten_cow(raw, max);
                if let Some(absolute) = absolute {
                    shorten_cow(absolute, max);
                }
            }
            event::Arg::Vector(list) => {
                let list = list.to_mut();
                list.truncate(few);
                for item in list {
                    shorten_bytes(item, max);
                }
            }
            _ => {}
        }
    }
    if let Some(fd) = &mut event.fd {
        for name in [&mut fd.name, &mut fd.raw_name].into_iter().flatten() {
            shorten_cow(name, max);
        }
    }
    for names in [&mut event.users, &mut event.groups] {
        let kept = std::mem::take(names).into_iter().take(few);
        *names = kept
            .filter(|(_, name)| name.len() <= max.min(256))
            .collect();
    }
    event.local_addresses.truncate(few);
}

fn shorten_bytes(bytes: &mut Box<[u8]>, max: usize) {
    if let Some(short) = bytes.get(..max) {
        *bytes = short.into();
    }
}

fn shorten_cow(bytes: &mut std::borrow::Cow<'static, [u8]>, max: usize) {
    if bytes.len() > max {
        bytes.to_mut().truncate(max);
    }
}

/// What a `lost` record says.
#[derive(Debug, Serialize)]
pub(crate) struct LostJson<'a> {
    /// Whose frames are missing.
    pub ctr: &'a str,
    /// In which life of its tracer.
    pub epoch: u64,
    /// First number that is missing.
    pub from: u64,
    /// Last number that is missing; some in between may be there.
    pub to: u64,
    /// Why.
    pub reason: &'a str,
    /// Missing events.
    pub events: u64,
    /// Missing alerts.
    pub alerts: u64,
    /// Exactly the missing numbers, where the sidecar knows them.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub seqs: &'a [(u64, u64)],
    /// Which sink has not got them; all when absent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub sink: &'a str,
}

/// What a `container` record says.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ContainerJson<'a> {
    /// `started` or `ended`.
    pub state: &'a str,
    /// Exit code of the workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

/// What a `heartbeat` record says.
#[derive(Debug, Serialize)]
pub(crate) struct HeartbeatJson {
    /// Everything that the sidecar counts, by its name in `/metrics`.
    pub counters: std::collections::BTreeMap<String, u64>,
    /// Every container that has spoken.
    pub containers: Vec<ContainerState>,
}

/// How a container fares.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub(crate) struct ContainerState {
    /// The container.
    pub ctr: String,
    /// Its name, where known.
    pub name: String,
    /// One life of its tracer.
    pub epoch: u64,
    /// Whether a session is open.
    pub connected: bool,
    /// Highest number taken.
    pub taken: u64,
    /// Highest number that is in safe hands.
    pub acked: u64,
    /// Events made there so far.
    pub events: u64,
    /// Alerts made there so far.
    pub alerts: u64,
    /// Calls that its tracer has judged by the rules; 0 until it tells.
    pub calls_judged: u64,
    /// Faults of its tracer, which went on.
    pub faults: u64,
    /// Frames that its outbox dropped.
    pub dropped: u64,
    /// Times it connected again.
    pub reconnects: u64,
}

/// The sidecar's own statements.
#[derive(Debug)]
pub(crate) enum Own<'a> {
    Container(ContainerJson<'a>),
    Heartbeat(HeartbeatJson),
    Lost(LostJson<'a>),
}

#[derive(Serialize)]
struct OwnLine<'a> {
    kind: &'static str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a ContainerJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<&'a HeartbeatJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<&'a LostJson<'a>>,
    fields: TaskFields<'a>,
    delivery: Delivery<'a>,
}

/// One of the sidecar's own statements as a line.
pub(crate) fn own(own: &Own<'_>, time: u64, task: &Task, delivery: Delivery<'_>) -> bytes::Bytes {
    let (kind, container, heartbeat, lost) = match own {
        Own::Container(body) => ("container", Some(body), None, None),
        Own::Heartbeat(body) => ("heartbeat", None, Some(body), None),
        Own::Lost(body) => ("lost", None, None, Some(body)),
    };
    let time = time_string(time, Shape::Iso8601);
    let line = OwnLine {
        kind,
        time,
        container,
        heartbeat,
        lost,
        fields: TaskFields(task),
        delivery,
    };
    // INVARIANT: the line is made of strings and numbers under string keys.
    serde_json::to_vec(&line)
        .expect("lines are plain data")
        .into()
}
