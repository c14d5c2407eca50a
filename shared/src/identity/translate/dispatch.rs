//! The choice of a kernel at run time.

#[cfg(target_arch = "x86_64")]
use super::fused;
use super::{batched, columns::Columns, kernel::Kernel};
use crate::identity::client_keys::KernelKeys;

impl Kernel {
    /// The fastest kernel that this processor supports.
    #[must_use]
    pub fn fastest() -> Self {
        Self::ALL.into_iter().rfind(|kernel| kernel.available()).unwrap_or(Self::Batched)
    }

    /// Whether this processor supports the kernel.
    #[must_use]
    pub fn available(self) -> bool {
        match self {
            Self::Batched => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 | Self::Avx512 => fused::available(self),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Translates all rows: writes a text and a status for each. Falls back to the batched kernel
    /// if this processor does not support the chosen one.
    pub(super) fn run(self, keys: &KernelKeys<'_>, columns: &mut Columns) {
        #[cfg(target_arch = "x86_64")]
        if fused::run(self, keys, columns) {
            return;
        }
        columns.prepare_outputs();
        batched::run(keys, columns);
    }
}
