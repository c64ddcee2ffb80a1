use aya_ebpf::{helpers::bpf_jiffies64, macros::classifier, programs::TcContext};

/// The kernel's jiffies, cut to what a map value holds. They wrap; only differences are used.
#[inline(always)]
pub fn jiffies() -> u32 {
    // SAFETY: takes nothing.
    (unsafe { bpf_jiffies64() }) as u32
}

/// For the loader, which runs it by itself: how long a jiffy is, and how old a flow.
#[classifier]
pub fn clock(_ctx: TcContext) -> i32 {
    jiffies() as i32
}
