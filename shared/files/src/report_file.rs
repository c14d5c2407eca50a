//! Writes the report beside the output.

use std::{
    io::{self, Write},
    panic::resume_unwind,
    path::Path,
};

use tokio::task::spawn_blocking;

use crate::{
    error::Error,
    location::Location,
    options::Options,
    paths::{parent_dir, report_path},
    report::Report,
};

/// Writes the report's JSON beside the output: `OUTPUT.report.json`. Standard output has none.
pub(crate) async fn save(report: &Report, options: &Options) -> Result<(), Error> {
    match (&options.output, &options.store) {
        (Location::Local(output), _) => {
            let path = report_path(output);
            write_file(&path, &report.to_json()).map_err(|cause| Error::output(path.display(), cause))
        }
        (Location::Object(output), Some(store)) => {
            let location = format!("{output}.report.json");
            let (store, address, json) = (store.clone(), location.parse(), report.to_json());
            let write = move || {
                let mut writer = store.write(address.map_err(io::Error::other)?);
                writer.write_all(json.as_bytes())?;
                writer.finish().map_err(io::Error::other)
            };
            let written = spawn_blocking(write).await.unwrap_or_else(|error| resume_unwind(error.into_panic()));
            written.map_err(|cause| Error::output(location, cause))
        }
        _ => Ok(()),
    }
}

fn write_file(path: &Path, json: &str) -> io::Result<()> {
    let mut draft = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // The umask gives the permissions, as for any new file.
        use std::os::unix::fs::PermissionsExt;
        draft.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut draft = draft.tempfile_in(parent_dir(path))?;
    draft.write_all(json.as_bytes())?;
    draft.persist(path)?;
    Ok(())
}
