//! `container.*` and `ecs.*`: who the task and the container are.

use super::{Lookup, Scratch, flag, maybe_str, maybe_text, maybe_uint, text};
use crate::{Case, Facts, Field, FieldArg, FieldId, Task, glob};

/// Characters of a container's id that `container.id` shows.
const SHORT_ID: usize = 12;

#[expect(
    clippy::too_many_lines,
    reason = "one arm per field reads best in one place"
)]
pub(super) fn extract<'a>(
    field: &Field,
    facts: &'a dyn Facts,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    use FieldId as F;
    let task = facts.task();
    match field.id {
        F::ContainerId => maybe_text(
            task.container_id
                .as_ref()
                .map(|id| &id.as_bytes()[..id.len().min(SHORT_ID)]),
        ),
        F::ContainerFullId => maybe_str(task.container_id.as_ref()),
        F::ContainerName | F::EcsContainerName => maybe_str(task.container_name.as_ref()),
        F::ContainerImage => maybe_str(task.image.as_ref()),
        F::ContainerImageDigest => maybe_str(task.image_id.as_ref()),
        F::ContainerImageId => maybe_text(
            task.image_id
                .as_ref()
                .map(|id| id.strip_prefix("sha256:").unwrap_or(id).as_bytes()),
        ),
        F::ContainerImageRepository => maybe_text(
            task.image
                .as_ref()
                .map(|image| split_image(image).0.as_bytes()),
        ),
        F::ContainerImageTag => maybe_text(
            task.image
                .as_ref()
                .and_then(|image| split_image(image).1)
                .map(str::as_bytes),
        ),
        F::ContainerIp => {
            let address = facts.local_addresses().iter().find(|ip| !ip.is_loopback());
            let Some(address) = address else {
                return Lookup::Unset;
            };
            scratch.extend_from_slice(address.to_string().as_bytes());
            text(scratch)
        }
        F::ContainerType if is_container(task) => text(b"ecs"),
        F::ContainerPrivileged
        | F::ContainerHostPid
        | F::ContainerHostNetwork
        | F::ContainerHostIpc
            if is_container(task) =>
        {
            flag(false)
        }
        F::ContainerStartTs => maybe_uint(task.started),
        F::ContainerDuration => maybe_uint(task.started.map(|at| facts.time().saturating_sub(at))),
        F::ContainerMounts => {
            for (number, mount) in task.mounts.iter().enumerate() {
                if number > 0 {
                    scratch.push(b',');
                }
                scratch.extend_from_slice(mount.as_bytes());
            }
            text(scratch)
        }
        F::ContainerMount
        | F::ContainerMountDest
        | F::ContainerMountMode
        | F::ContainerMountPropagation
        | F::ContainerMountRdwr
        | F::ContainerMountSource => mount(field, task),
        F::EcsAvailabilityZone => maybe_str(task.availability_zone.as_ref()),
        F::EcsCluster => maybe_text(task.cluster.as_deref().map(last_part)),
        F::EcsContainerArn => maybe_str(task.container_arn.as_ref()),
        F::EcsTaskArn => maybe_str(task.task_arn.as_ref()),
        F::EcsTaskId => maybe_text(task.task_arn.as_deref().map(last_part)),
        F::EcsTaskFamily => maybe_str(task.family.as_ref()),
        F::EcsTaskRevision => maybe_str(task.revision.as_ref()),
        _ => Lookup::Unset,
    }
}

fn is_container(task: &Task) -> bool {
    task.container_id.is_some()
}

/// What follows the last slash of an ARN.
fn last_part(arn: &str) -> &[u8] {
    arn.rsplit('/').next().unwrap_or(arn).as_bytes()
}

/// Repository and tag of an image reference: `host:5000/name:tag@sha256:…`.
fn split_image(image: &str) -> (&str, Option<&str>) {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    match name.rsplit_once(':') {
        // A colon before the last slash belongs to the registry's port.
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

/// Parts of `source:destination:mode:rw:propagation`.
fn mount<'a>(field: &Field, task: &'a Task) -> Lookup<'a> {
    let part = |mount: &'a str, number: usize| mount.split(':').nth(number);
    let found = match &field.arg {
        FieldArg::Index(number) => task.mounts.get(*number as usize),
        FieldArg::None => return Lookup::Unset,
        FieldArg::Key(pattern) => {
            if field.id == FieldId::ContainerMount
                && let Ok(number) = pattern.parse::<usize>()
            {
                task.mounts.get(number)
            } else {
                let side = usize::from(field.id == FieldId::ContainerMountDest);
                task.mounts.iter().find(|mount| {
                    part(mount, side)
                        .is_some_and(|p| glob(pattern.as_bytes(), p.as_bytes(), Case::Keep))
                })
            }
        }
    };
    let Some(found) = found else {
        return Lookup::Unset;
    };
    let number = match field.id {
        FieldId::ContainerMountMode => 2,
        FieldId::ContainerMountRdwr => 3,
        FieldId::ContainerMountPropagation => 4,
        _ => return text(found.as_bytes()),
    };
    maybe_text(part(found, number).map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_split_into_repository_and_tag() {
        assert_eq!(split_image("nginx"), ("nginx", None));
        assert_eq!(split_image("nginx:1.27"), ("nginx", Some("1.27")));
        assert_eq!(
            split_image("localhost:5000/a/b@sha256:00"),
            ("localhost:5000/a/b", None)
        );
        assert_eq!(
            split_image("localhost:5000/a/b:t@sha256:00"),
            ("localhost:5000/a/b", Some("t"))
        );
    }
}
