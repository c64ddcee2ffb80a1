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
        $crate::settings::as_field(constant(), $crate::settings::ANY.$($field)+)
    }};
}
pub(crate) use setting;

/// Only where its fields are, and of which type, is asked of it.
// SAFETY: they are plain integers.
pub const ANY: Settings = unsafe { mem::zeroed() };

pub const fn of_field<T>(settings: &Settings, field: &T) -> u64 {
    // SAFETY: the one lies in the other.
    let offset = unsafe { ptr::from_ref(field).byte_offset_from(ptr::from_ref(settings)) };
    placeholder(offset as usize, size_of::<T>())
}

/// A value as one of a field's type.
#[inline(always)]
pub fn as_field<T: Word>(value: u64, _: T) -> T {
    T::of(value)
}

pub trait Word {
    fn of(value: u64) -> Self;
}

impl Word for u64 {
    #[inline(always)]
    fn of(value: u64) -> Self {
        value
    }
}

impl Word for u32 {
    #[inline(always)]
    fn of(value: u64) -> Self {
        // The compiler need not cut it off.
        // SAFETY: the loader fills in no more bytes than the field has.
        unsafe { core::hint::assert_unchecked(value <= Self::MAX as u64) };
        value as Self
    }
}
