//! Repeats: the same alert again and again is told once per window, with a count.

use std::collections::HashMap;

use event::{Alert, FieldValue};

/// Holds back alerts that say the same as one that was just told. Nothing is lost uncounted: what
/// was held back is told with its number when the window ends.
#[derive(Debug)]
pub struct Limiter {
    window: u64,
    entries: HashMap<(String, String), Entry>,
    /// No window ends before this.
    next: u64,
    /// No window that holds something back ends before this.
    due: u64,
}

/// What is known of one alert.
#[derive(Debug)]
struct Entry {
    /// When the window ends, nanoseconds since 1970.
    until: u64,
    /// The last one that was held back, and how many were.
    held: Option<(Alert, u64)>,
}

/// How many different alerts are remembered; more pass as they come.
const REMEMBERED: usize = 4096;

/// The field that tells how many alerts one alert stands for.
const REPEATS: &str = "alert.repeats";

impl Limiter {
    /// Tells the same alert at most once per window, given in nanoseconds.
    pub fn new(window: u64) -> Self {
        Self {
            window,
            entries: HashMap::new(),
            next: u64::MAX,
            due: u64::MAX,
        }
    }

    /// Takes an alert; gives it back unless it repeats one of this window. Two alerts are the same
    /// when rule and message are.
    pub fn admit(&mut self, alert: Alert) -> Option<Alert> {
        let key = (alert.rule.clone(), alert.message.clone());
        let now = alert.time;
        if let Some(entry) = self.entries.get_mut(&key) {
            if now < entry.until {
                let count = entry.held.take().map_or(1, |(_, count)| count + 1);
                entry.held = Some((alert, count));
                self.due = self.due.min(entry.until);
                return None;
            }
            entry.until = now.saturating_add(self.window);
            let count = entry.held.take().map_or(1, |(_, count)| count + 1);
            return Some(counted(alert, count));
        }
        if self.entries.len() < REMEMBERED {
            let until = now.saturating_add(self.window);
            self.entries.insert(key, Entry { until, held: None });
            self.next = self.next.min(until);
        }
        Some(alert)
    }

    /// When alerts that are held back may be due, nanoseconds since 1970; `None` while there are
    /// none.
    pub fn due(&self) -> Option<u64> {
        (self.due < u64::MAX).then_some(self.due)
    }

    /// The alerts that were held back in windows that have ended, each with its count. With
    /// `u64::MAX` those of all windows: for the end of a program.
    pub fn flush(&mut self, now: u64) -> Vec<Alert> {
        let mut due = Vec::new();
        if now < self.next {
            return due;
        }
        (self.next, self.due) = (u64::MAX, u64::MAX);
        self.entries.retain(|_, entry| {
            if now < entry.until {
                self.next = self.next.min(entry.until);
                if entry.held.is_some() {
                    self.due = self.due.min(entry.until);
                }
                return true;
            }
            if let Some((alert, count)) = entry.held.take() {
                due.push(counted(alert, count));
            }
            false
        });
        due.sort_by(|a, b| (a.time, &a.rule).cmp(&(b.time, &b.rule)));
        due
    }
}

/// Writes down how many alerts one stands for; a single one stays as it is.
fn counted(mut alert: Alert, count: u64) -> Alert {
    if count > 1 {
        let at = alert
            .output_fields
            .partition_point(|(name, _)| &**name < REPEATS);
        alert
            .output_fields
            .insert(at, (REPEATS.to_owned(), FieldValue::Uint(count)));
        alert.message.push_str(" | repeats=");
        alert.message.push_str(&count.to_string());
    }
    alert
}

#[cfg(test)]
mod tests {
    use event::Priority;

    use super::*;

    fn alert(time: u64, message: &str) -> Alert {
        Alert {
            time,
            rule: "r".to_owned(),
            priority: Priority::Warning,
            source: "syscall".to_owned(),
            tags: Vec::new(),
            hostname: "h".to_owned(),
            message: message.to_owned(),
            output_fields: vec![("evt.time".to_owned(), FieldValue::Uint(time))],
        }
    }

    #[test]
    fn repeats_are_held_back_and_counted() {
        let mut limiter = Limiter::new(10);
        assert_eq!(limiter.admit(alert(0, "a")), Some(alert(0, "a")));
        assert_eq!(limiter.admit(alert(1, "b")), Some(alert(1, "b")));
        assert_eq!(limiter.due(), None);
        assert_eq!(limiter.admit(alert(2, "a")), None);
        assert_eq!(limiter.admit(alert(3, "a")), None);
        assert_eq!(limiter.due(), Some(10));
        assert!(limiter.flush(9).is_empty());
        let told = limiter.flush(10);
        assert_eq!(limiter.due(), None);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].message, "a | repeats=2");
        let repeats = (REPEATS.to_owned(), FieldValue::Uint(2));
        assert_eq!(told[0].output_fields[0], repeats);
        assert_eq!(limiter.admit(alert(20, "a")), Some(alert(20, "a")));
    }

    #[test]
    fn nothing_is_lost_uncounted() {
        let mut limiter = Limiter::new(7);
        let mut told = 0;
        for time in 0..100 {
            let passed = limiter.admit(alert(time, if time % 3 == 0 { "x" } else { "y" }));
            told += passed.iter().map(stands_for).sum::<u64>();
        }
        told += limiter.flush(u64::MAX).iter().map(stands_for).sum::<u64>();
        assert_eq!(told, 100);
    }

    fn stands_for(alert: &Alert) -> u64 {
        let field = alert.output_fields.iter().find(|(name, _)| name == REPEATS);
        match field {
            Some((_, FieldValue::Uint(count))) => *count,
            _ => 1,
        }
    }
}
