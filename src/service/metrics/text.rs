//! The two text formats: that of `OpenMetrics`, which the library writes, and the older one of Prometheus.

use std::fmt::Write;

pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The same in the text format 0.0.4: there a counter is described under the name that its samples have, a unit has no line,
/// and the end is the end.
pub(super) fn to_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + 1024);
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map(|(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some(help) = help.take() {
                // Writing to a string can't fail.
                let _ = writeln!(text, "# HELP {name}{suffix} {help}");
            }
            let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_described_under_the_name_of_its_samples() {
        let open_metrics = "# HELP a Things.\n# TYPE a counter\na_total{b=\"# HELP c\"} 1\n\
                            # HELP w_seconds Times.\n# TYPE w_seconds histogram\n# UNIT w_seconds seconds\n\
                            w_seconds_sum 0.5\n# EOF\n";
        let text = "# HELP a_total Things.\n# TYPE a_total counter\na_total{b=\"# HELP c\"} 1\n\
                    # HELP w_seconds Times.\n# TYPE w_seconds histogram\nw_seconds_sum 0.5\n";
        assert_eq!(to_text(open_metrics), text);
    }
}
