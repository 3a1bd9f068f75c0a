//! Lists of what really happened, and what alerts made of it. The format is described in docs/formats/incident-list.md.

use config::{Fields, Node, Position, Problems, decode, yaml};
use model::{Labels, TimeRange, Timestamp};
use rules::backtest::{Episode, Error, Outcome, Watch};
use std::collections::BTreeMap;

/// An alert finds an incident where it begins to fire from so long before its beginning on: people write down when they
/// noticed.
pub const EARLY_MS: i64 = 15 * 60_000;
/// Incidents of one list at most.
const INCIDENTS_MAX: usize = 10_000;

/// Something that really happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// What people call it.
    pub name: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; `None` where it goes on.
    pub end: Option<Timestamp>,
    /// Alerts that may find it; any where empty.
    pub alerts: Vec<String>,
    /// Labels that an alert must have to find it.
    pub labels: Labels,
}

/// Reads a list: CSV where the file's name ends so, otherwise YAML.
pub fn read(file: &str, text: &str) -> Result<Vec<Incident>, Problems> {
    let mut problems = Problems::new(file);
    let is_csv = file.to_lowercase().ends_with(".csv");
    let list = if is_csv {
        Some(read_csv(text, &mut problems))
    } else {
        yaml::parse_single(text, &mut problems).and_then(|root| read_yaml(&root, &mut problems))
    };
    if list.as_ref().is_some_and(|list| list.len() > INCIDENTS_MAX) {
        let message = format!("more than {INCIDENTS_MAX} incidents");
        problems.add(Position { line: 1, column: 1 }, message);
    }
    problems.into_result(list)
}

/// A field of an incident and where it stands.
type Text<'t> = (&'t str, Position);

/// The fields of an incident as they are written.
#[derive(Default)]
struct Written<'t> {
    name: Option<Text<'t>>,
    start: Option<Text<'t>>,
    end: Option<Text<'t>>,
    duration: Option<Text<'t>>,
    alerts: Vec<String>,
    labels: Labels,
}

impl Written<'_> {
    fn check(self, at: Position, problems: &mut Problems) -> Option<Incident> {
        let name = self.name.map_or(String::new(), |(text, _)| text.to_owned());
        let Some(start) = self.start else {
            problems.add(at, "an incident must have a start");
            return None;
        };
        let start = moment(start, problems)?;
        let end = match (self.end, self.duration) {
            (Some((_, at)), Some(_)) => {
                problems.add(at, "an incident has either an end or a duration");
                return None;
            }
            (Some(end), None) => Some(moment(end, problems)?),
            (None, Some((text, at))) => match model::parse_duration(text) {
                Ok(millis) => Some(start.plus_millis(millis)),
                Err(error) => {
                    problems.add(at, error);
                    return None;
                }
            },
            (None, None) => None,
        };
        if end.is_some_and(|end| end < start) {
            problems.add(at, "an incident must not end before it begins");
            return None;
        }
        Some(Incident {
            name: if name.is_empty() {
                format!("at {start}")
            } else {
                name
            },
            start,
            end,
            alerts: self.alerts,
            labels: self.labels,
        })
    }
}

/// RFC 3339, or seconds since 1970.
fn moment((text, at): Text<'_>, problems: &mut Problems) -> Option<Timestamp> {
    let seconds = text.parse::<f64>().ok().filter(|value| value.is_finite());
    let moment = seconds.map(Timestamp::from_seconds).or_else(|| {
        let read = text.parse::<jiff::Timestamp>().ok()?;
        Some(Timestamp::from_millis(read.as_millisecond()))
    });
    if moment.is_none() {
        problems.add(
            at,
            format!("{text:?} is neither a time as 2026-10-03T14:02:00Z nor seconds since 1970"),
        );
    }
    moment
}

fn read_yaml(root: &Node, problems: &mut Problems) -> Option<Vec<Incident>> {
    let mut fields = Fields::of(root, "list of incidents", problems)?;
    let list = fields.read_list("incidents", |node, problems| {
        let mut fields = Fields::of(node, "incident", problems)?;
        let text = |node: Option<&'_ Node>| {
            node.and_then(|node| Some((node.text()?.to_owned(), node.position)))
        };
        let owned = ["name", "start", "end", "duration"].map(|name| text(fields.take(name)));
        let alerts = fields.read("alerts", decode::strings).unwrap_or_default();
        let labels = fields.read("labels", decode::labels).unwrap_or_default();
        fields.finish();
        let [name, start, end, duration] = owned
            .each_ref()
            .map(|one| one.as_ref().map(|(text, at)| (text.as_str(), *at)));
        let written = Written {
            name,
            start,
            end,
            duration,
            alerts,
            labels,
        };
        written.check(node.position, problems)
    });
    fields.finish();
    Some(list)
}

fn read_csv(text: &str, problems: &mut Problems) -> Vec<Incident> {
    let mut rows = csv_rows(text).into_iter();
    let Some((_, header)) = rows.next() else {
        problems.add(Position { line: 1, column: 1 }, "the file is empty");
        return Vec::new();
    };
    const COLUMNS: [&str; 6] = ["name", "start", "end", "duration", "alerts", "labels"];
    for name in &header {
        if !COLUMNS.contains(&name.trim()) {
            let known = COLUMNS.join(", ");
            let message = format!("column {name:?} is none of {known}");
            problems.add(Position { line: 1, column: 1 }, message);
        }
    }
    let place = |name: &str| header.iter().position(|column| column.trim() == name);
    let places = COLUMNS.map(place);
    let mut list = Vec::new();
    for (line, row) in rows {
        let at = Position { line, column: 1 };
        let cell = |index: usize| {
            let place = (*places.get(index)?)?;
            let text = row.get(place)?.trim();
            (!text.is_empty()).then_some((text, at))
        };
        let parts = |index: usize| {
            let text = cell(index).map_or("", |(text, _)| text);
            text.split(';')
                .map(str::trim)
                .filter(|part| !part.is_empty())
        };
        let mut labels = Vec::new();
        for part in parts(5) {
            match part.split_once('=') {
                Some((name, value)) => labels.push((name.trim(), value.trim())),
                None => problems.add(at, format!("label {part:?} has no value: write name=value")),
            }
        }
        let written = Written {
            name: cell(0),
            start: cell(1),
            end: cell(2),
            duration: cell(3),
            alerts: parts(4).map(str::to_owned).collect(),
            labels: Labels::from_pairs(labels),
        };
        list.extend(written.check(at, problems));
    }
    list
}

/// Rows with the number of the line that each begins on; as RFC 4180 has it, empty lines left out.
fn csv_rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut rows = Vec::new();
    let (mut row, mut cell) = (Vec::new(), String::new());
    let (mut line, mut begins) = (1, 1);
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            line += 1;
        }
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                let full = std::mem::take(&mut row);
                if full.iter().any(|cell: &String| !cell.trim().is_empty()) {
                    rows.push((begins, full));
                }
                begins = line;
            }
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push((begins, row));
    }
    rows
}

/// What alerts made of the incidents.
pub(super) struct Findings {
    /// One for each incident, in order.
    pub(super) incidents: Vec<Finding>,
    /// Incidents of the list that lie outside the span.
    pub(super) outside: usize,
    /// For each alert (by its index among the rules): how often it fired, and how often in vain.
    pub(super) in_vain: BTreeMap<usize, (u64, u64)>,
}

/// What alerts made of one incident.
pub(super) struct Finding {
    pub(super) incident: Incident,
    /// The alert that fired first, by the rule's name.
    pub(super) first: Option<(String, Episode)>,
    /// How many times alerts fired for it.
    pub(super) alerts: u64,
}

impl Incident {
    /// Whether an alert that began to fire then speaks of it.
    fn is_found_by(&self, name: &str, episode: &Episode, end: Timestamp) -> bool {
        let named = self.alerts.is_empty() || self.alerts.iter().any(|alert| alert == name);
        let mut wanted = self.labels.iter();
        named
            && wanted.all(|(label, value)| episode.labels.value(label) == value)
            && self.start.plus_millis(-EARLY_MS) <= episode.fired_at
            && episode.fired_at <= self.end.unwrap_or(end)
    }
}

/// Compares what fired with what happened.
pub(super) fn judge(
    all: &[Incident],
    outcome: &Outcome,
    range: TimeRange,
    watch: &Watch<'_>,
) -> Result<Findings, Error> {
    let in_range = |incident: &&Incident| {
        incident.start <= range.end && incident.end.unwrap_or(range.end) >= range.start
    };
    let mut incidents: Vec<Finding> = all
        .iter()
        .filter(in_range)
        .map(|incident| Finding {
            incident: incident.clone(),
            first: None,
            alerts: 0,
        })
        .collect();
    let mut in_vain = BTreeMap::new();
    for (index, rule) in outcome.rules.iter().enumerate() {
        for episode in &rule.episodes {
            watch.check()?;
            let mut speaks_of_one = false;
            for finding in &mut incidents {
                if !finding.incident.is_found_by(&rule.name, episode, range.end) {
                    continue;
                }
                speaks_of_one = true;
                finding.alerts += 1;
                let first = finding.first.as_ref();
                if first.is_none_or(|(_, first)| episode.fired_at < first.fired_at) {
                    finding.first = Some((rule.name.clone(), episode.clone()));
                }
            }
            let (fired, vain) = in_vain.entry(index).or_insert((0, 0));
            *fired += 1;
            *vain += u64::from(!speaks_of_one);
        }
    }
    Ok(Findings {
        outside: all.len() - incidents.len(),
        incidents,
        in_vain,
    })
}

#[cfg(test)]
mod tests;
