//! # Why an upload is signed by a policy
//!
//! The guide's rule is to sign the text that comes. The credentials behind the signature may list, read, write and delete as far as
//! Brightcove's own policy reaches, and sign URLs for seven days; nobody outside knows how far that is. So a text is signed only when the
//! request that it is the hash of came along, and that is one of the six that an upload needs, on its own object, by whoever holds its token.
//! Everything before the token is said to anybody; everything after it only to the holder.
//!
//! The multipart upload's id is bound to the session when it is first named. Without that a second file of the same name, which the client
//! takes for the first one, would write into its object. Once a complete was signed it stays bound, so that nothing takes the place of what was
//! looked at and handed over.
//!
//! A create may be lost on its way back, and its video would have no name here. So a reference is noted first, and the video is created under
//! it: the reaper reads by that, and deletes by the id that it finds, and only where no upload has it.
//!
//! Each signature reads its item, strongly consistently: it follows the create at once, and whether an upload is over must be known. What is
//! kept by a warm function are the opened credentials, by what was sealed, so that KMS is asked once. Every write names the version that it is
//! made on; whoever loses reads and decides again.
//!
//! The client can carry no header and no cookie to another origin, so a caller's token is a cookie of the same origin or a part of the path.
//! Signing asks for none: the session token, which the policy compares, is one for a single upload.
//!
//! Statuses are chosen by what the client does with them: it gives up at 401 and 403, and repeats anything else with a fresh date. A stale date
//! is therefore 400, although it is a refusal like the others.
