//! What becomes of samples as they grow old: `--downsample`, `--retention-rule`, `--retention-percentage`.

use super::duration_ms;
use anyhow::{Context as _, bail};
use tsdb::{Downsampling, RetentionRule};

/// Reads `30d:5m,180d:1h`: ages ascending, each window a multiple of the one before.
pub(super) fn downsampling(text: &str) -> anyhow::Result<Vec<Downsampling>> {
    let flag = || format!("--downsample {text:?}");
    let mut steps: Vec<Downsampling> = Vec::new();
    for part in text.split(',') {
        let (age, window) = part
            .split_once(':')
            .with_context(|| format!("{}: {part:?} is not AGE:WINDOW like 30d:5m", flag()))?;
        let step = Downsampling {
            after_ms: duration_ms("--downsample", age.trim())?,
            window_ms: duration_ms("--downsample", window.trim())?,
        };
        if step.window_ms < 1 {
            bail!("{}: a window of {window} has no length", flag());
        }
        if let Some(before) = steps.last() {
            let longer = step.window_ms > before.window_ms && step.after_ms > before.after_ms;
            if !longer || step.window_ms % before.window_ms != 0 {
                bail!(
                    "{}: ages must ascend, and each window must be a multiple of the one before",
                    flag()
                );
            }
        }
        steps.push(step);
    }
    Ok(steps)
}

/// Reads `{job="debug"}:3d`.
pub(super) fn rule(text: &str) -> anyhow::Result<RetentionRule> {
    let flag = || format!("--retention-rule {text:?}");
    let (selector, keep) = text.rsplit_once(':').with_context(|| {
        format!(
            "{} is not SELECTOR:DURATION like {{job=\"debug\"}}:3d",
            flag()
        )
    })?;
    let matchers = promql::parse_metric_selector(selector)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .with_context(flag)?;
    let keep_ms = duration_ms("--retention-rule", keep)?;
    Ok(RetentionRule { matchers, keep_ms })
}

/// Checks a share of the disk.
pub(super) fn percentage(percentage: f64) -> anyhow::Result<f64> {
    if !(0.0..=100.0).contains(&percentage) {
        bail!("--retention-percentage {percentage} is not in the range from 0 to 100");
    }
    Ok(percentage)
}

#[cfg(test)]
mod tests {
    use super::{downsampling, percentage, rule};

    #[test]
    fn reads_steps() {
        let check = |text: &str, want: Result<&[(i64, i64)], &str>| {
            let found = downsampling(text).map_err(|error| format!("{error:#}"));
            match (found, want) {
                (Ok(steps), Ok(want)) => {
                    let steps: Vec<(i64, i64)> = steps
                        .iter()
                        .map(|step| (step.after_ms / 1000, step.window_ms / 1000))
                        .collect();
                    assert_eq!(steps, want, "{text}");
                }
                (Err(error), Err(want)) => assert!(error.contains(want), "{text}: {error}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        };
        check("1d:5m", Ok(&[(86_400, 300)]));
        check("1d:5m, 2d:1h", Ok(&[(86_400, 300), (172_800, 3600)]));
        check("1d", Err("is not AGE:WINDOW"));
        check("1d:soon", Err("soon"));
        check("1d:0s", Err("has no length"));
        check("2d:5m,1d:1h", Err("ages must ascend"));
        check("1d:5m,2d:7m", Err("a multiple"));
    }

    #[test]
    fn reads_rules() {
        let found = rule("up{job=~\"a:b|c\"}:3d").expect("valid");
        assert_eq!(found.keep_ms, 3 * 86_400_000);
        assert_eq!(found.matchers.len(), 2);
        for (text, part) in [
            ("{job=\"a\"}", "--retention-rule"),
            ("{job=}:3d", "--retention-rule"),
            ("{job=\"a\"}:soon", "soon"),
        ] {
            let error = format!("{:#}", rule(text).expect_err("refused"));
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(percentage(100.5).is_err() && percentage(12.5).is_ok());
    }
}
