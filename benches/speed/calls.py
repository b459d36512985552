"""Sends the calls of a `kmslab run --format jsonl` by boto3: `calls.py FILE`.

A new server gives new ids. Each string that a response has in place of a recorded one replaces it in later requests.
Prints the seconds from the first request to the last response, the peak memory in KB, and the number of calls.
"""

import json
import resource
import sys
import time

import boto3

calls = [line for line in map(json.loads, open(sys.argv[1])) if line["event"] == "call"]
renamed = {}


def learn(recorded, live):
    if isinstance(recorded, dict) and isinstance(live, dict):
        for name in recorded.keys() & live.keys():
            learn(recorded[name], live[name])
    elif isinstance(recorded, str) and isinstance(live, str) and recorded != live:
        renamed[recorded] = live


def rename(value):
    if isinstance(value, dict):
        return {name: rename(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rename(inner) for inner in value]
    return renamed.get(value, value) if isinstance(value, str) else value


def unfold(request):
    """IAM's requests are recorded as they are sent: `Tags.member.1.Key` stands for the key of the first tag."""
    unfolded = {}
    tags = {}
    for name, value in request.items():
        if name.startswith("Tags.member."):
            _, _, position, member = name.split(".")
            tags.setdefault(position, {})[member] = value
        else:
            unfolded[name] = value
    return unfolded | {"Tags": list(tags.values())} if tags else unfolded


clients = {service: boto3.client(service) for service in {call["service"] for call in calls}}
start = time.perf_counter()
for call in calls:
    try:
        live = clients[call["service"]]._make_api_call(call["operation"], rename(unfold(call["request"])))
        learn(call["response"]["body"], live)
    except clients["sts"].exceptions.ClientError as error:
        print(call["operation"], error, file=sys.stderr)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, len(calls))
