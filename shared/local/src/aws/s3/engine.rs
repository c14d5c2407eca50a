//! The engine, and what it would answer otherwise than S3.
//!
//! It does not tell an upload that is not there from one that is somebody else's, takes parts whatever their checksum, tells parts without their
//! `ETag` and in any order, and loses an upload whose completion it refuses. Still not as S3: parts must be numbered from 1 without a gap,
//! and a completed upload is not completed again.

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

use super::part::Checked;

/// S3's smallest part, except for the last of an upload.
const SMALLEST: u64 = 5 * 1024 * 1024;

/// S3 lists no more parts at once.
const LISTED: i32 = 1000;

pub(super) struct Engine {
    files: FileSystem,
    folder: PathBuf,
}

/// A part that lies in the folder.
struct Stored {
    number: i32,
    size: u64,
    file: PathBuf,
}

impl Engine {
    pub(super) fn new(folder: &Path) -> Result<Self, s3s_fs::Error> {
        Ok(Self { files: FileSystem::new(folder)?, folder: folder.to_owned() })
    }

    /// The id of an upload of this object; S3 knows no other.
    fn upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<Uuid> {
        let absent = || s3_error!(NoSuchUpload, "The specified upload does not exist.");
        let id = Uuid::parse_str(id).map_err(|_| absent())?;
        // The names are the engine's.
        let of_object = format!(".bucket-{}.object-{}.upload-{id}.metadata.json", base64url(bucket.as_bytes()), base64url(key.as_bytes()));
        let there = [format!(".upload-{id}.json"), of_object].iter().all(|name| self.folder.join(name).exists());
        if there { Ok(id) } else { Err(absent()) }
    }

    /// The parts of an upload, by their numbers.
    async fn parts(&self, id: Uuid) -> io::Result<Vec<Stored>> {
        let prefix = format!(".upload_id-{id}.part-");
        let (mut entries, mut parts) = (fs::read_dir(&self.folder).await?, Vec::new());
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name();
            if let Some(number) = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.parse().ok()) {
                parts.push(Stored { number, size: entry.metadata().await?.len(), file: entry.path() });
            }
        }
        parts.sort_unstable_by_key(|part| part.number);
        Ok(parts)
    }
}

impl Stored {
    async fn tag(&self) -> io::Result<String> {
        Ok(hex(Md5::checksum(&fs::read(&self.file).await?).as_ref()))
    }
}

fn broken(error: io::Error) -> s3s::S3Error {
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
        self.upload(&input.bucket, &input.key, &input.upload_id)?;
        if !(1..=10_000).contains(&input.part_number) {
            return Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"));
        }
        let Some(promised) = input.content_md5.take() else {
            return self.files.upload_part(request).await;
        };
        let body = input.body.take().ok_or_else(|| s3_error!(IncompleteBody))?;
        let (body, differs) = Checked::new(body, &promised).ok_or_else(|| s3_error!(InvalidDigest))?;
        input.body = Some(s3s::dto::StreamingBlob::wrap(body));
        let stored = self.files.upload_part(request).await;
        if differs.load(Relaxed) {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        stored
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let id = self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let marker = input.part_number_marker.unwrap_or_default();
        let most = input.max_parts.unwrap_or(LISTED).clamp(0, LISTED);
        let stored = self.parts(id).await.map_err(broken)?;
        let mut rest = stored.iter().filter(|part| part.number > marker);
        let mut parts = Vec::new();
        for part in rest.by_ref().take(usize::try_from(most).unwrap_or_default()) {
            parts.push(Part {
                part_number: Some(part.number),
                size: i64::try_from(part.size).ok(),
                e_tag: Some(ETag::Strong(part.tag().await.map_err(broken)?)),
                ..Part::default()
            });
        }
        Ok(S3Response::new(ListPartsOutput {
            next_part_number_marker: parts.last().and_then(|part| part.part_number),
            is_truncated: Some(rest.next().is_some()),
            part_number_marker: Some(marker),
            max_parts: Some(most),
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
        let id = self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let stored = self.parts(id).await.map_err(broken)?;
        let named = input.multipart_upload.as_ref().and_then(|named| named.parts.as_deref()).unwrap_or_default();
        let mut before = 0;
        for (place, named_part) in named.iter().enumerate() {
            let number = named_part.part_number.unwrap_or_default();
            match number.cmp(&(before + 1)) {
                Ordering::Equal => before = number,
                Ordering::Less => return Err(s3_error!(InvalidPartOrder)),
                Ordering::Greater => return Err(s3_error!(NotImplemented, "This bucket wants parts without a gap")),
            }
            let part = stored.iter().find(|part| part.number == number).ok_or_else(|| s3_error!(InvalidPart))?;
            let tag = part.tag().await.map_err(broken)?;
            if named_part.e_tag.as_ref().is_some_and(|named| named.value() != tag) {
                return Err(s3_error!(InvalidPart));
            }
            if part.size < SMALLEST && place + 1 < named.len() {
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
        self.upload(&input.bucket, &input.key, &input.upload_id)?;
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
