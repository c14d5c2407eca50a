//! # Why the template has two APIs
//!
//! The proxy's environment names the authority's URL. In one API that is a cycle to CloudFormation: the API's definition names its functions,
//! one of the functions names the API. Two APIs, one for each side, also deploy apart. On a desk both stand under one address.
//!
//! Routes take any method: API Gateway itself answers a wrong method as it answers a wrong path, and clients were promised 405.
