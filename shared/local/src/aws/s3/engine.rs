//! The engine, with its deviations from S3 corrected.
//!
//! The engine itself does not report a missing upload, accepts parts with a wrong `Content-MD5`,
//! lists parts without `ETag` and unordered, and removes an upload whose completion it rejects. Two
//! deviations remain: part numbers must be 1, 2, 3 and so on without a gap, and a completed upload
//! cannot be completed again.

use std::{
    cmp::Ordering,
    io,
    path::{Path, PathBuf},
    sync::atomic::Ordering::Relaxed,
};

use s3s::{
    S3, S3Request, S3Response, S3Result,
    crypto::{Checksum, Md5},
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
        CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
        ListPartsInput, ListPartsOutput, Part, PutObjectInput, PutObjectOutput, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};
use s3s_fs::FileSystem;
use shared::encoding::{base64url, hex};
use tokio::fs;
use uuid::Uuid;

use super::content_md5;

/// The minimum size of a part, except for the last one of an upload.
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;

/// The maximum number of parts in a `ListParts` response.
const MAX_LISTED_PARTS: i32 = 1000;

pub(super) struct Engine {
    files: FileSystem,
    folder: PathBuf,
}

/// A stored part.
struct StoredPart {
    number: i32,
    size: u64,
    file: PathBuf,
}

impl Engine {
    pub(super) fn new(folder: &Path) -> Result<Self, s3s_fs::Error> {
        Ok(Self { files: FileSystem::new(folder)?, folder: folder.to_owned() })
    }

    /// Parses the id of an upload. It must be open, and of this object.
    fn open_upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<Uuid> {
        let no_such_upload = || s3_error!(NoSuchUpload, "The specified upload does not exist.");
        let id = Uuid::parse_str(id).map_err(|_| no_such_upload())?;
        // The engine's file names.
        let metadata = format!(".bucket-{}.object-{}.upload-{id}.metadata.json", base64url(bucket.as_bytes()), base64url(key.as_bytes()));
        let is_open = [format!(".upload-{id}.json"), metadata].iter().all(|name| self.folder.join(name).exists());
        if is_open { Ok(id) } else { Err(no_such_upload()) }
    }

    /// The stored parts of an upload, by number.
    async fn parts(&self, id: Uuid) -> io::Result<Vec<StoredPart>> {
        let prefix = format!(".upload_id-{id}.part-");
        let (mut entries, mut parts) = (fs::read_dir(&self.folder).await?, Vec::new());
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name();
            if let Some(number) = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.parse().ok()) {
                parts.push(StoredPart { number, size: entry.metadata().await?.len(), file: entry.path() });
            }
        }
        parts.sort_unstable_by_key(|part| part.number);
        Ok(parts)
    }
}

impl StoredPart {
    async fn etag(&self) -> io::Result<String> {
        Ok(hex(Md5::checksum(&fs::read(&self.file).await?).as_ref()))
    }
}

fn internal_error(error: io::Error) -> s3s::S3Error {
    s3_error!(error, InternalError)
}

#[async_trait::async_trait]
impl S3 for Engine {
    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.files.create_multipart_upload(request).await
    }

    async fn upload_part(&self, mut request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = &mut request.input;
        self.open_upload(&input.bucket, &input.key, &input.upload_id)?;
        if !(1..=10_000).contains(&input.part_number) {
            return Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"));
        }
        let Some(content_md5) = input.content_md5.take() else {
            return self.files.upload_part(request).await;
        };
        let body = input.body.take().ok_or_else(|| s3_error!(IncompleteBody))?;
        let (body, mismatch) = content_md5::verify(body, &content_md5).ok_or_else(|| s3_error!(InvalidDigest))?;
        input.body = Some(body);
        let output = self.files.upload_part(request).await;
        if mismatch.load(Relaxed) {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        output
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let id = self.open_upload(&input.bucket, &input.key, &input.upload_id)?;
        let marker = input.part_number_marker.unwrap_or_default();
        let max_parts = input.max_parts.unwrap_or(MAX_LISTED_PARTS).clamp(0, MAX_LISTED_PARTS);
        let stored = self.parts(id).await.map_err(internal_error)?;
        let mut remaining = stored.iter().filter(|part| part.number > marker);
        let mut parts = Vec::new();
        for part in remaining.by_ref().take(usize::try_from(max_parts).unwrap_or_default()) {
            parts.push(Part {
                part_number: Some(part.number),
                size: i64::try_from(part.size).ok(),
                e_tag: Some(ETag::Strong(part.etag().await.map_err(internal_error)?)),
                ..Part::default()
            });
        }
        Ok(S3Response::new(ListPartsOutput {
            next_part_number_marker: parts.last().and_then(|part| part.part_number),
            is_truncated: Some(remaining.next().is_some()),
            part_number_marker: Some(marker),
            max_parts: Some(max_parts),
            parts: Some(parts),
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            ..ListPartsOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = &request.input;
        let id = self.open_upload(&input.bucket, &input.key, &input.upload_id)?;
        let stored = self.parts(id).await.map_err(internal_error)?;
        let listed = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
        let mut previous = 0;
        for (index, listed_part) in listed.iter().enumerate() {
            let number = listed_part.part_number.unwrap_or_default();
            match number.cmp(&(previous + 1)) {
                Ordering::Equal => previous = number,
                Ordering::Less => return Err(s3_error!(InvalidPartOrder)),
                Ordering::Greater => return Err(s3_error!(NotImplemented, "Part numbers must be consecutive")),
            }
            let part = stored.iter().find(|part| part.number == number).ok_or_else(|| s3_error!(InvalidPart))?;
            let etag = part.etag().await.map_err(internal_error)?;
            if listed_part.e_tag.as_ref().is_some_and(|listed| listed.value() != etag) {
                return Err(s3_error!(InvalidPart));
            }
            if part.size < MIN_PART_BYTES && index + 1 < listed.len() {
                return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
            }
        }
        self.files.complete_multipart_upload(request).await
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = &request.input;
        self.open_upload(&input.bucket, &input.key, &input.upload_id)?;
        self.files.abort_multipart_upload(request).await
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.files.put_object(request).await
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        self.files.head_object(request).await
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.files.get_object(request).await
    }
}
