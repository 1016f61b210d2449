"""Leads schemathesis to things that there are: ids drawn at random find nothing but 404.

OWN_KEY in the environment is the id of the API key that it asks with. THINGS is a JSON object; where it is empty, requests
stay as they were generated.

- "values": for each name of a parameter or field, values that mean something here
- "ids": for each operation, ids of what is in the right state for it; else for each kind of thing
- "bodies": for each operation, bodies that are accepted. Where they say {}, there stands something new each time
"""

import collections
import json
import os
import zlib

import schemathesis

OWN_KEY = os.environ["OWN_KEY"]
THINGS = json.loads(os.environ["THINGS"])

# Of so many requests of an operation one keeps what was generated, and one is as a client would send it.
TURNS = 4

# What is random there is refused, or is taken for another request.
SPOILERS = {"idempotency-key", "if-match"}

turns = collections.Counter()


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    """An import is one JSON object per line."""
    return json.dumps(value).encode() + b"\n"


def choose(values, generated):
    """One of the values, decided by what was generated: the same request, the same choice."""
    return values[zlib.crc32(repr(generated).encode()) % len(values)]


def put(found):
    """Puts values that mean something in the place of those that were generated, however deep they stand."""
    if isinstance(found, dict):
        values = THINGS["values"]
        return {name: choose(values[name], value) if name in values else put(value) for name, value in found.items()}
    if isinstance(found, list):
        return [put(value) for value in found]
    return found


def fresh(value, turn):
    """The same with something new where it says so, and with the bytes of files."""
    if isinstance(value, dict):
        if "file" in value:
            return f"{value['file']}% {turn}\n".encode()
        return {name: fresh(part, turn) for name, part in value.items()}
    if isinstance(value, list):
        return [fresh(part, turn) for part in value]
    return value.replace("{}", str(turn)) if isinstance(value, str) else value


def lead_body(case, name, turn):
    """A body that is accepted; mostly with one field as it was generated, so that this one decides."""
    bodies = THINGS["bodies"].get(name)
    if bodies is None or not isinstance(case.body, dict):
        case.body = put(case.body)
        return
    if case.media_type == "application/json" and name.endswith("/payment"):
        return
    body = fresh(bodies[turn // TURNS % len(bodies)], turn)
    fields = sorted(case.body)
    if turn % TURNS != 1 and fields:
        field = fields[turn % len(fields)]
        body[field] = put({field: case.body[field]})[field]
    case.body = body


def lead(case):
    path = case.operation.path
    name = f"{case.method.upper()} {path}"
    turns[name] += 1
    turn = turns[name]
    if path.endswith("/live") and case.path_parameters:
        # It learns ids from answers; a stream that there is would be read until the time is over.
        case.path_parameters["id"] = "of-nobody"
        return
    if turn % TURNS == 0:
        return
    if "id" in (case.path_parameters or {}) and "/keys/" not in path:
        kind = "listing" if "/listings/" in path else "waitlist" if "/waitlist/" in path else "booking"
        ids = THINGS["ids"].get(name) or THINGS["ids"][kind]
        case.path_parameters["id"] = ids[turn % len(ids)]
    for header in [header for header in case.headers or {} if header.lower() in SPOILERS]:
        del case.headers[header]
    if case.query:
        case.query = put(case.query)
    lead_body(case, name, turn)


@schemathesis.hook
def before_call(context, case, **kwargs):
    if THINGS:
        lead(case)
    # Whoever lists the keys and takes each of them away must not take away the one it asks with.
    if case.method.upper() == "DELETE" and (case.path_parameters or {}).get("id") == OWN_KEY:
        case.path_parameters["id"] = "key_of-nobody"
