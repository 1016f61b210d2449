"""Leads schemathesis to things that there are: ids drawn at random find nothing but 404.

OWN_KEY in the environment is the id of the API key that it asks with. THINGS is a JSON object: for each name of a
parameter or field, values that mean something here. Where it is empty, requests stay as they were generated.
"""

import json
import os
import zlib

import schemathesis

OWN_KEY = os.environ["OWN_KEY"]
THINGS = json.loads(os.environ["THINGS"])

# Of so many requests one keeps what was generated.
KEEP_ONE_IN = 4


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    """An import is one JSON object per line."""
    return json.dumps(value).encode() + b"\n"


def choose(values, generated):
    """One of the values, decided by what was generated: the same request, the same choice."""
    dice = zlib.crc32(repr(generated).encode())
    return generated if dice % KEEP_ONE_IN == 0 else values[dice // KEEP_ONE_IN % len(values)]


def put(found, generated):
    """Puts values that mean something in the place of those that were generated, however deep they stand."""
    if isinstance(found, dict):
        return {name: choose(THINGS[name], value) if name in THINGS else put(value, generated) for name, value in found.items()}
    if isinstance(found, list):
        return [put(value, generated) for value in found]
    return found


@schemathesis.hook
def before_call(context, case, **kwargs):
    """Whoever lists the keys and takes each of them away must not take away the one it asks with."""
    if case.method.upper() == "DELETE" and case.path_parameters.get("id") == OWN_KEY:
        case.path_parameters["id"] = "key_of-nobody"


if THINGS:

    @schemathesis.hook
    def map_path_parameters(context, path_parameters):
        path = context.operation.path
        kind = "listing" if "/listings/" in path else "waitlist" if "/waitlist/" in path else "booking"
        if path_parameters and "id" in path_parameters and "/keys/" not in context.operation.path:
            path_parameters["id"] = choose(THINGS[kind], path_parameters["id"])
        return path_parameters

    @schemathesis.hook
    def map_query(context, query):
        return put(query, query)

    @schemathesis.hook
    def map_body(context, body):
        return put(body, body)
