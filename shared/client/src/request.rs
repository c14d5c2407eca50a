//! The bodies of requests.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::ids::{Group, Part};

/// What a group weighs around its values: `{"target":"1006","values":[]},`.
const GROUP_BYTES: usize = 32;

/// A request that shows the client's secret and is answered with a smart token.
pub(super) fn token(rpc: &str, client_id: &str, client_secret: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Token<'a> {
        rpc: &'a str,
        client_id: &'a str,
        client_secret: &'a str,
    }
    write(128, &Token { rpc, client_id, client_secret })
}

/// A request that translates: each run of one target is a group.
pub(super) fn translate(smart_token: &str, part: Part<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Translate<'a> {
        rpc: &'a str,
        smart_token: &'a str,
        transcode_data: Groups<'a>,
    }
    let groups = part.runs().count();
    let capacity = part.lines().len() + 2 * part.len() + GROUP_BYTES * groups + smart_token.len() + 128;
    write(capacity, &Translate { rpc: "request", smart_token, transcode_data: Groups(part) })
}

fn write(capacity: usize, body: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut text, body).expect("strings always have a JSON form");
    text
}

struct Groups<'a>(Part<'a>);

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.runs().map(Asked))
    }
}

struct Asked<'a>(Group<'a>);

impl Serialize for Asked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Asked", 2)?;
        fields.serialize_field("target", self.0.target.as_str())?;
        fields.serialize_field("values", &Values(&self.0))?;
        fields.end()
    }
}

struct Values<'a>(&'a Group<'a>);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.texts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::ids;

    #[test]
    fn each_run_of_one_target_becomes_a_group() {
        let ids = ids(&[("XY1005a", "1006"), ("\"é\n", "1006"), ("", "1007"), ("b", "1006")]);
        let body = translate("token", ids.all());
        let expected = concat!(
            r#"{"rpc":"request","smart_token":"token","transcode_data":[{"target":"1006","values":["XY1005a","\"é\n"]},"#,
            r#"{"target":"1007","values":[""]},{"target":"1006","values":["b"]}]}"#
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
