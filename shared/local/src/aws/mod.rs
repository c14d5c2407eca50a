//! AWS on one machine: each service as far as the suite uses it.

pub(crate) mod api_gateway;
pub(crate) mod dynamodb;
pub(crate) mod eventbridge;
pub(crate) mod lambda;
pub(crate) mod s3;
pub(crate) mod sagemaker;
