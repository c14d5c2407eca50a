//! Content keys and their signalling: which key opens a track, and how a manifest or a box says so.
//!
//! Keys are derived, never stored in the clear ([`content_key`]). A [`DrmSystem`] is signalled by a
//! [`pssh`] box, by [`signal`]s in DASH and HLS manifests, and by the objects of its vendor:
//! [`widevine`] and [`playready`]. Encryptors ask for both in documents of [`cpix`].

pub mod content_key;
pub mod cpix;
mod drm_system;
mod key_id;
pub mod playready;
pub mod pssh;
mod scheme;
pub mod signal;
pub mod widevine;

pub use content_key::{ContentKey, KeyDerivation};
pub use drm_system::{DrmSystem, UnknownDrmSystem};
pub use key_id::{InvalidKeyId, KeyId};
pub use scheme::{Scheme, UnknownScheme};
