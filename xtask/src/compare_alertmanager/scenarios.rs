//! The scenarios. A group is looked at 2 s after its first alert and then every 4 s, so what happens at the seconds 0, 4,
//! 8 … of a scenario that fires at 0 lies well between two looks. A reload makes 0.25 look at once and count anew, so what
//! happens after it happens at odd seconds.

use super::scenario::{Scenario, Turn};

const fn plain(name: &'static str, steps: &'static [&'static str]) -> Scenario {
    Scenario {
        name,
        steps,
        ..Scenario::PLAIN
    }
}

const fn routed(
    name: &'static str,
    route: &'static str,
    steps: &'static [&'static str],
) -> Scenario {
    Scenario {
        name,
        route,
        steps,
        ..Scenario::PLAIN
    }
}

const fn turned(name: &'static str, turn: Turn, steps: &'static [&'static str]) -> Scenario {
    Scenario {
        name,
        turn,
        steps,
        ..Scenario::PLAIN
    }
}

/// All of them.
#[rustfmt::skip]
pub(super) const SCENARIOS: &[Scenario] = &[
    // Grouping.
    plain("one-alert", &["0 fire alertname=A host=1 @summary=down"]),
    plain("two-in-a-group", &["0 fire alertname=A host=1", "0.5 fire alertname=A host=2"]),
    plain("two-groups", &["0 fire alertname=A", "0.5 fire alertname=B"]),
    routed("group-by-two-labels", "group_by: [alertname, cluster]", &["0 fire alertname=A cluster=x host=1", "0.3 fire alertname=A cluster=y", "0.6 fire alertname=A cluster=x host=2", "0.9 fire alertname=A"]),
    routed("group-by-all", "group_by: ['...']", &["0 fire alertname=A host=1", "0.5 fire alertname=A host=2"]),
    routed("group-by-nothing", "group_by: []", &["0 fire alertname=A", "0.5 fire alertname=B", "4 fire alertname=C"]),
    plain("another-joins", &["0 fire alertname=A host=1", "4 fire alertname=A host=2"]),
    plain("twenty-in-a-group", &["0 fire alertname=A host=01 job=j2", "0 fire alertname=A host=02", "0 fire alertname=A host=03 job=j1", "0 fire alertname=A host=04", "0 fire alertname=A host=05", "0 fire alertname=A host=06 instance=i2", "0 fire alertname=A host=07", "0 fire alertname=A host=08", "0 fire alertname=A host=09", "0 fire alertname=A host=10 instance=i1", "0 fire alertname=A host=11", "0 fire alertname=A host=12", "0 fire alertname=A host=13", "0 fire alertname=A host=14", "0 fire alertname=A host=15", "0 fire alertname=A host=16", "0 fire alertname=A host=17", "0 fire alertname=A host=18", "0 fire alertname=A host=19", "0 fire alertname=A host=20", "4 resolve alertname=A host=07", "4 resolve alertname=A host=11"]),
    plain("an-old-alert-is-told-at-once", &["0 fire alertname=A starts=-600", "1 fire alertname=A host=2 starts=-600"]),
    plain("what-they-have-in-common", &["0 fire alertname=A host=1 site=x severity=low @summary=same @text=one", "0.5 fire alertname=A host=2 site=x severity=high @summary=same @text=two"]),
    plain("odd-characters", &["0 fire alertname=A path=C:\\dir quote=\"q\" html=<b>&amp;</b> word=größe․2 @summary={{․.Labels․}}․<script> url=http://source.test/graph?g0.expr=up&g0.tab=1"]),
    // Ends.
    plain("it-ends", &["0 fire alertname=A", "4 resolve alertname=A"]),
    plain("it-ends-before-it-is-told", &["0 fire alertname=A", "1 resolve alertname=A"]),
    plain("one-of-two-ends", &["0 fire alertname=A host=1", "0 fire alertname=A host=2", "4 resolve alertname=A host=1", "12 resolve alertname=A host=2"]),
    plain("one-ends-another-comes", &["0 fire alertname=A host=1", "4 resolve alertname=A host=1", "4.2 fire alertname=A host=2", "8 resolve alertname=A host=2"]),
    plain("it-ends-and-fires-again-before-it-is-told", &["0 fire alertname=A", "3.5 resolve alertname=A", "4.5 fire alertname=A"]),
    plain("it-ends-and-fires-again", &["0 fire alertname=A", "4 resolve alertname=A", "8 fire alertname=A", "12 resolve alertname=A"]),
    plain("it-ends-by-its-time", &["0 fire alertname=A ends=+4"]),
    plain("its-end-is-put-off", &["0 fire alertname=A ends=+4", "3 fire alertname=A ends=+12"]),
    Scenario {
        receivers: "- name: ends-are-not-told\n  webhook_configs: [{url: URL, send_resolved: false}]\n",
        ..plain("ends-are-not-told", &["0 fire alertname=A host=1", "0 fire alertname=A host=2", "4 resolve alertname=A host=1", "8 resolve alertname=A host=2", "12 fire alertname=A host=1"])
    },
    // Repeats.
    plain("sent-again-by-its-source", &["0 fire alertname=A", "1 fire alertname=A", "3 fire alertname=A", "5 fire alertname=A", "9 fire alertname=A"]),
    plain("its-annotations-change", &["0 fire alertname=A @value=1", "4 fire alertname=A @value=2", "8 resolve alertname=A @value=3"]),
    routed("told-again", "repeat_interval: 6s", &["0 fire alertname=A"]),
    routed("told-again-until-it-ends", "repeat_interval: 6s", &["0 fire alertname=A", "12 resolve alertname=A"]),
    routed("told-again-each-time", "repeat_interval: 1s", &["0 fire alertname=A host=1", "8 fire alertname=A host=2", "12 resolve alertname=A host=1"]),
    // Routes and receivers.
    Scenario {
        receivers: "- name: continue-b\n  webhook_configs: [{url: URL}]\n",
        ..routed("continues", "routes:\n- matchers: [team=\"a\"]\n  continue: true\n- matchers: [team=~\"a|b\"]\n  receiver: continue-b\n", &["0 fire alertname=A team=a", "0 fire alertname=B team=b", "0 fire alertname=C team=c"])
    },
    Scenario {
        receivers: "- name: nested-b\n  webhook_configs: [{url: URL}]\n- name: nested-c\n  webhook_configs: [{url: URL}]\n",
        ..routed("nested", "group_by: [team]\nroutes:\n- match: {team: b}\n  receiver: nested-b\n  group_wait: 1s\n  routes:\n  - match_re: {severity: 'c.*'}\n    receiver: nested-c\n    group_by: [alertname]\n", &["0 fire alertname=A team=a", "0 fire alertname=B team=b", "0 fire alertname=C team=b severity=critical", "0 fire alertname=D team=b severity=low"])
    },
    routed("negative-matchers", "routes:\n- matchers: [severity!=\"low\", host!~\"db.*\"]\n  group_by: [host]\n", &["0 fire alertname=A host=web severity=high", "0 fire alertname=A host=db1 severity=high", "0 fire alertname=A host=web severity=low"]),
    Scenario {
        receivers: "- name: two-ways\n  webhook_configs: [{url: URL, max_alerts: 1}, {url: URL, send_resolved: false}]\n",
        ..plain("two-ways", &["0 fire alertname=A host=1", "0 fire alertname=A host=2", "4 resolve alertname=A host=1"])
    },
    // Inhibition.
    Scenario {
        inhibit: INHIBIT,
        ..plain("inhibited", &["0 fire alertname=Source cluster=x", "0.5 fire alertname=Target cluster=x", "8.5 resolve alertname=Source cluster=x"])
    },
    Scenario {
        inhibit: INHIBIT,
        ..plain("not-inhibited-elsewhere", &["0 fire alertname=Source cluster=x", "0.5 fire alertname=Target cluster=y", "0.5 fire alertname=Target cluster=x"])
    },
    Scenario {
        inhibit: INHIBIT,
        ..plain("inhibited-later", &["0 fire alertname=Target cluster=x", "4 fire alertname=Source cluster=x", "8 resolve alertname=Target cluster=x", "16 resolve alertname=Source cluster=x"])
    },
    Scenario {
        inhibit: INHIBIT,
        ..plain("one-of-a-group-is-inhibited", &["0 fire alertname=Source cluster=x", "0 fire alertname=Target cluster=x", "0 fire alertname=Target cluster=y", "8 resolve alertname=Source cluster=x"])
    },
    Scenario {
        inhibit: "- source_matchers: [SELF, severity=\"critical\"]\n  target_matchers: [SELF, severity=~\"critical|low\"]\n  equal: [alertname]\n",
        ..plain("does-not-inhibit-itself", &["0 fire alertname=A severity=critical host=1", "0 fire alertname=A severity=critical host=2", "0 fire alertname=A severity=low"])
    },
    // Silences.
    plain("silenced", &["0 silence s alertname=A", "0.5 fire alertname=A", "6 resolve alertname=A"]),
    plain("a-silence-is-ended", &["0 silence s alertname=A", "0.5 fire alertname=A", "8 expire s"]),
    plain("a-silence-runs-out", &["0 silence s alertname=A for=8", "0.5 fire alertname=A"]),
    plain("silenced-after-it-was-told", &["0 fire alertname=A", "4 silence s alertname=A", "8 resolve alertname=A", "16 expire s"]),
    plain("one-of-two-is-silenced", &["0 silence s host=1", "0.5 fire alertname=A host=1", "0.5 fire alertname=A host=2", "8 expire s"]),
    plain("a-silence-begins-later", &["0 silence s alertname=A starts=+4", "0.5 fire alertname=A host=1", "8 fire alertname=A host=2"]),
    plain("silences-with-other-matchers", &["0 silence r host=~web.*", "0 silence n alertname=A host!=db team!~x|y", "0.5 fire alertname=A host=web1", "0.5 fire alertname=B host=db", "0.5 fire alertname=A host=mail team=z", "0.5 fire alertname=A host=mail team=x"]),
    plain("silenced-and-ended-while-so", &["0 fire alertname=A", "4 silence s alertname=A for=8", "5 resolve alertname=A"]),
    // Time intervals.
    routed("muted-by-time", "mute_time_intervals: [always]", &["0 fire alertname=A"]),
    routed("not-muted-by-time", "mute_time_intervals: [never, at-another-hour]", &["0 fire alertname=A", "4 resolve alertname=A"]),
    routed("muted-today", "mute_time_intervals: [never, today]", &["0 fire alertname=A"]),
    routed("active-by-time", "active_time_intervals: [at-another-hour, this-day-of-the-month]", &["0 fire alertname=A"]),
    routed("not-active-by-time", "active_time_intervals: [never]", &["0 fire alertname=A", "4 resolve alertname=A"]),
    routed("active-and-muted", "active_time_intervals: [always]\nmute_time_intervals: [in-tokyo]", &["0 fire alertname=A"]),
    // Receivers that fail.
    plain("answers-500-first", &["0 fire alertname=A", "8 resolve alertname=A"]),
    plain("answers-429-first", &["0 fire alertname=A"]),
    plain("answers-400-first", &["0 fire alertname=A", "12 resolve alertname=A"]),
    // Moments.
    plain("it-begins-later", &["0 fire alertname=A starts=+4"]),
    plain("it-was-over-already", &["0 fire alertname=A starts=-60 ends=-1"]),
    plain("an-empty-label", &["0 fire alertname=A host= @note=", "4 resolve alertname=A"]),
    routed("group-by-a-missing-label", "group_by: [nothing]", &["0 fire alertname=A", "0.5 fire alertname=B nothing=x", "4 resolve alertname=A"]),
    routed("group-by-in-another-order", "group_by: [zone, alertname, host]", &["0 fire alertname=A host=1 zone=z"]),
    Scenario {
        inhibit: INHIBIT,
        ..plain("inhibited-where-both-lack-the-label", &["0 fire alertname=Source", "0.5 fire alertname=Target"])
    },
    Scenario {
        inhibit: INHIBIT,
        ..plain("its-inhibitor-ends-by-its-time", &["0 fire alertname=Source cluster=x ends=+8", "0.5 fire alertname=Target cluster=x"])
    },
    Scenario {
        inhibit: INHIBIT,
        ..plain("inhibited-by-a-silenced-one", &["0 silence s alertname=Source", "0.5 fire alertname=Source cluster=x", "0.5 fire alertname=Target cluster=x"])
    },
    plain("a-silence-for-one-of-a-group-and-its-end", &["0 fire alertname=A host=1", "0 fire alertname=A host=2", "4 silence s host=1", "8 resolve alertname=A host=1", "12 expire s", "16 resolve alertname=A host=2"]),
    // Reloads, at the second 8.
    Scenario {
        receivers: "- name: reload-tells-another-b\n  webhook_configs: [{url: URL}]\n",
        route_then: Some("routes:\n- receiver: reload-tells-another-b\n"),
        ..turned("reload-tells-another", Turn::Reload, &["0 fire alertname=A", "17 resolve alertname=A"])
    },
    turned("reload-while-it-waits", Turn::Reload, &["7 fire alertname=A"]),
    turned("reload-before-an-end-is-told", Turn::Reload, &["0 fire alertname=A", "7.5 resolve alertname=A"]),
    Scenario {
        route_then: Some("mute_time_intervals: [always]"),
        ..turned("reload-mutes", Turn::Reload, &["0 fire alertname=A host=1", "13 fire alertname=A host=2"])
    },
    Scenario {
        route: "active_time_intervals: [never]",
        route_then: Some(""),
        ..turned("reload-unmutes", Turn::Reload, &["0 fire alertname=A"])
    },
    Scenario {
        route_then: Some("repeat_interval: 7s"),
        ..turned("reload-repeats", Turn::Reload, &["0 fire alertname=A"])
    },
    turned("reload-keeps-silences", Turn::Reload, &["0 silence s alertname=A", "0.5 fire alertname=A", "17 expire s"]),
    Scenario {
        route_then: Some("group_by: [alertname, host]"),
        ..turned("reload-groups-anew", Turn::Reload, &["0 fire alertname=A host=1", "0 fire alertname=A host=2", "17 resolve alertname=A host=1"])
    },
    turned("reload-without-a-change", Turn::Reload, &["0 fire alertname=A host=1", "13 fire alertname=A host=2", "17 resolve alertname=A host=1", "17 resolve alertname=A host=2"]),
    Scenario {
        inhibit_then: Some(INHIBIT),
        ..turned("reload-inhibits", Turn::Reload, &["0 fire alertname=Source cluster=x", "13 fire alertname=Target cluster=x"])
    },
    turned("reload-of-a-broken-file", Turn::BrokenReload, &["0 fire alertname=A host=1", "12 fire alertname=A host=2"]),
    // Restarts, at the second 8: sources send again what fires.
    turned("restart", Turn::Restart, &["0 fire alertname=A host=1", "16 fire alertname=A host=2", "20 resolve alertname=A host=1"]),
    turned("restart-while-it-waits", Turn::Restart, &["7 fire alertname=A", "16 resolve alertname=A"]),
    turned("restart-before-an-end-is-told", Turn::Restart, &["0 fire alertname=A", "7.5 resolve alertname=A"]),
    Scenario {
        route: "repeat_interval: 9s",
        ..turned("restart-repeats", Turn::Restart, &["0 fire alertname=A"])
    },
    turned("restart-with-a-silence", Turn::Restart, &["0 silence s alertname=A", "0.5 fire alertname=A", "16 expire s", "20 resolve alertname=A"]),
    Scenario {
        inhibit: INHIBIT,
        ..turned("restart-with-an-inhibition", Turn::Restart, &["0 fire alertname=Source cluster=x", "0.5 fire alertname=Target cluster=x", "20 resolve alertname=Source cluster=x"])
    },
];

const INHIBIT: &str = "- source_matchers: [SELF, alertname=\"Source\"]\n  target_matchers: [SELF, alertname=\"Target\"]\n  equal: [cluster]\n";
