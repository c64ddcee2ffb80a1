//! What is fixed before the programs are loaded. They hold it as constants, which the loader puts there: so it is read from nowhere, and
//! the verifier leaves out what it rules out.

use core::{mem, ptr};

use meshmark_common::probe::{Settings, placeholder};

/// One of the settings.
macro_rules! setting {
    ($($field:tt)+) => {{
        const PLACEHOLDER: u64 = {
            let settings = $crate::settings::ANY;
            $crate::settings::of_field(&settings, &settings.$($field)+)
        };
        // A function, since it may be read where `unsafe` is already.
        #[inline(always)]
        fn constant() -> u64 {
            let value: u64;
            // SAFETY: it makes a constant, and nothing else.
            unsafe {
                core::arch::asm!(
                    "{} = {} ll",
                    out(reg) value,
                    const PLACEHOLDER,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            value
        }
        $crate::settings::shorten(constant())
    }};
}
pub(crate) use setting;

/// Only where its fields are is asked of it.
// SAFETY: they are plain integers.
pub const ANY: Settings = unsafe { mem::zeroed() };

pub const fn of_field(settings: &Settings, field: &u32) -> u64 {
    // SAFETY: the one lies in the other.
    placeholder(unsafe { ptr::from_ref(field).byte_offset_from(ptr::from_ref(settings)) } as u32)
}

/// So that the compiler need not cut the upper half off.
#[inline(always)]
pub fn shorten(value: u64) -> u32 {
    // SAFETY: the loader fills in no more.
    unsafe { core::hint::assert_unchecked(value <= u32::MAX as u64) };
    value as u32
}
