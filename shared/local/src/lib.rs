//! AWS and the vendors on one machine: runs what `template.yaml` describes, with the binaries that
//! are deployed.
//!
//! This crate knows no function and no noun. A function is a process that fetches its events from a
//! Runtime API. It reaches DynamoDB, S3, SageMaker and the vendors by their endpoints alone, which
//! its environment sets.
//!
//! [`LocalCloud`] is the whole. [`DynamoDb`], [`S3`] and [`BrightcoveServer`] are its parts alone,
//! for tests that need no function.

mod aws;
pub mod binaries;
mod body;
mod environment;
mod error;
mod local_cloud;
mod logs;
mod options;
mod process;
mod provision;
mod server;
mod setting;
mod state;
mod template_source;
mod upload_side;
mod vendors;

pub use self::{
    aws::{
        dynamodb::DynamoDb,
        s3::{S3, S3Fault},
        sagemaker::Instance,
    },
    error::Error,
    local_cloud::LocalCloud,
    options::Options,
    provision::Provisioned,
    state::{State, StateDir},
    template_source::TemplateSource,
    upload_side::parameters,
    vendors::brightcove::{Brightcove, BrightcoveServer, Call, Job, JobState, UploadCredentials, Video},
};
