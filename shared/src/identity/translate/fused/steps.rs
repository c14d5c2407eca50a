//! AES and SIV on arrays of registers, as macros: a function would pass its arrays through memory.
//!
//! The calling module defines the register and its operations: `xor`, `and`, `round`, `last_round`,
//! `round_key`, `middle_round_keys` (the keys of the rounds between the first and the last),
//! `block` (a block in each lane) and `increment` (of the counters).

/// Encrypts every register of an array with AES-256.
macro_rules! encrypt {
    ($states:expr, $keys:expr) => {{
        let RoundKeys(keys) = $keys;
        let mut states = $states;
        for state in &mut states {
            *state = xor(*state, round_key(&keys[0]));
        }
        for key in middle_round_keys(keys) {
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

/// Computes CMAC of the payloads, with the mask on the last block.
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

/// Encrypts or decrypts the payloads in counter mode from the tags.
macro_rules! xor_key_stream {
    ($payloads:expr, $tags:expr, $key:expr) => {{
        let mask = block(COUNTER_MASK);
        let mut counters = $tags;
        for counter in &mut counters {
            *counter = and(*counter, mask);
        }
        for index in 0..BLOCKS {
            if index > 0 {
                for counter in &mut counters {
                    *counter = increment(*counter);
                }
            }
            let streams = encrypt!(counters, &$key.ctr.round_keys);
            for (block, stream) in $payloads[index].iter_mut().zip(streams) {
                *block = xor(*block, stream);
            }
        }
    }};
}
