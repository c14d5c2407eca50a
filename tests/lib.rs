//! The promises are tests: see promises.rs.
