//! Properties that hold for every template, tried on random ones.

use patcher::check;
use patcher::image::Images;
use patcher::options::{AccessKey, Logging, Options, Priority};
use patcher::patch::patch;
use patcher::rewrite;
use patcher::source::{Document, Format};
use patcher::unpatch::{How, unpatch};
use patcher::value::Value;
use proptest::prelude::*;

use crate::harness::eager;
use crate::render::{Dice, json, yaml};

const WORDS: [&str; 24] = [
    "",
    " ",
    "a",
    "word",
    "two words",
    "yes",
    "no",
    "null",
    "true",
    "012",
    "1e3",
    "1:30",
    "- x",
    "a: b",
    "a #b",
    "# c",
    "it's",
    "\"q\"",
    "[x",
    "{y}",
    "!t",
    "é😀",
    "line\nbreak",
    "*alias",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (0..WORDS.len()).prop_map(|at| WORDS[at].to_owned()),
        2 => "[a-z]{1,8}",
        1 => "[ -~]{0,12}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|number| Value::Number(number.to_string())),
        text().prop_map(Value::String),
    ]
}

/// Keys are unique, and not those that mean something to YAML.
fn unique(entries: Vec<(String, Value)>) -> Value {
    let mut kept: Vec<(String, Value)> = Vec::new();
    for (key, value) in entries {
        if key != "<<" && kept.iter().all(|(name, _)| *name != key) {
            kept.push((key, value));
        }
    }
    Value::Map(kept)
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            3 => prop::collection::vec((text(), inner.clone()), 0..5).prop_map(unique),
            1 => text().prop_map(|name| Value::map([("Ref", Value::String(name))])),
            1 => (inner.clone(), inner).prop_map(|(yes, no)| {
                Value::map([("Fn::If", Value::List(vec![Value::string("C"), yes, no]))])
            }),
        ]
    })
}

fn collection() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::collection::vec(value(), 0..6).prop_map(Value::List),
        prop::collection::vec((text(), value()), 0..6).prop_map(unique),
    ]
}

/// Takes parts of another value over, so that most of a value stays.
fn mix(value: &Value, other: &Value, dice: &mut Dice) -> Value {
    match (value, other) {
        _ if dice.once_in(12) => other.clone(),
        (Value::List(a), Value::List(b)) => {
            let kept: Vec<_> = a.iter().filter(|_| !dice.once_in(5)).collect();
            let mut items: Vec<_> = kept.iter().map(|item| mix(item, other, dice)).collect();
            for item in b {
                if dice.once_in(3) {
                    items.insert(dice.below(items.len() + 1), item.clone());
                }
            }
            Value::List(items)
        }
        (Value::Map(a), Value::Map(b)) => {
            let kept: Vec<_> = a.iter().filter(|_| !dice.once_in(5)).collect();
            let kept = kept
                .iter()
                .map(|(key, value)| (key.clone(), mix(value, other, dice)));
            let kept: Vec<_> = kept.collect();
            let added: Vec<_> = b.iter().filter(|_| dice.once_in(2)).cloned().collect();
            unique([kept, added].concat())
        }
        (Value::List(items), _) => {
            Value::List(items.iter().map(|item| mix(item, other, dice)).collect())
        }
        (Value::Map(entries), _) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), mix(value, other, dice)))
                .collect(),
        ),
        _ => value.clone(),
    }
}

fn edited(text: &str, format: Format, value: &Value, target: &Value) {
    let document = Document::read(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    assert_eq!(document.format, format, "in\n{text}");
    assert_eq!(document.value(), *value, "in\n{text}");
    let splices = rewrite::splices(&document, target)
        .unwrap_or_else(|error| panic!("{error}\n{text}\n{target:?}"));
    let new = rewrite::apply(text, &splices);
    let result = check::check(&new, format, target);
    assert_eq!(
        result,
        Ok(()),
        "\n--- old\n{text}\n--- new\n{new}\n--- target\n{target:?}"
    );
    // A YAML text that is left with a bracket at its start reads as JSON; nothing real is.
    if let Ok(again) = Document::read(&new)
        && again.format == format
    {
        assert_eq!(
            rewrite::splices(&again, target).unwrap(),
            [],
            "\n--- new\n{new}"
        );
    }
}

/// A list of container definitions with whatever people may write into them.
fn template() -> impl Strategy<Value = Value> {
    let arrays = || {
        prop_oneof![
            2 => prop::collection::vec(text().prop_map(Value::String), 0..4).prop_map(Value::List),
            1 => prop::collection::vec(value(), 1..3).prop_map(Value::List),
            1 => text().prop_map(|name| Value::map([("Ref", Value::String(name))])),
            1 => (text(), text()).prop_map(|(a, b)| Value::map([(
                "Fn::If",
                Value::List(vec![
                    Value::string("C"),
                    Value::strings([a]),
                    Value::strings([b]),
                ]),
            )])),
        ]
    };
    let variable = (text(), value())
        .prop_map(|(name, value)| Value::map([("Name", Value::String(name)), ("Value", value)]));
    let container = (
        prop::option::of(arrays()),
        prop::option::of(arrays()),
        prop::option::of(prop::collection::vec(variable, 0..3).prop_map(Value::List)),
        "[a-z]{1,6}",
    )
        .prop_map(|(entry, command, environment, name)| {
            let mut entries = vec![
                ("Name".to_owned(), Value::String(name)),
                ("Image".to_owned(), Value::string("image")),
            ];
            entries.extend(entry.map(|value| ("EntryPoint".to_owned(), value)));
            entries.extend(command.map(|value| ("Command".to_owned(), value)));
            entries.extend(environment.map(|value| ("Environment".to_owned(), value)));
            Value::Map(entries)
        });
    (prop::collection::vec(container, 1..4), value()).prop_map(|(containers, extra)| {
        let properties = Value::map([
            ("ContainerDefinitions", Value::List(containers)),
            ("Volumes", extra.clone()),
        ]);
        let task = Value::map([
            ("Type", Value::string("AWS::ECS::TaskDefinition")),
            ("Properties", properties),
        ]);
        Value::map([
            ("Resources", Value::map([("Task", task), ("Other", extra)])),
            ("Outputs", Value::Null),
        ])
    })
}

fn there_and_back(text: &str, parameterize: bool) {
    let mut options = eager();
    options.parameterize = parameterize;
    let patched = patch(text, &options, &Images::default())
        .unwrap_or_else(|error| panic!("{error} in\n{text}"));
    assert_eq!(patched.plan.problems, [], "in\n{text}");
    let new = patched
        .text
        .unwrap_or_else(|| panic!("nothing changes in\n{text}"));
    let again = patch(&new, &options, &Images::default()).unwrap();
    assert_eq!(again.text, None, "a second run changes\n{new}");
    let back = unpatch(&new, &options.sidecar.name).unwrap();
    assert_eq!(back.text, Some((text.to_owned(), How::Exact)), "of\n{new}");
}

/// Settings that differ from run to run.
fn settings() -> impl Strategy<Value = Options> {
    let number = || prop::option::of(1_u32..4096);
    let word = || prop::option::of("[a-z]{1,6}");
    let variables = || prop::collection::vec(("[A-Z]{1,4}", text()), 0..3);
    let sidecar = (
        prop_oneof![Just("SysdigInstrumentation"), Just("Other"), Just("Third")],
        "[a-z]{1,6}",
        prop::option::of(any::<bool>()),
        (number(), number(), number()),
        (word(), word()),
    );
    let agent = (
        prop_oneof![Just(Logging::Info), Just(Logging::Trace)],
        prop_oneof![Just(Priority::Availability), Just(Priority::Security)],
        prop::option::of(("[a-z]{1,6}", any::<u16>())),
        prop::option::of(("[a-z]{1,6}", prop::option::of(any::<u16>()))),
        prop::option::of(("[a-z]{1,6}", any::<bool>())),
        (variables(), variables()),
    );
    let run = (
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec("[a-c]", 0..2),
    );
    (sidecar, agent, run).prop_map(|(sidecar, agent, run)| {
        let mut options = eager();
        let (name, image, essential, (cpu, memory, reservation), (secret, group)) = sidecar;
        name.clone_into(&mut options.sidecar.name);
        options.sidecar.image = image;
        options.sidecar.essential = essential;
        options.sidecar.cpu = cpu;
        options.sidecar.memory = memory;
        options.sidecar.memory_reservation = reservation;
        options.sidecar.image_auth_secret = secret;
        options.sidecar.log_group = group;
        let (logging, priority, orchestrator, collector, key, (workload, sidecar)) = agent;
        options.agent.logging = logging;
        options.agent.priority = priority;
        options.agent.orchestrator = orchestrator;
        options.agent.collector = collector;
        options.agent.access_key = key.map(|(key, plain)| {
            if plain {
                AccessKey::Plain(key)
            } else {
                AccessKey::Secret(key)
            }
        });
        options.agent.workload_env = workload;
        options.agent.sidecar_env = sidecar;
        (options.parameterize, options.force_env, options.ignored) = run;
        options
    })
}

/// What earlier settings made of a text leaves no trace in what later ones make of it.
fn replaced(text: &str, first: &Options, second: &Options) {
    let run = |text: &str, options| {
        let patched = patch(text, options, &Images::default())
            .unwrap_or_else(|error| panic!("{error} in\n{text}"));
        assert_eq!(patched.plan.problems, [], "in\n{text}");
        patched.text.unwrap_or_else(|| text.to_owned())
    };
    let (one, want) = (run(text, first), run(text, second));
    let got = run(&one, second);
    assert_eq!(got, want, "\n--- of\n{one}");
    assert_eq!(run(&got, second), got, "a third run changes something");
    let back = unpatch(&got, &second.sidecar.name).unwrap();
    let back = back.text.unwrap_or((got, How::Exact));
    assert_eq!(back, (text.to_owned(), How::Exact), "of\n{one}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_text_says_the_edited_value(
        value in collection(),
        other in collection(),
        seed in any::<u64>(),
    ) {
        let mut dice = Dice::new(seed);
        let target = mix(&value, &other, &mut dice);
        // A root that is no collection is no template.
        prop_assume!(target.as_list().is_some() || target.as_map().is_some());
        let text = json(&value, &mut dice);
        // A list that starts with a number or a word is read as YAML, which it is too.
        let starts = text.trim_start_matches(['[', '{', ' ', '\r', '\n']);
        if starts.starts_with(['"', ']', '}']) {
            edited(&text, Format::Json, &value, &target);
        }
        edited(&yaml(&value, &mut dice), Format::Yaml, &value, &target);
    }

    #[test]
    fn a_patch_is_made_once_and_taken_back(
        value in template(),
        seed in any::<u64>(),
        parameterize in any::<bool>(),
    ) {
        let mut dice = Dice::new(seed);
        there_and_back(&json(&value, &mut dice), parameterize);
        there_and_back(&yaml(&value, &mut dice), parameterize);
    }

    #[test]
    fn a_run_with_other_settings_is_as_the_first_of_its_kind(
        value in template(),
        seed in any::<u64>(),
        first in settings(),
        second in settings(),
    ) {
        let mut dice = Dice::new(seed);
        replaced(&json(&value, &mut dice), &first, &second);
        replaced(&yaml(&value, &mut dice), &first, &second);
    }
}
