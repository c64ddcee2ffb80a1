//! Fields of the kernel's structures, where BTF says they are.

use core::{ffi::c_void, mem::MaybeUninit};

use aya_ebpf::helpers::{bpf_ktime_get_ns, generated::bpf_probe_read_kernel};

/// A field of any structure; zeroes where it can't be read.
#[inline(always)]
pub fn field<T: Copy>(structure: *const c_void, offset: u32) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the helper fills all of the value, with zeroes where the address is not one. All `T` here are plain integers
    // and pointers that are only read through this function.
    unsafe {
        bpf_probe_read_kernel(
            value.as_mut_ptr().cast(),
            size_of::<T>() as u32,
            structure.cast::<u8>().wrapping_add(offset as usize).cast(),
        );
        value.assume_init()
    }
}

/// The same without a helper, for pointers whose type the verifier knows.
///
/// # Safety
/// The structure has a field of this size there.
#[inline(always)]
pub unsafe fn typed_field<T: Copy>(structure: *const c_void, offset: u32) -> T {
    // SAFETY: the caller's.
    unsafe { core::ptr::read_volatile(structure.cast::<u8>().add(offset as usize).cast::<T>()) }
}

/// The kernel's monotonic clock, in nanoseconds.
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: takes nothing.
    unsafe { bpf_ktime_get_ns() }
}
