//! A second run with other settings, on a file as it was left and on one that was edited since.

use patcher::image::{ImageConfig, Images};
use patcher::options::{AccessKey, Logging, Options};
use patcher::patch::patch;
use patcher::plan::Outcome;
use patcher::unpatch::{How, unpatch};

use crate::harness::AGENT;

const TEMPLATE: &str = "\
# The web tier.
Resources:
  Web:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      ContainerDefinitions:
        - Name: web  # the server
          Image: nginx
          EntryPoint: [/entry]
        - Name: db
          Image: postgres
          DependsOn:
            - {ContainerName: web, Condition: START}
";

fn run(text: &str, options: &Options, images: &Images) -> String {
    let patched = patch(text, options, images).unwrap();
    assert_eq!(patched.plan.problems, [], "in\n{text}");
    patched.text.unwrap_or_else(|| text.to_owned())
}

fn images() -> Images {
    let mut images = Images::default();
    let config = ImageConfig {
        entrypoint: vec!["/image-entry".into()],
        cmd: vec!["serve".into()],
    };
    images.give("postgres", config);
    images
}

fn back(text: &str, options: &Options) -> Option<(String, How)> {
    unpatch(text, &options.sidecar.name).unwrap().text
}

#[test]
fn each_setting_that_is_not_given_again_is_gone() {
    type Change = fn(&mut Options);
    let table: [(&str, Change, &str); 9] = [
        ("name", |o| o.sidecar.name = "First".into(), "First"),
        ("cpu", |o| o.sidecar.cpu = Some(77), "77"),
        ("memory", |o| o.sidecar.memory = Some(771), "771"),
        (
            "reservation",
            |o| o.sidecar.memory_reservation = Some(772),
            "772",
        ),
        (
            "log group",
            |o| o.sidecar.log_group = Some("/first".into()),
            "/first",
        ),
        (
            "essential",
            |o| o.sidecar.essential = Some(true),
            "Essential: true",
        ),
        (
            "secret",
            |o| o.sidecar.image_auth_secret = Some("arn:1".into()),
            "arn:1",
        ),
        (
            "collector",
            |o| o.agent.collector = Some(("first.example".into(), None)),
            "first.example",
        ),
        (
            "variable",
            |o| o.agent.workload_env = vec![("FIRST".into(), "1".into())],
            "FIRST",
        ),
    ];
    let plain = Options::new(AGENT);
    let want = run(TEMPLATE, &plain, &images());
    for (name, change, mark) in table {
        let mut first = plain.clone();
        change(&mut first);
        let one = run(TEMPLATE, &first, &images());
        assert!(one.contains(mark), "{name}: {one}");
        assert!(!want.contains(mark), "{name}: {want}");
        assert_eq!(run(&one, &plain, &images()), want, "{name}");
        assert_eq!(run(&want, &first, &images()), one, "{name}");
        let exact = Some((TEMPLATE.to_owned(), How::Exact));
        assert_eq!(back(&want, &plain), exact, "{name}");
    }
}

#[test]
fn an_image_that_was_known_once_is_not_asked_for_again() {
    let mut options = Options::new(AGENT);
    let one = run(TEMPLATE, &options, &images());
    options.sidecar.cpu = Some(10);
    let patched = patch(&one, &options, &Images::default()).unwrap();
    assert_eq!(
        (patched.plan.needs.len(), patched.plan.problems.len()),
        (0, 0)
    );
    let outcomes = patched.plan.tasks.iter().flat_map(|task| &task.containers);
    assert!(
        outcomes
            .map(|found| &found.outcome)
            .all(|outcome| *outcome == Outcome::Wrapped)
    );
    assert_eq!(patched.text, Some(run(TEMPLATE, &options, &images())));
}

#[test]
fn a_container_that_is_ignored_later_is_as_before() {
    let mut options = Options::new(AGENT);
    let one = run(TEMPLATE, &options, &images());
    options.ignored = vec!["web".into(), "db".into()];
    assert_eq!(run(&one, &options, &images()), TEMPLATE);
}

#[test]
fn the_sidecar_of_an_edited_file_is_renamed_where_it_stands() {
    for record in [true, false] {
        let mut options = Options::new(AGENT);
        options.record = record;
        let one = run(TEMPLATE, &options, &images());
        let edited = one.replace("Name: web  # the server", "Name: web  # edited");
        options.sidecar.name = "Renamed".into();
        let two = run(&edited, &options, &images());
        // The record of an edited text knows containers only.
        let body = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.contains("agent.record"));
            lines.map(str::to_owned).collect()
        };
        let want = edited.replace("SysdigInstrumentation", "Renamed");
        assert_eq!(body(&two), body(&want), "{record}");
        assert_eq!(run(&two, &options, &images()), two);
        let (text, how) = back(&two, &options).unwrap();
        assert_eq!(how, How::Shape);
        if record {
            assert_eq!(text, TEMPLATE.replace("# the server", "# edited"));
        }
    }
}

/// Lines of a text without the record, which in an edited text knows containers only.
fn body(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .filter(|line| !line.contains("agent.record"))
        .filter(|line| line.trim() != "DockerLabels:")
        .collect()
}

#[test]
fn settings_of_an_edited_file_are_those_that_are_given() {
    type Change = fn(&mut Options);
    // What changes, and whether that can be seen without a record.
    let table: [(&str, Change, bool); 10] = [
        ("cpu", |o| o.sidecar.cpu = Some(77), false),
        ("memory", |o| o.sidecar.memory = Some(771), false),
        (
            "reservation",
            |o| o.sidecar.memory_reservation = Some(772),
            true,
        ),
        (
            "log group",
            |o| o.sidecar.log_group = Some("/first".into()),
            true,
        ),
        ("essential", |o| o.sidecar.essential = Some(true), true),
        (
            "secret",
            |o| o.sidecar.image_auth_secret = Some("arn:1".into()),
            false,
        ),
        (
            "access key",
            |o| o.agent.access_key = Some(AccessKey::Secret("arn:2".into())),
            true,
        ),
        (
            "collector",
            |o| o.agent.collector = Some(("first.example".into(), None)),
            true,
        ),
        (
            "variable of workloads",
            |o| o.agent.workload_env = vec![("FIRST".into(), "1".into())],
            false,
        ),
        (
            "variable of the sidecar",
            |o| o.agent.sidecar_env = vec![("FIRST".into(), "1".into())],
            false,
        ),
    ];
    // Where a property stands again that was away is free.
    let sorted = |text: &str| {
        let mut lines: Vec<_> = body(text).into_iter().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for record in [true, false] {
        let mut plain = Options::new(AGENT);
        plain.record = record;
        let edit = |text: &str| text.replace("# the server", "# edited");
        let want = edit(&run(TEMPLATE, &plain, &images()));
        for (name, change, by_shape) in table {
            if !record && !by_shape {
                continue;
            }
            let mut first = plain.clone();
            change(&mut first);
            let one = edit(&run(TEMPLATE, &first, &images()));
            assert_ne!(sorted(&one), sorted(&want), "{name}");
            let two = run(&one, &plain, &images());
            assert_eq!(sorted(&two), sorted(&want), "{name}, record: {record}");
            // And there and back again.
            let three = run(&two, &first, &images());
            assert_eq!(sorted(&three), sorted(&one), "{name}, record: {record}");
            assert_eq!(run(&three, &first, &images()), three, "{name}");
            let four = run(&three, &plain, &images());
            assert_eq!(sorted(&four), sorted(&want), "{name}, record: {record}");
        }
    }
}

#[test]
fn what_the_user_added_to_the_sidecar_stays() {
    let mut options = Options::new(AGENT);
    options.agent.access_key = Some(AccessKey::Secret("arn:2".into()));
    options.sidecar.cpu = Some(77);
    let one = run(TEMPLATE, &options, &images())
        .replace("Cpu: 77", "Cpu: 99")
        .replace(
            "          Secrets:\n",
            "          Secrets:\n            - {Name: MINE, ValueFrom: x}\n",
        )
        .replace(
            "SourceContainer: SysdigInstrumentation",
            "SourceContainer: SysdigInstrumentation  # mine",
        );
    assert!(one.contains("Cpu: 99") && one.contains("MINE"), "{one}");
    options.agent.access_key = None;
    options.sidecar.cpu = None;
    let two = run(&one, &options, &images());
    assert!(two.contains("Cpu: 99") && two.contains("MINE"), "{two}");
    assert!(!two.contains("SYSDIG_ACCESS_KEY"), "{two}");
}

#[test]
fn a_variable_of_the_user_is_not_taken_for_an_earlier_one() {
    let template = TEMPLATE.replace(
        "          EntryPoint: [/entry]\n",
        "          EntryPoint: [/entry]\n          Environment:\n            - {Name: SYSDIG_LOGGING, Value: debug}\n",
    );
    for record in [true, false] {
        let mut options = Options::new(AGENT);
        options.record = record;
        let one = run(&template, &options, &images()).replace("# the server", "# edited");
        options.agent.logging = Logging::Error;
        let two = run(&one, &options, &images());
        let of_user = "{Name: SYSDIG_LOGGING, Value: debug}";
        assert_eq!(two.matches(of_user).count(), 1, "{two}");
        assert_eq!(two.matches("Value: error").count(), 2, "{two}");
        assert_eq!(two.matches("Value: info").count(), 0, "{two}");
    }
}

#[test]
fn a_renamed_sidecar_is_renamed_in_every_branch() {
    let template = "\
Conditions: {Big: !Equals [a, b]}
Resources:
  Web:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: nginx
          EntryPoint: [/entry]
          DependsOn: !If
            - Big
            - - {ContainerName: db, Condition: START}
            - !Ref AWS::NoValue
          VolumesFrom:
            - !If [Big, {SourceContainer: db}, !Ref AWS::NoValue]
        - Name: db
          Image: postgres
";
    let mut options = Options::new(AGENT);
    options.ignored = vec!["db".into()];
    let one = run(template, &options, &images());
    let edited = one.replace(
        "          Image: postgres\n",
        "          Image: postgres\n          DependsOn: [{ContainerName: SysdigInstrumentation, Condition: START}]\n",
    );
    assert_ne!(edited, one);
    options.sidecar.name = "Renamed".into();
    let two = run(&edited, &options, &images());
    assert_eq!(
        body(&two),
        body(&edited.replace("SysdigInstrumentation", "Renamed"))
    );
    assert_eq!(run(&two, &options, &images()), two);
}

#[test]
fn containers_of_one_name_in_two_tasks_are_told_apart() {
    let other = TEMPLATE
        .split_once("Resources:\n")
        .unwrap()
        .1
        .replace("  Web:", "  Other:")
        .replace("[/entry]", "[/other, x]");
    let template = format!("{TEMPLATE}{other}");
    let options = Options::new(AGENT);
    let one = run(&template, &options, &images()).replace("# the server", "# edited");
    let (text, how) = back(&one, &options).unwrap();
    assert_eq!(how, How::Shape);
    assert_eq!(text, template.replace("# the server", "# edited"));
}

#[test]
fn without_a_record_none_is_left() {
    let mut options = Options::new(AGENT);
    let one = run(TEMPLATE, &options, &images()).replace("# the server", "# edited");
    assert!(one.contains("agent.record"));
    options.record = false;
    let two = run(&one, &options, &images());
    assert!(!two.contains("DockerLabels"), "{two}");
    assert_eq!(run(&two, &options, &images()), two);
}
