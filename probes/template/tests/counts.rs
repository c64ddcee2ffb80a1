//! As many as were made, not about as many. Needs root.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_probe-name");

#[test]
fn every_connection_to_the_port_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let to = listener.local_addr().expect("it is bound");
    let file = std::env::temp_dir().join(format!("probe-name-{}.json", std::process::id()));
    let mut child = Command::new(PROGRAM)
        .args(["--duration", "1.5", "--port", &to.port().to_string(), "--output"])
        .arg(&file)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = String::new();
    BufReader::new(child.stderr.take().expect("it is piped"))
        .read_line(&mut said)
        .expect("it says something");
    assert_eq!(said, "attached\n");
    for _ in 0..20 {
        drop(TcpStream::connect(to).expect("somebody listens"));
    }
    assert!(child.wait().expect("it ends").success());
    let report: Value = serde_json::from_slice(&fs::read(&file).expect("it wrote")).expect("JSON");
    fs::remove_file(&file).expect("it is there");
    assert_eq!(report["connect"]["count"], 20, "{report}");
    let counts = report["connect"]["buckets"].as_array().expect("buckets").iter();
    assert_eq!(counts.map(|bucket| bucket[2].as_u64().expect("a count")).sum::<u64>(), 20);
    assert!(report["connect"]["meanUs"].as_f64().expect("a mean") > 0.0);
}

#[test]
fn what_it_can_not_do_is_said_before_anything_is_watched() {
    let refusal = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).args(arguments).output().expect("it starts");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(refusal(&["--duration", "0"]), "probe-name: --duration 0: from 0.001 to 43200 s\n");
    assert!(refusal(&["--port"]).starts_with("probe-name: --port has no value"));
    assert!(
        refusal(&["--output", "/nowhere/x.json"])
            .starts_with("probe-name: /nowhere/x.json can't be written: ")
    );
}
