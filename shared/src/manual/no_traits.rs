//! # Why there are no ports and no fakes
//!
//! Code speaks the AWS SDK, and meets AWS or an embedded engine by endpoint alone. A trait with one shipped implementation would have its other
//! one in tests only, and tests would then exercise that. So tests go through the SDK's serialisation, retries and signatures, into an engine
//! that refuses what DynamoDB refuses. Closed choices are enums: the master key is KMS or a file.
