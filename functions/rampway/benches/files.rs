//! Whole files through `rampway translate` and a suite on this machine: rows a second, and the most memory that the command had.
//!
//! `cargo bench -p rampway --bench files -- --rows 10000000 --rounds 5 --folder /dev/shm` says how large the files are, how often each is
//! translated and where they lie; `--via api` goes through API Gateway's stand-in. A Python script that does the same one id at a time is
//! measured beside it, where Python has what it takes.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use cloud::{identity::admin::Admin, setting::Environment};
use local::{LocalCloud, Options, State};
use parquet::{
    basic::{Compression, ConvertedType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};
use rampway::serve::{self, FROM, TO};
use shared::{crypto::sha256, identity::Kind};

/// How many ids differ from each other: minting is not what is measured.
const DISTINCT: usize = 20_000;
const GROUP: usize = 1 << 20;
const PYTHON: &str = include_str!("files/naive.py");

struct Arguments {
    rows: usize,
    rounds: usize,
    via: String,
    folder: Option<PathBuf>,
}

#[tokio::main]
async fn main() {
    let Arguments { rows, rounds, via, folder } = arguments();
    let folder = match folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.expect("a folder for the files");
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into();
    let options = Options { template, port: 0, state: State::Ephemeral, quiet: true, ..Options::default() };
    let (suite, _) = serve::start(options).await.expect("the suite starts");
    let ids = mint(&suite).await;
    let environment = folder.path().join("env");
    let lines: Vec<_> = suite.environment().iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    fs::write(&environment, lines.concat()).expect("room");
    let [csv, table] = ["csv", "parquet"].map(|extension| folder.path().join(format!("audience.{extension}")));
    separated(&csv, &ids, rows);
    columns(&table, &ids, rows);

    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("{}, {cores} cores; {rows} rows of 3 columns, {rounds} rounds, via {via}, files in {}", processor(), folder.path().display());
    println!("{:<28} {:>14} {:>14} {:>14} {:>10}", "", "median rows/s", "least rows/s", "most rows/s", "peak, MB");
    for input in [&csv, &table] {
        let mut rounds: Vec<_> = (0..rounds).map(|_| translate(&suite, &via, &environment, input)).collect();
        let peak = rounds.iter().map(|(_, peak)| *peak).max().unwrap_or(0);
        rounds.sort();
        let name = input.extension().unwrap_or_default().to_string_lossy().into_owned();
        told(&name, rows, rounds.iter().map(|(time, _)| *time).collect(), &format!("{}", peak >> 10));
    }
    suite.stop().await;
    match naive(rows.min(300_000)) {
        Some((rows, time)) => told("python, one id at a time", rows, vec![time], ""),
        None => println!("python, one id at a time: not measured, python3 or its package cryptography is missing"),
    }
}

fn arguments() -> Arguments {
    let mut arguments = Arguments { rows: 500_000, rounds: 3, via: "endpoint".into(), folder: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        // Cargo adds `--bench`.
        if word == "--bench" {
            continue;
        }
        let value = words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match &*word {
            "--rows" => arguments.rows = value.parse().expect("a number of rows"),
            "--rounds" => arguments.rounds = value.parse().expect("a number of rounds"),
            "--via" => arguments.via = value,
            "--folder" => arguments.folder = Some(value.into()),
            _ => panic!("{word} is none of --rows, --rounds, --via, --folder"),
        }
    }
    arguments
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures for people")]
fn told(name: &str, rows: usize, mut times: Vec<Duration>, peak: &str) {
    times.sort();
    let rate = |time: Duration| (rows as f64 / time.as_secs_f64()) as u64;
    let (least, median, most) = (rate(times[times.len() - 1]), rate(times[times.len() / 2]), rate(times[0]));
    println!("{name:<28} {median:>14} {least:>14} {most:>14} {peak:>10}");
}

async fn mint(suite: &LocalCloud) -> Vec<String> {
    let admin = Admin::from_env(&Environment::over(suite.environment().clone())).await.expect("the tables are there");
    let from = FROM.parse().expect("the seed's domain");
    let mint = admin.mint(&[from]).await.expect("the domain has a key");
    let id = |number: usize| {
        let payload = sha256(&number.to_le_bytes());
        mint.id(Kind::Maintained, from, &payload[..Kind::Maintained.payload_len()]).expect("an id").to_string()
    };
    (0..DISTINCT).map(id).collect()
}

fn separated(path: &Path, ids: &[String], rows: usize) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    file.write_all(b"row,rampid,spend\n").expect("room");
    for row in 0..rows {
        writeln!(file, "{row},{},{}.{:02}", ids[row % ids.len()], row % 211, row % 100).expect("room");
    }
    file.flush().expect("room");
}

fn columns(path: &Path, ids: &[String], rows: usize) {
    let column = |name, physical| Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
    let text = |name| Arc::new(column(name, Physical::BYTE_ARRAY).with_converted_type(ConvertedType::UTF8).build().expect("a column"));
    let fields = vec![Arc::new(column("row", Physical::INT64).build().expect("a column")), text("rampid"), text("spend")];
    let schema = Type::group_type_builder("schema").with_fields(fields).build().expect("a schema");
    let plain = WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).set_dictionary_enabled(false).build();
    let mut file = SerializedFileWriter::new(File::create(path).expect("a file"), Arc::new(schema), Arc::new(plain)).expect("room");
    let ids: Vec<_> = ids.iter().map(|id| ByteArray::from(id.as_str())).collect();
    for start in (0..rows).step_by(GROUP) {
        let range = start..rows.min(start + GROUP);
        let mut group = file.next_row_group().expect("room");
        let numbers: Vec<_> = range.clone().map(|row| i64::try_from(row).expect("few rows")).collect();
        let mut column = group.next_column().expect("room").expect("a column");
        column.typed::<Int64Type>().write_batch(&numbers, None, None).expect("room");
        column.close().expect("room");
        let spend = |row: usize| ByteArray::from(&*format!("{}.{:02}", row % 211, row % 100));
        for texts in [range.clone().map(|row| ids[row % ids.len()].clone()).collect::<Vec<_>>(), range.map(spend).collect()] {
            let mut column = group.next_column().expect("room").expect("a column");
            column.typed::<ByteArrayType>().write_batch(&texts, None, None).expect("room");
            column.close().expect("room");
        }
        group.close().expect("room");
    }
    file.close().expect("room");
}

/// One run: how long it took, and the most memory that it had, in kilobytes.
fn translate(suite: &LocalCloud, via: &str, environment: &Path, input: &Path) -> (Duration, u64) {
    let output = input.with_extension("out").with_added_extension(input.extension().unwrap_or_default());
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rampway"));
    command.arg("translate").arg(input).args(["--column", "rampid", "--to", TO[0], "--quiet", "--via", via]);
    command.arg("--output").arg(&output).arg("--state").arg(suite.state()).arg("--env-file").arg(environment);
    let mut child = command.stdout(Stdio::null()).spawn().expect("the command starts");
    let mut peak = 0;
    let status = loop {
        // The kernel's own account of the most that there was.
        let told = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let time = start.elapsed();
    assert!(status.success(), "the file is translated");
    fs::remove_file(output).expect("the output is there");
    (time, peak)
}

fn naive(rows: usize) -> Option<(usize, Duration)> {
    let said = Command::new("python3").args(["-c", PYTHON, &rows.to_string()]).output().ok().filter(|said| said.status.success())?;
    let seconds: f64 = String::from_utf8(said.stdout).ok()?.trim().parse().ok()?;
    Some((rows, Duration::from_secs_f64(seconds)))
}

fn processor() -> String {
    let told = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or("an unknown processor".into(), |(_, name)| name.into())
}
