"""Translates objects of S3, emulated by moto, with `rampway serve` as the API."""

import gzip
import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import boto3
from moto.server import ThreadedMotoServer

rampway = os.path.abspath(sys.argv[1])
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
s3 = boto3.client("s3", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
s3.create_bucket(Bucket="bucket")
environment = dict(os.environ, AWS_ENDPOINT_URL_S3=url, AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b",
                   AWS_EC2_METADATA_DISABLED="true")


def names():
    return sorted(found["Key"] for found in s3.list_objects_v2(Bucket="bucket").get("Contents", []))


def content(key):
    return s3.get_object(Bucket="bucket", Key=key)["Body"].read()


with tempfile.TemporaryDirectory() as folder:
    state = pathlib.Path(folder, "state")
    local_cloud = subprocess.Popen([rampway, "serve", "--port", "0", "--state", state], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not all((state / name).exists() for name in ("demo.json", "env")):
            assert local_cloud.poll() is None and time.monotonic() < deadline, "rampway serve did not start"
            time.sleep(0.2)

        def translate(*words, code=0):
            words = [rampway, "translate", *words, "--column", "rampid", "--to", "1006", "--state", state]
            done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
            assert done.returncode == code, (words, done.stderr)
            return done.stderr

        mint = [rampway, "mint", "--env-file", state / "env", "0123456789abcdef0123456789abcdef", "--domain"]
        here, there = (subprocess.run([*mint, domain], stdout=subprocess.PIPE, text=True, check=True).stdout.strip() for domain in ("1005", "1006"))
        # Random text does not compress, so that the object has several parts.
        rows = [f"{os.urandom(150).hex()},{here}" for row in range(60_000)]
        expected = "note,rampid,rampid_1006,error_code\n" + "".join(f"{row},{there},\n" for row in rows)
        s3.put_object(Bucket="bucket", Key="in/audience.csv.gz", Body=gzip.compress(("note,rampid\n" + "\n".join(rows) + "\n").encode(), 1))

        translate("s3://bucket/in/audience.csv.gz")
        assert names() == ["in/audience.1006.csv.gz", "in/audience.1006.csv.gz.report.json", "in/audience.csv.gz"], names()
        assert gzip.decompress(content("in/audience.1006.csv.gz")).decode() == expected
        report = json.loads(content("in/audience.1006.csv.gz.report.json"))
        assert report["rows"]["translated"] == len(rows), report

        # Parquet, as output and as input, which is read from its end.
        translate("s3://bucket/in/audience.csv.gz", "--output", "s3://bucket/a.parquet")
        stderr = translate("s3://bucket/a.parquet", "--output", "s3://bucket/b.parquet", code=1)
        assert "there is already a column" in stderr, stderr

        assert "nothing at" in (stderr := translate("s3://bucket/none.csv", code=1)) or "none.csv" in stderr, stderr
        before = names()
        pathlib.Path(folder, "ragged.csv").write_text("note,rampid\n" + "".join(f"{row}\n" for row in rows) + "a,b,c\n")
        stderr = translate("ragged.csv", "--output", "s3://bucket/ragged.csv", code=1)
        assert "60002" in stderr.replace(",", ""), stderr
        assert names() == before and not s3.list_multipart_uploads(Bucket="bucket").get("Uploads"), names()
    finally:
        local_cloud.terminate()
        local_cloud.wait(30)
server.stop()
print("s3: objects are translated completely or not at all")
