//! Compresses text output, chunk by chunk.

use std::io::Write;

use flate2::write::GzEncoder;

use crate::format::Compression;

/// Compresses `text` into a whole gzip member or Zstandard frame, so that a draft can be truncated
/// after any of them. Empty text stays empty.
pub(crate) fn compress(text: Vec<u8>, compression: Compression) -> Vec<u8> {
    const INFALLIBLE: &str = "a write into memory succeeds";
    match compression {
        _ if text.is_empty() => text,
        Compression::None => text,
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 2), flate2::Compression::default());
            encoder.write_all(&text).expect(INFALLIBLE);
            encoder.finish().expect(INFALLIBLE)
        }
        Compression::Zstd => zstd::encode_all(&text[..], zstd::DEFAULT_COMPRESSION_LEVEL).expect(INFALLIBLE),
    }
}
