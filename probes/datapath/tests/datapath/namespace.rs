use std::{
    fs::File,
    io::Write,
    os::fd::AsRawFd,
    process::{Command, Stdio},
    thread,
};

/// A named network namespace, removed with all in it when dropped.
pub struct Namespace {
    pub name: String,
}

impl Namespace {
    pub fn new(name: String) -> Self {
        let _ = Command::new("ip").args(["netns", "del", &name]).stderr(Stdio::null()).status();
        ip(&["netns", "add", &name]);
        let namespace = Self { name };
        namespace.batch("link set lo up\n");
        namespace
    }

    pub fn path(&self) -> String {
        format!("/var/run/netns/{}", self.name)
    }

    /// Commands of `ip`, one a line.
    pub fn batch(&self, commands: &str) {
        let mut child = Command::new("ip")
            .args(["-n", &self.name, "-batch", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("ip starts");
        child.stdin.take().expect("a pipe").write_all(commands.as_bytes()).expect("ip reads");
        assert!(child.wait().expect("ip ends").success(), "ip -batch in {}:\n{commands}", self.name);
    }

    /// Runs it in the namespace, in a thread of its own. Sockets that it makes stay there.
    pub fn enter<T: Send>(&self, what: impl FnOnce() -> T + Send) -> T {
        let path = self.path();
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let file = File::open(path).expect("the namespace is there");
                // SAFETY: an open descriptor of a namespace; it changes this thread alone.
                assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0, "setns");
                what()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A setting below /proc/sys/net.
    pub fn sysctl(&self, name: &str, value: &str) {
        let path = format!("/proc/sys/net/{name}");
        self.enter(|| std::fs::write(&path, value)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

pub fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().expect("ip starts");
    assert!(status.success(), "ip {}", arguments.join(" "));
}
