//! Fused kernels: an id's body goes from text to text without leaving the registers, or nearly so. They are compiled for processors that are
//! asked for first.

use super::kernel::{Columns, Kernel, Keys};
use crate::crypto::siv::BLOCK_BYTES;

/// AES-256 on every register of an array. As a function its states would go through memory.
///
/// As in the macros below, what a register is, and the operations on it, is for the place to say: `xor`, `and`, `round`, `last_round`,
/// `round_key`, `between` (the keys of the other rounds), `block` (one in each of its parts) and `next` (its next counter).
macro_rules! encrypt {
    ($states:expr, $keys:expr) => {{
        let RoundKeys(keys) = $keys;
        let mut states = $states;
        for state in &mut states {
            *state = xor(*state, round_key(&keys[0]));
        }
        for key in between(keys) {
            for state in &mut states {
                *state = round(*state, round_key(key));
            }
        }
        for state in &mut states {
            *state = last_round(*state, round_key(&keys[14]));
        }
        states
    }};
}

/// CMAC of the payloads with the mask on the last block.
macro_rules! authenticate {
    ($payloads:expr, $key:expr, $mask:expr) => {{
        let mask = block($mask);
        let mut states = $payloads[0];
        for index in 1..BLOCKS {
            states = encrypt!(states, &$key.mac.round_keys);
            for (state, block) in states.iter_mut().zip(&$payloads[index]) {
                *state = xor(*state, *block);
            }
        }
        for state in &mut states {
            *state = xor(*state, mask);
        }
        encrypt!(states, &$key.mac.round_keys)
    }};
}

/// The payloads under counter mode from the tags.
macro_rules! xor_key_stream {
    ($payloads:expr, $tags:expr, $key:expr) => {{
        let kept = block(COUNTER_MASK);
        let mut counters = $tags;
        for counter in &mut counters {
            *counter = and(*counter, kept);
        }
        for index in 0..BLOCKS {
            if index > 0 {
                for counter in &mut counters {
                    *counter = next(*counter);
                }
            }
            let streams = encrypt!(counters, &$key.ctr.round_keys);
            for (block, stream) in $payloads[index].iter_mut().zip(streams) {
                *block = xor(*block, stream);
            }
        }
    }};
}

mod avx2;
mod avx512;

/// Whether this processor has all that a kernel uses.
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

/// Translates all rows; `false`, and nothing done, when the kernel is none of these or the processor cannot.
#[expect(unsafe_code, reason = "the calls into functions compiled for processors that were asked for first; nothing else here is unsafe")]
pub(super) fn run(kernel: Kernel, keys: &Keys<'_>, columns: &mut Columns) -> bool {
    if !available(kernel) {
        return false;
    }
    let rows = columns.rows();
    let blocks = columns.kind().payload_len() / BLOCK_BYTES;
    match kernel {
        Kernel::Avx512 => columns.pad(avx512::ROWS_PER_REGISTER, avx512::READ_AHEAD),
        _ => columns.pad(avx2::ROWS_PER_GROUP, 0),
    }
    // SAFETY: `available` has just found every feature that the kernel's `translate` enables.
    unsafe {
        match (kernel, blocks) {
            // Twelve registers a pass were the fastest on Zen 4; a second payload block takes registers too.
            (Kernel::Avx512, 1) => avx512::translate::<1, 12>(keys, columns),
            (Kernel::Avx512, _) => avx512::translate::<2, 8>(keys, columns),
            (_, 1) => avx2::translate::<1>(keys, columns),
            (_, _) => avx2::translate::<2>(keys, columns),
        }
    }
    columns.unpad(rows);
    true
}
