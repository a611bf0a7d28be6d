//! Resolves the intrinsic functions of a template, as CloudFormation does when it deploys.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Why a value stays unknown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IntrinsicError {
    /// The function is none of those that tests use.
    #[error("the intrinsic function `{0}` is not supported here")]
    Function(String),
    /// Its argument has another shape.
    #[error("the argument of `{0}` is not what it takes")]
    Shape(&'static str),
    /// A name that is neither a parameter with a default nor a pseudo parameter.
    #[error("nothing is known of `{0}`")]
    Unknown(String),
}

/// Names and their values: defaults of parameters, and the pseudo parameters.
#[derive(Debug)]
pub struct Names(BTreeMap<String, Value>);

impl Names {
    /// Takes the defaults of the template's parameters.
    pub fn of(template: &Value) -> Self {
        let mut names: BTreeMap<String, Value> = [
            ("AWS::AccountId", "123456789012"),
            ("AWS::Partition", "aws"),
            ("AWS::Region", "us-east-1"),
            ("AWS::StackName", "test"),
            ("AWS::URLSuffix", "amazonaws.com"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
        let parameters = template["Parameters"].as_object();
        for (name, parameter) in parameters.into_iter().flatten() {
            if let Some(default) = parameter.get("Default") {
                names.insert(name.clone(), default.clone());
            }
        }
        Self(names)
    }

    /// The value with every function replaced by what it yields.
    pub fn resolve(&self, value: &Value) -> Result<Value, IntrinsicError> {
        match value {
            Value::Array(items) => items
                .iter()
                .map(|item| self.resolve(item))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Value::Object(map) => match function(map) {
                Some((name, argument)) => self.call(name, argument),
                None => map
                    .iter()
                    .map(|(key, item)| Ok((key.clone(), self.resolve(item)?)))
                    .collect::<Result<Map<_, _>, _>>()
                    .map(Value::Object),
            },
            plain => Ok(plain.clone()),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Value, IntrinsicError> {
        match name {
            "Fn::Join" => {
                let argument = self.resolve(argument)?;
                let separator = argument[0]
                    .as_str()
                    .ok_or(IntrinsicError::Shape("Fn::Join"))?;
                let parts = argument[1]
                    .as_array()
                    .ok_or(IntrinsicError::Shape("Fn::Join"))?;
                let parts: Vec<String> = parts.iter().map(text).collect();
                Ok(Value::String(parts.join(separator)))
            }
            "Fn::Sub" => {
                let pattern = argument.as_str().ok_or(IntrinsicError::Shape("Fn::Sub"))?;
                self.substitute(pattern).map(Value::String)
            }
            "Ref" => {
                let name = argument.as_str().ok_or(IntrinsicError::Shape("Ref"))?;
                self.look_up(name).cloned()
            }
            other => Err(IntrinsicError::Function(other.to_owned())),
        }
    }

    fn substitute(&self, pattern: &str) -> Result<String, IntrinsicError> {
        let mut result = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after
                .split_once('}')
                .ok_or(IntrinsicError::Shape("Fn::Sub"))?;
            result.push_str(before);
            result.push_str(&text(self.look_up(name)?));
            rest = tail;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn look_up(&self, name: &str) -> Result<&Value, IntrinsicError> {
        self.0
            .get(name)
            .ok_or_else(|| IntrinsicError::Unknown(name.to_owned()))
    }
}

/// The function that an object with one member calls.
fn function(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next()?;
    let is_function = name == "Ref" || name.starts_with("Fn::");
    (map.len() == 1 && is_function).then_some((name.as_str(), argument))
}

/// A value as CloudFormation makes text of it.
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(value: &Value) -> Result<Value, IntrinsicError> {
        let template = json!({"Parameters": {"Version": {"Type": "Number", "Default": 3}}});
        Names::of(&template).resolve(value)
    }

    #[test]
    fn functions_yield_what_cloudformation_yields() {
        assert_eq!(resolved(&json!({"Ref": "Version"})), Ok(json!(3)));
        assert_eq!(
            resolved(&json!([{"Fn::Sub": "a:${Version}-${AWS::Region}"}])),
            Ok(json!(["a:3-us-east-1"]))
        );
        assert_eq!(
            resolved(&json!({"Fn::Join": ["/", ["a", {"Ref": "Version"}]]})),
            Ok(json!("a/3"))
        );
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        assert_eq!(
            resolved(&json!({"Ref": "Nobody"})),
            Err(IntrinsicError::Unknown("Nobody".into()))
        );
        assert_eq!(
            resolved(&json!({"x": {"Fn::If": ["a", 1, 2]}})),
            Err(IntrinsicError::Function("Fn::If".into()))
        );
    }
}
