//! The layout of rows between the reader, the renderer and the sink.

/// How rows are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Text: values with this byte between them.
    Delimited(u8),
    /// Text: one JSON object per line.
    JsonLines,
    /// Columns of values. The rows have no text.
    Columns,
}
