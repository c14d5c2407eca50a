//! # How keys change without a lost request
//!
//! **Domain keys.** A new version is published before it is used: until its `not_before` it decodes only. Transcoders get all versions with the
//! daily key packet, so with a lead of a day (the default of `rampway admin domains rotate`) every transcoder can read the new version before
//! anyone writes it. Earlier versions decode until they are retired. With `--now` the new version is used from the next initialisation on.
//!
//! **Key packets.** Each packet has a name. The proxy asks for translation under the packet that it keeps, and an instance that holds another,
//! or none, says so; the request is repeated once with the init token along, and succeeds. So all answers come from one packet from the moment
//! of a re-initialisation on, though SageMaker can address a variant but not an instance.
//!
//! **Signing keys.** The key set has the current key and the next. A transcoder cannot fetch it: it is pinned in the model directory, and each
//! verified init token carries the present set, which is added to what is pinned. Pinned keys must therefore be renewed only when none of them
//! signs any more. An init token of a foreign key changes nothing.
