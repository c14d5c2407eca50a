//! # Why AES-SIV encodes identifiers
//!
//! The vendor's cipher is proprietary and not published: Rampway's ids are of the same form, and not interchangeable with the vendor's.
//!
//! An encoding must be deterministic (a person has one value in a domain, so that files can be joined) and should be authenticated (a wrong
//! key, a flipped bit or a foreign label must be noticed, never become another person's id). AES-SIV (RFC 5297) is the standard that is both,
//! and the cheapest: with the associated data (`prefix + domain`) constant for a key, its part of S2V is computed once, and a 16-byte payload
//! costs two AES blocks a direction. AES-GCM-SIV costs more for short payloads; HMAC with CBC costs four hash compressions; format-preserving
//! encryption has no tag.
//!
//! The key has 64 bytes (AES-256-SIV), one a domain and version. Published answers for second implementations are in `shared/tests/vectors.rs`.
