//! Reads what the sidecar prints: alerts in Falco's shape, and its own accounts.

use std::collections::BTreeMap;

use serde_json::Value;

/// An alert, as far as tests and the demo look at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The rule's name.
    pub rule: String,
    /// The rule's priority.
    pub priority: String,
    /// The rule's output, filled in.
    pub output: String,
    /// RFC 3339.
    pub time: String,
    /// Fields of the event, the container and the task.
    pub fields: Value,
}

impl Alert {
    /// A field as text; empty when it is not there.
    pub fn field(&self, name: &str) -> String {
        match &self.fields[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// The sidecar's last account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Counters by name.
    pub counters: BTreeMap<String, u64>,
    /// Per container: its name, and its own counters.
    pub containers: Vec<(String, BTreeMap<String, u64>)>,
}

impl Account {
    /// The sum of a counter over all its labels.
    pub fn total(&self, counter: &str) -> u64 {
        let same = |name: &str| name.split('{').next() == Some(counter);
        self.counters
            .iter()
            .filter(|(name, _)| same(name))
            .map(|(_, count)| count)
            .sum()
    }

    /// The sum of a counter over all containers.
    pub fn of_containers(&self, counter: &str) -> u64 {
        self.containers
            .iter()
            .filter_map(|(_, counters)| counters.get(counter))
            .sum()
    }
}

/// A line of the sidecar's output.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// The sidecar's own account.
    Account(Account),
    /// A rule matched.
    Alert(Alert),
    /// Anything else: events, containers that come and go, logs.
    Other,
}

/// Reads one line.
pub fn read(line: &str) -> Line {
    let Ok(value) = serde_json::from_str::<Value>(line) else {
        return Line::Other;
    };
    if value["kind"] == "heartbeat" {
        return Line::Account(account(&value["heartbeat"]));
    }
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let alert = text("rule")
        .zip(text("priority"))
        .map(|(rule, priority)| Alert {
            rule,
            priority,
            output: text("output").unwrap_or_default(),
            time: text("time").unwrap_or_default(),
            fields: value["output_fields"].clone(),
        });
    alert.map_or(Line::Other, Line::Alert)
}

fn account(value: &Value) -> Account {
    let counters = |value: &Value| {
        value
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, count)| Some((name.clone(), count.as_u64()?)))
            .collect::<BTreeMap<_, _>>()
    };
    let containers = value["containers"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    Account {
        counters: counters(&value["counters"]),
        containers: containers
            .iter()
            .map(|one| {
                (
                    one["name"].as_str().unwrap_or_default().to_owned(),
                    counters(one),
                )
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_read() {
        let line = r#"{"rule":"R","priority":"Warning","output":"o","time":"t",
            "output_fields":{"proc.pid":7,"container.name":"web"}}"#;
        let Line::Alert(alert) = read(line) else {
            panic!("not an alert")
        };
        assert_eq!(
            (alert.rule.as_str(), alert.field("proc.pid").as_str()),
            ("R", "7")
        );
        assert_eq!(alert.field("none"), "");
    }

    #[test]
    fn an_account_is_read() {
        let line = r#"{"kind":"heartbeat","heartbeat":{"counters":
            {"sidecar_dropped_total{reason=a}":1,"sidecar_dropped_total{reason=b}":2},
            "containers":[{"name":"web","ctr":"x","events":5}]}}"#;
        let Line::Account(account) = read(line) else {
            panic!("not an account")
        };
        assert_eq!(account.total("sidecar_dropped_total"), 3);
        assert_eq!(account.of_containers("events"), 5);
    }

    #[test]
    fn logs_are_neither() {
        assert_eq!(read("listening"), Line::Other);
        assert_eq!(read(r#"{"level":"info"}"#), Line::Other);
    }
}
