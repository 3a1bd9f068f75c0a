//! Labels of remote write, checked and encoded.

use super::LabelLimits;
use crate::protobuf::{Message, ProtobufError};
use model::{Labels, METRIC_NAME};

/// What came of a label set: nothing to say, or why it is refused.
type Checked<T> = Result<T, String>;

/// Checks label sets and turns them into the form of `Labels::encoded`.
#[derive(Debug, Default)]
pub(super) struct LabelEncoder {
    encoded: String,
    /// For sets that came out of order.
    pairs: Vec<(String, String)>,
}

impl LabelEncoder {
    /// The labels (field 1) of a series, sorted, without empty values; or why they are refused.
    pub(super) fn encode(
        &mut self,
        message: Message<'_>,
        limits: &LabelLimits,
    ) -> Result<&str, String> {
        self.encoded.clear();
        match self.encode_sorted(message, limits) {
            Ok(checked) => checked?,
            Err(error) => return Err(format!("invalid labels: {error}")),
        }
        Ok(&self.encoded)
    }

    fn encode_sorted(
        &mut self,
        message: Message<'_>,
        limits: &LabelLimits,
    ) -> Result<Checked<()>, ProtobufError> {
        let mut previous = "";
        let (mut count, mut has_name) = (0, false);
        let mut rest = message;
        while let Some((field, wire)) = rest.next_field()? {
            if field != 1 {
                continue;
            }
            let (name, value) = match read_label(rest.message(wire)?, limits)? {
                Ok(label) => label,
                Err(reason) => return Ok(Err(reason)),
            };
            if count > 0 && name <= previous {
                return self.encode_unsorted(message, limits);
            }
            previous = name;
            count += 1;
            has_name |= name == METRIC_NAME && !value.is_empty();
            if !value.is_empty() {
                Labels::encode_label(&mut self.encoded, name, value);
            }
        }
        Ok(check_set(count, has_name, limits))
    }

    fn encode_unsorted(
        &mut self,
        message: Message<'_>,
        limits: &LabelLimits,
    ) -> Result<Checked<()>, ProtobufError> {
        self.encoded.clear();
        self.pairs.clear();
        if let Err(reason) = read_pairs(message, limits, &mut self.pairs)? {
            return Ok(Err(reason));
        }
        self.pairs.sort();
        if let Err(reason) = check_unique(&self.pairs) {
            return Ok(Err(reason));
        }
        let mut has_name = false;
        for (name, value) in &self.pairs {
            if !value.is_empty() {
                Labels::encode_label(&mut self.encoded, name, value);
                has_name |= name == METRIC_NAME;
            }
        }
        Ok(check_set(self.pairs.len(), has_name, limits))
    }
}

/// Reads labels (field 1) that need no metric name, as those of an exemplar.
pub(super) fn read_plain(
    message: Message<'_>,
    limits: &LabelLimits,
) -> Result<Checked<Labels>, ProtobufError> {
    let mut pairs = Vec::new();
    if let Err(reason) = read_pairs(message, limits, &mut pairs)? {
        return Ok(Err(reason));
    }
    pairs.sort();
    if let Err(reason) = check_unique(&pairs) {
        return Ok(Err(reason));
    }
    Ok(Ok(Labels::from_pairs(pairs)))
}

fn read_pairs(
    mut message: Message<'_>,
    limits: &LabelLimits,
    pairs: &mut Vec<(String, String)>,
) -> Result<Checked<()>, ProtobufError> {
    while let Some((field, wire)) = message.next_field()? {
        if field != 1 {
            continue;
        }
        match read_label(message.message(wire)?, limits)? {
            Ok((name, value)) => pairs.push((name.to_owned(), value.to_owned())),
            Err(reason) => return Ok(Err(reason)),
        }
        if pairs.len() > limits.count_max {
            return Ok(check_set(pairs.len(), true, limits));
        }
    }
    Ok(Ok(()))
}

fn check_unique(sorted: &[(String, String)]) -> Checked<()> {
    for pair in sorted.windows(2) {
        if let [(first, _), (second, _)] = pair
            && first == second
        {
            return Err(format!(
                "label name {first:?} is not unique: invalid sample"
            ));
        }
    }
    Ok(())
}

fn check_set(count: usize, has_name: bool, limits: &LabelLimits) -> Checked<()> {
    if !has_name {
        return Err("invalid labels: the metric name is missing".to_owned());
    }
    if count > limits.count_max {
        let max = limits.count_max;
        return Err(format!(
            "a series has {count} labels, more than the limit of {max}"
        ));
    }
    Ok(())
}

/// Reads name and value of one label.
fn read_label<'a>(
    mut message: Message<'a>,
    limits: &LabelLimits,
) -> Result<Checked<(&'a str, &'a str)>, ProtobufError> {
    let (mut name, mut value): (&[u8], &[u8]) = (b"", b"");
    while let Some((field, wire)) = message.next_field()? {
        match field {
            1 => name = message.bytes(wire)?,
            2 => value = message.bytes(wire)?,
            _ => {}
        }
    }
    let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) else {
        let name = String::from_utf8_lossy(name);
        return Ok(Err(format!(
            "invalid labels: label {name:?} is not valid UTF-8"
        )));
    };
    if name.is_empty() {
        return Ok(Err("invalid labels: a label name is empty".to_owned()));
    }
    let (name_max, value_max) = (limits.name_bytes_max, limits.value_bytes_max);
    if name.len() > name_max {
        let bytes = name.len();
        let reason = format!("a label name has {bytes} bytes, more than the limit of {name_max}");
        return Ok(Err(reason));
    }
    if value.len() > value_max {
        let bytes = value.len();
        return Ok(Err(format!(
            "the value of label {name:?} has {bytes} bytes, more than the limit of {value_max}"
        )));
    }
    Ok(Ok((name, value)))
}
