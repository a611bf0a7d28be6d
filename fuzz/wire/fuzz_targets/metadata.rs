//! Any bytes as an answer of the task metadata endpoint.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidecar::identity::TaskMetadata;

fuzz_target!(|data: &[u8]| {
    if let Ok(metadata) = TaskMetadata::parse(data) {
        let container = wire::Container {
            metadata_id: "1234-0001".to_owned(),
            hostname: "abcdef012345".to_owned(),
            ..wire::Container::default()
        };
        let task = metadata.find(&container);
        assert!(task.container_id.is_some());
        assert_eq!(metadata.own("nobody").task_arn, task.task_arn);
    }
});
