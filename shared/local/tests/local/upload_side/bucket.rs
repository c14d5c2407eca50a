//! What S3 accepts and rejects.

use reqwest::{Method, StatusCode};
use shared::encoding::base64;

use super::{Upload, answered, brightcove, refusal};
use crate::{client, header, start};

/// MD5 of `b"part"`, in base64.
const MD5_OF_PART: &str = "9Mk4XxkC9zNLALm07NFk3g==";

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_signed_with_or_without_its_port() {
    let cloud = start().await;
    let mut upload = Upload::begin(&cloud).await;
    assert_eq!(upload.send(Method::POST, "uploads=", b"").await.0, 200);
    upload.host = cloud.bucket_url().unwrap().trim_start_matches("http://").into();
    assert_eq!(upload.send(Method::POST, "uploads=", b"").await.0, 200);
    upload.host = "s3.amazonaws.com".into();
    assert_eq!(refusal(upload.send(Method::POST, "uploads=", b"").await), "403 SignatureDoesNotMatch");
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_s_domains_address_the_bucket() {
    let cloud = start().await;
    let mut upload = Upload::begin(&cloud).await;
    let path = format!("/{}", upload.key());
    for domain in ["s3.amazonaws.com", "s3-accelerate.amazonaws.com"] {
        upload.host = format!("{}.{domain}", upload.text("bucket"));
        let initiate = upload.request_at(Method::POST, &path, "uploads=", &[], Vec::new()).header("host", &upload.host);
        assert_eq!(answered(initiate).await.0, 200, "{domain}");
    }
    upload.host = "another.s3.amazonaws.com".into();
    let initiate = upload.request_at(Method::POST, &path, "uploads=", &[], Vec::new()).header("host", &upload.host);
    assert_eq!(refusal(answered(initiate).await), "403 AccessDenied");
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_credentials_allow_one_object() {
    let cloud = start().await;
    let mut upload = Upload::begin(&cloud).await;
    let other = upload.request_at(Method::PUT, &format!("/{}/another", upload.text("bucket")), "", &[], b"x".to_vec());
    assert_eq!(refusal(answered(other).await), "403 AccessDenied");
    let everything = upload.request_at(Method::GET, &format!("/{}", upload.text("bucket")), "list-type=2", &[], Vec::new());
    assert_eq!(refusal(answered(everything).await), "403 AccessDenied");
    let unsigned = upload.request(Method::POST, "uploads=", &[], Vec::new()).header("x-amz-acl", "public-read");
    assert_eq!(refusal(answered(unsigned).await), "403 AccessDenied");
    // The client gets the response although its body is not read.
    let refused = upload.request(Method::PUT, "partNumber=1&uploadId=x", &[("x-amz-acl", "y")], vec![0; 20 * 1024 * 1024]);
    assert_eq!(refusal(answered(refused).await), "404 NoSuchUpload");
    upload.region = "eu-west-1";
    assert_eq!(refusal(upload.send(Method::POST, "uploads=", b"").await), "400 AuthorizationHeaderMalformed");
    upload.region = "us-east-1";
    let token = upload.urls["session_token"].take();
    upload.urls["session_token"] = "another".into();
    assert_eq!(refusal(upload.send(Method::POST, "uploads=", b"").await), "400 InvalidToken");
    upload.urls["session_token"] = token;
    brightcove(&cloud).expire_credentials(&upload.video);
    assert_eq!(refusal(upload.send(Method::POST, "uploads=", b"").await), "400 ExpiredToken");
    upload.urls["access_key_id"] = "ASIAUNKNOWN".into();
    assert_eq!(refusal(upload.send(Method::POST, "uploads=", b"").await), "403 InvalidAccessKeyId");
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_completion_leaves_the_upload_open() {
    let cloud = start().await;
    let upload = Upload::begin(&cloud).await;
    let id = upload.initiate().await;
    let query = format!("partNumber=1&uploadId={id}");
    let wrong = upload.request(Method::PUT, &query, &[("content-md5", &base64(&[0; 16]))], b"part".to_vec());
    assert_eq!(refusal(answered(wrong).await), "400 BadDigest");
    let no_digest = upload.request(Method::PUT, &query, &[("content-md5", "x")], b"part".to_vec());
    assert_eq!(refusal(answered(no_digest).await), "400 InvalidDigest");
    let right = upload.request(Method::PUT, &query, &[("content-md5", MD5_OF_PART)], b"part".to_vec());
    let right = right.send().await.unwrap();
    assert_eq!(right.status(), StatusCode::OK);
    let small = header(&right, "etag");
    let second = upload.part(&id, 2, Vec::new()).await;
    assert_eq!(second.status(), StatusCode::OK, "a part may be empty");
    assert_eq!(refusal(upload.complete(&id, &[small, header(&second, "etag")]).await), "400 EntityTooSmall");
    assert_eq!(refusal(upload.complete(&id, &["\"another\""]).await), "400 InvalidPart");
    assert_eq!(upload.complete(&id, &[small]).await.0, 200);
    assert_eq!(cloud.object(upload.key()).as_deref(), Some(b"part".as_slice()));

    let id = upload.initiate().await;
    assert_eq!(upload.send(Method::DELETE, &format!("uploadId={id}"), b"").await.0, 204);
    for (method, query) in [(Method::PUT, "partNumber=1&"), (Method::GET, "part-number-marker=0&"), (Method::DELETE, "")] {
        assert_eq!(refusal(upload.send(method, &format!("{query}uploadId={id}"), b"").await), "404 NoSuchUpload");
    }
    assert_eq!(refusal(upload.complete(&id, &[small]).await), "404 NoSuchUpload");
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_any_origin_may_upload() {
    let cloud = start().await;
    let preflight = client().request(Method::OPTIONS, cloud.bucket_url().unwrap()).header("origin", "https://page.example");
    let preflight =
        preflight.header("access-control-request-method", "PUT").header("access-control-request-headers", "authorization,x-amz-date");
    let preflight = preflight.send().await.unwrap();
    assert_eq!((preflight.status().as_u16(), header(&preflight, "access-control-allow-origin")), (200, "*"));
    assert_eq!(header(&preflight, "access-control-allow-headers"), "authorization,x-amz-date");
    let object = format!("{}/bucket/key", cloud.bucket_url().unwrap());
    let refused = client().put(object).header("origin", "https://page.example").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), header(&refused, "access-control-expose-headers")), (403, "etag"));
    cloud.stop().await;
}
