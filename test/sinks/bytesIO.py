"""A live io.BytesIO: one JSON request a line, one JSON answer a line. Bytes travel as hex."""

import io
import json
import sys

file = io.BytesIO()

for line in sys.stdin:
    verb, *args = json.loads(line)
    if verb == "new":
        file = io.BytesIO(bytes.fromhex(args[0]))
        result = None
    elif verb == "read":
        result = file.read(*args).hex()
    elif verb == "readInto":
        target = bytearray(args[0])
        result = [file.readinto(target), target.hex()]
    elif verb == "write":
        result = file.write(bytes.fromhex(args[0]))
    elif verb == "seek":
        result = file.seek(*args)
    elif verb == "tell":
        result = file.tell()
    elif verb == "truncate":
        result = file.truncate(*args)
    else:
        result = file.getvalue().hex()
    print(json.dumps(result), flush=True)
