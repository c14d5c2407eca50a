//! The names of the kernels.

use std::fmt;

/// An implementation of the translation of many ids of one kind and direction. All implementations
/// give the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Passes over many ids with the crates `aes` and `base64-simd`. Runs on every processor.
    Batched,
    /// Eight ids at a time. Runs on x86-64 processors with AES-NI and AVX2.
    Avx2,
    /// 32 or 48 ids at a time, in registers. Runs on x86-64 processors with VAES and AVX-512 VBMI.
    Avx512,
}

impl Kernel {
    /// All kernels, from the slowest to the fastest.
    pub const ALL: [Self; 3] = [Self::Batched, Self::Avx2, Self::Avx512];
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Batched => "batched",
            Self::Avx2 => "fused (AES-NI, AVX2)",
            Self::Avx512 => "fused (VAES, AVX-512 VBMI)",
        })
    }
}
