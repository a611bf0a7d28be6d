//! A CloudFormation macro in Lambda.
//!
//! CloudFormation sends a template or a part of one as JSON, with the values of its parameters,
//! and deploys what comes back; any status but `success` stops the change set, so a container that
//! cannot be wrapped stops the deployment. A template may hold secrets: none of it is ever logged.

mod fragment;

use contract::exit;
use lambda_runtime::{LambdaEvent, service_fn};

use crate::cli::AgentFlags;
use crate::config::{self, Environment, flags_of};
use crate::edit;
use crate::image::Images;
use crate::options::Options;
use crate::output::Output;
use crate::plan::{Outcome, Plan, plan};
use crate::record::Record;
use crate::registry;
use crate::value::Value;
use fragment::Fragment;

/// Answers invocations until Lambda ends the process.
pub fn run(environment: &Environment, output: &mut Output) -> i32 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| {
            let service = service_fn(|event: LambdaEvent<Value>| async move {
                let (answer, line) = answer(event.payload, environment).await;
                Output::new().note(&line);
                Ok::<_, lambda_runtime::Error>(answer)
            });
            runtime
                .block_on(lambda_runtime::run(service))
                .map_err(|error| error.to_string())
        });
    match result {
        Ok(()) => exit::SUCCESS,
        Err(message) => {
            output.error(&format!("the Lambda runtime: {message}"));
            exit::FAILURE
        }
    }
}

/// Answers one event; the line is for the log.
pub async fn answer(event: Value, environment: &Environment) -> (Value, String) {
    let id = event.get("requestId").cloned().unwrap_or(Value::string(""));
    let mut answer = vec![("requestId".to_owned(), id.clone())];
    let line = match transform(&event, environment).await {
        Ok((fragment, plan)) => {
            let count = |wanted: fn(&Outcome) -> bool| {
                let containers = plan.tasks.iter().flat_map(|task| &task.containers);
                containers
                    .filter(|container| wanted(&container.outcome))
                    .count()
            };
            let wrapped = count(|outcome| matches!(outcome, Outcome::Wrap(_)));
            let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
            answer.push(("status".to_owned(), Value::string("success")));
            answer.push(("fragment".to_owned(), fragment));
            format!("success: {wrapped} containers wrapped, {skipped} skipped")
        }
        Err(message) => {
            answer.push(("status".to_owned(), Value::string("failure")));
            answer.push(("errorMessage".to_owned(), Value::string(&message)));
            let fragment = event.get("fragment").cloned();
            answer.extend(fragment.map(|fragment| ("fragment".to_owned(), fragment)));
            "failure: see errorMessage in the change set".to_owned()
        }
    };
    (
        Value::Map(answer),
        format!("{} {line}", id.as_str().unwrap_or_default()),
    )
}

async fn transform(event: &Value, environment: &Environment) -> Result<(Value, Plan), String> {
    let fragment = event
        .get("fragment")
        .ok_or("the event has no `fragment`: not a macro event")?;
    let flags = flags(event)?;
    let options = options(event, environment, &flags)?;
    let fragment = Fragment::of(fragment)?;
    let root = fragment.template();
    let mut images = Images::default();
    let record = Record::find(&root).map(|(_, record)| record);
    let mut plan = plan(&root, record.as_ref(), &options, &images);
    if !plan.needs.is_empty()
        && let Some(settings) = config::registry(environment, &flags)
    {
        let answers = registry::lookup_all(plan.needs, &settings, &mut |_| {}).await;
        for (request, result) in answers {
            images.note(request, result);
        }
        plan = crate::plan::plan(&root, record.as_ref(), &options, &images);
    }
    if !plan.problems.is_empty() {
        let problems: Vec<_> = plan.problems.iter().map(ToString::to_string).collect();
        return Err(problems.join("; "));
    }
    let mut target = root;
    edit::apply(&mut target, &plan.edits).map_err(|error| error.to_string())?;
    Ok((fragment.part(target), plan))
}

/// Reads `params` of `Fn::Transform` as settings: `AgentImage` is `--agent-image`.
fn flags(event: &Value) -> Result<AgentFlags, String> {
    let given = event
        .get("params")
        .and_then(Value::as_map)
        .unwrap_or_default();
    let mut settings = Vec::new();
    for (name, value) in given {
        let text = value.scalar_text().ok_or_else(|| {
            format!(
                "the parameter `{name}` of the transform is {}, not a string",
                value.kind()
            )
        })?;
        settings.push((snake(name), text));
    }
    flags_of(settings)
}

/// `AgentImage` as `agent_image`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn options(
    event: &Value,
    environment: &Environment,
    flags: &AgentFlags,
) -> Result<Options, String> {
    let mut options = config::options(environment, flags).map_err(|error| error.to_string())?;
    let text = |key| event.get(key).and_then(Value::as_str).map(str::to_owned);
    let values = event
        .get("templateParameterValues")
        .and_then(Value::as_map)
        .unwrap_or_default();
    for (name, value) in values {
        let list = |items: &[Value]| {
            items
                .iter()
                .filter_map(Value::scalar_text)
                .collect::<Vec<_>>()
                .join(",")
        };
        let value = value.as_list().map(list).or_else(|| value.scalar_text());
        options
            .parameters
            .extend(value.map(|value| (name.clone(), value)));
    }
    options
        .parameters
        .extend(text("accountId").map(|id| ("AWS::AccountId".to_owned(), id)));
    if let Some(region) = text("region") {
        let partition = match region.split('-').next() {
            Some("cn") => "aws-cn",
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let suffix = if partition == "aws-cn" {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        options
            .parameters
            .push(("AWS::Partition".to_owned(), partition.to_owned()));
        options
            .parameters
            .push(("AWS::URLSuffix".to_owned(), suffix.to_owned()));
        options.region = Some(region);
    }
    options.record = false;
    Ok(options)
}
