//! AWS on one machine: of each service the part that a stack uses.

pub(crate) mod api_gateway;
pub(crate) mod dynamodb;
pub(crate) mod eventbridge;
pub(crate) mod lambda;
pub(crate) mod s3;
pub(crate) mod sagemaker;
