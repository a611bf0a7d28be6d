//! The status as a table for people.

use std::fmt::Write as _;

use crate::hub::Status;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

/// The tables of `sidecar status`.
pub(crate) fn render(status: &Status, is_terminal: bool) -> String {
    let mut out = String::new();
    let containers = status.containers.iter().map(|c| {
        let name = if c.name.is_empty() { &c.ctr } else { &c.name };
        let state = if c.connected { "connected" } else { "gone" };
        vec![
            name.clone(),
            state.to_owned(),
            c.events.to_string(),
            c.alerts.to_string(),
            c.dropped.to_string(),
            c.taken.saturating_sub(c.acked).to_string(),
            c.reconnects.to_string(),
        ]
    });
    let head = [
        "CONTAINER",
        "STATE",
        "EVENTS",
        "ALERTS",
        "DROPPED",
        "UNACKED",
        "RECONNECTS",
    ];
    table(
        &mut out,
        &head,
        &containers.collect::<Vec<_>>(),
        is_terminal,
    );
    out.push('\n');
    let sinks = status
        .sinks
        .iter()
        .map(|s| vec![s.sink.clone(), s.lag.to_string()]);
    table(
        &mut out,
        &["SINK", "LAG"],
        &sinks.collect::<Vec<_>>(),
        is_terminal,
    );
    out.push('\n');
    let drops: Vec<_> = status
        .counters
        .iter()
        .filter(|(name, count)| name.contains("dropped_total") && **count > 0)
        .map(|(name, count)| vec![name.clone(), count.to_string()])
        .collect();
    if drops.is_empty() {
        out.push_str("nothing dropped\n");
    } else {
        if is_terminal {
            out.push_str(RED);
        }
        table(&mut out, &["DROPS", "FRAMES"], &drops, false);
        if is_terminal {
            out.push_str(PLAIN);
        }
    }
    out
}

fn table(out: &mut String, head: &[&str], rows: &[Vec<String>], is_bold: bool) {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(n, title)| {
            rows.iter()
                .filter_map(|row| row.get(n))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(title.len())
        })
        .collect();
    let line = |cells: Vec<&str>| {
        let mut text = String::new();
        for (n, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let gap = if n == 0 { "" } else { "  " };
            // INVARIANT: writing to a string cannot fail.
            write!(text, "{gap}{cell:<width$}").expect("a string takes any text");
        }
        text.trim_end().to_owned()
    };
    let title = line(head.to_vec());
    if is_bold {
        writeln!(out, "{BOLD}{title}{PLAIN}").expect("a string takes any text");
    } else {
        writeln!(out, "{title}").expect("a string takes any text");
    }
    for row in rows {
        let cells = row.iter().map(String::as_str).collect();
        writeln!(out, "{}", line(cells)).expect("a string takes any text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::SinkState;
    use crate::lines::ContainerState;

    #[test]
    fn a_status_is_a_table() {
        let status = Status {
            containers: vec![ContainerState {
                ctr: "1234-0001".to_owned(),
                name: "web".to_owned(),
                epoch: 1,
                connected: true,
                taken: 12,
                acked: 10,
                events: 1000,
                alerts: 3,
                calls_judged: 0,
                faults: 0,
                dropped: 0,
                reconnects: 1,
            }],
            sinks: vec![SinkState {
                sink: "cloudwatch".to_owned(),
                lag: 2,
            }],
            counters: [("sidecar_dropped_total{reason=\"too_old\"}".to_owned(), 4)].into(),
        };
        let expected = "\
CONTAINER  STATE      EVENTS  ALERTS  DROPPED  UNACKED  RECONNECTS
web        connected  1000    3       0        2        1

SINK        LAG
cloudwatch  2

DROPS                                    FRAMES
sidecar_dropped_total{reason=\"too_old\"}  4
";
        assert_eq!(render(&status, false), expected);
        assert!(render(&status, true).contains(RED));
    }
}
