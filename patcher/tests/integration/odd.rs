//! Templates as nobody should write them and somebody does: each is patched, found to be as it shall be
//! by a second run, and given back.

use patcher::image::{ImageConfig, Images};
use patcher::options::Options;
use patcher::patch::patch;
use patcher::unpatch::{How, unpatch};

use crate::harness::AGENT;

fn images() -> Images {
    let mut images = Images::default();
    let config = ImageConfig {
        entrypoint: vec!["/ie".into()],
        cmd: vec!["ic".into()],
    };
    images.give("i", config);
    images
}

/// Patches there and back; returns the patched text and the warnings.
fn cycle(template: &str) -> (String, Vec<String>) {
    let options = Options::new(AGENT);
    let patched = patch(template, &options, &images()).unwrap();
    assert_eq!(patched.plan.problems, [], "in\n{template}");
    let new = patched.text.unwrap();
    let again = patch(&new, &options, &Images::default()).unwrap();
    assert_eq!(again.text, None, "a second run of\n{new}");
    let back = unpatch(&new, &options.sidecar.name).unwrap().text;
    assert_eq!(back, Some((template.to_owned(), How::Exact)));
    (new, patched.plan.warnings)
}

/// A template with these lines as its list of containers.
fn template(containers: &str) -> String {
    format!(
        "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n{containers}"
    )
}

#[test]
fn conditions_inside_conditions() {
    let text = template(
        "        - !If
          - A
          - !If
            - B
            - Name: a
              Image: i
              EntryPoint: !If [B, [x], !Ref AWS::NoValue]
              Command: !If [A, !If [B, [p], [q]], !Ref AWS::NoValue]
            - !Ref AWS::NoValue
          - Name: b
            Image: i
            EntryPoint: [y]
            Environment: [!If [A, {Name: SYSDIG_LOGGING, Value: debug}, !Ref AWS::NoValue]]
            DependsOn: !Ref AWS::NoValue
            LinuxParameters: !If [A, {Capabilities: !Ref AWS::NoValue}, !Ref AWS::NoValue]
        - !Ref AWS::NoValue
",
    );
    for text in [
        text.clone(),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
    ] {
        let (new, _) = cycle(&text);
        for want in [
            "Command: !If [B, !If [A, !If [B, [x, p], [x, q]], [x]], !If [A, !If [B, [/ie, p], [/ie, q]], [/ie, ic]]]",
            "LinuxParameters: !If [A, {Capabilities: {Add: [SYS_PTRACE]}}, {Capabilities: {Add: [SYS_PTRACE]}}]",
        ] {
            assert!(new.contains(want), "{want}\n{new}");
        }
    }
}

#[test]
fn merges_and_block_scalars() {
    let base = "x-base: &base\n  Image: i\n  EntryPoint: &ep [\"/e\", 'f']\n  Environment: &env\n    - Name: A\n      Value: \"1\"\n";
    let list = template(
        "      - <<: *base
        Name: one
      - <<: [*base, {Image: other, LinuxParameters: {InitProcessEnabled: true}}]
        Name: two
        Command: *ep
        Environment: *env
      - Name: three
        Image: >-
          i
        Command:
        - |2
            indented
          script
        - >+
          folded

        - last
",
    );
    let (new, _) = cycle(&format!("{base}{list}"));
    assert!(new.contains("Command: [/e, f, /e, f]"), "{new}");
    assert!(
        new.contains("- |2\n            indented\n          script\n"),
        "{new}"
    );
}

#[test]
fn empty_lists_and_words_of_every_type() {
    let (new, _) = cycle(&template(
        "        - {Name: a, Image: i, EntryPoint: [], Command: [], VolumesFrom: [], DependsOn: [], LinuxParameters: {}}
        - {Name: 012, Image: i, EntryPoint: [yes, 1.0, 0x1F, 2020-01-01], Command: ['no', '012']}
        - {Name: c, Image: i, EntryPoint: [\"\"], Environment: }
        - {Name: d, Image: i, EntryPoint: [d], Environment, Command: }
        - {Name: e, Image: i, Environment:, Command: !!null , EntryPoint: [e]}
",
    ));
    for want in [
        "Command: [/ie, ic]",
        "Command: [yes, 1.0, 0x1F, 2020-01-01, 'no', '012']",
        "Command: [\"\"]",
    ] {
        assert!(new.contains(want), "{want}\n{new}");
    }
}

#[test]
fn what_a_transform_brings_is_warned_about() {
    let include = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://x/y}}";
    let text = format!(
        "{}  {include}\n",
        template(&format!(
            "        - Name: a\n          Image: i\n          EntryPoint: [x]\n          {include}\n"
        ))
    );
    let (_, warnings) = cycle(&text);
    let want =
        ": what its Fn::Transform brings cannot be seen here and is not wrapped; the macro sees it";
    assert_eq!(warnings, [format!("Resources{want}"), format!("a{want}")]);
}
