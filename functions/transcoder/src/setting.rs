//! What the container is told: environment and model directory, read once.

use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use shared::crypto::{
    jwe::PrivateKey,
    jws::{self, KeySet},
};

/// SageMaker's contract: the container listens here unless told otherwise.
const PORT: u16 = 8080;

/// What batch transform may send.
const MAX_BODY: usize = 100 << 20;
/// Two of the longest bodies and their answers, which leaves the smallest instance most of its memory.
const MAX_IN_FLIGHT: usize = 512 << 20;

/// What the container is told.
pub(crate) struct Setting {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Who issues tokens.
    pub(crate) issuer: String,
    /// The longest body, in bytes: batch transform sends up to 100 MB.
    pub(crate) max_body: usize,
    /// The most bytes of bodies and answers that are held at once: what comes over it is refused with 503 until some are gone.
    pub(crate) max_in_flight: usize,
    /// The keys that tokens are verified with; `None` when there are none or they are not readable.
    pub(crate) verification: Option<KeySet>,
    /// The key that packets are sealed to; `None` when it is missing or not readable.
    pub(crate) private_key: Option<PrivateKey>,
    /// The init token in the model directory, which is how batch transform gets its keys.
    pub(crate) init_token: Option<String>,
}

impl Setting {
    /// Reads the environment and the model directory.
    pub(crate) fn read() -> Result<Self, String> {
        let directory = PathBuf::from(text("MODEL_DIRECTORY").unwrap_or_else(|| "/opt/ml/model".into()));
        let file = |name: &str| fs::read_to_string(directory.join(name)).ok();
        // SageMaker calls from outside the container; a suite on one desk keeps to its loopback.
        let ip: IpAddr = parsed("RAMPWAY_BIND", Ipv4Addr::UNSPECIFIED.into())?;
        Ok(Self {
            address: SocketAddr::new(ip, parsed("SAGEMAKER_BIND_TO_PORT", PORT)?),
            issuer: text("ISSUER").unwrap_or_else(|| "rampway".into()),
            max_body: parsed("MAX_BODY_BYTES", MAX_BODY)?,
            max_in_flight: parsed("MAX_BYTES_IN_FLIGHT", MAX_IN_FLIGHT)?,
            verification: verification(text("PUBLIC_KEY_FOR_DECODING"), [text("VERIFICATION_KEYS"), file("verification_keys.json")]),
            private_key: file("private_key.pem").and_then(|pem| PrivateKey::from_pem(&pem).ok()),
            init_token: file("init_token").map(|token| token.trim().to_owned()),
        })
    }
}

/// All keys given, in one set; one that is not readable spoils them all, as it would be missed later.
fn verification(pem: Option<String>, sets: [Option<String>; 2]) -> Option<KeySet> {
    let pem = pem.map(|pem| KeySet::from_pem(&pem.replace("\\n", "\n")));
    let sets = sets.into_iter().flatten().map(|set| KeySet::from_json(&set));
    let keys: Result<Vec<KeySet>, jws::KeyRejected> = pem.into_iter().chain(sets).collect();
    keys.ok()?.into_iter().reduce(KeySet::join).filter(|keys| !keys.is_empty())
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn parsed<T: std::str::FromStr>(name: &str, default: T) -> Result<T, String> {
    text(name).map_or(Ok(default), |value| value.parse().map_err(|_| format!("{name} is not readable: {value}")))
}
