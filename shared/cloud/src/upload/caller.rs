//! Who begins an upload.

use std::net::{IpAddr, Ipv6Addr};

use shared::upload::Code;

use super::{Error, quota};
use crate::{gateway::Request, setting::UploadCallers};

/// How the authorizer let somebody pass who showed a token.
pub(super) const TOKEN: &str = "token";
/// How it let everybody pass.
pub(super) const OPEN: &str = "open";

/// Whoever begins an upload, and what he may do.
pub(super) struct Principal {
    /// What he is called in the table.
    pub(super) hash: String,
    /// Whether it is known who he is: only then an upload is given out again.
    pub(super) known: bool,
    /// How many uploads he may begin in an hour, where his token says it.
    pub(super) per_hour: Option<u64>,
    /// How many bytes his uploads may have.
    pub(super) max_bytes: Option<u64>,
    /// The extensions that his files may have.
    pub(super) types: Option<Vec<String>>,
}

impl Principal {
    /// The principal of a request, as the authorizer told it. A function that takes tokens does not trust one that takes everybody.
    pub(super) fn of(request: &Request, callers: UploadCallers) -> Result<Self, Error> {
        let open =
            |address: &str| Self { hash: quota::hash(OPEN, &source(address)), known: false, per_hour: None, max_bytes: None, types: None };
        let caller = match (callers, &request.caller) {
            (UploadCallers::Open, _) => return Ok(open(&request.source)),
            (UploadCallers::Token, None) => return Err(Error::Code(Code::Unauthenticated)),
            (UploadCallers::Token, Some(caller)) => caller,
        };
        if caller.context.get("mode").map(String::as_str) != Some(TOKEN) {
            return Err(Error::Code(Code::Forbidden));
        }
        let number = |name: &str| {
            let text = caller.context.get(name);
            text.map(|text| text.parse::<u64>()).transpose().map_err(|_| Error::Code(Code::Forbidden))
        };
        let per_hour = number("uploads_per_hour")?;
        // Of the settings' quota 0 is none; of a token's it is no upload.
        if per_hour == Some(0) {
            return Err(Error::Code(Code::Forbidden));
        }
        Ok(Self {
            hash: quota::hash(TOKEN, &caller.principal),
            known: true,
            per_hour,
            max_bytes: number("max_bytes")?,
            // An empty list travels as an empty text, and takes nothing.
            types: caller
                .context
                .get("types")
                .map(|types| types.split(',').filter(|kind| !kind.is_empty()).map(str::to_lowercase).collect()),
        })
    }

    /// Whether he may upload a file of an extension.
    pub(super) fn takes(&self, extension: Option<&str>) -> bool {
        self.types.as_ref().is_none_or(|types| extension.is_some_and(|extension| types.iter().any(|known| known == extension)))
    }
}

/// What counts as one source: an address, and of IPv6 the network, as whoever has one has all its addresses.
fn source(address: &str) -> String {
    match address.parse().map(|address: IpAddr| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.to_string(),
        Ok(IpAddr::V6(address)) => format!("{}/64", Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        for (address, expected) in [
            ("203.0.113.17", "203.0.113.17"),
            ("::ffff:203.0.113.17", "203.0.113.17"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:0DB8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("somewhere", "somewhere"),
        ] {
            assert_eq!(source(address), expected);
        }
    }
}
