//! Request bodies of the API.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::ids::{Group, IdSlice};

/// The size of a group without its values: `{"target":"1006","values":[]},`.
const GROUP_OVERHEAD_BYTES: usize = 32;

/// Writes a request for a smart token, authenticated by the client's secret.
pub(crate) fn token(rpc: &str, client_id: &str, client_secret: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Token<'a> {
        rpc: &'a str,
        client_id: &'a str,
        client_secret: &'a str,
    }
    write(128, &Token { rpc, client_id, client_secret })
}

/// Writes a translation request. Each run of ids with one target is a group.
pub(crate) fn translate(smart_token: &str, ids: IdSlice<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Translate<'a> {
        rpc: &'a str,
        smart_token: &'a str,
        transcode_data: Groups<'a>,
    }
    let groups = ids.groups().count();
    let capacity = ids.lines().len() + 2 * ids.len() + GROUP_OVERHEAD_BYTES * groups + smart_token.len() + 128;
    write(capacity, &Translate { rpc: "request", smart_token, transcode_data: Groups(ids) })
}

fn write(capacity: usize, body: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut text, body).expect("strings always have a JSON form");
    text
}

struct Groups<'a>(IdSlice<'a>);

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.groups().map(GroupObject))
    }
}

struct GroupObject<'a>(Group<'a>);

impl Serialize for GroupObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("GroupObject", 2)?;
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
    use super::translate;
    use crate::ids::tests::ids;

    #[test]
    fn each_run_of_one_target_becomes_a_group() {
        let ids = ids(&[("XY1005a", "1006"), ("\"é\n", "1006"), ("", "1007"), ("b", "1006")]);
        let body = translate("token", ids.as_slice());
        let expected = concat!(
            r#"{"rpc":"request","smart_token":"token","transcode_data":[{"target":"1006","values":["XY1005a","\"é\n"]},"#,
            r#"{"target":"1007","values":[""]},{"target":"1006","values":["b"]}]}"#
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
