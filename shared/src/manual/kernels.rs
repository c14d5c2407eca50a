//! # Why there are three kernels
//!
//! An id costs four AES blocks (eight of a derived one) and its base64 both ways. Done one at a time the processor waits for each block, and
//! half of the time goes into calls. So ids are sorted into columns by direction and kind, and each step is done for many of them at once; a
//! processor with AES instructions then does twenty times what the obvious way does.
//!
//! The *batched* kernel is made of two crates, which use what they find on the processor, and is the only one but on x86-64. Bodies are
//! filled up with an `A` to whole groups of four characters, so that a column is one base64 text: it is decoded by one call, and the spare bits
//! of a body lie in a byte of their own, which must be zero. A character that is not base64url spoils the call; the column is then halved until
//! the bad id is alone, so that it costs the others a few calls.
//!
//! The *fused* kernels leave out what the crates cannot: calls, and passes over memory between the steps. The wide one is for processors with
//! VAES and AVX-512 VBMI, where nothing needs to leave the registers. The narrow one is for those with AES-NI and AVX2, which is every server
//! of ten years; its blocks are a register each, so it decodes a few groups of eight as one text before it encrypts and encodes them. A bad id
//! is a bit in a mask and costs nothing. They were worth the only `unsafe` of the house, which is the call into code that is compiled for such
//! processors, after they were asked for: intrinsics are safe within, and loads and stores are casts that the compiler checks. Both spell AES
//! and SIV by the same macros.
//!
//! Nothing else knows which one runs. All are compared with the library's cipher, byte for byte, by `shared/tests/kernels.rs` and a fuzz
//! target; where the processor cannot run the wide one, `tests/clients/fused` runs the comparison under emulation.
//!
//! Tags are compared as whole numbers: neither the time nor the place of a difference tells anything but what the answer tells.
