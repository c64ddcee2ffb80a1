use meshmark_common::probe::{HotOffsets, MEASURES, NO_TARGET, NOT_MEASURED, Offsets, SLOTS, Settings};

/// Set by the loader, then frozen. The values here only keep it out of the zeroed section.
#[unsafe(no_mangle)]
pub static SETTINGS: Settings = Settings {
    fallback: NO_TARGET,
    cgroups: 0,
    clocked_receive: 0,
    hot: HotOffsets {
        sock_protocol_functions: 0,
        protocol_receive: 0,
        tcp_clock: 0,
        tcp_srtt: 0,
        tcp_lowest_rtt: 0,
        skb_sock: 0,
        skb_data_length: 0,
        skb_time: 0,
    },
    store: u32::MAX,
    atomic: 1,
    last_slot: SLOTS as u32 - 1,
    first: [NOT_MEASURED; MEASURES],
    addresses: 0,
    users: 0,
    drop_reason: 0,
    drop_sock: 0,
    retransmit_error: 0,
    offsets: Offsets {
        sock_net: 0,
        sock_family: 0,
        sock_state: 0,
        sock_local_port: 0,
        sock_remote_port: 0,
        sock_local4: 0,
        sock_remote4: 0,
        sock_local6: 0,
        sock_remote6: 0,
        sock_protocol: 0,
        sock_error: 0,
        sock_cgroup: 0,
        sock_user: 0,
        sock_socket: 0,
        tcp_segments_out: 0,
        net_inum: 0,
        cgroup_node: 0,
        cgroup_parent: 0,
        node_id: 0,
        skb_device: 0,
        skb_head: 0,
        skb_network: 0,
        skb_protocol: 0,
        skb_segments: 0,
        device_net: 0,
    },
};

/// One of the settings: read, so that the compiler does not take the value above for granted.
macro_rules! setting {
    ($($field:tt)+) => {
        $crate::settings::read(&raw const $crate::settings::SETTINGS.$($field)+)
    };
}
pub(crate) use setting;

#[inline(always)]
pub fn read<T: Copy>(place: *const T) -> T {
    // SAFETY: only the macro calls it, with a field of the static.
    unsafe { core::ptr::read_volatile(place) }
}
