//! Cuts a file into batches: as many rows as one request carries, and no more than memory allows.

use std::{io::BufRead, ops::Range};

use super::{
    Column, Fault, Options, column,
    rows::{self, Ending, Rows},
    summary::Summary,
    weight,
};
use crate::client::{Ids, Outcomes};
use shared::identity::Domain;

/// The name of the second column that a translation adds.
const ERROR_CODE: &str = "error_code";
/// Wide rows and blank ids fill a batch too.
const MAX_TEXT_BYTES: usize = 8 << 20;
const MAX_ROWS: usize = 1 << 18;

/// Reads a file's rows, batch by batch.
#[derive(Debug)]
pub(super) struct Planner<R> {
    rows: Rows<R>,
    /// The place of the ids' column.
    column: usize,
    /// How many columns each row has; without a header the first row says it.
    width: Option<usize>,
    target: Domain,
    request_bytes: usize,
    read: u64,
    fields: Vec<Range<usize>>,
}

/// Some rows, in order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The rows as they are in the file, without their endings.
    text: Vec<u8>,
    rows: Vec<Slot>,
    ids: Ids,
    first: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Slot {
    end: usize,
    ending: Ending,
    content: Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// A row with an id.
    Id,
    /// A row whose id is blank.
    Blank,
    /// An empty line between the rows of several columns: it is no row.
    Nothing,
}

impl<R: BufRead> Planner<R> {
    /// Reads the header, if there is one, and gives the header of the output.
    pub(super) fn new(mut rows: Rows<R>, options: &Options) -> Result<(Self, Vec<u8>), Fault> {
        let mut head = rows.bom().to_vec();
        let mut fields = Vec::new();
        let (column, width) = match &options.column {
            Column::Numbered(number) => (number.get() - 1, None),
            Column::Named(name) => {
                let Some(row) = rows.read(&mut head, &mut fields)? else {
                    return Err(Fault::Empty { column: name.clone() });
                };
                let columns: Vec<_> = fields.iter().map(|field| rows::value(&head[field.clone()])).collect();
                let added = [format!("{name}_{}", options.target), ERROR_CODE.into()];
                let column = column::find(name, &columns, &added)?;
                for name in &added {
                    head.push(options.delimiter);
                    head.extend(rows::field(name, options.delimiter));
                }
                head.extend(row.ending.bytes());
                (column, Some(fields.len()))
            }
        };
        let planner = Self { rows, column, width, target: options.target, request_bytes: options.request_bytes, read: 0, fields };
        Ok((planner, head))
    }

    /// The next rows; `None` after the last.
    pub(super) fn next_batch(&mut self) -> Result<Option<Batch>, Fault> {
        let mut batch = Batch { first: self.read + 1, ..Batch::default() };
        let mut weight = 0;
        while weight + weight::MAX <= self.request_bytes && batch.text.len() < MAX_TEXT_BYTES && batch.rows.len() < MAX_ROWS {
            let start = batch.text.len();
            let Some(row) = self.rows.read(&mut batch.text, &mut self.fields)? else { break };
            let (end, ending) = (batch.text.len(), row.ending);
            batch.bytes += (end - start + ending.bytes().len()) as u64;

            let expected = self.expected_columns()?;
            if start == end && expected > 1 {
                batch.rows.push(Slot { end, ending, content: Content::Nothing });
                continue;
            }
            self.read += 1;
            if self.fields.len() != expected {
                let found = self.fields.len();
                return Err(Fault::Ragged { row: self.read, line: row.line, found, expected });
            }
            let value = rows::value(&batch.text[self.fields[self.column].clone()]);
            let content = if value.trim_ascii().is_empty() {
                Content::Blank
            } else {
                let id = weight::sendable(&value);
                weight += weight::of(&id);
                batch.ids.push(&id, self.target);
                Content::Id
            };
            batch.rows.push(Slot { end, ending, content });
        }
        Ok((!batch.rows.is_empty()).then_some(batch))
    }

    fn expected_columns(&mut self) -> Result<usize, Fault> {
        let columns = *self.width.get_or_insert(self.fields.len());
        if self.column < columns { Ok(columns) } else { Err(Fault::NoNumber { number: self.column + 1, columns }) }
    }
}

impl Batch {
    /// The ids to translate, in order; blank ones are not among them.
    pub(super) const fn ids(&self) -> &Ids {
        &self.ids
    }

    /// How many bytes of the file the batch holds.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The rows with what became of their ids, which `summary` counts. There are as many outcomes as ids.
    pub(super) fn render(&self, outcomes: &Outcomes, delimiter: u8, summary: &mut Summary) -> Vec<u8> {
        assert_eq!(outcomes.len(), self.ids.len(), "the client answers each id once");
        let mut text = Vec::with_capacity(self.text.len() + 2 * self.rows.len() + 64 * self.ids.len());
        let mut outcomes = self.ids.iter().map(|(id, _)| id).zip(outcomes.iter());
        let (mut start, mut number) = (0, self.first);
        for row in &self.rows {
            text.extend_from_slice(&self.text[start..row.end]);
            start = row.end;
            if row.content != Content::Nothing {
                let outcome = if row.content == Content::Id { outcomes.next() } else { None };
                let (value, code) = match outcome {
                    None => ("", ""),
                    Some((_, Ok(value))) => (value, ""),
                    Some((_, Err(refusal))) => ("", refusal.code),
                };
                for added in [value, code] {
                    text.push(delimiter);
                    text.extend_from_slice(added.as_bytes());
                }
                summary.count(number, outcome);
                number += 1;
            }
            text.extend_from_slice(row.ending.bytes());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(column: Column, request_bytes: usize) -> Options {
        Options {
            input: "in.csv".into(),
            output: "out.csv".into(),
            column,
            target: "1006".parse().unwrap(),
            delimiter: b',',
            in_flight: std::num::NonZero::<usize>::MIN,
            request_bytes,
            progress: false,
        }
    }

    fn named() -> Options {
        options(Column::Named("id".into()), super::super::REQUEST_BYTES)
    }

    fn numbered(number: usize) -> Options {
        options(Column::Numbered(number.try_into().unwrap()), super::super::REQUEST_BYTES)
    }

    /// Translates `X…` into `Y…` and refuses the rest.
    fn render(text: &[u8], options: &Options) -> Result<String, String> {
        let render = || {
            let rows = Rows::new(text, options.delimiter)?;
            let (mut planner, mut all) = Planner::new(rows, options)?;
            let mut summary = Summary::default();
            while let Some(batch) = planner.next_batch()? {
                let mut outcomes = Outcomes::default();
                for (id, _) in batch.ids().iter() {
                    match id.strip_prefix('X') {
                        Some(rest) => outcomes.push(&format!("Y{rest}")),
                        None => outcomes.refuse("I001", ""),
                    }
                }
                all.extend(batch.render(&outcomes, options.delimiter, &mut summary));
            }
            Ok(all)
        };
        let all = render().map_err(|fault: Fault| fault.to_string())?;
        Ok(all.iter().map(|byte| char::from(*byte)).collect())
    }

    #[test]
    fn rows_come_out_as_they_went_in_with_two_columns_more() {
        let text = b"name,id\r\n\"Doe, \"\"J\"\"\r\n\",Xa\r\n caf\xE9 ,\"Xb\"\n,c";
        let expected = "name,id,id_1006,error_code\r\n\"Doe, \"\"J\"\"\r\n\",Xa,Ya,\r\n caf\u{e9} ,\"Xb\",Yb,\n,c,,I001";
        assert_eq!(render(text, &named()).unwrap(), expected);
    }

    #[test]
    fn blank_ids_pass_with_empty_results() {
        let text = b"id,n\n,1\n\" \",2\nXa,3\n";
        assert_eq!(render(text, &named()).unwrap(), "id,n,id_1006,error_code\n,1,,\n\" \",2,,\nXa,3,Ya,\n");
    }

    #[test]
    fn an_empty_line_is_a_row_of_a_single_column_and_none_of_several() {
        assert_eq!(render(b"id\n\nXa\n\n", &named()).unwrap(), "id,id_1006,error_code\n,,\nXa,Ya,\n,,\n");
        assert_eq!(render(b"id,n\n\nXa,1\n\n", &named()).unwrap(), "id,n,id_1006,error_code\n\nXa,1,Ya,\n\n");
    }

    #[test]
    fn a_byte_order_mark_stays_where_it_is() {
        let text = b"\xEF\xBB\xBF\"id\"\nXa\n";
        assert_eq!(render(text, &named()).unwrap(), "\u{ef}\u{bb}\u{bf}\"id\",id_1006,error_code\nXa,Ya,\n");
        assert_eq!(render(b"\xEF\xBB\xBFXa\n", &numbered(1)).unwrap(), "\u{ef}\u{bb}\u{bf}Xa,Ya,\n");
    }

    #[test]
    fn without_a_header_the_first_row_is_a_row() {
        assert_eq!(render(b"1,Xa\n2,b\n", &numbered(2)).unwrap(), "1,Xa,Ya,\n2,b,,I001\n");
        assert_eq!(render(b"", &numbered(2)).unwrap(), "");
        let sentence = render(b"1,Xa\n", &numbered(3)).unwrap_err();
        assert_eq!(sentence, "there is no column 3: the first row has 2 (another separator? see --delimiter)");
    }

    #[test]
    fn any_separator_does() {
        let mut options = named();
        options.delimiter = b'\t';
        assert_eq!(render(b"id\ta,b\nXa\t1\n", &options).unwrap(), "id\ta,b\tid_1006\terror_code\nXa\t1\tYa\t\n");
    }

    #[test]
    fn a_ragged_row_is_told_with_its_place() {
        let sentence = render(b"id,n\nXa,\"1\n\"\n\nXb\n", &named()).unwrap_err();
        assert_eq!(sentence, "row 2 (line 5) has 1 columns where the first row has 2");
        assert!(render(b"Xa,1\nXb,2,3\n", &numbered(1)).unwrap_err().starts_with("row 2 (line 2) has 3 columns"));
    }

    #[test]
    fn an_empty_file_has_no_header() {
        assert_eq!(render(b"", &named()).unwrap_err(), "it is empty: there is no header to find `id` in");
    }

    #[test]
    fn an_id_that_is_no_text_is_sent_as_no_id() {
        assert_eq!(render(b"id\n\xFF\xFE\n", &named()).unwrap(), "id,id_1006,error_code\n\u{ff}\u{fe},,I001\n");
    }

    #[test]
    fn a_request_stays_below_its_limit_as_a_lambda_event_and_so_does_its_answer() {
        let limit = 20_000;
        for id in ["XY1005wXyWPB1SgpMUKIpzA0I3UaLEz-2lg0wFAr1PWK7FMhs", "\\\u{1}\u{7f}é\\\u{1}", "x", &"\u{1}".repeat(100)] {
            let text = format!("{id}\n").repeat(1000);
            let options = options(Column::Numbered(std::num::NonZero::<usize>::MIN), limit);
            let (mut planner, _) = Planner::new(Rows::new(text.as_bytes(), b',').unwrap(), &options).unwrap();
            let (mut rows, mut batches) = (0, 0);
            while let Some(batch) = planner.next_batch().unwrap() {
                let ids: Vec<_> = batch.ids().iter().map(|(id, _)| id).collect();
                let body = serde_json::to_string(&ids).unwrap();
                assert!(serde_json::to_string(&body).unwrap().len() <= limit, "{id}");
                assert!(batch.ids().len() * weight::REFUSAL <= limit);
                assert_eq!(batch.first, rows + 1);
                rows += batch.ids().len() as u64;
                batches += 1;
            }
            assert_eq!(rows, 1000);
            assert!(batches > 9);
        }
    }

    #[test]
    fn wide_rows_fill_a_batch_too() {
        let text = format!("{},Xa\n", "w".repeat(1 << 20)).repeat(20);
        let options = numbered(2);
        let (mut planner, _) = Planner::new(Rows::new(text.as_bytes(), b',').unwrap(), &options).unwrap();
        assert_eq!(planner.next_batch().unwrap().unwrap().ids().len(), 8);
    }
}
