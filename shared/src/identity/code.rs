//! The documented codes: one table gives the enum, its documentation, the sentences and the README's table.

codes! {
    /// A documented code of the translation API. There is no E001.
    pub enum Code {
        E000 => Ours, "translation failed for an unknown reason",
            "Whatever has no code of its own: the vault, the authority or the endpoint does not answer, or answers nonsense.";
        E002 => Request, "security exception: bad key or unauthorised translation",
            "The id does not authenticate under any key of its domain: it was altered, relabelled, or made with another key.";
        E003 => Request, "invalid argument size for a batch",
            "No ids, too many, too many pairs of domains, or a body over the limit.";
        E004 => Request, "type not supported for now: other to native",
            "Cannot happen: every direction is supported here.";
        E005 => Identity, "cannot parse and validate the smart token",
            "The token is missing or has not the form of one.";
        E006 => Request, "cannot parse the request body";
        E007 => Request, "invalid translation type",
            "The target is not a domain: four letters or digits.";
        E008 => Request, "translation type not yet supported",
            "Cannot happen: every kind of id is supported here.";
        I000 => Request, "cannot create a RampID for a partner: invalid link operation",
            "An id is not translated into the domain it is already in.";
        I001 => Request, "error decoding a RampID",
            "It has not the form of an id: prefix, length, alphabet or spare bits.";
        I002 => Ours, "error encoding a RampID",
            "Cannot happen: under a key that is there, every payload has an encoding.";
        S001 => Access, "not authorised for this procedure, or invalid token",
            "A genuine token for something else: a smart token where an init token is due, or a scope that is the authority's own.";
        S002 => Ours, "cannot create private key",
            "The transcoder's private key is missing or unreadable in its model directory.";
        S003 => Ours, "cannot create public key",
            "The transcoder's verification keys are missing or unreadable.";
        S004 => Ours, "cannot decrypt with the private/public algorithm",
            "The key packet was sealed to another transcoder's public key.";
        S005 => Ours, "cannot decrypt with the bulk algorithm",
            "The key packet was altered.";
        S006 => Ours, "cannot decrypt and load the key packet",
            "The key packet opens, but does not hold keys in the expected form.";
        S007 => Busy, "invalid or missing key for the domain sent (value)",
            "Of a whole request: this instance holds no keys yet.";
        S008 => Busy, "invalid or missing key for the domain sent (target)";
        S009 => Access, "not authorised to go from the domain (value)";
        S010 => Access, "not authorised to go to the domain (target)";
        S011 => Access, "cannot validate access",
            "The token is genuine, but its claims of access are not readable or are another client's.";
        S012 => Identity, "cannot validate token",
            "Wrong signature, key, algorithm, issuer or audience, expired, or not yet valid.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_twenty_three_codes_are_there_and_e001_is_not() {
        assert_eq!(Code::ALL.len(), 23);
        assert!(Code::ALL.iter().all(|code| code.code() != "E001"));
    }
}
