//! How amtool shows things: columns, dates, matchers, JSON with the fields in upstream's order.

use gotemplate::Time;
use serde_json::{Map, Value};

/// Between two columns.
const PADDING: usize = 2;

/// Aligns cells that end with a tab, as Go's `text/tabwriter` does: a column is as wide as its widest cell in lines that
/// follow each other.
pub(super) fn columns(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let mut out = String::new();
    // The width of each column that the line before has.
    let mut widths: Vec<usize> = Vec::new();
    for (index, cells) in lines.iter().enumerate() {
        let count = cells.len() - 1;
        widths.truncate(count);
        while widths.len() < count {
            widths.push(run_width(
                lines.get(index..).unwrap_or_default(),
                widths.len(),
            ));
        }
        for (column, cell) in cells.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(column) {
                let padding = width.saturating_sub(cell.chars().count());
                out.extend(std::iter::repeat_n(' ', padding));
            }
        }
        out.push('\n');
    }
    out
}

/// The width of a column in the first of these lines and those after it that have the column.
fn run_width(lines: &[Vec<&str>], column: usize) -> usize {
    let width = |line: &Vec<&str>| {
        let cell = line.get(column).filter(|_| column + 1 < line.len());
        cell.map(|cell| cell.chars().count())
    };
    lines.iter().map_while(width).max().unwrap_or(0) + PADDING
}

/// A text field, empty where it is missing.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

/// A moment, `None` where it is none.
pub(super) fn moment(value: &Value, field: &str) -> Option<jiff::Timestamp> {
    value.get(field)?.as_str()?.parse().ok()
}

/// A moment by one of Go's layouts, in UTC.
pub(super) fn date(value: &Value, field: &str, layout: &str) -> String {
    let moment = moment(value, field).unwrap_or_default();
    Time::from_nanoseconds(moment.as_nanosecond()).format(layout)
}

/// `a="b" c="d"`, sorted.
pub(super) fn labels(value: Option<&Value>) -> String {
    let object = value.and_then(Value::as_object).into_iter().flatten();
    let mut pairs: Vec<String> = object
        .map(|(name, value)| format!("{name}=\"{}\"", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort();
    pairs.join(" ")
}

/// The matchers of a silence, each as `name="value"`.
pub(super) fn matchers(silence: &Value) -> Vec<String> {
    let list = silence.get("matchers").and_then(Value::as_array);
    list.into_iter().flatten().map(matcher).collect()
}

fn matcher(value: &Value) -> String {
    let flag = |name: &str, default| value.get(name).and_then(Value::as_bool).unwrap_or(default);
    let operator = match (flag("isEqual", true), flag("isRegex", false)) {
        (true, false) => model::MatchOperator::Equal,
        (false, false) => model::MatchOperator::NotEqual,
        (true, true) => model::MatchOperator::Regex,
        (false, true) => model::MatchOperator::NotRegex,
    };
    let (name, text) = (text(value, "/name"), text(value, "/value"));
    match model::Matcher::new(name, operator, text) {
        Ok(matcher) => dispatch::matchers::print_matcher(&matcher),
        Err(_) => format!("{name}{}{text:?}", operator.symbol()),
    }
}

/// A line of JSON as Go writes it: the named fields in this order, then the others.
pub(super) fn json_line(list: &Value, order: &[&str]) -> String {
    let ordered = match list {
        Value::Array(list) => list.iter().map(|one| in_order(one, order)).collect(),
        one => in_order(one, order),
    };
    dispatch::template::go_json(&ordered)
}

fn in_order(value: &Value, order: &[&str]) -> Value {
    let Value::Object(fields) = value else {
        return value.clone();
    };
    let known = order
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), fields.get(*name)?.clone())));
    let others = fields
        .iter()
        .filter(|(name, _)| !order.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()));
    Value::from(known.chain(others).collect::<Map<_, _>>())
}

/// Reads a moment as amtool's flags take it.
pub(super) fn parse_moment(text: &str) -> anyhow::Result<jiff::Timestamp> {
    let parsed = Time::parse("2006-01-02T15:04:05Z07:00", text);
    parsed
        .map(|time| time.timestamp())
        .map_err(anyhow::Error::msg)
}

/// Reads a duration that is not zero, as Prometheus writes it.
pub(super) fn parse_duration(text: &str) -> anyhow::Result<jiff::SignedDuration> {
    let millis = model::parse_duration(text)
        .map_err(|_wrong| anyhow::anyhow!("not a valid duration string: {text:?}"))?;
    anyhow::ensure!(millis != 0, "silence duration must be greater than 0");
    Ok(jiff::SignedDuration::from_millis(millis))
}

/// Reads a duration as Go writes it, in milliseconds.
pub(super) fn parse_go_duration(text: &str) -> anyhow::Result<i64> {
    let millis = dispatch::config::parse_go_duration(text);
    millis.ok_or_else(|| anyhow::anyhow!("time: invalid duration {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_align_in_lines_that_follow_each_other() {
        let check = |text: &str, want: &str| assert_eq!(columns(text), want, "{text:?}");
        check("", "");
        check("A\tB\t\n", "A  B  \n");
        check("ID\tEnds\t\nabcd\té\t\n", "ID    Ends  \nabcd  é     \n");
        check("a\t\tb\t\n", "a    b  \n");
        check(
            "Status:\tok\nName:\tx\n\nAddress\tN\n1\tlong\t\n",
            "Status:  ok\nName:    x\n\nAddress  N\n1        long  \n",
        );
        // A column ends with the lines that have it, and its next run has a width of its own.
        check(
            "a\tlonger\tc\nb\tc\nlong\td\te\n",
            "a     longer  c\nb     c\nlong  d  e\n",
        );
    }

    #[test]
    fn many_lines_align_in_time_proportional_to_them() {
        // Where each line looked at all others this would take hours.
        let lines = 300_000;
        let text = "a\tb\t\n".repeat(lines);
        assert_eq!(columns(&text).len(), "a  b  \n".len() * lines);
    }
}
