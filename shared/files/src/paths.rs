//! The paths of the files that a run writes beside its output.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{error::Error, location::Location, options::Options};

/// The path of the draft of `path`: `.audience.1006.csv.partial` for the extension `partial`.
pub(crate) fn draft_path(path: &Path, extension: &str) -> io::Result<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
    name.push(".");
    name.push(extension);
    Ok(path.with_file_name(name))
}

/// The path of the report on `output`: `audience.1006.csv.report.json`.
pub(crate) fn report_path(output: &Path) -> PathBuf {
    output.with_added_extension("report.json")
}

/// The directory that contains `file`.
pub(crate) fn parent_dir(file: &Path) -> &Path {
    file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Checks that the run's input, output, rejects file and report are different files.
pub(crate) fn check_distinct(options: &Options) -> Result<(), Error> {
    if let (Location::Object(input), Location::Object(output)) = (&options.input, &options.output)
        && input == output
    {
        return Err(Error::SameFile { file: input.to_string().into() });
    }
    let report = options.output.local().map(report_path);
    let files: Vec<&Path> =
        [options.input.local(), options.output.local(), options.rejects.as_deref(), report.as_deref()].into_iter().flatten().collect();
    for (index, file) in files.iter().enumerate() {
        if files[..index].iter().any(|other| canonical(other) == canonical(file)) {
            return Err(Error::SameFile { file: file.into() });
        }
    }
    Ok(())
}

/// The canonical path, by its directory if the file does not exist yet.
fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path)
        .or_else(|_| Ok::<_, io::Error>(fs::canonicalize(parent_dir(path))?.join(path.file_name().unwrap_or_default())))
        .unwrap_or(path.into())
}
