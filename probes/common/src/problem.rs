//! Sentences for people.

use std::{
    format,
    string::{String, ToString},
};

/// What went wrong, as a sentence for people: what was tried, what was found, what to do.
#[derive(Debug)]
pub struct Problem(pub String);

impl Problem {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// For what the kernel refuses: says what was tried.
pub trait Trying<T> {
    fn trying(self, what: &str) -> Result<T, Problem>;
}

impl<T, E: std::error::Error> Trying<T> for Result<T, E> {
    fn trying(self, what: &str) -> Result<T, Problem> {
        self.map_err(|error| {
            let mut sentence = format!("{what}: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                let text = error.to_string();
                if !sentence.contains(&text) {
                    sentence = format!("{sentence}: {text}");
                }
                cause = error.source();
            }
            Problem(sentence)
        })
    }
}
