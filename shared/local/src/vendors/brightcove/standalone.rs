//! Brightcove alone, for tests.

use super::{
    router::serve,
    stand_in::{Brightcove, INGESTION_BUCKET},
};
use crate::{
    aws::s3::S3,
    error::Error,
    logs::Logs,
    server::{Server, listen},
};

/// Brightcove and its bucket alone, for tests that need no function. Dropped, they stop.
#[derive(Debug)]
pub struct BrightcoveServer {
    brightcove: Brightcove,
    s3: S3,
    _server: Server,
}

impl BrightcoveServer {
    /// Serves an account on a free port.
    pub async fn start(account: &str) -> Result<Self, Error> {
        let s3 = S3::without_credentials(INGESTION_BUCKET).await?;
        let (brightcove, server) = serve(listen(0).await?, account, s3.bucket().clone(), Logs::new(true), |_| Ok(()))?;
        Ok(Self { brightcove, s3, _server: server })
    }

    /// The stand-in.
    #[must_use]
    pub const fn brightcove(&self) -> &Brightcove {
        &self.brightcove
    }

    /// The bucket that source files are uploaded to.
    #[must_use]
    pub const fn s3(&self) -> &S3 {
        &self.s3
    }
}

impl Drop for BrightcoveServer {
    fn drop(&mut self) {
        self.brightcove.stop();
    }
}
