use meshmark_common::probe::Offsets;

use crate::{btf::KernelTypes, kernel, problem::Problem};

/// Where this kernel has the fields that the programs read.
pub fn find(types: &KernelTypes) -> Result<Offsets, Problem> {
    let of = |structure: &str, path: &str| {
        types.offset(structure, path).ok_or_else(|| {
            Problem(format!(
                "kernel {} has no {structure}.{path}: meshmark's probes don't know this kernel yet",
                kernel::release()
            ))
        })
    };
    Ok(Offsets {
        sock_net: of("sock", "__sk_common.skc_net.net")?,
        sock_family: of("sock", "__sk_common.skc_family")?,
        sock_state: of("sock", "__sk_common.skc_state")?,
        sock_local_port: of("sock", "__sk_common.skc_num")?,
        sock_remote_port: of("sock", "__sk_common.skc_dport")?,
        sock_local4: of("sock", "__sk_common.skc_rcv_saddr")?,
        sock_remote4: of("sock", "__sk_common.skc_daddr")?,
        sock_local6: of("sock", "__sk_common.skc_v6_rcv_saddr")?,
        sock_remote6: of("sock", "__sk_common.skc_v6_daddr")?,
        sock_protocol: of("sock", "sk_protocol")?,
        sock_functions: of("sock", "__sk_common.skc_prot")?,
        sock_first_functions: types.offset("sock", "sk_prot_creator").unwrap_or(0),
        functions_receive: of("proto", "recvmsg")?,
        sock_error: of("sock", "sk_err")?,
        // Before 5.15 cgroup v1 and v2 shared a word, whose value is the pointer where only v2 is used.
        sock_cgroup: of("sock", "sk_cgrp_data.cgroup").or_else(|_| of("sock", "sk_cgrp_data.val"))?,
        sock_user: of("sock", "sk_uid")?,
        sock_socket: of("sock", "sk_socket")?,
        tcp_segments_out: of("tcp_sock", "segs_out")?,
        tcp_clock: types.offset("tcp_sock", "tcp_clock_cache").unwrap_or(0),
        tcp_srtt: of("tcp_sock", "srtt_us")?,
        // struct minmax: three samples of a time and a value; the first is the lowest.
        tcp_lowest_rtt: of("tcp_sock", "rtt_min")? + 4,
        net_inum: of("net", "ns.inum")?,
        cgroup_node: of("cgroup", "kn")?,
        // Points to the same member of the parent, which is its first.
        cgroup_parent: of("cgroup", "self.parent")? - of("cgroup", "self")?,
        node_id: of("kernfs_node", "id")?,
        skb_sock: of("sk_buff", "sk")?,
        skb_device: of("sk_buff", "dev")?,
        skb_head: of("sk_buff", "head")?,
        skb_network: of("sk_buff", "network_header")?,
        skb_protocol: of("sk_buff", "protocol")?,
        skb_data_length: of("sk_buff", "data_len")?,
        skb_time: of("sk_buff", "tstamp")?,
        skb_segments: of("sk_buff", "cb")? + of("tcp_skb_cb", "tcp_gso_segs")?,
        device_net: of("net_device", "nd_net.net")?,
    })
}
