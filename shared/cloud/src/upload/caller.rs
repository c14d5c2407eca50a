//! The caller of `POST /upload`.

use std::net::{IpAddr, Ipv6Addr};

use shared::upload::Code;

use super::{error::Error, quota, setting::CallerPolicy};
use crate::gateway::Request;

/// The authorizer's mode for a caller with a token.
pub(super) const TOKEN: &str = "token";
/// The authorizer's mode if every caller is allowed.
pub(super) const OPEN: &str = "open";

/// The principal that creates an upload, with its limits.
pub(super) struct Principal {
    /// The hash of its identity, which the table stores.
    pub(super) hash: String,
    /// Whether it is authenticated: only then an upload can be resumed.
    pub(super) is_authenticated: bool,
    /// The maximum number of uploads that it may create in an hour, if its token limits it.
    pub(super) per_hour: Option<u64>,
    /// The maximum size of its files, in bytes.
    pub(super) max_bytes: Option<u64>,
    /// The allowed extensions of its files' names.
    pub(super) types: Option<Vec<String>>,
}

impl Principal {
    /// The principal of a request. A function that requires tokens does not trust an authorizer
    /// that allows every caller.
    pub(super) fn of(request: &Request, policy: CallerPolicy) -> Result<Self, Error> {
        let authorizer = match (policy, &request.authorizer) {
            (CallerPolicy::Open, _) => return Ok(Self::anonymous(&request.source_ip)),
            (CallerPolicy::Token, None) => return Err(Error::Code(Code::Unauthenticated)),
            (CallerPolicy::Token, Some(authorizer)) => authorizer,
        };
        if authorizer.values.get("mode").map(String::as_str) != Some(TOKEN) {
            return Err(Error::Code(Code::Forbidden));
        }
        let number = |name: &str| {
            let text = authorizer.values.get(name);
            text.map(|text| text.parse::<u64>()).transpose().map_err(|_| Error::Code(Code::Forbidden))
        };
        let per_hour = number("uploads_per_hour")?;
        // In the settings 0 means unlimited; in a token it means no upload.
        if per_hour == Some(0) {
            return Err(Error::Code(Code::Forbidden));
        }
        Ok(Self {
            hash: quota::principal_hash(TOKEN, &authorizer.principal),
            is_authenticated: true,
            per_hour,
            max_bytes: number("max_bytes")?,
            // An empty list arrives as an empty string, and allows nothing.
            types: authorizer
                .values
                .get("types")
                .map(|types| types.split(',').filter(|kind| !kind.is_empty()).map(str::to_lowercase).collect()),
        })
    }

    fn anonymous(source_ip: &str) -> Self {
        let hash = quota::principal_hash(OPEN, &source_network(source_ip));
        Self { hash, is_authenticated: false, per_hour: None, max_bytes: None, types: None }
    }

    /// Whether it may upload a file with this extension.
    pub(super) fn allows(&self, extension: Option<&str>) -> bool {
        self.types.as_ref().is_none_or(|types| extension.is_some_and(|extension| types.iter().any(|known| known == extension)))
    }
}

/// An IPv4 address, or the /64 network of an IPv6 address: one subscriber has all its addresses.
fn source_network(address: &str) -> String {
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
    fn an_ipv6_network_is_one_source() {
        for (address, expected) in [
            ("203.0.113.17", "203.0.113.17"),
            ("::ffff:203.0.113.17", "203.0.113.17"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:0DB8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("somewhere", "somewhere"),
        ] {
            assert_eq!(source_network(address), expected);
        }
    }
}
