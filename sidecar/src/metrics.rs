//! Everything the sidecar counts: one table from which counting, `/metrics`, the heartbeat record
//! and the documentation's test follow.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::Reason;

struct Row {
    name: &'static str,
    labels: &'static str,
    help: &'static str,
}

macro_rules! metrics {
    ($($variant:ident $name:literal $labels:literal $help:literal;)*) => {
        /// A counter (its name ends in `_total`) or a gauge.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Metric {
            $(#[doc = $help] $variant,)*
        }

        #[cfg(test)]
        impl Metric {
            /// Every metric, in the order of the table.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];
        }

        const TABLE: &[Row] = &[
            $(Row { name: $name, labels: $labels, help: $help },)*
        ];
    };
}

metrics! {
    Alerts "sidecar_alerts_total" "" "Alerts taken from tracers.";
    AlertsFolded "sidecar_alerts_folded_total" "" "Alerts that became part of another alert's count.";
    Batches "sidecar_batches_stored_total" "" "Batches that a sink stored.";
    Connections "sidecar_connections_total" "" "Connections accepted on the socket.";
    DropExpired "sidecar_dropped_total" "reason=\"expired\"" "Frames that are not stored, by reason.";
    DropInvalid "sidecar_dropped_total" "reason=\"invalid\"" "Frames that are not stored, by reason.";
    DropMemoryFull "sidecar_dropped_total" "reason=\"memory_full\"" "Frames that are not stored, by reason.";
    DropSpoolCorrupt "sidecar_dropped_total" "reason=\"spool_corrupt\"" "Frames that are not stored, by reason.";
    DropSpoolFull "sidecar_dropped_total" "reason=\"spool_full\"" "Frames that are not stored, by reason.";
    DropTooNew "sidecar_dropped_total" "reason=\"too_new\"" "Frames that are not stored, by reason.";
    DropTooOld "sidecar_dropped_total" "reason=\"too_old\"" "Frames that are not stored, by reason.";
    DropUnknownKind "sidecar_dropped_total" "reason=\"unknown_kind\"" "Frames that are not stored, by reason.";
    Events "sidecar_events_total" "" "Events taken from tracers.";
    Filtered "sidecar_filtered_total" "" "Records that a sink's route left out.";
    Heartbeats "sidecar_heartbeats_total" "" "Heartbeat records made.";
    IntakeBytes "sidecar_intake_bytes_total" "" "Bytes read from tracers.";
    MemoryBytes "sidecar_queue_bytes" "" "Bytes of records held in memory.";
    MetadataFailures "sidecar_metadata_failures_total" "" "Questions to the task metadata endpoint without a usable answer.";
    OutboxDroppedAlerts "sidecar_outbox_dropped_total" "kind=\"alert\"" "Frames that tracers dropped before sending, by kind.";
    OutboxDroppedEvents "sidecar_outbox_dropped_total" "kind=\"event\"" "Frames that tracers dropped before sending, by kind.";
    Refused "sidecar_refused_total" "" "Connections refused, for whatever reason.";
    Resent "sidecar_resent_total" "" "Frames that came again after a reconnect and were already held.";
    Retries "sidecar_retries_total" "" "Attempts to store a batch that failed and are made again.";
    Sessions "sidecar_sessions" "" "Sessions open at present.";
    SpoolAside "sidecar_spool_aside_files" "" "Segments of a later version, found at the start and kept aside.";
    SpoolBytes "sidecar_spool_bytes" "" "Bytes of records on disk.";
    SpoolFailures "sidecar_spool_failures_total" "" "Failed reads and writes of the spool.";
    Spooled "sidecar_spooled_total" "" "Records written to disk.";
    Stored "sidecar_stored_total" "" "Records stored, counted once for each sink.";
    TimesClamped "sidecar_times_clamped_total" "" "Records whose time CloudWatch Logs would refuse and that were filed under the present.";
    Truncated "sidecar_truncated_total" "" "Records whose long values were cut to fit one message.";
}

impl From<Reason> for Metric {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Expired => Self::DropExpired,
            Reason::Invalid => Self::DropInvalid,
            Reason::MemoryFull => Self::DropMemoryFull,
            Reason::SpoolCorrupt => Self::DropSpoolCorrupt,
            Reason::SpoolFull => Self::DropSpoolFull,
            Reason::TooNew => Self::DropTooNew,
            Reason::TooOld => Self::DropTooOld,
            Reason::UnknownKind => Self::DropUnknownKind,
        }
    }
}

/// The values, shared by everything that counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    values: Vec<AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            values: TABLE.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Metrics {
    fn cell(&self, metric: Metric) -> &AtomicU64 {
        &self.values[metric as usize]
    }

    /// Adds to a counter. What a tracer says of itself may be any number: it stays at the highest.
    pub(crate) fn add(&self, metric: Metric, n: u64) {
        let sum = self.value(metric).saturating_add(n);
        self.set(metric, sum);
    }

    /// Adds one to a counter.
    pub(crate) fn count(&self, metric: Metric) {
        self.add(metric, 1);
    }

    /// Sets a gauge.
    pub(crate) fn set(&self, metric: Metric, n: u64) {
        self.cell(metric).store(n, Ordering::Relaxed);
    }

    /// The value.
    pub(crate) fn value(&self, metric: Metric) -> u64 {
        self.cell(metric).load(Ordering::Relaxed)
    }

    /// Frames dropped here, whatever the reason.
    pub(crate) fn dropped(&self) -> u64 {
        Reason::ALL
            .iter()
            .map(|reason| self.value((*reason).into()))
            .sum()
    }

    /// Every value under its name and labels.
    pub(crate) fn values(&self) -> std::collections::BTreeMap<String, u64> {
        TABLE
            .iter()
            .zip(&self.values)
            .map(|(row, value)| {
                let name = if row.labels.is_empty() {
                    row.name.to_owned()
                } else {
                    format!("{}{{{}}}", row.name, row.labels)
                };
                (name, value.load(Ordering::Relaxed))
            })
            .collect()
    }

    /// Prometheus' text format.
    pub(crate) fn render(&self) -> String {
        let mut out = String::with_capacity(4096);
        let mut last = "";
        for (row, value) in TABLE.iter().zip(&self.values) {
            if row.name != last {
                let kind = if row.name.ends_with("_total") {
                    "counter"
                } else {
                    "gauge"
                };
                write_line(&mut out, format_args!("# HELP {} {}", row.name, row.help));
                write_line(&mut out, format_args!("# TYPE {} {kind}", row.name));
                last = row.name;
            }
            let value = value.load(Ordering::Relaxed);
            if row.labels.is_empty() {
                write_line(&mut out, format_args!("{} {value}", row.name));
            } else {
                write_line(
                    &mut out,
                    format_args!("{}{{{}}} {value}", row.name, row.labels),
                );
            }
        }
        out
    }
}

fn write_line(out: &mut String, line: std::fmt::Arguments<'_>) {
    // INVARIANT: writing to a string cannot fail.
    writeln!(out, "{line}").expect("a string takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_rendered_under_its_name_once() {
        let metrics = Metrics::default();
        for (n, metric) in Metric::ALL.iter().enumerate() {
            metrics.add(*metric, 1000 + n as u64);
        }
        let text = metrics.render();
        for (n, row) in TABLE.iter().enumerate() {
            let value = format!(" {}", 1000 + n);
            let line = text
                .lines()
                .find(|line| line.ends_with(&value))
                .expect(row.name);
            assert!(line.starts_with(row.name));
        }
        assert_eq!(
            text.matches("# TYPE sidecar_dropped_total counter").count(),
            1
        );
    }

    #[test]
    fn the_operations_manual_names_every_metric() {
        let manual = include_str!("../../docs/operations.md");
        for row in TABLE {
            assert!(
                manual.contains(&format!("`{}", row.name)),
                "{} is not explained",
                row.name
            );
        }
    }

    /// A metric that nothing increments is a promise without a keeper.
    #[test]
    fn every_metric_is_used_somewhere() {
        let sources = crate_sources();
        for metric in Metric::ALL {
            let name = format!("Metric::{metric:?}");
            let by_reason = format!("{metric:?}")
                .strip_prefix("Drop")
                .map(|r| format!("Reason::{r}"));
            let is_used = sources.iter().any(|text| {
                text.contains(&name) || by_reason.as_ref().is_some_and(|r| text.contains(r))
            });
            assert!(is_used, "nothing counts {name}");
        }
    }

    fn crate_sources() -> Vec<String> {
        let mut folders = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src"
        ))];
        let mut texts = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("metrics.rs") && !path.ends_with("record.rs") {
                    texts.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        texts
    }
}
