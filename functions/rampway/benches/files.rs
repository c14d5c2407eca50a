//! Benchmark of `rampway translate` with whole files and a local cloud: rows per second, and the
//! command's peak memory.
//!
//! `cargo bench -p rampway --bench files -- --rows 10000000 --rounds 5 --folder /dev/shm` sets the
//! number of rows, how often each file is translated, and the directory of the files. `--via api`
//! measures the API instead of the endpoint. A Python script that translates one id at a time is
//! measured for comparison, if Python and its package `cryptography` are installed.

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

/// The number of distinct ids. Minting more takes time and is not measured.
const DISTINCT_IDS: usize = 20_000;
const ROWS_PER_GROUP: usize = 1 << 20;
/// Maximum number of rows of the Python script.
const MAX_PYTHON_ROWS: usize = 300_000;
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
    let folder = folder.expect("the directory can be created");
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into();
    let options = Options { template, port: 0, state: State::Ephemeral, quiet: true, ..Options::default() };
    let (cloud, _) = serve::start(options).await.expect("the local cloud starts");
    let ids = mint(&cloud).await;
    let environment = folder.path().join("env");
    let lines: Vec<_> = cloud.environment().iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    fs::write(&environment, lines.concat()).expect("the file is written");
    let [csv, table] = ["csv", "parquet"].map(|extension| folder.path().join(format!("audience.{extension}")));
    write_csv(&csv, &ids, rows);
    write_parquet(&table, &ids, rows);

    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("{}, {cores} cores; {rows} rows of 3 columns, {rounds} rounds, via {via}, files in {}", processor(), folder.path().display());
    println!("{:<28} {:>14} {:>14} {:>14} {:>10}", "", "median rows/s", "min rows/s", "max rows/s", "peak, MiB");
    for input in [&csv, &table] {
        let mut rounds: Vec<_> = (0..rounds).map(|_| translate(&cloud, &via, &environment, input)).collect();
        let peak = rounds.iter().map(|(_, peak)| *peak).max().unwrap_or(0);
        rounds.sort();
        let name = input.extension().unwrap_or_default().to_string_lossy().into_owned();
        print_rates(&name, rows, rounds.iter().map(|(time, _)| *time).collect(), &format!("{}", peak >> 10));
    }
    cloud.stop().await;
    match measure_python(rows.min(MAX_PYTHON_ROWS)) {
        Some((rows, time)) => print_rates("python, one id at a time", rows, vec![time], ""),
        None => println!("python, one id at a time: not measured; install python3 and its package cryptography"),
    }
}

fn arguments() -> Arguments {
    let mut arguments = Arguments { rows: 500_000, rounds: 3, via: "endpoint".into(), folder: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        // Cargo appends `--bench`.
        if word == "--bench" {
            continue;
        }
        let value = words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match &*word {
            "--rows" => arguments.rows = value.parse().expect("--rows is a number"),
            "--rounds" => arguments.rounds = value.parse().expect("--rounds is a number"),
            "--via" => arguments.via = value,
            "--folder" => arguments.folder = Some(value.into()),
            _ => panic!("{word} is not an option; the options are --rows, --rounds, --via and --folder"),
        }
    }
    arguments
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "approximate rates")]
fn print_rates(name: &str, rows: usize, mut times: Vec<Duration>, peak: &str) {
    times.sort();
    let rate = |time: Duration| (rows as f64 / time.as_secs_f64()) as u64;
    let (min, median, max) = (rate(times[times.len() - 1]), rate(times[times.len() / 2]), rate(times[0]));
    println!("{name:<28} {median:>14} {min:>14} {max:>14} {peak:>10}");
}

async fn mint(cloud: &LocalCloud) -> Vec<String> {
    let admin = Admin::from_env(&Environment::with_defaults(cloud.environment().clone())).await.expect("the tables exist");
    let from = FROM.parse().expect("the domain is valid");
    let mint = admin.mint(&[from]).await.expect("the domain has a key");
    let id = |number: usize| {
        let payload = sha256(&number.to_le_bytes());
        mint.id(Kind::Maintained, from, &payload[..Kind::Maintained.payload_len()]).expect("the payload has the kind's length").to_string()
    };
    (0..DISTINCT_IDS).map(id).collect()
}

fn write_csv(path: &Path, ids: &[String], rows: usize) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("the file is created"));
    file.write_all(b"row,rampid,spend\n").expect("the file is written");
    for row in 0..rows {
        writeln!(file, "{row},{},{}.{:02}", ids[row % ids.len()], row % 211, row % 100).expect("the file is written");
    }
    file.flush().expect("the file is written");
}

fn write_parquet(path: &Path, ids: &[String], rows: usize) {
    let column = |name, physical| Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
    let text =
        |name| Arc::new(column(name, Physical::BYTE_ARRAY).with_converted_type(ConvertedType::UTF8).build().expect("the type is valid"));
    let fields = vec![Arc::new(column("row", Physical::INT64).build().expect("the type is valid")), text("rampid"), text("spend")];
    let schema = Type::group_type_builder("schema").with_fields(fields).build().expect("the schema is valid");
    let plain = WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).set_dictionary_enabled(false).build();
    let mut file = SerializedFileWriter::new(File::create(path).expect("the file is created"), Arc::new(schema), Arc::new(plain))
        .expect("the file is written");
    let ids: Vec<_> = ids.iter().map(|id| ByteArray::from(id.as_str())).collect();
    for start in (0..rows).step_by(ROWS_PER_GROUP) {
        let range = start..rows.min(start + ROWS_PER_GROUP);
        let mut group = file.next_row_group().expect("the file is written");
        let numbers: Vec<_> = range.clone().map(|row| i64::try_from(row).expect("the number fits")).collect();
        let mut column = group.next_column().expect("the row group is open").expect("the schema has three columns");
        column.typed::<Int64Type>().write_batch(&numbers, None, None).expect("the file is written");
        column.close().expect("the file is written");
        let spend = |row: usize| ByteArray::from(&*format!("{}.{:02}", row % 211, row % 100));
        for texts in [range.clone().map(|row| ids[row % ids.len()].clone()).collect::<Vec<_>>(), range.map(spend).collect()] {
            let mut column = group.next_column().expect("the row group is open").expect("the schema has three columns");
            column.typed::<ByteArrayType>().write_batch(&texts, None, None).expect("the file is written");
            column.close().expect("the file is written");
        }
        group.close().expect("the file is written");
    }
    file.close().expect("the file is written");
}

/// Runs the command once. Returns its duration and its peak memory in KiB.
fn translate(cloud: &LocalCloud, via: &str, environment: &Path, input: &Path) -> (Duration, u64) {
    let output = input.with_extension("out").with_added_extension(input.extension().unwrap_or_default());
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rampway"));
    command.arg("translate").arg(input).args(["--column", "rampid", "--to", TO[0], "--quiet", "--via", via]);
    command.arg("--output").arg(&output).arg("--state").arg(cloud.state()).arg("--env-file").arg(environment);
    let mut child = command.stdout(Stdio::null()).spawn().expect("the command starts");
    let mut peak = 0;
    let status = loop {
        // Linux records the peak resident set size (VmHWM).
        let process = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = process.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        if let Some(status) = child.try_wait().expect("the command can be waited for") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let time = start.elapsed();
    assert!(status.success(), "the file is translated");
    fs::remove_file(output).expect("the output exists");
    (time, peak)
}

fn measure_python(rows: usize) -> Option<(usize, Duration)> {
    let output = Command::new("python3").args(["-c", PYTHON, &rows.to_string()]).output().ok().filter(|output| output.status.success())?;
    let seconds: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some((rows, Duration::from_secs_f64(seconds)))
}

fn processor() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or("an unknown processor".into(), |(_, name)| name.into())
}
