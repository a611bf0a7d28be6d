//! JSON as `serde_json` reads it.

use crate::value::Value;

/// Reads a whole text.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| error.to_string())
}
