use std::{path::PathBuf, time::Duration};

pub struct Options {
    pub duration: Duration,
    /// 0: any.
    pub port: u16,
    pub output: Option<PathBuf>,
    pub json: bool,
}

const USAGE: &str = "it takes --duration SECONDS [--port N] [--output FILE] [--format json|table]";

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { duration: Duration::from_secs(10), port: 0, output: None, json: false };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} has no value; {USAGE}"))?;
            let wrong = || format!("{name} {value:?} is not understood; {USAGE}");
            match name.as_str() {
                "--duration" => {
                    let seconds: f64 = value.parse().map_err(|_| wrong())?;
                    if !(0.001..=43_200.0).contains(&seconds) {
                        return Err(format!("--duration {value}: from 0.001 to 43200 s"));
                    }
                    options.duration = Duration::from_secs_f64(seconds);
                }
                "--port" => options.port = value.parse().map_err(|_| wrong())?,
                "--output" => options.output = Some(PathBuf::from(value)),
                "--format" if value == "json" || value == "table" => options.json = value == "json",
                _ => return Err(wrong()),
            }
        }
        options.json |= options.output.is_some();
        Ok(options)
    }
}
