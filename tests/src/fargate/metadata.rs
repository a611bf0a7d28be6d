//! What the task metadata endpoint (version 4) and the credential endpoint answer.
//!
//! The fields and their forms are those that Fargate answers with; see the ECS developer guide,
//! "Task metadata endpoint version 4 for tasks on Fargate".

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::lifecycle::State;

/// Account and region of all tests.
const ACCOUNT: &str = "123456789012";
pub(super) const REGION: &str = "us-east-1";

/// Who a task is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// 32 hexadecimal digits.
    pub task_id: String,
    /// Its task definition's family.
    pub family: String,
    /// The name of its cluster.
    pub cluster: String,
}

impl Identity {
    /// `arn:aws:ecs:…:task/…`
    pub fn task_arn(&self) -> String {
        format!(
            "arn:aws:ecs:{REGION}:{ACCOUNT}:task/{}/{}",
            self.cluster, self.task_id
        )
    }

    /// The id of the task's n-th container, in Fargate's form.
    pub fn container_id(&self, index: usize) -> String {
        format!("{}-{:010}", self.task_id, 1_000_000_007 + index)
    }

    /// The path of the credentials.
    pub(super) fn credentials_path(&self) -> String {
        format!("/v2/credentials/{}", self.task_id)
    }

    fn cluster_arn(&self) -> String {
        format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{}", self.cluster)
    }
}

/// What is told about a container.
#[derive(Clone, Debug)]
pub(super) struct ContainerView {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) state: State,
    pub(super) started: Option<SystemTime>,
    pub(super) finished: Option<SystemTime>,
}

/// Answers a request: status and body.
pub(super) fn answer(
    identity: &Identity,
    containers: &[ContainerView],
    method: &str,
    path: &str,
) -> (u16, String) {
    let found = if method == "GET" {
        look_up(identity, containers, path)
    } else {
        None
    };
    found.map_or_else(
        || {
            (
                404,
                json!({"message": format!("no such path: {path}")}).to_string(),
            )
        },
        |body| (200, body.to_string()),
    )
}

fn look_up(identity: &Identity, containers: &[ContainerView], path: &str) -> Option<Value> {
    if path == identity.credentials_path() {
        return Some(credentials());
    }
    let (id, rest) = path
        .strip_prefix("/v4/")?
        .split_once('/')
        .unwrap_or((path.strip_prefix("/v4/")?, ""));
    let index = (0..containers.len()).find(|&index| identity.container_id(index) == id)?;
    match rest {
        "" => Some(container(identity, index, &containers[index])),
        "task" | "taskWithTags" => Some(task(identity, containers)),
        "stats" | "task/stats" => Some(json!({})),
        _ => None,
    }
}

fn task(identity: &Identity, containers: &[ContainerView]) -> Value {
    let list: Vec<Value> = containers
        .iter()
        .enumerate()
        .map(|(index, view)| container(identity, index, view))
        .collect();
    let all_run = containers
        .iter()
        .all(|view| matches!(view.state, State::Running { .. }));
    json!({
        "Cluster": identity.cluster_arn(),
        "TaskARN": identity.task_arn(),
        "Family": identity.family,
        "Revision": "1",
        "DesiredStatus": "RUNNING",
        "KnownStatus": if all_run { "RUNNING" } else { "NONE" },
        "Limits": {"CPU": 0.25, "Memory": 512},
        "AvailabilityZone": format!("{REGION}a"),
        "LaunchType": "FARGATE",
        "Containers": list,
    })
}

fn container(identity: &Identity, index: usize, view: &ContainerView) -> Value {
    let id = identity.container_id(index);
    let known = match view.state {
        State::Pending | State::Skipped => "PULLED",
        State::Running { .. } | State::Stopping => "RUNNING",
        State::Stopped { .. } => "STOPPED",
    };
    let mut value = json!({
        "DockerId": id,
        "Name": view.name,
        "DockerName": view.name,
        "Image": view.image,
        "ImageID": format!("sha256:{:064x}", index + 1),
        "Labels": {
            "com.amazonaws.ecs.cluster": identity.cluster_arn(),
            "com.amazonaws.ecs.container-name": view.name,
            "com.amazonaws.ecs.task-arn": identity.task_arn(),
            "com.amazonaws.ecs.task-definition-family": identity.family,
            "com.amazonaws.ecs.task-definition-version": "1",
        },
        "DesiredStatus": "RUNNING",
        "KnownStatus": known,
        "Limits": {"CPU": 2},
        "Type": "NORMAL",
        "ContainerARN": format!(
            "arn:aws:ecs:{REGION}:{ACCOUNT}:container/{}/{}/{index}", identity.cluster, identity.task_id
        ),
        "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": ["127.0.0.1"]}],
    });
    // Absent, not null, until it is so far: a starting container's own entry reads like this.
    if let Some(started) = view.started {
        value["CreatedAt"] = timestamp(started).into();
        value["StartedAt"] = timestamp(started).into();
    }
    if let Some(finished) = view.finished {
        value["FinishedAt"] = timestamp(finished).into();
    }
    if let State::Stopped { code } = view.state {
        value["ExitCode"] = code.into();
    }
    value
}

fn credentials() -> Value {
    json!({
        "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/task"),
        "AccessKeyId": "TESTACCESSKEYID",
        "SecretAccessKey": "test-secret-access-key",
        "Token": "test-session-token",
        "Expiration": "2099-01-01T00:00:00Z",
    })
}

/// RFC 3339 with milliseconds. The calendar is H. Hinnant's `civil_from_days`.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60,
        since.subsec_millis()
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ask(path: &str) -> (u16, Value) {
        let identity = Identity {
            task_id: "0123456789abcdef0123456789abcdef".to_owned(),
            family: "shop".to_owned(),
            cluster: "test".to_owned(),
        };
        let view = |name: &str, state| ContainerView {
            name: name.to_owned(),
            image: "i".to_owned(),
            state,
            started: None,
            finished: None,
        };
        let views = [
            view("web", State::Running { healthy: false }),
            view("late", State::Pending),
        ];
        let (status, body) = answer(&identity, &views, "GET", path);
        (status, serde_json::from_str(&body).unwrap())
    }

    #[test]
    fn a_container_finds_itself_and_its_task() {
        let base = "/v4/0123456789abcdef0123456789abcdef-1000000008";
        let (status, own) = ask(base);
        assert_eq!((status, &own["Name"]), (200, &json!("late")));
        assert_eq!(own.get("StartedAt"), None);
        let (status, task) = ask(&format!("{base}/task"));
        assert_eq!((status, &task["KnownStatus"]), (200, &json!("NONE")));
        assert_eq!(task["Containers"][0]["KnownStatus"], "RUNNING");
    }

    #[test]
    fn credentials_are_behind_their_path() {
        let (status, found) = ask("/v2/credentials/0123456789abcdef0123456789abcdef");
        assert_eq!((status, found["AccessKeyId"].is_string()), (200, true));
        assert_eq!(ask("/v2/credentials/other").0, 404);
        assert_eq!(ask("/v4/nobody").0, 404);
    }

    #[test]
    fn times_are_written_as_aws_writes_them() {
        let time = UNIX_EPOCH + Duration::from_millis(1_709_251_199_007);
        assert_eq!(timestamp(time), "2024-02-29T23:59:59.007Z");
        assert_eq!(timestamp(UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
    }
}
