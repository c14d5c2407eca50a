//! Temporary credentials, each for one object.

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

use super::BUCKET;

/// How long credentials last.
const LIFE: u64 = 24 * 60 * 60;

/// What temporary credentials allow: one object.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: SecretText,
    pub(crate) session_token: SecretText,
    pub(crate) bucket: &'static str,
    pub(crate) key: String,
    pub(crate) expires_at: u64,
}

/// What is kept of credentials, their secrets with them.
#[derive(Deserialize, Serialize)]
pub(crate) struct Kept {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    key: String,
    expires_at: u64,
}

/// All credentials that were ever given, by their access key's id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants(Arc<Mutex<BTreeMap<String, Grant>>>);

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl Grants {
    /// Makes credentials for the object of a key.
    pub(crate) fn issue(&self, key: String) -> Grant {
        let mut rng = system_rng();
        let id = hex(Secret::<8>::generate(&mut rng).expose()).to_ascii_uppercase();
        let grant = Grant {
            access_key_id: format!("ASIA{id}"),
            secret_access_key: SecretText::new(base64(Secret::<30>::generate(&mut rng).expose())),
            // As long as STS makes them, and with all the letters that get lost in URLs.
            session_token: SecretText::new(format!("IQoJ+/{}", base64(Secret::<500>::generate(&mut rng).expose()))),
            bucket: BUCKET,
            key,
            expires_at: now() + LIFE,
        };
        self.all().insert(grant.access_key_id.clone(), grant.clone());
        grant
    }

    pub(super) fn find(&self, access_key_id: &str) -> Option<Grant> {
        self.all().get(access_key_id).cloned()
    }

    /// Ends the credentials of every object under a prefix.
    pub(crate) fn expire(&self, prefix: &str) {
        for grant in self.all().values_mut().filter(|grant| grant.key.starts_with(prefix)) {
            grant.expires_at = now();
        }
    }

    /// Those that have not ended, for the next start.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        let all = self.all();
        let live = all.values().filter(|grant| !grant.has_expired());
        live.map(|grant| Kept {
            access_key_id: grant.access_key_id.clone(),
            secret_access_key: grant.secret_access_key.expose().to_owned(),
            session_token: grant.session_token.expose().to_owned(),
            key: grant.key.clone(),
            expires_at: grant.expires_at,
        })
        .collect()
    }

    /// Those of an earlier start.
    pub(crate) fn restore(&self, kept: Vec<Kept>) {
        let grants = kept.into_iter().map(|kept| Grant {
            access_key_id: kept.access_key_id,
            secret_access_key: SecretText::new(kept.secret_access_key),
            session_token: SecretText::new(kept.session_token),
            bucket: BUCKET,
            key: kept.key,
            expires_at: kept.expires_at,
        });
        self.all().extend(grants.map(|grant| (grant.access_key_id.clone(), grant)));
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Grant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grant {
    pub(super) fn has_expired(&self) -> bool {
        self.expires_at <= now()
    }
}
