//! Translates between formats, checked with the formats' own crates.

#![expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "the files of a test are small")]

use ::parquet::{
    basic::{Compression as Codec, ConvertedType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::SerializedFileWriter,
    },
    schema::types::Type,
};

use super::*;

/// A Parquet file with row groups of these sizes. Its columns are a number, an optional id and a
/// target.
fn parquet_file(groups: &[i64], codec: Codec) -> Vec<u8> {
    let text = |name, repetition| {
        let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY).with_converted_type(ConvertedType::UTF8);
        Arc::new(column.with_repetition(repetition).build().unwrap())
    };
    let number = Type::primitive_type_builder("row", Physical::INT64).with_repetition(Repetition::REQUIRED).build().unwrap();
    let fields = vec![Arc::new(number), text("rampid", Repetition::OPTIONAL), text("to", Repetition::REQUIRED)];
    let schema = Arc::new(Type::group_type_builder("people").with_fields(fields).build().unwrap());
    let key_values = ["ARROW:schema", "pandas"].map(|key| KeyValue::new(key.into(), "value".to_owned())).to_vec();
    let properties = WriterProperties::builder().set_compression(codec).set_key_value_metadata(Some(key_values)).build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    let mut next = 0;
    for rows in groups {
        let rows: Vec<i64> = (next..next + rows).collect();
        next += rows.len() as i64;
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&rows, None, None).unwrap();
        column.close().unwrap();
        let ids: Vec<_> = rows.iter().filter(|row| *row % 5 != 0).map(|row| ByteArray::from(&*format!("XY1005{row}"))).collect();
        let levels: Vec<_> = rows.iter().map(|row| i16::from(row % 5 != 0)).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&ids, Some(&levels), None).unwrap();
        column.close().unwrap();
        let targets: Vec<_> = rows.iter().map(|row| ByteArray::from(if row % 3 == 0 { "1007" } else { "no" })).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&targets, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

fn table(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let file = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let rows = file.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().get_column_iter().map(|(_, field)| field.to_string()).collect()).collect()
}

/// A row of the translated Parquet file with the fixed target.
fn expected(row: i64) -> Vec<String> {
    let quoted = |text: String| format!("\"{text}\"");
    let (id, new, code) = match row {
        _ if row % 5 == 0 => ("null".into(), "null".into(), "null".into()),
        _ if row % 10 == 7 => (quoted(format!("XY1005{row}")), "null".into(), quoted("I001".into())),
        _ => (quoted(format!("XY1005{row}")), quoted(format!("XY1006{row}")), "null".into()),
    };
    vec![row.to_string(), id, quoted(if row % 3 == 0 { "1007" } else { "no" }.into()), new, code]
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_columns_are_copied_byte_for_byte() {
    for codec in [Codec::UNCOMPRESSED, Codec::SNAPPY, Codec::ZSTD(::parquet::basic::ZstdLevel::default())] {
        let original = parquet_file(&[300, 1, 120], codec);
        let (dir, mut options) = file("people.parquet", &original);
        options.output = Location::Local(dir.path().join("out.parquet"));
        options.rejects = Some(dir.path().join("bad.csv"));
        let report = run(&options).await.unwrap();
        assert_eq!((report.rows(), report.refused()["I001"], report.rows.blank), (421, 42, 85));
        let rows = table(written(&options));
        (0..421).for_each(|row| assert_eq!(rows[row as usize], expected(row)));
        assert!(
            fs::read_to_string(dir.path().join("bad.csv")).unwrap().starts_with("row,rampid,error_code,error_message\n8,XY10057,I001,\n")
        );

        let [before, after] = [original, written(&options)].map(bytes::Bytes::from);
        let [old, new] = [&before, &after].map(|bytes| SerializedFileReader::new(bytes.clone()).unwrap());
        assert_eq!(new.metadata().num_row_groups(), 3);
        for group in 0..3 {
            for column in 0..3 {
                let chunk = |file: &SerializedFileReader<bytes::Bytes>, bytes: &bytes::Bytes| {
                    let (start, length) = file.metadata().row_group(group).column(column).byte_range();
                    bytes.slice(start as usize..(start + length) as usize)
                };
                assert_eq!(chunk(&old, &before), chunk(&new, &after));
                let statistics =
                    |file: &SerializedFileReader<bytes::Bytes>| file.metadata().row_group(group).column(column).statistics().cloned();
                assert_eq!(statistics(&old), statistics(&new));
            }
            let ids = new.metadata().row_group(group).column(3);
            assert!(ids.dictionary_page_offset().is_none() && ids.statistics().is_none());
        }
        let keys: Vec<_> = new.metadata().file_metadata().key_value_metadata().unwrap().iter().map(|entry| &*entry.key).collect();
        assert_eq!(keys, ["pandas"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_parquet_row_may_have_its_own_target() {
    let (dir, mut options) = file("people.parquet", parquet_file(&[60], Codec::SNAPPY));
    options.output = Location::Local(dir.path().join("out.parquet"));
    options.target = Target::Column(Column::Named("to".into()));
    let report = run(&options).await.unwrap();
    assert_eq!(report.refused()["E007"], 32);
    assert_eq!(table(written(&options))[3], ["3", "\"XY10053\"", "\"1007\"", "\"XY10073\"", "null"]);
    assert_eq!(table(written(&options))[4], ["4", "\"XY10054\"", "\"no\"", "null", "\"E007\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parquet_run_resumes_after_its_last_row_group() {
    let (dir, mut options) = file("people.parquet", parquet_file(&[100; 20], Codec::SNAPPY));
    options.output = Location::Local(dir.path().join("out.parquet"));
    run(&options).await.unwrap();
    let whole = written(&options);
    fs::remove_file(options.output.name().unwrap()).unwrap();
    let (client, _) = server(|request| (request >= 30).then_some(StatusCode::INTERNAL_SERVER_ERROR)).await;
    let error = translate(client, &options, pending()).await.unwrap_err().to_string();
    assert!(error.ends_with("00 rows are done and kept: go on with --resume"), "{error}");
    options.resume = true;
    let report = run(&options).await.unwrap();
    assert!(report.resumed_after.is_some_and(|rows| rows % 100 == 0));
    assert_eq!(table(written(&options)), table(whole));
    assert_eq!(report.output.sha256, shared::encoding::hex(&shared::crypto::sha256(&written(&options))));
    assert_eq!(files(dir.path()), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_and_corrupt_parquet_files_are_reported() {
    let whole = parquet_file(&[2000], Codec::UNCOMPRESSED);
    for cut in [0, 3, 100, whole.len() - 1] {
        let (dir, mut options) = file("people.parquet", &whole[..cut]);
        options.output = Location::Local(dir.path().join("out.parquet"));
        let error = run(&options).await.unwrap_err();
        assert!(error.contains("people.parquet: it is not a whole Parquet file ("), "{error}");
        assert_eq!(files(dir.path()), 1);
    }
    let mut damaged = whole.clone();
    let ids = SerializedFileReader::new(bytes::Bytes::from(whole)).unwrap().metadata().row_group(0).column(1).byte_range();
    damaged[ids.0 as usize..][..200].fill(0xFF);
    let (dir, mut options) = file("people.parquet", &damaged);
    options.output = Location::Local(dir.path().join("out.parquet"));
    let error = run(&options).await.unwrap_err();
    assert!(error.contains("people.parquet: column `rampid` cannot be read after row 0 ("), "{error}");
    assert_eq!(files(dir.path()), 1);
    options.column = Column::Named("row".into());
    assert!(run(&options).await.unwrap_err().contains("column `row` does not hold one text a row, but values of type INT64"));
    options.column = Column::Named("id".into());
    assert!(run(&options).await.unwrap_err().contains("there is no column `id`; the columns are `row`, `rampid`, `to`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_get_two_more_members() {
    let text = "{\"n\": 1.50, \"rampid\" :\"XY10051\" }\r\n\n{\"rampid\":null}\n{}\n{\"rampid\":\"XY\\u0031005\\u0037\",\"x\":[{}]}\n{\"rampid\":5}";
    let (dir, mut options) = file("people.jsonl", text);
    options.output = Location::Local(dir.path().join("out.jsonl"));
    options.rejects = Some(dir.path().join("bad.jsonl"));
    run(&options).await.unwrap();
    let expected = "{\"n\": 1.50, \"rampid\" :\"XY10051\" ,\"rampid_1006\":\"XY10061\",\"error_code\":null}\r\n\n\
        {\"rampid\":null,\"rampid_1006\":null,\"error_code\":null}\n{\"rampid_1006\":null,\"error_code\":null}\n\
        {\"rampid\":\"XY\\u0031005\\u0037\",\"x\":[{}],\"rampid_1006\":null,\"error_code\":\"I001\"}\n\
        {\"rampid\":5,\"rampid_1006\":null,\"error_code\":\"I001\"}";
    assert_eq!(String::from_utf8(written(&options)).unwrap(), expected);
    let rejects = fs::read_to_string(dir.path().join("bad.jsonl")).unwrap();
    assert_eq!(rejects.lines().nth(1).unwrap(), "{\"rampid\":5,\"error_code\":\"I001\",\"error_message\":\"\"}");

    for (text, message) in [
        ("{\"rampid\":\"a\"}\n{\"rampid\":\"b\"", "row 2 is not a JSON object"),
        ("{\"rampid\":\"a\"}\n[1]\n", "row 2 is not a JSON object"),
        ("{\"rampid\":\"a\"}\n{\"rampid\":\"a\",\"rampid\":\"a\"}\n", "it has two members `rampid`"),
        ("{\"rampid\":\"a\"}\n{\"error_code\":1}\n", "there is already a member `error_code`"),
        ("{\"id\":\"a\"}\n", "there is no column `rampid`; the columns are `id`"),
        ("\n \n", "it is empty"),
    ] {
        fs::write(dir.path().join("people.jsonl"), text).unwrap();
        let error = run(&options).await.unwrap_err();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_survives_all_formats_in_turn() {
    let mut text = String::from("name,rampid,note\n");
    (0..3000).for_each(|row| writeln!(text, "\"Doe, {row}\",XY1005{row},\"é \"\"q\"\"\n{row}\"").unwrap());
    let (dir, mut options) = file("a.csv", &text);
    let mut names = Vec::from(["name", "rampid", "note"].map(str::to_owned));
    for (step, (format, name)) in ["parquet", "jsonl", "csv", "tsv", "jsonl", "parquet", "csv"].iter().zip('b'..).enumerate() {
        let output = dir.path().join(format!("{name}.{format}"));
        options.output = Location::Local(output.clone());
        options.target = Target::Domain(format!("100{}", step + 1).parse().unwrap());
        run(&options).await.unwrap();
        names.push(format!("rampid_100{}", step + 1));
        // Each step adds its own columns. The column of codes is renamed, because the next step
        // adds one of the same name.
        names.push(format!("code_{step}____"));
        rename(&output, &format!("code_{step}"));
        options.input = Location::Local(output);
    }
    let mut last = csv::Reader::from_path(options.input.name().unwrap()).unwrap();
    assert_eq!(last.headers().unwrap().iter().collect::<Vec<_>>(), names);
    let mut rows = 0;
    for (row, record) in last.records().enumerate() {
        let record = record.unwrap();
        assert_eq!(record[0], format!("Doe, {row}"));
        assert_eq!(record[2], format!("é \"q\"\n{row}"));
        let refused = row % 10 == 7;
        assert_eq!(record[15], if refused { String::new() } else { format!("XY1007{row}") });
        assert_eq!(&record[16], if refused { "I001" } else { "" });
        rows += 1;
    }
    assert_eq!(rows, 3000);
}

/// Renames the column of codes in a file of any format. Both names have the same length, so that no
/// offset in the file changes.
fn rename(path: &Path, name: &str) {
    let name = format!("{name:_<10}");
    assert_eq!(name.len(), "error_code".len());
    let mut bytes = fs::read(path).unwrap();
    let offsets: Vec<_> = memchr::memmem::find_iter(&bytes, "error_code").collect();
    for offset in offsets {
        bytes[offset..][..10].copy_from_slice(name.as_bytes());
    }
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_a_format_cannot_hold_are_reported_with_their_row() {
    let (dir, mut options) = file("a.csv", b"rampid,n\nXY10051,a\nXY10052,\xE9\n");
    options.output = Location::Local(dir.path().join("out.jsonl"));
    let error = run(&options).await.unwrap_err();
    assert!(error.contains("a.csv: row 2, column `n` is not written in UTF-8"), "{error}");
    let (dir, mut options) = file("a.jsonl", "{\"rampid\":\"a\"}\n{\"rampid\":\"a\",\"m\":1}\n");
    options.output = Location::Local(dir.path().join("out.parquet"));
    let error = run(&options).await.unwrap_err();
    assert!(error.contains("a.jsonl: row 2 has a member `m` that the first row has not"), "{error}");
    assert_eq!(files(dir.path()), 1);
}
