//! Writes values as people might: a generator that shares nothing with the patcher.

use patcher::value::Value;

/// A small generator of numbers: `SplitMix64`.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Writes JSON with white space wherever it may be.
pub(crate) fn json(value: &Value, dice: &mut Dice) -> String {
    let indent = [None, Some(1), Some(2), Some(4)][dice.below(4)];
    let mut out = String::new();
    json_at(value, indent, 0, dice, &mut out);
    if dice.once_in(2) {
        out.push('\n');
    }
    if dice.once_in(4) {
        out.replace('\n', "\r\n")
    } else {
        out
    }
}

fn json_at(value: &Value, indent: Option<usize>, depth: usize, dice: &mut Dice, out: &mut String) {
    // Now and then a collection stays on one line.
    let indent = indent.filter(|_| !dice.once_in(5));
    let line = |out: &mut String, depth: usize| {
        if let Some(width) = indent {
            out.push('\n');
            out.push_str(&" ".repeat(width * depth));
        }
    };
    let (open, close, count) = match value {
        Value::List(items) => ('[', ']', items.len()),
        Value::Map(entries) => ('{', '}', entries.len()),
        scalar => return out.push_str(&json_scalar(scalar)),
    };
    out.push(open);
    for at in 0..count {
        if at > 0 {
            out.push_str([",", " ,", ", "][dice.below(3)]);
        }
        line(out, depth + 1);
        match value {
            Value::Map(entries) => {
                out.push_str(&quoted(&entries[at].0));
                out.push_str([":", ": ", " : "][dice.below(3)]);
                json_at(&entries[at].1, indent, depth + 1, dice, out);
            }
            Value::List(items) => json_at(&items[at], indent, depth + 1, dice, out),
            _ => {}
        }
    }
    if count > 0 || dice.once_in(3) {
        line(out, depth);
    }
    out.push(close);
}

fn json_scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => text.clone(),
        other => quoted(other.as_str().unwrap_or_default()),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Writes YAML in one of many styles; the root is a collection.
pub(crate) fn yaml(value: &Value, dice: &mut Dice) -> String {
    let mut writer = Yaml {
        step: [1, 2, 4][dice.below(3)],
        zero: dice.once_in(2),
        out: String::new(),
        dice,
    };
    let block = is_block(value) && !writer.dice.once_in(6);
    // Brackets at the very start would be taken for JSON, as CloudFormation does.
    if !block || writer.dice.once_in(4) {
        writer.out.push_str("---\n");
    }
    writer.comment(0);
    if block {
        writer.block(value, 0);
    } else {
        let text = writer.flow(value);
        writer.out.push_str(&text);
    }
    if writer.dice.once_in(3) {
        writer.out.push_str("\n# the end");
    }
    let mut out = writer.out;
    let crlf = dice.once_in(4);
    if dice.once_in(2) {
        out.push('\n');
    }
    if crlf { out.replace('\n', "\r\n") } else { out }
}

struct Yaml<'d> {
    step: usize,
    zero: bool,
    out: String,
    dice: &'d mut Dice,
}

/// Collections that can be written by indentation.
fn is_block(value: &Value) -> bool {
    match value {
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
        _ => false,
    }
}

impl Yaml<'_> {
    fn comment(&mut self, column: usize) {
        if self.dice.once_in(5) {
            self.out.push_str(&" ".repeat(column));
            self.out.push_str("# a comment: [with {marks\n");
        }
    }

    /// Writes a collection whose first line is indented already.
    fn block(&mut self, value: &Value, column: usize) {
        let count = value
            .as_list()
            .map_or_else(|| value.as_map().unwrap().len(), <[_]>::len);
        for at in 0..count {
            if at > 0 {
                self.out.push('\n');
                self.comment(column);
                self.out.push_str(&" ".repeat(column));
            }
            match value {
                Value::Map(entries) => {
                    let (key, value) = &entries[at];
                    let key = self.scalar(&Value::string(key));
                    self.out.push_str(&key);
                    self.out.push(':');
                    let deeper = if self.zero && value.as_list().is_some() {
                        0
                    } else {
                        self.step
                    };
                    self.below(value, column + deeper, column + self.step);
                }
                Value::List(items) => {
                    self.out.push('-');
                    let item = &items[at];
                    if is_block(item) && self.dice.once_in(2) {
                        self.out.push(' ');
                        self.block(item, column + 2);
                    } else {
                        self.below(item, column + 2, column + 2);
                    }
                }
                _ => {}
            }
        }
    }

    /// Writes a value after a colon or dash.
    fn below(&mut self, value: &Value, column: usize, tagged: usize) {
        if let Some((name, argument)) = value.intrinsic()
            && argument.intrinsic().is_none()
            && self.dice.once_in(2)
        {
            self.out.push_str(" !");
            self.out.push_str(name.trim_start_matches("Fn::"));
            return self.below(argument, tagged, tagged);
        }
        if is_block(value) && !self.dice.once_in(5) {
            if self.dice.once_in(6) {
                self.out.push_str(" # why");
            }
            self.out.push('\n');
            self.comment(column);
            self.out.push_str(&" ".repeat(column));
            return self.block(value, column);
        }
        if *value == Value::Null && self.dice.once_in(2) {
            return;
        }
        let text = self.flow(value);
        self.out.push(' ');
        self.out.push_str(&text);
        if self.dice.once_in(6) {
            self.out.push_str("  # trailing");
        }
    }

    fn flow(&mut self, value: &Value) -> String {
        let space = [" ", ""][self.dice.below(2)];
        match value {
            Value::List(items) => {
                let parts: Vec<_> = items.iter().map(|item| self.flow(item)).collect();
                format!("[{space}{}{space}]", parts.join(", "))
            }
            Value::Map(entries) => {
                let parts: Vec<_> = entries
                    .iter()
                    .map(|(key, v)| format!("{}: {}", quoted(key), self.flow(v)))
                    .collect();
                format!("{{{space}{}{space}}}", parts.join(", "))
            }
            scalar => self.scalar(scalar),
        }
    }

    fn scalar(&mut self, value: &Value) -> String {
        let Some(text) = value.as_str() else {
            return json_scalar(value);
        };
        let word = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_lowercase())
            && !["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&text);
        let printable = text.chars().all(|c| matches!(c, ' '..='~' | 'é' | '😀'));
        match self.dice.below(3) {
            0 if word => text.to_owned(),
            1 if printable => format!("'{}'", text.replace('\'', "''")),
            _ => quoted(text),
        }
    }
}
