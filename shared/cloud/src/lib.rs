//! What Rampway knows of the network: the Lambda door, DynamoDB with sealed items, the outbound client, and each noun's deeds.
//!
//! The wire is the port: this code speaks the AWS SDK, and meets AWS or an embedded engine by endpoint alone.

pub mod gateway;
pub mod http;
pub mod identity;
pub mod object;
pub mod setting;
pub mod upload;
pub mod vault;
