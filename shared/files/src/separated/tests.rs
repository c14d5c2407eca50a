//! Rows that go through the reader and the renderer, with a translator that only changes a letter.

use std::{io::Cursor, num::NonZero};

use super::*;
use client::Outcomes;

use crate::{
    format::Compression,
    render::{Piece, Renderer, Shape},
    tally::Tally,
    weight,
};

const REQUEST_BYTES: usize = crate::REQUEST_BYTES;

fn named(name: &str) -> Column {
    Column::Named(name.into())
}

fn numbered(number: usize) -> Column {
    Column::Numbered(NonZero::new(number).unwrap())
}

fn one() -> Target {
    Target::Domain("1006".parse().unwrap())
}

fn reader(text: &[u8], delimiter: u8, column: &Column, target: &Target, request_bytes: usize) -> Result<(Reader, Head), Fault> {
    Reader::new(Box::new(Cursor::new(text.to_vec())), delimiter, column, target, request_bytes)
}

/// Translates `X…` into `Y…` and refuses the rest; also gives the bad rows.
fn both(text: &[u8], delimiter: u8, column: &Column, target: &Target) -> Result<[String; 2], String> {
    let render = || -> Result<[Vec<u8>; 2], Fault> {
        let (mut reader, head) = reader(text, delimiter, column, target, REQUEST_BYTES)?;
        let added = [column.translated(target), "error_code".to_owned()];
        let shape = Shape::Separated(delimiter);
        let renderer = Renderer { from: shape, to: shape, names: vec![], added, compression: Compression::None, rejects: true };
        let names = renderer.added.each_ref().map(String::as_str);
        let mut all = [if head.names.is_empty() { head.text.clone() } else { head.with(&names, delimiter) }, Vec::new()];
        let mut tally = Tally::default();
        while let Some(part) = reader.next()? {
            let mut outcomes = Outcomes::default();
            for (id, _) in part.ids.iter() {
                match str::from_utf8(id).unwrap().strip_prefix('X') {
                    Some(rest) => outcomes.push(&format!("Y{rest}")),
                    None => outcomes.refuse("I001", "bad, id"),
                }
            }
            let done = renderer.render(part, &outcomes)?;
            tally.merge(&done.tally);
            let Piece::Text(rows) = done.rows else { panic!("text comes out as text") };
            all[0].extend(rows);
            all[1].extend(done.rejects);
        }
        Ok(all)
    };
    let all = render().map_err(|fault| fault.to_string())?;
    Ok(all.map(|text| text.into_iter().map(char::from).collect()))
}

fn render(text: &[u8], column: &Column) -> Result<String, String> {
    both(text, b',', column, &one()).map(|[rows, _]| rows)
}

#[test]
fn rows_come_out_as_they_went_in_with_two_columns_more() {
    let text = b"name,id\r\n\"Doe, \"\"J\"\"\r\n\",Xa\r\n caf\xE9 ,\"Xb\"\n,c";
    let expected = "name,id,id_1006,error_code\r\n\"Doe, \"\"J\"\"\r\n\",Xa,Ya,\r\n caf\u{e9} ,\"Xb\",Yb,\n,c,,I001";
    assert_eq!(render(text, &named("id")).unwrap(), expected);
}

#[test]
fn blank_ids_pass_with_empty_results() {
    let text = b"id,n\n,1\n\" \",2\nXa,3\n";
    assert_eq!(render(text, &named("id")).unwrap(), "id,n,id_1006,error_code\n,1,,\n\" \",2,,\nXa,3,Ya,\n");
}

#[test]
fn each_row_may_have_its_own_target() {
    let text = b"id,to\nXa,1006\nXb, 1007 \nXc,nowhere\n,nowhere\nXd,\n";
    let [rows, bad] = both(text, b',', &named("id"), &Target::Column(named("to"))).unwrap();
    assert_eq!(rows, "id,to,id_translated,error_code\nXa,1006,Ya,\nXb, 1007 ,Yb,\nXc,nowhere,,E007\n,nowhere,,\nXd,,,E007\n");
    let said = "the target is not a domain: four letters or digits";
    assert_eq!(bad, format!("Xc,nowhere,E007,{said}\nXd,,E007,{said}\n"));
}

#[test]
fn bad_rows_are_told_with_their_reasons() {
    let [_, bad] = both(b"n\tid\n\"1\"\tq\n2\tXa\n3\t\xE9", b'\t', &named("id"), &one()).unwrap();
    assert_eq!(bad, "\"1\"\tq\tI001\tbad, id\n3\t\u{e9}\tI001\tbad, id\n");
}

#[test]
fn an_empty_line_is_a_row_of_a_single_column_and_none_of_several() {
    assert_eq!(render(b"id\n\nXa\n\n", &named("id")).unwrap(), "id,id_1006,error_code\n,,\nXa,Ya,\n,,\n");
    assert_eq!(render(b"id,n\n\nXa,1\n\n", &named("id")).unwrap(), "id,n,id_1006,error_code\n\nXa,1,Ya,\n\n");
}

#[test]
fn a_byte_order_mark_stays_where_it_is() {
    let text = b"\xEF\xBB\xBF\"id\"\nXa\n";
    assert_eq!(render(text, &named("id")).unwrap(), "\u{ef}\u{bb}\u{bf}\"id\",id_1006,error_code\nXa,Ya,\n");
    assert_eq!(render(b"\xEF\xBB\xBFXa\n", &numbered(1)).unwrap(), "\u{ef}\u{bb}\u{bf}Xa,Ya,\n");
    assert!(render(b"\xFF\xFEi\0d\0", &named("id")).unwrap_err().contains("UTF-16"));
}

#[test]
fn without_a_header_the_first_row_is_a_row() {
    assert_eq!(render(b"1,Xa\n2,b\n", &numbered(2)).unwrap(), "1,Xa,Ya,\n2,b,,I001\n");
    assert_eq!(render(b"", &numbered(2)).unwrap(), "");
    let sentence = render(b"1,Xa\n", &numbered(3)).unwrap_err();
    assert_eq!(sentence, "there is no column 3: the first row has 2 (another separator? see --delimiter)");
    let [rows, _] = both(b"1006,Xa\n", b',', &numbered(2), &Target::Column(numbered(1))).unwrap();
    assert_eq!(rows, "1006,Xa,Ya,\n");
}

#[test]
fn a_ragged_row_and_an_open_quote_are_told_with_their_places() {
    let sentence = render(b"id,n\nXa,\"1\n\"\n\nXb\n", &named("id")).unwrap_err();
    assert_eq!(sentence, "row 2 (line 5) has 1 columns where the first row has 2");
    assert!(render(b"Xa,1\nXb,2,3\n", &numbered(1)).unwrap_err().starts_with("row 2 (line 2) has 3 columns"));
    let sentence = render(b"a,b\n\nc,\"d\n,e\n", &named("a")).unwrap_err();
    assert_eq!(sentence, "the row that starts in line 3 opens a quote that nothing closes");
}

#[test]
fn an_empty_file_has_no_header() {
    assert_eq!(render(b"", &named("id")).unwrap_err(), "it is empty: there is no row to find `id` in");
}

#[test]
fn an_id_that_is_no_text_is_sent_as_no_id() {
    assert_eq!(render(b"id\n\xFF\xFE\n", &named("id")).unwrap(), "id,id_1006,error_code\n\u{ff}\u{fe},,I001\n");
}

#[test]
fn a_field_of_ten_megabytes_passes_and_a_row_without_end_does_not() {
    let field = "w".repeat(10 << 20);
    let rows = render(format!("n,id\n\"{field}\n\",Xa\n").as_bytes(), &named("id")).unwrap();
    assert_eq!(rows, format!("n,id,id_1006,error_code\n\"{field}\n\",Xa,Ya,\n"));
    let endless = [b"id,n\nXa,\"".to_vec(), vec![b'\n'; 60 << 20]].concat();
    assert!(render(&endless, &named("id")).unwrap_err().starts_with("the row that starts in line 2 is longer than 32 MB"));
}

#[test]
fn reading_goes_on_where_a_part_ended() {
    let text = (0..2000).fold(String::from("\u{feff}n,id\r\n"), |text, row| text + &format!("{row},\"X{row}\n\"\r\n"));
    let (mut whole, _) = reader(text.as_bytes(), b',', &named("id"), &one(), 20_000).unwrap();
    let first = whole.next().unwrap().unwrap();
    let (mut again, _) = reader(text.as_bytes(), b',', &named("id"), &one(), 20_000).unwrap();
    again.skip_to(first.after).unwrap();
    while let Some(part) = whole.next().unwrap() {
        let other = again.next().unwrap().unwrap();
        assert_eq!((part.first, part.after, part.text), (other.first, other.after, other.text));
    }
    assert!(again.next().unwrap().is_none());
}

#[test]
fn a_request_stays_below_its_limit_as_a_lambda_event_and_so_does_its_answer() {
    let limit = 20_000;
    for id in ["XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs", "\\\u{1}\u{7f}é\\\u{1}", "x", &"\u{1}".repeat(100)] {
        let text = format!("{id}\n").repeat(1000);
        let (mut reader, _) = reader(text.as_bytes(), b',', &numbered(1), &one(), limit).unwrap();
        let (mut rows, mut parts) = (0, 0);
        while let Some(part) = reader.next().unwrap() {
            let ids: Vec<_> = part.ids.iter().map(|(id, _)| id).collect();
            let body = serde_json::to_string(&ids).unwrap();
            assert!(serde_json::to_string(&body).unwrap().len() <= limit, "{id}");
            assert!(ids.len() * weight::REFUSAL <= limit);
            assert_eq!(part.first, rows + 1);
            rows += ids.len() as u64;
            parts += 1;
        }
        assert_eq!(rows, 1000);
        assert!(parts > 9);
    }
}

#[test]
fn wide_rows_fill_a_part_too() {
    let text = format!("{},Xa\n", "w".repeat(1 << 20)).repeat(20);
    let (mut reader, _) = reader(text.as_bytes(), b',', &numbered(2), &one(), REQUEST_BYTES).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().ids.len(), 4);
}
