//! An open Parquet file, shared by the reader and the writer that copies its columns.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use ::parquet::{
    basic::{Compression, Repetition, Type},
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData},
        reader::{ChunkReader, FileReader, Length, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
    },
};
use bytes::Bytes;

use super::error::message;
use crate::{
    input::{self, InputDigest},
    input_error::InputError,
    location::Location,
    options::Options,
};

/// How many bytes are read at once, in each of several columns.
const COLUMN_READ_BYTES: usize = 1 << 16;

/// An open Parquet file.
#[derive(Clone)]
pub(crate) struct ParquetFile {
    reader: Arc<SerializedFileReader<SharedFile>>,
    bytes: SharedFile,
}

/// A file that is read at several offsets at once.
#[derive(Clone)]
pub(super) struct SharedFile(Arc<File>);

/// A reader with its own offset in a [`SharedFile`].
pub(super) struct FileCursor {
    file: Arc<File>,
    offset: u64,
}

impl Read for FileCursor {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buf, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl SharedFile {
    pub(super) fn new(file: File) -> Self {
        Self(Arc::new(file))
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<FileCursor>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::with_capacity(COLUMN_READ_BYTES, FileCursor { file: self.0.clone(), offset: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

impl ParquetFile {
    /// Opens the input and reads its metadata. An object or a standard stream is spooled first.
    pub(crate) fn open(options: &Options, digest: &InputDigest) -> Result<Self, InputError> {
        let file = match &options.input {
            Location::Local(path) => input::open_file(path)?,
            Location::Object(_) | Location::Stdio => input::spool(options, digest)?,
        };
        let invalid = |cause: ParquetError| InputError::InvalidParquet(message(&cause));
        let bytes = SharedFile::new(file);
        let read_options = ReadOptionsBuilder::new().with_page_index().build();
        let reader = SerializedFileReader::new_with_options(bytes.clone(), read_options).map_err(invalid)?;
        Ok(Self { reader: Arc::new(reader), bytes })
    }

    /// A second, independent reader of the same file.
    pub(super) fn reopen(&self) -> Result<Box<dyn FileReader>, ParquetError> {
        Ok(Box::new(SerializedFileReader::new(self.bytes.clone())?))
    }

    pub(super) fn reader(&self) -> &SerializedFileReader<SharedFile> {
        &self.reader
    }

    pub(super) fn metadata(&self) -> &ParquetMetaData {
        self.reader.metadata()
    }

    /// The file's bytes, from which column chunks are copied.
    pub(super) const fn bytes(&self) -> &SharedFile {
        &self.bytes
    }

    /// The columns' names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name().to_owned()).collect()
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// The compression of the first column, which the added columns get too.
    pub(super) fn compression(&self) -> Compression {
        let column = self.metadata().row_groups().first().and_then(|group| group.columns().first());
        column.map_or(Compression::SNAPPY, ColumnChunkMetaData::compression)
    }

    /// The index among the schema's leaves of a column that holds one string per row.
    pub(super) fn leaf(&self, column: usize) -> Result<usize, InputError> {
        let schema = self.metadata().file_metadata().schema_descr();
        let field = &schema.root_schema().get_fields()[column];
        let not_a_string = |found: String| InputError::NotAStringColumn { column: field.name().into(), found };
        let leaf = (0..schema.num_columns()).find(|leaf| schema.get_column_root_idx(*leaf) == column);
        let leaf = leaf.filter(|_| field.is_primitive()).ok_or_else(|| not_a_string("several values".into()))?;
        if field.get_basic_info().repetition() == Repetition::REPEATED {
            return Err(not_a_string("lists".into()));
        }
        let physical = schema.column(leaf).physical_type();
        match physical {
            Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => Ok(leaf),
            _ => Err(not_a_string(format!("values of type {physical}"))),
        }
    }
}
