"""What anybody would write first: a file of separated values, translated one id at a time."""

import base64
import csv
import os
import sys
import tempfile
import time

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

HERE, THERE = AESSIV(os.urandom(64)), AESSIV(os.urandom(64))


def text(sealed):
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def translate(value):
    sealed = base64.urlsafe_b64decode(value[6:] + "=")
    payload = HERE.decrypt(sealed, [value[:6].encode()])
    return "XY1006" + text(THERE.encrypt(payload, [b"XY1006"]))


with tempfile.TemporaryDirectory() as folder:
    before, after = os.path.join(folder, "in.csv"), os.path.join(folder, "out.csv")
    with open(before, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "rampid", "spend"])
        for row in range(int(sys.argv[1])):
            writer.writerow([row, "XY1005" + text(HERE.encrypt(os.urandom(16), [b"XY1005"])), f"{row % 211}.{row % 100:02}"])
    start = time.monotonic()
    with open(before, newline="") as source, open(after, "w", newline="") as sink:
        reader, writer = csv.reader(source), csv.writer(sink)
        writer.writerow(next(reader) + ["rampid_1006", "error_code"])
        for row in reader:
            writer.writerow(row + [translate(row[1]), ""])
    print(time.monotonic() - start)
