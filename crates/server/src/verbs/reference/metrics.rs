//! docs/metrics.md.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use lastseat_engine::{DueWorker, Engine, EngineConfig};
use lastseat_http::receipts::ReceiptStore;
use lastseat_http::{AppState, HttpConfig};
use lastseat_store_sqlite::{OpenMode, SqliteStore};

use super::{GENERATED, cell};
use crate::failure::Failure;

const INTRODUCTION: &str = "\
`GET /metrics` gives these in Prometheus' text format. Names carry their base unit; counters end in `_total`.
";

/// One metric.
#[derive(Default)]
struct Metric {
    kind: String,
    help: String,
    labels: BTreeMap<String, BTreeSet<String>>,
}

/// The page with all metrics, as a server shows them that nobody has asked for anything yet.
pub(super) fn page() -> Result<String, Failure> {
    let dir = tempfile::tempdir().context("cannot make a temporary directory")?;
    let store = SqliteStore::open(dir.path(), OpenMode::Serve).context("cannot make a database")?;
    let receipts = ReceiptStore::open_folder(dir.path()).context("cannot make a folder")?;
    let config = EngineConfig { due_worker: DueWorker::Off, ..EngineConfig::default() };
    let engine = Engine::start(Arc::new(store), config).context("cannot start the engine")?;
    let state = AppState::new(engine, receipts, HttpConfig::default());
    Ok(markdown(&parse(&state.engine.metrics().encode())))
}

/// Reads the text format as far as it describes: `# HELP`, `# TYPE`, and the labels of samples.
fn parse(text: &str) -> BTreeMap<String, Metric> {
    let mut all: BTreeMap<String, Metric> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            name.clone_into(&mut current);
            help.clone_into(&mut all.entry(name.to_owned()).or_default().help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            kind.clone_into(&mut all.entry(name.to_owned()).or_default().kind);
        } else if let Some((_, rest)) = line.split_once('{')
            && let Some((labels, _)) = rest.split_once('}')
            && let Some(metric) = all.get_mut(&current)
        {
            for (label, value) in labels.split(',').filter_map(|pair| pair.split_once('=')) {
                if label != "le" {
                    metric
                        .labels
                        .entry(label.to_owned())
                        .or_default()
                        .insert(value.trim_matches('"').to_owned());
                }
            }
        }
    }
    all
}

fn markdown(all: &BTreeMap<String, Metric>) -> String {
    let mut out = format!(
        "# Metrics\n\n{GENERATED}\n\n{INTRODUCTION}\n| name | type | meaning |\n| --- | --- | --- |\n"
    );
    for (name, Metric { kind, help, .. }) in all {
        let name = if kind == "counter" { format!("{name}_total") } else { name.clone() };
        out.push_str(&format!("| `{name}` | {kind} | {} |\n", cell(help.trim_end_matches('.'))));
    }
    for (name, metric) in all {
        for (label, values) in &metric.labels {
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            out.push_str(&format!("\n## `{label}` of `{name}`\n\n{}\n", values.join(", ")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_described_with_their_labels() {
        let text = "# HELP x_y Things, by kind.\n# TYPE x_y counter\nx_y_total{kind=\"a\"} 1\nx_y_total{kind=\"b\"} 0\n\
                    # HELP z Size.\n# TYPE z histogram\nz_bucket{le=\"1.0\"} 0\nz_sum 0\n# EOF\n";
        let page = markdown(&parse(text));
        assert!(
            page.contains("| `x_y_total` | counter | Things, by kind |\n| `z` | histogram | Size |\n"),
            "{page}"
        );
        assert!(page.ends_with("\n## `kind` of `x_y`\n\n`a`, `b`\n"), "{page}");
    }

    #[test]
    fn the_metrics_that_dashboards_rely_on_are_there() {
        let page = tokio::runtime::Runtime::new().unwrap().block_on(async { page().unwrap() });
        for name in [
            "lastseat_bookings_total",
            "lastseat_batch_size",
            "lastseat_due_lag_seconds",
            "lastseat_invariant_violations",
        ] {
            assert!(page.contains(&format!("| `{name}` |")), "{name} is missing in {page}");
        }
        assert!(page.contains("`sold_out`") && page.contains("`confirmed`"), "{page}");
    }
}
