//! The credentials that S3 accepts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use shared::{
    crypto::system_rng,
    encoding::{base64, hex},
    secret::{Secret, SecretText},
};

/// The lifetime of temporary credentials.
const GRANT_TTL_SECONDS: u64 = 24 * 60 * 60;

/// Temporary credentials for one object.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: SecretText,
    pub(crate) session_token: SecretText,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// Seconds since 1970.
    pub(crate) expires_at: u64,
}

/// A grant in the state directory, with its secrets.
#[derive(Deserialize, Serialize)]
pub(crate) struct StoredGrant {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    key: String,
    expires_at: u64,
}

/// Credentials and what they allow.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    /// Every operation on every object.
    LongTerm(SecretText),
    /// Every operation on one object until it expires.
    Temporary(Grant),
}

impl Credentials {
    pub(super) const fn secret_access_key(&self) -> &SecretText {
        match self {
            Self::LongTerm(secret_access_key) => secret_access_key,
            Self::Temporary(grant) => &grant.secret_access_key,
        }
    }
}

/// All credentials that were issued, by access key id.
#[derive(Clone, Debug, Default)]
pub(crate) struct CredentialStore(Arc<Mutex<BTreeMap<String, Credentials>>>);

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl CredentialStore {
    /// A store with one pair of long-term credentials.
    pub(super) fn with_long_term(access_key_id: &str, secret_access_key: SecretText) -> Self {
        let store = Self::default();
        store.lock().insert(access_key_id.into(), Credentials::LongTerm(secret_access_key));
        store
    }

    /// Issues temporary credentials for an object.
    pub(super) fn issue(&self, bucket: &str, key: String) -> Grant {
        let mut rng = system_rng();
        let id = hex(Secret::<8>::generate(&mut rng).expose()).to_ascii_uppercase();
        let grant = Grant {
            access_key_id: format!("ASIA{id}"),
            secret_access_key: SecretText::new(base64(Secret::<30>::generate(&mut rng).expose())),
            // As long as a token of STS, and with every character that URLs must escape.
            session_token: SecretText::new(format!("IQoJ+/{}", base64(Secret::<500>::generate(&mut rng).expose()))),
            bucket: bucket.into(),
            key,
            expires_at: now() + GRANT_TTL_SECONDS,
        };
        self.insert(grant.clone());
        grant
    }

    pub(super) fn find(&self, access_key_id: &str) -> Option<Credentials> {
        self.lock().get(access_key_id).cloned()
    }

    /// Expires the temporary credentials of every object whose key has a prefix.
    pub(super) fn expire(&self, prefix: &str) {
        for credentials in self.lock().values_mut() {
            if let Credentials::Temporary(grant) = credentials
                && grant.key.starts_with(prefix)
            {
                grant.expires_at = now();
            }
        }
    }

    /// The grants that have not expired, for the state directory.
    pub(super) fn stored(&self) -> Vec<StoredGrant> {
        let all = self.lock();
        let grants = all.values().filter_map(|credentials| match credentials {
            Credentials::Temporary(grant) if !grant.has_expired() => Some(grant),
            _ => None,
        });
        grants
            .map(|grant| StoredGrant {
                access_key_id: grant.access_key_id.clone(),
                secret_access_key: grant.secret_access_key.expose().to_owned(),
                session_token: grant.session_token.expose().to_owned(),
                key: grant.key.clone(),
                expires_at: grant.expires_at,
            })
            .collect()
    }

    /// Adds grants of a bucket from the state directory.
    pub(super) fn restore(&self, bucket: &str, stored: Vec<StoredGrant>) {
        for stored in stored {
            self.insert(Grant {
                access_key_id: stored.access_key_id,
                secret_access_key: SecretText::new(stored.secret_access_key),
                session_token: SecretText::new(stored.session_token),
                bucket: bucket.into(),
                key: stored.key,
                expires_at: stored.expires_at,
            });
        }
    }

    fn insert(&self, grant: Grant) {
        self.lock().insert(grant.access_key_id.clone(), Credentials::Temporary(grant));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Credentials>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grant {
    pub(super) fn has_expired(&self) -> bool {
        self.expires_at <= now()
    }
}
