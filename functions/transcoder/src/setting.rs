//! The container's configuration: environment and model directory, read once.

use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use shared::crypto::{
    jwe::PrivateKey,
    jws::{self, KeySet},
};

/// The port of SageMaker's container contract.
const DEFAULT_PORT: u16 = 8080;

/// The maximum payload of SageMaker batch transform.
const DEFAULT_MAX_BODY_BYTES: usize = 100 << 20;
/// Two bodies of the maximum length with their responses. The smallest instance type keeps most of
/// its memory.
const DEFAULT_MAX_BYTES_IN_FLIGHT: usize = 512 << 20;

/// The container's configuration.
pub(crate) struct Setting {
    /// The address to listen on.
    pub(crate) address: SocketAddr,
    /// The expected `iss` of every token.
    pub(crate) issuer: String,
    /// The maximum length of a request body, in bytes.
    pub(crate) max_body_bytes: usize,
    /// The memory budget of request and response bodies, in bytes. Requests beyond it are answered
    /// with status 503.
    pub(crate) max_bytes_in_flight: usize,
    /// The keys that verify tokens; `None` if none is configured or one cannot be parsed.
    pub(crate) verification_keys: Option<KeySet>,
    /// The key that opens key packets; `None` if it is missing or cannot be parsed.
    pub(crate) private_key: Option<PrivateKey>,
    /// The init token in the model directory, from which batch transform gets its keys.
    pub(crate) init_token: Option<String>,
}

impl Setting {
    /// Reads the environment and the model directory.
    ///
    /// Returns a message if a variable cannot be parsed.
    pub(crate) fn read() -> Result<Self, String> {
        let directory = PathBuf::from(text("MODEL_DIRECTORY").unwrap_or_else(|| "/opt/ml/model".into()));
        let file = |name: &str| fs::read_to_string(directory.join(name)).ok();
        // SageMaker connects from outside the container. `rampway serve` binds to loopback.
        let ip: IpAddr = parsed("RAMPWAY_BIND", Ipv4Addr::UNSPECIFIED.into())?;
        Ok(Self {
            address: SocketAddr::new(ip, parsed("SAGEMAKER_BIND_TO_PORT", DEFAULT_PORT)?),
            issuer: text("ISSUER").unwrap_or_else(|| "rampway".into()),
            max_body_bytes: parsed("MAX_BODY_BYTES", DEFAULT_MAX_BODY_BYTES)?,
            max_bytes_in_flight: parsed("MAX_BYTES_IN_FLIGHT", DEFAULT_MAX_BYTES_IN_FLIGHT)?,
            verification_keys: verification_keys(
                text("PUBLIC_KEY_FOR_DECODING"),
                [text("VERIFICATION_KEYS"), file("verification_keys.json")],
            ),
            private_key: file("private_key.pem").and_then(|pem| PrivateKey::from_pem(&pem).ok()),
            init_token: file("init_token").map(|token| token.trim().to_owned()),
        })
    }
}

/// All configured keys in one set. `None` if any of them cannot be parsed: a missing key would
/// surface only when a token needs it.
fn verification_keys(pem: Option<String>, sets: [Option<String>; 2]) -> Option<KeySet> {
    let pem = pem.map(|pem| KeySet::from_pem(&pem.replace("\\n", "\n")));
    let sets = sets.into_iter().flatten().map(|set| KeySet::from_json(&set));
    let keys: Result<Vec<KeySet>, jws::KeyRejected> = pem.into_iter().chain(sets).collect();
    keys.ok()?.into_iter().reduce(KeySet::merge).filter(|keys| !keys.is_empty())
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn parsed<T: std::str::FromStr>(name: &str, default: T) -> Result<T, String> {
    text(name).map_or(Ok(default), |value| value.parse().map_err(|_| format!("{name} is invalid: {value:?}; correct or unset it")))
}
