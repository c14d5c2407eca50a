//! # Why the template has three APIs
//!
//! The proxy's environment names the authority's URL. In one API that is a cycle to CloudFormation: the API's definition names its functions,
//! one of the functions names the API. Two APIs, one for each side, also deploy apart. Uploads have a third: other people
//! run them, their errors have another form, and several web origins may read their answers. On a desk all stand under one address.
//!
//! An API Gateway that answers preflights itself knows one origin. Where there are several, the function answers them: it echoes the one that
//! asks, if it is known. So the upload API has no `Cors`, and its routes with an authorizer have an event of their own for `OPTIONS`, which
//! brings no credentials.
//!
//! The upload API is not traced: a trace keeps URLs, of which the path may hold a caller's token and the query a session's.
//!
//! Routes take any method: API Gateway itself answers a wrong method as it answers a wrong path, and clients were promised 405.
