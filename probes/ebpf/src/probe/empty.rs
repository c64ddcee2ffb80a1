//! Programs that do nothing, where the ones of the latency probe are: what being called, and being counted by the kernel's
//! statistics, costs by itself on this machine.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};

/// # Minimum kernel version
/// 5.5
#[btf_tracepoint(function = "net_dev_queue")]
pub fn empty_send(_ctx: BtfTracePointContext) -> i32 {
    0
}

/// # Minimum kernel version
/// 6.3
#[btf_tracepoint(function = "sock_recv_length")]
pub fn empty_receive(_ctx: BtfTracePointContext) -> i32 {
    0
}

/// # Minimum kernel version
/// 6.3
#[btf_tracepoint(function = "sk_data_ready")]
pub fn empty_ready(_ctx: BtfTracePointContext) -> i32 {
    0
}
