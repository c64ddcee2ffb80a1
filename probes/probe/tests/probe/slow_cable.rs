//! In place of the cable between the two ends: one that takes a known time. Frames come out of one device, wait, and go into the
//! other. (What the kernel has for it, netem, is not in every kernel.)

use std::{
    os::fd::{AsRawFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    packet_socket,
    world::{Namespace, World, inside, run},
};

/// `linux/if_packet.h`: every frame begins with a `virtio_net_hdr`, which says what of its checksum is still to be done.
const PACKET_VNET_HDR: i32 = 15;
const PACKET_IGNORE_OUTGOING: i32 = 23;

pub struct SlowCable {
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    _middle: Namespace,
}

impl SlowCable {
    /// One way takes so long, and the time that a thread needs to wake.
    pub fn between(world: &World, way: Duration) -> Self {
        let middle = Namespace::new(format!("mmpr-{}-middle", std::process::id()));
        run(&format!("ip -n {} link del veth0", world.near));
        for (namespace, device, host) in [(&world.near, "near", 1), (&world.far, "far", 2)] {
            let name = &middle.name;
            run(&format!("ip link add veth0 netns {namespace} type veth peer name {device} netns {name}"));
            run(&format!("ip -n {name} link set {device} addrgenmode none promisc on up"));
            run(&format!("ip -n {namespace} addr add 10.77.0.{host}/24 dev veth0"));
            run(&format!("ip -n {namespace} addr add fd77::{host}/64 dev veth0 nodad"));
            run(&format!("ip -n {namespace} link set veth0 addrgenmode none up"));
        }
        let ended = Arc::new(AtomicBool::new(false));
        let options = [PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING].map(|option| (libc::SOL_PACKET, option, 1));
        let [near, far] = inside(&middle.name, || {
            ["near", "far"].map(|device| Arc::new(packet_socket::open(device, &options).expect("root may")))
        });
        let threads = [(Arc::clone(&near), Arc::clone(&far)), (far, near)]
            .into_iter()
            .map(|(from, to)| {
                let ended = Arc::clone(&ended);
                thread::spawn(move || carry(&from, &to, way, &ended))
            })
            .collect();
        let cable = Self { ended, threads, _middle: middle };
        world.in_far("ping -q -c1 -W2 10.77.0.1");
        world.in_far("ping -q -c1 -W2 fd77::1");
        cable
    }
}

impl Drop for SlowCable {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn carry(from: &OwnedFd, to: &OwnedFd, way: Duration, ended: &AtomicBool) {
    let mut frame = vec![0_u8; 70_000];
    while !ended.load(Ordering::Relaxed) {
        // SAFETY: the descriptor is open, the buffer as long as it says.
        let length = unsafe { libc::recv(from.as_raw_fd(), frame.as_mut_ptr().cast(), frame.len(), 0) };
        let Ok(length) = usize::try_from(length) else { continue };
        let until = Instant::now() + way;
        thread::sleep(until.saturating_duration_since(Instant::now()));
        // SAFETY: the descriptor is open, so much of the buffer was filled.
        unsafe { libc::send(to.as_raw_fd(), frame.as_ptr().cast(), length, 0) };
    }
}
