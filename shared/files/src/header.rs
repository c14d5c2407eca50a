//! The header rows of the output and of the rejects file.

use crate::{
    column::{Column, REJECT_COLUMNS},
    compress::compress,
    delimited,
    layout::Layout,
    options::Options,
    schema::Schema,
};

/// The bytes before the first row, which may be none.
pub(crate) struct Headers {
    /// Those of the output, compressed like it. Parquet has its names in the footer.
    pub(crate) output: Vec<u8>,
    /// Those of the rejects file, which has the input's layout.
    pub(crate) rejects: Vec<u8>,
}

impl Headers {
    pub(crate) fn new(schema: &Schema, options: &Options) -> Self {
        let layout = options.output_layout();
        let added = options.added_names();
        let output = match (&schema.header, schema.layout) {
            // Where the layout stays, the input's header row is extended byte for byte.
            (Some(header), Layout::Delimited(delimiter)) if layout == schema.layout => {
                header.with_columns(&added.each_ref().map(String::as_str), delimiter)
            }
            (Some(header), _) if !header.is_present() => Vec::new(),
            _ => output_header(layout, &schema.names, &added),
        };
        Self { output: compress(output, options.output_compression()), rejects: rejects_header(schema, &options.column) }
    }
}

/// A header row of new names. Only delimited text has one.
fn output_header(layout: Layout, names: &[String], added: &[String; 2]) -> Vec<u8> {
    let mut row = Vec::new();
    if let Layout::Delimited(delimiter) = layout {
        for (index, name) in names.iter().chain(added).enumerate() {
            if index > 0 {
                row.push(delimiter);
            }
            delimited::write_field(&mut row, name.as_bytes(), delimiter);
        }
        row.push(b'\n');
    }
    row
}

/// The rejects file's header. Refused rows of a columnar input are written as CSV.
fn rejects_header(schema: &Schema, column: &Column) -> Vec<u8> {
    match (&schema.header, schema.layout) {
        (Some(header), Layout::Delimited(delimiter)) => header.with_columns(&REJECT_COLUMNS, delimiter),
        (_, Layout::Columns) => {
            let mut row = b"row,".to_vec();
            delimited::write_field(&mut row, column.name().as_bytes(), b',');
            for name in REJECT_COLUMNS {
                row.push(b',');
                row.extend_from_slice(name.as_bytes());
            }
            row.push(b'\n');
            row
        }
        _ => Vec::new(),
    }
}
