//! The answer of the ECS task metadata endpoint, version 4. Every field is optional: at the start
//! of a task most are missing, and Fargate, EC2 and later agents differ.

use event::Task;
use serde_json::Value;
use wire::Container;

use crate::http::HttpError;

/// Why there is no usable answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    /// The connection failed.
    #[error("cannot ask the task metadata endpoint")]
    Http(#[from] HttpError),
    /// It is not the JSON that it should be.
    #[error("the task metadata makes no sense")]
    Json(#[from] serde_json::Error),
    /// No answer in time.
    #[error("`{0}` is silent")]
    Silent(String),
}

/// `${ECS_CONTAINER_METADATA_URI_V4}/task`.
#[derive(Clone, Debug, Default)]
pub struct TaskMetadata {
    cluster: Option<String>,
    task_arn: Option<String>,
    family: Option<String>,
    revision: Option<String>,
    availability_zone: Option<String>,
    known_status: Option<String>,
    containers: Vec<ContainerMetadata>,
}

#[derive(Clone, Debug, Default)]
struct ContainerMetadata {
    docker_id: Option<String>,
    name: Option<String>,
    image: Option<String>,
    image_id: Option<String>,
    container_arn: Option<String>,
    known_status: Option<String>,
    started_at: Option<String>,
    mounts: Vec<String>,
}

/// A field that is a text. One of another type is as good as missing, and costs no other field.
fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::to_owned)
}

fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

impl ContainerMetadata {
    fn new(object: &Value) -> Self {
        Self {
            docker_id: text(object, "DockerId"),
            name: text(object, "Name"),
            image: text(object, "Image"),
            image_id: text(object, "ImageID"),
            container_arn: text(object, "ContainerARN"),
            known_status: text(object, "KnownStatus"),
            started_at: text(object, "StartedAt"),
            mounts: list(object, "Volumes").iter().filter_map(mount).collect(),
        }
    }
}

impl TaskMetadata {
    /// Reads an answer.
    pub fn parse(json: &[u8]) -> serde_json::Result<Self> {
        let object = Value::Object(serde_json::from_slice(json)?);
        Ok(Self {
            cluster: text(&object, "Cluster"),
            task_arn: text(&object, "TaskARN"),
            family: text(&object, "Family"),
            revision: text(&object, "Revision"),
            availability_zone: text(&object, "AvailabilityZone"),
            known_status: text(&object, "KnownStatus"),
            containers: list(&object, "Containers")
                .iter()
                .map(ContainerMetadata::new)
                .collect(),
        })
    }

    /// Whether the task and all its containers are at their final state of starting.
    pub fn is_running(&self) -> bool {
        let is_running = |status: &Option<String>| status.as_deref() == Some("RUNNING");
        is_running(&self.known_status)
            && self
                .containers
                .iter()
                .all(|container| is_running(&container.known_status))
    }

    /// The task without a container: what the sidecar's own records carry.
    pub fn own(&self, docker_id: &str) -> Task {
        self.task(
            self.containers
                .iter()
                .find(|c| c.docker_id.as_deref() == Some(docker_id)),
        )
    }

    /// What is known of a container. It is found by its id; where ECS's agent on EC2 gives the
    /// endpoint another id, by the host name that Docker made from it, or by its name.
    pub fn find(&self, container: &Container) -> Task {
        let by_id = |c: &&ContainerMetadata| {
            !container.metadata_id.is_empty()
                && c.docker_id.as_deref() == Some(&container.metadata_id)
        };
        let by_host = |c: &&ContainerMetadata| {
            container.hostname.len() >= 12
                && c.docker_id
                    .as_deref()
                    .is_some_and(|id| id.starts_with(&container.hostname))
        };
        let by_name = |c: &&ContainerMetadata| {
            !container.name.is_empty() && c.name.as_deref() == Some(&container.name)
        };
        let list = &self.containers;
        let found = list
            .iter()
            .find(by_id)
            .or_else(|| list.iter().find(by_host))
            .or_else(|| list.iter().find(by_name));
        let mut task = self.task(found);
        if found.is_none() {
            let said = from_hello(container);
            task.container_id = said.container_id;
            task.image = said.image;
        }
        task
    }

    fn task(&self, container: Option<&ContainerMetadata>) -> Task {
        let mut task = Task {
            cluster: self.cluster.clone(),
            task_arn: self.task_arn.clone(),
            family: self.family.clone(),
            revision: self.revision.clone(),
            availability_zone: self.availability_zone.clone(),
            ..Task::default()
        };
        if let Some(container) = container {
            task.container_name.clone_from(&container.name);
            task.container_id.clone_from(&container.docker_id);
            task.container_arn.clone_from(&container.container_arn);
            task.image.clone_from(&container.image);
            task.image_id.clone_from(&container.image_id);
            task.started = container.started_at.as_deref().and_then(nanoseconds);
            task.mounts.clone_from(&container.mounts);
        }
        task
    }
}

/// What a container says of itself.
pub(super) fn from_hello(container: &Container) -> Task {
    let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Task {
        container_id: said(&container.metadata_id),
        container_name: said(&container.name),
        image: said(&container.image),
        ..Task::default()
    }
}

fn mount(volume: &Value) -> Option<String> {
    let destination = text(volume, "Destination")?;
    let source = text(volume, "Source").unwrap_or_default();
    Some(format!("{source}:{destination}:::"))
}

/// `2020-10-08T20:09:11.703149753Z` as nanoseconds since 1970; `None` for anything else.
fn nanoseconds(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, separator| -> Option<Vec<u64>> {
        text.split(separator)
            .map(|part| part.parse().ok())
            .collect()
    };
    let &[year, month, day] = numbers(date, '-')?.as_slice() else {
        return None;
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let &[hour, minute, second] = numbers(clock, ':')?.as_slice() else {
        return None;
    };
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || fraction.len() > 9 {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    // Years begin in March, so that the leap day is the last of its year.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day.min(31) - 719_469;
    let seconds = days * 86_400 + hour.min(23) * 3600 + minute.min(59) * 60 + second.min(60);
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(id: &str, hostname: &str, name: &str) -> Container {
        Container {
            metadata_id: id.to_owned(),
            hostname: hostname.to_owned(),
            name: name.to_owned(),
            ..Container::default()
        }
    }

    fn sample() -> TaskMetadata {
        TaskMetadata::parse(
            br#"{"Cluster":"c","TaskARN":"arn:t","Family":"f","Revision":"3","KnownStatus":"RUNNING",
            "Unheard":{"of":[1]},"Containers":[
            {"DockerId":"1234-0001","Name":"web","Image":"nginx","KnownStatus":"RUNNING","StartedAt":"2020-10-08T20:09:11.5Z"},
            {"DockerId":"abcdef0123456789","Name":"db","KnownStatus":"PULLED"}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_container_is_found_by_id_then_host_then_name() {
        let metadata = sample();
        let name = |c: Container| metadata.find(&c).container_name;
        assert_eq!(name(container("1234-0001", "", "")).as_deref(), Some("web"));
        assert_eq!(
            name(container("other", "abcdef012345", "")).as_deref(),
            Some("db")
        );
        assert_eq!(name(container("", "x", "web")).as_deref(), Some("web"));
        assert_eq!(name(container("forged", "", "")), None);
        assert_eq!(
            metadata
                .find(&container("forged", "", ""))
                .task_arn
                .as_deref(),
            Some("arn:t")
        );
    }

    #[test]
    fn a_task_runs_when_all_its_containers_do() {
        assert!(!sample().is_running());
        assert!(!TaskMetadata::parse(b"{}").unwrap().is_running());
    }

    #[test]
    fn times_are_read_as_the_calendar_says() {
        let ns = |text| nanoseconds(text);
        assert_eq!(ns("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            ns("2023-11-14T22:13:20.000000007Z"),
            Some(1_700_000_000_000_000_007)
        );
        assert_eq!(ns("2000-02-29T00:00:00.5Z"), Some(951_782_400_500_000_000));
        for bad in [
            "",
            "yesterday",
            "2023-11-14",
            "2023-13-01T00:00:00Z",
            "9999999-1-1T0:0:0Z",
        ] {
            assert_eq!(ns(bad), None, "{bad}");
        }
    }

    #[test]
    fn nothing_but_an_object_is_refused() {
        let deep = [b"{\"x\":".repeat(100_000), b"[".repeat(100_000)].concat();
        for bad in [
            &b""[..],
            b"null",
            b"\"x\"",
            b"[{}]",
            b"{\"a\":\"\xff\"}",
            &deep,
        ] {
            assert!(
                TaskMetadata::parse(bad).is_err(),
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
    }

    /// Every field in turn is of every wrong type: it is missing, and the others are there.
    #[test]
    fn a_field_of_another_type_costs_no_other() {
        let whole = serde_json::json!({
            "Cluster": "c", "TaskARN": "arn:t", "Family": "f", "Revision": "3",
            "AvailabilityZone": "z", "KnownStatus": "RUNNING",
            "Containers": [{"DockerId": "1234-0001", "Name": "web", "Image": "nginx",
                "ImageID": "sha256:0", "ContainerARN": "arn:c", "KnownStatus": "RUNNING",
                "StartedAt": "2020-10-08T20:09:11.5Z",
                "Volumes": [{"Source": "/a", "Destination": "/b"}]}],
        });
        let find = |value: &Value| {
            let metadata = TaskMetadata::parse(value.to_string().as_bytes()).unwrap();
            metadata.find(&container("1234-0001", "", "web"))
        };
        let parts = |task: &Task| {
            serde_json::to_value(task)
                .unwrap()
                .as_object()
                .unwrap()
                .len()
        };
        let all = parts(&find(&whole));
        let wrong = [
            Value::Null,
            7.into(),
            true.into(),
            serde_json::json!([[], 7, {}]),
            serde_json::json!({"DockerId": {"x": []}}),
        ];
        let fields =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        for wrong in &wrong {
            for name in fields(&whole) {
                let mut value = whole.clone();
                value[&name] = wrong.clone();
                let left = parts(&find(&value));
                assert!(
                    name == "Containers" || left + 1 >= all,
                    "{name}: {wrong}: {left}"
                );
            }
            for name in fields(&whole["Containers"][0]) {
                let mut value = whole.clone();
                value["Containers"][0][&name] = wrong.clone();
                let left = parts(&find(&value));
                assert!(left + 1 >= all, "{name}: {wrong}: {left} of {all}");
            }
        }
    }

    /// Answers recorded on Fargate and EC2, where the machine has them: each is understood, and
    /// every container in it is found by its id.
    #[test]
    fn recorded_answers_are_understood() {
        let Some(folder) = crate::config::metadata_samples() else {
            println!(
                "skipped: recorded_answers_are_understood: ECS_METADATA_SAMPLES names no folder"
            );
            return;
        };
        let mut tasks = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.contains("task")
                || name.contains("stats")
                || path.extension().is_none_or(|end| end != "json")
            {
                continue;
            }
            let metadata = TaskMetadata::parse(&std::fs::read(&path).unwrap()).expect(&name);
            tasks += 1;
            for found in &metadata.containers {
                let id = found.docker_id.as_deref().expect(&name);
                let task = metadata.find(&container(id, "", ""));
                assert_eq!(task.container_id.as_deref(), Some(id), "{name}");
                assert_eq!(task.container_name, found.name, "{name}");
                let host = metadata.find(&container("", id.get(..12).unwrap(), ""));
                if id.len() == 64 {
                    assert_eq!(host.container_name, found.name, "{name}");
                }
            }
            if name.contains("KnownStatus_NONE") {
                assert!(!metadata.is_running(), "{name}: it has not started yet");
            }
        }
        assert!(tasks >= 5, "the folder holds {tasks} tasks");
    }
}
