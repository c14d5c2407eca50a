//! File formats and compressions.

use std::path::Path;

/// The format of a file's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values. The options may give another delimiter.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// One JSON object per line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// The compression of a text file. Parquet compresses its own pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// None.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Tsv, Self::JsonLines, Self::Parquet];

    /// The format by a file's extension, below that of its compression: `audience.csv` or
    /// `audience.jsonl.gz`.
    #[must_use]
    pub fn of(name: &Path) -> Option<Self> {
        let stem = match Compression::of(name) {
            Compression::None => name,
            _ => Path::new(name.file_stem()?),
        };
        Some(match &*stem.extension()?.to_str()?.to_ascii_lowercase() {
            "csv" | "txt" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "jsonl" | "ndjson" | "json" => Self::JsonLines,
            "parquet" | "pq" => Self::Parquet,
            _ => return None,
        })
    }

    /// The format's extension.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::JsonLines => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// The format's default delimiter.
    #[must_use]
    pub const fn delimiter(self) -> u8 {
        if matches!(self, Self::Tsv) { b'\t' } else { b',' }
    }
}

impl Compression {
    /// All compressions.
    pub const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Zstd];

    /// The compression's name, which is also its extension.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }

    /// The compression by a file's extension.
    #[must_use]
    pub fn of(name: &Path) -> Self {
        match name.extension().and_then(|extension| extension.to_str()) {
            Some("gz" | "gzip") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            _ => Self::None,
        }
    }

    /// The compression by a file's magic number. No text starts with one.
    #[must_use]
    pub fn detect(head: &[u8]) -> Self {
        match head {
            [0x1F, 0x8B, ..] => Self::Gzip,
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_give_format_and_compression() {
        for (name, format, compression) in [
            ("a.csv", Some(Format::Csv), Compression::None),
            ("a.b.TSV", Some(Format::Tsv), Compression::None),
            ("a.jsonl.gz", Some(Format::JsonLines), Compression::Gzip),
            ("a.csv.zst", Some(Format::Csv), Compression::Zstd),
            ("a.parquet", Some(Format::Parquet), Compression::None),
            ("a.gz", None, Compression::Gzip),
            ("a", None, Compression::None),
        ] {
            assert_eq!((Format::of(Path::new(name)), Compression::of(Path::new(name))), (format, compression), "{name}");
        }
    }
}
