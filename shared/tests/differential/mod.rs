//! Differential test of a body's ids: the fast path and the reference, which is `serde_json`, give
//! the same outcome. The fuzz target `scan` includes this file, too.

pub mod keys;

use shared::identity::{
    rpc::{Body, Csv, Error, Ids, reference},
    translate::{Batch, Usage},
};

use keys::KEYS;

type Outcome = Result<(Vec<u8>, Usage), Error>;

fn begin() -> Batch<'static> {
    Batch::new(&KEYS.0, &KEYS.1, 1)
}

fn fast_path(ids: Ids<'_>) -> Outcome {
    let mut out = Vec::new();
    let usage = ids.transcode(begin, &mut out)?;
    Ok((out, usage))
}

fn by_reference(transcode: impl FnOnce(&mut Batch<'_>, &mut Vec<u8>) -> Result<(), Error>) -> Outcome {
    let (mut batch, mut out) = (begin(), Vec::new());
    transcode(&mut batch, &mut out)?;
    Ok((out, batch.finish()?))
}

/// Compares the outcomes of a JSON body. Returns whether the fast path accepts it.
pub fn compare(text: &[u8]) -> bool {
    let whole = Body::parse(text);
    if let Ok(Some(data)) = whole.as_ref().map(|body| body.transcode_data) {
        assert_eq!(fast_path(Ids::Array(data)), by_reference(|batch, out| reference::transcode(data, batch, out)));
    }
    let Some((head, ids)) = Body::begin(text) else { return false };
    let Ok(answer) = fast_path(ids) else { return false };
    let whole = whole.expect("the reference accepts what the fast path accepts");
    let fields = |body: &Body<'_>| (body.rpc.clone(), body.client_id.clone(), body.smart_token.clone(), body.init_token.clone());
    assert_eq!(fields(&head), fields(&whole));
    assert_eq!(Ok(answer), by_reference(|batch, out| reference::transcode(whole.transcode_data.expect("it has ids"), batch, out)));
    true
}

/// Compares the outcomes of JSON lines.
pub fn compare_lines(text: &[u8]) {
    assert_eq!(fast_path(Ids::Lines(text)), by_reference(|batch, out| reference::transcode_lines(text, batch, out)));
}

/// Compares the outcomes of CSV, with and without a target for all lines.
pub fn compare_csv(text: &[u8]) {
    for target in [None, Some("1006".parse().expect("a domain"))] {
        if let Ok(csv) = Csv::parse(text, target) {
            assert_eq!(fast_path(Ids::Csv(csv)), by_reference(|batch, out| reference::transcode_csv(csv, batch, out)));
        }
    }
}
