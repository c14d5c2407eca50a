//! The documented codes of the translation API. One table gives the enum, its documentation and the
//! manual's table.

codes! {
    /// A documented code of the translation API. There is no E001.
    pub enum Code {
        E000 => Ours, "translation failed for an unknown reason",
            "Any failure without a code of its own: DynamoDB, the authority or the endpoint does not respond, or sends an invalid response.";
        E002 => Request, "security exception: bad key or unauthorised translation",
            "The id does not authenticate under any key of its domain: it was altered or relabelled, or encoded under another key.";
        E003 => Request, "invalid argument size for a batch",
            "No ids, too many ids, too many pairs of domains, or a body over the limit.";
        E004 => Request, "type not supported for now: other to native",
            "Never sent: every direction is supported.";
        E005 => Identity, "cannot parse and validate the smart token",
            "The token is missing or malformed.";
        E006 => Request, "cannot parse the request body";
        E007 => Request, "invalid translation type",
            "The target is not a domain: four letters or digits.";
        E008 => Request, "translation type not yet supported",
            "Never sent: every kind of id is supported.";
        I000 => Request, "cannot create a RampID for a partner: invalid link operation",
            "The target is the domain that the id is already in.";
        I001 => Request, "error decoding a RampID",
            "The prefix, the length, the alphabet or the spare bits are not those of an id.";
        I002 => Ours, "error encoding a RampID",
            "Never sent: a payload always has an encoding.";
        S001 => Access, "not authorised for this procedure, or invalid token",
            "An authentic token with another purpose: a smart token instead of an init token, or a scope that only the authority has.";
        S002 => Ours, "cannot create private key",
            "The transcoder's private key is missing or unreadable in its model directory.";
        S003 => Ours, "cannot create public key",
            "The transcoder's verification keys are missing or unreadable.";
        S004 => Ours, "cannot decrypt with the private/public algorithm",
            "The key packet was sealed to another transcoder's public key.";
        S005 => Ours, "cannot decrypt with the bulk algorithm",
            "The key packet was altered.";
        S006 => Ours, "cannot decrypt and load the key packet",
            "The key packet opens but does not hold keys in the expected form.";
        S007 => Busy, "invalid or missing key for the domain sent (value)",
            "For a whole request: the instance holds no keys yet.";
        S008 => Busy, "invalid or missing key for the domain sent (target)";
        S009 => Access, "not authorised to go from the domain (value)";
        S010 => Access, "not authorised to go to the domain (target)";
        S011 => Access, "cannot validate access",
            "The token is authentic, but its scopes are unreadable or belong to another client.";
        S012 => Identity, "cannot validate token",
            "The signature, key, algorithm, issuer or audience is wrong, or the token has expired or is not valid yet.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_twenty_three_codes_are_listed_and_e001_is_not() {
        assert_eq!(Code::ALL.len(), 23);
        assert!(Code::ALL.iter().all(|code| code.code() != "E001"));
    }
}
