use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    os::{
        fd::AsRawFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

/// The real `meshmark-datapath`, ended when dropped.
pub struct Loader {
    pub child: Child,
    pub socket: PathBuf,
    pub ready: Value,
    client: Client,
}

/// One connection to it.
pub struct Client {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

pub fn program() -> PathBuf {
    std::env::var_os("MESHMARK_DATAPATH")
        .map_or_else(|| env!("CARGO_BIN_EXE_meshmark-datapath").into(), PathBuf::from)
}

pub fn command(namespace: &str, socket: &Path, cgroup: &Path) -> Command {
    let namespace = File::open(namespace).expect("the namespace is there");
    let mut command = Command::new(program());
    command
        .arg("--socket")
        .arg(socket)
        .arg("--cgroup")
        .arg(cgroup)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // SAFETY: setns() is all that happens between fork and exec.
    unsafe {
        command.pre_exec(move || match libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    command
}

/// What a loader says that is not to start.
pub fn refusal(mut command: Command) -> String {
    let output = command.output().expect("the loader starts");
    assert!(!output.status.success(), "it started: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

impl Loader {
    pub fn start(namespace: &str, cgroup: &Path, options: &[&str]) -> Self {
        let socket =
            PathBuf::from(format!("/tmp/mmdp-{}-{}.sock", std::process::id(), namespace.replace('/', "_")));
        let mut child = command(namespace, &socket, cgroup).args(options).spawn().expect("the loader starts");
        let mut line = String::new();
        let _ = BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line);
        if line.is_empty() {
            let mut text = String::new();
            let _ = child.stderr.as_mut().expect("a pipe").read_to_string(&mut text);
            panic!("{text}");
        }
        let ready = serde_json::from_str(&line).expect("its first line is JSON");
        let client = Client::new(&socket);
        Self { child, socket, ready, client }
    }

    /// The answer.
    pub fn ask(&mut self, request: Value) -> Value {
        let shown = request.to_string();
        self.client.ask(request).unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// The refusal.
    pub fn refused(&mut self, request: Value) -> String {
        self.client.ask(request).expect_err("it is refused")
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: our own child, not waited for yet.
        unsafe { libc::kill(id, libc::SIGTERM) };
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}

impl Client {
    pub fn new(socket: &Path) -> Self {
        let writer = UnixStream::connect(socket).expect("the loader listens");
        writer.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        Self { reader: BufReader::new(writer.try_clone().expect("a descriptor")), writer }
    }

    pub fn ask(&mut self, mut request: Value) -> Result<Value, String> {
        request["id"] = 7.into();
        writeln!(self.writer, "{request}").map_err(|error| error.to_string())?;
        let answer = self.line();
        assert_eq!(answer["id"], json!(7));
        match answer.get("error") {
            Some(error) => Err(error.as_str().expect("a sentence").to_owned()),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// The next line, whatever it is.
    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("it is JSON")
    }
}
