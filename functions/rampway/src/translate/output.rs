//! The output: a temporary file beside its final name, which it takes when all is written.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use super::Error;

/// A file in the making; dropping it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Output {
    writer: BufWriter<NamedTempFile>,
    file: PathBuf,
}

impl Output {
    /// Starts `file`, which must not be `input`.
    pub(super) fn create(input: &Path, file: &Path) -> Result<Self, Error> {
        let failed = |cause| Error::Output { file: file.into(), cause };
        if let Ok(existing) = fs::canonicalize(file) {
            if fs::canonicalize(input).is_ok_and(|input| input == existing) {
                return Err(Error::OwnInput { file: input.into() });
            }
            if existing.is_dir() {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
        }
        let name = file.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(".partial");
        #[cfg(unix)]
        {
            // As for any new file, the umask decides who may read the result.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let temporary = builder.tempfile_in(folder).map_err(failed)?;
        Ok(Self { writer: BufWriter::with_capacity(1 << 18, temporary), file: file.into() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.writer.write_all(bytes).map_err(|cause| Error::Output { file: self.file.clone(), cause })
    }

    /// Gives the file its name, once all of it is on the disk.
    pub(super) fn finish(self) -> Result<(), Error> {
        let Self { writer, file } = self;
        let finish = || {
            let temporary = writer.into_inner()?;
            temporary.as_file().sync_all()?;
            temporary.persist(&file)?;
            Ok(())
        };
        finish().map_err(|cause: io::Error| Error::Output { file: file.clone(), cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_there_before_the_end_and_nothing_is_left_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let (input, file) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
        let mut output = Output::create(&input, &file).unwrap();
        output.write(b"half").unwrap();
        assert!(!file.exists());
        drop(output);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut output = Output::create(&input, &file).unwrap();
        output.write(b"whole").unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_input_is_not_replaced_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in.csv");
        fs::write(&input, "id").unwrap();
        let alias = folder.path().join(".").join("in.csv");
        assert!(matches!(Output::create(&input, &alias), Err(Error::OwnInput { .. })));
        #[cfg(unix)]
        {
            let link = folder.path().join("link.csv");
            std::os::unix::fs::symlink(&input, &link).unwrap();
            assert!(matches!(Output::create(&input, &link), Err(Error::OwnInput { .. })));
        }
    }

    #[test]
    fn an_impossible_output_is_told_before_anything_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in.csv");
        assert!(Output::create(&input, folder.path()).unwrap_err().to_string().contains("directory"));
        assert!(Output::create(&input, &folder.path().join("no").join("out.csv")).is_err());
    }
}
