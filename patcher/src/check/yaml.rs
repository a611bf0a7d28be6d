//! YAML as another parser reads it.
use crate::value::Value;
pub(super) fn read(_text: &str) -> Result<Value, String> {
    Err("not read".to_owned())
}
