"""Creates stacks from the templates in before/ and after/ with moto, in this process.

Where moto cannot create the whole original (it lacks a VPC, an export, a kind of resource), the
task definitions are created alone, with a word in place of each reference to what is not there;
the patched template is treated alike. Prints, by file: how it was done, and for each side the
container definitions of every task definition in the account, or the error.
"""

import json
import os
import pathlib
import re
import sys

os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
)

import boto3
import cfnlint.decode
from moto import mock_aws


def parameter_value(parameter):
    allowed = parameter.get("AllowedValues")
    if allowed:
        return str(allowed[0])
    kind = parameter.get("Type", "String")
    if kind == "Number":
        return "1"
    if kind.startswith("List<") or kind == "CommaDelimitedList":
        return "a,b"
    return "value"


def parameters(template):
    """A value for each parameter that has no default."""
    return [
        {"ParameterKey": name, "ParameterValue": parameter_value(parameter)}
        for name, parameter in template.get("Parameters", {}).items()
        if "Default" not in parameter
    ]


def create(body, template):
    with mock_aws():
        client = boto3.client("cloudformation")
        client.create_stack(StackName="stack", TemplateBody=body, Parameters=parameters(template))
        stack = client.describe_stacks(StackName="stack")["Stacks"][0]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            raise RuntimeError(stack["StackStatus"])
        ecs = boto3.client("ecs")
        arns = ecs.list_task_definitions()["taskDefinitionArns"]
        return [
            ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"][
                "containerDefinitions"
            ]
            for arn in arns
        ]


def alone(template):
    """The task definitions, parameters, mappings and conditions of a template."""
    known = set(template.get("Parameters", {}))
    kept = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource.get("Type") == "AWS::ECS::TaskDefinition"
    }

    def cut(value):
        if isinstance(value, list):
            return [cut(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in ("Fn::GetAtt", "Fn::ImportValue"):
                return "value"
            if name == "Ref" and argument not in known and not str(argument).startswith("AWS::"):
                return "value"
            if name == "Fn::Sub":
                return "value"
        return {
            str(key): cut(item) for key, item in value.items() if key not in ("DependsOn", "Condition")
        } if value.get("Type") == "AWS::ECS::TaskDefinition" else {
            str(key): cut(item) for key, item in value.items()
        }

    parts = {
        section: template[section]
        for section in ("Parameters", "Mappings", "Conditions")
        if section in template
    }
    return json.loads(json.dumps({**parts, "Resources": cut(kept)}, default=str))


def described(error):
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:300]


def attempt(make):
    try:
        return make()
    except Exception as error:
        return described(error)


def decode(path):
    template, problems = cfnlint.decode.decode(str(path))
    if template is None:
        raise RuntimeError(str(problems))
    return template


def side(path, whole):
    template = decode(path)
    if whole:
        return create(path.read_text(), template)
    part = alone(template)
    return create(json.dumps(part), part)


root = pathlib.Path(sys.argv[1])
results = {}
for before in sorted((root / "before").iterdir()):
    after = root / "after" / before.name
    for whole in (True, False):
        first = attempt(lambda: side(before, whole))
        results[before.name] = {"whole": whole, "before": first, "after": None}
        if not isinstance(first, str):
            results[before.name]["after"] = attempt(lambda: side(after, whole))
            break
json.dump(results, sys.stdout)
