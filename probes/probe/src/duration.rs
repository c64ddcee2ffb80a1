use std::time::Duration;

use crate::problem::Problem;

/// Longer than that is a mistake more often than a wish.
const LONGEST: Duration = Duration::from_hours(12);

/// `60`, `60s`, `500ms`, `2m`, `1h`: a number without a unit is seconds.
pub fn parse(option: &str, text: &str) -> Result<Duration, Problem> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let scale = match &text[digits..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => f64::NAN,
    };
    let seconds = text[..digits].parse::<f64>().unwrap_or(f64::NAN) * scale;
    if seconds.is_finite() && seconds >= 0.001 && seconds <= LONGEST.as_secs_f64() {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(Problem(format!("{option} wants a time from 1ms to 12h (60, 60s, 500ms, 2m, 1h), not {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times() {
        let milliseconds =
            |text| parse("--duration", text).map(|time| time.as_millis()).map_err(|problem| problem.0);
        assert_eq!(milliseconds("60"), Ok(60_000));
        assert_eq!(milliseconds("1.5s"), Ok(1_500));
        assert_eq!(milliseconds("500ms"), Ok(500));
        assert_eq!(milliseconds("2m"), Ok(120_000));
        for bad in ["0", "-1", "24h", "day", "", "5 s", "1.2.3", "NaN", "inf"] {
            assert_eq!(
                milliseconds(bad),
                Err(format!("--duration wants a time from 1ms to 12h (60, 60s, 500ms, 2m, 1h), not {bad:?}"))
            );
        }
    }
}
