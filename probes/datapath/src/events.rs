//! Flow events: from the kernel's ring buffer to whoever listens.

use std::{
    collections::VecDeque,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::{Arc, Mutex},
    thread,
};

use aya::maps::{MapData, RingBuf, lpm_trie::Key};
use meshmark_common::datapath::{
    DropReason, FLOW_PROXY, FlowEvent, KIND_DROP, KIND_FLAGS, KIND_INTERVAL, KIND_NEW, WORLD,
};
use serde_json::{Value, json};

use crate::{
    address::from_map,
    data_path::DataPath,
    listeners::Listeners,
    problem::{Problem, Trying},
    protocol::protocol_name,
};

/// Drops that are kept for who asks later.
const KEPT_DROPS: usize = 256;

pub struct Events {
    ring: Option<RingBuf<MapData>>,
    pub listeners: Listeners,
    drops: VecDeque<Value>,
    lost: u64,
}

impl Events {
    pub fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring: Some(ring), listeners: Listeners::default(), drops: VecDeque::new(), lost: 0 }
    }

    pub fn drops(&self) -> Value {
        json!({ "listening": !self.listeners.is_empty(), "drops": self.drops })
    }
}

/// Reads the ring buffer in a thread of its own.
pub fn start(data_path: &Arc<Mutex<DataPath>>) -> Result<(), Problem> {
    let mut locked = lock(data_path);
    let Some(mut ring) = locked.events.ring.take() else { return Ok(()) };
    drop(locked);
    let data_path = Arc::clone(data_path);
    // SAFETY: a descriptor of its own for poll(), closed with the owner.
    let descriptor = unsafe { libc::dup(ring.as_raw_fd()) };
    if descriptor < 0 {
        return Err(std::io::Error::last_os_error()).trying("polling EVENTS");
    }
    // SAFETY: just made.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
    thread::spawn(move || {
        let mut patience = 500;
        loop {
            let mut poll = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one structure, ours.
            unsafe { libc::poll(&raw mut poll, 1, patience) };
            let mut locked = lock(&data_path);
            while let Some(item) = ring.next() {
                if item.len() == size_of::<FlowEvent>() {
                    // SAFETY: the programs write whole events; the ring aligns them to 8 bytes only.
                    let event = unsafe { item.as_ptr().cast::<FlowEvent>().read_unaligned() };
                    locked.publish(&event);
                }
            }
            locked.count_lost();
            locked.events.listeners.flush();
            locked.listen_only_if_asked();
            patience = if locked.events.listeners.is_behind() { 20 } else { 500 };
        }
    });
    Ok(())
}

pub fn lock(data_path: &Mutex<DataPath>) -> std::sync::MutexGuard<'_, DataPath> {
    data_path.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl DataPath {
    /// From now on events are sent to this client too.
    pub fn listen(&mut self, client: UnixStream) {
        self.events.listeners.add(client);
        self.maps.config.set_events(true);
    }

    /// The client has gone.
    pub fn unlisten(&mut self, client: &UnixStream) {
        self.events.listeners.remove(client);
        self.listen_only_if_asked();
    }

    fn listen_only_if_asked(&self) {
        if self.events.listeners.is_empty() {
            self.maps.config.set_events(false);
        }
    }

    fn publish(&mut self, event: &FlowEvent) {
        let line = self.describe(event);
        if event.kind == KIND_DROP {
            if self.events.drops.len() == KEPT_DROPS {
                self.events.drops.pop_front();
            }
            self.events.drops.push_back(line.clone());
        }
        self.events.listeners.send(&line);
    }

    fn count_lost(&mut self) {
        let lost: u64 = self
            .maps
            .event_budget
            .get(&0, 0)
            .map_or(self.events.lost, |values| values.iter().map(|value| value.lost).sum());
        self.events.listeners.lose(lost - self.events.lost);
        self.events.lost = lost;
    }

    fn describe(&self, event: &FlowEvent) -> Value {
        let identity =
            |address| self.maps.ipcache.get(&Key::new(128, address), 0).map_or(WORLD, |found| found.identity);
        let endpoint =
            self.endpoints.iter().find(|(_, endpoint)| endpoint.index == event.device).map(|(id, _)| *id);
        let kind = match event.kind {
            KIND_NEW => "new",
            KIND_FLAGS => "flags",
            KIND_INTERVAL => "interval",
            _ => "drop",
        };
        let mut line = json!({
            "event": kind,
            "timeNs": event.time,
            "endpoint": endpoint,
            "source": from_map(event.source).to_string(),
            "sourcePort": u16::from_be(event.source_port),
            "sourceIdentity": identity(event.source),
            "destination": from_map(event.destination).to_string(),
            "destinationPort": u16::from_be(event.destination_port),
            "destinationIdentity": identity(event.destination),
            "protocol": protocol_name(event.protocol),
            "tcpFlags": event.tcp_flags,
            "bytes": event.bytes,
            "rule": event.rule,
        });
        if event.kind == KIND_DROP {
            let reason =
                DropReason::from_index(usize::from(event.detail)).map_or("unknown", DropReason::name);
            line["reason"] = reason.into();
        } else {
            line["proxy"] = (event.detail & FLOW_PROXY != 0).into();
        }
        line
    }
}
