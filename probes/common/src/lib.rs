//! What eBPF programs and their loaders agree on: the layout of everything that lies in a map.
//!
//! Every type is `#[repr(C)]`, without hidden padding (the verifier refuses keys with bytes that nobody wrote), and
//! its size is checked at compile time for both targets. What only programs in user space share is behind the feature `user`.
#![no_std]

#[cfg(feature = "user")]
extern crate std;

pub mod datapath;
#[cfg(feature = "user")]
pub mod kernel;
pub mod probe;
#[cfg(feature = "user")]
pub mod problem;
mod spread;

pub use spread::spread;

/// Fails the build when a type has another size than the one that is written down beside it.
macro_rules! assert_size {
    ($type:ty, $size:expr) => {
        const _: () = assert!(core::mem::size_of::<$type>() == $size);
        #[cfg(feature = "user")]
        // SAFETY: `#[repr(C)]`, plain integers only, no padding (the size is the sum of the fields).
        unsafe impl aya::Pod for $type {}
    };
}
pub(crate) use assert_size;
