//! What uploads are answered with when something fails, besides the [`Refusal`](super::Refusal)s of signing: one table gives the enum, its
//! codes, the sentences, and whose fault each is.

codes! {
    /// Why an upload is not created, handed over or told of.
    pub enum Code {
        Unauthenticated = "unauthenticated" => Identity, "the caller does not show who he is";
        Forbidden = "forbidden" => Access, "the caller may not do this";
        NotFound = "not_found" => Absent, "there is nothing of this name";
        Method = "method_not_allowed" => Request, "the method is another";
        MediaType = "media_type" => Request, "the body's media type is application/json";
        TooLarge = "too_large" => Request, "the body is too large";
        BadBody = "bad_body" => Request, "the body is not the JSON object that is expected";
        BadQuery = "bad_query" => Request, "resume is given once, with at most 128 bytes";
        NameInvalid = "name_invalid" => Request, "a name has 1 to 255 characters, not all of them blank, and no control characters or slashes";
        TypeNotAllowed = "type_not_allowed" => Request, "files of this type are not taken";
        Throttled = "throttled" => Busy, "this is too much at once: try again later";
        UploadIncomplete = "upload_incomplete" => Request, "the upload was never completed";
        IngestInProgress = "ingest_in_progress" => Request, "the upload is being handed over: ask for its status";
        ObjectMissing = "object_missing" => Request, "the uploaded object is not there";
        ObjectTooLarge = "object_too_large" => Request, "the uploaded object is larger than is taken";
        UpstreamAuth = "upstream_auth" => Upstream, "Brightcove does not accept our credentials";
        UpstreamForbidden = "upstream_forbidden" => Upstream, "Brightcove does not let our credentials do this";
        UpstreamRejected = "upstream_rejected" => Request, "Brightcove rejects the request";
        UpstreamBusy = "upstream_busy" => Busy, "Brightcove does not answer now: try again later";
        UpstreamInvalid = "upstream_invalid" => Upstream, "Brightcove does not answer as documented";
        Unavailable = "unavailable" => Busy, "uploads are not available now: try again later";
    }
}
