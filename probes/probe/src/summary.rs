//! A histogram for people and programs.

use meshmark_common::probe::slot_low;
use serde::Serialize;

use crate::raw::Values;

/// `null` where there is nothing: a mean of no values is no zero.
#[derive(Serialize, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub unit: &'static str,
    pub count: u64,
    /// Exact, as is the mean.
    pub sum: u64,
    pub mean: Option<f64>,
    /// From the buckets: within a sixteenth of the true value.
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p99: Option<f64>,
    pub p999: Option<f64>,
    /// Where the lowest bucket begins and the highest one ends.
    pub lowest: Option<u64>,
    pub highest: Option<u64>,
    /// From, to (not included), how many: those that are not empty.
    pub buckets: Vec<[u64; 3]>,
}

pub fn summarise(values: &Values, unit: &'static str) -> Summary {
    let buckets: Vec<[u64; 3]> = values
        .slots
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(slot, count)| [slot_low(slot as u64), slot_low(slot as u64 + 1), *count])
        .collect();
    let count = values.count();
    Summary {
        unit,
        count,
        sum: values.sum,
        mean: (count > 0).then(|| values.sum as f64 / count as f64),
        p50: quantile(&buckets, count, 0.5),
        p90: quantile(&buckets, count, 0.9),
        p99: quantile(&buckets, count, 0.99),
        p999: quantile(&buckets, count, 0.999),
        lowest: buckets.first().map(|bucket| bucket[0]),
        highest: buckets.last().map(|bucket| bucket[1]),
        buckets,
    }
}

/// As if the values of a bucket lay evenly in it.
fn quantile(buckets: &[[u64; 3]], count: u64, share: f64) -> Option<f64> {
    let rank = share * count as f64;
    let mut below = 0.0;
    for [low, high, inside] in buckets {
        let inside = *inside as f64;
        if below + inside >= rank {
            return Some(*low as f64 + (*high - *low) as f64 * (rank - below) / inside);
        }
        below += inside;
    }
    None
}

#[cfg(test)]
mod tests {
    use meshmark_common::probe::slot;

    use super::{Summary, summarise};
    use crate::raw::Values;

    fn of(samples: &[u64]) -> Summary {
        let mut values = Values::default();
        for sample in samples {
            values.sum += sample;
            values.slots[slot(*sample) as usize] += 1;
        }
        summarise(&values, "ns")
    }

    #[test]
    fn nothing_is_no_zero() {
        let nothing = of(&[]);
        assert_eq!((nothing.count, nothing.mean, nothing.p50, nothing.lowest), (0, None, None, None));
    }

    #[test]
    fn exact_mean_and_quantiles_within_a_sixteenth() {
        let samples: Vec<u64> = (1..=10_000).map(|step| step * 37).collect();
        let summary = of(&samples);
        assert_eq!((summary.count, summary.mean), (10_000, Some(185_018.5)));
        for (found, share) in
            [(summary.p50, 0.5), (summary.p90, 0.9), (summary.p99, 0.99), (summary.p999, 0.999)]
        {
            let wanted = share * 370_000.0;
            let found = found.expect("there are values");
            assert!((found - wanted).abs() <= wanted / 16.0, "{share}: {found} for {wanted}");
        }
    }
}
