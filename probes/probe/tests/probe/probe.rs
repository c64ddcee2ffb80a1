//! The program, held as a fixture holds it.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_meshmark-probe");

pub struct Probe {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub ready: Value,
}

impl Probe {
    /// Returns when it is attached.
    pub fn attach(arguments: &[&str], targets: &[String]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--control").stdin(Stdio::piped()).stdout(Stdio::piped());
        for target in targets {
            command.args(["--target", target]);
        }
        let mut child = command.spawn().expect("meshmark-probe starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut probe = Self { child, input, output, ready: Value::Null };
        probe.ready = probe.answer();
        assert_eq!(probe.ready["ready"], true, "{}", probe.ready);
        probe
    }

    pub fn ask(&mut self, operation: &str) -> Value {
        self.send(&json!({ "op": operation }))
    }

    pub fn send(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").expect("it listens");
        let answer = self.answer();
        assert_eq!(answer.get("error"), None, "{answer}");
        answer["ok"].clone()
    }

    /// Detaches, and checks that nothing was lost.
    pub fn stop(self) -> Value {
        let report = self.end();
        let lost = json!({ "missed": 0, "sockets": 0, "drops": 0, "dropServices": 0, "failedConnects": 0, "listeners": 0 });
        assert_eq!(report["lost"], lost, "{:#}", report["cost"]["programs"]);
        report
    }

    /// Detaches, whatever was lost.
    pub fn end(mut self) -> Value {
        let report = self.ask("stop");
        assert!(self.child.wait().expect("it ends").success());
        report
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was seen of a target.
pub fn of<'a>(report: &'a Value, target: &str) -> &'a Value {
    let targets = report["targets"].as_array().expect("targets");
    targets.iter().find(|each| each["name"] == target).unwrap_or_else(|| panic!("no target {target}"))
}

/// Which program was taken for a hook.
pub fn program<'a>(ready: &'a Value, hook: &str) -> &'a str {
    let hooks = ready["hooks"].as_array().expect("hooks");
    let found = hooks.iter().find(|each| each["hook"] == hook).unwrap_or_else(|| panic!("no hook {hook}"));
    found["program"].as_str().unwrap_or_else(|| panic!("{found}"))
}
