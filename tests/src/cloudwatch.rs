//! A strict fake of CloudWatch Logs.
//!
//! It refuses what AWS refuses, in the same forms, and so it is stricter than the public
//! emulators, which accept requests beyond every limit. It keeps a ledger of what it stored, and
//! misbehaves on demand ([`Fault`]). It listens on loopback only, over HTTP or TLS.
//!
//! ```no_run
//! use e2e::cloudwatch::{CloudWatch, Fault};
//! use std::time::Duration;
//!
//! let cloudwatch = CloudWatch::start()?;
//! cloudwatch.script([Fault::Throttle, Fault::FailAfterStoring]);
//! // … run something with AWS_ENDPOINT_URL set to `cloudwatch.url()` …
//! let has_shell = cloudwatch.wait_for(Duration::from_secs(10), |ledger| {
//!     ledger.messages("group").any(|message| message.contains("Shell"))
//! });
//! assert!(has_shell);
//! # Ok::<(), e2e::cloudwatch::StartError>(())
//! ```

mod fault;
mod ledger;
mod protocol;
mod server;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

pub use fault::{Chaos, Fault};
pub use ledger::{Identities, Ledger, Stored};

/// Why the fake did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No socket, no runtime.
    #[error("cannot start the fake of CloudWatch Logs")]
    Io(#[from] std::io::Error),
    /// No certificates.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
}

/// How the fake behaves.
#[derive(Clone, Debug)]
struct Settings {
    chaos: Option<Chaos>,
    /// Nobody answers: connections are closed at once.
    is_down: bool,
    /// Requests wait without an answer for as long as this holds.
    is_silent: bool,
    /// Added to the clock by which ages are judged, milliseconds.
    clock_offset_ms: i64,
    /// Retention of every group, milliseconds.
    retention_ms: Option<i64>,
    /// The access key that must sign requests.
    access_key: Option<String>,
    /// Before every answer.
    latency: Duration,
}

/// What the server and its owner share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    faults: std::collections::VecDeque<Fault>,
    settings: Settings,
    groups: BTreeMap<String, std::collections::BTreeSet<String>>,
    random: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running fake; it ends when it is dropped.
#[derive(Debug)]
pub struct CloudWatch {
    address: SocketAddr,
    shared: Arc<Shared>,
    authority: Option<(tempfile::TempDir, PathBuf)>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl CloudWatch {
    /// Starts on a free port of loopback, over HTTP.
    pub fn start() -> Result<Self, StartError> {
        Self::start_on(0, false)
    }

    /// Starts over TLS, with an authority of its own ([`Self::authority`]).
    pub fn start_tls() -> Result<Self, StartError> {
        Self::start_on(0, true)
    }

    /// Starts on a port of loopback.
    pub fn start_on(port: u16, is_tls: bool) -> Result<Self, StartError> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (acceptor, authority) = if is_tls {
            let made = crate::tls::make()?;
            let dir = tempfile::tempdir()?;
            let path = dir.path().join("authority.pem");
            std::fs::write(&path, &made.authority)?;
            (Some(made.acceptor), Some((dir, path)))
        } else {
            (None, None)
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                ledger: Ledger::default(),
                faults: std::collections::VecDeque::new(),
                settings: Settings {
                    chaos: None,
                    is_down: false,
                    is_silent: false,
                    clock_offset_ms: 0,
                    retention_ms: None,
                    access_key: None,
                    latency: Duration::ZERO,
                },
                groups: BTreeMap::new(),
                random: 0x9e37_79b9_7f4a_7c15,
            }),
            changed: Condvar::new(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("cloudwatch".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = server::serve(listener, acceptor, served) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            shared,
            authority,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// What `AWS_ENDPOINT_URL` is set to.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}:{}", self.host(), self.address.port())
    }

    fn host(&self) -> &'static str {
        if self.authority.is_some() {
            "localhost"
        } else {
            "127.0.0.1"
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The PEM file of the authority, for `SSL_CERT_FILE`; `None` without TLS.
    pub fn authority(&self) -> Option<&Path> {
        self.authority.as_ref().map(|(_, path)| path.as_path())
    }

    /// The environment that sends an AWS SDK here.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut vars = vec![
            ("AWS_ENDPOINT_URL".to_owned(), self.url()),
            ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "AKIDEXAMPLE".to_owned()),
            (
                "AWS_SECRET_ACCESS_KEY".to_owned(),
                "wJalrXUtnFEMI".to_owned(),
            ),
            ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
        ];
        if let Some(path) = self.authority() {
            vars.push(("SSL_CERT_FILE".to_owned(), path.display().to_string()));
        }
        vars
    }

    /// Faults for the next puts, one each, before those scripted already are used up.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.lock().faults.extend(faults);
    }

    /// Random faults for every put that no script covers; `None` ends them.
    pub fn chaos(&self, chaos: Option<Chaos>) {
        self.shared.lock().settings.chaos = chaos;
    }

    /// Whether connections are closed at once.
    pub fn set_down(&self, is_down: bool) {
        self.change(|settings| settings.is_down = is_down);
    }

    /// Whether requests are taken and never answered.
    pub fn set_silent(&self, is_silent: bool) {
        self.change(|settings| settings.is_silent = is_silent);
    }

    /// Moves the clock by which ages are judged.
    pub fn set_clock_offset(&self, milliseconds: i64) {
        self.change(|settings| settings.clock_offset_ms = milliseconds);
    }

    /// Sets the retention of every group.
    pub fn set_retention(&self, retention: Option<Duration>) {
        let milliseconds = retention.and_then(|time| i64::try_from(time.as_millis()).ok());
        self.change(|settings| settings.retention_ms = milliseconds);
    }

    /// Believes only requests that this access key has signed.
    pub fn require_key(&self, key: Option<&str>) {
        self.change(|settings| settings.access_key = key.map(str::to_owned));
    }

    /// Waits before every answer.
    pub fn set_latency(&self, latency: Duration) {
        self.change(|settings| settings.latency = latency);
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.lock().settings);
        self.shared.changed.notify_all();
    }

    /// Whether texts are kept in the ledger; without them it holds counts and identities only.
    pub fn keep_messages(&self, keep: bool) {
        self.shared.lock().ledger.keep_messages = keep;
    }

    /// Looks at what was stored so far.
    pub fn ledger<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.shared.lock().ledger)
    }

    /// Every message of a group, in the order in which they were stored.
    pub fn messages(&self, group: &str) -> Vec<String> {
        self.ledger(|ledger| ledger.messages(group).map(str::to_owned).collect())
    }

    /// Waits until the ledger satisfies a condition; whether it did in time.
    pub fn wait_for(&self, time: Duration, is_so: impl Fn(&Ledger) -> bool) -> bool {
        let deadline = Instant::now() + time;
        let mut state = self.shared.lock();
        loop {
            if is_so(&state.ledger) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for CloudWatch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been printed; there is nothing to add.
            drop(thread.join());
        }
    }
}
