"""A live io.BytesIO: one JSON request a line, one JSON answer a line. Bytes travel as hex, or with the argument
"digest" as what SHA-1 makes of them."""

import hashlib
import io
import json
import sys

file = io.BytesIO()


def shown(data):
    return hashlib.sha1(data).hexdigest() if "digest" in sys.argv else data.hex()


for line in sys.stdin:
    verb, *args = json.loads(line)
    if verb == "new":
        file = io.BytesIO(bytes.fromhex(args[0]))
        result = None
    elif verb == "read":
        result = shown(file.read(*args))
    elif verb == "readInto":
        target = bytearray(args[0])
        result = [file.readinto(target), shown(target)]
    elif verb == "write":
        result = file.write(bytes.fromhex(args[0]))
    elif verb == "seek":
        result = file.seek(*args)
    elif verb == "tell":
        result = file.tell()
    elif verb == "truncate":
        result = file.truncate(*args)
    else:
        result = shown(file.getvalue())
    print(json.dumps(result), flush=True)
