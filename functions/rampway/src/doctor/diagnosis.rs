//! The checks of a client's connection, with their results.

use std::{collections::BTreeSet, fmt, time::UNIX_EPOCH};

use client::{Client, Error, Health, KeyPacket};
use serde_json::{Value, json};
use shared::identity::{
    Domain, Scopes,
    token::{CLOCK_LEEWAY_SECONDS, SMART_TOKEN_TTL_SECONDS, Smart},
    translate::{Kernel, MAX_DOMAIN_PAIRS, MAX_IDS},
};

/// The daily initialisation is late if the keys expire sooner than this.
const MIN_KEY_TTL_SECONDS: u64 = 15 * 60;

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// Whether it is valid.
    pub ok: bool,
    /// What was found, and what to do if it is not valid.
    pub message: String,
}

/// The results of all checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis(Vec<Check>);

impl Diagnosis {
    /// Runs all checks of a client's connection.
    pub async fn of(client: &Client) -> Self {
        let mut diagnosis = Self::of_machine();
        let health = client.health().await;
        match &health {
            Ok(health) => {
                diagnosis.pass("reach", format!("the transcoder responds in {} ms", health.round_trip.as_millis()));
                diagnosis.check_clock(health.clock_offset_seconds);
            }
            Err(error) => diagnosis.fail("reach", error),
        }
        if matches!(health, Err(Error::Unreachable { .. })) {
            return diagnosis;
        }
        let claims: Option<Smart> = match client.token().await {
            Ok(token) => {
                let claims = token.claims();
                if claims.is_none() {
                    diagnosis.fail("token", "it is not a smart token; check that the URL is that of the customer's API");
                }
                claims
            }
            Err(error) => {
                diagnosis.fail("credentials", error);
                None
            }
        };
        if let Some(claims) = claims {
            diagnosis.check_token(&claims, health.as_ref().ok(), now());
        }
        diagnosis
            .pass("limits", format!("a request holds up to {MAX_IDS} ids and {MAX_DOMAIN_PAIRS} pairs of domains; larger ones are split"));
        diagnosis
    }

    /// Returns the diagnosis of a connection that cannot be used.
    #[must_use]
    pub fn unreachable(error: &impl fmt::Display) -> Self {
        let mut diagnosis = Self::of_machine();
        diagnosis.fail("connection", error);
        diagnosis
    }

    /// Runs the checks that need no connection.
    fn of_machine() -> Self {
        let mut diagnosis = Self::default();
        diagnosis.pass("machine", format!("a transcoder on this machine would use kernel {}", Kernel::fastest()));
        diagnosis
    }

    /// Returns the number of failed checks.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.0.iter().filter(|check| !check.ok).count()
    }

    /// Returns `{"ok": …, "checks": [{"check": …, "ok": …, "message": …}, …]}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checks: Vec<_> =
            self.0.iter().map(|Check { name, ok, message }| json!({"check": name, "ok": ok, "message": message})).collect();
        json!({"ok": self.failures() == 0, "checks": checks})
    }

    fn pass(&mut self, name: &'static str, message: impl fmt::Display) {
        self.0.push(Check { name, ok: true, message: message.to_string() });
    }

    fn fail(&mut self, name: &'static str, message: impl fmt::Display) {
        self.0.push(Check { name, ok: false, message: message.to_string() });
    }

    /// Checks how many seconds this machine's clock is ahead of the server's.
    fn check_clock(&mut self, offset_seconds: Option<i64>) {
        let Some(offset_seconds) = offset_seconds else { return };
        let (distance, side) = (offset_seconds.unsigned_abs(), if offset_seconds > 0 { "ahead of" } else { "behind" });
        let message = || format!("this machine's clock is {distance} s {side} the server's; up to {CLOCK_LEEWAY_SECONDS} s are tolerated");
        match distance {
            0..=1 => self.pass("clock", "this machine's clock and the server's agree"),
            _ if distance <= CLOCK_LEEWAY_SECONDS => self.pass("clock", message()),
            _ => {
                let effect = "set it, preferably by NTP: tokens are refreshed too late, and signatures are refused";
                self.fail("clock", format!("{}; {effect}", message()));
            }
        }
    }

    fn check_token(&mut self, claims: &Smart, health: Option<&Health>, now: u64) {
        let registered = &claims.registered;
        self.pass("credentials", format!("issuer {} accepts client {}", registered.iss, registered.sub));
        if health.is_none_or(|health| health.clock_offset_seconds.is_none()) {
            // A new token tells the issuer's time.
            self.check_clock(i64::try_from(now).ok().zip(i64::try_from(registered.iat).ok()).map(|(ours, theirs)| ours - theirs));
        }
        let ttl = registered.exp.saturating_sub(registered.iat);
        if ttl == 0 || registered.exp <= registered.nbf {
            self.fail("token", "it expires before it becomes valid; check the issuer's clock and settings");
        } else if ttl > SMART_TOKEN_TTL_SECONDS {
            let (ttl, max) = (duration(ttl), duration(SMART_TOKEN_TTL_SECONDS));
            let message = format!("it is valid for {ttl}, longer than {max}, and so is a revoked permission; check the issuer's settings");
            self.fail("token", message);
        } else {
            self.pass("token", format!("it is valid for {} and is refreshed before it expires", duration(ttl)));
        }
        match claims.scopes() {
            Err(error) => self.fail("permissions", format!("{error} ({}); ask the authority's operator", error.code().code())),
            Ok(scopes) => {
                self.check_permissions(&registered.sub, &scopes);
                for (variant, packet) in health.into_iter().flat_map(|health| health.for_client(&registered.sub)) {
                    self.check_keys(&variant.variant, packet, &scopes.domains());
                    self.pass("transcoder", format!("variant {} runs version {}", variant.variant, variant.version));
                }
            }
        }
    }

    fn check_permissions(&mut self, client: &str, scopes: &Scopes) {
        let directions: Vec<_> = scopes.directions().map(|direction| format!("{} to {}", direction.from, direction.to)).collect();
        if directions.is_empty() {
            let message = format!("client {client} may not translate (S009); ask the owners of both domains to approve a direction");
            self.fail("permissions", message);
        } else {
            self.pass("permissions", format!("client {client} may translate from {}", directions.join(", ")));
        }
    }

    fn check_keys(&mut self, variant: &str, packet: Option<&KeyPacket>, domains: &BTreeSet<Domain>) {
        let Some(packet) = packet else {
            let message = format!("variant {variant} holds no keys of this client yet (S007); send a first request, or POST /auth/init");
            return self.fail("keys", message);
        };
        let missing: Vec<_> = domains.iter().filter(|domain| !packet.key_ids.contains_key(domain)).map(Domain::to_string).collect();
        let held = format!("variant {variant} holds keys of {} domains", packet.key_ids.len());
        let (age, ttl) = (duration(packet.age), duration(packet.expires_in));
        if !missing.is_empty() {
            let missing = missing.join(", ");
            self.fail(
                "keys",
                format!("{held}, but none of {missing} (S007, S008); send POST /auth/init, or wait for the daily initialisation"),
            );
        } else if packet.expires_in < MIN_KEY_TTL_SECONDS {
            self.fail("keys", format!("{held}, which expire in {ttl}: the daily initialisation is late; send POST /auth/init"));
        } else {
            self.pass("keys", format!("{held}, loaded {age} ago, which expire in {ttl}"));
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, ok, message } in &self.0 {
            writeln!(f, "{:<6} {name:<12} {message}", if *ok { "ok" } else { "failed" })?;
        }
        Ok(())
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// Returns the seconds since 1970.
fn now() -> u64 {
    UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
