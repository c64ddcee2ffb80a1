//! A folder for what the program writes, which goes with the test.

use std::{
    fs,
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mmpr-{}-{name}", std::process::id()));
        fs::create_dir(&path).expect("there is room");
        Self(path)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("plain").to_owned()
    }

    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("it is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("a file").file_name().into_string().expect("plain")).collect();
        names.sort();
        names
    }

    /// The file that a program writes to before it has its name.
    pub fn part(&self) -> Option<String> {
        self.names().into_iter().find(|name| name.split('.').any(|each| each == "part"))
    }

    /// Until a program has begun to write a file in it: it has understood what it is to do, and takes signals.
    pub fn until_begun(&self) {
        soon("it begins", || self.part().is_some());
    }

    /// A report, as soon as it is whole.
    pub fn report(&self, name: &str) -> Value {
        let file = self.file(name);
        soon("it ends", || fs::exists(&file).expect("it can be looked for"));
        serde_json::from_slice(&fs::read(&file).expect("it is there")).expect("it is JSON")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn soon(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "not before long: {what}");
        sleep(Duration::from_millis(5));
    }
}
