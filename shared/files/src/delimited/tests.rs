//! Reads and renders delimited text with a fake translation that replaces the first letter.

use std::{io::Cursor, num::NonZero};

use client::Outcomes;

use super::*;
use crate::{
    format::Compression, layout::Layout, options::DEFAULT_API_REQUEST_BYTES, render::Renderer, rendered::RenderedRows, request_size,
    stats::Stats,
};

fn named(name: &str) -> Column {
    Column::Named(name.into())
}

fn numbered(number: usize) -> Column {
    Column::Numbered(NonZero::new(number).unwrap())
}

fn fixed_target() -> Target {
    Target::Domain("1006".parse().unwrap())
}

fn reader(text: &[u8], delimiter: u8, column: &Column, target: &Target, request_bytes: usize) -> Result<(Reader, Header), InputError> {
    Reader::new(Box::new(Cursor::new(text.to_vec())), delimiter, column, target, request_bytes)
}

/// Translates `X…` into `Y…` and refuses all other ids. Returns the output and the rejects file's
/// rows.
fn translate(text: &[u8], delimiter: u8, column: &Column, target: &Target) -> Result<[String; 2], String> {
    let render = || -> Result<[Vec<u8>; 2], InputError> {
        let (mut reader, header) = reader(text, delimiter, column, target, DEFAULT_API_REQUEST_BYTES)?;
        let added = [column.translated_name(target), "error_code".to_owned()];
        let layout = Layout::Delimited(delimiter);
        let renderer = Renderer { from: layout, to: layout, names: vec![], added, compression: Compression::None, rejects: true };
        let names = renderer.added.each_ref().map(String::as_str);
        let mut all = [header.with_columns(&names, delimiter), Vec::new()];
        let mut stats = Stats::default();
        while let Some(chunk) = reader.next()? {
            let mut outcomes = Outcomes::default();
            for (id, _) in chunk.ids.iter() {
                match str::from_utf8(id).unwrap().strip_prefix('X') {
                    Some(rest) => outcomes.push(&format!("Y{rest}")),
                    None => outcomes.refuse("I001", "bad, id"),
                }
            }
            let translated = renderer.render(chunk, &outcomes)?;
            stats.merge(&translated.stats);
            let RenderedRows::Text(rows) = translated.rows else { panic!("delimited text is rendered as text") };
            all[0].extend(rows);
            all[1].extend(translated.rejects);
        }
        Ok(all)
    };
    let all = render().map_err(|error| error.to_string())?;
    Ok(all.map(|text| text.into_iter().map(char::from).collect()))
}

fn render(text: &[u8], column: &Column) -> Result<String, String> {
    translate(text, b',', column, &fixed_target()).map(|[rows, _]| rows)
}

#[test]
fn rows_are_copied_byte_for_byte_with_two_more_columns() {
    let text = b"name,id\r\n\"Doe, \"\"J\"\"\r\n\",Xa\r\n caf\xE9 ,\"Xb\"\n,c";
    let expected = "name,id,id_1006,error_code\r\n\"Doe, \"\"J\"\"\r\n\",Xa,Ya,\r\n caf\u{e9} ,\"Xb\",Yb,\n,c,,I001";
    assert_eq!(render(text, &named("id")).unwrap(), expected);
}

#[test]
fn blank_ids_have_empty_results() {
    let text = b"id,n\n,1\n\" \",2\nXa,3\n";
    assert_eq!(render(text, &named("id")).unwrap(), "id,n,id_1006,error_code\n,1,,\n\" \",2,,\nXa,3,Ya,\n");
}

#[test]
fn each_row_may_have_its_own_target() {
    let text = b"id,to\nXa,1006\nXb, 1007 \nXc,nowhere\n,nowhere\nXd,\n";
    let [rows, rejects] = translate(text, b',', &named("id"), &Target::Column(named("to"))).unwrap();
    assert_eq!(rows, "id,to,id_translated,error_code\nXa,1006,Ya,\nXb, 1007 ,Yb,\nXc,nowhere,,E007\n,nowhere,,\nXd,,,E007\n");
    let reason = "the target is not a domain: four letters or digits";
    assert_eq!(rejects, format!("Xc,nowhere,E007,{reason}\nXd,,E007,{reason}\n"));
}

#[test]
fn refused_rows_are_written_with_code_and_message() {
    let [_, rejects] = translate(b"n\tid\n\"1\"\tq\n2\tXa\n3\t\xE9", b'\t', &named("id"), &fixed_target()).unwrap();
    assert_eq!(rejects, "\"1\"\tq\tI001\tbad, id\n3\t\u{e9}\tI001\tbad, id\n");
}

#[test]
fn an_empty_line_is_a_row_only_in_a_file_of_one_column() {
    assert_eq!(render(b"id\n\nXa\n\n", &named("id")).unwrap(), "id,id_1006,error_code\n,,\nXa,Ya,\n,,\n");
    assert_eq!(render(b"id,n\n\nXa,1\n\n", &named("id")).unwrap(), "id,n,id_1006,error_code\n\nXa,1,Ya,\n\n");
}

#[test]
fn a_byte_order_mark_is_kept() {
    let text = b"\xEF\xBB\xBF\"id\"\nXa\n";
    assert_eq!(render(text, &named("id")).unwrap(), "\u{ef}\u{bb}\u{bf}\"id\",id_1006,error_code\nXa,Ya,\n");
    assert_eq!(render(b"\xEF\xBB\xBFXa\n", &numbered(1)).unwrap(), "\u{ef}\u{bb}\u{bf}Xa,Ya,\n");
    assert!(render(b"\xFF\xFEi\0d\0", &named("id")).unwrap_err().contains("UTF-16"));
}

#[test]
fn without_a_header_the_first_row_is_a_row() {
    assert_eq!(render(b"1,Xa\n2,b\n", &numbered(2)).unwrap(), "1,Xa,Ya,\n2,b,,I001\n");
    assert_eq!(render(b"", &numbered(2)).unwrap(), "");
    let message = render(b"1,Xa\n", &numbered(3)).unwrap_err();
    assert_eq!(message, "there is no column 3: the first row has 2 (another separator? see --delimiter)");
    let [rows, _] = translate(b"1006,Xa\n", b',', &numbered(2), &Target::Column(numbered(1))).unwrap();
    assert_eq!(rows, "1006,Xa,Ya,\n");
}

#[test]
fn ragged_rows_and_unterminated_quotes_are_reported_with_their_lines() {
    let message = render(b"id,n\nXa,\"1\n\"\n\nXb\n", &named("id")).unwrap_err();
    assert_eq!(message, "row 2 (line 5) has 1 columns where the first row has 2");
    assert!(render(b"Xa,1\nXb,2,3\n", &numbered(1)).unwrap_err().starts_with("row 2 (line 2) has 3 columns"));
    let message = render(b"a,b\n\nc,\"d\n,e\n", &named("a")).unwrap_err();
    assert_eq!(message, "the row that starts in line 3 opens a quote that nothing closes");
}

#[test]
fn an_empty_file_has_no_header() {
    assert_eq!(render(b"", &named("id")).unwrap_err(), "it is empty: there is no row to find `id` in");
}

#[test]
fn an_id_that_is_not_utf8_is_refused() {
    assert_eq!(render(b"id\n\xFF\xFE\n", &named("id")).unwrap(), "id,id_1006,error_code\n\u{ff}\u{fe},,I001\n");
}

#[test]
fn a_field_of_ten_megabytes_is_accepted_and_an_endless_row_is_not() {
    let field = "w".repeat(10 << 20);
    let rows = render(format!("n,id\n\"{field}\n\",Xa\n").as_bytes(), &named("id")).unwrap();
    assert_eq!(rows, format!("n,id,id_1006,error_code\n\"{field}\n\",Xa,Ya,\n"));
    let endless = [b"id,n\nXa,\"".to_vec(), vec![b'\n'; 60 << 20]].concat();
    assert!(render(&endless, &named("id")).unwrap_err().starts_with("the row that starts in line 2 is longer than 32 MB"));
}

#[test]
fn reading_resumes_where_a_chunk_ended() {
    let text = (0..2000).fold(String::from("\u{feff}n,id\r\n"), |text, row| text + &format!("{row},\"X{row}\n\"\r\n"));
    let (mut whole, _) = reader(text.as_bytes(), b',', &named("id"), &fixed_target(), 20_000).unwrap();
    let first = whole.next().unwrap().unwrap();
    let (mut again, _) = reader(text.as_bytes(), b',', &named("id"), &fixed_target(), 20_000).unwrap();
    again.skip_to(first.after).unwrap();
    while let Some(chunk) = whole.next().unwrap() {
        let other = again.next().unwrap().unwrap();
        assert_eq!((chunk.first, chunk.after, chunk.text), (other.first, other.after, other.text));
    }
    assert!(again.next().unwrap().is_none());
}

#[test]
fn a_request_and_its_response_stay_below_the_limit_as_lambda_events() {
    let limit = 20_000;
    for id in ["XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs", "\\\u{1}\u{7f}é\\\u{1}", "x", &"\u{1}".repeat(100)] {
        let text = format!("{id}\n").repeat(1000);
        let (mut reader, _) = reader(text.as_bytes(), b',', &numbered(1), &fixed_target(), limit).unwrap();
        let (mut rows, mut chunks) = (0, 0);
        while let Some(chunk) = reader.next().unwrap() {
            let ids: Vec<_> = chunk.ids.iter().map(|(id, _)| id).collect();
            let body = serde_json::to_string(&ids).unwrap();
            assert!(serde_json::to_string(&body).unwrap().len() <= limit, "{id}");
            assert!(ids.len() * request_size::REFUSAL_BYTES <= limit);
            assert_eq!(chunk.first, rows + 1);
            rows += ids.len() as u64;
            chunks += 1;
        }
        assert_eq!(rows, 1000);
        assert!(chunks > 9);
    }
}

#[test]
fn wide_rows_fill_a_chunk() {
    let text = format!("{},Xa\n", "w".repeat(1 << 20)).repeat(20);
    let (mut reader, _) = reader(text.as_bytes(), b',', &numbered(2), &fixed_target(), DEFAULT_API_REQUEST_BYTES).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().ids.len(), 4);
}
