"""The simplest implementation: translates a CSV file one id at a time."""

import base64
import csv
import os
import sys
import tempfile
import time

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

SOURCE_KEY, TARGET_KEY = AESSIV(os.urandom(64)), AESSIV(os.urandom(64))


def encode(sealed):
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def translate(value):
    sealed = base64.urlsafe_b64decode(value[6:] + "=")
    payload = SOURCE_KEY.decrypt(sealed, [value[:6].encode()])
    return "XY1006" + encode(TARGET_KEY.encrypt(payload, [b"XY1006"]))


with tempfile.TemporaryDirectory() as directory:
    input_path, output_path = os.path.join(directory, "in.csv"), os.path.join(directory, "out.csv")
    with open(input_path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "rampid", "spend"])
        for row in range(int(sys.argv[1])):
            writer.writerow([row, "XY1005" + encode(SOURCE_KEY.encrypt(os.urandom(16), [b"XY1005"])), f"{row % 211}.{row % 100:02}"])
    start = time.monotonic()
    with open(input_path, newline="") as source, open(output_path, "w", newline="") as sink:
        reader, writer = csv.reader(source), csv.writer(sink)
        writer.writerow(next(reader) + ["rampid_1006", "error_code"])
        for row in reader:
            writer.writerow(row + [translate(row[1]), ""])
    print(time.monotonic() - start)
