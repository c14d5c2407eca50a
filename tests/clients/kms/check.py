"""Administers an authority whose tables and KMS key are emulated by moto."""

import logging
import os
import subprocess
import sys

import boto3
from moto.server import ThreadedMotoServer

rampway = os.path.abspath(sys.argv[1])
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
aws = {"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
       "AWS_EC2_METADATA_DISABLED": "true"}
session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
kms, dynamodb = (session.client(name, endpoint_url=url) for name in ("kms", "dynamodb"))

tables = {"CLIENTS": ["client_id"], "DOMAINS": ["domain", "item"], "PERMITS": ["client_id", "direction"],
          "SIGNING_KEYS": ["kid"], "METRICS": ["client_id", "bucket"]}
for name, keys in tables.items():
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"))])
environment = dict(os.environ, **aws, MASTER_KEY=kms.create_key()["KeyMetadata"]["Arn"],
                   **{f"{name}_TABLE": name for name in tables})


def run(*words, fails=None):
    done = subprocess.run([rampway, *words], env=environment, cwd="/", capture_output=True, text=True, timeout=60)
    if fails is None:
        assert done.returncode == 0, (words, done.stderr)
    else:
        assert done.returncode == 1 and fails in done.stderr, (words, done)
    return done.stdout


mint = ("mint", "0123456789abcdef0123456789abcdef", "--domain")
run("admin", "keys", "create")
run("admin", "clients", "create", "acme")
for domain in ("1005", "1006"):
    run("admin", "domains", "create", domain, "--owner", "acme")
first = run(*mint, "1005")
assert first.startswith("XY1005") and first == run(*mint, "1005"), first

# Replace the sealed key with another domain's: KMS refuses to decrypt it, as the encryption context
# names another item.
items = dynamodb.scan(TableName="DOMAINS", ConsistentRead=True)["Items"]
sealed = {item["domain"]["S"]: item for item in items if "key" in item}
moved = dict(sealed["1005"], key=sealed["1006"]["key"])
dynamodb.put_item(TableName="DOMAINS", Item=moved)
run(*mint, "1005", fails="InvalidCiphertext")
dynamodb.put_item(TableName="DOMAINS", Item=sealed["1005"])
assert run(*mint, "1005") == first
server.stop()
print("kms: a sealed value opens only in its own item")
