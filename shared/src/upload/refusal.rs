//! The documented codes of the sign route.
//!
//! The client's reaction decides the status. The client aborts the upload on 401 and 403, and
//! retries with a fresh request on any other status but 200. So a refusal that a fresh request may
//! fix has the fault [`Request`](crate::fault::Fault::Request) (400), and any other
//! [`Access`](crate::fault::Fault::Access) (403).

codes! {
    /// Why a request is not signed. The order is that of the checks.
    pub enum Refusal {
        BadQuery = "bad_query" => Request, "the query is invalid; pass to_sign and datetime once each, in at most 8,192 bytes of valid escapes and UTF-8";
        CanonicalRequestRequired = "canonical_request_required" => Request, "canonical_request is missing; use a client that sends it";
        NotSigV4 = "not_sigv4" => Request, "to_sign is not the four lines of AWS Signature Version 4";
        BadDatetime = "bad_datetime" => Request, "datetime is invalid; pass an instant such as 20260115T093000Z, equal to the second line of to_sign";
        ClockSkew = "clock_skew" => Request, "the client's clock differs from the server's by more than 15 minutes; correct it";
        BadScope = "bad_scope" => Request, "the third line of to_sign is not the date, the region, s3 and aws4_request";
        HashMismatch = "hash_mismatch" => Request, "the fourth line of to_sign is not the SHA-256 of canonical_request";
        BadCanonicalRequest = "bad_canonical_request" => Request, "canonical_request is malformed, or lacks a header that must be signed";
        StaleDate = "stale_date" => Request, "x-amz-date differs from datetime; sign a fresh request";
        SessionUnavailable = "session_unavailable" => Access, "the upload does not exist or has ended, or the session token is not its own";
        HostNotAllowed = "host_not_allowed" => Access, "the host is not one of the bucket's";
        KeyNotAllowed = "key_not_allowed" => Access, "the path is not the object of this upload";
        OperationNotAllowed = "operation_not_allowed" => Access, "the operation is not allowed; an upload may initiate, send and list parts, complete, abort, and head its object";
        HeadersNotAllowed = "headers_not_allowed" => Access, "the signed headers are not those of the operation";
        PayloadNotAllowed = "payload_not_allowed" => Access, "the payload hash is not valid for the operation";
        PartLimit = "part_limit" => Access, "the part number exceeds the limit of the upload";
        UploadMismatch = "upload_mismatch" => Access, "another multipart upload is in progress for this video";
    }
}
