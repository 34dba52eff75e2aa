"""What virtualFile.mjs measures, with io.BytesIO: seconds by task, in JSON."""

import io
import json
import sys
import time

chunk_bytes, total, reads = (int(argument) for argument in sys.argv[1:4])
block = bytes([7]) * chunk_bytes
page = bytearray(4096)
piece = bytearray(65536)


def append():
    file = io.BytesIO()
    for _ in range(total // chunk_bytes):
        file.write(block)
    return file


file = append()


def read_at_random():
    for i in range(reads):
        file.seek((i * 2654435761 & 0xFFFFFFFF) % (total - 4096))
        file.readinto(page)


def read_through():
    file.seek(0)
    while file.readinto(piece):
        pass


def median(task):
    times = []
    for _ in range(4):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return sorted(times[1:])[1]


print(
    json.dumps(
        {
            "append in chunks of 1,920 bytes": median(append),
            "read 4 KiB at random": median(read_at_random),
            "read in pieces of 64 KiB": median(read_through),
            "snapshot of 100 MiB in one Buffer": median(lambda: bytes(file.getbuffer())),
        }
    )
)
