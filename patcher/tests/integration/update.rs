//! A second run with other settings, on a file as it was left and on one that was edited since.

use patcher::image::{ImageConfig, Images};
use patcher::options::Options;
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
