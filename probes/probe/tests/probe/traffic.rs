//! Requests of 64 bytes over TCP, answered with as much.

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::world::{enter, inside};

pub const PORT: u16 = 7_777;
pub const SIZE: usize = 64;

/// How long the server says that it worked on each answer, in nanoseconds.
pub type Worked = Vec<u64>;

pub struct Server {
    thread: JoinHandle<Worked>,
}

impl Server {
    /// Takes so many connections, and waits so long before each answer.
    pub fn start(namespace: &str, address: IpAddr, connections: usize, wait: Duration) -> Self {
        let listener = inside(namespace, || TcpListener::bind((address, PORT)).expect("the port is free"));
        let thread = thread::spawn(move || {
            let threads: Vec<JoinHandle<Worked>> = (0..connections)
                .map(|_| {
                    let (stream, _) = listener.accept().expect("a client comes");
                    thread::spawn(move || answer(stream, wait))
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("it answers")).collect()
        });
        Self { thread }
    }

    /// Returns when all connections are closed.
    pub fn end(self) -> Worked {
        self.thread.join().expect("the server ends")
    }
}

/// Until the client has closed.
pub fn answer(mut stream: TcpStream, wait: Duration) -> Worked {
    stream.set_nodelay(true).expect("it is TCP");
    let mut request = [0; SIZE];
    let mut worked = Vec::new();
    while stream.read_exact(&mut request).is_ok() {
        worked.push(spin(wait));
        stream.write_all(&request).expect("the client listens");
    }
    worked
}

/// Works for so long, and says how long that was in the end, in nanoseconds.
pub fn spin(work: Duration) -> u64 {
    let begun = Instant::now();
    while begun.elapsed() < work {
        std::hint::spin_loop();
    }
    u64::try_from(begun.elapsed().as_nanos()).expect("no centuries")
}

pub fn connect(namespace: &str, address: IpAddr) -> TcpStream {
    let stream =
        inside(namespace, || TcpStream::connect(SocketAddr::new(address, PORT)).expect("the server listens"));
    stream.set_nodelay(true).expect("it is TCP");
    stream
}

pub fn ask(stream: &mut TcpStream, requests: usize) {
    let mut answer = [0; SIZE];
    for _ in 0..requests {
        stream.write_all(&[7; SIZE]).expect("the server listens");
        stream.read_exact(&mut answer).expect("the server answers");
    }
}

/// So many requests on each of so many connections, at the same time.
pub fn drive(namespace: &str, address: IpAddr, connections: usize, requests: usize) {
    let threads: Vec<JoinHandle<()>> = (0..connections)
        .map(|_| {
            let namespace = namespace.to_owned();
            thread::spawn(move || {
                enter(&namespace);
                let mut stream =
                    TcpStream::connect(SocketAddr::new(address, PORT)).expect("the server listens");
                stream.set_nodelay(true).expect("it is TCP");
                ask(&mut stream, requests);
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("the client ends");
    }
}
