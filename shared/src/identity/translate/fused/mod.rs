//! Fused kernels: a body goes from text to text in registers, or nearly so. Each kernel is compiled
//! for processor features that are detected at run time.

#[macro_use]
mod steps;

mod avx2;
mod avx512;

use super::{columns::Columns, kernel::Kernel};
use crate::{crypto::siv::BLOCK_BYTES, identity::client_keys::KernelKeys};

/// Whether this processor has all features of a fused kernel.
pub(super) fn available(kernel: Kernel) -> bool {
    match kernel {
        Kernel::Batched => false,
        Kernel::Avx2 => is_x86_feature_detected!("aes") && is_x86_feature_detected!("avx2"),
        Kernel::Avx512 => {
            is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vbmi")
                && is_x86_feature_detected!("vaes")
        }
    }
}

/// Translates all rows. Returns `false`, without any effect, if the kernel is not a fused one or
/// the processor does not support it.
#[expect(unsafe_code, reason = "calls functions compiled for features that were detected before; nothing else here is unsafe")]
pub(super) fn run(kernel: Kernel, keys: &KernelKeys<'_>, columns: &mut Columns) -> bool {
    if !available(kernel) {
        return false;
    }
    let rows = columns.rows();
    let blocks = columns.kind().payload_len() / BLOCK_BYTES;
    match kernel {
        Kernel::Avx512 => columns.pad(avx512::ROWS_PER_REGISTER, avx512::READ_AHEAD),
        _ => columns.pad(avx2::ROWS_PER_GROUP, 0),
    }
    // SAFETY: `available` has found every feature that the kernel's `translate` enables.
    unsafe {
        match (kernel, blocks) {
            // Twelve registers per pass were the fastest on Zen 4. A second payload block needs
            // registers too, so there eight.
            (Kernel::Avx512, 1) => avx512::translate::<1, 12>(keys, columns),
            (Kernel::Avx512, _) => avx512::translate::<2, 8>(keys, columns),
            (_, 1) => avx2::translate::<1>(keys, columns),
            (_, _) => avx2::translate::<2>(keys, columns),
        }
    }
    columns.unpad(rows);
    true
}
