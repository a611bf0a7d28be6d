//! The parts, put together, and their end.
//!
//! The end has phases within one budget, which is shorter than ECS's `stopTimeout`: tracers are
//! read until they have all gone, or until little time is left; then sessions end, what was held
//! back is told, and the sinks get the rest; what they do not take goes to the spool.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::admin;
use crate::config::Config;
use crate::hub::Hub;
use crate::identity::{self, Identities};
use crate::intake::{self, Shared};
use crate::log::LogLevel;
use crate::metrics::{Metric, Metrics};
use crate::sink;

/// How often losses are told and the age of queues is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Left of the budget for the sinks when tracers do not go.
const FLUSH_TIME: Duration = Duration::from_secs(5);
/// Left of the budget for the spool.
const SPILL_TIME: Duration = Duration::from_millis(500);
/// How long nobody may be connected before everybody counts as gone: a tracer that connects again
/// must not find the door closed.
const QUIET: Duration = Duration::from_millis(300);

/// Runs the sidecar until it is told to end.
pub(crate) async fn run(config: Config, log: LogLevel) -> anyhow::Result<()> {
    // First of all: recovering a large spool takes a while, and the first process of a container
    // does not even die of a signal that it does not wait for.
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let metrics = Arc::new(Metrics::default());
    // Before the spool is touched: whoever listens there already has it open.
    let listener = intake::listen(&config.socket)?;
    let hub = Arc::new(Hub::new(&config, metrics));
    let identities = Identities::default();
    let (orders, _) = broadcast::channel(16);
    let (close, closing) = watch::channel(false);
    let mut background = JoinSet::new();
    let mut sinks = JoinSet::new();
    for (number, sink) in config.sinks.iter().enumerate() {
        let name = sink.target.name();
        sinks.spawn(sink::deliver(
            number,
            name,
            sink::open(sink, &hub),
            Arc::clone(&hub),
        ));
    }
    if let Some(base) = config.metadata.clone() {
        hub.expect_metadata();
        background.spawn(identity::watch(base, identities.clone(), Arc::clone(&hub)));
    }
    background.spawn(tick(Arc::clone(&hub)));
    background.spawn(heartbeat(Arc::clone(&hub), config.heartbeat));
    let admin = admin::Admin {
        hub: Arc::clone(&hub),
        log: log.clone(),
        orders: orders.clone(),
    };
    background.spawn(admin::serve(config.admin.clone(), config.http, admin));
    background.spawn(watch_signal(log));
    let shared = Shared {
        hub: Arc::clone(&hub),
        identities,
        orders,
        closing,
        rate: config.rate,
    };
    let intake = tokio::spawn(intake::serve(listener, shared));
    tracing::info!(socket = %config.socket.display(), sinks = config.sinks.len(), "Ready.");

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drain(&hub, &config, &close, intake, sinks).await;
    background.abort_all();
    if let Err(error) = std::fs::remove_file(&config.socket) {
        tracing::debug!(%error, "The socket is gone already.");
    }
    Ok(())
}

async fn drain(
    hub: &Arc<Hub>,
    config: &Config,
    close: &watch::Sender<bool>,
    intake: tokio::task::JoinHandle<()>,
    mut sinks: JoinSet<()>,
) {
    let end = Instant::now() + config.drain;
    let spill_time = SPILL_TIME.min(config.drain / 8);
    let intake_end = end - FLUSH_TIME.min(config.drain / 2);
    tracing::info!(
        seconds = config.drain.as_secs(),
        sessions = hub.open_sessions(),
        "Draining."
    );
    let mut quiet_since = Instant::now();
    while Instant::now() < intake_end && quiet_since.elapsed() < QUIET {
        if hub.open_sessions() > 0 {
            quiet_since = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    close.send_replace(true);
    if tokio::time::timeout_at(end - spill_time * 2, intake)
        .await
        .is_err()
    {
        tracing::warn!("Some sessions did not end in time.");
    }
    hub.finish();
    hub.heartbeat();
    let lag = |hub: &Hub| {
        (0..config.sinks.len())
            .map(|sink| hub.lag(sink))
            .sum::<u64>()
    };
    let mut settled = hub.safe();
    while lag(hub) > 0 {
        settled.mark_unchanged();
        if lag(hub) == 0
            || tokio::time::timeout_at(end - spill_time, settled.changed())
                .await
                .is_err()
        {
            break;
        }
    }
    sinks.abort_all();
    while sinks.join_next().await.is_some() {}
    let rest = lag(hub);
    let held = hub.spill();
    match (rest, held) {
        (0, _) => tracing::info!(
            stored = hub.metrics.value(Metric::Stored),
            dropped = hub.metrics.dropped(),
            "Everything is stored."
        ),
        (_, 0) => tracing::warn!(
            records = rest,
            "Not everything is stored; the rest is in the spool."
        ),
        _ => tracing::error!(
            records = rest,
            "Not everything is stored, and there is no spool."
        ),
    }
}

async fn tick(hub: Arc<Hub>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0_u64;
    loop {
        ticks.tick().await;
        hub.tick();
        count += 1;
        if count.is_multiple_of(5) {
            sync(&hub).await;
        }
    }
}

/// Forces the spool to the device, apart from everything else: it may take long.
async fn sync(hub: &Hub) {
    for file in hub.sync_handles() {
        let synced = tokio::task::spawn_blocking(move || file.sync_data()).await;
        if let Ok(Err(error)) = synced {
            hub.metrics.count(Metric::SpoolFailures);
            tracing::warn!(%error, "Cannot force the spool to the device.");
        }
    }
}

async fn heartbeat(hub: Arc<Hub>, every: Duration) {
    let mut beats = tokio::time::interval_at(Instant::now() + every, every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        hub.heartbeat();
    }
}

/// SIGUSR1 switches between debug and info.
async fn watch_signal(log: LogLevel) {
    let Ok(mut toggled) = signal(SignalKind::user_defined1()) else {
        return;
    };
    while toggled.recv().await.is_some() {
        log.toggle();
    }
}
