//! The connection to the authority's tables.

use cloud::{
    identity::{
        admin::{Admin, KeyInfo},
        setting::Table,
    },
    setting::Environment,
};

use crate::{
    error::Error,
    output::{relative_end, relative_time},
};

/// The number of seconds in an hour.
pub(crate) const HOUR: u64 = 60 * 60;

/// Connects to the tables that `environment` names.
pub(crate) async fn connect(environment: &Environment) -> Result<Admin, Error> {
    // If no environment file was found, this table is the first that is missing. Its own error says
    // what to do about that.
    Table::Clients.name(environment)?;
    Ok(Admin::from_env(environment).await?)
}

/// Describes the validity of a key at `now`, in seconds since 1970.
pub(super) fn validity(key: &KeyInfo, now: u64) -> String {
    match key.not_after {
        Some(end) => relative_end(end, now),
        None if key.not_before > now => format!("begins {}", relative_time(key.not_before, now)),
        None => format!("began {}", relative_time(key.not_before, now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_when_their_validity_begins_and_ends() {
        let key = |not_before, not_after| KeyInfo { kid: String::new(), not_before, not_after };
        assert_eq!(validity(&key(0, None), 2 * HOUR), "began 2 hours ago");
        assert_eq!(validity(&key(3 * HOUR, None), HOUR), "begins in 2 hours");
        assert_eq!(validity(&key(0, Some(HOUR)), 2 * HOUR), "ended 60 minutes ago");
    }
}
