//! Looks after a client's connection: whom it reaches, as whom, what it may do there, and whether the transcoder can do it.

use std::{collections::BTreeSet, fmt, time::UNIX_EPOCH};

use serde_json::{Value, json};
use shared::identity::{
    Domain, Scopes,
    token::{CLOCK_LEEWAY_SECONDS, SMART_TOKEN_TTL_SECONDS, Smart},
    translate::{Kernel, MAX_DOMAIN_PAIRS, MAX_IDS},
};

use client::{Client, Error, Health, KeyPacket};

/// Keys that end sooner than this, in seconds, should have been renewed.
const ENDING: u64 = 15 * 60;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found; and what to do, when it is not.
    pub said: String,
}

/// All that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination(Vec<Check>);

impl Examination {
    /// Looks at everything that the client reaches.
    pub async fn of(client: &Client) -> Self {
        let mut found = Self::of_machine();
        let health = client.health().await;
        match &health {
            Ok(health) => {
                found.ok("reach", format!("the transcoder answers in {} ms", health.round_trip.as_millis()));
                found.clock(health.clock_offset_seconds);
            }
            Err(error) => found.wrong("reach", error),
        }
        if matches!(health, Err(Error::Unreachable { .. })) {
            return found;
        }
        let claims: Option<Smart> = match client.token().await {
            Ok(token) => {
                let claims = token.claims();
                if claims.is_none() {
                    found.wrong("token", "it is not one of ours: check that the URL is that of the customer's API");
                }
                claims
            }
            Err(error) => {
                found.wrong("credentials", error);
                None
            }
        };
        if let Some(claims) = claims {
            found.token(&claims, health.as_ref().ok(), now());
        }
        found.ok("limits", format!("{MAX_IDS} ids and {MAX_DOMAIN_PAIRS} pairs of domains a request; what is larger is halved"));
        found
    }

    /// An examination that ended before it began.
    #[must_use]
    pub fn impossible(said: &impl fmt::Display) -> Self {
        let mut found = Self::of_machine();
        found.wrong("connection", said);
        found
    }

    /// What can be looked at without asking anybody.
    fn of_machine() -> Self {
        let mut found = Self::default();
        found.ok("machine", format!("it would translate with kernel {}", Kernel::fastest()));
        found
    }

    /// How many things are not as they should be.
    #[must_use]
    pub fn wrongs(&self) -> usize {
        self.0.iter().filter(|check| !check.ok).count()
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checks: Vec<_> = self.0.iter().map(|Check { name, ok, said }| json!({"check": name, "ok": ok, "message": said})).collect();
        json!({"ok": self.wrongs() == 0, "checks": checks})
    }

    fn ok(&mut self, name: &'static str, said: impl fmt::Display) {
        self.0.push(Check { name, ok: true, said: said.to_string() });
    }

    fn wrong(&mut self, name: &'static str, said: impl fmt::Display) {
        self.0.push(Check { name, ok: false, said: said.to_string() });
    }

    /// `ahead` is how far our clock is ahead of theirs, in seconds.
    fn clock(&mut self, ahead: Option<i64>) {
        let Some(ahead) = ahead else { return };
        let (apart, side) = (ahead.unsigned_abs(), if ahead > 0 { "ahead of" } else { "behind" });
        match apart {
            0..=1 => self.ok("clock", "this machine's clock and the server's agree"),
            _ if apart <= CLOCK_LEEWAY_SECONDS => self.ok("clock", format!("this machine's clock is {apart} s {side} the server's, of {CLOCK_LEEWAY_SECONDS} s at most")),
            _ => self.wrong(
                "clock",
                format!("this machine's clock is {apart} s {side} the server's, of {CLOCK_LEEWAY_SECONDS} s at most: set it, best by NTP, or tokens are refreshed too late and signatures refused"),
            ),
        }
    }

    fn token(&mut self, claims: &Smart, health: Option<&Health>, now: u64) {
        let common = &claims.registered;
        self.ok("credentials", format!("client {} is admitted by issuer {}", common.sub, common.iss));
        if health.is_none_or(|health| health.clock_offset_seconds.is_none()) {
            // A token that was made just now says what time it is there.
            self.clock(i64::try_from(now).ok().zip(i64::try_from(common.iat).ok()).map(|(ours, theirs)| ours - theirs));
        }
        let life = common.exp.saturating_sub(common.iat);
        if life == 0 || common.exp <= common.nbf {
            self.wrong("token", "its life is over before it begins: its issuer's clock or settings are wrong");
        } else if life > SMART_TOKEN_TTL_SECONDS {
            self.wrong(
                "token",
                format!("it lives {}, longer than {}: a revoked permission would last as long", span(life), span(SMART_TOKEN_TTL_SECONDS)),
            );
        } else {
            self.ok("token", format!("it lives {} and is renewed before its end", span(life)));
        }
        match claims.scopes() {
            Err(error) => self.wrong("permissions", format!("{error} ({}): ask the authority's operator", error.code().code())),
            Ok(scopes) => {
                self.permissions(&common.sub, &scopes);
                for (variant, keys) in health.into_iter().flat_map(|health| health.for_client(&common.sub)) {
                    self.keys(&variant.variant, keys, &scopes.domains());
                    self.ok("transcoder", format!("variant {} runs version {}", variant.variant, variant.version));
                }
            }
        }
    }

    fn permissions(&mut self, client: &str, scopes: &Scopes) {
        let ways: Vec<_> = scopes.directions().map(|way| format!("{} to {}", way.from, way.to)).collect();
        if ways.is_empty() {
            self.wrong(
                "permissions",
                format!("client {client} may translate nothing (S009): the owners of both domains have to order a direction"),
            );
        } else {
            self.ok("permissions", format!("client {client} may translate from {}", ways.join(", ")));
        }
    }

    fn keys(&mut self, variant: &str, keys: Option<&KeyPacket>, domains: &BTreeSet<Domain>) {
        let Some(keys) = keys else {
            let said = "holds no keys of this client yet (S007): they come with the first request, or by POST /auth/init";
            return self.wrong("keys", format!("variant {variant} {said}"));
        };
        let lacking: Vec<_> = domains.iter().filter(|domain| !keys.key_ids.contains_key(domain)).map(Domain::to_string).collect();
        let held = format!("variant {variant} holds keys of {} domains", keys.key_ids.len());
        let (age, left) = (span(keys.age), span(keys.expires_in));
        if !lacking.is_empty() {
            let lacking = lacking.join(", ");
            self.wrong(
                "keys",
                format!("{held}, but none of {lacking} (S007, S008): call POST /auth/init, or wait for the daily initialisation"),
            );
        } else if keys.expires_in < ENDING {
            self.wrong("keys", format!("{held}, which end in {left}: the daily initialisation has not come; call POST /auth/init"));
        } else {
            self.ok("keys", format!("{held}, loaded {age} ago, for {left} more"));
        }
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, ok, said } in &self.0 {
            writeln!(f, "{:<6} {name:<12} {said}", if *ok { "ok" } else { "wrong" })?;
        }
        Ok(())
    }
}

/// A time in words.
fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
