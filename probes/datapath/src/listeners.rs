//! Clients that are sent events. One that does not read holds up nobody: it loses events, and is told how many.

use std::{
    io,
    os::{fd::AsRawFd, unix::net::UnixStream},
};

use serde_json::{Value, json};

/// Bytes that wait for a client at most.
const LONGEST_QUEUE: usize = 1 << 18;

#[derive(Default)]
pub struct Listeners(Vec<Listener>);

struct Listener {
    stream: UnixStream,
    queue: Vec<u8>,
    lost: u64,
}

impl Listeners {
    /// Once for each client.
    pub fn add(&mut self, stream: UnixStream) {
        self.remove(&stream);
        self.0.push(Listener { stream, queue: Vec::new(), lost: 0 });
    }

    pub fn remove(&mut self, stream: &UnixStream) {
        self.0.retain(|listener| !same_socket(&listener.stream, stream));
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether bytes wait for somebody.
    pub fn is_behind(&self) -> bool {
        self.0.iter().any(|listener| !listener.queue.is_empty())
    }

    pub fn send(&mut self, event: &Value) {
        let line = format!("{event}\n");
        self.0.retain_mut(|listener| {
            if listener.queue.len() + line.len() > LONGEST_QUEUE {
                listener.lost += 1;
            } else {
                listener.queue.extend_from_slice(line.as_bytes());
            }
            listener.flush()
        });
    }

    /// Events that nobody got, because the kernel had no room or no token for them.
    pub fn lose(&mut self, count: u64) {
        for listener in &mut self.0 {
            listener.lost += count;
        }
    }

    pub fn flush(&mut self) {
        self.0.retain_mut(Listener::flush);
    }

    /// An answer to a client that is sent events too goes behind them. False: it is sent none.
    pub fn answer(&mut self, stream: &UnixStream, line: &str) -> bool {
        let Some(listener) = self.0.iter_mut().find(|listener| same_socket(&listener.stream, stream)) else {
            return false;
        };
        listener.queue.extend_from_slice(line.as_bytes());
        listener.flush();
        true
    }
}

impl Listener {
    /// Sends what the client takes now; when it has taken all, how much it has lost. False: it has gone.
    fn flush(&mut self) -> bool {
        loop {
            if self.queue.is_empty() {
                if self.lost == 0 {
                    return true;
                }
                self.queue = format!("{}\n", json!({ "event": "lost", "count": self.lost })).into_bytes();
                self.lost = 0;
            }
            // SAFETY: the queue's own bytes, which the kernel copies.
            let sent = unsafe {
                libc::send(
                    self.stream.as_raw_fd(),
                    self.queue.as_ptr().cast(),
                    self.queue.len(),
                    libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
                )
            };
            let Ok(sent) = usize::try_from(sent) else {
                return io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock;
            };
            self.queue.drain(..sent);
        }
    }
}

fn same_socket(a: &UnixStream, b: &UnixStream) -> bool {
    let inode = |socket: &UnixStream| {
        let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the descriptor is open; the structure is read only if the call filled it.
        unsafe {
            (libc::fstat(socket.as_raw_fd(), stat.as_mut_ptr()) == 0).then(|| stat.assume_init().st_ino)
        }
    };
    inode(a) == inode(b)
}
