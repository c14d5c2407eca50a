//! This package has tests only: see promises.rs.
