use aya_ebpf::{bindings::TC_ACT_OK, helpers::bpf_redirect_peer};

/// Hands the packet to the pod behind a node-side device, straight into its namespace; device 0 is the node itself.
///
/// # Minimum kernel version
/// 5.10 (`bpf_redirect_peer`).
#[inline(always)]
pub fn deliver(device: u32) -> i32 {
    if device == 0 {
        return TC_ACT_OK;
    }
    // SAFETY: takes numbers only.
    (unsafe { bpf_redirect_peer(device, 0) }) as i32
}
