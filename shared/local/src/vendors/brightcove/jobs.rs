//! Runs ingest jobs: fetches the source file from the bucket, completes the video, and calls back.

use std::{fs::File, io, io::Read, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::encoding::hex;

use super::{
    error_response::Api,
    job::{Job, JobState},
    stand_in::Brightcove,
};

/// How long each step of a job takes: long enough that a client sees the states in between.
const JOB_STEP: Duration = Duration::from_millis(20);

/// The vendor's limit on callbacks of a job.
const MAX_CALLBACKS: usize = 10;

/// How much of a source file is read at once.
const READ_BUFFER_BYTES: usize = 256 * 1024;

pub(super) async fn list(State(brightcove): State<Brightcove>, Path((account, video)): Path<(String, String)>) -> Response {
    let jobs = brightcove.jobs().into_iter().filter(|job| job.video == video);
    Json(jobs.map(|job| job.json(&account)).collect::<Vec<_>>()).into_response()
}

pub(super) async fn read(State(brightcove): State<Brightcove>, Path((account, video, id)): Path<(String, String, String)>) -> Response {
    match brightcove.jobs().into_iter().find(|job| job.video == video && job.id == id) {
        Some(job) => Json(job.json(&account)).into_response(),
        None => Api::Cms.error(StatusCode::NOT_FOUND, "RESOURCE_NOT_FOUND", "There is no such job."),
    }
}

/// Starts a job in the background.
pub(super) fn start(brightcove: &Brightcove, job: Job) {
    let (mut running, brightcove) = (brightcove.running_jobs(), brightcove.clone());
    while running.try_join_next().is_some() {}
    running.spawn(async move { run(&brightcove, &job).await });
}

async fn run(brightcove: &Brightcove, job: &Job) {
    tokio::time::sleep(JOB_STEP).await;
    while brightcove.state().jobs_are_held {
        tokio::time::sleep(JOB_STEP).await;
    }
    let notification = |action: &str, status: &str| {
        json!({
            "entity": job.video,
            "entityType": "TITLE",
            "version": "1",
            "action": action,
            "status": status,
            "jobId": job.id,
            "videoId": job.video,
            "accountId": brightcove.account(),
        })
    };
    let Some((bytes, sha256)) = fetch(brightcove, job.request["master"]["url"].as_str().unwrap_or_default()).await else {
        change(brightcove, &job.id, |job| job.state = JobState::Failed);
        let mut notification = notification("CREATE", "FAILED");
        notification["errorMessage"] = "The source file cannot be fetched.".into();
        return call_back(brightcove, job, &notification).await;
    };
    change(brightcove, &job.id, |job| {
        job.state = JobState::Published;
        (job.bytes, job.sha256) = (Some(bytes), Some(sha256));
    });
    brightcove.set_complete(&job.video);
    call_back(brightcove, job, &notification("CREATE", "SUCCESS")).await;
    tokio::time::sleep(JOB_STEP).await;
    change(brightcove, &job.id, |job| job.state = JobState::Finished);
    call_back(brightcove, job, &notification("PUBLISH", "SUCCESS")).await;
}

/// The size and the SHA-256 of the object at a URL; `None` when it is not in the bucket.
async fn fetch(brightcove: &Brightcove, url: &str) -> Option<(u64, String)> {
    let file = brightcove.bucket().file(brightcove.bucket().key(url)?);
    let read = move || -> io::Result<(u64, String)> {
        let (mut file, mut digest, mut length) = (File::open(file)?, Sha256::new(), 0);
        let mut buffer = vec![0; READ_BUFFER_BYTES];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((length, hex(&digest.finalize()))),
                count => {
                    digest.update(&buffer[..count]);
                    length += count as u64;
                }
            }
        }
    };
    tokio::task::spawn_blocking(read).await.ok()?.ok()
}

fn change(brightcove: &Brightcove, id: &str, change: impl FnOnce(&mut Job)) {
    if let Some(job) = brightcove.state().jobs.iter_mut().find(|job| job.id == id) {
        change(job);
    }
}

async fn call_back(brightcove: &Brightcove, job: &Job, notification: &Value) {
    let urls = job.request["callbacks"].as_array().into_iter().flatten().filter_map(Value::as_str).take(MAX_CALLBACKS);
    for url in urls {
        let response = brightcove.http().post(url).json(notification).send().await;
        let status = response.map_or(0, |response| response.status().as_u16());
        if !(200..300).contains(&status) {
            // The URL authorizes its holder, so it is not logged.
            brightcove.logs().line("brightcove", &format!("the callback of job {} returned {status}", job.id));
        }
        change(brightcove, &job.id, |job| job.callbacks.push(status));
    }
}
