//! The file translator: it reads a file of rows and writes the same rows with two more columns, the
//! translated id and an error code.
//!
//! A run is a plan, then a pipeline:
//!
//! 1. *Plan*: the options and the input's schema give reader, renderer and sink (`plan`, `schema`).
//! 2. *Read* the rows, chunk by chunk (`reader`, `delimited`, `json_lines`, `parquet::reader`).
//! 3. *Ask* for the translation of each chunk's ids, several requests at a time (`pipeline`).
//! 4. *Render* each row with the outcome of its id (`render`, `header`, `compress`).
//! 5. *Write* a draft, which is renamed when it is complete (`sink`, `text_writer`,
//!    `parquet::writer`, `output`).
//!
//! `checkpoint` and `journal` record what is finished, so that a later run can resume there.
//! `stats` counts the outcomes for the `report`.
//!
//! Where the output has the input's format, the input's bytes are copied and never rewritten: the
//! quotes, encodings and line endings of delimited text, the bytes of JSON objects, and the other
//! columns' chunks of Parquet files. Memory is bounded for any file size, and rows keep their
//! order.

mod checkpoint;
mod chunk;
mod column;
mod compress;
mod delimited;
mod draft;
mod dry_run;
mod error;
mod file_digest;
mod format;
mod header;
mod input;
mod input_error;
mod journal;
mod json_lines;
mod layout;
mod location;
mod options;
mod output;
mod parquet;
mod paths;
mod pipeline;
mod plan;
mod position;
mod progress;
mod reader;
mod render;
mod rendered;
mod report;
mod report_file;
mod request_size;
mod resume;
mod schema;
mod sink;
mod stats;
mod string_column;
mod summary;
mod text_writer;
mod translate;

pub use column::{Column, Target};
pub use dry_run::{DryRun, dry_run};
pub use error::{Error, ResumeHint};
pub use format::{Compression, Format};
pub use input_error::InputError;
pub use location::{InvalidLocation, Location};
pub use options::{DEFAULT_API_REQUEST_BYTES, DEFAULT_ENDPOINT_REQUEST_BYTES, Options};
pub use report::Report;
pub use translate::translate;

#[cfg(test)]
mod tests;
