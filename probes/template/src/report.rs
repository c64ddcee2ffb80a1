use std::fmt::Write;

use serde_json::json;

/// What was counted. Times in ns unless a name says otherwise.
pub struct Report {
    pub seconds: f64,
    /// How many took from 2^index to 2^(index + 1).
    pub slots: Vec<u64>,
    pub sum_ns: u64,
    pub runs: u64,
    pub run_ns: u64,
}

impl Report {
    fn count(&self) -> u64 {
        self.slots.iter().sum()
    }

    /// `null` where there is none: a mean of nothing is no zero.
    fn mean_us(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum_ns as f64 / self.count() as f64 / 1_000.0)
    }

    /// 40 to 80 ns of it are the kernel's statistics' own.
    fn ns_per_run(&self) -> Option<f64> {
        (self.runs > 0).then(|| self.run_ns as f64 / self.runs as f64)
    }

    fn filled(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(index, count)| (1_u64 << index, (1_u64 << index).saturating_mul(2), *count))
    }

    pub fn json(&self) -> String {
        let buckets: Vec<_> = self.filled().map(|(from, to, count)| json!([from, to, count])).collect();
        let report = json!({
            "schema": "probe-name/1",
            "seconds": self.seconds,
            "connect": { "unit": "ns", "count": self.count(), "sum": self.sum_ns, "meanUs": self.mean_us(), "buckets": buckets },
            "cost": { "runs": self.runs, "nsPerRun": self.ns_per_run() },
        });
        format!("{report:#}\n")
    }

    pub fn table(&self) -> String {
        let mut text = format!("{} connections in {:.1} s", self.count(), self.seconds);
        if let Some(mean) = self.mean_us() {
            let _ = write!(text, ", mean {mean:.1} µs");
        }
        text.push('\n');
        for (from, to, count) in self.filled() {
            let _ = writeln!(text, "{:>10.1} to {:>10.1} µs {count:>8}", from as f64 / 1e3, to as f64 / 1e3);
        }
        let _ = writeln!(text, "cost: {} runs, {:.0} ns a run", self.runs, self.ns_per_run().unwrap_or(0.0));
        text
    }
}
