//! The documented codes of the upload API, except the refusals of the sign route
//! ([`super::refusal`]).

codes! {
    /// Why an upload is not created or ingested, or its status not returned.
    pub enum Code {
        Unauthenticated = "unauthenticated" => Identity, "the request carries no valid caller token";
        Forbidden = "forbidden" => Access, "the caller is not allowed to do this";
        NotFound = "not_found" => Absent, "the resource does not exist";
        Method = "method_not_allowed" => Request, "the method is not allowed at this path";
        MediaType = "media_type" => Request, "the media type is not supported; send application/json";
        TooLarge = "too_large" => Request, "the body is too large";
        BadBody = "bad_body" => Request, "the body is not the expected JSON object";
        BadResume = "bad_resume" => Request, "resume is invalid; pass it at most once, with at most 128 bytes";
        NameInvalid = "name_invalid" => Request, "the name is invalid; pass 1 to 255 characters, not all of them blank, without control characters and slashes";
        TypeNotAllowed = "type_not_allowed" => Request, "files of this type are not accepted";
        Throttled = "throttled" => Busy, "a rate or a quota is exceeded; try again later";
        UploadIncomplete = "upload_incomplete" => Request, "the upload is not complete; complete it first";
        IngestInProgress = "ingest_in_progress" => Request, "the ingest is in progress; poll the status of the upload";
        ObjectMissing = "object_missing" => Request, "the uploaded object does not exist";
        ObjectTooLarge = "object_too_large" => Request, "the uploaded object exceeds the size limit";
        UpstreamAuth = "upstream_auth" => Upstream, "Brightcove rejected the credentials of the account";
        UpstreamForbidden = "upstream_forbidden" => Upstream, "Brightcove denied this operation to the credentials of the account";
        UpstreamRejected = "upstream_rejected" => Request, "Brightcove rejected the request";
        UpstreamBusy = "upstream_busy" => Busy, "Brightcove is not available; try again later";
        UpstreamInvalid = "upstream_invalid" => Upstream, "Brightcove sent an invalid response";
        Unavailable = "unavailable" => Busy, "uploads are not available; try again later";
    }
}
