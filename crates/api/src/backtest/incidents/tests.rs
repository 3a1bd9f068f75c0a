use super::read;
use crate::time::rfc3339;

/// Each incident on a line: name, start, end, alerts, labels.
fn shown(file: &str, text: &str) -> String {
    match read(file, text) {
        Ok(list) => {
            let line = |one: &super::Incident| {
                let end = one.end.map(rfc3339).unwrap_or_default();
                let alerts = one.alerts.join("+");
                format!(
                    "{} {} {end} {alerts} {}",
                    one.name,
                    rfc3339(one.start),
                    one.labels
                )
            };
            list.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn reads_yaml() {
    let check = |text: &str, want: &str| assert_eq!(shown("i.yml", text), want, "{text}");
    check(
        "incidents:
- {name: down, start: 2026-10-03T14:02:00Z, end: 2026-10-03T16:02:00+01:00}
- {start: 1700000000, duration: 90s, alerts: [A, B], labels: {team: db}}
- {name: on, start: 2026-10-03T14:02:00Z}
",
        "down 2026-10-03T14:02:00.000Z 2026-10-03T15:02:00.000Z  {}
at 2023-11-14T22:13:20.000Z 2023-11-14T22:13:20.000Z 2023-11-14T22:14:50.000Z A+B {team=\"db\"}
on 2026-10-03T14:02:00.000Z   {}",
    );
    check("incidents: []", "");
    check(
        "incidents: [{name: a}, {start: noon}, {start: 20, end: 10}, {start: 1, end: 2, duration: 1s}]\nmore: 1\n",
        "i.yml:1:13: an incident must have a start
i.yml:1:32: \"noon\" is neither a time as 2026-10-03T14:02:00Z nor seconds since 1970
i.yml:1:39: an incident must not end before it begins
i.yml:1:77: an incident has either an end or a duration
i.yml:2:1: field \"more\" not found in list of incidents",
    );
}

#[test]
fn reads_csv() {
    let check = |text: &str, want: &str| assert_eq!(shown("i.CSV", text), want, "{text}");
    check(
        "name,start,end,alerts,labels\n\"a, \"\"b\"\"\",1700000000,1700000060,A;B,team=db;x=1\n\nc,1700000000,,,\n",
        "a, \"b\" 2023-11-14T22:13:20.000Z 2023-11-14T22:14:20.000Z A+B {team=\"db\", x=\"1\"}
c 2023-11-14T22:13:20.000Z   {}",
    );
    check(
        "start,duration\r\n10,1m",
        "at 1970-01-01T00:00:10.000Z 1970-01-01T00:00:10.000Z 1970-01-01T00:01:10.000Z  {}",
    );
    check(
        "name,begin\na,1\n\"b\nb\",2\n",
        "i.CSV:1:1: column \"begin\" is none of name, start, end, duration, alerts, labels
i.CSV:2:1: an incident must have a start
i.CSV:3:1: an incident must have a start",
    );
    check(
        "start,labels\n1,team\n",
        "i.CSV:2:1: label \"team\" has no value: write name=value",
    );
    check("", "i.CSV:1:1: the file is empty");
}
