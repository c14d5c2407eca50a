//! Why something is not signed: one table gives the enum, its codes, the sentences, and whose fault each is.
//!
//! What the client does with a status decides which one it gets. At 401 and 403 it gives the upload up; at anything else but 200 it makes a
//! fresh request and asks again. So what a fresh request may cure is a fault of the request (400), and what is never right is one of access
//! (403).

codes! {
    /// Why something is not signed. The order is the one in which they are looked for.
    pub enum Refusal {
        BadQuery = "bad_query" => Request, "the query has to_sign and datetime once each, and at most 8,192 bytes of valid escapes and UTF-8";
        CanonicalRequestRequired = "canonical_request_required" => Request, "the query needs canonical_request: a client that does not send it is too old";
        NotSigV4 = "not_sigv4" => Request, "to_sign is the four lines of AWS Signature Version 4";
        BadDatetime = "bad_datetime" => Request, "datetime is an instant such as 20260115T093000Z, and the second line of to_sign";
        ClockSkew = "clock_skew" => Request, "the caller's clock is more than 15 minutes from ours";
        BadScope = "bad_scope" => Request, "the third line of to_sign is the date, the region, s3 and aws4_request";
        HashMismatch = "hash_mismatch" => Request, "the fourth line of to_sign is not the hash of canonical_request";
        BadCanonicalRequest = "bad_canonical_request" => Request, "canonical_request has not the form of one, or lacks a header that is always signed";
        StaleDate = "stale_date" => Request, "x-amz-date is not datetime";
        SessionUnavailable = "session_unavailable" => Access, "there is no such upload, it is over, or this is not its token";
        HostNotAllowed = "host_not_allowed" => Access, "the host is not the bucket's";
        KeyNotAllowed = "key_not_allowed" => Access, "the path is not the one object of this upload";
        OperationNotAllowed = "operation_not_allowed" => Access, "an upload initiates, sends parts, lists them, completes, aborts, and looks at its object";
        HeadersNotAllowed = "headers_not_allowed" => Access, "the signed headers are not those of this operation";
        PayloadNotAllowed = "payload_not_allowed" => Access, "the payload's hash is not the one of this operation";
        PartLimit = "part_limit" => Access, "an upload has not as many parts as this";
        UploadMismatch = "upload_mismatch" => Access, "another multipart upload is under way for this video";
    }
}
