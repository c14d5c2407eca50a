//! The plan of a translation: the options and the input's schema give reader, renderer and sink.

use tokio::task::block_in_place;

use crate::{error::Error, input::InputDigest, location::Location, options::Options, reader::Reader, render::Renderer, sink::Sink};

/// The parts of a translation.
pub(crate) struct Plan {
    pub(crate) reader: Reader,
    pub(crate) renderer: Renderer,
    pub(crate) sink: Sink,
    /// The number of rows, if the input states it.
    pub(crate) rows: Option<u64>,
}

impl Plan {
    /// Opens the input and reads its schema. Nothing is created or written.
    pub(crate) fn new(options: &Options, digest: &InputDigest) -> Result<Self, Error> {
        let open = || Reader::open(options, digest);
        let opened = match options.input {
            // The runtime's thread waits for the object's first bytes.
            Location::Object(_) => block_in_place(open),
            Location::Local(_) | Location::Stdio => open(),
        };
        let (reader, schema) = opened.map_err(|cause| Error::input(&options.input, cause))?;
        let renderer = Renderer::new(&schema, options);
        let sink = Sink::new(&schema, options).map_err(|cause| Error::output(&options.output, cause))?;
        Ok(Self { reader, renderer, sink, rows: schema.rows })
    }
}
