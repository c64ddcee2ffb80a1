//! Runs in the kernel: from SYN sent to established, for every connection that is opened from this machine. It counts in maps; there is
//! no event per connection.
#![no_std]
#![no_main]

use core::ptr::read_volatile;

use aya_ebpf::{
    helpers::{bpf_ktime_get_ns, bpf_probe_read_kernel},
    macros::{map, raw_tracepoint},
    maps::{LruHashMap, PerCpuArray},
    programs::RawTracePointContext,
};

/// The port that is connected to; 0: any. Set before loading.
#[unsafe(no_mangle)]
static PORT: u16 = 0;

/// When each socket that is connecting began to, by its address.
#[map]
static BEGAN: LruHashMap<u64, u64> = LruHashMap::with_max_entries(16_384, 0);

/// How many took from 2^index to 2^(index + 1) ns.
#[map]
static SLOTS: PerCpuArray<u64> = PerCpuArray::with_max_entries(64, 0);

/// Sum of all, ns.
#[map]
static SUM: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

const ESTABLISHED: i32 = 1;
const SYN_SENT: i32 = 2;

/// Of struct sock_common, whose first fields have been the same for as long as this tracepoint is there. Others' places differ by
/// kernel: take those from its types (BTF).
const DESTINATION_PORT: usize = 12;

/// # Minimum kernel version
/// 4.17
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
pub fn set_state(ctx: RawTracePointContext) -> i32 {
    // What can't be read or kept is not counted; the program goes on.
    let _ = try_set_state(ctx.arg(0), ctx.arg(1), ctx.arg(2));
    0
}

fn try_set_state(socket: u64, old: i32, new: i32) -> Result<(), i32> {
    // SAFETY: the kernel checks the address.
    let port =
        u16::from_be(unsafe { bpf_probe_read_kernel((socket as usize + DESTINATION_PORT) as *const u16)? });
    // SAFETY: the loader may have changed it before; nobody does while this runs.
    let wanted = unsafe { read_volatile(&raw const PORT) };
    if wanted != 0 && port != wanted {
        return Ok(());
    }
    // SAFETY: reads the clock.
    let now = unsafe { bpf_ktime_get_ns() };
    if new == SYN_SENT {
        return BEGAN.insert(&socket, &now, 0);
    }
    if old != SYN_SENT {
        return Ok(());
    }
    // SAFETY: the value is copied at once.
    let began = unsafe { BEGAN.get(&socket).copied() };
    let _ = BEGAN.remove(&socket);
    if let (ESTABLISHED, Some(began)) = (new, began) {
        record(now - began);
    }
    Ok(())
}

fn record(nanoseconds: u64) {
    let index = 63 - (nanoseconds | 1).leading_zeros();
    if let (Some(slot), Some(sum)) = (SLOTS.get_ptr_mut(index), SUM.get_ptr_mut(0)) {
        // SAFETY: this CPU's own values.
        unsafe {
            *slot += 1;
            *sum += nanoseconds;
        }
    }
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
